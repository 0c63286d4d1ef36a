"""A story file, read into a `Story`, with everything that is wrong told by line and field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from bot.domain.money import Money
from bot.errors import UsageError
from integrations.stripe.sandbox_story import (
    PERMISSIONS,
    BadStory,
    Customer,
    Dispute,
    Ended,
    Invoice,
    Method,
    Payment,
    Plan,
    Refund,
    Story,
    Subscription,
)
from integrations.stripe.sandbox_yaml import Entry, Problems, top_of

STORY: Final = Path(__file__).with_name("story.yaml")

_KEY = re.compile(r"rk_test_sandbox[A-Za-z0-9_]*")
_METHOD = re.compile(r"(?P<kind>[a-z_]+)(?: (?P<last4>[0-9]{4}))?(?: (?P<wallet>[a-z_]+))?")
_BRANDS: Final = frozenset({"visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay"})
_OTHER_METHODS: Final = frozenset({"sepa_debit", "us_bank_account", "paypal", "klarna"})
_REPEAT = re.compile(r"(?P<times>[0-9]{1,4}) every (?P<days>[0-9]{1,3})d")
_EVERY = re.compile(r"(?:(?P<count>[0-9]{1,2}) )?(?P<unit>day|week|month|year)s?")
_REFUND_STATES: Final = ("succeeded", "pending", "failed", "canceled", "requires_action")
_DISPUTE_STATES: Final = (
    *("needs_response", "under_review", "won", "lost", "prevented"),
    *("warning_needs_response", "warning_under_review", "warning_closed"),
)
_INVOICE_STATES: Final = ("draft", "open", "paid", "void", "uncollectible")
_PLAN_STATES: Final = (
    *("trialing", "active", "past_due", "unpaid", "canceled", "paused"),
    *("incomplete", "incomplete_expired"),
)


def load(path: Path = STORY) -> Story:
    """Read a story file. Raises BadStory with everything that is wrong, or UsageError when there is no such file."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The story {path} cannot be read: {error}.") from error
    return parse(text, path.name)


def parse(text: str, name: str = "story") -> Story:
    """The story that a text tells. Raises BadStory."""
    problems = Problems()
    top = top_of(text, problems)
    if top is None:
        raise BadStory(name, problems.told())
    story = _story(top)
    if problems.found:
        raise BadStory(name, problems.told())
    return story


def _story(top: Entry) -> Story:
    keys = _keys(top)
    plans = {name: _plan(name, entry) for name, entry in top.named("plans").items()}
    customers = tuple(_customer(name, entry, plans) for name, entry in top.named("customers").items())
    nobody = top.words("nobody")
    emails = {one.email.lower() for one in customers if one.email}
    for address in nobody:
        if address.lower() in emails:
            top.wrong("nobody", f"{address} is a customer's address")
    if not customers:
        top.wrong("customers", "there are none")
    top.done()
    return Story(keys, plans, customers, nobody)


def _keys(top: Entry) -> Mapping[str, frozenset[str]]:
    keys: dict[str, frozenset[str]] = {}
    for entry in top.entries("keys"):
        key, may = entry.text("key"), entry.words("may_read")
        if key and not _KEY.fullmatch(key):
            entry.wrong("key", "should begin with rk_test_sandbox: nothing that looks like a real key belongs here")
        for word in may:
            if word not in (*PERMISSIONS, "everything"):
                entry.wrong("may_read", f"{word!r} is no permission; known are everything, {', '.join(PERMISSIONS)}")
        entry.done()
        keys[key] = frozenset(PERMISSIONS if "everything" in may else may)
    if not keys:
        top.wrong("keys", "there are none, so nobody could ask anything")
    return dict(sorted(keys.items(), key=lambda item: -len(item[1])))


def _plan(name: str, entry: Entry) -> Plan:
    title, price, every = entry.text("title"), entry.money("price"), entry.text("every")
    found = _EVERY.fullmatch(every)
    if found is None and every:
        entry.wrong("every", f"is {every!r}; it should be day, week, month, year or such as 3 months")
    entry.done()
    return Plan(name, title, price, found["unit"] if found else "month", int(found["count"] or 1) if found else 1)


