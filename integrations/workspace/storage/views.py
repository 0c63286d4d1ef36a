"""Views shown to people: one Home per person and app, and stacks of modals."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from integrations.workspace.storage.database import Database


@dataclass(slots=True)
class ShownView:
    """A view and whom it is shown to. ``body`` is Slack's view object."""

    app: str
    person: str
    kind: str
    position: int
    body: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.body["id"])


class Views:
    """The table of views."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def save(self, view: ShownView) -> None:
        """Store a new or changed view."""
        self._db.run(
            "INSERT OR REPLACE INTO views VALUES (?, ?, ?, ?, ?, ?, ?)",
            (view.id, view.app, view.person, view.kind, view.body.get("external_id") or "", view.position,
             json.dumps(view.body)),
        )  # fmt: skip

    def get(self, view_id: str) -> ShownView | None:
        """The view with this id, or None."""
        return self._one("id = ?", (view_id,))

    def by_external_id(self, app: str, external_id: str) -> ShownView | None:
        """The app's view with this external id, or None."""
        return self._one("app = ? AND external_id = ?", (app, external_id)) if external_id else None

    def home(self, app: str, person: str) -> ShownView | None:
        """The Home tab the app published for the person, or None."""
        return self._one("app = ? AND person = ? AND kind = 'home'", (app, person))

    def stack(self, person: str, app: str | None = None) -> list[ShownView]:
        """The modals the person sees, bottom first; of one app or of all."""
        where, values = "person = ? AND kind = 'modal'", [person]
        if app is not None:
            where, values = where + " AND app = ?", [person, app]
        return self._many(where + " ORDER BY app, position", tuple(values))

    def remove(self, view_id: str) -> None:
        """Forget a closed view."""
        self._db.run("DELETE FROM views WHERE id = ?", (view_id,))

    def _one(self, where: str, values: tuple[str, ...]) -> ShownView | None:
        found = self._many(where + " LIMIT 1", values)
        return found[0] if found else None

    def _many(self, where: str, values: tuple[str, ...]) -> list[ShownView]:
        rows = self._db.run(
            f"SELECT app, person, kind, position, body FROM views WHERE {where}",  # noqa: S608 - literals of this class
            values,
        )
        return [ShownView(row[0], row[1], row[2], row[3], json.loads(row[4])) for row in rows]
