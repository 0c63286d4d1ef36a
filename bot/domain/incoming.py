"""What came in from Slack, cut down to the fields that Handrail uses.

An `Incoming` is built from an allow-list of fields (never from Slack's whole body: blocks, previous messages,
file titles and view state carry the raw text too) and holds only redacted text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.redaction import Finding, Redacted


class Kind(StrEnum):
    """What happened. A plain message and its `app_mention` twin are one kind, so that they share a key."""

    MESSAGE = "message"
    EDIT = "edit"
    DELETE = "delete"
    ACTION = "action"
    HOME = "home"
    VIEW = "view"


CONVERSATIONAL = (Kind.MESSAGE, Kind.EDIT, Kind.DELETE)
"""Kinds that are taken in order, one at a time per lane. The others stand for themselves."""


class Place(StrEnum):
    """The kind of Slack conversation."""

    CHANNEL = "channel"
    PRIVATE = "group"
    DM = "im"
    GROUP_DM = "mpim"


class Source(StrEnum):
    """How an event reached us."""

    LIVE = "live"
    CATCH_UP = "catch-up"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that was shared: what it is called and of which type. Never its content."""

    name: Redacted
    mimetype: str


@dataclass(frozen=True, slots=True)
class Click:
    """An element that somebody used: a button of a message, of Home or of a modal."""

    action_id: str
    value: str
    message_ts: str | None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event. `ts` (Slack's, as text) orders it; `target_ts` is the message that an edit or delete is about."""

    team: str
    channel: str
    place: Place
    user: str
    kind: Kind
    ts: str
    thread_ts: str | None
    target_ts: str | None
    text: Redacted
    mention: bool
    found: frozenset[Finding]
    files: tuple[Attachment, ...]
    click: Click | None
    source: Source

    @property
    def key(self) -> str:
        """What makes it the same event however often and by whichever way it arrives."""
        return f"{self.team}:{self.channel}:{self.ts}:{self.kind}"

    @property
    def lane(self) -> str:
        """What must be handled one at a time: a thread in a channel, the whole of a direct conversation.

        A DM is one lane because which case a message joins depends on the messages before it.
        """
        if self.place is Place.DM:
            return f"{self.team}:{self.channel}"
        return f"{self.team}:{self.channel}:{self.thread_ts or self.target_ts or self.ts}"


def seconds(ts: str) -> float:
    """A Slack timestamp as Unix seconds, UTC."""
    return float(ts)
