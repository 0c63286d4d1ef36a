"""An engine wakes each lane once per wake-up, one at a time; `DbosEngine` and the fake alike."""

from __future__ import annotations

import asyncio
import base64
import binascii
import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from dbos import DBOS
from sqlalchemy import MetaData, create_engine, inspect, text

from bot.ports import Engine, Wake, WakeKind
from bot.storage import database
from bot.workflows import DbosEngine
from tests.fakes.clock import FakeClock
from tests.fakes.engine import FakeEngine

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENCE = 60.0
_numbers = itertools.count(1)


@dataclass
class Recorder:
    """A worker that notes what runs. `when` says what a subject does while it runs."""

    now: Callable[[], float]
    started: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    started_at: dict[str, float] = field(default_factory=dict)
    most: Counter[tuple[str, str]] = field(default_factory=Counter)
    loops: set[asyncio.AbstractEventLoop] = field(default_factory=set)
    when: dict[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _running: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    async def run(self, kind: WakeKind, lane: str, subject: str) -> None:
        queue = ("conversations" if kind in (WakeKind.TURN, WakeKind.WATCH) else kind, lane)
        self._running[queue] += 1
        self.most[queue] = max(self.most[queue], self._running[queue])
        await self._note(self.started, subject)
        try:
            await self.when.get(subject, _yield)()
        finally:
            self._running[queue] -= 1
            await self._note(self.finished, subject)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self.changed:
            await self.changed.wait_for(condition)

    async def _note(self, where: list[str], subject: str) -> None:
        self.loops.add(asyncio.get_running_loop())
        async with self.changed:
            where.append(subject)
            self.started_at.setdefault(subject, self.now())
            self.changed.notify_all()


async def _yield() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@dataclass
class Bench:
    """An engine that runs a recorder. Tests share it, so each has lanes of its own (`lane`)."""

    engine: Engine
    worker: Recorder
    pass_time: Callable[[float], None]
    database_url: str | None

    def lane(self) -> str:
        return f"T1:lane{next(_numbers)}"

    async def wake(self, subject: str, lane: str, kind: WakeKind = WakeKind.TURN, delay: float = 0.0) -> None:
        await self.engine.enqueue(Wake(f"{kind}:{lane}:{subject}", kind, lane, subject), delay)

    async def finished(self, *subjects: str) -> None:
        await self.worker.until(lambda: set(subjects) <= set(self.worker.finished))


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["fake", "sqlite", "postgres"])
async def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    if request.param == "fake":
        clock = FakeClock()
        fake = FakeEngine(clock)
        made = Bench(fake, Recorder(lambda: clock.now().timestamp()), fake.pass_time, None)
        await fake.launch(made.worker)
        yield made
        await fake.close()
        return
    address = request.getfixturevalue("new_postgres")() if request.param == "postgres" else None
    folder: Path = tmp_path_factory.mktemp("engine")
    url = database.engine_url(address, folder)
    database.prepare_engine_file(url)
    engine = DbosEngine(url, "test")
    loop = asyncio.get_running_loop()
    made = Bench(engine, Recorder(loop.time), lambda _: None, url)
    await engine.launch(made.worker)
    yield made
    await engine.close()


@pytest.fixture
def name() -> Iterator[Callable[[str], str]]:
    """Subjects that no other test uses."""
    number = next(_numbers)
    return lambda subject: f"{subject}-{number}"


Name = Callable[[str], str]


async def test_an_id_runs_once_however_often_it_is_enqueued(bench: Bench, name: Name) -> None:
    lane, once, last = bench.lane(), name("once"), name("last")
    await asyncio.gather(*(bench.wake(once, lane) for _ in range(5)))
    await bench.finished(once)
    await bench.wake(once, lane)
    await bench.wake(last, lane)
    await bench.finished(last)

    assert Counter(bench.worker.started)[once] == 1


async def test_a_lane_runs_one_at_a_time(bench: Bench, name: Name) -> None:
    lane = bench.lane()
    subjects = [name(f"n{number}") for number in range(8)]
    for number, subject in enumerate(subjects):
        await bench.wake(subject, lane, WakeKind.WATCH if number % 2 else WakeKind.TURN)
    await bench.finished(*subjects)

    assert bench.worker.most["conversations", lane] == 1


