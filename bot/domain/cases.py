"""Cases: the unit of work. One customer problem, one Slack thread, one status; and whose turn it is to speak."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.articles import Priority
from bot.domain.incoming import Incoming, Kind, Place, seconds
from bot.domain.redaction import Redacted

DM_JOINS_WITHIN = 3600.0
"""Seconds: a top-level DM message joins the latest conversation there if its last activity is younger."""

LATE_AFTER = 1800.0
"""Seconds: what is older gets an apology and a person instead of a late answer."""


class Status(StrEnum):
    """open: the bot's. waiting: for a specialist. claimed: a specialist's. resolved: over."""

    OPEN = "open"
    WAITING = "waiting"
    CLAIMED = "claimed"
    RESOLVED = "resolved"


HUMAN_HAS_IT = frozenset({Status.WAITING, Status.CLAIMED})
"""While a case is one of these the bot says nothing in its thread but receipts and state changes."""


class Reason(StrEnum):
    """Why a person was called: a closed list."""

    ASKED = "asked for a person"
    DISTRESS = "somebody may be in danger"
    LEGAL = "legal threat or formal complaint"
    ARTICLE = "topic that a person must take"
    UNSURE = "no article fits"
    UNSURE_TWICE = "unsure twice"
    NOT_HELPFUL = "the answer did not help"
    LATE = "message was waiting for over 30 minutes"
    EDGE_DOWN = "a part of Handrail was down"
    ERROR = "the bot failed on this message"
    FILE = "a file that a person must look at"
    UNDELIVERED = "a reply could not be delivered"
    CHECK = "payments that a specialist must check"
    NO_PLACE = "no direct conversation in which payments may be shown"
    REFUND_MISSING = "a refund has not arrived"


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it is kept. `version` rises with each change; `thread_ts` is None for the top level of a DM.

    `last_ts` is the Slack time of the newest line. `unsure` counts unsure turns in a row. `human_joined`:
    somebody who is neither its customer nor us wrote in the thread. `spoken`: the bot has said something in it.
    `answered` are the articles that it was answered from, oldest first.
    """

    id: str
    conversation: str
    team: str
    channel: str
    place: Place
    thread_ts: str | None
    customer: str
    status: Status
    owner: str | None
    version: int
    last_ts: str
    unsure: int = 0
    human_joined: bool = False
    silenced: bool = False
    spoken: bool = False
    answered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Handoff:
    """The transfer of a case to specialists. `topic` is an article's id, or the reason where none fits; `channel` is
    its case's, where a specialist's reply goes."""

    id: str
    case: str
    customer: str
    topic: str
    question: Redacted
    reason: Reason
    priority: Priority
    created_at: datetime
    card_channel: str | None = None
    card_ts: str | None = None
    closed_at: datetime | None = None
    channel: str = ""


class Voice(StrEnum):
    """What the bot may do with a message.

    SPEAK: answer it. WAIT: answer later, if no person did. LISTEN: keep it, an answer is already waiting.
    RELAY: a specialist has the case, pass it on. STAND_ASIDE: a specialist has this thread and somebody else
    called the bot in it. HEED: remember that a person wrote here. IGNORE: not ours.
    """

    SPEAK = "speak"
    WAIT = "wait"
    LISTEN = "listen"
    RELAY = "relay"
    STAND_ASIDE = "stand aside"
    HEED = "heed"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and among whom a message was written. `others`: cases of other people in the same thread."""

    support_channel: bool = False
    internal_channel: bool = False
    author_is_staff: bool = False
    others: tuple[Case, ...] = ()


def conversation_of(incoming: Incoming) -> str:
    """The conversation that a message names by itself: its thread, or the one it would start."""
    return f"{incoming.team}:{incoming.channel}:{incoming.thread_ts or incoming.ts}"


def joins(incoming: Incoming, latest: Case) -> bool:
    """Whether a top-level DM message belongs to the latest conversation there: within the hour, and for as long as
    a person has it (docs/decisions/0009)."""
    return joins_at(incoming.ts, latest)


def joins_at(ts: str, latest: Case) -> bool:
    """As `joins`, for what is said at `ts`."""
    return latest.status in HUMAN_HAS_IT or seconds(ts) - seconds(latest.last_ts) < DM_JOINS_WITHIN


def is_late(incoming: Incoming, now: datetime) -> bool:
    """Whether an answer now would come too late to be of use."""
    return now.timestamp() - seconds(incoming.ts) > LATE_AFTER


def whose_turn(incoming: Incoming, case: Case | None, setting: Setting) -> Voice:
    """Who speaks next. `case` is the author's own case in this conversation, None when there is none yet."""
    if incoming.place is Place.DM:
        return Voice.RELAY if case is not None and case.status in HUMAN_HAS_IT else Voice.SPEAK
    if case is not None and case.status in HUMAN_HAS_IT:
        return Voice.RELAY
    if any(other.status in HUMAN_HAS_IT for other in setting.others):
        return Voice.STAND_ASIDE if incoming.mention else Voice.HEED
    if incoming.mention:
        return Voice.SPEAK
    if case is not None:
        return _unasked_in_own_case(case)
    if setting.others:
        return Voice.HEED
    top_level = incoming.thread_ts is None and incoming.kind is Kind.MESSAGE
    if top_level and setting.support_channel and not setting.internal_channel and not setting.author_is_staff:
        return Voice.WAIT
    return Voice.IGNORE


def _unasked_in_own_case(case: Case) -> Voice:
    if case.human_joined or case.silenced:
        return Voice.IGNORE
    return Voice.SPEAK if case.spoken else Voice.LISTEN
