"""Typing statuses: that an app is at work in a thread. They are in memory only and end by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from integrations.workspace.changes import Change, Changes
from integrations.workspace.clock import Clock, Timer
from integrations.workspace.seed import App, Channel

SECONDS_SHOWN = 120
_Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Status:
    """What one app shows in one thread; ``thread_ts`` is the thread's first message. An empty text: nothing."""

    channel: str
    thread_ts: str
    app: App
    text: str


class Statuses:
    """The statuses that are shown now. Each is taken down by the app, by the app's next message in the thread, with
    the thread's first message, when the app leaves, or after ``SECONDS_SHOWN`` of workspace time."""

    def __init__(self, clock: Clock, changes: Changes) -> None:
        self._clock = clock
        self._changes = changes
        self._shown: dict[_Place, tuple[Status, Timer]] = {}
        changes.listen(self._on_change)

    def set(self, status: Status) -> None:
        """Show a status in place of the app's former one in that thread; an empty text takes it down."""
        place = status.channel, status.thread_ts, status.app.id
        self._take_down(place, silently=bool(status.text))
        if status.text:
            until = self._clock.now() + SECONDS_SHOWN
            timer = self._clock.call_at(until, lambda: self._take_down(place))
            self._shown[place] = status, timer
            self._changes.tell("status", status=status)

    def of(self, channel: str) -> list[Status]:
        """What is shown in a conversation, oldest first."""
        return [status for status, _ in self._shown.values() if status.channel == channel]

    def _take_down(self, place: _Place, *, silently: bool = False) -> None:
        status, timer = self._shown.pop(place, (None, None))
        if status is None or timer is None:
            return
        timer.cancel()
        if not silently:
            self._changes.tell("status", status=Status(status.channel, status.thread_ts, status.app, ""))

    def _on_change(self, change: Change) -> None:
        if change.kind not in ("message", "message_deleted", "channel"):
            return
        channel, message = change.data["channel"], change.data.get("message", {})
        for place, (status, _) in list(self._shown.items()):
            if place[0] == channel.id and _is_over(status, change.kind, message, channel):
                self._take_down(place)


def _is_over(status: Status, kind: str, message: dict[str, Any], channel: Channel) -> bool:
    if kind == "message":
        return bool(message.get("thread_ts") == status.thread_ts and message.get("app_id") == status.app.id)
    if kind == "message_deleted":
        return bool(message["ts"] == status.thread_ts)
    return status.app.bot_user not in channel.members
