"""Work that outlives Slack's three seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from bot.telemetry import count

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE_SECONDS: Final = 2.0
"""Slack waits three seconds for the answer to a form."""


class Errands:
    """Holds what runs beside the answer to a form, until it is done. Of errors it logs the kind alone: what is in
    forms must not be logged."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Run it; nobody waits for it."""
        self._hold(work).add_done_callback(_told)

    async def promptly(self, work: Coroutine[Any, Any, T], later: Callable[[T], Awaitable[None]]) -> T:
        """What `work` gives. Raises what it raises, and TimeoutError when it is not done in time: it goes on all the
        same, since half of it may be kept already, and `later` gets what comes of it."""
        task = self._hold(work)
        done, _ = await asyncio.wait({task}, timeout=self._patience)
        if done:
            return task.result()
        self.start(_then(task, later))
        raise TimeoutError

    async def close(self) -> None:
        """Return when nothing runs any more."""
        while self._running:
            await asyncio.wait(set(self._running))

    def _hold(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


async def _then(task: asyncio.Task[T], later: Callable[[T], Awaitable[None]]) -> None:
    await later(await task)


def _told(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("what a form set off failed: %s", type(error).__name__)
        count("failures", kind="form")
