"""One look at a refund that somebody asked to be told of: scoped anew each time, read, judged, in the audit log."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bot.domain.audit import Entry
from bot.domain.findings import OPEN_DISPUTES, Findings, RefundFound
from bot.domain.identity import CustomerScope
from bot.domain.lookups import Lookup
from bot.domain.narrowing import Asked
from bot.domain.refund_news import RETRY_AFTER, Event, RefundNews, Verdict, decide, next_look, postponed
from bot.domain.transactions import DisputeState, Refund
from bot.errors import NotFound, Unavailable
from bot.ports import Audit, Clock, Payments, Profiles
from bot.services.identity import Identity
from bot.services.lookups import NOBODY
from bot.services.money_words import Reader, reader_of
from bot.telemetry import count

KIND: Final = "refund_news"
"""How these looks stand in the audit log."""

_SHOWS_NOTHING: Final = frozenset({None, Event.STARTED, Event.LOST, Event.EXPIRED})
_WARNS: Final = OPEN_DISPUTES | {DisputeState.LOST}


@dataclass(frozen=True, slots=True)
class Reading:
    """What was seen and what it comes to. `refund` None: it was not seen. `findings` are there when there is something
    to say of it."""

    verdict: Verdict
    reader: Reader
    refund: Refund | None = None
    findings: Findings | None = None


@dataclass(frozen=True, slots=True)
class RefundReading:
    """Looks at refunds for those who wait for news."""

    identity: Identity
    payments: Payments
    profiles: Profiles
    audit: Audit
    clock: Clock

    async def read(self, news: RefundNews, *, whole: bool = False) -> Reading:
        """Look once. `whole`: with findings in any case. What does not answer is no news, and looked at later."""
        began = self.clock.now()
        rule, outcome = NOBODY, "unavailable"
        reading = Reading(postponed(news, began, began + RETRY_AFTER), reader_of(None, None))
        try:
            scope, reader = await asyncio.gather(self.identity.scope(news.team, news.user), self._reader(news.user))
            if scope is None:
                outcome, reading = "unproven", Reading(decide(news, None, began, reader.zone), reader)
            else:
                rule, reading = str(scope.proof), await self._read(news, scope, reader, whole=whole)
                outcome = _outcome(reading)
        except Unavailable:
            count("refund_news", result="unavailable")
        await self._keep(news, began, rule, outcome, reading)
        return reading

    async def _read(self, news: RefundNews, scope: CustomerScope, reader: Reader, *, whole: bool) -> Reading:
        now = self.clock.now()
        found = await self.payments.refunds(scope)
        refund = next((one for one in found.facts if one.id == news.refund and scope.holds(one.customer)), None)
        if refund is None and not found.complete:
            # Older than what was read: it may well be theirs, and nobody can say.
            later = next_look(news.id, now, news.ends_at, reader.zone)
            return Reading(postponed(news, now, later), reader)
        verdict = decide(news, refund, now, reader.zone)
        if refund is None or (verdict.event in _SHOWS_NOTHING and not whole):
            return Reading(verdict, reader, refund)
        return Reading(verdict, reader, refund, await self._findings(verdict, refund, scope, reader))

    async def _findings(
        self, verdict: Verdict, refund: Refund, scope: CustomerScope, reader: Reader
    ) -> Findings | None:
        if verdict.stage is None or verdict.usual is None:
            return None
        payments, disputes = await asyncio.gather(self.payments.payments(scope), self.payments.disputes(scope))
        payment = next((one for one in payments.facts if one.id == refund.payment), None)
        about = [one for one in disputes.facts if one.payment == refund.payment]
        marked = payment is not None and payment.disputed and not about
        return Findings(
            lookup=Lookup.REFUNDS,
            finding=RefundFound(refund, payment, verdict.stage, verdict.usual),
            fit=Asked(reader.zone),
            disputes=tuple(one for one in about if one.state in _WARNS),
            disputed=(payment.id,) if payment is not None and marked else (),
        )

    async def _reader(self, user: str) -> Reader:
        try:
            profile = await self.profiles.profile(user)
        except NotFound:
            return reader_of(None, None)
        return reader_of(profile.locale, profile.zone)

    async def _keep(self, news: RefundNews, began: datetime, rule: str, outcome: str, reading: Reading) -> None:
        """One row in the audit log, before anybody is told."""
        person = f"{news.team}:{news.user}"
        seen: tuple[str, ...] = () if reading.refund is None else (reading.refund.id,)
        if reading.findings is not None:
            seen = reading.findings.objects
        took = max(0, round((self.clock.now() - began).total_seconds() * 1000))
        at = began.astimezone(UTC)
        await self.audit.add(Entry(at, person, person, rule, KIND, seen, len(seen), outcome, took))


def _outcome(reading: Reading) -> str:
    if reading.refund is None:
        return "gone" if reading.verdict.event is Event.LOST else "unavailable"
    return "nothing" if reading.findings is None else "shown"
