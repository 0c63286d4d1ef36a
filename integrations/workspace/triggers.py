"""Trigger ids: the right to open one modal, for three seconds after a click."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass

from integrations.workspace.clock import Clock
from integrations.workspace.errors import ApiError

TRIGGER_SECONDS = 3.0
_KEPT = 1000


@dataclass(slots=True)
class Trigger:
    """Who clicked, in which app, and inside which modal if any. ``born`` is workspace time."""

    app: str
    person: str
    born: float
    view_id: str | None = None
    exchanged: bool = False


class Triggers:
    """Recent trigger ids. They are worth nothing after a restart, so they are not stored."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[str, Trigger] = OrderedDict()

    def new(self, app: str, person: str, view_id: str | None = None) -> str:
        """A fresh trigger id for a click."""
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._known[trigger_id] = Trigger(app, person, self._clock.now(), view_id)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return trigger_id

    def exchange(self, trigger_id: str, app: str) -> Trigger:
        """Use a trigger. Raises `ApiError` ``invalid_trigger_id``/``exchanged_trigger_id``/``expired_trigger_id``."""
        trigger = self._known.get(trigger_id)
        if trigger is None or trigger.app != app:
            raise ApiError("invalid_trigger_id")
        if trigger.exchanged:
            raise ApiError("exchanged_trigger_id")
        if self._clock.now() - trigger.born > TRIGGER_SECONDS:
            raise ApiError("expired_trigger_id")
        trigger.exchanged = True
        return trigger
