"""Who asks: people of the demo workspace, and others who only seem to be them; each with what is theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.app import SystemClock
from bot.domain.redaction import redacted
from bot.errors import NotFound
from bot.measure.belongings import Books
from bot.ports import Person, Profile
from integrations.workspace import Person as Seeded
from integrations.workspace import demo_seed

HOME: Final = "T0ACME"
ELSEWHERE: Final = "T0OTHER"
SPECIALIST: Final = "U0MIRA"
LINKED: Final[Mapping[str, str]] = {"U0GIL": "gil", "U1WALKIN": "nomail"}
"""A guest, and a customer without an e-mail, whom a specialist linked: by user, who they are in the story."""
GHOSTS: Final = ("U0NOBODY", "U0ANA0", "W0ANA", "U0HANDRAIL")
"""Ids that none of the people has."""
MALFORMED: Final = ("u0ana", "U0ANA ", "U0ANA,U0BEN", "cus_sandbox_ana", "*", "U0ANA\n", "ana@souza.example", "")
"""What is no id of anybody: such a caller is refused."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks. `own`: whose records are theirs, by the story; `by_link`: only in our own team."""

    id: str
    locale: str
    own: frozenset[str]
    by_link: bool = False

    def own_in(self, team: str) -> frozenset[str]:
        """What is theirs when they are said to ask in this team."""
        return frozenset() if self.by_link and team != HOME else self.own


class Stopped:
    """Implements `bot.ports.Clock` at one moment, so that two runs have the same days."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment
        self._chance = SystemClock()

    def now(self) -> datetime:
        return self._moment

    def new_id(self, prefix: str) -> str:
        return self._chance.new_id(prefix)


class Roster:
    """The people, as Slack would tell of them. Fulfils `bot.ports.Profiles` and `Directory`."""

    def __init__(self, people: Sequence[Seeded]) -> None:
        self._people = {person.id: person for person in people}

    async def profile(self, user: str) -> Profile:
        one = self._one(user)
        email = one.email or None
        member = _member(one)
        return Profile(
            email, one.email_confirmed and email is not None, member, one.team_id or HOME, one.locale, one.tz
        )

    async def person(self, user: str) -> Person:
        one = self._one(user)
        return Person(user, redacted(one.real_name), _member(one))

    async def is_staff(self, user: str) -> bool:
        one = self._people.get(user)
        return one is not None and _staff(one)

    async def direct(self, user: str) -> str | None:
        return f"D{user}" if user in self._people else None

    def _one(self, user: str) -> Seeded:
        if user not in self._people:
            raise NotFound("user", user)
        return self._people[user]


def people() -> tuple[Seeded, ...]:
    """The demo's people, and those who have somebody's address in a way that proves nothing."""
    seeded = demo_seed().people
    ana = next(person for person in seeded if person.id == "U0ANA")
    address = ana.email

    def like_ana(name: str, **changed: object) -> Seeded:
        return replace(ana, id=f"U1{name.upper()}", name=name, real_name="Ana Souza", **changed)  # type: ignore[arg-type]

    return (
        *(person for person in seeded if not person.is_bot),
        like_ana("unconfirmed", email_confirmed=False),
        like_ana("guestana", is_restricted=True),
        like_ana("channelguest", is_ultra_restricted=True),
        like_ana("strangerana", is_stranger=True, team_id=ELSEWHERE),
        like_ana("elsewhere", team_id=ELSEWHERE),
        like_ana("gone", deleted=True),
        like_ana("nomailatall", email=""),
        like_ana("walkin", email="walk.in@acme.example"),
        like_ana("plus", email=address.replace("@", "+ana@")),
        like_ana("beyond", email=f"{address}.evil.example"),
        like_ana("two", email=f"{address},ben@okafor.example"),
        like_ana("wild", email="%@example.com"),
        like_ana("star", email="*"),
        like_ana("wide", email=address.replace("a", "ａ")),
        like_ana("dotless", email="nıls.berg@example.com"),
        like_ana("kelvin", email="Kim@other.example"),
        like_ana("param", email=f"{address}&customer=cus_sandbox_ben"),
        like_ana("customer", email="cus_sandbox_ana"),
    )


def callers(books: Books) -> tuple[Caller, ...]:
    """Everybody who asks: most own something, some nothing, some are nobody."""
    known = tuple(Caller(one.id, one.locale, _own(books, one), one.id in LINKED) for one in people() if not one.deleted)
    return (*known, *(Caller(ghost, "en-US", frozenset()) for ghost in (*GHOSTS, *MALFORMED)))


def _own(books: Books, person: Seeded) -> frozenset[str]:
    """By the rule `email` as the design has it: our own full members who are no staff, by a confirmed address."""
    if person.id in LINKED:
        return frozenset({LINKED[person.id]})
    if not (_member(person) and person.email_confirmed and person.email) or _staff(person):
        return frozenset()
    return books.with_address(person.email)


def _member(person: Seeded) -> bool:
    return not (person.is_guest or person.deleted or person.is_bot) and person.team_id in (None, HOME)


def _staff(person: Seeded) -> bool:
    return person.role in ("specialist", "admin")
