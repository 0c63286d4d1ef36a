"""`chaos`: a real bot process against faults, kills and an outage; 0 lost, 0 doubled, 0 out of order, or it fails.

The workspace runs in this process, the bot is a child (`python -m bot run`) that is killed with `kill -9` at seeded
moments. People write in many conversations at once; a fifth of the deliveries come twice, some late, some in another
order; acknowledgements and responses are lost, posts meet 429 and 503, sockets break. Afterwards the bot is down for
20 minutes of workspace time, until Slack has given up every delivery. Then every message must have exactly one
answer, receipt or handoff, in order (`bot.measure.verdict`). At the end hostile callers ask for other people's money
(`bot.measure.hostile`).
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import UsageError
from bot.measure.calm import Calm
from bot.measure.cast import Cast
from bot.measure.child import Child, ChildFailed
from bot.measure.hostile import hostile
from bot.measure.ledger import Ledger
from bot.measure.rehearsal import NothingToAsk, rehearse
from bot.measure.scene import bot_environment, crowd, workspace
from bot.measure.storm import Storm, Stuck
from bot.measure.tally import Tally
from bot.measure.verdict import Verdict, judge
from integrations.workspace import Workspace

Say = Callable[[str], None]

REDELIVERY = (0.0, 4.0, 12.0)
"""Slack's 0, 1 and 5 minutes, so much shorter that all three happen within a run."""
OUTAGE = 1200.0
OUTAGE_SHARE, OUTAGE_LEAST = 20, 20
"""During the outage one message is written for so many of the storm; and at least so many."""
SHOWN = 10


@dataclass(slots=True)
class Report:
    """The figures of one run."""

    events: int
    seconds: float
    outage_events: int = 0
    outage_seconds: float = 0.0
    given_up: int = 0
    storm: Storm | None = None
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not any(self.verdict.faults().values())


def chaos(
    say: Say,
    *,
    events: int,
    kills: int,
    seed: int,
    questions: int = 0,
    slack: int = 0,
    database_url: str | None = None,
) -> int:
    """Run it and print its figures; the exit status. Postgres when `database_url` or DATABASE_URL is given: an empty
    database. `questions` and `slack`: how many hostile ones follow, through the service and through Slack. Raises
    UsageError."""
    if events < 20 or kills < 0:
        raise UsageError("chaos needs at least 20 events.")
    folder = Path(tempfile.mkdtemp(prefix="handrail-chaos-"))
    url = database_url or os.environ.get("DATABASE_URL") or None
    say(f"chaos: {events} events, {kills} kills, seed {seed}, {'Postgres' if url else 'SQLite'}")
    try:
        report = asyncio.run(_Run(say, folder, url, seed).go(events, kills))
    except (Stuck, ChildFailed, NothingToAsk) as error:
        say(f"FAILED: {error}\nThe bot's data and log are kept in {folder}.")
        return 1
    _print(say, report)
    if not report.good:
        say(f"FAILED. The bot's data and log are kept in {folder}.")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return hostile(say, questions=questions, slack=slack, seed=seed) if questions else 0


class _Run:
    def __init__(self, say: Say, folder: Path, database_url: str | None, seed: int) -> None:
        self._say = say
        self._folder = folder
        self._url = database_url
        self._seed = seed
        self._chance = random.Random(seed)

    async def go(self, events: int, kills: int) -> Report:
        ledger = Ledger(self._url, self._folder)
        people = crowd(max(6, min(60, events // 30)))
        try:
            if self._url:
                ledger.require_empty()
            async with workspace(people, redelivery=REDELIVERY, seed=self._seed) as ws:
                environment = bot_environment(ws, self._folder, self._url, "chaos")
                bot = Child("handrail", ("-m", "bot", "run"), environment, self._folder)
                try:
                    return await self._scenes(ws, bot, ledger, [person.id for person in people], events, kills)
                finally:
                    await bot.kill()
        finally:
            ledger.close()

    async def _scenes(
        self, ws: Workspace, bot: Child, ledger: Ledger, people: list[str], events: int, kills: int
    ) -> Report:
        await bot.start()
        rehearsal = await rehearse(ws, people[0], ledger)
        storm = Storm(ws, bot, Cast(ws, people, rehearsal.questions, self._chance), Tally(ws), self._chance)
        storm.tally.forget()
        calm = Calm(storm, ledger)
        self._say(f"  {len(rehearsal.texts)} questions rehearsed; the storm begins")
        began = time.monotonic()
        await storm.blow(events, kills)
        self._say(f"  {events} messages written, {storm.killed} kills; waiting for everything to come to rest")
        await calm.come()
        report = Report(events=events, seconds=time.monotonic() - began)
        await self._outage(storm, calm, report)
        await bot.stop()
        storm.tally.read()
        report.storm = storm
        report.verdict = judge(ws, storm.cast.written, storm.cast.by_bots, rehearsal.texts, ledger.read())
        return report

    async def _outage(self, storm: Storm, calm: Calm, report: Report) -> None:
        """The bot is down until every delivery has been given up; catch-up alone can find what was written."""
        self._say("  the bot is down for 20 minutes of workspace time")
        began = time.monotonic()
        cast, ws = storm.cast, storm.ws
        before, count = len(cast.written), max(OUTAGE_LEAST, report.events // OUTAGE_SHARE)
        lost_before = len(ws.lost_events)
        await storm.bot.stop()
        for part in (count // 2, count):
            while len(cast.written) < before + part:
                await cast.write(before + part - len(cast.written))
            ws.clock.advance(OUTAGE / 2)
        report.outage_events = count
        report.given_up = len(ws.lost_events) - lost_before
        await storm.start()
        await calm.come()
        report.outage_seconds = time.monotonic() - began


def _print(say: Say, report: Report) -> None:
    storm, verdict = report.storm, report.verdict
    if storm is None:
        return
    deliveries, calls = storm.tally.deliveries, storm.tally.calls
    rows: tuple[tuple[str, object], ...] = (
        ("messages of customers", report.events),
        ("  answered in", f"{report.seconds:.0f} s, {report.events / report.seconds:.1f} turns/s"),
        ("messages during the outage", f"{report.outage_events}, {report.given_up} events given up by Slack"),
        ("  answered in", f"{report.outage_seconds:.0f} s"),
        ("messages of other bots", len(storm.cast.by_bots)),
        ("kill -9", storm.killed),
        ("starts that Slack refused", storm.refused),
        ("sockets broken or renewed", storm.troubles),
        ("deliveries", deliveries["sent"]),
        ("  duplicates", deliveries["duplicated"]),
        ("  redeliveries", deliveries["redelivered"]),
        ("  acknowledgements lost", deliveries["ack_dropped"]),
        ("posts sent", _times(storm, "chat.postMessage", "ok", "lose_response")),
        ("  responses lost", _times(storm, "chat.postMessage", "lose_response")),
        ("  429 and 503", _times(storm, "chat.postMessage", "ratelimited", "server_error")),
        ("look-ups before a resend", calls["look-up"]),
        ("handoffs, each with a card", verdict.handoffs),
        ("delivered after a later one", f"{verdict.late}, answered when they came"),
    )
    for name, value in rows:
        say(f"  {name:<30} {value}")
    for outcome, count in verdict.outcomes.most_common():
        say(f"    {outcome:<28} {count}")
    for name, problems in verdict.faults().items():
        say(f"  {name.upper():<30} {len(problems)}")
        for problem in problems[:SHOWN]:
            say(f"      {problem}")


def _times(storm: Storm, method: str, *outcomes: str) -> int:
    return sum(storm.tally.calls[f"{method}:{outcome}"] for outcome in outcomes)
