"""The story of the sandbox, typed: who has what. `story.yaml` beside this tells it, and how to write one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from bot.domain.money import Money
from bot.errors import UsageError

PERMISSIONS: Final = ("charge", "customer", "dispute", "invoice", "payment_intent", "plan", "product", "subscription")
"""What a restricted key may be let read: `rak_charge_read` and so on. Refunds go with charges, prices are plans."""

Ended = Literal["succeeded", "pending", "held", "released", "declined", "blocked", "unauthenticated"]


class BadStory(UsageError):
    """A story file breaks its format. `problems`: one line each, with its line and field."""

    def __init__(self, path: str, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(f"{path}, {problem}" for problem in problems))
        self.path = path
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Method:
    """What was paid with. `brand` is a card's."""

    kind: str = "card"
    brand: str | None = "visa"
    last4: str | None = "4242"
    wallet: str | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """`trace`: the number, "pending" or "unavailable". Times are from now, here and below."""

    name: str
    money: Money
    at: timedelta
    state: str
    trace: str
    reversal: bool = False
    failed: str | None = None
    waits: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    state: str
    money: Money
    at: timedelta
    due: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Payment:
    """One attempt. `why`: a decline code, or what Radar found. `until`: when a hold ends, or ended."""

    name: str
    purchase: str
    money: Money
    at: timedelta
    method: Method
    text: str | None
    ended: Ended = "succeeded"
    why: str | None = None
    until: timedelta | None = None
    captured: Money | None = None
    statement: str = "ACME"
    refunds: tuple[Refund, ...] = ()
    dispute: Dispute | None = None
    metadata: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    name: str
    title: str
    price: Money
    interval: str
    count: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """`renews`: the end of its period. `ends`: at that end; `ended`: when it was over."""

    name: str
    plan: str
    state: str
    started: timedelta
    renews: timedelta
    quantity: int = 1
    ends: bool = False
    ended: timedelta | None = None
    trial_until: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """`paid_by`: the payment; `tried`: payments that failed."""

    name: str
    number: str | None
    total: Money
    at: timedelta
    state: str
    due: timedelta | None = None
    next_attempt: timedelta | None = None
    text: str | None = None
    subscription: str | None = None
    paid_by: str | None = None
    tried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Customer:
    name: str
    email: str | None
    called: str | None
    since: timedelta
    note: str
    deleted: bool = False
    payments: tuple[Payment, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    invoices: tuple[Invoice, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """Everything the sandbox begins with. `keys`: what each restricted key may read, by key, the fullest first;
    `nobody`: addresses of people who are in the workspace and are no customers."""

    keys: Mapping[str, frozenset[str]]
    plans: Mapping[str, Plan]
    customers: tuple[Customer, ...]
    nobody: tuple[str, ...] = ()
