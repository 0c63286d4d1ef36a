"""The traps of the engine, each with a test: numbers are those of facts/engine.md.

Not here: 7 (the reaper of dead replicas) comes with replicas; 10 (the engine's rate limiter) is not used, delivery
waits by Slack's Retry-After instead.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbos import DBOS
from sqlalchemy import text

from bot import workflows
from bot.app import check_environment
from bot.domain.incoming import Incoming, Place
from bot.domain.replies import Speaker
from bot.errors import DataDirError, EnvironmentUnfit
from bot.ports import Wake, WakeKind
from bot.services.waking import accept, sweep
from bot.storage import database, datadir
from bot.workflows import DbosEngine, Runs
from tests.fakes.child import ROOT
from tests.fakes.clock import START
from tests.fakes.engine import TEAM, Core, open_core
from tests.fakes.incoming import a_message

PATIENCE = 60.0


def message(user: str, offset: float, words: str = "about a refund", **changes: Any) -> Incoming:
    """A direct message, `offset` seconds after the clock's start."""
    ts = f"{START.timestamp() + offset:.6f}"
    return a_message(words, **({"team": TEAM, "channel": f"D{user}", "user": user, "ts": ts} | changes))


async def transcript(core: Core, user: str) -> list[tuple[Speaker, str]]:
    case = await core.cases.latest_in_dm(TEAM, f"D{user}")
    return [(line.speaker, str(line.text)) for line in await core.cases.lines(case.id)] if case is not None else []


# ---- 1: the queue's order is not Slack's -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
async def test_1_messages_are_answered_in_slacks_order_whatever_the_queues(seed: int, tmp_path: Path) -> None:
    users, each = [f"U1CUST{n}" for n in range(4)], 6
    asked = [
        message(user, number * 0.01, f"{number}: about a {'refund' if number % 2 else 'pending charge'}")
        for user in users
        for number in range(each)
    ]
    random.Random(seed).shuffle(asked)
    async with open_core(tmp_path / "h.db", seed=seed) as core:
        for incoming in asked:
            await accept(incoming, core.inbox, core.engine)
        await core.engine.drain(core.worker)

        for user in users:
            said = await transcript(core, user)
            questions = [words for speaker, words in said if speaker is Speaker.CUSTOMER]
            answers = [words for speaker, words in said if speaker is Speaker.BOT]
            assert [words[0] for words in questions] == [str(number) for number in range(each)]
            assert ["refund" in words for words in answers] == [number % 2 == 1 for number in range(each)]
            sent = [post.content.text for post in core.messenger.posts if post.to.channel == f"D{user}"]  # type: ignore[union-attr]
            assert sent == answers


# ---- 2: an interpreter that crashes the engine -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("python", "sqlite", "fit"),
    [
        ((3, 11), (3, 40, 1), True),
        ((3, 12), (3, 40, 1), False),
        ((3, 12), (3, 41, 2), False),
        ((3, 12), (3, 42, 0), True),
        ((3, 13), (3, 34, 1), False),
        ((3, 13), (3, 46, 1), True),
    ],
)
def test_2_a_new_python_with_an_old_sqlite_is_refused(
    python: tuple[int, int], sqlite: tuple[int, int, int], fit: bool
) -> None:
    if fit:
        return check_environment(python, sqlite)
    with pytest.raises(EnvironmentUnfit, match=r"Use Python 3\.11, or a Python that was built with SQLite 3\.42"):
        check_environment(python, sqlite)
    return None


def test_2_this_interpreter_carries_us() -> None:
    check_environment()


# ---- 3, 5, 6, 13: how the engine is set up ---------------------------------------------------------------------


@asynccontextmanager
async def launched(folder: Path, worker: Runs) -> AsyncIterator[DbosEngine]:
    url = database.engine_url(None, folder)
    database.prepare_engine_file(url)
    engine = DbosEngine(url, "test")
    await engine.launch(worker)
    try:
        yield engine
    finally:
        await engine.close()


class Notes:
    """A worker that notes its subjects, and the loop that it runs on."""

    def __init__(self) -> None:
        self.ran: asyncio.Queue[tuple[str, asyncio.AbstractEventLoop]] = asyncio.Queue()

    async def run(self, kind: WakeKind, lane: str, subject: str) -> None:
        await self.ran.put((subject, asyncio.get_running_loop()))


