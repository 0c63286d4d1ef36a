"""Reading Slack's bodies: an allow-list of fields becomes an `Incoming`, everything else is left behind."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from bot.domain import buttons
from bot.domain.incoming import Attachment, Click, Incoming, Kind, Place, Source
from bot.domain.redaction import Finding, Redacted, redact, redacted
from bot.errors import HandrailError

_ID = re.compile(r"[A-Z][A-Z0-9]{1,40}")
_TS = re.compile(r"\d{1,12}\.\d{1,9}")
_MIMETYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,100}")
_SPOKEN = frozenset({"file_share", "thread_broadcast", "me_message"})
"""Subtypes of a message that a person wrote."""
_OURS = ("answer.", "offer.", "handoff.", "home.", "lookup.", "news.")
MAX_FILES = 20
MAX_VALUE = 200

Body = Mapping[str, Any]


class Malformed(HandrailError):
    """A body that is not what Slack documents. `field` names what is wrong; the value is not kept."""

    def __init__(self, field: str) -> None:
        super().__init__(f"malformed {field}")
        self.field = field


def readable(body: object) -> bool:
    """Whether a body has the outer shape that Slack documents: what Bolt takes ids from are texts or objects."""
    if not isinstance(body, Mapping):
        return False
    event = body.get("event", {})
    if not isinstance(event, Mapping):
        return False
    inner = (event.get("item", {}), event.get("message", {}), event.get("previous_message", {}))
    named = [part.get(name) for part in (body, event) for name in ("channel", "user", "team", "enterprise", "view")]
    return all(value is None or isinstance(value, str | Mapping) for value in (*named, *inner))


def read(body: Body, bot_user: str, source: Source = Source.LIVE) -> Incoming | None:
    """What a body means to us, None when it means nothing. Raises Malformed."""
    kind = body.get("type")
    if kind == "event_callback":
        event = _mapping(body.get("event"), "event")
        return read_event(event, _id(body.get("team_id") or event.get("team"), "team"), bot_user, source)
    if kind == "block_actions":
        return _read_action(body)
    return None


def read_event(event: Body, team: str, bot_user: str, source: Source) -> Incoming | None:
    """What an event means to us; also used for messages that were read from a channel's history."""
    match event.get("type"):
        case "app_mention":
            return _read_message(event, team, bot_user, source)
        case "message":
            return _read_any_message(event, team, bot_user, source)
        case "app_home_opened" if event.get("tab") == "home":
            return _read_home(event, team, source)
        case _:
            return None


def opens_modal(body: Body) -> bool:
    """Whether a click must be answered at once, because its trigger dies in three seconds."""
    if body.get("type") != "block_actions":
        return False
    try:
        action_id = _action(body).get("action_id")
    except Malformed:
        return False
    return isinstance(action_id, str) and action_id in buttons.MODAL_OPENERS


def _read_any_message(event: Body, team: str, bot_user: str, source: Source) -> Incoming | None:
    subtype = event.get("subtype")
    if subtype == "message_changed":
        changed = _mapping(event.get("message"), "message")
        if changed.get("subtype") == "tombstone":
            return _read_deleted(event, changed, team, source)
        return _read_edited(event, changed, team, bot_user, source)
    if subtype == "message_deleted":
        return _read_deleted(event, _mapping(event.get("previous_message") or {}, "previous_message"), team, source)
    return _read_message(event, team, bot_user, source) if _spoken(subtype) else None


def _read_message(event: Body, team: str, bot_user: str, source: Source) -> Incoming | None:
    if not _by_a_person(event):
        return None
    ts = _ts(event.get("ts"), "ts")
    thread_ts = _optional_ts(event.get("thread_ts"))
    text, found, mentioned = _words(event.get("text"), bot_user)
    return Incoming(
        team=team,
        channel=_id(event.get("channel"), "channel"),
        place=_place(event),
        user=_id(event.get("user"), "user"),
        kind=Kind.MESSAGE,
        ts=ts,
        thread_ts=thread_ts if thread_ts != ts else None,
        target_ts=None,
        text=text,
        mention=mentioned or event.get("type") == "app_mention",
        found=found,
        files=_files(event.get("files")),
        click=None,
        source=source,
    )


def _read_edited(event: Body, changed: Body, team: str, bot_user: str, source: Source) -> Incoming | None:
    if not _by_a_person(changed) or not _spoken(changed.get("subtype")):
        return None
    target = _ts(changed.get("ts"), "message.ts")
    thread_ts = _optional_ts(changed.get("thread_ts"))
    text, found, mentioned = _words(changed.get("text"), bot_user)
    return Incoming(
        team=team,
        channel=_id(event.get("channel"), "channel"),
        place=_place(event),
        user=_id(changed.get("user"), "user"),
        kind=Kind.EDIT,
        ts=_ts(event.get("event_ts") or event.get("ts"), "event_ts"),
        thread_ts=thread_ts if thread_ts != target else None,
        target_ts=target,
        text=text,
        mention=mentioned,
        found=found,
        files=(),
        click=None,
        source=source,
    )


def _read_deleted(event: Body, previous: Body, team: str, source: Source) -> Incoming | None:
    target = _ts(event.get("deleted_ts") or previous.get("ts"), "deleted_ts")
    thread_ts = _optional_ts(previous.get("thread_ts"))
    user = previous.get("user")
    return Incoming(
        team=team,
        channel=_id(event.get("channel"), "channel"),
        place=_place(event),
        user=_id(user, "user") if user else "",
        kind=Kind.DELETE,
        ts=_ts(event.get("event_ts") or event.get("ts"), "event_ts"),
        thread_ts=thread_ts if thread_ts != target else None,
        target_ts=target,
        text=redacted(""),
        mention=False,
        found=frozenset(),
        files=(),
        click=None,
        source=source,
    )


