"""What the use cases need from the outside, as protocols.

Adapters (`handlers`, `integrations`, `knowledge`, `bot.storage`, `bot.workflows`) fulfil them; `bot.app` plugs
them in; tests plug in programmable fakes that pass the same contract suite.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain.articles import Article, Publication, Revision
from bot.domain.audit import AuditRow, Entry
from bot.domain.cases import Case, Handoff
from bot.domain.identity import CustomerRef, CustomerScope
from bot.domain.incoming import Incoming
from bot.domain.links import Code, Link
from bot.domain.outbox import Changes, OutboxRow, Post, Watch
from bot.domain.redaction import Redacted
from bot.domain.refund_news import RefundNews
from bot.domain.replies import Address, Content, Home, Line, Reply
from bot.domain.routing import Routing
from bot.domain.transactions import Dispute, Found, Invoice, Payment, Refund, Subscription

# ---- knowledge -------------------------------------------------------------------------------------------------


class ArticleStore(Protocol):
    """Articles, immutable revisions and publications: the truth that every index is built from."""

    async def publication_number(self) -> int:
        """The number of the newest publication, 0 when there is none."""

    async def publication(self) -> Publication:
        """The newest publication with its revisions, ordered by article id."""

    async def publish(self, articles: Sequence[Article], *, author: str, note: str) -> Publication:
        """Make `articles` the live set. A revision is added only for an article whose content changed; when
        nothing changed the newest publication is returned unchanged."""


class VectorStore(Protocol):
    """What is made from texts once and kept: embeddings by (embedder, text hash), and heads fitted on them."""

    async def vectors(self, embedder: str, hashes: Collection[str]) -> Mapping[str, bytes]:
        """Known vectors among `hashes` (sha256, hex), each little-endian float32."""

    async def save_vectors(self, embedder: str, vectors: Mapping[str, bytes]) -> None:
        """Keep vectors; one that is already there stays as it is."""

    async def head(self, key: str) -> bytes | None:
        """What was kept under this key."""

    async def save_head(self, key: str, content: bytes) -> None:
        """Keep a head; one that is already there stays as it is. Only the newest few are kept."""


class Knowledge(Protocol):
    """The live publication, ready to be asked."""

    @property
    def publication(self) -> Publication:
        """What answers rest on now. Swapped whole."""

    async def route(self, question: Redacted) -> Routing:
        """Which articles a question is about, and how sure that is. Raises Unavailable("knowledge") when
        nothing is published."""

    def frozen(self) -> Knowledge:
        """This publication, whatever is published meanwhile: what one answer rests on must be of one publication."""

    def language(self, question: Redacted) -> str | None:
        """The language (ISO 639-1, or "und") of a text that is not English, None when it may be English. Takes less
        than a millisecond."""

    def revision(self, article_id: str) -> Revision | None:
        """The live revision of an article, None when it is not published."""


# ---- what is kept ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An event as it was stored. `attempts` counts turns over it that failed."""

    incoming: Incoming
    attempts: int


@dataclass(frozen=True, slots=True)
class Pending:
    """Something stored that still waits: for the sweep. `id` is an inbox key, a post's mark, a watch id or the subject
    of refund news, which has a `due_at` too."""

    kind: WakeKind
    id: str
    lane: str
    due_at: datetime | None = None


class Inbox(Protocol):
    """Every event, stored before it is acknowledged."""

    async def insert(self, incoming: Incoming) -> bool:
        """Store an event. False when its key is already there; nothing is changed then."""

    async def next(self, lane: str) -> InboxRow | None:
        """The lane's unprocessed conversational row with the lowest `ts`."""

    async def after(self, lane: str, ts: str) -> tuple[InboxRow, ...]:
        """The lane's unprocessed messages after `ts`, the lowest first; ten at most."""

    async def get(self, key: str) -> InboxRow | None:
        """A row that is not processed yet."""

    async def stored(self, key: str) -> Incoming | None:
        """An event, processed or not."""

    async def amendments(self, lane: str, target_ts: str) -> tuple[Incoming, ...]:
        """Unprocessed edits and deletes of a message, oldest first."""

    async def amended_before(self, channel: str, target_ts: str) -> tuple[Incoming, ...]:
        """Processed edits and deletes of a message, oldest first: they came before it."""

    async def dm_of(self, team: str, user: str) -> str | None:
        """The direct conversation in which this person was last seen with us."""

    async def note_failure(self, key: str) -> int:
        """Count a failed turn; returns how many there were."""


