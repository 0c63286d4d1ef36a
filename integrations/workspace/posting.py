"""Writing in conversations: post, edit, delete, react. The Web API and people acting use the same code.

Each operation stores its effect and the events it causes in one transaction; apps and pages hear of it afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.workspace import events, ids
from integrations.workspace.changes import Changes
from integrations.workspace.clock import Clock
from integrations.workspace.delivery.dispatch import Dispatcher
from integrations.workspace.ephemeral import Ephemerals
from integrations.workspace.errors import ApiError
from integrations.workspace.richtext import rich_text_block
from integrations.workspace.seed import App, Channel
from integrations.workspace.storage.database import Database
from integrations.workspace.storage.directory import Directory
from integrations.workspace.storage.messages import Message, Messages

_REACTION = re.compile(r"^[a-z0-9_+'-]+(::skin-tone-[2-6])?$")
MAX_TEXT = 40_000  # characters, after escaping
_SLACKBOT = "USLACKBOT"
_SHOWN_AUTHORS = 5  # Slack lists no more in reply_users


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be said. ``blocks`` are checked and numbered already; ``metadata`` is Slack's object."""

    text: str
    thread_ts: str | None = None
    blocks: Sequence[dict[str, Any]] | None = None
    metadata: dict[str, Any] | None = None
    files: Sequence[dict[str, Any]] = ()
    broadcast: bool = False
    username: str = ""


