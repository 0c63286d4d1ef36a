"""The sandbox, read with Stripe's own library: typed, paged, expanded and refused as by Stripe."""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import stripe

from bot.domain.findings_duplicates import Alike, groups_of
from bot.domain.identity import CustomerScope
from bot.domain.transactions import DisputeState, PaymentState, RefundState
from bot.errors import PortInUse, Unavailable
from bot.telemetry import counters
from integrations.stripe.adapter import StripePayments
from integrations.stripe.sandbox import Sandbox
from tests.fakes.clock import START, FakeClock
from tests.fakes.payments import scope_of

ROOT = Path(__file__).parents[2]
NOW = int(START.timestamp())
DAY = 86_400
LISTS = (
    *("charges", "customers", "disputes", "invoice_payments", "invoices"),
    *("payment_intents", "prices", "products", "refunds", "subscriptions"),
)
every_list = pytest.mark.parametrize("name", LISTS)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=FakeClock()) as running:
        yield running


@asynccontextmanager
async def client_of(sandbox: Sandbox, key: str | None = None) -> AsyncIterator[Any]:
    """Stripe's client, its services below `.v1`."""
    http = stripe.AIOHTTPClient(timeout=5)
    client = stripe.StripeClient(
        key or sandbox.key, base_addresses={"api": sandbox.url}, http_client=http, max_network_retries=0
    )
    try:
        yield client.v1
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]  # its own has no types


@pytest.fixture
async def v1(sandbox: Sandbox) -> AsyncIterator[Any]:
    async with client_of(sandbox) as client:
        yield client


async def refused(call: Awaitable[Any], kind: type[stripe.StripeError], told: str | None = None) -> stripe.StripeError:
    with pytest.raises(kind, match=told) as raised:
        await call
    assert type(raised.value) is kind
    return raised.value


def code_of(error: stripe.StripeError) -> str | None:
    """Some of the library's errors keep their code in the answer alone."""
    body = error.json_body
    return body["error"].get("code") if isinstance(body, dict) else None


def ids(page: Any) -> list[str]:
    return [one.id.removeprefix(one.id.split("_")[0] + "_sandbox_") for one in page.data]


async def raw(sandbox: Sandbox, method: str, path: str, scheme: str | None = None) -> tuple[int, str]:
    """Without Stripe's library, for what it would not send. `scheme`: instead of the sandbox's key, "" for nothing."""
    scheme = f"Bearer {sandbox.key}" if scheme is None else scheme
    headers = {"Authorization": scheme} if scheme else {}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, sandbox.url + path, headers=headers) as response,
    ):
        return response.status, await response.text()


# ---- lists -----------------------------------------------------------------------------------------------------


@every_list
async def test_every_list_is_a_list_of_its_kind_newest_first(v1: Any, name: str) -> None:
    page = await getattr(v1, name).list_async({"limit": 100})
    times = [one.created for one in page.data]
    assert page.object == "list"
    assert page.url == f"/v1/{name}"
    assert times
    assert times == sorted(times, reverse=True)
    assert {type(one) for one in page.data} <= {
        *(stripe.Charge, stripe.Customer, stripe.Dispute, stripe.InvoicePayment, stripe.Invoice),
        *(stripe.PaymentIntent, stripe.Price, stripe.Product, stripe.Refund, stripe.Subscription),
    }
    assert not any(one.livemode for one in page.data if name != "refunds")


@every_list
async def test_what_is_listed_can_be_retrieved_and_is_the_same(v1: Any, name: str) -> None:
    for one in (await getattr(v1, name).list_async({"limit": 5})).data:
        assert (await getattr(v1, name).retrieve_async(one.id)).to_dict() == one.to_dict()


async def test_ten_come_when_no_limit_is_given_and_it_says_that_there_is_more(v1: Any) -> None:
    page = await v1.charges.list_async({"customer": "cus_sandbox_lea"})
    assert len(page.data) == 10
    assert page.has_more is True


