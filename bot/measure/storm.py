"""The storm of a chaos run: people write, deliveries break, the bot is killed and started again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bot.errors import HandrailError
from bot.measure.cast import Cast
from bot.measure.child import Child, ChildFailed
from bot.measure.tally import Tally
from integrations.workspace import Workspace

MAX_OUTSTANDING = 40
"""Messages without an answer, above which people wait before they write more."""
STUCK_AFTER = 120.0
START_TRIES = 5
MEAN_PAUSE = 0.02
TROUBLE_EVERY = 60
"""Messages between two troubles with the sockets."""


class Stuck(HandrailError):
    """The bot stopped answering. str() says at which point."""


@dataclass(slots=True)
class Storm:
    """One storm. `killed` and `refused` (starts that ended by themselves) are counted as it goes."""

    ws: Workspace
    bot: Child
    cast: Cast
    tally: Tally
    chance: random.Random
    killed: int = 0
    refused: int = 0
    troubles: int = 0

    async def blow(self, events: int, kills: int) -> None:
        """Write `events` messages while everything breaks; all `kills` have happened when it returns.

        Raises Stuck, ChildFailed.
        """
        self.ws.faults.set(
            duplicate=0.2, delay=(0.1, 2.0), reorder=0.3, drop_ack=0.05, lose_response=0.05, ratelimited=0.05,
            server_error=0.05, methods=("chat.", "reactions.", "auth."), seed=self.chance.randrange(2**32),
        )  # fmt: skip
        killer = asyncio.create_task(self._kill_at(self._moments(events, kills), kills))
        try:
            await self._write(events, killer)
            await killer
        finally:
            killer.cancel()
            await asyncio.gather(killer, return_exceptions=True)

    def _moments(self, events: int, kills: int) -> list[int]:
        """How much is written when each kill strikes; every fourth strikes twice."""
        moments = kills - (kills + 2) // 5
        return sorted(self.chance.randrange(events // 20, events * 9 // 10) for _ in range(moments))

    async def _write(self, events: int, killer: asyncio.Task[None]) -> None:
        next_trouble = TROUBLE_EVERY
        while len(self.cast.written) < events:
            await self.cast.write(events - len(self.cast.written))
            if self.chance.random() < 0.03:
                await self.cast.another_bot()
            if len(self.cast.written) >= next_trouble:
                next_trouble += TROUBLE_EVERY
                await self._trouble()
            await asyncio.sleep(self.chance.expovariate(1 / MEAN_PAUSE))
            await self._until(lambda: self._outstanding() < MAX_OUTSTANDING or killer.done(), "people wait for answers")
            if killer.done():
                await killer  # its error, if that is why it ended

    def _outstanding(self) -> int:
        self.tally.read()
        return len(self.cast.written) - self.tally.calls["told"]

    async def _trouble(self) -> None:
        self.troubles += 1
        if self.troubles % 2:
            await self.ws.faults.close_sockets()
        else:
            await self.ws.faults.disconnect("refresh_requested")

    async def _kill_at(self, moments: list[int], kills: int) -> None:
        for number, moment in enumerate(moments):
            await self._until(partial(self._written, moment), "the next kill waits for messages")
            await asyncio.sleep(self.chance.uniform(0, 0.5))
            await self._kill()
            if number % 4 == 1 and self.killed < kills:
                # Killed again while it starts, at any point of it.
                await self.bot.spawn()
                await asyncio.sleep(self.chance.uniform(0, 4))
                await self._kill()
            await self.start()

    def _written(self, moment: int) -> bool:
        return len(self.cast.written) >= moment

    async def _kill(self) -> None:
        self.killed += 1
        await self.bot.kill()

    async def start(self) -> None:
        """Start the bot as a supervisor does: again when Slack refused it at that moment. Raises ChildFailed."""
        for _ in range(START_TRIES - 1):
            try:
                await self.bot.start()
            except ChildFailed as error:
                if error.status != 2:
                    raise
                self.refused += 1
            else:
                return
        await self.bot.start()

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        try:
            await self.ws.wait_for(lambda _: condition(), timeout=STUCK_AFTER)
        except TimeoutError as error:
            raise Stuck(f"Stuck for {STUCK_AFTER:.0f} s while {what}: {error}\n{self.bot.tail()}") from None
