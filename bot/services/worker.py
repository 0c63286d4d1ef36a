"""The worker: what a wake-up runs, and what happens when it fails."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bot.errors import Unavailable
from bot.ports import Clock, Engine, Inbox, Wake, WakeKind
from bot.services.acting import Acting
from bot.services.delivery import Delivery
from bot.services.refund_news import RefundNewsService
from bot.services.turn import Turn
from bot.services.watching import Watching
from bot.telemetry import count

log = logging.getLogger(__name__)

TRIES = 4
LAST_TRIES = 2
"""How often handing a broken message over may fail in its turn."""
RETRY_AFTER = 1.0
"""Seconds before the second try; doubled for each further one."""
RETRY_DELIVERY_AFTER = 5.0
KEEP_TRYING_EVERY = 30.0
OUTAGE_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Worker:
    """Runs wake-ups. What it raises means that even its own record of the failure could not be kept."""

    inbox: Inbox
    engine: Engine
    clock: Clock
    turn: Turn
    acting: Acting
    watching: Watching
    delivery: Delivery
    news: RefundNewsService | None = None
    """None: refunds cannot be looked up, and who waits for news of one waits until they can."""

    async def run(self, kind: WakeKind, lane: str, subject: str) -> None:
        """Run one wake-up to its end, or see to it that it is tried again."""
        try:
            await self._dispatch(kind, lane, subject)
        except Exception as error:  # the worker: one broken message must not stop its lane, nor vanish
            log.exception("%s in %s failed", kind, lane)
            count("failures", kind=str(kind))
            if isinstance(error, Unavailable):
                # An outage is no fault of the message: it is tried until it is over.
                return await self._again(kind, lane, subject, OUTAGE_PAUSE)
            await self._after_failure(kind, lane, subject)
        return None

    async def _dispatch(self, kind: WakeKind, lane: str, subject: str) -> None:
        match kind:
            case WakeKind.TURN:
                await self.turn.run(lane)
            case WakeKind.ACT:
                await self.acting.run(subject)
            case WakeKind.WATCH:
                await self.watching.run(subject)
            case WakeKind.NEWS:
                if self.news is not None:
                    await self.news.tick(subject)
            case WakeKind.DELIVER:
                await self.delivery.run(lane)

    async def _after_failure(self, kind: WakeKind, lane: str, subject: str) -> None:
        match kind:
            case WakeKind.TURN:
                row = await self.inbox.next(lane)
            case WakeKind.ACT:
                row = await self.inbox.get(subject)
            case WakeKind.DELIVER:
                soon = await self.delivery.give_up(lane)
                return await self._again(kind, lane, subject, RETRY_AFTER if soon else RETRY_DELIVERY_AFTER)
            case WakeKind.NEWS:
                # It is still due, so the next sweep wakes it: often enough for a look that asks a provider.
                return None
            case WakeKind.WATCH:
                return await self._again(kind, lane, subject, KEEP_TRYING_EVERY)
        if row is None:
            return None
        failures = await self.inbox.note_failure(row.incoming.key)
        if failures < TRIES:
            return await self._again(kind, lane, subject, RETRY_AFTER * 2 ** (failures - 1))
        if failures > TRIES + LAST_TRIES:
            return await self.turn.abandon(row)
        # Giving up may fail too; then this wake-up comes again.
        await self._again(kind, lane, subject, KEEP_TRYING_EVERY)
        if kind is WakeKind.TURN:
            return await self.turn.give_up(row)
        return await self.acting.give_up(row.incoming)

    async def _again(self, kind: WakeKind, lane: str, subject: str, delay: float) -> None:
        await self.engine.enqueue(Wake(self.clock.new_id(f"{kind}:again"), kind, lane, subject), delay)
