"""Stripe's objects become Facts that say what happened, and nothing that Stripe does not say."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import Money
from bot.domain.transactions import (
    MAX_TEXT,
    Decline,
    DisputeState,
    InvoiceState,
    Method,
    PaymentState,
    RefundState,
)
from integrations.stripe import mapping
from integrations.stripe.fields import Malformed, link, text
from tests.fakes.stripe_server import AT, Json, charge, dispute, invoice, item, refund, subscription

NOW = datetime.fromtimestamp(AT, UTC)
DAY = timedelta(days=1)


def card_details(**more: Any) -> Json:
    return {"type": "card", "card": {"brand": "visa", "last4": "4242"} | more}


# ---- payments --------------------------------------------------------------------------------------------------


def test_a_charge_that_went_well() -> None:
    payment = mapping.payment(charge())
    assert (payment.id, payment.customer.id, payment.intent) == ("ch_1", "cus_ana", "pi_ch_1")
    assert (payment.money, payment.refunded) == (Money(4900, "eur"), Money(0, "eur"))
    assert payment.state is PaymentState.SUCCEEDED
    assert payment.created_at == NOW
    assert payment.method == Method("card", "visa", "4242")
    assert (payment.description, payment.statement) == ("Team plan", "ACME")
    assert payment.receipt_url == "https://pay.stripe.com/receipts/1"
    assert (payment.decline, payment.hold_until, payment.disputed) == (None, None, False)


def test_a_charge_that_is_not_taken_yet_is_a_hold() -> None:
    details = card_details(capture_before=AT + 7 * 86400)
    payment = mapping.payment(charge(captured=False, amount_captured=0, payment_method_details=details))
    assert payment.state is PaymentState.HELD
    assert payment.money == Money(4900, "eur")
    assert payment.hold_until == NOW + 7 * DAY


def test_a_hold_that_was_let_go_is_cancelled_and_nothing_was_given_back() -> None:
    payment = mapping.payment(charge(captured=False, amount_captured=0, refunded=True, amount_refunded=4900))
    assert payment.state is PaymentState.CANCELLED
    assert payment.refunded == Money(0, "eur")
    assert payment.hold_until is None


def test_what_a_partial_capture_left_over_is_no_refund() -> None:
    payment = mapping.payment(charge(amount=5000, amount_captured=3000, amount_refunded=2500))
    assert payment.money == Money(3000, "eur")
    assert payment.refunded == Money(500, "eur")


def test_a_refund_above_its_charge_is_told_as_it_is() -> None:
    assert mapping.payment(charge(amount_refunded=9900)).refunded == Money(9900, "eur")


def test_a_payment_that_is_on_its_way() -> None:
    details = {"type": "sepa_debit", "sepa_debit": {"last4": "3000"}}
    payment = mapping.payment(charge(status="pending", payment_method_details=details))
    assert payment.state is PaymentState.PENDING
    assert payment.method == Method("sepa_debit", None, "3000")


def test_a_decline_has_its_detail_in_the_outcome() -> None:
    outcome = {"type": "issuer_declined", "reason": "insufficient_funds", "advice_code": "try_again_later"}
    payment = mapping.payment(charge(status="failed", failure_code="card_declined", outcome=outcome, captured=False))
    assert payment.state is PaymentState.FAILED
    assert payment.decline == Decline("insufficient_funds", ours=False, advice="try_again_later")


@pytest.mark.parametrize("reason", ["highest_risk_level", "rule", "generic_decline"])
def test_what_our_own_rules_refused_is_not_blamed_on_the_bank(reason: str) -> None:
    outcome = {"type": "blocked", "network_status": "not_sent_to_network", "reason": reason}
    decline = mapping.payment(charge(status="failed", failure_code="card_declined", outcome=outcome)).decline
    assert decline == Decline(reason, ours=True)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"failure_code": "expired_card", "outcome": None}, "expired_card"),
        ({"failure_code": None, "outcome": {}}, ""),
        ({"failure_code": "Not a code!", "outcome": {"reason": "<@U1>"}}, ""),
    ],
)
def test_a_decline_without_a_reason_has_the_code_of_the_failure_or_none(more: Json, code: str) -> None:
    assert mapping.payment(charge(status="failed", **more)).decline == Decline(code)


def test_a_wallet_is_named() -> None:
    details = card_details(wallet={"type": "apple_pay"})
    assert mapping.payment(charge(payment_method_details=details)).method.wallet == "apple_pay"


@pytest.mark.parametrize("details", [None, {}, {"type": None}, {"type": "card"}, {"type": "card", "card": "x"}, "card"])
def test_a_method_that_nobody_knows(details: Any) -> None:
    method = mapping.payment(charge(payment_method_details=details)).method
    assert (method.brand, method.last4, method.wallet) == (None, None, None)


@pytest.mark.parametrize("last4", ["42424242", "42", "４２４２", 4242, None])
def test_last_digits_are_four_or_none(last4: Any) -> None:
    assert mapping.payment(charge(payment_method_details=card_details(last4=last4))).method.last4 is None


@pytest.mark.parametrize("code", ["jpy", "kwd", "isk", "usd"])
def test_the_amount_stays_what_stripe_sent_in_any_currency(code: str) -> None:
    money = mapping.payment(charge(currency=code.upper())).money
    assert money == Money(4900, code)
    assert money.decimal == {"jpy": Decimal(4900), "kwd": Decimal("4.9")}.get(code, Decimal(49))


@pytest.mark.parametrize("amount", [0, -4900, 99_999_999_999])
def test_amounts_of_zero_below_zero_and_large_are_told(amount: int) -> None:
    assert mapping.payment(charge(amount=amount, amount_captured=amount)).money.amount == amount


# ---- refunds ---------------------------------------------------------------------------------------------------


def test_a_refund_with_its_trace_number() -> None:
    found = mapping.refund(refund(), charge())
    assert (found.id, found.payment, found.customer.id) == ("re_1", "ch_1", "cus_ana")
    assert found.state is RefundState.SUCCEEDED
    assert found.trace == "74900012345678901234567"
    assert (found.trace_pending, found.reversal) == (False, False)
    assert found.method.last4 == "4242"


def destination(**card: Any) -> Json:
    return {"type": "card", "card": card}


def test_a_trace_number_that_is_to_come() -> None:
    found = mapping.refund(refund(destination_details=destination(type="refund", reference_status="pending")), charge())
    assert (found.trace, found.trace_pending) == (None, True)


def test_a_reversal_has_no_trace_number() -> None:
    found = mapping.refund(refund(destination_details=destination(type="reversal")), charge())
    assert (found.reversal, found.trace, found.trace_pending) == (True, None, False)


def test_a_bank_transfer_has_a_reference_too() -> None:
    place = {"reference": "ABC-123456", "reference_status": "available"}
    details = {"type": "us_bank_transfer", "us_bank_transfer": place}
    assert mapping.refund(refund(destination_details=details), charge()).trace == "ABC-123456"


@pytest.mark.parametrize("reference", ["<@U0MIRA> pay", "x" * 65, "", 5, None])
def test_what_is_no_trace_number_is_left_out(reference: Any) -> None:
    details = destination(type="refund", reference=reference, reference_status="available")
    assert mapping.refund(refund(destination_details=details), charge()).trace is None


def test_why_a_refund_failed_or_waits() -> None:
    failed = mapping.refund(refund(status="failed", failure_reason="lost_or_stolen_card"), charge())
    assert (failed.state, failed.failure) == (RefundState.FAILED, "lost_or_stolen_card")
    waits = mapping.refund(refund(status="pending", pending_reason="insufficient_funds"), charge())
    assert (waits.state, waits.pending) == (RefundState.PENDING, "insufficient_funds")


@pytest.mark.parametrize("details", [None, {}, "card", {"type": "card"}, {"type": "card", "card": None}])
def test_a_refund_without_a_destination(details: Any) -> None:
    found = mapping.refund(refund(destination_details=details), charge())
    assert (found.trace, found.trace_pending, found.reversal) == (None, False, False)


# ---- invoices --------------------------------------------------------------------------------------------------


def test_an_open_invoice() -> None:
    found = mapping.invoice(invoice(), NOW)
    assert (found.number, found.state) == ("ACME-0001", InvoiceState.OPEN)
    assert (found.total, found.due) == (Money(4900, "eur"), Money(4900, "eur"))
    assert (found.due_at, found.next_attempt_at, found.attempts) == (NOW + 14 * DAY, NOW + DAY, 1)
    assert found.url == "https://invoice.stripe.com/i/1"


@pytest.mark.parametrize(
    ("due", "fetched", "until"),
    [
        (14, 0, 44),  # 30 days after it is due
        (None, 0, 30),  # or after it was made
        (200, 0, 120),  # never more
        (14, 100, 110),  # and ten days more for whoever has just fetched it
    ],
)
def test_how_long_an_invoices_link_works(due: int | None, fetched: int, until: int) -> None:
    due_date = None if due is None else AT + due * 86400
    found = mapping.invoice(invoice(due_date=due_date), NOW + fetched * DAY)
    assert found.url_until == NOW + until * DAY


def test_without_a_link_nothing_expires() -> None:
    found = mapping.invoice(invoice(hosted_invoice_url=None, status="draft", number=None), NOW)
    assert (found.url, found.url_until, found.number) == (None, None, None)


# ---- subscriptions ---------------------------------------------------------------------------------------------


def test_a_subscription_of_two_seats() -> None:
    found = mapping.subscription(subscription(), {"prod_team": "Team"})
    assert (found.plan, found.price, found.quantity, found.interval) == ("Team", Money(4900, "eur"), 2, "month")
    assert (found.state, found.started_at) == ("active", NOW)
    assert (found.period_end, found.ends_at, found.trial_end) == (NOW + 30 * DAY, None, None)


@pytest.mark.parametrize(
    ("more", "days"),
    [
        ({"cancel_at_period_end": True}, 30),
        ({"cancel_at_period_end": True, "cancel_at": AT + 30 * 86400}, 30),
        ({"cancel_at": AT + 10 * 86400}, 10),
        ({"status": "canceled", "ended_at": AT + 5 * 86400, "cancel_at": AT + 10 * 86400}, 5),
    ],
)
def test_when_a_subscription_ends(more: Json, days: int) -> None:
    assert mapping.subscription(subscription(**more), {}).ends_at == NOW + days * DAY


def priced(**more: Any) -> Json:
    base = item()
    return base | {"price": base["price"] | more}


@pytest.mark.parametrize(
    ("recurring", "interval"),
    [
        ({"interval": "month", "interval_count": 3}, "3 months"),
        ({"interval": "year", "interval_count": 1}, "year"),
        ({"interval": "week"}, "week"),
        (None, None),
    ],
)
def test_how_often_it_is_paid(recurring: Json | None, interval: str | None) -> None:
    data = subscription(items={"data": [priced(recurring=recurring)]})
    assert mapping.subscription(data, {}).interval == interval


def test_several_items_are_summed() -> None:
    second = priced(unit_amount=1000, product="prod_b") | {"quantity": 3}
    found = mapping.subscription(
        subscription(items={"data": [item(), second]}), {"prod_team": "Team", "prod_b": "Storage"}
    )
    assert (found.plan, found.price, found.quantity) == ("Team + Storage", Money(2 * 4900 + 3 * 1000, "eur"), None)


@pytest.mark.parametrize(
    "second",
    [
        priced(unit_amount=None),
        priced(currency="usd"),
        priced(recurring={"interval": "year", "interval_count": 1}),
        priced() | {"quantity": None},
    ],
)
def test_what_cannot_be_summed_has_no_price(second: Json) -> None:
    assert mapping.subscription(subscription(items={"data": [item(), second]}), {}).price is None


def test_a_plan_without_a_products_name() -> None:
    assert mapping.subscription(subscription(items={"data": [priced(nickname="Old team")]}), {}).plan == "Old team"
    assert mapping.subscription(subscription(), {}).plan == "plan"


def test_the_period_of_older_versions_is_read_too() -> None:
    data = subscription(items={"data": [item(current_period_end=None)]}, current_period_end=AT + 86400)
    assert mapping.subscription(data, {}).period_end == NOW + DAY


# ---- disputes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("warning_needs_response", DisputeState.INQUIRY),
        ("warning_under_review", DisputeState.INQUIRY),
        ("warning_closed", DisputeState.INQUIRY_CLOSED),
        ("needs_response", DisputeState.NEEDS_RESPONSE),
        ("under_review", DisputeState.UNDER_REVIEW),
        ("won", DisputeState.WON),
        ("lost", DisputeState.LOST),
        ("prevented", DisputeState.PREVENTED),
    ],
)
def test_states_of_disputes(status: str, state: DisputeState) -> None:
    found = mapping.dispute(dispute(status=status), charge())
    assert (found.state, found.payment, found.customer.id) == (state, "ch_1", "cus_ana")
    assert (found.due_at, found.refundable) == (NOW + 9 * DAY, False)


# ---- what cannot be read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"currency": "zzz"}, "currency"),
        ({"currency": "usdc"}, "currency"),
        ({"currency": ""}, "currency"),
        ({"currency": ["eur"]}, "currency"),
        ({"amount": 49.0}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 10**16}, "amount"),
        ({"amount": float("nan")}, "amount"),
        ({"amount_captured": "4900"}, "amount_captured"),
        ({"created": None}, "created"),
        ({"created": "2026"}, "created"),
        ({"created": 10**30}, "created"),
        ({"status": None}, "status"),
        ({"status": "settled"}, "status"),
        ({"id": "<!channel>"}, "id"),
        ({"id": "ch_" + "x" * 300}, "id"),
        ({"customer": None}, "customer"),
        ({"customer": "cus_a <b>"}, "customer"),
    ],
)
def test_a_charge_that_is_not_understood_names_the_field_alone(more: Json, field: str) -> None:
    with pytest.raises(Malformed) as raised:
        mapping.payment(charge(**more))
    assert str(raised.value) == field


def test_states_that_are_new_to_us_are_not_guessed() -> None:
    with pytest.raises(Malformed):
        mapping.dispute(dispute(status="escalated"), charge())
    with pytest.raises(Malformed):
        mapping.refund(refund(status=None), charge())
    with pytest.raises(Malformed):
        mapping.invoice(invoice(status="deleted"), NOW)
    with pytest.raises(Malformed):
        mapping.subscription(subscription(items={"data": []}), {})


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["card", "eur", "succeeded", "pending", "cus_ana", "ch_1", "available", AT]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "type", "card", "data", "price", "recurring", "interval", "reference", "unit_amount", "currency"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.data())
def test_whatever_stands_in_a_field_the_object_is_read_or_malformed(data: st.DataObject) -> None:
    whole = {
        "charge": charge(),
        "refund": refund(),
        "invoice": invoice(),
        "subscription": subscription(),
        "dispute": dispute(),
        "intent": {"id": "pi_1", "customer": "cus_ana", "amount": 1, "currency": "eur", "created": AT}
        | {"last_payment_error": {"code": "x"}},
    }
    kind = data.draw(st.sampled_from(sorted(whole)))
    broken = whole[kind] | {data.draw(st.sampled_from(sorted(whole[kind]))): data.draw(anything)}
    with suppress(Malformed):
        match kind:
            case "charge":
                mapping.payment(broken)
            case "refund":
                mapping.refund(broken, charge())
                mapping.belongs(broken, charge())
            case "invoice":
                mapping.invoice(broken, NOW)
            case "subscription":
                mapping.product_ids(broken)
                mapping.subscription(broken, {})
            case "dispute":
                mapping.dispute(broken, charge())
            case _:
                mapping.failed_intent(broken)


# ---- texts and links -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Team plan", "Team plan"),
        ("  two\n lines\t", "two lines"),
        ("card 4242 4242 4242 4242 paid", "card [card number removed] paid"),
        ("left\u202eright\u200b", "left right"),
        ("", None),
        (" \n", None),
        (None, None),
        (5, None),
        (["x"], None),
    ],
)
def test_texts_from_outside_are_one_short_redacted_line(given: Any, shown: str | None) -> None:
    assert text(given) == shown


def test_long_texts_are_cut() -> None:
    cut = text("x" * 500)
    assert cut is not None
    assert (len(cut), cut[-1]) == (MAX_TEXT, "…")
    assert text("x" * MAX_TEXT) == "x" * MAX_TEXT


def test_a_card_number_at_the_cut_is_removed_before_it_is_cut() -> None:
    cut = text("x" * (MAX_TEXT - 10) + " 4242424242424242")
    assert cut is not None
    assert "4242" not in cut


@pytest.mark.parametrize(
    "address",
    [
        "https://pay.stripe.com/receipts/1?s=a%20b",
        "https://invoice.example.com/i/1",
        "http://127.0.0.1:4242/receipts/1",
    ],
)
def test_links_that_may_be_opened(address: str) -> None:
    assert link(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://pay.stripe.com/1",
        "javascript:alert(1)",
        "https://a@b.example.com/",
        "https://",
        "https://x.example.com/|<!channel>",
        "https://x.example.com/ y",
        "https://x.example.com/\n",
        "https://[x",
        "//x.example.com",
        "https://x.example.com/" + "x" * 3000,
        "",
        None,
        5,
    ],
)
def test_links_that_may_not(address: Any) -> None:
    assert link(address) is None
