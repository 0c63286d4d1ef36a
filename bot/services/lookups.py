"""Look-ups: what somebody's payment records say, for the one whose money it is.

Each is scoped by `bot.services.identity`, reads only, and leaves a row in the audit log before anybody sees it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.domain.audit import Entry
from bot.domain.findings import Findings, Nothing
from bot.domain.identity import CustomerScope
from bot.domain.lookups import READS, Facts, Lookup, Records
from bot.domain.narrowing import asked, picked
from bot.domain.redaction import Redacted
from bot.domain.search import find
from bot.domain.transactions import Found
from bot.errors import NotFound, Unavailable
from bot.ports import Audit, Clock, Payments, Profiles
from bot.services.identity import Identity
from bot.services.lookup_words import Said, said, specialist_lines
from bot.services.money_words import Reader, reader_of
from bot.telemetry import count

NOBODY: Final = "none"
"""What stands in the audit log where no rule made anybody a customer."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What was found: `said` for the customer, in a private place only; `lines` for specialists."""

    said: Said
    lines: tuple[Redacted, ...]
    findings: Findings


@dataclass(frozen=True, slots=True)
class Unproven:
    """Nobody knows which customer they are, so nothing was read. `can_prove`: a code by mail would settle it."""

    can_prove: bool


@dataclass(frozen=True, slots=True)
class Lookups:
    """Carries out look-ups. `by_mail`: codes can be sent."""

    identity: Identity
    payments: Payments
    profiles: Profiles
    audit: Audit
    clock: Clock
    by_mail: bool

    async def look(
        self, lookup: Lookup, team: str, user: str, question: Redacted, pick: str | None = None
    ) -> Shown | Unproven:
        """What `user`, who asked `question`, may see of it. `pick` is the id of what they picked from several: it
        narrows like one in their words. Raises Unavailable: then nothing may be said of it."""
        began = self.clock.now()
        person = f"{team}:{user}"
        try:
            scope, reader = await asyncio.gather(self.identity.scope(team, user), self._reader(user))
            if scope is None:
                await self._keep(Entry(began, person, person, NOBODY, str(lookup), (), 0, "unproven"))
                return Unproven(self.by_mail)
            facts = await self._read(lookup, scope)
        except Unavailable:
            await self._keep(Entry(began, person, person, NOBODY, str(lookup), (), 0, "unavailable"))
            raise
        wanted = asked(question, began, reader.zone) if pick is None else picked(pick, reader.zone)
        findings = find(lookup, facts, wanted, began)
        outcome = "nothing" if isinstance(findings.finding, Nothing) else "shown"
        seen = findings.objects
        await self._keep(Entry(began, person, person, str(scope.proof), str(lookup), seen, len(seen), outcome))
        return Shown(said(findings, reader), specialist_lines(findings), findings)

    async def _reader(self, user: str) -> Reader:
        try:
            profile = await self.profiles.profile(user)
        except NotFound:
            return reader_of(None, None)
        return reader_of(profile.locale, profile.zone)

    async def _read(self, lookup: Lookup, scope: CustomerScope) -> Facts:
        """The lists that this look-up needs, side by side."""
        wanted = sorted(READS[lookup])
        lists: list[Found[Any]] = await asyncio.gather(*(self._list(records, scope) for records in wanted))
        found: Mapping[str, Found[Any]] = dict(zip(map(str, wanted), lists, strict=True))
        return Facts(**found)

    async def _list(self, records: Records, scope: CustomerScope) -> Found[Any]:
        match records:
            case Records.PAYMENTS:
                return await self.payments.payments(scope)
            case Records.REFUNDS:
                return await self.payments.refunds(scope)
            case Records.INVOICES:
                return await self.payments.invoices(scope)
            case Records.SUBSCRIPTIONS:
                return await self.payments.subscriptions(scope)
            case Records.DISPUTES:
                return await self.payments.disputes(scope)

    async def _keep(self, entry: Entry) -> None:
        """One row in the audit log. Nothing is shown whose row could not be kept: an error goes through."""
        count("lookups", kind=entry.kind, outcome=entry.outcome)
        await self.audit.add(_timed(entry, self.clock.now()))


def _timed(entry: Entry, now: datetime) -> Entry:
    took = max(0, round((now - entry.at).total_seconds() * 1000))
    return Entry(
        entry.at, entry.who, entry.for_whom, entry.rule, entry.kind, entry.objects, entry.count, entry.outcome, took
    )
