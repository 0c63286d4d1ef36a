"""Payments that look alike: same amount and currency within three days.

Whether one was taken too often is for a specialist to say. What is plainly something else is told apart: a hold beside
the payment, another try after one that failed, one that went back already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from bot.domain.transactions import Payment, PaymentState

WITHIN: Final = timedelta(hours=72)

_TAKEN: Final = frozenset({PaymentState.SUCCEEDED, PaymentState.PENDING})
_ON_HOLD: Final = frozenset({PaymentState.HELD, PaymentState.CANCELLED})


class Alike(StrEnum):
    """Why payments look alike. SEVERAL: more than one was taken and kept. RETURNED: all but one went back, or all.
    HOLD: at most one was taken, others are holds. RETRY: one was taken, others failed. NOT_TAKEN: all failed."""

    SEVERAL = "several"
    RETURNED = "returned"
    HOLD = "hold"
    RETRY = "retry"
    NOT_TAKEN = "not taken"


@dataclass(frozen=True, slots=True)
class Group:
    """Payments of one amount, oldest first: two at least."""

    alike: Alike
    payments: tuple[Payment, ...]

    @property
    def customers(self) -> int:
        """How many customers of the scope they belong to."""
        return len({payment.customer for payment in self.payments})


def twins(one: Payment, other: Payment) -> bool:
    """Whether two payments look alike."""
    return (
        one.id != other.id
        and one.money == other.money
        and one.money.amount > 0
        and abs(one.created_at - other.created_at) <= WITHIN
    )


def groups_of(payments: Iterable[Payment]) -> tuple[Group, ...]:
    """All payments that look alike, the newest group first. Each is in one group at most."""
    found = [Group(_alike(members), members) for members in _chains(payments) if len(members) > 1]
    return tuple(sorted(found, key=lambda group: _place(group.payments[-1]), reverse=True))


def taken(payment: Payment) -> bool:
    """Whether its money was taken, or is on its way."""
    return payment.state in _TAKEN


def kept(payment: Payment) -> bool:
    """Whether its money was taken and did not all go back."""
    return taken(payment) and payment.refunded.amount < payment.money.amount


def _chains(payments: Iterable[Payment]) -> Iterator[tuple[Payment, ...]]:
    """Payments of one amount, each within three days of the one before."""
    chain: list[Payment] = []
    once = {payment.id: payment for payment in payments}
    for payment in sorted(once.values(), key=lambda one: (one.money.currency, one.money.amount, *_place(one))):
        if chain and not twins(chain[-1], payment):
            yield tuple(chain)
            chain = []
        chain.append(payment)
    yield tuple(chain)


def _place(payment: Payment) -> tuple[object, str]:
    return payment.created_at, payment.id


def _alike(payments: tuple[Payment, ...]) -> Alike:
    if sum(map(kept, payments)) > 1:
        return Alike.SEVERAL
    if sum(map(taken, payments)) > 1:
        return Alike.RETURNED
    if any(payment.state in _ON_HOLD for payment in payments):
        return Alike.HOLD
    return Alike.RETRY if any(map(taken, payments)) else Alike.NOT_TAKEN
