"""One app in the workspace, measured from outside: how soon it answers, how much it answers, what that costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.errors import HandrailError
from bot.measure.child import Child
from bot.measure.process import cpu_seconds, peak_mb, resident_mb
from bot.measure.tally import Tally
from integrations.workspace import Workspace

WARM_UP = 8
SAMPLES = 60
BURST = 240
QUESTIONS = (
    "how long does a refund take",
    "where do i find my receipt",
    "how do i change my card",
    "why is my payment pending",
)
AT_ONCE = (
    "how do i cancel my subscription",
    "can i pay by bank transfer",
    "where do i enter a coupon code",
    "what happens when my trial ends",
    "how do i change the billing address on my invoices",
    "what is your refund policy",
)
"""What each person asks at once: sure and of different articles, since what repeats an answer, or is not understood, is
read together with the next message, and answered once."""
ANSWERED_WITHIN = 120.0


class Silent(HandrailError):
    """An app that is measured stopped answering. str() says which, with the end of its log."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds, MB (2**20 bytes) and answers a second. None where the system does not tell."""

    turn_p50: float
    turn_p99: float
    ack_p50: float
    ack_p99: float
    busy_ack_p50: float
    busy_ack_p99: float
    per_second: float
    cpu_ms: float | None
    resident_mb: float | None
    peak_mb: float | None


class Trial:
    """Measures one connected app. `people` are its alone, so that no other app's messages lie in their DMs."""

    def __init__(self, ws: Workspace, child: Child, people: Sequence[str]) -> None:
        self._ws = ws
        self._child = child
        self._people = people

    async def run(self) -> Measured:
        """Single questions one after another, then all at once. Raises Silent."""
        for number in range(WARM_UP):
            await self._turn(number)
        began = self._ws.clock.now()
        turns = [await self._turn(number) for number in range(SAMPLES)]
        await self._ws.idle()
        acks = self._acks(began)
        began, pid = self._ws.clock.now(), self._child.pid or 0
        before = cpu_seconds(pid)
        seconds = await self._burst()
        after = cpu_seconds(pid)
        await self._ws.idle(timeout=ANSWERED_WITHIN)
        busy = self._acks(began)
        return Measured(
            turn_p50=percentile(turns, 50),
            turn_p99=percentile(turns, 99),
            ack_p50=percentile(acks, 50),
            ack_p99=percentile(acks, 99),
            busy_ack_p50=percentile(busy, 50),
            busy_ack_p99=percentile(busy, 99),
            per_second=BURST / seconds,
            cpu_ms=None if before is None or after is None else (after - before) * 1000 / BURST,
            resident_mb=resident_mb(pid),
            peak_mb=peak_mb(pid),
        )

    async def _turn(self, number: int) -> float:
        """Milliseconds from posting a question in a DM until the answer is in the workspace."""
        user = self._people[number % len(self._people)]
        channel = await self._ws.open_im(user)
        began = time.perf_counter()
        ts = await self._ws.post(user, channel, QUESTIONS[number % len(QUESTIONS)])

        def answered(_: Workspace) -> bool:
            newest = self._ws.messages(channel)[-1]
            return bool(newest["user"] == self._ws.bot_user_id and newest["ts"] > ts)

        await self._until(answered)
        return (time.perf_counter() - began) * 1000

    async def _burst(self) -> float:
        """Seconds until as many questions, asked at once in all conversations, are answered."""
        tally = Tally(self._ws)
        tally.forget()
        channels = [(user, await self._ws.open_im(user)) for user in self._people]
        began = time.perf_counter()
        for number in range(BURST):
            user, channel = channels[number % len(channels)]
            await self._ws.post(user, channel, AT_ONCE[number // len(channels) % len(AT_ONCE)])

        def all_answered(_: Workspace) -> bool:
            tally.read()
            return tally.calls["told"] >= BURST

        await self._until(all_answered)
        return time.perf_counter() - began

    async def _until(self, condition: Callable[[Workspace], bool]) -> None:
        try:
            await self._ws.wait_for(condition, timeout=ANSWERED_WITHIN)
        except TimeoutError as error:
            raise Silent(f"{self._child.name} does not answer: {error}\n{self._child.tail()}") from None

    def _acks(self, since: float) -> list[float]:
        """Milliseconds from sending each message event to its acknowledgement."""
        sent: dict[str, float] = {}
        taken: list[float] = []
        for record in self._ws.deliveries:
            if record.at >= since and record.outcome == "sent":
                sent[record.envelope_id] = record.at
            elif record.outcome == "acked" and record.envelope_id in sent:
                taken.append((record.at - sent.pop(record.envelope_id)) * 1000)
        return taken


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile; 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0.0