@pytest.mark.parametrize("limit", [1, 7, 40, 100])
async def test_all_120_payments_come_page_by_page(sandbox: Sandbox, v1: Any, limit: int) -> None:
    page = await v1.charges.list_async({"customer": "cus_sandbox_lea", "limit": limit})
    found = [one.id async for one in page.auto_paging_iter()]
    assert found == [f"ch_sandbox_lea_veg_{number:03d}" for number in range(1, 121)]
    assert len(sandbox.requests) == -(-120 // limit)


async def test_pages_go_backwards_too(v1: Any) -> None:
    page = await v1.charges.list_async(
        {"customer": "cus_sandbox_lea", "limit": 3, "ending_before": "ch_sandbox_lea_veg_005"}
    )
    assert ids(page) == ["lea_veg_002", "lea_veg_003", "lea_veg_004"]
    assert page.has_more is True
    before = await page.previous_page_async()
    assert ids(before) == ["lea_veg_001"]
    assert before.has_more is False


@pytest.mark.parametrize(
    ("created", "found"),
    [
        ({"gte": NOW - 15 * DAY}, ["001", "002", "003"]),
        ({"gt": NOW - 15 * DAY}, ["001", "002"]),
        ({"lt": NOW - 830 * DAY}, ["120"]),
        ({"lte": NOW - 8 * DAY, "gte": NOW - 15 * DAY}, ["002", "003"]),
        (NOW - DAY, ["001"]),
        (NOW, []),
    ],
)
async def test_lists_are_narrowed_by_when_something_was_created(v1: Any, created: Any, found: list[str]) -> None:
    page = await v1.charges.list_async({"customer": "cus_sandbox_lea", "created": created})
    assert [one[-3:] for one in ids(page)] == found


@pytest.mark.parametrize(
    ("name", "params", "found"),
    [
        ("charges", {"payment_intent": "pi_sandbox_ben_boots"}, ["ben_boots_yes", "ben_boots_no"]),
        ("refunds", {"charge": "ch_sandbox_cleo_in_parts"}, ["cleo_in_parts_2", "cleo_in_parts_1"]),
        ("refunds", {"payment_intent": "pi_sandbox_ana_workshop"}, ["ana_workshop_1"]),
        ("disputes", {"charge": "ch_sandbox_ivo_lost"}, ["ivo_lost"]),
        ("invoices", {"customer": "cus_sandbox_eva", "status": "open"}, ["eva_open", "eva_overdue"]),
        ("invoices", {"subscription": "sub_sandbox_dan_team"}, ["dan_late"]),
        ("invoices", {"due_date": {"lt": NOW - 100 * DAY}}, ["eva_lost"]),
        ("subscriptions", {"customer": "cus_sandbox_eva"}, ["eva_studio"]),
        ("subscriptions", {"customer": "cus_sandbox_eva", "status": "all"}, ["eva_studio", "eva_shop"]),
        ("subscriptions", {"status": "ended"}, ["eva_shop"]),
        ("subscriptions", {"price": "price_sandbox_shop", "status": "all"}, ["eva_shop"]),
        ("invoice_payments", {"invoice": "in_sandbox_ana_in_2"}, ["ana_in_2"]),
        (
            "invoice_payments",
            {"payment": {"type": "payment_intent", "payment_intent": "pi_sandbox_ben_lamp_1"}},
            ["ben_in_1"],
        ),
        ("products", {"ids": ["prod_sandbox_team", "prod_sandbox_nothing"]}, ["team"]),
        ("prices", {"product": "prod_sandbox_shop"}, ["shop"]),
    ],
)
async def test_lists_have_their_filters(v1: Any, name: str, params: Any, found: list[str]) -> None:
    assert ids(await getattr(v1, name).list_async(params)) == found


@pytest.mark.parametrize(
    ("email", "found"),
    [
        ("Nils.Berg@Example.com", ["nils"]),
        ("nils.berg@example.com", ["nilslow"]),
        ("NILS.BERG@EXAMPLE.COM", []),
        ("mona@example.com", ["monashop", "monahome"]),
        ("nora@example.com", []),
        ("olga@example.com", []),
    ],
)
async def test_customers_are_found_by_exactly_their_address(v1: Any, email: str, found: list[str]) -> None:
    assert sorted(ids(await v1.customers.list_async({"email": email}))) == sorted(found)


async def test_a_deleted_customer_is_listed_nowhere_and_still_there(v1: Any) -> None:
    assert (await v1.customers.retrieve_async("cus_sandbox_olga")).to_dict() == {
        "id": "cus_sandbox_olga",
        "object": "customer",
        "deleted": True,
    }
    assert ids(await v1.charges.list_async({"customer": "cus_sandbox_olga"})) == ["olga_old"]


# ---- shapes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "kind", "status", "reason", "code", "refusal"),
    [
        ("dan_funds", "issuer_declined", "declined_by_network", "insufficient_funds", "card_declined", "51"),
        ("dan_lost", "issuer_declined", "declined_by_network", "lost_card", "card_declined", "41"),
        ("dan_expired", "issuer_declined", "declined_by_network", "expired_card", "expired_card", "54"),
        ("dan_radar", "blocked", "not_sent_to_network", "highest_risk_level", "card_declined", None),
        ("dan_bank_asks", "issuer_declined", "declined_by_network", *["authentication_required"] * 2, "05"),
    ],
)
async def test_declines_say_who_refused_and_why(
    v1: Any, id: str, kind: str, status: str, reason: str, code: str, refusal: str | None
) -> None:
    charge = await v1.charges.retrieve_async(f"ch_sandbox_{id}")
    outcome = charge.outcome
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, code)
    assert (outcome.type, outcome.network_status, outcome.reason) == (kind, status, reason)
    assert outcome.network_decline_code == refusal
    intent = await v1.payment_intents.retrieve_async(charge.payment_intent)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.charge == charge.id


