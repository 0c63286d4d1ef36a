"""Intake: every event is redacted and stored before it is acknowledged.

It is a global Bolt middleware, since Bolt acknowledges before a listener runs: a listener that dies would have
lost the event for good. It does not call `next()`, since a chain that ends without a response, or a body without
a listener, makes Bolt log the whole body. When storing fails it raises: Slack gets no acknowledgement and delivers
again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt import BoltResponse

from bot.ports import Engine, Inbox
from bot.services.waking import accept
from bot.telemetry import count
from handlers.events import Malformed, opens_modal, read

log = logging.getLogger(__name__)

_FOR_LISTENERS = frozenset({"view_submission", "block_suggestion"})
"""Their acknowledgement is the answer, so they go on to a listener, which stores before it acknowledges."""


@dataclass(frozen=True, slots=True)
class Intake:
    """The middleware. `bot_user` is our own user id."""

    inbox: Inbox
    engine: Engine
    bot_user: str

    async def __call__(self, body: dict[str, Any], next_: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        """Store what means something to us, acknowledge the rest."""
        if str(body.get("type")) in _FOR_LISTENERS or opens_modal(body):
            return await next_()
        try:
            incoming = read(body, self.bot_user)
        except Malformed as error:
            log.warning("an event was dropped: %s", error)
            count("events", result="malformed")
            return BoltResponse(status=200)
        if incoming is None:
            count("events", result="not ours")
            return BoltResponse(status=200)
        new = await accept(incoming, self.inbox, self.engine)
        count("events", result="new" if new else "known")
        return BoltResponse(status=200)
