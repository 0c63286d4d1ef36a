"""A circuit breaker: who is down is left alone for a while, and then asked by one only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bot.ports import Clock

FAILURES: Final = 5
REST: Final = timedelta(seconds=30)


@dataclass(slots=True)
class Breaker:
    """Opens after `failures` in a row; after `rest` lets one through, whose fate decides. Each admitted attempt ends
    with `worked`, `failed` or `abandoned`."""

    clock: Clock
    failures: int = FAILURES
    rest: timedelta = REST
    _in_row: int = field(default=0, init=False)
    _until: datetime | None = field(default=None, init=False)
    _probing: bool = field(default=False, init=False)

    def admits(self) -> bool:
        """Whether to try. True for one only while it is half-open."""
        if self._until is None:
            return True
        # A clock that was set back would keep us away for as long.
        resting = self._until - self.rest <= self.clock.now() < self._until
        if self._probing or resting:
            return False
        self._probing = True
        return True

    def worked(self) -> None:
        """They answered, even if it was a refusal."""
        self._in_row, self._until, self._probing = 0, None, False

    def failed(self) -> bool:
        """They were down. True when this opened it."""
        self._in_row += 1
        was_open = self._until is not None
        if self._probing or self._in_row >= self.failures:
            self._until = self.clock.now() + self.rest
            self._probing = False
        return self._until is not None and not was_open

    def abandoned(self) -> None:
        """We gave up for a reason of our own: nothing is known of them."""
        self._probing = False
