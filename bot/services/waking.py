"""Wake-ups: how a stored thing becomes work, and how lost wake-ups are found again."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.domain.incoming import CONVERSATIONAL, Incoming
from bot.ports import Books, Cases, Clock, Engine, Inbox, Pending, Wake, WakeKind

log = logging.getLogger(__name__)

SOON = 900.0
"""Seconds. What falls due later than that is left to a later sweep: there is one every few minutes."""
ALMOST_DUE = 1.0


async def accept(incoming: Incoming, inbox: Inbox, engine: Engine) -> bool:
    """Store an event, then wake its lane. True when it was new.

    A conflict wakes again all the same: the process may have died between storing and waking.
    """
    new = await inbox.insert(incoming)
    kind = WakeKind.TURN if incoming.kind in CONVERSATIONAL else WakeKind.ACT
    await engine.enqueue(Wake(f"{kind}:{incoming.key}", kind, incoming.lane, incoming.key))
    return new


class Waker:
    """Turns what a unit of work added into wake-ups."""

    def __init__(self, engine: Engine, cases: Cases, clock: Clock) -> None:
        self._engine = engine
        self._cases = cases
        self._clock = clock

    async def wake(self, added: Iterable[Pending], *, again: str = "") -> int:
        """One wake-up for each; returns how many. `again` makes fresh ids where earlier ones may be spent."""
        count = 0
        for pending in added:
            delay = await self._delay(pending)
            # What is not due for long has its wake-up waiting: the same id does not make another.
            fresh = again and (pending.due_at is None or delay < ALMOST_DUE)
            suffix = f":{again}" if fresh else ""
            wake = Wake(f"{pending.kind}:{pending.id}{suffix}", pending.kind, pending.lane, pending.id)
            await self._engine.enqueue(wake, delay)
            count += 1
        return count

    def later(self, seconds: float) -> datetime:
        """The time in so many seconds."""
        return self._clock.now() + timedelta(seconds=seconds)

    async def _delay(self, pending: Pending) -> float:
        if pending.due_at is not None:
            return max(0.0, (pending.due_at - self._clock.now()).total_seconds())
        if pending.kind is not WakeKind.WATCH:
            return 0.0
        watch = await self._cases.watch(pending.id)
        return 0.0 if watch is None else max(0.0, (watch.due_at - self._clock.now()).total_seconds())


async def sweep(books: Books, waker: Waker, nonce: str) -> int:
    """Wake everything that still waits: at start, and now and then. Wake-ups are harmless when nothing waits.

    `nonce` is new for each sweep, since ids of wake-ups are spent for ever.
    """
    waiting = (*await books.pending(), *await books.news_before(waker.later(SOON)))
    count = await waker.wake(waiting, again=f"sweep-{nonce}")
    if count:
        log.info("sweep woke %d things that were waiting", count)
    return count
