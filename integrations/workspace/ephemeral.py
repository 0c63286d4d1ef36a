"""Messages that one person sees. Slack does not keep them either: they end with the server."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any

_KEPT = 50


class Ephemerals:
    """The newest ephemeral messages per person and conversation."""

    def __init__(self) -> None:
        self._kept: defaultdict[tuple[str, str], deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=_KEPT))

    def add(self, person: str, channel: str, message: dict[str, Any]) -> None:
        """Show a message to one person."""
        self._kept[person, channel].append(message)

    def of(self, person: str, channel: str, thread_ts: str | None = None) -> list[dict[str, Any]]:
        """What the person was shown in the channel itself, or in one thread."""
        return [message for message in self._kept.get((person, channel), ()) if message.get("thread_ts") == thread_ts]

    def all_of(self, person: str, channel: str) -> list[dict[str, Any]]:
        """Everything the person was shown in a conversation."""
        return list(self._kept.get((person, channel), ()))

    def find(self, person: str, channel: str, ts: str) -> dict[str, Any] | None:
        """One of them, so that its buttons can be pressed."""
        return next((m for m in self._kept.get((person, channel), ()) if m["ts"] == ts), None)