def _customer(name: str, entry: Entry, plans: Mapping[str, Plan]) -> Customer:
    payments = tuple(
        one for label, inside in entry.named("payments").items() for one in _repeated(inside, _payment(label, inside))
    )
    subscriptions = tuple(_subscription(one, inside, plans) for one, inside in entry.named("subscriptions").items())
    invoices = tuple(
        _invoice(label, inside, {one.name for one in payments}, {one.name for one in subscriptions})
        for label, inside in entry.named("invoices").items()
    )
    if "_" in name:
        entry.wrong("", "a customer's name has no _, so that ids stay different")
    if len({one.name for one in payments}) < len(payments):
        entry.wrong("payments", "`repeat` makes a name that another payment has")
    email = entry.maybe("email")
    if email is not None and "@" not in email:
        entry.wrong("email", f"is {email!r}; that is no address")
    customer = Customer(
        name=name,
        email=email,
        called=entry.maybe("name"),
        since=entry.maybe_when("since") or timedelta(days=-400),
        note=entry.text("note"),
        deleted=entry.flag("deleted"),
        payments=payments,
        subscriptions=subscriptions,
        invoices=invoices,
    )
    entry.done()
    return customer


# ---- payments --------------------------------------------------------------------------------------------------


def _payment(name: str, entry: Entry) -> Payment:
    known = len(entry.problems.found)
    money, at = entry.money("amount"), entry.when("at")
    ended, why, until = _ended(entry)
    payment = Payment(
        name=name,
        purchase=entry.maybe("purchase") or name,
        money=money,
        at=at,
        method=_method(entry),
        text=entry.maybe("for"),
        ended=ended,
        why=why,
        until=until,
        captured=entry.maybe_money("captured"),
        statement=entry.maybe("statement") or "ACME",
        refunds=tuple(
            _refund(f"{name}_{number}", one, money) for number, one in enumerate(entry.entries("refunds"), 1)
        ),
        dispute=_dispute(entry, money),
        metadata={"note": note} if (note := entry.maybe("metadata")) else None,
    )
    if len(entry.problems.found) == known:  # else it would be about stand-ins
        _check(payment, entry)
    return payment


def _check(payment: Payment, entry: Entry) -> None:
    """That its fields fit together: what goes back was taken."""
    if payment.at > timedelta():
        entry.wrong("at", "is still to come; a payment is in the past")
    if payment.money.amount == 0:
        entry.wrong("amount", "should be more than 0")
    taken = payment.captured or payment.money
    if taken.currency != payment.money.currency or taken.amount > payment.money.amount:
        entry.wrong("captured", "should be at most the payment's amount, in its currency")
    if (payment.refunds or payment.dispute or payment.captured) and payment.ended != "succeeded":
        entry.wrong("", f"nothing was taken ({payment.ended}), so nothing can go back")
    if any(one.money.currency != payment.money.currency for one in payment.refunds):
        entry.wrong("refunds", "should be in the payment's currency")
    if sum(one.money.amount for one in payment.refunds if one.state not in ("failed", "canceled")) > taken.amount:
        entry.wrong("refunds", "come to more than was paid")
    if any(one.at < payment.at for one in payment.refunds):
        entry.wrong("refunds", "one is older than the payment")


def _ended(entry: Entry) -> tuple[Ended, str | None, timedelta | None]:
    """How it ended: what `pending`, `held`, `released`, `declined`, `blocked` or `unauthenticated` says of it."""
    ways: list[tuple[Ended, str | None, timedelta | None]] = []
    if entry.flag("pending"):
        ways.append(("pending", None, None))
    if entry.flag("unauthenticated"):
        ways.append(("unauthenticated", None, None))
    if (until := entry.maybe_when("held")) is not None:
        ways.append(("held", None, until))
    if (until := entry.maybe_when("released")) is not None:
        ways.append(("released", None, until))
    if (why := entry.maybe("declined")) is not None:
        ways.append(("declined", why, None))
    if (why := entry.maybe("blocked")) is not None:
        ways.append(("blocked", why, None))
    if len(ways) > 1:
        entry.wrong("", f"is {' and '.join(way for way, _, _ in ways)} at once")
    return ways[0] if ways else ("succeeded", None, None)


