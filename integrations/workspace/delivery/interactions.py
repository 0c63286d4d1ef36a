"""Clicks, submissions and closed views: sent once, answered within three seconds or shown as an error."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal

from integrations.workspace.clock import Clock
from integrations.workspace.delivery.records import DeliveryLog, DeliveryRecord, Outcome
from integrations.workspace.delivery.sockets import SocketHub

Failure = Literal["timeout", "no_app"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app said. ``failure`` is set when it said nothing in time or is not connected; ``payload`` is the
    acknowledgement's body (``response_action`` and its data for submissions), empty for a bare acknowledgement."""

    failure: Failure | None = None
    payload: dict[str, Any] = field(default_factory=dict)


class Interactions:
    """Interactive envelopes. They are never sent again: the person sees the error and may click once more."""

    def __init__(self, clock: Clock, hub: SocketHub, log: DeliveryLog, ack_seconds: float) -> None:
        self._clock = clock
        self._hub = hub
        self._log = log
        self._ack_seconds = ack_seconds
        self._waiting: dict[str, asyncio.Future[Answer]] = {}

    def owns(self, envelope_id: str) -> bool:
        """Whether an acknowledgement answers a click or submission."""
        return envelope_id in self._waiting

    def acknowledge(self, envelope_id: str, payload: dict[str, Any]) -> None:
        """An app answered."""
        waiting = self._waiting[envelope_id]
        if not waiting.done():
            waiting.set_result(Answer(payload=payload))

    async def ask(self, app: str, payload: dict[str, Any], *, answerable: bool = True) -> Answer:
        """Send an interactive payload to one socket of the app and wait for the acknowledgement."""
        kind = str(payload.get("type", ""))
        socket = self._hub.pick(app)
        if socket is None:
            self._note(app, kind, "no_socket")
            return Answer("no_app")
        envelope_id = str(uuid.uuid4())
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = waiting
        timer = self._clock.call_at(self._clock.horizon() + self._ack_seconds, lambda: _expire(waiting))
        socket.send(
            {
                "envelope_id": envelope_id,
                "type": "interactive",
                "accepts_response_payload": answerable,
                "payload": payload,
            }
        )
        self._note(app, kind, "sent", envelope_id, socket.number)
        try:
            answer = await waiting
        finally:
            timer.cancel()
            del self._waiting[envelope_id]
        self._note(app, kind, "expired" if answer.failure else "acked", envelope_id, socket.number)
        return answer

    def _note(self, app: str, kind: str, outcome: Outcome, envelope_id: str = "", socket: int = 0) -> None:
        self._log.add(DeliveryRecord(self._clock.now(), app, kind, outcome, envelope_id=envelope_id, socket=socket))


def _expire(waiting: asyncio.Future[Answer]) -> None:
    if not waiting.done():
        waiting.set_result(Answer("timeout"))
