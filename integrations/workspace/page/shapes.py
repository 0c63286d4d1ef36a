"""Values as the page gets them."""

from __future__ import annotations

from typing import Any

from integrations.workspace.core import Core
from integrations.workspace.mailbox import Mail
from integrations.workspace.seed import Channel, Person
from integrations.workspace.statuses import Status

_MESSAGE_KEYS = (
    "ts", "user", "bot_id", "text", "blocks", "thread_ts", "reply_count", "reply_users", "latest_reply", "reactions",
    "subtype", "files", "username",
)  # fmt: skip


def message(channel_id: str, stored: dict[str, Any]) -> dict[str, Any]:
    """A message. A person's rich text block is left out: the page formats ``text`` itself."""
    shown = {key: stored[key] for key in _MESSAGE_KEYS if key in stored}
    shown |= {"channel": channel_id, "user": stored.get("user", "")}
    if "app_id" not in stored:
        shown.pop("blocks", None)
    if "edited" in stored:
        shown["edited"] = {"ts": stored["edited"]["ts"]}
    if stored.get("is_ephemeral"):
        shown["ephemeral"] = True
    return shown


def channel(core: Core, me: str, described: Channel) -> dict[str, Any]:
    """A conversation as one person sees it, with what they have not read."""
    unread, mentions = unread_of(core, me, described)
    shown: dict[str, Any] = {
        "id": described.id, "name": described.name, "kind": described.kind, "topic": described.topic,
        "members": list(described.members), "unread": unread, "mentions": mentions,
        "last_read": core.messages.last_read(me, described.id), "last_ts": core.messages.newest_ts(described.id),
    }  # fmt: skip
    if described.kind == "im":
        shown["peer"] = next((user for user in described.members if user != me), me)
    return shown


def unread_of(core: Core, me: str, described: Channel) -> tuple[int, int]:
    """(unread, mentions); in a direct message everything counts as a mention."""
    unread, mentions = core.messages.unread(me, described.id)
    return (unread, unread) if described.kind == "im" else (unread, mentions)


def status(shown: Status) -> dict[str, Any]:
    """That an app is at work in a thread; an empty text: no longer."""
    return {
        "channel": shown.channel, "thread_ts": shown.thread_ts, "user": shown.app.bot_user, "text": shown.text,
    }  # fmt: skip


def mail(arrived: Mail) -> dict[str, Any]:
    """A mail, to whom it was sent."""
    return {"to": arrived.to, "subject": arrived.subject, "text": arrived.text, "ts": arrived.ts}


def person(described: Person) -> dict[str, Any]:
    """Somebody to act as, or to see."""
    return {
        "id": described.id, "name": described.name, "real_name": described.real_name, "title": described.title,
        "role": described.role, "is_bot": described.is_bot, "is_guest": described.is_guest,
        "is_stranger": described.is_stranger,
    }  # fmt: skip
