"""Hostile callers through the service: `Lookups.look` over the real adapter to a Stripe sandbox.

What comes back must hold nothing of anybody else, must be what it would be if nobody else were there at all, and must
not tell somebody else's id from one that does not exist: the same requests, the same words.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bot.app import Stores, open_stores
from bot.domain.identity import CustomerRef, IdentityRule, Provider
from bot.domain.lookups import READS, Facts, Lookup, Records
from bot.domain.narrowing import asked, picked
from bot.domain.redaction import redacted
from bot.domain.search import find
from bot.domain.transactions import Found
from bot.errors import HandrailError
from bot.measure.belongings import Books, seen_in
from bot.measure.hostile_callers import (
    ELSEWHERE,
    HOME,
    LINKED,
    MALFORMED,
    SPECIALIST,
    Caller,
    Roster,
    Stopped,
    callers,
    people,
)
from bot.measure.hostile_questions import NO_LOOKUPS, Grammar, Question
from bot.measure.hostile_tally import Tally
from bot.services.identity import Identity, NoMail, identity_key
from bot.services.lookup_words import said, specialist_lines
from bot.services.lookups import Lookups, Shown, Unproven
from bot.services.money_words import reader_of
from bot.settings import load_settings
from integrations.stripe.adapter import StripePayments
from integrations.stripe.sandbox import Request, Sandbox
from integrations.stripe.sandbox_story import Story

STATIONS: Final = 6
"""Look-ups side by side, each with a sandbox of its own, so that whose requests are whose is known."""

_ANYWHERE: Final = "https://stripe.example"
"""Stands for a sandbox's address in links: each has a port of its own."""

Told = tuple[str, ...]
"""All that an answer shows, each part on its own."""


@dataclass(frozen=True, slots=True)
class Station:
    """A place where one question is asked at a time."""

    sandbox: Sandbox
    lookups: Lookups


async def through_service(
    questions: int, seed: int, folder: Path, *, sandboxes: Sequence[Sandbox] = (), story: Story | None = None
) -> Tally:
    """Ask so many generated questions of people drawn by chance. `sandboxes`: to be asked instead of fresh ones;
    `story`: whose is what, where they do not tell it rightly."""
    clock = Stopped(datetime.now(UTC))
    settings = load_settings({"data_dir": folder, "database_url": None}, env_file=None)
    async with open_stores(settings, clock) as stores, AsyncExitStack() as stack:
        opened = sandboxes or tuple(Sandbox(clock=clock) for _ in range(STATIONS))
        stations = [await stack.enter_async_context(_station(stores, clock, one)) for one in opened]
        await _link(stations[0].lookups.identity)
        books = Books(story or stations[0].sandbox.story)
        trial = Trial(books, await _alone(stores, clock, books), clock, random.Random(seed), questions)
        began = time.monotonic()
        await asyncio.gather(*(trial.work(station) for station in stations))
        trial.tally.seconds = time.monotonic() - began
        broken = await stores.audit.verify()
        if broken is not None:
            trial.tally.failed.append(f"the audit log breaks at row {broken}")
    return trial.tally


@asynccontextmanager
async def _station(stores: Stores, clock: Stopped, sandbox: Sandbox) -> AsyncIterator[Station]:
    async with sandbox:
        payments = StripePayments(sandbox.key, sandbox.url, clock)
        roster, secret = Roster(people()), await identity_key(stores.codes)
        identity = Identity(
            *(stores.links, stores.codes, roster, roster, payments, NoMail(), clock),
            key=secret,
            home=HOME,
            rule=IdentityRule.EMAIL,
        )
        yield Station(sandbox, Lookups(identity, payments, roster, stores.audit, clock, by_mail=False))
        await payments.close()


async def _link(identity: Identity) -> None:
    for user, name in LINKED.items():
        ref = CustomerRef(Provider.STRIPE, f"cus_sandbox_{name}")
        await identity.link(SPECIALIST, HOME, (user,), (ref,), redacted("they showed an invoice"))


async def _alone(stores: Stores, clock: Stopped, books: Books) -> Mapping[str, Facts]:
    """What each caller's records are in a world in which there is nobody else."""
    found: dict[str, Facts] = {}
    for caller in callers(books):
        if not caller.own:
            continue
        theirs = tuple(one for one in books.story.customers if one.name in caller.own)
        only = Sandbox(replace(books.story, customers=theirs), clock=clock)
        async with _station(stores, clock, only) as station:
            scope = await station.lookups.identity.scope(HOME, caller.id)
            if scope is None:
                raise AssertionError(f"{caller.id} is nobody's customer, against the story")
            payments = station.lookups.payments
            lists: dict[str, Found[Any]] = {str(one): await getattr(payments, one)(scope) for one in Records}
            found[caller.id] = Facts(**{name: _moved(listed, only.url) for name, listed in lists.items()})
    return found


def _moved(found: Found[Any], url: str) -> Found[Any]:
    """With links that name no sandbox."""
    return Found(tuple(_relinked(fact, url) for fact in found.facts), found.complete)


def _relinked(fact: Any, url: str) -> Any:
    links = {one.name: getattr(fact, one.name) for one in fields(fact) if one.name in ("url", "receipt_url")}
    return replace(fact, **{name: link.replace(url, _ANYWHERE) for name, link in links.items() if link})


