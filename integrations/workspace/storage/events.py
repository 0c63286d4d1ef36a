"""Events an app has not acknowledged: kept until it does, or until Slack would give up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from integrations.workspace.storage.database import Database


@dataclass(slots=True)
class PendingEvent:
    """An event on its way. ``attempt`` counts from 0; ``due`` is workspace time."""

    id: str
    app: str
    payload: dict[str, Any]
    attempt: int
    due: float


class Events:
    """The table of undelivered events."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, event: PendingEvent) -> None:
        """Store a new event; call inside the transaction that stores its cause."""
        self._db.run(
            "INSERT INTO events (id, app, payload, attempt, due) VALUES (?, ?, ?, ?, ?)",
            (event.id, event.app, json.dumps(event.payload), event.attempt, event.due),
        )

    def postpone(self, event: PendingEvent) -> None:
        """Store the event's next attempt."""
        self._db.run("UPDATE events SET attempt = ?, due = ? WHERE id = ?", (event.attempt, event.due, event.id))

    def done(self, event_id: str) -> None:
        """Forget an acknowledged event."""
        self._db.run("DELETE FROM events WHERE id = ?", (event_id,))

    def give_up(self, event_id: str) -> None:
        """Keep the event as lost: nothing will deliver it."""
        self._db.run("UPDATE events SET lost = 1 WHERE id = ?", (event_id,))

    def pending(self) -> list[PendingEvent]:
        """Everything still to be delivered, oldest first."""
        rows = self._db.run("SELECT id, app, payload, attempt, due FROM events WHERE lost = 0 ORDER BY rowid")
        return [PendingEvent(row[0], row[1], json.loads(row[2]), row[3], row[4]) for row in rows]

    def lost(self) -> list[str]:
        """Ids of the events that were given up."""
        return [row[0] for row in self._db.run("SELECT id FROM events WHERE lost = 1 ORDER BY rowid")]
