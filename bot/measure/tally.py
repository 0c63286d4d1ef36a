"""Counting what a workspace logs. Its logs keep only the newest lines, so they are read as they grow."""

from __future__ import annotations

from collections import Counter, deque
from typing import TypeVar

from bot.measure.scene import DESK
from integrations.workspace import Workspace

T = TypeVar("T")
_TELLING = ("chat.postMessage", "reactions.add")
_DONE = ("ok", "lose_response")
_LOOK_UPS = ("conversations.replies", "conversations.history")


class Tally:
    """Deliveries and Web API calls of one workspace so far. Call `read` often enough: every few thousand lines."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._delivery: object = None
        self._call: object = None
        self._sendings: set[tuple[str, int]] = set()
        self.deliveries: Counter[str] = Counter()
        """`sent`, `acked`… as the workspace names them; `redelivered` and `duplicated` among the sent."""
        self.calls: Counter[str] = Counter()
        """`method:outcome`; `told`: messages and reactions for customers; `look-up`: reads that search a mark."""

    def read(self) -> None:
        """Count what is new."""
        for record in _newer(self._ws.deliveries, self._delivery):
            self._delivery = record
            self.deliveries[record.outcome] += 1
            if record.outcome == "sent":
                sending = (record.event_id, record.attempt)
                self.deliveries["duplicated"] += sending in self._sendings
                self.deliveries["redelivered"] += record.attempt > 0 and sending not in self._sendings
                self._sendings.add(sending)
        for call in _newer(self._ws.calls, self._call):
            self._call = call
            self.calls[f"{call.method}:{call.outcome}"] += 1
            told = call.method in _TELLING and call.outcome in _DONE and call.args.get("channel") != DESK
            self.calls["told"] += told
            asks_for_marks = str(call.args.get("include_all_metadata", "")).lower() in ("1", "true")
            self.calls["look-up"] += call.method in _LOOK_UPS and asks_for_marks

    def forget(self) -> None:
        """Count from now on."""
        self.read()
        self.deliveries.clear()
        self.calls.clear()


def _newer(log: deque[T], last: object) -> list[T]:
    found: list[T] = []
    for record in reversed(log):
        if record is last:
            break
        found.append(record)
    return found[::-1]