async def test_lanes_run_side_by_side(bench: Bench, name: Name) -> None:
    meeting = asyncio.Barrier(4)
    subjects = [name(f"n{number}") for number in range(4)]
    for subject in subjects:
        bench.worker.when[subject] = meeting.wait
        await bench.wake(subject, bench.lane())

    await bench.finished(*subjects)


async def test_delivery_does_not_wait_for_the_turn_of_its_lane(bench: Bench, name: Name) -> None:
    lane, meeting = bench.lane(), asyncio.Barrier(2)
    turn, deliver = name("turn"), name("deliver")
    for subject, kind in ((turn, WakeKind.TURN), (deliver, WakeKind.DELIVER)):
        bench.worker.when[subject] = meeting.wait
        await bench.wake(subject, lane, kind)

    await bench.finished(turn, deliver)


async def test_actions_run_side_by_side_even_in_one_lane_and_beside_its_turn(bench: Bench, name: Name) -> None:
    lane, meeting = bench.lane(), asyncio.Barrier(4)
    turn, *actions = (name(subject) for subject in ("turn", "a", "b", "c"))
    for subject in (turn, *actions):
        bench.worker.when[subject] = meeting.wait
        await bench.wake(subject, lane, WakeKind.TURN if subject == turn else WakeKind.ACT)

    await bench.finished(turn, *actions)


async def test_a_delayed_wake_up_comes_after_its_delay_and_holds_up_nobody(bench: Bench, name: Name) -> None:
    lane, late, soon, delay = bench.lane(), name("late"), name("soon"), 0.5
    asked = bench.worker.now()
    await bench.wake(late, lane, delay=delay)
    await bench.wake(soon, lane)
    await bench.finished(soon)
    bench.pass_time(delay)
    await bench.finished(late)

    assert bench.worker.started.index(soon) < bench.worker.started.index(late)
    assert bench.worker.started_at[late] - asked >= delay - 0.05


async def test_what_has_not_started_can_be_cancelled(bench: Bench, name: Name) -> None:
    lane, gate = bench.lane(), asyncio.Event()
    running, waiting, delayed, after, last = (name(one) for one in ("running", "waiting", "delayed", "after", "last"))
    bench.worker.when[running] = gate.wait
    await bench.wake(running, lane)
    await bench.worker.until(lambda: running in bench.worker.started)
    await bench.wake(waiting, lane)
    await bench.wake(delayed, lane, delay=0.2)
    for subject in (waiting, delayed):
        await bench.engine.cancel(f"turn:{lane}:{subject}")
    await bench.wake(after, lane)
    await bench.wake(last, lane, delay=0.4)
    gate.set()
    bench.pass_time(0.4)
    await bench.finished(running, after, last)

    assert not {waiting, delayed} & set(bench.worker.started)


async def test_what_was_cancelled_is_spent(bench: Bench, name: Name) -> None:
    lane, gone, last = bench.lane(), name("gone"), name("last")
    await bench.wake(gone, lane, delay=30)
    await bench.engine.cancel(f"turn:{lane}:{gone}")
    await bench.wake(gone, lane)
    await bench.wake(last, lane)
    await bench.finished(last)

    assert gone not in bench.worker.started


async def test_what_runs_or_ran_or_never_was_is_not_cancelled(bench: Bench, name: Name) -> None:
    lane, gate = bench.lane(), asyncio.Event()
    running, last = name("running"), name("last")
    bench.worker.when[running] = gate.wait
    await bench.wake(running, lane)
    await bench.worker.until(lambda: running in bench.worker.started)
    await bench.engine.cancel(f"turn:{lane}:{running}")
    if bench.database_url is not None:
        status = await DBOS.get_workflow_status_async(f"turn:{lane}:{running}")
        assert status is not None
        assert status.status == "PENDING"  # so it is recovered if the process dies now
    gate.set()
    await bench.finished(running)
    await bench.engine.cancel(f"turn:{lane}:{running}")
    await bench.engine.cancel("turn:never:was")
    await bench.wake(last, lane)

    await bench.finished(running, last)


