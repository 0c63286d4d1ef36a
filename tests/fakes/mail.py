"""Mail that arrives in a list, and what Slack says about people."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from bot.errors import NotFound, Unavailable
from bot.ports import Profile


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail that was sent."""

    to: str
    subject: str
    text: str


class FakeMail:
    """Fulfils `bot.ports.Mail`. `down = True`: every sending raises Unavailable; `fails`: raises that instead; while
    `open` is not set, sendings wait."""

    def __init__(self) -> None:
        self.down = False
        self.fails: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.sent: list[Sent] = []

    async def send(self, to: str, subject: str, text: str) -> None:
        await self.open.wait()
        if self.down:
            raise Unavailable("mail")
        if self.fails is not None:
            raise self.fails
        self.sent.append(Sent(to, subject, text))


class FakeProfiles:
    """Fulfils `bot.ports.Profiles`. Knows who was added. `down = True`: Slack does not answer. `asked` counts."""

    def __init__(self, team: str = "T1") -> None:
        self.down = False
        self.asked = 0
        self._team = team
        self._people: dict[str, Profile] = {}

    def add(self, user: str, email: str | None, **more: Any) -> FakeProfiles:
        """Add somebody: a full member of our team with a confirmed e-mail, but for what `more` says."""
        self._people[user] = replace(Profile(email, True, True, self._team, "en-GB", "Europe/Berlin"), **more)
        return self

    def change(self, user: str, **changes: Any) -> None:
        """Slack says something else about somebody from now on."""
        self._people[user] = replace(self._people[user], **changes)

    def remove(self, user: str) -> None:
        """Slack knows them no more."""
        del self._people[user]

    async def profile(self, user: str) -> Profile:
        self.asked += 1
        if self.down:
            raise Unavailable("slack")
        if user not in self._people:
            raise NotFound("user", user)
        return self._people[user]
