"""A specialists' channel that a test makes up."""

from __future__ import annotations

from bot.errors import Unavailable


class FakeDesk:
    """Fulfils `bot.ports.Desk`. `fit` is what it says; `down = True`: Slack does not answer. `asked` counts
    questions."""

    def __init__(self, *, fit: bool = True) -> None:
        self.fit = fit
        self.down = False
        self.asked = 0

    async def private(self) -> bool:
        self.asked += 1
        if self.down:
            raise Unavailable("slack")
        return self.fit