class Cases(Protocol):
    """Cases, their transcripts and their handoffs."""

    async def get(self, case_id: str) -> Case: ...

    async def in_conversation(self, conversation: str) -> tuple[Case, ...]:
        """The cases of one thread: usually one, another for each further person who called the bot there."""

    async def latest_in_dm(self, team: str, channel: str) -> Case | None:
        """The top-level case of a direct conversation with the newest activity."""

    async def by_message(self, channel: str, ts: str) -> Case | None:
        """The case whose transcript holds this message."""

    async def lines(self, case_id: str, *, newest: int | None = None) -> tuple[Line, ...]:
        """The transcript, oldest first; deleted lines are left out. With `newest`, only so many of its end."""

    async def handoff(self, handoff_id: str) -> Handoff: ...

    async def open_handoff(self, case_id: str) -> Handoff | None:
        """The open handoff of a case."""

    async def open_handoff_on(self, customer: str, topic: str, channel: str | None = None) -> Handoff | None:
        """The open handoff of a customer on a topic, in whichever case. With a `channel`, only one whose replies
        are read by nobody who would not read them there: of that channel, or of a direct conversation."""

    async def open_cases(self, customer: str) -> tuple[Case, ...]:
        """A customer's cases that a person has, newest first."""

    async def watch(self, watch_id: str) -> Watch | None:
        """A timer that is not done."""

    async def apply(self, changes: Changes) -> tuple[Pending, ...]:
        """Commit one unit of work; returns the posts and timers that it added. Raises Conflict."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sending that may go ahead. `attempt` counts from 1."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A person owns the case now. `attempts` were begun before: above 0, Slack may hold the message already."""

    attempts: int


class Outbox(Protocol):
    """Everything to be done in Slack, until it is done."""

    async def next(self, lane: str) -> OutboxRow | None:
        """The lane's oldest pending row."""

    async def begin(self, row_id: int) -> Begun | Forbidden | None:
        """Count an attempt, if the row is pending and the case's owner allows it. None: not pending any more."""

    async def sent(self, row_id: int, ts: str | None) -> None:
        """It is in Slack; a card's `ts` and a line's `ts` are kept with it."""

    async def cancelled(self, row_id: int) -> None: ...

    async def deferred(self, row_id: int, code: str, until: datetime) -> None: ...

    async def refused(self, row_id: int, code: str, report: Post | None) -> tuple[Pending, ...]:
        """It will never be sent; `report` tells specialists so, in the same unit of work."""

    async def in_flight(self, case_id: str) -> bool:
        """Whether a post of the bot's own words in this case was begun and is not settled."""


class Books(Protocol):
    """Small things that outlive a process."""

    async def pending(self) -> tuple[Pending, ...]:
        """All unprocessed events, unsent posts and due or future timers: for the sweep."""

    async def news_before(self, until: datetime) -> tuple[Pending, ...]:
        """Refund news with a look that is due before then. They wait for weeks, so they are none of `pending`."""

    async def cursors(self) -> Mapping[str, str]:
        """By channel: the Slack time up to which its history was read."""

    async def set_cursor(self, team: str, channel: str, ts: str) -> None: ...

    async def live_threads(self, since_ts: str) -> tuple[Address, ...]:
        """Threads of cases with activity after `since_ts`."""

    async def remember(self, name: str, value: str) -> None: ...

    async def recall(self, name: str) -> str | None: ...

    async def ping(self) -> None:
        """Raises when the database cannot be read."""


# ---- the engine ------------------------------------------------------------------------------------------------


class WakeKind(StrEnum):
    """What a wake-up is for."""

    TURN = "turn"
    ACT = "act"
    DELIVER = "deliver"
    WATCH = "watch"
    NEWS = "news"


@dataclass(frozen=True, slots=True)
class Wake:
    """A wake-up: it names what may be waiting, never what it says. `id` is its dedupe key, for ever."""

    id: str
    kind: WakeKind
    lane: str
    subject: str


class Engine(Protocol):
    """Wakes, retries, times and recovers."""

    async def enqueue(self, wake: Wake, delay: float = 0.0) -> None:
        """Wake `wake.lane` once, after `delay` seconds, one at a time per kind of queue and lane. Actions go
        at once and side by side. The same id again does nothing."""

    async def cancel(self, wake_id: str) -> None:
        """Cancel a wake-up that has not started; another is left alone."""


# ---- money -----------------------------------------------------------------------------------------------------


class Payments(Protocol):
    """A provider's records, for reading only. Nothing can be changed through it.

    Every method takes a scope and returns only what belongs to a customer of it; an object of anybody else that the
    provider returns is dropped, counted and logged as a security event. Lists are newest first and cut at a limit that
    `Found.complete` tells of. Raises Unavailable("stripe"): down, too slow, too busy, or not allowed to us.
    """

    async def customers(self, email: str) -> tuple[CustomerRef, ...]:
        """The customers with exactly this e-mail but for case. For `bot.services.identity` only."""

    async def payments(self, scope: CustomerScope) -> Found[Payment]: ...

    async def refunds(self, scope: CustomerScope) -> Found[Refund]: ...

    async def invoices(self, scope: CustomerScope) -> Found[Invoice]: ...

    async def subscriptions(self, scope: CustomerScope) -> Found[Subscription]: ...

    async def disputes(self, scope: CustomerScope) -> Found[Dispute]: ...


# ---- whose money -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Profile:
    """What Slack says about a person. `confirmed`: their e-mail is; `member`: full and active, no guest."""

    email: str | None = field(repr=False)
    confirmed: bool
    member: bool
    team: str
    locale: str | None
    zone: str | None


class Profiles(Protocol):
    """What Slack says about a person now."""

    async def profile(self, user: str) -> Profile:
        """Raises NotFound, Unavailable("slack")."""