async def test_what_failed_before_there_was_a_charge_is_an_intent_alone(v1: Any) -> None:
    intent = await v1.payment_intents.retrieve_async("pi_sandbox_dan_not_proved")
    assert intent.latest_charge is None
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"
    assert ids(await v1.charges.list_async({"payment_intent": intent.id})) == []


async def test_a_hold_is_authorised_and_not_captured(v1: Any) -> None:
    hold = await v1.charges.retrieve_async("ch_sandbox_ben_hotel_hold")
    assert (hold.status, hold.captured, hold.amount_captured) == ("succeeded", False, 0)
    assert hold.payment_method_details.card.capture_before == NOW + 18 * 3600
    gone = await v1.charges.retrieve_async("ch_sandbox_rosa_let_go", {"expand": ["refunds"]})
    assert (gone.captured, gone.refunded, gone.amount_refunded) == (False, True, 20000)
    assert gone.refunds.data[0].reason == "expired_uncaptured_charge"
    part = await v1.charges.retrieve_async("ch_sandbox_rosa_partly")
    assert (part.amount, part.amount_captured, part.amount_refunded, part.refunded) == (10000, 8000, 2000, False)


@pytest.mark.parametrize(
    ("id", "status", "kind", "trace", "number"),
    [
        ("ana_workshop_1", "succeeded", "refund", "available", "74537605259536043849425"),
        ("cleo_handed_over_1", "succeeded", "refund", "pending", None),
        ("cleo_no_trace_1", "succeeded", "refund", "unavailable", None),
        ("cleo_undone_1", "succeeded", "reversal", "unavailable", None),
        ("cleo_waiting_1", "pending", "pending", "pending", None),
        ("cleo_failed_1", "failed", "refund", "unavailable", None),
    ],
)
async def test_refunds_say_where_they_are(
    v1: Any, id: str, status: str, kind: str, trace: str, number: str | None
) -> None:
    refund = await v1.refunds.retrieve_async(f"re_sandbox_{id}")
    card = refund.destination_details.card.to_dict()
    assert (refund.status, card["type"], card["reference_status"], card.get("reference")) == (
        *(status, kind, trace, number),
    )


async def test_what_went_back_is_counted_unless_it_failed(v1: Any) -> None:
    page = await v1.charges.list_async({"customer": "cus_sandbox_cleo"})
    back = {one.id.removeprefix("ch_sandbox_cleo_"): one.amount_refunded for one in page.data}
    assert (back["in_parts"], back["failed"], back["cancelled"], back["waiting"]) == (6000, 0, 0, 25000)


async def test_disputes_have_their_deadline_and_mark_their_charge(v1: Any) -> None:
    dispute = await v1.disputes.retrieve_async("du_sandbox_ivo_open")
    assert dispute.evidence_details.due_by == NOW + 6 * DAY
    assert dispute.is_charge_refundable is False
    inquiry = await v1.disputes.retrieve_async("du_sandbox_ivo_asked")
    assert (inquiry.status, inquiry.is_charge_refundable) == ("warning_needs_response", True)
    assert inquiry.payment_method_details.card.case_type == "inquiry"
    assert (await v1.charges.retrieve_async("ch_sandbox_ivo_open")).disputed is True


