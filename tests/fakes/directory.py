"""A directory of people that a test makes up. Passes the contract suite that `SlackDirectory` passes."""

from __future__ import annotations

from bot.domain.redaction import redacted
from bot.errors import NotFound, Unavailable
from bot.ports import Person


class FakeDirectory:
    """Knows who was added. `down = True`: Slack does not answer. `asked` counts questions. Anybody who was added can be
    written to directly, at `direct_id`, but for the people in `closed`."""

    def __init__(self) -> None:
        self.down = False
        self.asked = 0
        self.closed: set[str] = set()
        self._people: dict[str, Person] = {}
        self._staff: set[str] = set()

    def add(self, user: str, name: str, *, member: bool = True, staff: bool = False) -> FakeDirectory:
        """Add or change somebody; returns itself, so that calls can be chained."""
        self._people[user] = Person(user, redacted(name), member)
        (self._staff.add if staff else self._staff.discard)(user)
        return self

    async def person(self, user: str) -> Person:
        self._ask()
        if user not in self._people:
            raise NotFound("user", user)
        return self._people[user]

    async def is_staff(self, user: str) -> bool:
        self._ask()
        person = self._people.get(user)
        return person is not None and person.member and user in self._staff

    async def direct(self, user: str) -> str | None:
        self._ask()
        return direct_id(user) if user in self._people and user not in self.closed else None

    def _ask(self) -> None:
        self.asked += 1
        if self.down:
            raise Unavailable("slack")


def direct_id(user: str) -> str:
    """The direct conversation that the fake has with somebody."""
    return f"D{user}"
