"""What was sent to apps and what became of it, for tests and the inspector."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from integrations.workspace.changes import Changes

Outcome = Literal["sent", "acked", "expired", "no_socket", "ack_dropped", "lost"]


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One line of the delivery log. ``at`` is workspace time; ``event_id`` is empty for clicks and submissions;
    ``kind`` is the event's type (``message``, ``app_mention``…) or ``block_actions``, ``view_submission``…"""

    at: float
    app: str
    kind: str
    outcome: Outcome
    event_id: str = ""
    envelope_id: str = ""
    attempt: int = 0
    socket: int = 0


class DeliveryLog:
    """The newest deliveries."""

    def __init__(self, changes: Changes, keep: int = 20_000) -> None:
        self.records: deque[DeliveryRecord] = deque(maxlen=keep)
        self._changes = changes

    def add(self, record: DeliveryRecord) -> None:
        """Note a delivery and wake whoever waits for it."""
        self.records.append(record)
        self._changes.tell("delivery", record=record)