async def test_the_period_of_a_subscription_is_its_items(v1: Any) -> None:
    plan = await v1.subscriptions.retrieve_async("sub_sandbox_eva_studio")
    (item,) = plan["items"].data
    assert (plan.cancel_at_period_end, plan.cancel_at, item.current_period_end) == (True, *[NOW + 15 * DAY] * 2)
    trial = await v1.subscriptions.retrieve_async("sub_sandbox_fay_team")
    assert (trial.status, trial.trial_end, trial["items"].data[0].quantity) == ("trialing", NOW + 3 * DAY, 4)


async def test_yen_have_no_decimals_and_dinars_three(v1: Any) -> None:
    assert (await v1.charges.retrieve_async("ch_sandbox_hana_tea")).amount == 4900
    assert (await v1.charges.retrieve_async("ch_sandbox_omar_dates")).amount == 12340


async def test_a_charge_has_no_refunds_until_they_are_asked_for(v1: Any) -> None:
    charge = await v1.charges.retrieve_async("ch_sandbox_cleo_in_parts")
    assert "refunds" not in charge.to_dict()
    invoice = await v1.invoices.retrieve_async("in_sandbox_ana_in_3")
    assert {"payments", "charge", "payment_intent", "subscription"}.isdisjoint(invoice.to_dict())


# ---- expand ----------------------------------------------------------------------------------------------------


async def test_refunds_come_with_their_charges_and_charges_with_their_refunds(v1: Any) -> None:
    page = await v1.charges.list_async({"customer": "cus_sandbox_cleo", "expand": ["data.refunds"]})
    refunds = {refund.id for charge in page.data for refund in charge.refunds.data}
    assert len(refunds) == 10
    assert all(isinstance(charge.refunds, stripe.ListObject) for charge in page.data)
    back = await v1.refunds.list_async({"expand": ["data.charge"], "limit": 100})
    assert all(isinstance(refund.charge, stripe.Charge) for refund in back.data)
    assert refunds < {refund.id for refund in back.data}


async def test_expanded_refunds_can_be_paged_on(v1: Any) -> None:
    charge = await v1.charges.retrieve_async("ch_sandbox_cleo_in_parts", {"expand": ["refunds"]})
    assert charge.refunds.url == "/v1/charges/ch_sandbox_cleo_in_parts/refunds"
    assert len([one async for one in charge.refunds.auto_paging_iter()]) == 2


@pytest.mark.parametrize(
    ("name", "id", "path", "reach"),
    [
        ("charges", "ch_sandbox_ana_workshop", "customer", lambda one: one.customer.email),
        (
            "charges",
            "ch_sandbox_ana_workshop",
            "payment_intent.latest_charge.customer",
            lambda one: "ana@souza.example",
        ),
        ("refunds", "re_sandbox_ana_workshop_1", "charge.customer", lambda one: one.charge.customer.email),
        ("disputes", "du_sandbox_ivo_open", "charge.customer", lambda one: one.charge.customer.email),
        ("invoices", "in_sandbox_ana_in_3", "customer", lambda one: one.customer.email),
        (
            *("invoices", "in_sandbox_ana_in_3", "parent.subscription_details.subscription"),
            lambda one: one.parent.subscription_details.subscription.status,
        ),
        (
            *("invoices", "in_sandbox_ana_in_3", "payments.data.payment.payment_intent"),
            lambda one: one.payments.data[0].payment.payment_intent.status,
        ),
        ("subscriptions", "sub_sandbox_ana_team", "latest_invoice", lambda one: one.latest_invoice.number),
        (
            *("subscriptions", "sub_sandbox_ana_team", "items.data.price.product"),
            lambda one: one["items"].data[0].price.product.name,
        ),
        ("charges", "ch_sandbox_olga_old", "customer", lambda one: "deleted" if one.customer.deleted else ""),
    ],
)
async def test_objects_are_put_where_their_ids_stand(
    v1: Any, name: str, id: str, path: str, reach: Callable[[Any], str]
) -> None:
    one = await getattr(v1, name).retrieve_async(id, {"expand": [path]})
    assert reach(one) in ("ana@souza.example", "ivo@example.com", "active", "succeeded", "ACME-0103", "Team", "deleted")


