"""What is to be done in Slack, and the changes that one unit of work commits together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.cases import Case, Handoff
from bot.domain.redaction import Redacted
from bot.domain.refund_news import RefundNews
from bot.domain.replies import Address, Line, Note, Relay, Reply

IGNORED = "ignored"
"""The outcome of a message that was not ours when its turn came."""


@dataclass(frozen=True, slots=True)
class Say:
    """Post this content."""

    content: Reply | Relay | Note


@dataclass(frozen=True, slots=True)
class ShowCard:
    """Post a handoff's card, as the handoff is when it is sent."""

    handoff: str


@dataclass(frozen=True, slots=True)
class UpdateCard:
    """Bring a posted card up to date."""

    handoff: str


@dataclass(frozen=True, slots=True)
class React:
    """Put a reaction on a message: a receipt. Doing it twice is the same as once."""

    ts: str
    emoji: str


@dataclass(frozen=True, slots=True)
class Hint:
    """Show something to one person only. It may be lost, so nothing may rest on it."""

    user: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class ShowHome:
    """Publish a person's Home tab, as their cases are when it is sent. `notice`: what became of their click there."""

    user: str
    notice: Redacted | None = None


Deed = Say | ShowCard | UpdateCard | React | Hint | ShowHome


@dataclass(frozen=True, slots=True)
class Post:
    """An outbox row to be. `voice`: the bot's own words, which a claim cancels. `line`: how the transcript
    keeps it, None when it does not belong there."""

    to: Address
    deed: Deed
    case: str | None = None
    voice: bool = False
    line: Line | None = None
    internal_of: str | None = None
    """Send it into the thread of this handoff's card, wherever that was posted; `to.thread_ts` is then unset."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A post on its way. `mark` is the opaque id in the message's metadata; `attempt` counts sendings begun."""

    id: int
    mark: str
    lane: str
    to: Address
    deed: Deed
    case: str | None
    voice: bool
    attempt: int
    internal_of: str | None
    created_at: datetime
    not_before: datetime | None


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line to keep in a case's transcript."""

    case: str
    line: Line


@dataclass(frozen=True, slots=True)
class Amended:
    """A customer's line that was edited (`text`) or deleted (`text` None)."""

    channel: str
    ts: str
    text: Redacted | None


@dataclass(frozen=True, slots=True)
class Watch:
    """A timer: look at the case again at `due_at`. `inbox_key` is the message that waits for it."""

    id: str
    case: str
    inbox_key: str
    lane: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody thought of an answer."""

    channel: str
    message_ts: str
    user: str
    helpful: bool


@dataclass(frozen=True, slots=True)
class Revival:
    """Messages of `user` (None: of anybody) in `lane` after `after_ts` that were ignored because there was no case
    yet: the question was delivered after them, so they wait again."""

    lane: str
    user: str | None
    after_ts: str


@dataclass(frozen=True, slots=True)
class Changes:
    """One unit of work. All of it is committed, or none.

    `done` are inbox keys that become processed with `outcome`; when one already is, the whole raises Conflict,
    so a repeated turn changes nothing. A case with version 0 is inserted, another is written only over the
    version that was read (else Conflict). `silence` names a case whose unsent bot posts are cancelled: a claim.
    `joined` is a handoff that must still be open, else Conflict. `news` is written over the look that was read (else
    Conflict), and inserted when it had none.
    """

    done: tuple[str, ...] = ()
    outcome: str = ""
    cases: tuple[Case, ...] = ()
    lines: tuple[Spoken, ...] = ()
    amended: tuple[Amended, ...] = ()
    handoff: Handoff | None = None
    close_handoff: str | None = None
    joined: str | None = None
    revive: Revival | None = None
    watch: Watch | None = None
    watch_done: str | None = None
    news: RefundNews | None = None
    feedback: Feedback | None = None
    silence: str | None = None
    posts: tuple[Post, ...] = ()
