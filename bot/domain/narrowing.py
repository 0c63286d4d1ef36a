"""Narrowing: what a question names (ids, an invoice's number, amounts, days) and which facts fit it.

It only ever takes away from what was found inside a scope: an id of somebody else's fits nothing, like one that does
not exist. A mere number ("the 49"), and since when somebody waits, narrow only where they fit something.

Does not interact with any dependencies, only processes data.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from itertools import islice
from typing import Final, TypeVar

from bot.domain.days import Days, day_of
from bot.domain.lookups import Facts
from bot.domain.money import Money
from bot.domain.narrowing_amounts import Amount, amounts_in
from bot.domain.narrowing_days import days_in
from bot.domain.redaction import Redacted
from bot.domain.transactions import Dispute, Fact, Found, Invoice, Payment, Refund, Subscription

MAX_READ: Final = 2000
"""Characters of a question that are looked at: who writes more names what they mean before that."""
MOST_NAMED: Final = 10
"""Amounts and days of a question."""

_ID: Final = re.compile(r"(?<![A-Za-z0-9])(?:ch|py|pi|re|pyr|in|sub|dp|du|cus)_[A-Za-z0-9_]*[A-Za-z0-9]")
_LONG_ID: Final = 14
"""From here on it is an id even without a digit, and no word with an underscore."""
_CUSTOMER: Final = "cus_"
_NUMBER: Final = re.compile(r"(?<![\w-])(?P<stem>[A-Za-z0-9]{2,16}(?:-[A-Za-z0-9]{1,12}){0,3})-[0-9]{3,8}(?![\w-])")
_NUMBER_SAID: Final = re.compile(r"\b(?:invoice|bill|receipt)s?(?:\s+(?:number|no|nr))?\b[\s.:#]*$", re.IGNORECASE)
_CARDS: Final = frozenset({"visa", "mastercard", "amex", "card", "discover", "ending"})

F = TypeVar("F", Payment, Refund, Invoice, Subscription, Dispute)
Seen = Callable[[Fact], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question names, in the asker's time zone. Invoice `numbers` are case-folded."""

    zone: tzinfo
    ids: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    amounts: tuple[Amount, ...] = ()
    days: tuple[Days, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether it names nothing."""
        return not (self.ids or self.customers or self.numbers or self.amounts or self.days)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The facts that fit, and what of the question made them `fit`. `near`: not on the day named, but about then."""

    facts: Facts
    fit: Asked
    near: bool = False


def asked(question: Redacted, now: datetime, zone: tzinfo) -> Asked:
    """What a question names. `now` says which Tuesday is meant."""
    text = unicodedata.normalize("NFKC", question[:MAX_READ])
    ids = {found for found in _ID.findall(text) if len(found) >= _LONG_ID or any(char.isdigit() for char in found)}
    text = _ID.sub("\n", text)
    days, text = days_in(text, day_of(now, zone))
    numbers = [found for found in _NUMBER.finditer(text) if _is_number(text, found)]
    for found in numbers:
        text = text[: found.start()] + "\n" * len(found.group()) + text[found.end() :]
    return Asked(
        zone=zone,
        ids=frozenset(found for found in ids if not found.startswith(_CUSTOMER)),
        customers=frozenset(found for found in ids if found.startswith(_CUSTOMER)),
        numbers=frozenset(found.group().casefold() for found in numbers),
        amounts=tuple(islice(amounts_in(text), MOST_NAMED)),
        days=days[:MOST_NAMED],
    )


def picked(id: str, zone: tzinfo) -> Asked:
    """What somebody names who picked one of several candidates."""
    return Asked(zone, ids=frozenset({id}))


def narrowed(facts: Facts, wanted: Asked) -> Narrowed:
    """The facts that fit what was asked. An id or an invoice's number decides alone; else amounts and days do."""
    seen = _Index(facts, wanted.zone)
    fit = Asked(wanted.zone)
    near = False
    if wanted.customers:
        facts = _kept(facts, lambda fact: fact.customer.id in wanted.customers)
        fit = replace(fit, customers=wanted.customers)
    if wanted.ids or wanted.numbers:
        fit = replace(fit, ids=wanted.ids, numbers=wanted.numbers)
        return Narrowed(_kept(facts, lambda fact: seen.named(fact, wanted)), fit)
    amounts = _decisive(wanted.amounts, lambda amount: amount.sure)
    by_amount = _kept(facts, lambda fact: seen.costs(fact, amounts), plans=seen.plan_costs(amounts))
    if amounts and (amounts[0].sure or _any(by_amount)):
        facts, fit = by_amount, replace(fit, amounts=amounts)
    days = _decisive(wanted.days, lambda several: several.sure)
    if days:
        by_day, near = _by_day(facts, seen, days)
        if days[0].sure or _any(by_day):
            facts, fit = by_day, replace(fit, days=days)
    return Narrowed(facts, fit, near)


# ---- parts -----------------------------------------------------------------------------------------------------

T = TypeVar("T")


def _is_number(text: str, found: re.Match[str]) -> bool:
    """An invoice's number has letters and digits, or is called one."""
    stem = found["stem"]
    if stem.casefold() in _CARDS:
        return False
    return any(char.isalpha() for char in stem) or bool(
        _NUMBER_SAID.search(text, max(0, found.start() - 30), found.start())
    )


def _decisive(given: tuple[T, ...], sure: Callable[[T], bool]) -> tuple[T, ...]:
    """Those that surely are what they seem, if there are any; else all."""
    return tuple(one for one in given if sure(one)) or given


def _by_day(facts: Facts, seen: _Index, days: Sequence[Days]) -> tuple[Facts, bool]:
    exact = _kept(facts, lambda fact: seen.on(fact, days), plans=lambda fact: True)
    if _any(exact):
        return exact, False
    about = [several.about for several in days]
    near = _kept(facts, lambda fact: seen.on(fact, about), plans=lambda fact: True)
    return near, _any(near)


def _kept(facts: Facts, keep: Seen, plans: Seen | None = None) -> Facts:
    """The facts to keep; of subscriptions those that `plans` keeps, if it is given."""
    return Facts(
        _of(facts.payments, keep),
        _of(facts.refunds, keep),
        _of(facts.invoices, keep),
        _of(facts.subscriptions, plans or keep),
        _of(facts.disputes, keep),
    )


def _of(found: Found[F], keep: Seen) -> Found[F]:
    return Found(tuple(fact for fact in found.facts if keep(fact)), found.complete)


def _any(facts: Facts) -> bool:
    """Whether anything that has a day is left."""
    return bool(facts.payments.facts or facts.refunds.facts or facts.invoices.facts or facts.disputes.facts)


class _Index:
    """Facts with what belongs to them: somebody who names a payment means its refund too."""

    def __init__(self, facts: Facts, zone: tzinfo) -> None:
        self._zone = zone
        self._subscriptions = facts.subscriptions.facts
        self._payments = {payment.id: payment for payment in facts.payments.facts}
        self._of_payment: dict[str, list[str]] = {}
        about_payments: tuple[Refund | Dispute, ...] = (*facts.refunds.facts, *facts.disputes.facts)
        for fact in about_payments:
            if fact.payment is not None:
                self._of_payment.setdefault(fact.payment, []).append(fact.id)

    def named(self, fact: Fact, wanted: Asked) -> bool:
        """Whether an id or a number names it."""
        if not wanted.ids.isdisjoint(self._ids(fact)):
            return True
        if isinstance(fact, Invoice):
            return fact.number is not None and fact.number.casefold() in wanted.numbers
        payment = self._payment(fact)
        text = (payment.description or "").casefold() if payment is not None else ""
        return any(re.search(rf"(?<![\w-]){re.escape(number)}(?![\w-])", text) for number in wanted.numbers)

    def costs(self, fact: Fact, amounts: Sequence[Amount]) -> bool:
        """Whether it, or the payment that it is about, is of such an amount."""
        return any(amount.fits(money) for amount in amounts for money in self._money(fact))

    def plan_costs(self, amounts: Sequence[Amount]) -> Seen:
        """Amounts narrow subscriptions where one has such a price: a bill adds up to something else."""
        priced = {plan.id for plan in self._subscriptions if self.costs(plan, amounts)}
        return lambda fact: not priced or fact.id in priced

    def on(self, fact: Fact, days: Sequence[Days]) -> bool:
        """Whether it, or the payment that it is about, is of such a day."""
        return any(several.hold(day) for several in days for day in self._days(fact))

    def _ids(self, fact: Fact) -> Iterable[str]:
        payment = self._payment(fact)
        found = [fact.id]
        if payment is not None:
            found.append(payment.id)
            found += [payment.intent] if payment.intent else []
        if isinstance(fact, Refund | Dispute) and fact.payment is not None:
            found.append(fact.payment)
        if isinstance(fact, Payment):
            found += self._of_payment.get(fact.id, [])
        return found

    def _payment(self, fact: Fact) -> Payment | None:
        if isinstance(fact, Payment):
            return fact
        if isinstance(fact, Refund | Dispute) and fact.payment is not None:
            return self._payments.get(fact.payment)
        return None

    def _money(self, fact: Fact) -> list[Money]:
        if isinstance(fact, Invoice):
            return [fact.total, fact.due]
        if isinstance(fact, Subscription):
            return [fact.price] if fact.price is not None else []
        payment = self._payment(fact)
        return [fact.money] if payment is None or payment is fact else [fact.money, payment.money]

    def _days(self, fact: Fact) -> list[date]:
        if isinstance(fact, Subscription):
            return []
        payment = self._payment(fact)
        moments = [fact.created_at, payment.created_at if payment is not None else None]
        if isinstance(fact, Invoice):
            moments.append(fact.due_at)
        return [day_of(moment, self._zone) for moment in moments if moment is not None]