async def test_what_is_null_stays_null_when_it_is_expanded(v1: Any) -> None:
    intent = await v1.payment_intents.retrieve_async("pi_sandbox_dan_not_proved", {"expand": ["latest_charge"]})
    assert intent.latest_charge is None


@pytest.mark.parametrize("path", ["refunds", "data.nothing", "data.amount", "data.a.b.c.d", "data"])
async def test_what_cannot_be_expanded_is_refused(v1: Any, path: str) -> None:
    error = await refused(v1.charges.list_async({"expand": [path]}), stripe.InvalidRequestError, "expand")
    assert error.http_status == 400


async def test_what_is_expanded_changes_nothing_that_is_stored(v1: Any) -> None:
    await v1.charges.list_async({"expand": ["data.customer", "data.refunds"], "limit": 100})
    charge = await v1.charges.retrieve_async("ch_sandbox_ana_workshop")
    assert charge.customer == "cus_sandbox_ana"


# ---- refusals --------------------------------------------------------------------------------------------------


@every_list
async def test_an_id_that_is_not_there_is_refused_as_by_stripe(v1: Any, name: str) -> None:
    error = await refused(getattr(v1, name).retrieve_async("xx_nothing"), stripe.InvalidRequestError, "No such")
    assert (error.http_status, error.code) == (404, "resource_missing")
    assert error.request_id is not None
    assert error.request_id.startswith("req_sandbox")


@pytest.mark.parametrize(
    ("name", "params", "code"),
    [
        ("charges", {"customer": "cus_nobody"}, "resource_missing"),
        ("refunds", {"charge": "ch_nothing"}, "resource_missing"),
        ("charges", {"starting_after": "ch_nothing"}, "resource_missing"),
        ("charges", {"ending_before": "ch_nothing"}, "resource_missing"),
        ("refunds", {"customer": "cus_sandbox_ana"}, "parameter_unknown"),
        ("disputes", {"customer": "cus_sandbox_ana"}, "parameter_unknown"),
        ("charges", {"email": "ana@souza.example"}, "parameter_unknown"),
        ("customers", {"email": "nobody"}, "email_invalid"),
        ("charges", {"limit": 101}, "parameter_invalid_integer"),
        ("charges", {"limit": 0}, "parameter_invalid_integer"),
        ("charges", {"limit": "many"}, "parameter_invalid_integer"),
        ("charges", {"created": {"gte": "monday"}}, "parameter_invalid_integer"),
    ],
)
async def test_a_parameter_that_is_wrong_is_refused(v1: Any, name: str, params: Any, code: str) -> None:
    error = await refused(getattr(v1, name).list_async(params), stripe.InvalidRequestError)
    assert (error.http_status, error.code) == (400, code)


async def test_before_and_after_at_once_is_refused(v1: Any) -> None:
    both = {"starting_after": "ch_sandbox_ana_plan_1", "ending_before": "ch_sandbox_ana_plan_2"}
    await refused(v1.charges.list_async(both), stripe.InvalidRequestError, "both starting_after and ending_before")


@pytest.mark.parametrize(
    "key", ["rk_test_sandbox_other", "rk_test_sandbox", "sk_test_sandbox_full", "rk_live_other_key"]
)
async def test_a_key_that_is_none_is_refused_and_hardly_shown(sandbox: Sandbox, key: str) -> None:
    async with client_of(sandbox, key) as v1:
        error = await refused(v1.charges.list_async(), stripe.AuthenticationError, "Invalid API Key")
    assert error.http_status == 401
    assert key not in str(error)


async def test_without_a_key_there_is_nothing(sandbox: Sandbox) -> None:
    status, body = await raw(sandbox, "GET", "/v1/charges", "")
    assert status == 401
    assert "You did not provide an API key" in body


async def test_a_key_can_be_the_name_of_basic_authentication(sandbox: Sandbox) -> None:
    for key, wanted in ((sandbox.key, 200), ("rk_test_sandbox_other", 401)):
        given = base64.b64encode(f"{key}:".encode()).decode()
        assert (await raw(sandbox, "GET", "/v1/charges", scheme=f"Basic {given}"))[0] == wanted
    assert (await raw(sandbox, "GET", "/v1/charges", scheme="Basic ÿ"))[0] == 401