def _method(entry: Entry) -> Method:
    text = entry.maybe("with") or "visa 4242"
    found = _METHOD.fullmatch(text)
    kind = found["kind"] if found else ""
    if found is None or kind not in _BRANDS | _OTHER_METHODS:
        entry.wrong("with", f"is {text!r}; it should be such as visa 4242, visa 4242 apple_pay or sepa_debit 3000")
        return Method()
    card = kind in _BRANDS
    return Method("card" if card else kind, kind if card else None, found["last4"], found["wallet"])


def _refund(name: str, entry: Entry, paid: Money) -> Refund:
    failed, waits = entry.maybe("failed"), entry.maybe("waits")
    told = "failed" if failed else "pending" if waits else "succeeded"
    refund = Refund(
        name=name,
        money=entry.maybe_money("amount") or paid,
        at=entry.when("at"),
        state=entry.choice("state", _REFUND_STATES, told),
        trace=entry.maybe("trace") or "pending",
        reversal=entry.flag("reversal"),
        failed=failed,
        waits=waits,
        reason=entry.maybe("reason"),
    )
    if refund.at > timedelta():
        entry.wrong("at", "is still to come; a refund is in the past")
    if (failed and refund.state != "failed") or (waits and refund.state != "pending"):
        entry.wrong("state", f"is {refund.state}, and `failed` or `waits` says otherwise")
    entry.done()
    return refund


def _dispute(entry: Entry, paid: Money) -> Dispute | None:
    found = entry.inside("dispute")
    if found is None:
        return None
    dispute = Dispute(
        state=found.choice("state", _DISPUTE_STATES),
        money=found.maybe_money("amount") or paid,
        at=found.when("at"),
        due=found.when("due"),
        reason=found.maybe("reason") or "general",
    )
    found.done()
    return dispute


def _repeated(entry: Entry, payment: Payment) -> Iterator[Payment]:
    """`repeat: 120 every 7d` makes so many of it, each that much older than the one before."""
    text = entry.maybe("repeat")
    found = _REPEAT.fullmatch(text) if text else None
    if text and found is None:
        entry.wrong("repeat", f"is {text!r}; it should be such as 120 every 7d")
    entry.done()
    if found is None:
        yield payment
        return
    for number in range(int(found["times"])):
        name = f"{payment.name}_{number + 1:03d}"
        yield replace(payment, name=name, purchase=name, at=payment.at - number * timedelta(days=int(found["days"])))


# ---- plans and bills -------------------------------------------------------------------------------------------


def _subscription(name: str, entry: Entry, plans: Mapping[str, Plan]) -> Subscription:
    subscription = Subscription(
        name=name,
        plan=entry.choice("plan", plans),
        state=entry.choice("state", _PLAN_STATES),
        started=entry.when("started"),
        renews=entry.when("renews"),
        quantity=entry.number("quantity", 1),
        ends=entry.flag("ends_then"),
        ended=entry.maybe_when("ended"),
        trial_until=entry.maybe_when("trial_until"),
    )
    entry.done()
    return subscription


def _invoice(name: str, entry: Entry, payments: set[str], subscriptions: set[str]) -> Invoice:
    invoice = Invoice(
        name=name,
        number=entry.maybe("number"),
        total=entry.money("total"),
        at=entry.when("at"),
        state=entry.choice("state", _INVOICE_STATES),
        due=entry.maybe_when("due"),
        next_attempt=entry.maybe_when("next_attempt"),
        text=entry.maybe("for"),
        subscription=entry.maybe("subscription"),
        paid_by=entry.maybe("paid_by"),
        tried=entry.words("tried"),
    )
    for field, wanted in (("paid_by", invoice.paid_by), *(("tried", one) for one in invoice.tried)):
        if wanted is not None and wanted not in payments:
            entry.wrong(field, f"{wanted!r} is no payment of this customer")
    if invoice.subscription is not None and invoice.subscription not in subscriptions:
        entry.wrong("subscription", f"{invoice.subscription!r} is no subscription of this customer")
    entry.done()
    return invoice
