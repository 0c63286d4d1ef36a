"""Time and chance that a test controls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)


class FakeClock:
    """Fulfils `bot.ports.Clock`. Time stands still but for `advance`; ids are numbered: `case_1`, `post_2`…"""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._made = 0

    def now(self) -> datetime:
        return self._now

    def new_id(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}_{self._made}"

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)

    def ts(self, offset: float = 0.0) -> str:
        """Now as Slack writes it, `offset` seconds later."""
        return f"{self._now.timestamp() + offset:.6f}"