async def test_a_wake_up_that_fails_ends_only_itself(bench: Bench, name: Name) -> None:
    lane, broken, last = bench.lane(), name("broken"), name("last")
    bench.worker.when[broken] = _break
    await bench.wake(broken, lane)
    await bench.wake(last, lane)
    await bench.finished(broken, last)
    await bench.wake(broken, lane)
    again = name("again")
    await bench.wake(again, lane)
    await bench.finished(again)

    assert Counter(bench.worker.started)[broken] == 1


async def test_wake_ups_run_on_the_loop_of_the_application(bench: Bench, name: Name) -> None:
    subject = name("where")
    await bench.wake(subject, bench.lane())
    await bench.finished(subject)

    assert bench.worker.loops == {asyncio.get_running_loop()}


async def test_the_engines_own_database_holds_ids_and_no_words(bench: Bench, name: Name) -> None:
    """An error's text may quote a row; the engine would store it with the workflow."""
    if bench.database_url is None:
        return
    lane, broken, last = bench.lane(), name("broken"), name("last")
    bench.worker.when[broken] = _break
    await bench.wake(broken, lane)
    await bench.wake(last, lane)
    await bench.finished(broken, last)

    kept = await asyncio.to_thread(_everything, bench.database_url)
    assert lane.encode() in kept
    assert b"WakeFailed" in kept
    assert b"xylophone" not in kept


async def test_a_wake_up_whose_end_could_not_be_recorded_does_not_hold_up_its_lane_for_ever(
    bench: Bench, name: Name
) -> None:
    """What a full disk leaves behind: the engine says PENDING, and nothing runs it."""
    if bench.database_url is None or not isinstance(bench.engine, DbosEngine):
        return
    lane, ended, behind = bench.lane(), name("ended"), name("behind")
    await bench.wake(ended, lane)
    await bench.finished(ended)
    await _recorded(f"turn:{lane}:{ended}", "SUCCESS")
    await asyncio.to_thread(_forget_the_end, bench.database_url, f"turn:{lane}:{ended}")
    await bench.wake(behind, lane)

    assert await bench.engine.revive() == 0
    assert behind not in bench.worker.started
    assert await bench.engine.revive() == 1
    await bench.finished(behind)
    # It comes once more: a wake-up too many finds nothing to do.
    await bench.worker.until(lambda: Counter(bench.worker.finished)[ended] == 2)


async def test_a_wake_up_that_takes_its_time_is_left_alone(bench: Bench, name: Name) -> None:
    if not isinstance(bench.engine, DbosEngine):
        return
    lane, gate, slow = bench.lane(), asyncio.Event(), name("slow")
    bench.worker.when[slow] = gate.wait
    await bench.wake(slow, lane)
    await bench.worker.until(lambda: slow in bench.worker.started)
    assert [await bench.engine.revive() for _ in range(3)] == [0, 0, 0]
    gate.set()
    await bench.finished(slow)

    assert Counter(bench.worker.started)[slow] == 1


async def _recorded(wake_id: str, status: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await DBOS.get_workflow_status_async(wake_id)
            if found is not None and found.status == status:
                return
            await asyncio.sleep(0.01)


def _forget_the_end(url: str, wake_id: str) -> None:
    engine = create_engine(url)
    table = "workflow_status" if engine.dialect.name == "sqlite" else "dbos.workflow_status"
    with engine.begin() as connection:
        statement = f"UPDATE {table} SET status = 'PENDING', completed_at = NULL WHERE workflow_uuid = :id"  # noqa: S608
        assert connection.execute(text(statement), {"id": wake_id}).rowcount == 1
    engine.dispose()


async def _break() -> None:
    try:
        {}["a customer's xylophone"]
    except KeyError as error:
        raise RuntimeError("the xylophone is broken") from error


def _everything(url: str) -> bytes:
    """All that a database holds: as it is, and decoded where it is base64."""
    engine = create_engine(url)
    found: list[bytes] = []
    with engine.connect() as connection:
        for schema in inspect(connection).get_schema_names():
            if schema in ("information_schema", "pg_catalog"):
                continue
            metadata = MetaData(schema=schema)
            metadata.reflect(connection)
            for table in metadata.sorted_tables:
                for row in connection.execute(table.select()):
                    found += [part for value in row for part in _forms(value)]
    engine.dispose()
    return b"\n".join(found)


def _forms(value: object) -> list[bytes]:
    raw = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    try:
        return [raw, base64.b64decode(raw, validate=True)]
    except binascii.Error:
        return [raw]
