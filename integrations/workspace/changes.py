"""What happened in the workspace, told to whoever waits for it: tests (`wait_for`) and open pages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

_CHEAP_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Change:
    """One change. ``kind`` is message, message_changed, message_deleted, ephemeral, channel, read, status, views,
    home, mail, sockets, delivery or call; ``data`` depends on it and holds Slack-shaped values."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)


class Changes:
    """A bus inside one event loop: listeners are called at once, waiters wake on the next turn of the loop."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Change], None]] = []
        self._wake = asyncio.Event()

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Call ``listener`` with every change from now on."""
        self._listeners.append(listener)

    def tell(self, kind: str, **data: Any) -> None:
        """Announce a change, after it is stored."""
        if self._listeners:
            change = Change(kind, data)
            for listener in self._listeners:
                listener(change)
        self._wake.set()
        self._wake = asyncio.Event()

    async def until(self, condition: Callable[[], T], seconds: float) -> T:
        """Return the first true value of ``condition``; it is asked again after changes, never on a schedule.

        Raises `TimeoutError` after ``seconds`` of real time. A condition may read every message of a channel, so
        after a costly one changes are gathered for a while: the waiting side must not slow what it waits for.
        """
        async with asyncio.timeout(seconds):
            while True:
                wake = self._wake
                started = time.perf_counter()
                value = condition()
                if value:
                    return value
                cost = time.perf_counter() - started
                await wake.wait()
                if cost > _CHEAP_SECONDS:
                    await asyncio.sleep(min(4 * cost, 0.25))