def _tables(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


@pytest.mark.parametrize("chosen", [None, "sqlite:////somewhere/else.db"])
def test_3_the_engine_has_a_sqlite_file_of_its_own(chosen: str | None, tmp_path: Path) -> None:
    assert database.engine_url(chosen, tmp_path) == f"sqlite:///{tmp_path}/engine.db"
    assert str(database.app_url(chosen, tmp_path).database) != str(tmp_path / "engine.db")


async def test_3_5_6_13_two_files_in_wal_mode_a_short_poll_and_our_own_loop(tmp_path: Path) -> None:
    worker = Notes()
    async with open_core(tmp_path / "handrail.db") as core, launched(tmp_path, worker) as engine:
        await engine.enqueue(Wake("w1", WakeKind.TURN, "lane", "subject"))
        ran = await asyncio.wait_for(worker.ran.get(), PATIENCE)
        assert ran == ("subject", asyncio.get_running_loop())

        assert not _tables(tmp_path / "handrail.db") & _tables(tmp_path / "engine.db")
        with sqlite3.connect(tmp_path / "engine.db") as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        async with core.sql.connect() as connection_of_ours:
            pragmas = {
                name: (await connection_of_ours.execute(text(f"PRAGMA {name}"))).scalar_one()
                for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
            }
        assert pragmas == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 10_000, "foreign_keys": 1}

        queues = {queue.name: queue for queue in await DBOS.list_queues_async()}
        for name in (workflows.CONVERSATIONS, workflows.DELIVERY, workflows.ACTIONS):
            assert await queues[name].get_polling_interval_sec_async() == 0.05


# ---- 4: the application version --------------------------------------------------------------------------------

_PROCESS = """
import asyncio, sys
from bot.ports import Wake, WakeKind
from bot.storage import database
from bot.workflows import DbosEngine
from pathlib import Path

folder, part = Path(sys.argv[1]), sys.argv[2]

class Worker:
    async def run(self, kind, lane, subject):
        print("ran", subject, flush=True)
        if part == "first":
            await asyncio.Event().wait()

async def main():
    url = database.engine_url(None, folder)
    database.prepare_engine_file(url)
    engine = DbosEngine(url, "local")
    await engine.launch(Worker())
    if part == "first":
        await engine.enqueue(Wake("delayed", WakeKind.WATCH, "other", "delayed"), 3)
        await engine.enqueue(Wake("news:a:1", WakeKind.NEWS, "news:a", "news"), 3)
        await engine.enqueue(Wake("running", WakeKind.TURN, "lane", "running"))
        await engine.enqueue(Wake("waiting", WakeKind.TURN, "lane", "waiting"))
    await asyncio.Event().wait()

asyncio.run(main())
"""