class Mail(Protocol):
    """Mail to people. Neither address nor text is kept or logged."""

    async def send(self, to: str, subject: str, text: str) -> None:
        """Raises Unavailable("mail")."""


class Links(Protocol):
    """Links of people to customers. Every change is one unit of work with its row of the audit log."""

    async def add(self, link: Link, entry: Entry) -> None: ...

    async def get(self, link_id: str) -> Link:
        """Raises NotFound."""

    async def of_person(self, team: str, user: str) -> tuple[Link, ...]:
        """All links that name this person, ended ones too, newest first."""

    async def all(self, team: str, *, newest: int | None = None) -> tuple[Link, ...]:
        """All links of a team, ended ones too, newest first."""

    async def revoke(self, link_id: str, by: str, entry: Entry) -> bool:
        """False when it was revoked before, or never made; nothing is changed then. The time is the entry's."""

    async def end(self, link_id: str, user: str, entry: Entry) -> bool:
        """End it for one of its people. False when it had ended for them."""


class Codes(Protocol):
    """One-time codes, as keyed hashes. One is live per asker."""

    async def secret(self, fresh: str) -> str:
        """The secret of this installation: `fresh` when there was none, and that one for ever after."""

    async def ask(self, code: Code, entry: Entry) -> bool:
        """Keep a code in place of the asker's last one. False when a limit is reached; nothing is changed then."""

    async def name(self, code_id: str, customers: tuple[CustomerRef, ...]) -> None:
        """Whose the address is, for a code that was just asked for."""

    async def newest(self, team: str, user: str) -> Code | None:
        """The asker's code that is not closed."""

    async def attempt(self, code_id: str, offered: str, link: Link, proved: Entry, refused: Entry) -> bool:
        """Try `offered` (a digest): True, once, when it fits; the code is closed and `link` made. Else a try is
        counted. The time is the link's, and one of the entries is kept in the same unit of work."""


class News(Protocol):
    """Who is to be told of which refund: what is open, for reading. It is written by `Cases.apply`."""

    async def get(self, news_id: str) -> RefundNews | None: ...

    async def of_refund(self, team: str, user: str, refund: str) -> RefundNews | None:
        """At most one is open for a person and a refund."""

    async def of_person(self, team: str, user: str) -> tuple[RefundNews, ...]:
        """All of a person's, the oldest first."""


class Audit(Protocol):
    """The audit log. Rows are only ever added."""

    async def add(self, entry: Entry) -> None:
        """Raises ValueError for what may not stand in it."""

    def rows(self) -> AsyncIterator[AuditRow]:
        """All rows, the first one first, as they were when reading began."""

    async def verify(self) -> int | None:
        """The number of the first row that is altered, missing or out of place; None when all is well."""


# ---- Slack -----------------------------------------------------------------------------------------------------


class Messenger(Protocol):
    """Slack's writing side. Every method raises DeliveryRefused or DeliveryDeferred and retries nothing."""

    async def post(self, to: Address, content: Content, mark: str) -> str:
        """Post once; returns Slack's ts. `mark` goes into the message's metadata."""

    async def find(self, to: Address, mark: str, since: datetime) -> str | None:
        """The ts of the message with this mark, None when Slack does not have it."""

    async def update(self, to: Address, ts: str, content: Content) -> None: ...

    async def react(self, to: Address, ts: str, emoji: str) -> None: ...

    async def hint(self, to: Address, user: str, reply: Reply) -> None: ...

    async def home(self, user: str, home: Home) -> None: ...


class Presence(Protocol):
    """Slack's typing status. Nothing rests on it, so nothing waits for it and nothing is raised."""

    def working(self, to: Address, ts: str) -> None:
        """Show that the bot works on the message `ts`, which is answered at `to`."""

    def done(self, to: Address) -> None:
        """Stop showing it: something was said at `to`."""


@dataclass(frozen=True, slots=True)
class Person:
    """A Slack user. `member`: full and active, of our own team; guests and people from elsewhere are not."""

    id: str
    name: Redacted
    member: bool


class Directory(Protocol):
    """Who a Slack user is."""

    async def person(self, user: str) -> Person:
        """Raises NotFound, Unavailable("slack")."""

    async def is_staff(self, user: str) -> bool:
        """A full, active member of SPECIALIST_GROUP or an admin, asked now. Unknown people are not."""

    async def direct(self, user: str) -> str | None:
        """The direct conversation with this person, opened if need be; None when there can be none (another company's,
        a guest that may not, deactivated). Raises Unavailable("slack")."""


class Desk(Protocol):
    """The specialists' channel."""

    async def private(self) -> bool:
        """Whether the specialists' channel may hold somebody's payment details: private, of our own workspace alone,
        without guests or people of other companies. Asked anew at least every so often. Raises Unavailable("slack"):
        then nobody knows, and nothing may be shown."""


class Clock(Protocol):
    """Time and chance, so that a run replays from a seed."""

    def now(self) -> datetime:
        """Now, aware, UTC."""

    def new_id(self, prefix: str) -> str:
        """A fresh opaque id such as `case_7f3k…`."""
