"""What Handrail says, as values. Only `handlers.blocks` knows how Slack shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from bot.domain.articles import Citation, Priority
from bot.domain.redaction import Redacted


class Offer(StrEnum):
    """What a reply lets its reader do, shown as buttons."""

    FEEDBACK = "feedback"
    SPECIALIST = "specialist"
    NOT_NOW = "not_now"
    ASK_BOT = "ask_bot"


@dataclass(frozen=True, slots=True)
class Choice:
    """One "Did you mean": an article's id and its title."""

    article: str
    label: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Words of the bot to a customer. `text` is Markdown written by an author of articles or by us.

    `notice` is said first and apart, such as that a card number was removed.
    """

    text: Redacted
    notice: Redacted | None = None
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class Relay:
    """Words of one person to another, through us: plain text, never markup of ours. `name` is who says it."""

    name: Redacted
    text: Redacted


@dataclass(frozen=True, slots=True)
class Note:
    """A line for specialists, in a case's internal thread. `about` is the customer, where the place does not say."""

    text: Redacted
    about: str | None = None


class Speaker(StrEnum):
    """Who said a line of a conversation."""

    CUSTOMER = "customer"
    BOT = "bot"
    SPECIALIST = "specialist"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation, as it is kept. `ts` is None until Slack has it."""

    speaker: Speaker
    user: str
    text: Redacted
    ts: str | None
    at: datetime
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()


class CardState(StrEnum):
    """What a case card says about itself."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Card:
    """A handoff as specialists see it: what is asked, why they are asked, and what was said so far."""

    handoff: str
    case: str
    customer: str
    question: Redacted
    reason: str
    priority: Priority
    state: CardState
    owner: str | None
    where: str
    permalink_ts: str | None
    opened_at: datetime
    transcript: tuple[Line, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class HomeCase:
    """One of a person's open cases, for their Home tab."""

    question: Redacted
    status: str
    since: date


@dataclass(frozen=True, slots=True)
class Home:
    """A person's Home tab."""

    topics: tuple[Choice, ...]
    cases: tuple[HomeCase, ...]
    staff: bool


Content = Reply | Relay | Note | Card
"""What can be posted into a conversation."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a post goes. `thread_ts` None means the top level of the channel."""

    team: str
    channel: str
    thread_ts: str | None = None

    @property
    def lane(self) -> str:
        """Posts of one lane are sent one at a time, in order."""
        return f"{self.team}:{self.channel}:{self.thread_ts or ''}"
