"""Findings in words: to the customer whose money it is, and to specialists.

Sentences are templates in code: no model writes an amount, a date or a state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

from bot.domain.findings import (
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
from bot.domain.lookups import Lookup
from bot.domain.narrowing import Asked
from bot.domain.redaction import Redacted, redacted
from bot.domain.replies import Option
from bot.domain.tables import Table
from bot.domain.transactions import Dispute, Fact, Invoice, Payment, Refund, RefundState, Subscription
from bot.services.money_words import Reader, format_day, format_days, format_money, zone_named
from bot.services.outside_words import outside
from bot.services.payment_words import alike_words, failure_words, payment_words, payments_words, state_of
from bot.services.plan_words import dispute_state, dispute_words, invoice_line, invoices_words, plan_words, price_of
from bot.services.refund_words import no_refund_words, refund_words
from bot.services.specialist_words import specialist_lines

__all__ = ["Option", "Said", "said", "specialist_lines"]

MAX_LABEL: Final = 75
"""Characters of an option: Slack's limit."""
NEAR: Final = "There is nothing on exactly that day. This is the closest to it."
NOT_ALL: Final = "Only the newest records could be searched, so there may be more."
SPECIALIST_CAN_LOOK: Final = "A specialist can look further if you like."

_SEARCHED: Final = {
    Lookup.REFUNDS: "the refunds and payments",
    Lookup.PAYMENTS: "the payments",
    Lookup.DUPLICATES: "the payments",
    Lookup.FAILURES: "the payments",
    Lookup.UNKNOWN_CHARGE: "the payments",
    Lookup.SUBSCRIPTION: "the subscriptions",
    Lookup.INVOICES: "the invoices",
    Lookup.DISPUTES: "the disputes",
}
_FOUND_NONE: Final = {
    Lookup.REFUNDS: "found no refund",
    Lookup.PAYMENTS: "found none",
    Lookup.DUPLICATES: "found no two of the same amount within three days",
    Lookup.FAILURES: "found none that failed",
    Lookup.UNKNOWN_CHARGE: "found none that fits. Your bank can say which company it comes from",
    Lookup.SUBSCRIPTION: "found none",
    Lookup.INVOICES: "found none",
    Lookup.DISPUTES: "found none",
}
_REFUND_STATES: Final = {
    RefundState.PENDING: "pending",
    RefundState.NEEDS_ACTION: "waits for you",
    RefundState.SUCCEEDED: "handed to your bank",
    RefundState.FAILED: "failed",
    RefundState.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said to a customer, in a private place only. `text` is Markdown of ours; the `table` belongs to it, and
    `table.text` is the same as plain text. `options`: they are to pick one. `hands_over`: the text says that a
    specialist checks it, so that one must be called."""

    text: Redacted
    table: Table | None = None
    options: tuple[Option, ...] = ()
    hands_over: bool = False


def said(findings: Findings, reader: Reader) -> Said:
    """The findings of a look-up, for the customer. `reader.zone` is the zone in which they asked."""
    paragraphs, table, hands_over = _words(findings, reader)
    options: tuple[Option, ...] = ()
    if isinstance(findings.finding, Select):
        options = tuple(Option(fact.id, label_of(fact, reader)) for fact in findings.finding.candidates)
    nothing = isinstance(findings.finding, Nothing)
    if findings.near and not nothing:
        paragraphs = [NEAR, *paragraphs]
    if not findings.complete:
        paragraphs.append(NOT_ALL)
    if nothing:
        paragraphs.append(SPECIALIST_CAN_LOOK)
    if not nothing or findings.fit.days:
        paragraphs.append(f"Days are in {zone_named(reader)}.")
    return Said(redacted("\n\n".join(paragraphs)), _redacted_table(table), options, hands_over)


def _words(findings: Findings, reader: Reader) -> tuple[list[str], Table | None, bool]:
    """Paragraphs, a table, and whether a specialist must be called."""
    finding = findings.finding
    match finding:
        case RefundFound():
            return refund_words(finding, reader), None, False
        case NoRefund():
            return no_refund_words(finding, reader), None, False
        case PaymentFound():
            return payment_words(finding, findings.lookup, reader), None, False
        case PaymentsFound():
            return *payments_words(finding, reader), False
        case AlikeFound():
            return alike_words(finding, reader)
        case FailureFound():
            return failure_words(finding, reader), None, False
        case PlanFound():
            return plan_words(finding, reader), None, False
        case InvoicesFound():
            return invoices_words(finding, reader), None, False
        case DisputeFound():
            return dispute_words(finding, reader), None, False
        case Select():
            return _select_words(finding), None, False
        case Nothing():
            return _nothing_words(findings, reader), None, False
        case _:
            assert_never(finding)


def _select_words(finding: Select) -> list[str]:
    older = f" These are the newest; {finding.more} more are older." if finding.more else ""
    return [f"I found more than one that you may mean. Which one is it?{older}"]


def _nothing_words(findings: Findings, reader: Reader) -> list[str]:
    """The same words for what is not there and for what is somebody else's."""
    found = _FOUND_NONE[findings.lookup]
    return [f"I searched {_SEARCHED[findings.lookup]} on record for you{_wanted(findings.fit, reader)}, and {found}."]


def _wanted(fit: Asked, reader: Reader) -> str:
    """What of the question was searched for."""
    parts = []
    if fit.ids or fit.numbers or fit.customers:
        parts.append(" by the number that you gave")
    if fit.amounts:
        parts.append(f" for {' or '.join(outside(amount.said, 30) for amount in fit.amounts[:3])}")
    if fit.days:
        days = (f"{'on ' if days.one else ''}{format_days(days, reader)}" for days in fit.days[:3])
        parts.append(f" {' or '.join(days)}")
    return "".join(parts)


def label_of(fact: Fact, reader: Reader) -> str:
    """A fact in one short line of plain text."""
    match fact:
        case Payment():
            parts = [_priced(fact, reader), state_of(fact), outside(fact.description, 30)]
        case Refund():
            parts = [_priced(fact, reader), _REFUND_STATES[fact.state]]
        case Dispute():
            parts = [_priced(fact, reader), dispute_state(fact.state)]
        case Invoice():
            parts = [invoice_line(fact, reader, link=False)]
        case Subscription():
            since = f"since {format_day(fact.started_at, reader)}"
            parts = [outside(fact.plan, 30) or "Subscription", price_of(fact, reader), since]
        case _:
            assert_never(fact)
    label = redacted(" · ".join(part for part in parts if part))
    return label if len(label) <= MAX_LABEL else f"{label[: MAX_LABEL - 1].rstrip()}…"


def _priced(fact: Payment | Refund | Dispute, reader: Reader) -> str:
    return f"{format_money(fact.money, reader.locale)} · {format_day(fact.created_at, reader)}"


def _redacted_table(table: Table | None) -> Table | None:
    """Cells are redacted one by one: a row is never read as one number."""
    if table is None:
        return None
    return Table(table.header, tuple(tuple(redacted(cell) for cell in row) for row in table.rows))
