"""Facts: what a provider says about a customer's money, typed and neutral of the provider.

Each names the customer whose it is, so that a scope can be checked again on every one. Text that people outside wrote
(`description`, plan names) is kept short and is only ever shown escaped. Times are aware, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from bot.domain.identity import CustomerRef
from bot.domain.money import Money

MAX_TEXT = 80
"""Characters of a text from outside."""


class PaymentState(StrEnum):
    """held: authorised and not taken. pending: on its way, as bank debits are for days."""

    SUCCEEDED = "succeeded"
    HELD = "held"
    PENDING = "pending"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a payment failed. `code` is the provider's decline code, "" when there is none; `ours`: a rule of the
    merchant's own refused it (Radar), so the bank is not to blame; `advice` is the network's word, where it gave one.
    """

    code: str
    ours: bool = False
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """What was paid with: `kind` such as "card", "us_bank_account", "paypal"; for cards brand and last four digits."""

    kind: str
    brand: str | None = None
    last4: str | None = None
    wallet: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """One attempt to take money. `refunded` is what went back so far; attempts at one purchase share an `intent`."""

    id: str
    customer: CustomerRef
    money: Money
    state: PaymentState
    created_at: datetime
    refunded: Money
    method: Method
    intent: str | None = None
    disputed: bool = False
    decline: Decline | None = None
    hold_until: datetime | None = None
    description: str | None = None
    statement: str | None = None
    receipt_url: str | None = None


class RefundState(StrEnum):
    """succeeded means handed to the bank: nothing tells when it lands."""

    PENDING = "pending"
    NEEDS_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "canceled"


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back. `trace` is the number a bank can search by (ARN or similar), when there is one;
    `reversal`: the payment itself is undone, so it vanishes instead of coming back and has no trace number."""

    id: str
    payment: str | None
    customer: CustomerRef
    money: Money
    state: RefundState
    created_at: datetime
    method: Method
    trace: str | None = None
    trace_pending: bool = False
    reversal: bool = False
    failure: str | None = None
    pending: str | None = None


class InvoiceState(StrEnum):
    """As the provider says. A draft is no bill yet."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"


@dataclass(frozen=True, slots=True)
class Invoice:
    """A bill. `url` shows it to whoever has it, until `url_until` when that is known: for a private place only."""

    id: str
    number: str | None
    customer: CustomerRef
    total: Money
    due: Money
    state: InvoiceState
    created_at: datetime
    due_at: datetime | None = None
    next_attempt_at: datetime | None = None
    attempts: int = 0
    url: str | None = None
    url_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A plan. `state` is the provider's (trialing, active, past_due, unpaid, canceled, incomplete, paused…)."""

    id: str
    customer: CustomerRef
    state: str
    plan: str
    price: Money | None
    interval: str | None
    quantity: int | None
    started_at: datetime
    period_end: datetime | None = None
    ends_at: datetime | None = None
    trial_end: datetime | None = None


class DisputeState(StrEnum):
    """An inquiry is the step before a dispute: no money has moved."""

    INQUIRY = "inquiry"
    INQUIRY_CLOSED = "inquiry_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payment that the customer's bank asks about or takes back. `due_at` is our deadline, for specialists only."""

    id: str
    payment: str
    customer: CustomerRef
    money: Money
    state: DisputeState
    created_at: datetime
    due_at: datetime | None = None
    refundable: bool = False


F = TypeVar("F")

Fact = Payment | Refund | Invoice | Subscription | Dispute


@dataclass(frozen=True, slots=True)
class Found(Generic[F]):
    """What a reading gave, newest first. `complete` is False when there was more than the stated limit."""

    facts: tuple[F, ...] = field(default=())
    complete: bool = True
