"""The one connection to the state file, its schema and its transactions."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from integrations.workspace.errors import StoreUnavailable

SCHEMA_VERSION = "1"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS people (id TEXT PRIMARY KEY, position INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS channels (id TEXT PRIMARY KEY, position INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS usergroups (id TEXT PRIMARY KEY, position INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS apps (id TEXT PRIMARY KEY, position INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    channel TEXT NOT NULL,
    ts TEXT NOT NULL,
    root TEXT,                       -- the thread's first message; NULL for what stands in the channel itself
    in_channel INTEGER NOT NULL,     -- 1 for top-level messages and for replies that were also sent to the channel
    author TEXT NOT NULL,
    body TEXT NOT NULL,              -- the Slack-shaped message
    PRIMARY KEY (channel, ts)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS messages_top ON messages (channel, in_channel, ts);
CREATE INDEX IF NOT EXISTS messages_thread ON messages (channel, root, ts) WHERE root IS NOT NULL;
CREATE TABLE IF NOT EXISTS reads (
    person TEXT NOT NULL, channel TEXT NOT NULL, last_read TEXT NOT NULL, PRIMARY KEY (person, channel)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (  -- what an app has not acknowledged yet, or never did
    id TEXT PRIMARY KEY,
    app TEXT NOT NULL,
    payload TEXT NOT NULL,
    attempt INTEGER NOT NULL,        -- of the next delivery, from 0
    due REAL NOT NULL,               -- workspace time of the next delivery
    lost INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS views (
    id TEXT PRIMARY KEY,
    app TEXT NOT NULL,
    person TEXT NOT NULL,
    kind TEXT NOT NULL,              -- home or modal
    external_id TEXT NOT NULL,
    position INTEGER NOT NULL,       -- place in the person's modal stack, 0 at the bottom
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS views_person ON views (person, app, kind, position);
"""


class Database:
    """A synchronous SQLite connection used from the event loop's thread only.

    Statements take microseconds and never wait for another process (the file is locked exclusively), so they run in
    the loop: a message and the events it causes are then one transaction that no other task can come between.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._depth = 0
        self._after: list[Callable[[], None]] = []
        try:
            self._connection = sqlite3.connect(
                ":memory:" if path is None else str(path), isolation_level=None, timeout=0.5
            )
            if path is not None:
                # The exclusive lock keeps a second server off the file and goes with the process, even after kill -9.
                # WAL with NORMAL does not wait for the disk at each commit: a killed process loses nothing, a power
                # cut may lose the last moments, and either way the file stays whole.
                for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
                    self._connection.execute(f"PRAGMA {pragma}")
            self._connection.executescript(_SCHEMA)
            # A write, so that a read-only or full disk shows now rather than at the first message.
            self._connection.execute("INSERT OR IGNORE INTO meta VALUES ('schema', ?)", (SCHEMA_VERSION,))
        except sqlite3.Error as error:
            raise StoreUnavailable(path, str(error)) from error
        version = self.meta("schema")
        if version != SCHEMA_VERSION:
            self.close()
            raise StoreUnavailable(path, f"it was written by another version (schema {version})")

    def close(self) -> None:
        """Close the file; the last commits are in it."""
        self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside commit together; nested uses join the outer one.

        Raises `StoreUnavailable` when the file cannot be written; nothing of the block is stored then.
        """
        outermost = self._depth == 0
        if outermost:
            self.run("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if outermost:
                self._after.clear()
                # SQLite has already rolled back by itself after errors such as a full disk.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            raise
        self._depth -= 1
        if outermost:
            self._commit()

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run ``action`` once the running transaction is stored, at once when there is none."""
        if self._depth:
            self._after.append(action)
        else:
            action()

    def run(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Execute one statement; SQLite's errors become `StoreUnavailable`.

        Half a surrogate pair in an id or timestamp from outside cannot be bound; it cannot match anything either.
        """
        try:
            return self._connection.execute(sql, values)
        except UnicodeEncodeError:
            clean = [one.encode(errors="replace").decode() if isinstance(one, str) else one for one in values]
            return self.run(sql, clean)
        except sqlite3.Error as error:
            raise StoreUnavailable(self.path, str(error)) from error

    def meta(self, key: str) -> str | None:
        """A stored setting of the workspace, such as its clock offset."""
        row = self.run("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Store a setting of the workspace."""
        self.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _commit(self) -> None:
        actions, self._after = self._after, []
        try:
            self.run("COMMIT")
        except StoreUnavailable:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        for action in actions:
            action()
