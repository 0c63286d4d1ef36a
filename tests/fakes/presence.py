"""A typing status that only remembers."""

from __future__ import annotations

from bot.domain.replies import Address


class FakePresence:
    """Fulfils `bot.ports.Presence`. `shown` are the messages that the bot was seen working on, by place; `log` is all
    that happened, in order."""

    def __init__(self) -> None:
        self.shown: dict[Address, str] = {}
        self.log: list[tuple[str, str]] = []

    def working(self, to: Address, ts: str) -> None:
        self.shown[to] = ts
        self.log.append(("working", to.channel))

    def done(self, to: Address) -> None:
        if self.shown.pop(to, None) is not None:
            self.log.append(("done", to.channel))