@asynccontextmanager
async def _process(source: Path, folder: Path, part: str) -> AsyncIterator[asyncio.StreamReader]:
    """A process whose `bot` is that of `source`, killed with -9 at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROCESS, str(folder), part),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(source)},
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def test_4_what_a_process_left_behind_is_run_by_one_of_another_source(tmp_path: Path) -> None:
    """Running, waiting and delayed wake-ups survive kill -9 and an upgrade that changed the workflow's source."""
    upgraded = tmp_path / "upgraded"
    shutil.copytree(ROOT / "bot", upgraded / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    source = upgraded / "bot" / "workflows.py"
    old = source.read_text()
    new = old.replace(
        "            if self._worker is None:", "            upgraded = True\n            if self._worker is None:"
    )
    assert new != old
    source.write_text(new)

    async with _process(ROOT, tmp_path, "first") as said:
        assert await asyncio.wait_for(said.readline(), PATIENCE) == b"ran running\n"
    async with _process(upgraded, tmp_path, "second") as said:
        ran = {await asyncio.wait_for(said.readline(), PATIENCE) for _ in range(4)}
    assert ran == {b"ran running\n", b"ran waiting\n", b"ran delayed\n", b"ran news\n"}


# ---- 8: cancelled wake-ups may come back -----------------------------------------------------------------------


async def test_8_a_wake_up_that_was_cancelled_and_comes_back_changes_nothing(tmp_path: Path) -> None:
    async with open_core(tmp_path / "handrail.db") as core, launched(tmp_path, core.worker) as engine:
        incoming = message("U1ANA", 0)
        await core.inbox.insert(incoming)
        turn = Wake("turn:cancelled", WakeKind.TURN, incoming.lane, incoming.key)
        await engine.enqueue(turn, 3600)
        await engine.cancel(turn.id)
        await core.worker.run(WakeKind.TURN, incoming.lane, incoming.key)
        await core.engine.drain(core.worker)
        before = await transcript(core, "U1ANA"), len(core.messenger.posts)
        assert before[1] == 1

        handle = await DBOS.resume_workflow_async(turn.id)
        await asyncio.wait_for(handle.get_result(), PATIENCE)

        assert (await handle.get_status()).status == "SUCCESS"
        await core.engine.drain(core.worker)
        assert (await transcript(core, "U1ANA"), len(core.messenger.posts)) == before


@pytest.mark.parametrize("kind", list(WakeKind))
async def test_8_a_wake_up_too_many_of_any_kind_changes_nothing(kind: WakeKind, tmp_path: Path) -> None:
    async with open_core(tmp_path / "h.db") as core:
        incoming = message("U1ANA", 0)
        await accept(incoming, core.inbox, core.engine)
        await core.engine.drain(core.worker)
        tables = ("inbox", "cases", "lines", "outbox", "handoffs", "watches", "refund_news")
        before = [await core.rows(f"SELECT * FROM {table}") for table in tables]  # noqa: S608 - names of ours
        woken = len(core.engine.woken)

        for lane in (incoming.lane, f"{TEAM}:{incoming.channel}:", "card:none", "nowhere"):
            await core.worker.run(kind, lane, incoming.key)

        assert [await core.rows(f"SELECT * FROM {table}") for table in tables] == before  # noqa: S608
        assert len(core.messenger.posts) == 1
        assert len(core.engine.woken) == woken


# ---- 9, 11: ids are spent for ever, and a crash can fall between storing and waking -----------------------------


async def test_9_the_sweep_wakes_what_waits_with_ids_that_were_never_used(tmp_path: Path) -> None:
    """A wake-up whose failure could not even be recorded is spent: redelivery cannot wake its lane, the sweep can."""
    async with open_core(tmp_path / "h.db") as core:
        incoming = message("U1ANA", 0)
        await accept(incoming, core.inbox, core.engine)
        await core.engine.drain(Lost())
        assert len(core.engine.errors) == 1
        await accept(incoming, core.inbox, core.engine)
        assert await core.engine.drain(core.worker) == 0

        assert await sweep(core.books, core.waker, "first") == 1
        await core.engine.drain(Lost())
        assert await sweep(core.books, core.waker, "second") == 1
        await core.engine.drain(core.worker)

        assert len(core.messenger.posts) == 1
        assert len({wake.id for wake in core.engine.woken}) == len(core.engine.woken)
        assert await sweep(core.books, core.waker, "third") == 0


class Lost:
    """A worker that cannot even record its failure."""

    async def run(self, kind: WakeKind, lane: str, subject: str) -> None:
        raise RuntimeError("the database is gone")


@pytest.mark.parametrize("healed_by", ["redelivery", "sweep"])
async def test_11_an_event_that_was_stored_but_not_woken_is_answered_once(healed_by: str, tmp_path: Path) -> None:
    async with open_core(tmp_path / "h.db") as core:
        incoming = message("U1ANA", 0)
        assert await core.inbox.insert(incoming)
        if healed_by == "redelivery":
            assert not await accept(incoming, core.inbox, core.engine)
        else:
            await sweep(core.books, core.waker, "start")
        await core.engine.drain(core.worker)
        await accept(incoming, core.inbox, core.engine)
        await sweep(core.books, core.waker, "later")
        await core.engine.drain(core.worker)

        assert [post.to.channel for post in core.messenger.posts] == ["DU1ANA"]


async def test_11_posts_and_timers_that_were_committed_but_not_woken_are_found_by_the_sweep(tmp_path: Path) -> None:
    async with open_core(tmp_path / "h.db", wait=60) as core:
        support = message("U1ANA", 0, channel="C1SUPPORT", place=Place.CHANNEL)
        for incoming in (support, message("U1BEN", 0)):
            await core.inbox.insert(incoming)
            # What a turn does up to its commit.
            row = await core.inbox.next(incoming.lane)
            assert row is not None
            await core.cases.apply(await core.turn._decide(row))
        assert core.engine.woken == []

        assert await sweep(core.books, core.waker, "start") == 2
        await core.engine.run_out(core.worker)

        assert {post.to.channel for post in core.messenger.posts} == {"C1SUPPORT", "DU1BEN"}
        assert core.clock.now().timestamp() - START.timestamp() >= 60


# ---- 12: one process on one file -------------------------------------------------------------------------------

_HOLDER = """
import sys, time
from pathlib import Path
from bot.storage import datadir
with datadir.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_12_a_folder_is_held_by_one_process_and_free_when_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DataDirError, match="Another Handrail is running"), datadir.held(tmp_path):
            pytest.fail("held twice")
        holder.kill()
        holder.wait()
    with datadir.held(tmp_path):
        pass


# ---- 14: Postgres refuses root ---------------------------------------------------------------------------------


def test_14_the_tests_postgres_runs_as_an_unprivileged_user(postgres_server: str) -> None:
    with psycopg.connect(postgres_server) as connection:
        (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
        owner = subprocess.run(["ps", "-o", "uid=", "-p", str(pid)], check=True, capture_output=True, text=True)
    assert int(owner.stdout) != 0
