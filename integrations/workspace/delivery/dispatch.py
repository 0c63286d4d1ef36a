"""The life of an event: stored, sent to one socket, acknowledged or sent again, at last given up.

Slack sends an event that is not acknowledged within three seconds again at once, after one minute and after five.
Having no socket open counts as a failed attempt. Every attempt carries a new envelope id and the same event id.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.workspace import ids
from integrations.workspace.clock import Clock, Timer
from integrations.workspace.delivery.records import DeliveryLog, DeliveryRecord, Outcome
from integrations.workspace.delivery.sockets import SocketHub
from integrations.workspace.errors import StoreUnavailable
from integrations.workspace.faults import Faults
from integrations.workspace.seed import App
from integrations.workspace.storage.database import Database
from integrations.workspace.storage.events import Events, PendingEvent

_REORDER_SECONDS = 0.05
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Held:
    """An event kept back by the reorder fault until ``passing`` others have gone."""

    event: PendingEvent
    passing: int
    timer: Timer


class Dispatcher:
    """Delivers events to apps over Socket Mode."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        hub: SocketHub,
        faults: Faults,
        log: DeliveryLog,
        *,
        team_id: str,
        redelivery: tuple[float, ...],
        ack_seconds: float,
    ) -> None:
        self._db = database
        self._events = Events(database)
        self._clock = clock
        self._hub = hub
        self._faults = faults
        self._log = log
        self._team_id = team_id
        self._redelivery = redelivery
        self._ack_seconds = ack_seconds
        self._open: dict[str, PendingEvent] = {}
        self._timers: dict[str, Timer] = {}
        self._envelopes: dict[str, str] = {}  # envelope id → event id
        self._sent: dict[str, list[str]] = {}  # event id → its envelopes that may still be acknowledged
        self._held: list[_Held] = []

    def start(self) -> None:
        """Take up what an earlier run of the workspace left undelivered; apps get a moment to connect first."""
        for event in self._events.pending():
            self._open[event.id] = event
            self._schedule(event, max(event.due, self._clock.now() + self._ack_seconds))

    @property
    def unfinished(self) -> int:
        """Events neither acknowledged nor given up."""
        return len(self._open)

    def lost(self) -> list[str]:
        """Ids of the events that were given up."""
        return self._events.lost()

    def emit(self, app: App, event: dict[str, Any]) -> str:
        """Store an event for an app and send it once the running transaction is stored; returns its event id."""
        event_id = ids.slack_id("Ev0")
        now = self._clock.now()
        payload = {
            "token": "local-verification-token",
            "team_id": self._team_id,
            "api_app_id": app.id,
            "event": event,
            "type": "event_callback",
            "event_id": event_id,
            "event_time": int(now),
            "authorizations": [
                {"enterprise_id": None, "team_id": self._team_id, "user_id": app.bot_user, "is_bot": True,
                 "is_enterprise_install": False}
            ],
            "is_ext_shared_channel": False,
        }  # fmt: skip
        pending = PendingEvent(event_id, app.id, payload, 0, now)
        self._events.add(pending)
        self._db.after_commit(lambda: self._admit(pending))
        return event_id

    def acknowledge(self, envelope_id: str) -> None:
        """An app acknowledged an envelope."""
        event_id = self._envelopes.get(envelope_id)
        event = self._open.get(event_id or "")
        if event is None:
            return
        if self._faults.happens("drop_ack"):
            self._note(event, "ack_dropped", envelope_id)
            return
        self._forget(event)
        self._keep(lambda: self._events.done(event.id))
        self._note(event, "acked", envelope_id)

    def _admit(self, event: PendingEvent) -> None:
        self._open[event.id] = event
        wait = self._faults.delay()
        if wait > 0:
            self._schedule(event, self._clock.horizon() + wait)
        elif self._faults.happens("reorder"):
            timer = self._clock.call_at(self._clock.horizon() + _REORDER_SECONDS, lambda: self._release(event))
            self._held.append(_Held(event, self._faults.between(1, 5), timer))
        else:
            self._attempt(event)
            self._let_pass()

    def _let_pass(self) -> None:
        """One event went by: those held back that have waited for enough of them go now."""
        for held in self._held:
            held.passing -= 1
        for held in [held for held in self._held if held.passing <= 0]:
            self._release(held.event)

    def _release(self, event: PendingEvent) -> None:
        for held in [held for held in self._held if held.event is event]:
            held.timer.cancel()
            self._held.remove(held)
        self._attempt(event)

    def _attempt(self, event: PendingEvent) -> None:
        if event.id not in self._open:
            return
        self._send(event)
        if event.id in self._timers and self._faults.happens("duplicate"):
            self._envelope(event)

    def _send(self, event: PendingEvent) -> None:
        if not self._envelope(event):
            self._note(event, "no_socket")
            self._failed(event)
            return
        deadline = self._clock.horizon() + self._ack_seconds
        self._later(event, deadline, lambda: self._expired(event))

    def _envelope(self, event: PendingEvent) -> bool:
        """Queue the event on a socket under a new envelope id; False if the app has none."""
        socket = self._hub.pick(event.app)
        if socket is None:
            return False
        envelope_id = str(uuid.uuid4())
        self._envelopes[envelope_id] = event.id
        self._sent.setdefault(event.id, []).append(envelope_id)
        socket.send(
            {
                "envelope_id": envelope_id,
                "type": "events_api",
                "accepts_response_payload": False,
                "retry_attempt": event.attempt,
                "retry_reason": "timeout" if event.attempt else "",
                "payload": event.payload,
            }
        )
        self._note(event, "sent", envelope_id, socket.number)
        return True

    def _expired(self, event: PendingEvent) -> None:
        self._note(event, "expired")
        self._drop_envelopes(event)
        self._failed(event)

    def _failed(self, event: PendingEvent) -> None:
        if event.attempt >= len(self._redelivery):
            self._forget(event)
            self._keep(lambda: self._events.give_up(event.id))
            self._note(event, "lost")
            return
        event.due = self._clock.now() + self._redelivery[event.attempt]
        event.attempt += 1
        self._keep(lambda: self._events.postpone(event))
        self._schedule(event, event.due)

    def _schedule(self, event: PendingEvent, when: float) -> None:
        self._later(event, when, lambda: self._attempt(event))

    def _later(self, event: PendingEvent, when: float, callback: Callable[[], None]) -> None:
        previous = self._timers.pop(event.id, None)
        if previous is not None:
            previous.cancel()
        self._timers[event.id] = self._clock.call_at(when, callback)

    def _keep(self, write: Callable[[], None]) -> None:
        """Store progress if the disk allows. If not, delivery goes on from memory: after a restart an event may come
        once more, which apps must stand anyway."""
        try:
            write()
        except StoreUnavailable as error:
            _log.warning("delivery state not stored: %s", error.reason)

    def _forget(self, event: PendingEvent) -> None:
        self._open.pop(event.id, None)
        timer = self._timers.pop(event.id, None)
        if timer is not None:
            timer.cancel()
        self._drop_envelopes(event)

    def _drop_envelopes(self, event: PendingEvent) -> None:
        """An answer to these comes too late from now on, as it does in Slack."""
        for envelope_id in self._sent.pop(event.id, []):
            del self._envelopes[envelope_id]

    def _note(self, event: PendingEvent, outcome: Outcome, envelope_id: str = "", socket: int = 0) -> None:
        kind = event.payload["event"].get("type", "")
        self._log.add(
            DeliveryRecord(
                self._clock.now(), event.app, str(kind), outcome, event.id, envelope_id, event.attempt, socket
            )
        )
