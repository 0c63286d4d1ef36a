"""Findings: what a look-up comes to, typed, before anybody words it.

Pure and deterministic: the order in which facts come changes nothing. Nothing is ever summed up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.domain.days import Days
from bot.domain.findings_declines import Advice
from bot.domain.findings_duplicates import Group
from bot.domain.findings_refunds import RefundStage
from bot.domain.lookups import Lookup
from bot.domain.narrowing import Asked
from bot.domain.transactions import Dispute, DisputeState, Fact, Invoice, Payment, Refund, Subscription

MOST: Final = 10
"""Rows of a list, candidates of a select."""

OPEN_DISPUTES: Final = frozenset({DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW})


@dataclass(frozen=True, slots=True)
class RefundFound:
    """A refund, the payment that it is of, when it is usually seen; `others` were found too and are older."""

    refund: Refund
    payment: Payment | None
    stage: RefundStage
    usual: Days
    others: int = 0


@dataclass(frozen=True, slots=True)
class NoRefund:
    """There is the payment that is meant, and no refund of it."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class PaymentFound:
    """One payment, and the refunds of it that are not failed or cancelled, newest first."""

    payment: Payment
    refunds: tuple[Refund, ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentsFound:
    """Payments, newest first; `more` were left out."""

    payments: tuple[Payment, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class AlikeFound:
    """Payments that look alike, in groups, the newest first; `more` groups were left out. `plans`: subscriptions that
    are not over."""

    groups: tuple[Group, ...]
    plans: int = 0
    more: int = 0


@dataclass(frozen=True, slots=True)
class FailureFound:
    """A payment that failed, the newest of so many `attempts` at one purchase; `paid` is a later one that went
    through. `others` are other purchases that failed before."""

    payment: Payment
    advice: Advice
    attempts: int = 1
    paid: Payment | None = None
    others: int = 0


class PlanStage(StrEnum):
    """What a subscription is about to do. UNKNOWN: a state that we do not know what to say of."""

    ACTIVE = "active"
    TRIAL = "trial"
    ENDING = "ending"
    ENDED = "ended"
    PAST_DUE = "past due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PlanFound:
    """A subscription. `next_payment` is when the next one is planned; `invoice` the open one, when there is just one
    of that customer; `others`: over, or not asked for."""

    subscription: Subscription
    stage: PlanStage
    next_payment: datetime | None = None
    invoice: Invoice | None = None
    others: int = 0


@dataclass(frozen=True, slots=True)
class InvoicesFound:
    """Invoices, newest first; `more` were left out. Links that are over are taken out."""

    invoices: tuple[Invoice, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class DisputeFound:
    """A dispute and the payment that it is about."""

    dispute: Dispute
    payment: Payment | None
    others: int = 0


@dataclass(frozen=True, slots=True)
class Select:
    """Several may be meant: the newest ten, for a person to choose from by id; `more` were left out."""

    candidates: tuple[Fact, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing that fits."""


Finding = (
    RefundFound
    | NoRefund
    | PaymentFound
    | PaymentsFound
    | AlikeFound
    | FailureFound
    | PlanFound
    | InvoicesFound
    | DisputeFound
    | Select
    | Nothing
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look-up came to. `fit` is what of the question narrowed it, `near` that no day fitted exactly; `complete`
    that the provider had nothing more. `disputes` are those that a specialist must know of before money goes back:
    open ones and lost ones; `disputed` are payments marked so of which no dispute was read. Neither is for customers.
    """

    lookup: Lookup
    finding: Finding
    fit: Asked
    near: bool = False
    complete: bool = True
    disputes: tuple[Dispute, ...] = ()
    disputed: tuple[str, ...] = ()

    @property
    def objects(self) -> tuple[str, ...]:
        """The ids of all that is said or offered, for the audit log."""
        return tuple(dict.fromkeys(fact.id for fact in _facts(self.finding)))


def _facts(finding: Finding) -> tuple[Fact, ...]:
    match finding:
        case RefundFound():
            found: tuple[Fact | None, ...] = (finding.refund, finding.payment)
        case NoRefund():
            found = (finding.payment,)
        case PaymentFound():
            found = (finding.payment, *finding.refunds)
        case PaymentsFound():
            found = finding.payments
        case AlikeFound():
            found = tuple(payment for group in finding.groups for payment in group.payments)
        case FailureFound():
            found = (finding.payment, finding.paid)
        case PlanFound():
            found = (finding.subscription, finding.invoice)
        case InvoicesFound():
            found = finding.invoices
        case DisputeFound():
            found = (finding.dispute, finding.payment)
        case Select():
            found = finding.candidates
        case Nothing():
            found = ()
    return tuple(fact for fact in found if fact is not None)
