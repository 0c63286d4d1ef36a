"""The events apps receive, built from stored messages. Pure: nothing here stores or sends."""

from __future__ import annotations

import re
from typing import Any

from integrations.workspace.seed import App, Channel

Message = dict[str, Any]
Event = dict[str, Any]

CHANNEL_TYPES = {"public": "channel", "private": "group", "im": "im", "mpim": "mpim"}


def visible(message: Message, *, metadata: bool = False) -> Message:
    """The message as apps and pages see it; ``metadata`` only where it was asked for."""
    return message if metadata else {key: value for key, value in message.items() if key != "metadata"}


def message_posted(channel: Channel, message: Message) -> Event:
    """A new message (``message`` with no subtype, ``file_share``, ``bot_message`` or ``thread_broadcast``)."""
    return {
        **visible(message),
        "channel": channel.id,
        "channel_type": CHANNEL_TYPES[channel.kind],
        "event_ts": message["ts"],
    }


def app_mention(channel: Channel, message: Message) -> Event:
    """The second event that a mention causes."""
    event = message_posted(channel, message) | {"type": "app_mention"}
    del event["channel_type"]
    return event


def message_changed(channel: Channel, message: Message, previous: Message, event_ts: str) -> Event:
    """An edit, by its author or by the app that posted it."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": visible(message),
        "previous_message": visible(previous),
        "channel": channel.id,
        "channel_type": CHANNEL_TYPES[channel.kind],
        "hidden": True,
        "ts": event_ts,
        "event_ts": event_ts,
    }


def message_deleted(channel: Channel, previous: Message, event_ts: str) -> Event:
    """A deletion."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "deleted_ts": previous["ts"],
        "previous_message": visible(previous),
        "channel": channel.id,
        "channel_type": CHANNEL_TYPES[channel.kind],
        "hidden": True,
        "ts": event_ts,
        "event_ts": event_ts,
    }


def reaction(added: bool, user: str, name: str, channel: Channel, message: Message, event_ts: str) -> Event:
    """An emoji put on a message or taken off."""
    return {
        "type": "reaction_added" if added else "reaction_removed",
        "user": user,
        "reaction": name,
        "item_user": message.get("user", ""),
        "item": {"type": "message", "channel": channel.id, "ts": message["ts"]},
        "event_ts": event_ts,
    }


def home_opened(user: str, channel: Channel, tab: str, view: dict[str, Any] | None, event_ts: str) -> Event:
    """A person looked at the app's Home or Messages tab."""
    event: Event = {
        "type": "app_home_opened", "user": user, "channel": channel.id, "tab": tab, "event_ts": event_ts,
    }  # fmt: skip
    return {**event, "view": view} if view is not None else event


def membership(joined: bool, user: str, channel: Channel, team_id: str, inviter: str, event_ts: str) -> Event:
    """A person, or an app, came into a channel or left it."""
    event: Event = {
        "type": "member_joined_channel" if joined else "member_left_channel",
        "user": user,
        "channel": channel.id,
        "channel_type": "C" if channel.kind == "public" else "G",
        "team": team_id,
        "event_ts": event_ts,
    }
    return {**event, "inviter": inviter} if joined and inviter else event


def mentions(app: App, text: str) -> bool:
    """Whether the text mentions the app's bot user."""
    return re.search(rf"<@{app.bot_user}(\||>)", text) is not None
