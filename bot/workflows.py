"""The engine: durable wake-ups on DBOS. It wakes, retries, times and recovers; what is true is in our tables.

Traps that this module is shaped by (facts/engine.md): the application version is pinned, or an edit of the source
would strand what waits; `DBOS.launch()` runs inside the loop that the application runs on; ids are spent for
ever; a wake-up names what waits and never what it says.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from dbos import DBOS, DBOSConfig, EnqueueOptions

from bot.errors import HandrailError
from bot.ports import Wake, WakeKind

log = logging.getLogger(__name__)

APPLICATION = "handrail"
APPLICATION_VERSION = "1"
"""Raised only when a stored wake-up could not be understood any more."""
CONVERSATIONS = "conversations"
DELIVERY = "delivery"
ACTIONS = "actions"
NEWS = "news"
POLL_SECONDS = 0.05
AT_ONCE = 64
"""Wake-ups of one queue that run side by side in one process."""
NEWS_AT_ONCE = 2
"""The same of looks for news: after a time offline many are due, and none goes before what people wait for."""

_QUEUE = {
    WakeKind.TURN: CONVERSATIONS,
    WakeKind.WATCH: CONVERSATIONS,
    WakeKind.DELIVER: DELIVERY,
    WakeKind.ACT: ACTIONS,
    WakeKind.NEWS: NEWS,
}
_BY_LANE = frozenset({CONVERSATIONS, DELIVERY})


class Runs(Protocol):
    """What a wake-up runs: `bot.services.worker.Worker`."""

    async def run(self, kind: WakeKind, lane: str, subject: str) -> None: ...


class WakeFailed(HandrailError):
    """A wake-up failed and that could not be recorded. Named by the error's type alone: its text may quote rows,
    and the engine would store it."""


class DbosEngine:
    """Implements `bot.ports.Engine`. One per process: DBOS is a singleton."""

    def __init__(self, database_url: str, executor_id: str) -> None:
        self._config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": database_url,
            "application_version": APPLICATION_VERSION,
            "executor_id": executor_id,
            "enable_otlp": False,
            "log_level": "WARNING",
        }
        self._worker: Runs | None = None
        self._running: set[str | None] = set()
        self._suspects: set[str] = set()

    async def launch(self, worker: Runs) -> None:
        """Start running wake-ups, those of a former process first. Call it inside the application's loop."""
        self._worker = worker
        DBOS(config=self._config)
        DBOS.workflow(name=WORKFLOW)(self._make_workflow())
        DBOS.launch()
        for queue in (CONVERSATIONS, DELIVERY):
            await DBOS.register_queue_async(
                queue,
                partition_concurrency=1,
                worker_concurrency=AT_ONCE,
                polling_interval_sec=POLL_SECONDS,
                on_conflict="always_update",
            )
        for queue, at_once, every in ((ACTIONS, AT_ONCE, POLL_SECONDS), (NEWS, NEWS_AT_ONCE, 1.0)):
            await DBOS.register_queue_async(
                queue, worker_concurrency=at_once, polling_interval_sec=every, on_conflict="always_update"
            )

    async def close(self) -> None:
        """Stop running wake-ups; what runs now is given a moment to end, the rest is recovered at next start."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1) as own:
            await loop.run_in_executor(own, lambda: DBOS.destroy(workflow_completion_timeout_sec=5))
        # DBOS made its own pool the loop's default one, and has just shut it down.
        loop.set_default_executor(ThreadPoolExecutor())

    async def enqueue(self, wake: Wake, delay: float = 0.0) -> None:
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": _QUEUE[wake.kind],
            "workflow_id": wake.id,
            "app_version": APPLICATION_VERSION,
        }
        if _QUEUE[wake.kind] in _BY_LANE:
            options["queue_partition_key"] = wake.lane
        if delay > 0:
            options["delay_seconds"] = delay
        await DBOS.enqueue_workflow_with_options_async(options, str(wake.kind), wake.lane, wake.subject)

    async def cancel(self, wake_id: str) -> None:
        status = await DBOS.get_workflow_status_async(wake_id)
        if status is not None and status.status in ("ENQUEUED", "DELAYED"):
            await DBOS.cancel_workflow_async(wake_id)

    async def revive(self) -> int:
        """Put back what counts as running although nothing runs it: on a full disk the engine cannot record how a
        wake-up ended, and its lane would wait for it until the next start. Call it every few seconds: what is found
        twice is put back, since one that has just been taken up or has just ended looks the same. Returns how many.
        """
        found = await DBOS.list_workflows_async(
            status="PENDING",
            name=WORKFLOW,
            executor_id=self._config["executor_id"],
            load_input=False,
            load_output=False,
        )
        idle = {one.workflow_id: one.queue_name for one in found if one.workflow_id not in self._running}
        stranded = [wake_id for wake_id in idle if wake_id in self._suspects]
        self._suspects = idle.keys() - set(stranded)
        for wake_id in stranded:
            log.warning("a wake-up whose end could not be recorded is put back in its queue")
            await DBOS.resume_workflow_async(wake_id, queue_name=idle[wake_id])
        return len(stranded)

    def _make_workflow(self) -> Callable[[str, str, str], Awaitable[None]]:
        async def handrail_wake(kind: str, lane: str, subject: str) -> None:
            if self._worker is None:
                raise WakeFailed("not launched")
            wake_id = DBOS.workflow_id
            self._running.add(wake_id)
            try:
                await self._worker.run(WakeKind(kind), lane, subject)
            except Exception as error:  # the worker again: the engine would store the error, and its text with it
                log.exception("a wake-up of %s could not be recorded as failed; the sweep finds it again", lane)
                raise WakeFailed(type(error).__name__) from None
            finally:
                self._running.discard(wake_id)

        return handrail_wake


WORKFLOW = "handrail.wake"