@pytest.mark.parametrize(
    ("name", "permission"),
    [
        ("charges", "rak_charge_read"),
        ("refunds", "rak_charge_read"),
        ("customers", "rak_customer_read"),
        ("payment_intents", "rak_payment_intent_read"),
        ("invoices", "rak_invoice_read"),
        ("invoice_payments", "rak_invoice_read"),
        ("subscriptions", "rak_subscription_read"),
        ("disputes", "rak_dispute_read"),
        ("products", "rak_product_read"),
        ("prices", "rak_plan_read"),
    ],
)
async def test_a_restricted_key_is_told_what_it_lacks(sandbox: Sandbox, name: str, permission: str) -> None:
    async with client_of(sandbox, "rk_test_sandbox_nothing") as v1:
        for call in (getattr(v1, name).list_async(), getattr(v1, name).retrieve_async("xx_nothing")):
            error = await refused(call, stripe.PermissionError, permission)
            assert error.http_status == 403


async def test_a_restricted_key_cannot_expand_what_it_may_not_read(sandbox: Sandbox) -> None:
    async with client_of(sandbox, "rk_test_sandbox_no_charges") as v1:
        assert (await v1.disputes.list_async()).data
        await refused(v1.disputes.list_async({"expand": ["data.charge"]}), stripe.PermissionError, "rak_charge_read")
        await refused(v1.refunds.list_async(), stripe.PermissionError, "rak_charge_read")


async def test_all_that_is_no_reading_is_kept_and_refused(sandbox: Sandbox, v1: Any) -> None:
    calls = (
        v1.refunds.create_async({"charge": "ch_sandbox_ana_plan_1"}),
        v1.customers.delete_async("cus_sandbox_ana"),
        v1.subscriptions.cancel_async("sub_sandbox_ana_team"),
        v1.invoices.create_preview_async({"customer": "cus_sandbox_ana"}),
    )
    for call in calls:
        assert (await refused(call, stripe.PermissionError, "_write")).http_status == 403
    for method in ("PUT", "PATCH", "HEAD", "OPTIONS"):
        assert (await raw(sandbox, method, "/v1/charges"))[0] == 403
    assert [one.method for one in sandbox.writes] == [
        *("POST", "DELETE", "DELETE", "POST", "PUT", "PATCH", "HEAD", "OPTIONS"),
    ]
    assert ids(await v1.refunds.list_async({"charge": "ch_sandbox_ana_plan_1"})) == []


@pytest.mark.parametrize("path", ["/v1/balance", "/v2/charges", "/", "/v1/refunds/re_1/refunds", "/receipts/../v1"])
async def test_what_the_sandbox_does_not_have_is_said(sandbox: Sandbox, path: str) -> None:
    status, body = await raw(sandbox, "GET", path)
    assert status == 404
    assert "Unrecognized request URL" in body


async def test_requests_are_kept_in_order_with_what_they_asked(sandbox: Sandbox, v1: Any) -> None:
    await v1.customers.list_async({"email": "ana@souza.example", "limit": 2})
    await v1.charges.retrieve_async("ch_sandbox_ana_plan_1")
    assert [(one.method, one.path) for one in sandbox.requests] == [
        ("GET", "/v1/customers"),
        ("GET", "/v1/charges/ch_sandbox_ana_plan_1"),
    ]
    assert set(sandbox.requests[0].query) == {("email", "ana@souza.example"), ("limit", "2")}
    sandbox.forget()
    assert sandbox.requests == []


# ---- being unwell ----------------------------------------------------------------------------------------------


async def test_more_requests_than_it_takes_in_a_second_are_turned_away_until_it_is_over() -> None:
    clock = FakeClock()
    async with Sandbox(clock=clock, per_second=3) as sandbox, client_of(sandbox) as v1:
        for _ in range(3):
            await v1.charges.list_async({"limit": 1})
        error = await refused(v1.charges.list_async(), stripe.RateLimitError)
        assert (error.http_status, code_of(error)) == (429, "rate_limit")
        clock.advance(0.9)
        await refused(v1.charges.list_async(), stripe.RateLimitError)
        clock.advance(0.1)
        await v1.charges.list_async({"limit": 1})


