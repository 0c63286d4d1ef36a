"""Workspace time: real time plus what tests have added, and everything that waits for it.

Message timestamps, acknowledgement deadlines, redelivery and trigger expiry all use this clock, so a test can let
twenty minutes pass at once and see what Slack would have done in them.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True, slots=True)
class Timer:
    """A callback due at ``when`` (workspace seconds); `cancel` is idempotent."""

    when: float
    order: int
    callback: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """Workspace clock. Callbacks run in the event loop's thread, in order of their due time."""

    def __init__(self, offset: float = 0.0, last_micros: int = 0, saved: Callable[[float], None] | None = None) -> None:
        self._offset = offset
        self._last_micros = last_micros
        self._saved = saved
        self._timers: list[Timer] = []
        self._order = itertools.count()
        self._frozen: float | None = None
        self._wakeup: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """Unix seconds in workspace time."""
        return self._frozen if self._frozen is not None else time.time() + self._offset

    def horizon(self) -> float:
        """Where time will be after the running `advance`, else now.

        A deadline for a living app starts here: it cannot answer inside a jump that takes no real time.
        """
        return time.time() + self._offset

    def ts(self) -> str:
        """The next Slack timestamp, ``seconds.micros``: unique and strictly increasing for the whole workspace."""
        self._last_micros = max(int(self.now() * 1_000_000), self._last_micros + 1)
        seconds, micros = divmod(self._last_micros, 1_000_000)
        return f"{seconds}.{micros:06d}"

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Run ``callback`` once workspace time reaches ``when``."""
        timer = Timer(when, next(self._order), callback)
        heapq.heappush(self._timers, timer)
        if self._frozen is None and self._timers[0] is timer:
            self._arm()
        return timer

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once. What falls due on the way runs in order, each at its own time."""
        if seconds < 0:
            raise ValueError("workspace time only moves forward")
        start = self.now()
        self._offset += seconds
        if self._saved is not None:
            self._saved(self._offset)
        self._run_due(start)

    def close(self) -> None:
        """Drop every timer."""
        if self._wakeup is not None:
            self._wakeup.cancel()
        self._wakeup = None
        self._timers.clear()

    def _run_due(self, start: float) -> None:
        try:
            while self._timers and self._timers[0].when <= self.horizon():
                timer = heapq.heappop(self._timers)
                if not timer.cancelled:
                    self._frozen = max(start, timer.when)
                    timer.callback()
        finally:
            self._frozen = None
            self._arm()

    def _arm(self) -> None:
        """Keep one event loop timer, for the earliest callback."""
        if self._wakeup is not None:
            self._wakeup.cancel()
            self._wakeup = None
        while self._timers and self._timers[0].cancelled:
            heapq.heappop(self._timers)
        if self._timers:
            delay = max(0.0, self._timers[0].when - self.horizon())
            loop = asyncio.get_running_loop()
            self._wakeup = loop.call_later(delay, self._ring)

    def _ring(self) -> None:
        self._wakeup = None
        self._run_due(self.now())
