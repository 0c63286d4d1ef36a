"""Findings for specialists: terse lines for a case's internal card. Plain text, days in UTC, amounts with a code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import assert_never

from bot.domain.findings import (
    OPEN_DISPUTES,
    AlikeFound,
    DisputeFound,
    FailureFound,
    Findings,
    InvoicesFound,
    NoRefund,
    Nothing,
    PaymentFound,
    PaymentsFound,
    PlanFound,
    RefundFound,
    Select,
)
from bot.domain.findings_declines import Advice, tellable_code
from bot.domain.redaction import Redacted, redacted
from bot.domain.transactions import Dispute, DisputeState, Fact, Invoice, Method, Payment, Refund, Subscription
from bot.services.money_words import plain_money
from bot.services.outside_words import outside

MOST_LINES = 20


def specialist_lines(findings: Findings) -> tuple[Redacted, ...]:
    """What a specialist must know first (an open dispute, its deadline), then what was found, a line each."""
    lines = [*_warnings(findings), *_lines(findings)]
    if findings.near:
        lines.append("No record on the day that was named: the closest one.")
    if not findings.complete:
        lines.append("Only the newest records were read.")
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"… {len(lines) - MOST_LINES + 1} more"]
    return tuple(redacted(line) for line in lines)


def _warnings(findings: Findings) -> Iterator[str]:
    """Open disputes first: money that goes back during one may go back twice."""
    for dispute in sorted(findings.disputes, key=lambda one: one.state not in OPEN_DISPUTES):
        if dispute.state is DisputeState.INQUIRY:
            due = f", answer due {_moment(dispute.due_at)}" if dispute.due_at else ""
            yield f"Do not refund before you have looked: {dispute.id} is an inquiry about {dispute.payment}{due}, " + (
                f"{plain_money(dispute.money)}. No money has moved; a full refund closes it"
            )
        elif dispute.state in OPEN_DISPUTES:
            due = f", answer due {_moment(dispute.due_at)}" if dispute.due_at else ""
            yield f"Do not refund: dispute {dispute.id} open on {dispute.payment} ({_state(dispute)}){due}, " + (
                plain_money(dispute.money)
            )
        else:
            yield f"Do not refund {dispute.payment}: its dispute {dispute.id} was lost, the money went back already"
    for payment in findings.disputed:
        yield f"Do not refund {payment} before you have checked: it is marked as disputed"


def _lines(findings: Findings) -> Iterator[str]:
    finding = findings.finding
    match finding:
        case RefundFound():
            yield _refund(finding.refund, finding.payment)
            yield f"Stage: {finding.stage}; usually visible {finding.usual.first} to {finding.usual.last}"
        case NoRefund():
            yield f"No refund of {_payment(finding.payment)}"
        case PaymentFound():
            yield _payment(finding.payment)
            yield from (_refund(refund, finding.payment) for refund in finding.refunds)
        case PaymentsFound():
            yield from map(_payment, finding.payments)
        case AlikeFound():
            yield from _alike(finding)
        case FailureFound():
            yield from _failure(finding)
        case PlanFound():
            yield _plan(finding.subscription)
            yield from (_invoice(bill) for bill in (finding.invoice,) if bill is not None)
        case InvoicesFound():
            yield from map(_invoice, finding.invoices)
        case DisputeFound():
            yield _dispute(finding.dispute)
        case Select():
            yield f"Asked to choose between {len(finding.candidates) + finding.more}"
            yield from map(_line, finding.candidates)
        case Nothing():
            yield f"Look-up {findings.lookup}: nothing found"
        case _:
            assert_never(finding)


def _alike(finding: AlikeFound) -> Iterator[str]:
    for group in finding.groups:
        customers = f", {group.customers} customers" if group.customers > 1 else ""
        yield f"{len(group.payments)} payments of {plain_money(group.payments[0].money)}: {group.alike}{customers}"
        yield from map(_payment, group.payments)
    if finding.plans > 1:
        yield f"{finding.plans} subscriptions that are not over"


def _failure(finding: FailureFound) -> Iterator[str]:
    """The codes that must look generic look so here too: what is told here is passed on."""
    yield _payment(finding.payment)
    code, decline = tellable_code(finding.payment.decline), finding.payment.decline
    if finding.advice is Advice.OUR_RULE:
        yield "Stopped by a rule of ours, not by the bank"
    else:
        network = f"; network says {decline.advice}" if code and decline and decline.advice else ""
        yield f"Declined: {code}; {finding.advice}{network}" if code else "Declined: generic, no reason to be told"
    if finding.paid is not None:
        yield f"Went through later: {_payment(finding.paid)}"


# ---- a line each -----------------------------------------------------------------------------------------------


def _line(fact: Fact) -> str:
    match fact:
        case Payment():
            return _payment(fact)
        case Refund():
            return _refund(fact, None)
        case Invoice():
            return _invoice(fact)
        case Subscription():
            return _plan(fact)
        case Dispute():
            return _dispute(fact)
        case _:
            assert_never(fact)


def _payment(payment: Payment) -> str:
    back = f", refunded {plain_money(payment.refunded)}" if payment.refunded.amount else ""
    return f"{payment.id}: {plain_money(payment.money)}, {payment.state}{back}, {_day(payment.created_at)}" + _with(
        payment.method
    )


def _refund(refund: Refund, payment: Payment | None) -> str:
    parts = [f"{refund.id}: {plain_money(refund.money)}", str(refund.state), _day(refund.created_at)]
    if refund.payment:
        parts.append(f"of {refund.payment}")
    if refund.reversal:
        parts.append("reversal")
    parts += [f"{name} {outside(value)}" for name, value in _details(refund) if value]
    if payment is not None and refund.money.currency == payment.money.currency:
        parts += ["above its payment"] if refund.money.amount > payment.money.amount else []
    return ", ".join(parts) + _with(refund.method)


def _details(refund: Refund) -> tuple[tuple[str, str | None], ...]:
    trace = refund.trace or ("not yet" if refund.trace_pending else None)
    failure = refund.failure if refund.failure != "lost_or_stolen_card" else "card or account closed"
    return (("trace", trace), ("failed:", failure), ("pending:", refund.pending))


def _invoice(bill: Invoice) -> str:
    again = f", next try {_day(bill.next_attempt_at)}" if bill.next_attempt_at else ""
    due = f", due {_day(bill.due_at)}" if bill.due_at else ""
    name = outside(bill.number, 40) or "no number"
    return f"{bill.id} ({name}): {plain_money(bill.total)}, {bill.state}, {_day(bill.created_at)}{due}{again}"


def _plan(plan: Subscription) -> str:
    price = f", {plain_money(plan.price)}" if plan.price is not None else ""
    number = f" × {plan.quantity}" if plan.quantity not in (None, 1) else ""
    ends = f", ends {_day(plan.ends_at)}" if plan.ends_at else ""
    until = f", period to {_day(plan.period_end)}" if plan.period_end else ""
    return f"{plan.id}: {outside(plan.plan, 40)}{price}{number}, {outside(plan.state, 30)}{until}{ends}"


def _dispute(dispute: Dispute) -> str:
    about = f"{_state(dispute)}, on {dispute.payment}, {_day(dispute.created_at)}"
    return f"{dispute.id}: {plain_money(dispute.money)}, {about}"


def _state(dispute: Dispute) -> str:
    return dispute.state.replace("_", " ")


def _with(method: Method) -> str:
    return f", {method.brand or method.kind}{f' {method.last4}' if method.last4 else ''}"


def _day(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}" if moment is not None else ""


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