@pytest.mark.parametrize(
    ("ill", "kind", "code"),
    [
        ("error", stripe.APIError, None),
        ("half", stripe.APIError, None),
        ("busy", stripe.RateLimitError, "rate_limit"),
        ("locked", stripe.RateLimitError, "lock_timeout"),
    ],
)
async def test_it_can_be_unwell_once(sandbox: Sandbox, v1: Any, ill: Any, kind: Any, code: str | None) -> None:
    sandbox.fault(ill, path="/v1/charges")
    assert (await v1.refunds.list_async({"limit": 1})).data
    assert code_of(await refused(v1.charges.list_async(), kind)) == code
    assert (await v1.charges.list_async({"limit": 1})).data


@pytest.mark.parametrize(("ill", "kind"), [("error", stripe.APIError), ("drop", stripe.APIConnectionError)])
async def test_it_can_be_unwell_until_it_is_well(sandbox: Sandbox, v1: Any, ill: Any, kind: Any) -> None:
    sandbox.fault(ill, times=-1)
    for _ in range(3):
        await refused(v1.charges.list_async(), kind)
    sandbox.well()
    assert (await v1.charges.list_async({"limit": 1})).data


async def test_a_slow_answer_keeps_nobody_else_waiting(sandbox: Sandbox, v1: Any) -> None:
    sandbox.fault("slow", path="/v1/charges", seconds=600)
    slow = asyncio.create_task(v1.charges.list_async({"limit": 1}))
    async with asyncio.timeout(5):
        await sandbox.until_asked()
        assert (await v1.refunds.list_async({"limit": 1})).data
    assert not slow.done()
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)


async def test_a_slow_answer_comes(sandbox: Sandbox, v1: Any) -> None:
    sandbox.fault("slow", seconds=0.05)
    began = asyncio.get_running_loop().time()
    assert (await v1.charges.list_async({"limit": 1})).data
    assert asyncio.get_running_loop().time() - began >= 0.05


async def test_stopping_waits_for_no_slow_answer() -> None:
    async with asyncio.timeout(5):
        async with Sandbox() as sandbox:
            sandbox.fault("slow", seconds=600)
            asking = asyncio.create_task(raw(sandbox, "GET", "/v1/charges"))
            await sandbox.until_asked()
        await asyncio.gather(asking, return_exceptions=True)


