"""Facts that a test makes up, and hypothesis strategies for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from bot.domain.identity import CustomerRef, Provider
from bot.domain.lookups import Facts
from bot.domain.money import Money
from bot.domain.transactions import (
    Decline,
    Dispute,
    DisputeState,
    Fact,
    Found,
    Invoice,
    InvoiceState,
    Method,
    Payment,
    PaymentState,
    Refund,
    RefundState,
    Subscription,
)

NOW = datetime(2026, 5, 14, 10, 0, tzinfo=UTC)
"""A Thursday."""
ANA = CustomerRef(Provider.STRIPE, "cus_ana1")
VISA = Method("card", "visa", "4242")


def usd(amount: int) -> Money:
    return Money(amount, "usd")


def ago(days: float = 0, hours: float = 0) -> datetime:
    return NOW - timedelta(days=days, hours=hours)


def payment(id: str = "ch_1", money: Money | None = None, at: datetime | None = None, **more: Any) -> Payment:
    money = money or usd(4900)
    given: dict[str, Any] = {
        "customer": ANA,
        "state": PaymentState.SUCCEEDED,
        "refunded": Money(0, money.currency),
        "method": VISA,
    }
    return Payment(id=id, money=money, created_at=at or ago(2), **given | more)


def failed(id: str = "ch_1", code: str = "insufficient_funds", *, ours: bool = False, **more: Any) -> Payment:
    return payment(id, state=PaymentState.FAILED, decline=Decline(code, ours=ours), **more)


def refund(id: str = "re_1", money: Money | None = None, at: datetime | None = None, **more: Any) -> Refund:
    given: dict[str, Any] = {
        "payment": "ch_1",
        "customer": ANA,
        "state": RefundState.SUCCEEDED,
        "method": VISA,
    }
    return Refund(id=id, money=money or usd(4900), created_at=at or ago(1), **given | more)


def invoice(id: str = "in_1", number: str | None = "ABCD1234-0001", at: datetime | None = None, **more: Any) -> Invoice:
    given: dict[str, Any] = {
        "customer": ANA,
        "total": usd(4900),
        "due": usd(0),
        "state": InvoiceState.PAID,
    }
    return Invoice(id=id, number=number, created_at=at or ago(5), **given | more)


def subscription(id: str = "sub_1", **more: Any) -> Subscription:
    given: dict[str, Any] = {
        "customer": ANA,
        "state": "active",
        "plan": "Team",
        "price": usd(2500),
        "interval": "month",
        "quantity": 1,
        "started_at": ago(100),
        "period_end": NOW + timedelta(days=20),
    }
    return Subscription(id=id, **given | more)


def dispute(id: str = "dp_1", at: datetime | None = None, **more: Any) -> Dispute:
    given: dict[str, Any] = {
        "payment": "ch_1",
        "customer": ANA,
        "money": usd(4900),
        "state": DisputeState.NEEDS_RESPONSE,
        "due_at": NOW + timedelta(days=9),
    }
    return Dispute(id=id, created_at=at or ago(1), **given | more)


def facts(*given: Fact, complete: bool = True) -> Facts:
    """Facts by their types, in the order given."""
    return Facts(
        payments=Found(tuple(one for one in given if isinstance(one, Payment)), complete),
        refunds=Found(tuple(one for one in given if isinstance(one, Refund)), complete),
        invoices=Found(tuple(one for one in given if isinstance(one, Invoice)), complete),
        subscriptions=Found(tuple(one for one in given if isinstance(one, Subscription)), complete),
        disputes=Found(tuple(one for one in given if isinstance(one, Dispute)), complete),
    )


def ids(given: Facts) -> set[str]:
    """The ids of all facts."""
    lists = (given.payments, given.refunds, given.invoices, given.subscriptions, given.disputes)
    return {fact.id for found in lists for fact in found.facts}


# ---- strategies ------------------------------------------------------------------------------------------------

CURRENCIES = ("usd", "eur", "jpy", "kwd", "isk", "huf", "gbp")
NAMES = st.text(alphabet="abz019", min_size=1, max_size=3)
MONEY = st.builds(Money, st.sampled_from([0, 100, 4900, 4901, -500, 10**15]), st.sampled_from(CURRENCIES))
MOMENTS = st.builds(ago, st.integers(-2, 400), st.integers(0, 23))
CODES = st.sampled_from(
    [
        "lost_card",
        "stolen_card",
        "fraudulent",
        "merchant_blacklist",
        "insufficient_funds",
        "do_not_honor",
        "",
        "new_one",
    ]
)
OUTSIDE = st.one_of(st.none(), st.text(max_size=80), st.sampled_from(["*Team* <!channel>", "[x](https://a.example/)"]))
METHODS = st.sampled_from([VISA, Method("paypal"), Method("unknown"), Method("card", "amex", "0005", "apple_pay")])
CUSTOMERS = st.sampled_from([ANA, CustomerRef(Provider.STRIPE, "cus_ana2")])


@st.composite
def payments(draw: st.DrawFn) -> Payment:
    money = draw(MONEY)
    state = draw(st.sampled_from(PaymentState))
    return Payment(
        id=f"ch_{draw(NAMES)}",
        customer=draw(CUSTOMERS),
        money=money,
        state=state,
        created_at=draw(MOMENTS),
        refunded=Money(draw(st.sampled_from([0, money.amount, 100])), money.currency),
        method=draw(METHODS),
        intent=draw(st.sampled_from([None, "pi_1", "pi_2"])),
        disputed=draw(st.booleans()),
        decline=Decline(draw(CODES), draw(st.booleans())) if state is PaymentState.FAILED else None,
        hold_until=draw(st.one_of(st.none(), MOMENTS)),
        description=draw(OUTSIDE),
        statement=draw(OUTSIDE),
        receipt_url=draw(st.sampled_from([None, "https://pay.stripe.example/r(1)"])),
    )


REFUNDS = st.builds(
    Refund,
    id=st.builds("re_{}".format, NAMES),
    payment=st.one_of(st.none(), st.builds("ch_{}".format, NAMES)),
    customer=CUSTOMERS,
    money=MONEY,
    state=st.sampled_from(RefundState),
    created_at=MOMENTS,
    method=METHODS,
    trace=st.sampled_from([None, "74537604221222132710572"]),
    trace_pending=st.booleans(),
    reversal=st.booleans(),
    failure=st.sampled_from([None, "lost_or_stolen_card", "declined", "new_reason"]),
    pending=st.sampled_from([None, "charge_pending", "new_reason"]),
)
INVOICES = st.builds(
    Invoice,
    id=st.builds("in_{}".format, NAMES),
    number=st.sampled_from([None, "ABCD1234-0001", "INV-0002"]),
    customer=CUSTOMERS,
    total=MONEY,
    due=MONEY,
    state=st.sampled_from(InvoiceState),
    created_at=MOMENTS,
    due_at=st.one_of(st.none(), MOMENTS),
    next_attempt_at=st.one_of(st.none(), MOMENTS),
    url=st.sampled_from([None, "https://invoice.stripe.example/i/1"]),
    url_until=st.one_of(st.none(), MOMENTS),
)
SUBSCRIPTIONS = st.builds(
    Subscription,
    id=st.builds("sub_{}".format, NAMES),
    customer=CUSTOMERS,
    state=st.sampled_from(
        [
            "active",
            "trialing",
            "past_due",
            "unpaid",
            "paused",
            "incomplete",
            "canceled",
            "incomplete_expired",
            "new_one",
        ]
    ),
    plan=st.text(max_size=80),
    price=st.one_of(st.none(), MONEY),
    interval=st.sampled_from([None, "month", "3 months"]),
    quantity=st.sampled_from([None, 0, 1, 4]),
    started_at=MOMENTS,
    period_end=st.one_of(st.none(), MOMENTS),
    ends_at=st.one_of(st.none(), MOMENTS),
    trial_end=st.one_of(st.none(), MOMENTS),
)
DISPUTES = st.builds(
    Dispute,
    id=st.builds("dp_{}".format, NAMES),
    payment=st.builds("ch_{}".format, NAMES),
    customer=CUSTOMERS,
    money=MONEY,
    state=st.sampled_from(DisputeState),
    created_at=MOMENTS,
    due_at=st.one_of(st.none(), MOMENTS),
    refundable=st.booleans(),
)
FACTS = st.builds(
    lambda given, complete: facts(*given, complete=complete),
    st.lists(st.one_of(payments(), REFUNDS, INVOICES, SUBSCRIPTIONS, DISPUTES), max_size=12),
    st.booleans(),
)
QUESTIONS = st.sampled_from(
    [
        "where is it",
        "the 49 on Tuesday",
        "$49.00 yesterday",
        "49,01 €",
        "ch_a1 and re_b0",
        "invoice ABCD1234-0001",
        "last March",
        "since 3 May",
        "my customer id is cus_ana2",
        "ch_somebodyelse99",
    ]
)
