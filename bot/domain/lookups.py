"""Look-ups: what can be asked about somebody's money, and what each reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bot.domain.transactions import Dispute, Found, Invoice, Payment, Refund, Subscription


class Lookup(StrEnum):
    """A kind of look-up, as an article's `lookup` names it."""

    REFUNDS = "refunds"
    PAYMENTS = "payments"
    DUPLICATES = "duplicates"
    FAILURES = "failures"
    UNKNOWN_CHARGE = "unknown_charge"
    SUBSCRIPTION = "subscription"
    INVOICES = "invoices"
    DISPUTES = "disputes"


class Records(StrEnum):
    """A list that a provider keeps: the name of its method in `bot.ports.Payments`, and of its field in `Facts`."""

    PAYMENTS = "payments"
    REFUNDS = "refunds"
    INVOICES = "invoices"
    SUBSCRIPTIONS = "subscriptions"
    DISPUTES = "disputes"


_MONEY_THAT_MOVED: Final = frozenset({Records.PAYMENTS, Records.REFUNDS, Records.DISPUTES})

READS: Final[Mapping[Lookup, frozenset[Records]]] = {
    Lookup.REFUNDS: _MONEY_THAT_MOVED,
    Lookup.PAYMENTS: _MONEY_THAT_MOVED,
    Lookup.DUPLICATES: _MONEY_THAT_MOVED | {Records.SUBSCRIPTIONS},
    Lookup.FAILURES: frozenset({Records.PAYMENTS}),
    Lookup.UNKNOWN_CHARGE: _MONEY_THAT_MOVED,
    Lookup.SUBSCRIPTION: frozenset({Records.SUBSCRIPTIONS, Records.INVOICES}),
    Lookup.INVOICES: frozenset({Records.INVOICES}),
    Lookup.DISPUTES: frozenset({Records.DISPUTES, Records.PAYMENTS}),
}
"""Disputes are read wherever a specialist might refund: they must know of one first."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a look-up read. A list that it did not read is empty."""

    payments: Found[Payment] = field(default_factory=Found)
    refunds: Found[Refund] = field(default_factory=Found)
    invoices: Found[Invoice] = field(default_factory=Found)
    subscriptions: Found[Subscription] = field(default_factory=Found)
    disputes: Found[Dispute] = field(default_factory=Found)

    @property
    def complete(self) -> bool:
        """Whether nothing was left out of any list."""
        lists = (self.payments, self.refunds, self.invoices, self.subscriptions, self.disputes)
        return all(one.complete for one in lists)
