"""Slack's typing status: that the bot is at work on a message."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.replies import Address
from bot.errors import DeliveryError
from handlers.messenger import asked

STATUS: Final = "is looking this up…"
MOST_SHOWN: Final = 500
"""Statuses that are remembered. Slack takes each down by itself after two minutes."""

NEVER_HERE: Final = frozenset({"access_denied", "missing_scope", "not_allowed_token_type", "unknown_method"})
"""What a server says that will never show one: it is not asked again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Shown:
    thread_ts: str
    task: asyncio.Task[None]


class SlackPresence:
    """Fulfils `bot.ports.Presence`, in the running loop. `client` is a `posting_client`: a status is not worth a second
    request. Slack takes a status down when something is said in its thread. `done` does it too: at the top level of
    a direct conversation nobody else would, and a status that the answer overtook stands after it. A call that has
    returned does not tell which of the two came first."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._shown: OrderedDict[str, _Shown] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._off = False

    def working(self, to: Address, ts: str) -> None:
        """See `bot.ports.Presence.working`."""
        if self._off:
            return
        thread_ts = to.thread_ts or ts
        before = self._shown.pop(to.lane, None)
        if before is not None and before.thread_ts != thread_ts:
            self._take_down(to, before)
        task = self._begin(to.channel, thread_ts, STATUS, after=before.task if before else None)
        self._shown[to.lane] = _Shown(thread_ts, task)
        while len(self._shown) > MOST_SHOWN:
            self._shown.popitem(last=False)

    def done(self, to: Address) -> None:
        """See `bot.ports.Presence.done`."""
        shown = self._shown.pop(to.lane, None)
        if shown is not None:
            self._take_down(to, shown)

    async def close(self) -> None:
        """Stop what is under way, and begin nothing more."""
        self._off = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _take_down(self, to: Address, shown: _Shown) -> None:
        self._begin(to.channel, shown.thread_ts, "", after=shown.task)

    def _begin(
        self, channel: str, thread_ts: str, status: str, after: asyncio.Task[None] | None = None
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(self._set(channel, thread_ts, status, after))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _set(self, channel: str, thread_ts: str, status: str, after: asyncio.Task[None] | None) -> None:
        if after is not None:
            await asyncio.wait((after,))
        if self._off:
            return
        try:
            await asked(
                self._client.assistant_threads_setStatus(channel_id=channel, thread_ts=thread_ts, status=status)
            )
        except DeliveryError as error:
            if error.code in NEVER_HERE:
                self._off = True
                log.info("Slack shows no typing status for this app (%s); it is not asked again.", error.code)
            else:
                log.debug("a typing status was not shown: %s", error.code)
