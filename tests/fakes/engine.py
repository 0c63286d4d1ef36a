"""An engine without a database, and the core of the bot around it.

`FakeEngine` passes the contract suite that `DbosEngine` passes. `Core` is every use case over real stores, with fakes
for Slack, knowledge, time and the engine.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.articles import Action, Article, Audience, Priority, Publication, Revision, Section
from bot.domain.cases import LATE_AFTER
from bot.domain.redaction import Redacted
from bot.domain.routing import Band, Candidate, Routing
from bot.errors import Unavailable
from bot.ports import Wake, WakeKind
from bot.services.acting import Acting
from bot.services.amending import Amending
from bot.services.delivery import Delivery
from bot.services.speaking import Speaking
from bot.services.turn import Premises, Turn
from bot.services.waking import Waker
from bot.services.watching import Watching
from bot.services.worker import Worker
from bot.storage import database
from bot.storage.articles import SqlArticles
from bot.storage.books import SqlBooks
from bot.storage.cases import SqlCases
from bot.storage.inbox import SqlInbox
from bot.storage.outbox import SqlOutbox
from bot.workflows import Runs
from tests.fakes.clock import FakeClock
from tests.fakes.desk import FakeDesk
from tests.fakes.directory import FakeDirectory
from tests.fakes.messenger import FakeMessenger
from tests.fakes.presence import FakePresence

_QUEUE = {WakeKind.TURN: "conversations", WakeKind.WATCH: "conversations", WakeKind.DELIVER: "delivery"}


@dataclass(slots=True)
class _Waiting:
    wake: Wake
    due: float
    number: int

    @property
    def lane(self) -> tuple[str, str]:
        """What runs one at a time; an action stands for itself."""
        queue = _QUEUE.get(self.wake.kind)
        return ("actions", self.wake.id) if queue is None else (queue, self.wake.lane)


class FakeEngine:
    """Fulfils `bot.ports.Engine`.

    `woken` lists every wake-up that was new, in order; ids are spent for ever. Nothing runs by itself before
    `launch`; without it `drain` runs what is due, one by one, in order of arrival or, given a seed, in any order. With
    `launch` wake-ups run beside each other in the background, as the real engine's do.
    """

    def __init__(self, clock: FakeClock, seed: int | None = None) -> None:
        self.woken: list[Wake] = []
        self.delays: dict[str, float] = {}
        self.errors: list[Exception] = []
        self._clock = clock
        self._chance = None if seed is None else random.Random(seed)
        self._spent: set[str] = set()
        self._waiting: list[_Waiting] = []
        self._busy: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._worker: Runs | None = None

    async def enqueue(self, wake: Wake, delay: float = 0.0) -> None:
        if wake.id in self._spent:
            return
        self._spent.add(wake.id)
        self.woken.append(wake)
        self.delays[wake.id] = delay
        due = self._clock.now().timestamp() + max(0.0, delay)
        self._waiting.append(_Waiting(wake, due, len(self.woken)))
        self._pump()

    async def cancel(self, wake_id: str) -> None:
        self._waiting = [one for one in self._waiting if one.wake.id != wake_id]

    async def launch(self, worker: Runs) -> None:
        """Run what is due, now and from now on, in the background."""
        self._worker = worker
        self._pump()

    async def close(self) -> None:
        """Stop running; what waits is kept."""
        self._worker = None
        await asyncio.gather(*self._tasks)

    def pass_time(self, seconds: float) -> None:
        """Let time pass; what falls due is run if the engine was launched."""
        self._clock.advance(seconds)
        self._pump()

    async def drain(self, worker: Runs, most: int = 10_000) -> int:
        """Run what is due, and what that wakes, one by one; returns how many ran."""
        for ran in range(most):
            due = self._due()
            if not due:
                return ran
            chosen = due[0] if self._chance is None else self._chance.choice(due)
            self._waiting.remove(chosen)
            await self._run(worker, chosen.wake)
        raise AssertionError(f"still waking after {most} wake-ups")

    async def run_out(self, worker: Runs, most: int = 10_000) -> int:
        """`drain`, then let time pass to the next wake-up that is due later, until none is left."""
        ran = await self.drain(worker, most)
        while self._waiting:
            self._clock.advance(max(0.0, min(one.due for one in self._waiting) - self._clock.now().timestamp()) + 1e-6)
            ran += await self.drain(worker, most)
            if ran > most:
                raise AssertionError(f"still waking after {most} wake-ups")
        return ran

    def _due(self) -> list[_Waiting]:
        now = self._clock.now().timestamp()
        return sorted((one for one in self._waiting if one.due <= now), key=lambda one: (one.due, one.number))

    def _pump(self) -> None:
        if self._worker is None:
            return
        for one in self._due():
            if one.lane not in self._busy:
                self._busy.add(one.lane)
                self._waiting.remove(one)
                task = asyncio.get_running_loop().create_task(self._in_background(self._worker, one))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _in_background(self, worker: Runs, one: _Waiting) -> None:
        await self._run(worker, one.wake)
        self._busy.discard(one.lane)
        self._pump()

    async def _run(self, worker: Runs, wake: Wake) -> None:
        try:
            await worker.run(wake.kind, wake.lane, wake.subject)
        except Exception as error:  # noqa: BLE001 - a wake-up that fails ends only itself, as in the real engine
            self.errors.append(error)


def article(
    name: str, action: Action = Action.ANSWER, *, answer: str | None = None, priority: Priority = Priority.NORMAL
) -> Article:
    """An article about nothing in particular."""
    return Article(
        id=name,
        title=f"About {name}",
        action=action,
        lookup=None,
        priority=priority,
        audience=Audience.CUSTOMER,
        questions=(f"what about {name}",),
        answer=answer or f"This is all about {name}.",
        effective_from=date(2026, 1, 1),
        review_by=date(2027, 1, 1),
        sources=(),
        sections=(Section("Details", f"More about {name}."),),
    )


@dataclass
class FakeKnowledge:
    """Fulfils `bot.ports.Knowledge`. Each question gets the first routing whose phrase it holds, else low.

    A text that holds a key of `languages` is in that language; one with a key of `headings` is about that section.
    `down`: every routing raises Unavailable; `broken`: it raises an error that nobody planned.
    """

    publication: Publication
    routes: dict[str, tuple[Band, tuple[str, ...]]] = field(default_factory=dict)
    down: bool = False
    broken: bool = False
    languages: dict[str, str] = field(default_factory=dict)
    headings: dict[str, str] = field(default_factory=dict)

    async def route(self, question: Redacted) -> Routing:
        if self.broken:
            raise RuntimeError(f"broke on {question}")
        if self.down:
            raise Unavailable("knowledge")
        band, names = next(
            (route for phrase, route in self.routes.items() if phrase in question),
            (Band.LOW, (self.publication.revisions[0].article.id,)),
        )
        candidates = tuple(Candidate(name, 1.0 / rank) for rank, name in enumerate(names, 1))
        heading = next((heading for phrase, heading in self.headings.items() if phrase in question), None)
        sections = ("Details",) if heading is not None else ()
        return Routing(candidates, 0.9 if band is Band.HIGH else 0.4, band, heading, self.publication.number, sections)

    def frozen(self) -> FakeKnowledge:
        return self

    def language(self, question: Redacted) -> str | None:
        return next((language for phrase, language in self.languages.items() if phrase in question), None)

    def revision(self, article_id: str) -> Revision | None:
        return self.publication.get(article_id)


def knowledge() -> FakeKnowledge:
    """Two articles that answer, one that hands over, and the one for people who want a person."""
    articles = (
        article("pending"),
        article("refund"),
        article("stolen", Action.HANDOFF, priority=Priority.URGENT),
        article("talk-to-person", Action.HANDOFF),
    )
    return FakeKnowledge(
        Publication(1, tuple(Revision(1, one) for one in articles)),
        {
            "refund": (Band.HIGH, ("refund", "pending")),
            "pending": (Band.HIGH, ("pending", "refund")),
            "stolen": (Band.HIGH, ("stolen", "refund")),
            "perhaps": (Band.MIDDLE, ("refund", "pending")),
        },
    )


TEAM, DESK, SUPPORT, BOT = "T1TEAM", "G1DESK", "C1SUPPORT", "U1BOT"


@dataclass
class Core:
    """Every use case, over the stores of one database."""

    clock: FakeClock
    engine: FakeEngine
    messenger: FakeMessenger
    presence: FakePresence
    directory: FakeDirectory
    knowledge: FakeKnowledge
    sql: AsyncEngine
    inbox: SqlInbox
    cases: SqlCases
    outbox: SqlOutbox
    books: SqlBooks
    articles: SqlArticles
    waker: Waker
    speaking: Speaking
    turn: Turn
    acting: Acting
    watching: Watching
    delivery: Delivery
    worker: Worker

    async def rows(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """What a SELECT finds."""
        async with self.sql.connect() as connection:
            await connection.execution_options(read_only=True)
            return [tuple(row) for row in await connection.execute(text(statement), values)]


def make_core(
    sql: AsyncEngine, clock: FakeClock, *, seed: int | None = None, wait: float = 60.0, patience: float = 0.0
) -> Core:
    """The core over a migrated database. Mira is a specialist; nobody else is known."""
    presence = FakePresence()
    engine, messenger, knows = FakeEngine(clock, seed), FakeMessenger(clock), knowledge()
    directory = FakeDirectory().add("U1MIRA", "Mira", staff=True)
    inbox, cases, outbox, books = SqlInbox(sql, clock), SqlCases(sql, clock), SqlOutbox(sql, clock), SqlBooks(sql)
    waker = Waker(engine, cases, clock)
    speaking = Speaking(cases, clock, BOT, DESK)
    premises = Premises(frozenset({SUPPORT}), DESK, timedelta(seconds=wait), timedelta(seconds=patience))
    amending = Amending(cases, DESK)
    turn = Turn(inbox, cases, directory, knows, clock, waker, engine, presence, speaking, amending, premises)
    acting = Acting(inbox, cases, directory, knows, clock, waker, speaking, turn, DESK)
    watching = Watching(cases, knows, clock, waker, speaking, timedelta(seconds=LATE_AFTER) + premises.channel_wait)
    delivery = Delivery(outbox, cases, messenger, presence, directory, FakeDesk(), knows, engine, waker, clock, DESK)
    return Core(
        clock=clock,
        engine=engine,
        messenger=messenger,
        presence=presence,
        directory=directory,
        knowledge=knows,
        sql=sql,
        inbox=inbox,
        cases=cases,
        outbox=outbox,
        books=books,
        articles=SqlArticles(sql, clock),
        waker=waker,
        speaking=speaking,
        turn=turn,
        acting=acting,
        watching=watching,
        delivery=delivery,
        worker=Worker(inbox, engine, clock, turn, acting, watching, delivery),
    )


@asynccontextmanager
async def open_core(
    path: Path, *, seed: int | None = None, wait: float = 60.0, patience: float = 0.0
) -> AsyncIterator[Core]:
    """A core over a new SQLite file."""
    url = URL.create("sqlite+aiosqlite", database=str(path))
    await asyncio.to_thread(database.migrate, url)
    sql = database.connect(url)
    try:
        yield make_core(sql, FakeClock(), seed=seed, wait=wait, patience=patience)
    finally:
        await sql.dispose()