async def test_a_port_that_is_taken_is_said(sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(PortInUse):
        async with Sandbox(port=port):
            pass


# ---- what happens while it runs --------------------------------------------------------------------------------


async def test_a_trace_number_can_come_and_a_refund_can_fail(sandbox: Sandbox, v1: Any) -> None:
    sandbox.books.trace("re_sandbox_cleo_handed_over_1", "74537605259000000000009")
    refund = await v1.refunds.retrieve_async("re_sandbox_cleo_handed_over_1")
    assert refund.destination_details.card.reference == "74537605259000000000009"
    for _ in range(2):  # the second time it has failed already
        sandbox.books.fail("re_sandbox_cleo_in_parts_2", "lost_or_stolen_card")
    failed = await v1.refunds.retrieve_async("re_sandbox_cleo_in_parts_2", {"expand": ["charge"]})
    assert (failed.status, failed.failure_reason) == ("failed", "lost_or_stolen_card")
    assert failed.charge.amount_refunded == 3000


async def test_times_are_counted_from_the_start_and_the_same_for_the_same_clock() -> None:
    charges = []
    for seconds in (0.0, 0.0, 3600.0):
        clock = FakeClock(START + timedelta(seconds=seconds))
        async with Sandbox(clock=clock) as sandbox:
            charges.append(sandbox.books.get("ch_sandbox_ana_workshop") | {"receipt_url": None})
    assert charges[0] == charges[1]
    assert charges[2]["created"] == charges[0]["created"] + 3600


# ---- pages -----------------------------------------------------------------------------------------------------


async def test_receipts_and_invoices_open_without_a_key_and_hold_no_markup_of_others(sandbox: Sandbox, v1: Any) -> None:
    charge = await v1.charges.retrieve_async("ch_sandbox_pat_markup")
    status, page = await raw(sandbox, "GET", charge.receipt_url.removeprefix(sandbox.url), "")
    assert status == 200
    assert "5.04 EUR" in page
    assert "<b>" not in page
    invoice = await v1.invoices.retrieve_async("in_sandbox_pat_trap")
    status, page = await raw(sandbox, "GET", invoice.hosted_invoice_url.removeprefix(sandbox.url), "")
    assert status == 200
    assert "<script" not in page
    assert "<!channel>" not in page
    for path in ("/receipts/ch_nothing", "/invoices/in_nothing"):
        assert (await raw(sandbox, "GET", path, ""))[0] == 404
    assert (await raw(sandbox, "GET", "/invoices/cus_sandbox_ana", ""))[0] == 401


async def test_what_failed_has_no_receipt_and_a_draft_no_page(v1: Any) -> None:
    assert (await v1.charges.retrieve_async("ch_sandbox_dan_lost")).receipt_url is None
    assert (await v1.invoices.retrieve_async("in_sandbox_eva_draft")).hosted_invoice_url is None


# ---- as the bot reads it ---------------------------------------------------------------------------------------


def scope_in(*customers: str) -> CustomerScope:
    return scope_of(*(f"cus_sandbox_{one}" for one in customers))


@asynccontextmanager
async def payments_of(sandbox: Sandbox, key: str | None = None) -> AsyncIterator[StripePayments]:
    payments = StripePayments(key or sandbox.key, sandbox.url, FakeClock())
    try:
        yield payments
    finally:
        await payments.close()


async def test_the_adapter_understands_everything_that_is_in_the_story(sandbox: Sandbox) -> None:
    before = counters()
    states: set[object] = set()
    async with payments_of(sandbox) as payments:
        for customer in sandbox.story.customers:
            scope = scope_in(customer.name)
            found = await payments.payments(scope)
            assert len(found.facts) == len(customer.payments)
            assert len((await payments.invoices(scope)).facts) == len(customer.invoices)
            assert len((await payments.subscriptions(scope)).facts) == len(customer.subscriptions)
            states |= {fact.state for fact in found.facts}
            states |= {fact.state for fact in (await payments.refunds(scope)).facts}
            states |= {fact.state for fact in (await payments.disputes(scope)).facts}
    kinds = {*PaymentState, *RefundState, *DisputeState} - {DisputeState.PREVENTED}
    assert states == kinds
    trouble = {name: number for name, number in counters().items() if name[0] in ("stripe_malformed", "security")}
    assert trouble == {name: before[name] for name in trouble}
    assert sandbox.writes == []


@pytest.mark.parametrize(
    ("customers", "alike"),
    [
        (("ben",), {Alike.SEVERAL, Alike.HOLD, Alike.RETRY}),
        (("monashop", "monahome"), {Alike.SEVERAL}),
        (("monashop",), set()),
        (("lea",), set()),
        (("ana",), set()),
    ],
)
async def test_payments_that_look_alike_are_whose_the_story_says(
    sandbox: Sandbox, customers: tuple[str, ...], alike: set[Alike]
) -> None:
    async with payments_of(sandbox) as payments:
        found = await payments.payments(scope_in(*customers))
    assert {group.alike for group in groups_of(found.facts)} == alike


async def test_the_adapter_finds_customers_however_their_address_is_written(sandbox: Sandbox) -> None:
    async with payments_of(sandbox) as payments:
        found = await payments.customers("Nils.Berg@Example.com")
        assert [one.id for one in found] == ["cus_sandbox_nils", "cus_sandbox_nilslow"]
        assert await payments.customers("nora@example.com") == ()


async def test_the_adapter_says_that_it_may_not_read(sandbox: Sandbox) -> None:
    async with payments_of(sandbox, "rk_test_sandbox_no_charges") as payments:
        with pytest.raises(Unavailable):
            await payments.payments(scope_in("ana"))
        assert (await payments.invoices(scope_in("ana"))).facts


# ---- the command -----------------------------------------------------------------------------------------------


async def test_the_command_prints_address_and_key_and_stops_when_told() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "integrations.stripe.sandbox", "--port", "0"), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    first = (await process.stdout.readline()).decode()
    second = (await process.stdout.readline()).decode()
    assert first.startswith("Stripe sandbox  http://127.0.0.1:")
    assert second.startswith("  STRIPE_API_KEY=rk_test_sandbox_reads_all   reads charge, customer")
    process.terminate()
    assert (await process.communicate())[0] is not None
    assert process.returncode == 0


async def test_the_command_says_what_is_wrong_with_a_story(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("customers: {}\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "integrations.stripe.sandbox", "--story", str(tmp_path / "mine.yaml")),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    assert process.returncode == 2
    assert b"mine.yaml, line 1, customers: there are none" in told
    assert b"Traceback" not in told