class Posting:
    """Writes messages, and tells apps and pages."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        messages: Messages,
        clock: Clock,
        dispatcher: Dispatcher,
        changes: Changes,
    ) -> None:
        self._db = database
        self._directory = directory
        self._messages = messages
        self._clock = clock
        self._dispatcher = dispatcher
        self._changes = changes
        self.ephemerals = Ephemerals()

    def post(self, channel: Channel, author: str, draft: Draft, app: App | None = None) -> Message:
        """Store a message of a person, or of an app's bot user; returns it as Slack shows it.

        Raises `ApiError` ``thread_not_found``/``is_archived``.
        """
        if channel.archived:
            raise ApiError("is_archived")
        with self._db.transaction():
            root = self._root(channel, draft.thread_ts)
            message = self._compose(channel, author, draft, app, root)
            in_channel = root is None or draft.broadcast
            self._messages.add(channel.id, message, root["ts"] if root else None, in_channel=in_channel)
            if app is None:
                self._messages.mark(author, channel.id, message["ts"])
            for listener in self._directory.apps_in(channel):
                self._dispatcher.emit(listener, events.message_posted(channel, message))
                mentioned = events.mentions(listener, draft.text) and author != listener.bot_user
                if mentioned and channel.kind not in ("im", "mpim"):
                    self._dispatcher.emit(listener, events.app_mention(channel, message))
            self._tell("message", channel, message)
            if root is not None:
                self._count_reply(channel, root, message)
        return message

    def whisper(self, channel: Channel, person: str, app: App, draft: Draft) -> Message:
        """Show a message to one person only. Apps get no event of it."""
        root = self._root(channel, draft.thread_ts)
        message = self._compose(channel, app.bot_user, draft, app, root) | {"is_ephemeral": True}
        self.ephemerals.add(person, channel.id, message)
        self._changes.tell("ephemeral", channel=channel, message=message, person=person)
        return message

    def edit(self, channel: Channel, message: Message, changed: dict[str, Any], editor: str) -> Message:
        """Replace parts of a message (``text``, ``blocks``, ``metadata``); returns the new one."""
        ts = self._clock.ts()
        after = message | changed | {"edited": {"user": editor, "ts": ts}}
        after = {key: value for key, value in after.items() if value is not None}
        with self._db.transaction():
            self._messages.replace(channel.id, after)
            self._emit(channel, events.message_changed(channel, after, message, ts))
            self._tell("message_changed", channel, after)
        return after

    def edit_text(self, channel: Channel, message: Message, text: str, editor: str) -> Message:
        """Change the words of a person's message, in ``text`` and in its rich text block."""
        return self.edit(channel, message, {"text": text, "blocks": [rich_text_block(text, ids.short())]}, editor)

    def delete(self, channel: Channel, message: Message) -> None:
        """Delete a message. The first message of a thread leaves a tombstone, as in Slack."""
        ts = self._clock.ts()
        root = self._messages.root_of(channel.id, message["ts"])
        with self._db.transaction():
            if message.get("reply_count"):
                tombstone = _tombstone(message)
                self._messages.replace(channel.id, tombstone)
                self._emit(channel, events.message_changed(channel, tombstone, message, ts))
                self._tell("message_changed", channel, tombstone)
                return
            self._messages.remove(channel.id, message["ts"])
            self._emit(channel, events.message_deleted(channel, message, ts))
            self._tell("message_deleted", channel, message)
            if root is not None:
                self._refresh_root(channel, root)

    def react(self, channel: Channel, message: Message, user: str, name: str, *, add: bool) -> None:
        """Put an emoji on a message or take it off.

        Raises `ApiError` ``invalid_name``/``already_reacted``/``no_reaction``.
        """
        if not _REACTION.match(name):
            raise ApiError("invalid_name")
        reactions = {one["name"]: list(one["users"]) for one in message.get("reactions", [])}
        users = reactions.setdefault(name, [])
        if add == (user in users):
            raise ApiError("already_reacted" if add else "no_reaction")
        if add:
            users.append(user)
        else:
            users.remove(user)
        listed = [{"name": key, "users": value, "count": len(value)} for key, value in reactions.items() if value]
        after = {key: value for key, value in message.items() if key != "reactions"}
        if listed:
            after["reactions"] = listed
        with self._db.transaction():
            self._messages.replace(channel.id, after)
            self._emit(channel, events.reaction(add, user, name, channel, after, self._clock.ts()))
            self._tell("message_changed", channel, after)

    def _root(self, channel: Channel, thread_ts: str | None) -> Message | None:
        """The first message of the thread to write in; a reply's own ts leads to its thread, as in Slack."""
        if not thread_ts:
            return None
        message = self._messages.get(channel.id, thread_ts)
        if message is None:
            raise ApiError("thread_not_found")
        above = self._messages.root_of(channel.id, thread_ts)
        return self._messages.get(channel.id, above) if above else message

    def _compose(self, channel: Channel, author: str, draft: Draft, app: App | None, root: Message | None) -> Message:
        message: Message = {
            "type": "message", "user": author, "text": draft.text, "ts": self._clock.ts(),
            "team": self._directory.team_id,
        }  # fmt: skip
        if app is not None:
            message |= {"bot_id": app.bot_id, "app_id": app.id, "bot_profile": bot_profile(app, self._directory)}
        else:
            message["client_msg_id"] = f"{ids.short()}-{ids.short()}"
        if draft.blocks is not None:
            message["blocks"] = list(draft.blocks)
        elif app is None and draft.text:
            message["blocks"] = [rich_text_block(draft.text, ids.short())]
        if draft.username:
            message |= {"subtype": "bot_message", "username": draft.username}
        if draft.files:
            message |= {"subtype": "file_share", "files": [self._file(author, one) for one in draft.files]}
        if draft.metadata is not None:
            message["metadata"] = draft.metadata
        if root is not None:
            message |= {"thread_ts": root["ts"], "parent_user_id": root.get("user", "")}
            if draft.broadcast:
                message |= {"subtype": "thread_broadcast", "root": events.visible(root)}
        return message

    def _file(self, author: str, given: dict[str, Any]) -> dict[str, Any]:
        name = str(given.get("name") or "file")
        return {
            "id": ids.slack_id("F"), "name": name, "title": name, "mimetype": "application/octet-stream",
            "filetype": name.rpartition(".")[2], "size": 0, "user": author, "created": int(self._clock.now()),
            "mode": "hosted", "is_external": False, **given,
        }  # fmt: skip

    def _count_reply(self, channel: Channel, root: Message, reply: Message) -> None:
        """Add one reply to a thread's first message, without reading the thread again."""
        authors = list(root.get("reply_users", []))
        if reply["user"] not in authors and len(authors) < _SHOWN_AUTHORS:
            authors.append(reply["user"])
        self._save_root(channel, root, root.get("reply_count", 0) + 1, reply["ts"], authors)

    def _refresh_root(self, channel: Channel, root_ts: str) -> None:
        """Recount a thread's replies on its first message."""
        root = self._messages.get(channel.id, root_ts)
        if root is None:
            return
        count, latest, authors = self._messages.thread_summary(channel.id, root_ts)
        self._save_root(channel, root, count, latest, authors)

    def _save_root(self, channel: Channel, root: Message, count: int, latest: str, authors: list[str]) -> None:
        if count:
            root |= {
                "thread_ts": root["ts"], "reply_count": count, "reply_users": authors,
                "reply_users_count": len(authors), "latest_reply": latest, "is_locked": False, "subscribed": False,
            }  # fmt: skip
        else:
            for key in ("thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply"):
                root.pop(key, None)
        self._messages.replace(channel.id, root)
        self._tell("message_changed", channel, root)

    def _emit(self, channel: Channel, event: dict[str, Any]) -> None:
        for listener in self._directory.apps_in(channel):
            self._dispatcher.emit(listener, event)

    def _tell(self, kind: str, channel: Channel, message: Message) -> None:
        self._db.after_commit(_telling(self._changes, kind, channel, message))


def bot_profile(app: App, directory: Directory) -> dict[str, Any]:
    """Slack's short description of the app behind a message."""
    return {
        "id": app.bot_id, "app_id": app.id, "name": app.name, "deleted": False, "team_id": directory.team_id,
        "icons": {},
    }  # fmt: skip


def _telling(changes: Changes, kind: str, channel: Channel, message: Message) -> Callable[[], None]:
    return lambda: changes.tell(kind, channel=channel, message=message)


def _tombstone(message: Message) -> Message:
    kept = {key: value for key, value in message.items() if key.startswith(("reply_", "latest_", "thread_"))}
    return {
        "type": "message", "subtype": "tombstone", "user": _SLACKBOT, "hidden": True, "ts": message["ts"],
        "text": "This message was deleted.", **kept,
    }  # fmt: skip
