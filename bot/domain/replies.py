"""What Handrail says, as values. Only `handlers.blocks` knows how Slack shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from bot.domain.articles import Citation, Priority
from bot.domain.identity import Provider
from bot.domain.redaction import Redacted
from bot.domain.tables import Table


class Offer(StrEnum):
    """What a reply lets its reader do, shown as buttons."""

    FEEDBACK = "feedback"
    SPECIALIST = "specialist"
    NOT_NOW = "not_now"
    ASK_BOT = "ask_bot"
    PROVE = "prove"
    """Prove a billing e-mail with a code: opens a form."""
    NEWS = "news"
    """Be told when there is news of the refund that the reply is about: `Reply.about`."""
    NEWS_STOP = "news_stop"
    """Be told no more of it: `Reply.about`."""
    ARRIVED = "arrived"
    """Say whether the refund has arrived: `Reply.about`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One "Did you mean": an article's id and its title."""

    article: str
    label: str


@dataclass(frozen=True, slots=True)
class Option:
    """One of several things in a customer's records that may be meant: its id, and its label as plain text."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Words of the bot to a customer. `text` is Markdown written by an author of articles or by us.

    `notice` is said first and apart, such as that a card number was removed. `table` belongs to the text; `options` are
    to be picked from, for the look-up of the article `pick`. `about` is the id of the refund that some offers are
    about. `private`: it tells of somebody's money, so it goes to their direct conversation alone.
    """

    text: Redacted
    notice: Redacted | None = None
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    offers: tuple[Offer, ...] = ()
    table: Table | None = None
    options: tuple[Option, ...] = ()
    pick: str = ""
    about: str = ""
    private: bool = False


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
    """One line of a conversation, as it is kept. `ts` is None until Slack has it.

    `facts`: what a look-up found, a line each, in words for specialists; the `text` of a line that has some is the
    customer's and the specialists' alone.
    """

    speaker: Speaker
    user: str
    text: Redacted
    ts: str | None
    at: datetime
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    facts: tuple[Redacted, ...] = ()


class CardState(StrEnum):
    """What a case card says about itself."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Card:
    """A handoff as specialists see it: what is asked, why they are asked, and what was said so far.

    `facts` are what look-ups found, the newest look-up first, what must not be missed before all; `withheld`: there
    are some, and the specialists' channel is no place for them.
    """

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
    facts: tuple[Redacted, ...] = ()
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class HomeCase:
    """One of a person's open cases, for their Home tab."""

    question: Redacted
    status: str
    since: date


@dataclass(frozen=True, slots=True)
class HomeNews:
    """A refund that a person is to be told of, for their Home tab: its id, what it is, and until when we look."""

    refund: str
    label: Redacted
    until: date


@dataclass(frozen=True, slots=True)
class HomeLink:
    """Why a person sees payments, for their Home tab. `proved`: they proved an address with a code themselves.
    `shared`: it names other people too, for whom it goes on when this person ends it."""

    id: str
    proved: bool
    shared: bool
    providers: tuple[Provider, ...]
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class Home:
    """A person's Home tab. `notice`: what became of the link that they wished to end, until the tab is shown anew."""

    topics: tuple[Choice, ...]
    cases: tuple[HomeCase, ...]
    staff: bool
    news: tuple[HomeNews, ...] = ()
    links: tuple[HomeLink, ...] = ()
    notice: Redacted | None = None


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