def _read_home(event: Body, team: str, source: Source) -> Incoming:
    return Incoming(
        team=team,
        channel=_id(event.get("channel"), "channel"),
        place=Place.DM,
        user=_id(event.get("user"), "user"),
        kind=Kind.HOME,
        ts=_ts(event.get("event_ts"), "event_ts"),
        thread_ts=None,
        target_ts=None,
        text=redacted(""),
        mention=False,
        found=frozenset(),
        files=(),
        click=None,
        source=source,
    )


def _read_action(body: Body) -> Incoming | None:
    action = _action(body)
    action_id = str(action.get("action_id", ""))
    if not action_id.startswith(_OURS):
        return None
    container = _mapping(body.get("container") or {}, "container")
    message = _mapping(body.get("message") or {}, "message")
    user = _id(_mapping(body.get("user"), "user").get("id"), "user.id")
    channel = _mapping(body.get("channel") or {}, "channel").get("id") or container.get("channel_id")
    message_ts = _optional_ts(container.get("message_ts") or message.get("ts"))
    return Incoming(
        team=_team_of(body),
        # Home has no channel: a person's own id stands for their direct conversation, as it does in Slack's API.
        channel=_id(channel or user, "channel.id"),
        place=Place.DM if str(channel or user)[0] in "DU" else Place.CHANNEL,
        user=user,
        kind=Kind.ACTION,
        ts=_ts(action.get("action_ts"), "action_ts"),
        thread_ts=_optional_ts(container.get("thread_ts") or message.get("thread_ts")),
        target_ts=None,
        text=redacted(""),
        mention=False,
        found=frozenset(),
        files=(),
        click=Click(redacted(action_id[:MAX_VALUE]), redacted(_value(action)[:MAX_VALUE]), message_ts),
        source=Source.LIVE,
    )


def _value(action: Body) -> str:
    """What a button carries, or what was picked from a menu."""
    picked = action.get("selected_option")
    return str((picked if isinstance(picked, Mapping) else action).get("value", ""))


def read_submission(body: Body, text: str) -> Incoming:
    """A submitted reply as an `Incoming`: the view's id makes it one event however often it arrives."""
    view = _mapping(body.get("view"), "view")
    found = redact(text)
    return Incoming(
        team=_team_of(body),
        channel=_id(view.get("id"), "view.id"),
        place=Place.PRIVATE,
        user=_id(_mapping(body.get("user"), "user").get("id"), "user.id"),
        kind=Kind.VIEW,
        # Corrected words are a submission of their own; the same words again are not.
        ts=f"0.{int(hashlib.sha256(found.text.encode()).hexdigest()[:12], 16)}",
        thread_ts=None,
        target_ts=None,
        text=found.text,
        mention=False,
        found=found.found,
        files=(),
        click=Click(buttons.REPLY_VIEW, redacted(str(view.get("private_metadata", ""))[:MAX_VALUE]), None),
        source=Source.LIVE,
    )


def _by_a_person(message: Body) -> bool:
    """Other bots are never answered, whatever they call themselves: two bots would talk for ever."""
    return not message.get("bot_id") and not message.get("bot_profile") and bool(message.get("user"))


def _spoken(subtype: object) -> bool:
    return subtype is None or (isinstance(subtype, str) and subtype in _SPOKEN)


def _words(value: object, bot_user: str) -> tuple[Redacted, frozenset[Finding], bool]:
    """A message's text without our own mention, what was removed from it, and whether we were mentioned."""
    text = value if isinstance(value, str) else ""
    mention = f"<@{bot_user}>"
    redaction = redact(text.replace(mention, "").strip() if mention in text else text)
    return redaction.text, redaction.found, mention in text


def _files(value: object) -> tuple[Attachment, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(_file(one) for one in value[:MAX_FILES] if isinstance(one, Mapping))


def _file(value: Body) -> Attachment:
    name = value.get("name")
    mimetype = value.get("mimetype")
    known = isinstance(mimetype, str) and _MIMETYPE.fullmatch(mimetype)
    return Attachment(redacted(name[:MAX_VALUE] if isinstance(name, str) else "file"), str(mimetype) if known else "?")


def _place(event: Body) -> Place:
    try:
        return Place(str(event.get("channel_type")))
    except ValueError:
        # `app_mention` does not say; a conversation's first letter does.
        return Place.DM if str(event.get("channel", "")).startswith("D") else Place.CHANNEL


def _action(body: Body) -> Body:
    actions = body.get("actions")
    if not isinstance(actions, list) or not actions:
        return {}
    return _mapping(actions[0], "actions")


def _team_of(body: Body) -> str:
    team = body.get("team")
    user = body.get("user")
    inside = team.get("id") if isinstance(team, Mapping) else None
    return _id(inside or (user.get("team_id") if isinstance(user, Mapping) else None), "team")


def _mapping(value: object, field: str) -> Body:
    if not isinstance(value, Mapping):
        raise Malformed(field)
    return value


def _id(value: object, field: str) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Malformed(field)
    return value


def _ts(value: object, field: str) -> str:
    if not isinstance(value, str) or not _TS.fullmatch(value):
        raise Malformed(field)
    return value


def _optional_ts(value: object) -> str | None:
    return None if value is None else _ts(value, "thread_ts")
