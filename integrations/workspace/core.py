"""Everything a workspace consists of, wired together. The Web API, the page and acting people all work on this."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass
from typing import Any

from integrations.workspace.changes import Changes
from integrations.workspace.clock import Clock
from integrations.workspace.config import WorkspaceConfig
from integrations.workspace.delivery.dispatch import Dispatcher
from integrations.workspace.delivery.interactions import Interactions
from integrations.workspace.delivery.records import DeliveryLog
from integrations.workspace.delivery.sockets import SocketHub
from integrations.workspace.faults import Faults
from integrations.workspace.mailbox import Mailbox
from integrations.workspace.posting import Posting
from integrations.workspace.statuses import Statuses
from integrations.workspace.storage.database import Database
from integrations.workspace.storage.directory import Directory
from integrations.workspace.storage.messages import Messages
from integrations.workspace.storage.views import Views
from integrations.workspace.triggers import Triggers
from integrations.workspace.views import ViewBoard

_CALLS_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One Web API call by an app. ``at`` is workspace time; ``args`` are without the token; ``outcome`` is ``ok``,
    Slack's error code, or the fault that struck."""

    at: float
    app: str
    method: str
    args: dict[str, Any]
    outcome: str


class Core:
    """The parts of one workspace. Must be made inside a running event loop.

    Raises `StoreUnavailable` when the state file cannot be used.
    """

    def __init__(self, config: WorkspaceConfig) -> None:
        chance = random.Random(config.random_seed)  # noqa: S311 - repeatable on purpose
        self.config = config
        self.base_url = ""  # set once the port is bound
        self.changes = Changes()
        self.database = Database(config.path)
        self.directory = Directory(self.database, config.seed)
        self.messages = Messages(self.database)
        self.clock = self._stored_clock()
        self.hub = SocketHub(chance, self.changes)
        self.faults = Faults(self.hub, config.random_seed)
        self.deliveries = DeliveryLog(self.changes)
        self.calls: deque[ApiCall] = deque(maxlen=_CALLS_KEPT)
        self.calls_running = 0
        self.dispatcher = Dispatcher(
            self.database, self.clock, self.hub, self.faults, self.deliveries,
            team_id=self.directory.team_id, redelivery=config.redelivery, ack_seconds=config.ack_seconds,
        )  # fmt: skip
        self.interactions = Interactions(self.clock, self.hub, self.deliveries, config.ack_seconds)
        self.hub.on_ack = self._acknowledged
        self.triggers = Triggers(self.clock)
        self.posting = Posting(self.database, self.directory, self.messages, self.clock, self.dispatcher, self.changes)
        self.mailbox = Mailbox(self.clock, self.changes)
        self.statuses = Statuses(self.clock, self.changes)
        self.board = ViewBoard(self.directory, Views(self.database), self.clock, self.triggers, self.changes)

    def note_call(self, app: str, method: str, args: dict[str, Any], outcome: str) -> None:
        """Log a Web API call."""
        self.calls.append(ApiCall(self.clock.now(), app, method, args, outcome))
        self.changes.tell("call", method=method)

    def close(self) -> None:
        """Stop timers and close the state file."""
        self.clock.close()
        self.database.close()

    def _stored_clock(self) -> Clock:
        """Workspace time never runs backwards, even when the file was used with an advanced clock."""
        seconds, _, micros = (self.messages.newest_ts() or "0.0").partition(".")
        return Clock(
            offset=float(self.database.meta("clock_offset") or 0),
            last_micros=int(seconds) * 1_000_000 + int(micros),
            saved=lambda offset: self.database.set_meta("clock_offset", repr(offset)),
        )

    def _acknowledged(self, envelope_id: str, payload: dict[str, Any]) -> None:
        if self.interactions.owns(envelope_id):
            self.interactions.acknowledge(envelope_id, payload)
        else:
            self.dispatcher.acknowledge(envelope_id)
