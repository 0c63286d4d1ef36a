"""From facts to findings: what a look-up comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from bot.domain.findings import (
    MOST,
    OPEN_DISPUTES,
    AlikeFound,
    DisputeFound,
    FailureFound,
    Finding,
    Findings,
    InvoicesFound,
    NoRefund,
    Nothing,
    PaymentFound,
    PaymentsFound,
    PlanFound,
    PlanStage,
    RefundFound,
    Select,
)
from bot.domain.findings_declines import advice_on
from bot.domain.findings_duplicates import WITHIN, groups_of, taken
from bot.domain.findings_refunds import stage_of, usual_days
from bot.domain.lookups import Facts, Lookup
from bot.domain.narrowing import Asked, Narrowed, narrowed
from bot.domain.transactions import (
    Dispute,
    DisputeState,
    Fact,
    Invoice,
    InvoiceState,
    Payment,
    PaymentState,
    Refund,
    RefundState,
    Subscription,
)

CURRENT: Final = timedelta(days=45)
"""What somebody who names nothing most likely means is not older."""
ALIKE_CURRENT: Final = timedelta(days=90)
MOST_GROUPS: Final = 3

F = TypeVar("F", Payment, Refund, Invoice, Subscription, Dispute)

_PLANS: Final = {
    "active": PlanStage.ACTIVE,
    "trialing": PlanStage.TRIAL,
    "past_due": PlanStage.PAST_DUE,
    "unpaid": PlanStage.UNPAID,
    "paused": PlanStage.PAUSED,
    "incomplete": PlanStage.INCOMPLETE,
    "canceled": PlanStage.ENDED,
    "incomplete_expired": PlanStage.ENDED,
}
_OVER: Final = frozenset({PlanStage.ENDED, PlanStage.INCOMPLETE})


def find(lookup: Lookup, facts: Facts, wanted: Asked, now: datetime) -> Findings:
    """What a look-up of these facts comes to for somebody who asked for this."""
    left = narrowed(facts, wanted)
    finding = _FINDERS[lookup](facts, left, now)
    warn = tuple(sorted((one for one in facts.disputes.facts if _warns(one)), key=_newest, reverse=True))
    read = {dispute.payment for dispute in facts.disputes.facts}
    return Findings(
        lookup=lookup,
        finding=finding,
        fit=left.fit,
        near=left.near,
        complete=facts.complete,
        disputes=warn,
        disputed=tuple(sorted(one.id for one in facts.payments.facts if one.disputed and one.id not in read)),
    )


# ---- by kind ---------------------------------------------------------------------------------------------------


def _refunds(facts: Facts, left: Narrowed, now: datetime) -> Finding:
    refunds = _sorted(left.facts.refunds.facts)
    if not refunds:
        charged = [payment for payment in left.facts.payments.facts if payment.state is not PaymentState.FAILED]
        return NoRefund(charged[0]) if len(charged) == 1 and not left.fit.nothing else Nothing()
    refund = _the_one(refunds, left, lambda one: one.created_at >= now - CURRENT)
    if refund is None:
        return _select(refunds)
    return RefundFound(
        refund,
        next((payment for payment in facts.payments.facts if payment.id == refund.payment), None),
        stage_of(refund, now, left.fit.zone),
        usual_days(refund, left.fit.zone),
        others=len(refunds) - 1,
    )


def _payments(facts: Facts, left: Narrowed, now: datetime) -> Finding:
    payments = _sorted(left.facts.payments.facts)
    if not payments:
        return Nothing()
    if len(payments) == 1:
        return _payment(facts, payments[0])
    return PaymentsFound(tuple(payments[:MOST]), max(0, len(payments) - MOST))


def _unknown_charge(facts: Facts, left: Narrowed, now: datetime) -> Finding:
    payments = _sorted(left.facts.payments.facts)
    if not payments:
        return Nothing()
    return _payment(facts, payments[0]) if len(payments) == 1 else _select(payments)


def _payment(facts: Facts, payment: Payment) -> PaymentFound:
    under_way = [
        refund
        for refund in _sorted(facts.refunds.facts)
        if refund.payment == payment.id and refund.state not in (RefundState.FAILED, RefundState.CANCELLED)
    ]
    return PaymentFound(payment, tuple(under_way[:MOST]))


def _duplicates(facts: Facts, left: Narrowed, now: datetime) -> Finding:
    """Who names one of two payments means both, so all are compared, and the groups are narrowed."""
    named = {payment.id for payment in left.facts.payments.facts}
    groups = [group for group in groups_of(facts.payments.facts) if any(one.id in named for one in group.payments)]
    if left.fit.nothing:
        groups = [group for group in groups if group.payments[-1].created_at >= now - ALIKE_CURRENT] or groups
    if not groups:
        return Nothing()
    plans = sum(_plan_stage(plan, now) not in _OVER for plan in facts.subscriptions.facts)
    return AlikeFound(tuple(groups[:MOST_GROUPS]), plans, max(0, len(groups) - MOST_GROUPS))


def _failures(facts: Facts, left: Narrowed, now: datetime) -> Finding:
    purchases: dict[str, list[Payment]] = {}
    for payment in _sorted(left.facts.payments.facts):
        if payment.state is PaymentState.FAILED:
            purchases.setdefault(payment.intent or payment.id, []).append(payment)
    newest = [attempts[0] for attempts in purchases.values()]
    if not newest:
        return Nothing()
    failed = _the_one(newest, left, lambda one: one.created_at >= now - CURRENT)
    if failed is None:
        return _select(newest)
    return FailureFound(
        failed,
        advice_on(failed.decline),
        attempts=len(purchases[failed.intent or failed.id]),
        paid=_paid_after(failed, facts.payments.facts),
        others=len(newest) - 1,
    )


def _paid_after(failed: Payment, payments: Iterable[Payment]) -> Payment | None:
    """The payment that took the place of one that failed: the same purchase, or the same amount within three days."""
    for payment in reversed(_sorted(payments)):
        after = payment.created_at - failed.created_at
        same = (payment.intent is not None and payment.intent == failed.intent) or (
            payment.money == failed.money and after <= WITHIN
        )
        if same and taken(payment) and after >= timedelta(0) and payment.customer == failed.customer:
            return payment
    return None


def _subscription(facts: Facts, left: Narrowed, now: datetime) -> Finding:
    plans = sorted(left.facts.subscriptions.facts, key=lambda one: (one.started_at, one.id), reverse=True)
    if not plans:
        return Nothing()
    plan = _the_one(plans, left, lambda one: _plan_stage(one, now) not in _OVER)
    if plan is None:
        return _select(plans)
    stage = _plan_stage(plan, now)
    renews = stage in (PlanStage.ACTIVE, PlanStage.TRIAL)
    due = (plan.trial_end if stage is PlanStage.TRIAL else None) or plan.period_end
    unpaid = [
        invoice
        for invoice in facts.invoices.facts
        if invoice.state is InvoiceState.OPEN and invoice.customer == plan.customer
    ]
    return PlanFound(
        plan,
        stage,
        next_payment=due if renews and due is not None and due >= now else None,
        invoice=_linked(unpaid[0], now) if len(unpaid) == 1 else None,
        others=len(plans) - 1,
    )


def _plan_stage(plan: Subscription, now: datetime) -> PlanStage:
    stage = _PLANS.get(plan.state, PlanStage.UNKNOWN)
    if plan.ends_at is None or stage in _OVER:
        return stage
    return PlanStage.ENDED if plan.ends_at <= now else PlanStage.ENDING if renewing(stage) else stage


def renewing(stage: PlanStage) -> bool:
    """Whether a plan at this stage would go on if nothing were done."""
    return stage in (PlanStage.ACTIVE, PlanStage.TRIAL)


def _invoices(facts: Facts, left: Narrowed, now: datetime) -> Finding:
    """A draft is no bill yet."""
    bills = [bill for bill in _sorted(left.facts.invoices.facts) if bill.state is not InvoiceState.DRAFT]
    if not bills:
        return Nothing()
    return InvoicesFound(tuple(_linked(bill, now) for bill in bills[:MOST]), max(0, len(bills) - MOST))


def _linked(bill: Invoice, now: datetime) -> Invoice:
    """Without its link when that is over."""
    return replace(bill, url=None, url_until=None) if bill.url_until is not None and bill.url_until <= now else bill


def _disputes(facts: Facts, left: Narrowed, now: datetime) -> Finding:
    disputes = _sorted(left.facts.disputes.facts)
    if not disputes:
        return Nothing()
    dispute = _the_one(disputes, left, lambda one: one.state in OPEN_DISPUTES)
    if dispute is None:
        return _select(disputes)
    about = next((payment for payment in facts.payments.facts if payment.id == dispute.payment), None)
    return DisputeFound(dispute, about, others=len(disputes) - 1)


_FINDERS: Final[dict[Lookup, Callable[[Facts, Narrowed, datetime], Finding]]] = {
    Lookup.REFUNDS: _refunds,
    Lookup.PAYMENTS: _payments,
    Lookup.DUPLICATES: _duplicates,
    Lookup.FAILURES: _failures,
    Lookup.UNKNOWN_CHARGE: _unknown_charge,
    Lookup.SUBSCRIPTION: _subscription,
    Lookup.INVOICES: _invoices,
    Lookup.DISPUTES: _disputes,
}


# ---- parts -----------------------------------------------------------------------------------------------------


def _the_one(candidates: Sequence[F], left: Narrowed, current: Callable[[F], bool]) -> F | None:
    """The one that is meant, None when several may be. Who names nothing means what is going on now."""
    likely = [one for one in candidates if current(one)] if left.fit.nothing else list(candidates)
    if len(candidates) == 1:
        return candidates[0]
    return likely[0] if len(likely) == 1 else None


def _select(candidates: Sequence[Fact]) -> Select:
    return Select(tuple(candidates[:MOST]), max(0, len(candidates) - MOST))


def _sorted(facts: Iterable[F]) -> list[F]:
    """Newest first."""
    return sorted(facts, key=_newest, reverse=True)


def _newest(fact: Fact) -> tuple[datetime, str]:
    return (fact.started_at if isinstance(fact, Subscription) else fact.created_at, fact.id)


def _warns(dispute: Dispute) -> bool:
    return dispute.state in OPEN_DISPUTES or dispute.state is DisputeState.LOST
