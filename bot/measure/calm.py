"""After the storm: waiting until everything has come to rest, with an end when it does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.measure.ledger import Ledger
from bot.measure.storm import Storm, Stuck

STUCK_AFTER = 120.0
"""Seconds without any progress after which a run has failed."""
LOOK_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Calm:
    """Waits for calm. Everything raises Stuck when nothing moves any more."""

    storm: Storm
    ledger: Ledger

    async def come(self) -> None:
        """End all faults; wait until every message is stored and settled, and a whole catch-up has found no more."""
        self.storm.ws.faults.clear()
        await self._settled()
        await self._catch_up()
        await self._settled()

    async def _settled(self) -> None:
        await self._idle()
        if self._missing():
            # Slack has given these up. The next catch-up finds them: in five minutes, or now with a new connection.
            await self._catch_up()
        await self._moving("the bot's work", lambda: (self.ledger.unprocessed(), self.ledger.unsent()))
        await self._idle()
        if self._missing():
            raise Stuck(f"{self._missing()} messages never reached the bot.\n{self.storm.bot.tail()}")

    def _missing(self) -> int:
        written = {(message.channel, message.ts) for message in self.storm.cast.written}
        return len(written - self.ledger.stored())

    async def _catch_up(self) -> None:
        before = self.ledger.caught_up_at()
        await self.storm.ws.faults.close_sockets()

        def waiting() -> tuple[int, ...]:
            self.storm.tally.read()
            return int(self.ledger.caught_up_at() == before), 0, self.storm.tally.calls.total()

        await self._moving("a catch-up", waiting)

    async def _idle(self) -> None:
        try:
            await self.storm.ws.idle(timeout=STUCK_AFTER)
        except TimeoutError as error:
            raise Stuck(f"Some events are never acknowledged: {error}\n{self.storm.bot.tail()}") from None

    async def _moving(self, what: str, look: Callable[[], tuple[int, ...]]) -> None:
        """Wait while the first two figures of `look` are not 0, as long as any figure changes."""
        seen, since = look(), time.monotonic()
        while any(seen[:2]):
            await asyncio.sleep(LOOK_EVERY)  # the bot's own tables notify nobody
            now = look()
            if now != seen:
                seen, since = now, time.monotonic()
            if time.monotonic() - since > STUCK_AFTER or self.storm.bot.pid is None:
                sockets, tail = self.storm.ws.sockets, self.storm.bot.tail()
                await self.storm.bot.abort()
                raise Stuck(f"Waited for {what} that does not end: {seen}, {sockets} sockets.\n{tail}")