class Trial:
    """Puts the questions, and judges what comes back. `alone`: by caller, their records where nobody else is."""

    def __init__(
        self, books: Books, alone: Mapping[str, Facts], clock: Stopped, chance: random.Random, questions: int
    ) -> None:
        self.tally = Tally()
        self._books = books
        self._alone = alone
        self._now = clock.now()
        self._chance = chance
        self._waiting: Iterator[int] = iter(range(questions))
        self._callers = callers(books)
        self._bag: list[Caller] = []
        self._grammars = {own: Grammar(books, own, chance) for own in {one.own for one in self._callers}}
        self._readers = {one.id: reader_of(one.locale, one.tz) for one in people()}

    async def work(self, station: Station) -> None:
        """Ask until no question is left."""
        for _ in self._waiting:
            caller = self._next()
            team = ELSEWHERE if self._chance.random() < 0.03 else HOME
            question = self._grammars[caller.own].question()
            self.tally.asked += 1
            if self._chance.random() < 0.01:
                self._misnamed()
            await self._ask(station, caller, team, question)

    def _next(self) -> Caller:
        """Everybody comes as often, but those who own something three times: there is more to be seen."""
        if not self._bag:
            self._bag = [one for caller in self._callers for one in (caller,) * (3 if caller.own else 1)]
            self._chance.shuffle(self._bag)
        return self._bag.pop()

    def _misnamed(self) -> None:
        """A look-up that there is not is none."""
        name = self._chance.choice(NO_LOOKUPS)
        try:
            Lookup(name)
        except ValueError:
            self.tally.outcomes["no such look-up"] += 1
        else:
            self.tally.failed.append(f"{name!r} is a look-up")

    async def _ask(self, station: Station, caller: Caller, team: str, question: Question) -> None:
        own = caller.own_in(team)
        found, requests = await self._look(station, caller, team, question)
        about = f"{caller.id} in {team}, {question.lookup}, pick {question.pick}: {question.text[:200]!r}"
        told = _told(found, station.sandbox.url)
        seen = self._strangers_in(found, told, own, caller.locale, question)
        if seen:
            self.tally.strangers.append(f"{about} shows {seen[:5]}")
        if told != self._expected(caller, own, question):
            self.tally.unlike_alone.append(about)
        if question.names_somebody:
            self.tally.twins += 1
            twin, asked_of_it = await self._look(station, caller, team, question.about_nobody)
            if (_told(twin, station.sandbox.url), asked_of_it) != (told, requests):
                self.tally.told_apart.append(f"{about} and {question.twin[:200]!r}")

    def _strangers_in(
        self, found: Shown | Unproven | None, told: Told, own: frozenset[str], locale: str, question: Question
    ) -> list[str]:
        """What of anybody else stands in an answer, or is among the objects that the audit log has of it."""
        heard = f"{question.text} {question.pick}"
        strangers = self._books.strangers(own, locale)
        seen = [one for part in told for one in seen_in(part, strangers, heard)]
        if isinstance(found, Shown):
            mine = self._books.ids_of(own)
            seen += [named for named in found.findings.objects if named not in mine]
        return seen

    async def _look(
        self, station: Station, caller: Caller, team: str, question: Question
    ) -> tuple[Shown | Unproven | None, Sequence[Request]]:
        """The answer, and the requests for it whatever their order."""
        sandbox = station.sandbox
        sandbox.forget()
        found: Shown | Unproven | None = None
        text = redacted(question.text)
        try:
            found = await station.lookups.look(question.lookup, team, caller.id, text, question.pick)
        except (HandrailError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            if caller.id in MALFORMED and isinstance(error, ValueError):
                self.tally.outcomes["no such caller"] += 1
                return None, sorted(sandbox.requests, key=str)
            self.tally.failed.append(f"{type(error).__name__} for {caller.id}, {question.lookup}: {text[:200]!r}")
        self.tally.outcomes[_outcome(found)] += 1
        self.tally.requests += len(sandbox.requests)
        self.tally.writes += [f"{one.method} {one.path}" for one in sandbox.writes]
        return found, sorted(sandbox.requests, key=str)

    def _expected(self, caller: Caller, own: frozenset[str], question: Question) -> Told:
        """What they are told where nobody else is."""
        if caller.id in MALFORMED:
            return _told(None)
        if not own:
            return _told(Unproven(can_prove=False))
        known, kinds = self._alone[caller.id], READS[question.lookup]
        facts = Facts(**{str(one): getattr(known, one) if one in kinds else Found() for one in Records})
        reader, text = self._readers[caller.id], redacted(question.text)
        wanted = asked(text, self._now, reader.zone) if question.pick is None else picked(question.pick, reader.zone)
        findings = find(question.lookup, facts, wanted, self._now)
        return _told(Shown(said(findings, reader), specialist_lines(findings), findings))


def _outcome(found: Shown | Unproven | None) -> str:
    if not isinstance(found, Shown):
        return "failed" if found is None else "unproven"
    return f"shown: {type(found.findings.finding).__name__}"


def _told(found: Shown | Unproven | None, url: str = _ANYWHERE) -> Told:
    """All that is shown to the customer and to specialists."""
    if found is None:
        return ("nothing",)
    if isinstance(found, Unproven):
        return ("unproven",)
    table = () if found.said.table is None else (found.said.table.header, *found.said.table.rows)
    rows = (" | ".join(row) for row in table)
    options = (f"{option.id} {option.label}" for option in found.said.options)
    text = found.said.text.replace(url, _ANYWHERE)
    return (text, *rows, *options, *found.lines, f"hands over: {found.said.hands_over}", *found.findings.objects)
