"""Messages of every conversation, and how far each person has read."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.workspace.storage.database import Database

Message = dict[str, Any]

FIRST_TS = "0000000000.000000"
LAST_TS = "9999999999.999999"
_UNREAD_CAP = 1000


def normal_ts(value: str) -> str | None:
    """Any way to write a timestamp (``0``, ``1700000000``, ``1700000000.5``) in the stored width; None if it is not
    one. Equal width makes text order the order of time."""
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or number < 0 or number > Decimal(LAST_TS):
        return None
    seconds, micros = divmod(int(number * 1_000_000), 1_000_000)
    return f"{seconds:010d}.{micros:06d}"


class Messages:
    """The table of messages. Bodies are Slack-shaped dictionaries; each read returns fresh copies."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, channel: str, message: Message, root: str | None, *, in_channel: bool) -> None:
        """Store a new message; ``root`` is the first message of its thread when it is a reply."""
        self._db.run(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)",
            (channel, message["ts"], root, int(in_channel), message.get("user", ""), json.dumps(message)),
        )

    def get(self, channel: str, ts: str) -> Message | None:
        """One message, or None."""
        row = self._db.run("SELECT body FROM messages WHERE channel = ? AND ts = ?", (channel, ts)).fetchone()
        return None if row is None else self._load(row[0])

    def root_of(self, channel: str, ts: str) -> str | None:
        """The thread a reply belongs to; None for a message that stands in the channel."""
        row = self._db.run("SELECT root FROM messages WHERE channel = ? AND ts = ?", (channel, ts)).fetchone()
        return None if row is None or row[0] is None else str(row[0])

    def replace(self, channel: str, message: Message) -> None:
        """Store a new body for an existing message."""
        self._db.run(
            "UPDATE messages SET body = ? WHERE channel = ? AND ts = ?",
            (json.dumps(message), channel, message["ts"]),
        )

    def remove(self, channel: str, ts: str) -> None:
        """Delete a message."""
        self._db.run("DELETE FROM messages WHERE channel = ? AND ts = ?", (channel, ts))

    def history(self, channel: str, after: str, before: str, limit: int) -> list[Message]:
        """Messages of the channel itself with ``after < ts < before``, newest first."""
        rows = self._db.run(
            "SELECT body FROM messages WHERE channel = ? AND in_channel = 1 AND ts > ? AND ts < ?"
            " ORDER BY ts DESC LIMIT ?",
            (channel, after, before, limit),
        )
        return [self._load(row[0]) for row in rows]

    def replies(self, channel: str, root: str, after: str, before: str, limit: int) -> list[Message]:
        """Replies of a thread (not its first message) with ``after < ts < before``, oldest first."""
        rows = self._db.run(
            "SELECT body FROM messages WHERE channel = ? AND root = ? AND ts > ? AND ts < ? ORDER BY ts LIMIT ?",
            (channel, root, after, before, limit),
        )
        return [self._load(row[0]) for row in rows]

    def newest_replies(self, channel: str, root: str, before: str, limit: int) -> list[Message]:
        """Replies of a thread with ``ts < before``, newest first."""
        rows = self._db.run(
            "SELECT body FROM messages WHERE channel = ? AND root = ? AND ts < ? ORDER BY ts DESC LIMIT ?",
            (channel, root, before, limit),
        )
        return [self._load(row[0]) for row in rows]

    def thread_summary(self, channel: str, root: str) -> tuple[int, str, list[str]]:
        """Number of replies, ts of the newest, and up to five authors in the order they joined."""
        count, latest = self._db.run(
            "SELECT COUNT(*), MAX(ts) FROM messages WHERE channel = ? AND root = ?", (channel, root)
        ).fetchone()
        authors = self._db.run(
            "SELECT author FROM messages WHERE channel = ? AND root = ? GROUP BY author ORDER BY MIN(ts) LIMIT 5",
            (channel, root),
        )
        return count, latest or "", [row[0] for row in authors]

    def newest_ts(self, channel: str | None = None) -> str:
        """Timestamp of the newest message in the channel itself, or anywhere; empty if there is none."""
        if channel is None:
            cursor = self._db.run("SELECT MAX(ts) FROM messages")
        else:
            cursor = self._db.run("SELECT MAX(ts) FROM messages WHERE channel = ? AND in_channel = 1", (channel,))
        return cursor.fetchone()[0] or ""

    def all(self, channel: str) -> list[Message]:
        """Every message of a conversation, replies too, oldest first."""
        rows = self._db.run("SELECT body FROM messages WHERE channel = ? ORDER BY ts", (channel,))
        return [self._load(row[0]) for row in rows]

    def mark(self, person: str, channel: str, ts: str) -> None:
        """The person has read everything up to ``ts``."""
        self._db.run("INSERT OR REPLACE INTO reads VALUES (?, ?, ?)", (person, channel, ts))

    def last_read(self, person: str, channel: str) -> str:
        """Where the person stopped reading; ``FIRST_TS`` when they never looked."""
        row = self._db.run("SELECT last_read FROM reads WHERE person = ? AND channel = ?", (person, channel)).fetchone()
        return FIRST_TS if row is None else str(row[0])

    def unread(self, person: str, channel: str) -> tuple[int, int]:
        """(messages others wrote in the channel since, those of the newest thousand that mention the person).

        The first is at most 1000 and leaves replies out, as Slack does; the second counts them.
        """
        since = self.last_read(person, channel)
        unread = self._db.run(
            "SELECT COUNT(*) FROM (SELECT 1 FROM messages WHERE channel = ? AND in_channel = 1 AND ts > ?"
            " AND author <> ? LIMIT ?)",
            (channel, since, person, _UNREAD_CAP),
        ).fetchone()[0]
        mentions = self._db.run(
            "SELECT COUNT(*) FROM (SELECT author, body FROM messages WHERE channel = ? AND ts > ? ORDER BY ts DESC"
            " LIMIT ?) WHERE author <> ? AND instr(body, ?)",
            (channel, since, _UNREAD_CAP, person, f"<@{person}>"),
        ).fetchone()[0]
        return unread, mentions

    @staticmethod
    def _load(body: str) -> Message:
        loaded: Message = json.loads(body)
        return loaded
