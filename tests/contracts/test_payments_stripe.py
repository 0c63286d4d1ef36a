"""What every Payments keeps to, the Stripe adapter and the fake that tests use; and what only an adapter can show:
pages, patience, budgets and all the ways in which Stripe is unwell."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.identity import CustomerScope
from bot.domain.transactions import Found, Payment, Refund
from bot.errors import SettingsError, Unavailable
from bot.ports import Payments
from bot.telemetry import counters
from integrations.stripe import mapping
from integrations.stripe.adapter import StripePayments
from tests.fakes.clock import FakeClock
from tests.fakes.payments import FakePayments, scope_of
from tests.fakes.stripe_server import (
    AT,
    Json,
    StripeServer,
    charge,
    customer,
    dispute,
    invoice,
    item,
    refund,
    stripe_server,
    subscription,
)

KEY = "rk_test_contract"
NOW = datetime.fromtimestamp(AT, UTC)
LISTS: list[tuple[str, Callable[[Payments, CustomerScope], Awaitable[Found[Any]]]]] = [
    ("payments", lambda payments, scope: payments.payments(scope)),
    ("refunds", lambda payments, scope: payments.refunds(scope)),
    ("invoices", lambda payments, scope: payments.invoices(scope)),
    ("subscriptions", lambda payments, scope: payments.subscriptions(scope)),
    ("disputes", lambda payments, scope: payments.disputes(scope)),
]
every_list = pytest.mark.parametrize("ask", [ask for _, ask in LISTS], ids=[name for name, _ in LISTS])


ANA = scope_of("cus_ana")


@asynccontextmanager
async def adapter(
    server: StripeServer, clock: FakeClock | None = None, budget: float = 10.0
) -> AsyncIterator[Payments]:
    payments = StripePayments(KEY, server.url, clock or FakeClock(), budget=budget)
    try:
        yield payments
    finally:
        await payments.close()


@pytest.fixture
async def server() -> AsyncIterator[StripeServer]:
    async with stripe_server() as running:
        yield running


@pytest.fixture
async def stripe_payments(server: StripeServer) -> AsyncIterator[Payments]:
    async with adapter(server) as payments:
        yield payments


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, as far down as it goes, not redacted."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def security_events() -> int:
    return counters().get(("security", (("what", "foreign_object"),)), 0)


def malformed(kind: str) -> int:
    return counters().get(("stripe_malformed", (("what", kind),)), 0)


# ---- both ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Ana has two of everything, Bo one; each id ends in whose it is."""

    payments: Payments
    smuggle: Callable[[], None]
    break_down: Callable[[], None]


def filled(server: StripeServer) -> None:
    for whose, numbers in (("ana", (2, 1)), ("bo", (1,))):
        for number in numbers:
            tail, at = f"{number}_{whose}", AT + number
            refunds = {"data": [refund(f"re_{tail}", f"ch_{tail}", created=at)], "has_more": False}
            more: Json = {"customer": f"cus_{whose}", "created": at}
            server.add("charges", charge(f"ch_{tail}", disputed=True, refunds=refunds, **more))
            server.add("invoices", invoice(f"in_{tail}", **more))
            server.add("subscriptions", subscription(f"sub_{tail}", start_date=at, **more))
            server.add("disputes", dispute(f"du_{tail}", f"ch_{tail}", created=at))
    server.add("products", {"id": "prod_team", "object": "product", "name": "Team"})


def smuggle(server: StripeServer) -> None:
    """Bo's things come with every list, whoever asks."""
    server.smuggled = {name: server.objects[name][-1:] for name in ("charges", "invoices", "subscriptions", "disputes")}
    for one in server.objects["charges"][:2]:
        one["refunds"]["data"].append(refund("re_1_bo", "ch_1_bo"))


def filled_fake(server: StripeServer) -> FakePayments:
    fake = FakePayments()
    for one in server.objects["charges"]:
        fake.add(mapping.payment(one), *(mapping.refund(data, one) for data in one["refunds"]["data"]))
        fake.add(*(mapping.dispute(data, one) for data in server.objects["disputes"] if data["charge"] == one["id"]))
    fake.add(*(mapping.invoice(data, NOW) for data in server.objects["invoices"]))
    fake.add(*(mapping.subscription(data, {}) for data in server.objects["subscriptions"]))
    return fake


@pytest.fixture(params=["fake", "stripe"])
async def world(request: pytest.FixtureRequest, server: StripeServer) -> AsyncIterator[World]:
    addresses = {"cus_ana": "Ana@Example.com", "cus_ana2": "ana@example.com", "cus_bo": "bo@example.com"}
    filled(server)
    server.add("customers", *(customer(name, email) for name, email in addresses.items()))
    if request.param == "fake":
        fake = filled_fake(server)
        for name, email in addresses.items():
            fake.know(name, email)
        bos = [fact for fact in fake._facts if fact.customer.id == "cus_bo"]
        yield World(fake, lambda: fake.smuggled.extend(bos), lambda: setattr(fake, "down", True))
        return
    async with adapter(server) as payments:
        yield World(payments, lambda: smuggle(server), lambda: server.trick(500, times=-1))


@every_list
async def test_a_scope_gets_its_own_newest_first(world: World, ask: Any) -> None:
    found = await ask(world.payments, ANA)
    assert [fact.id.partition("_")[2] for fact in found.facts] == ["2_ana", "1_ana"]
    assert found.complete


@every_list
async def test_several_customers_of_one_scope_are_put_together(world: World, ask: Any) -> None:
    found = await ask(world.payments, scope_of("cus_ana", "cus_bo"))
    assert {fact.id.partition("_")[2] for fact in found.facts} == {"2_ana", "1_ana", "1_bo"}


@every_list
async def test_whoever_is_not_there_has_nothing(world: World, ask: Any) -> None:
    assert await ask(world.payments, scope_of("cus_nobody")) == Found((), True)


@every_list
async def test_somebody_elses_objects_are_dropped_and_counted(world: World, ask: Any) -> None:
    world.smuggle()
    before = security_events()
    found = await ask(world.payments, ANA)
    assert {fact.customer.id for fact in found.facts} == {"cus_ana"}
    assert len(found.facts) == 2
    assert security_events() > before


@every_list
async def test_when_it_is_down_that_is_said(world: World, ask: Any) -> None:
    world.break_down()
    with pytest.raises(Unavailable) as raised:
        await ask(world.payments, ANA)
    assert raised.value.edge == "stripe"


async def test_an_address_finds_its_customers_as_given_and_in_lower_case(world: World) -> None:
    assert [ref.id for ref in await world.payments.customers("Ana@Example.com")] == ["cus_ana", "cus_ana2"]
    assert [ref.id for ref in await world.payments.customers("ANA@EXAMPLE.COM")] == ["cus_ana2"]


@pytest.mark.parametrize(
    "written", ["", "ana", "an@example.com", "ana@example.com.org", "%@example.com", "na@example.com"]
)
async def test_nothing_like_an_address_finds_anybody(world: World, written: str) -> None:
    assert await world.payments.customers(written) == ()


# ---- customers -------------------------------------------------------------------------------------------------


async def test_an_address_is_asked_for_as_given_and_in_lower_case(
    server: StripeServer, stripe_payments: Payments
) -> None:
    server.together = asyncio.Barrier(2)  # neither is answered before both have come
    await stripe_payments.customers("Ana@Example.com")
    assert {asked.params["email"] for asked in server.asked} == {"Ana@Example.com", "ana@example.com"}


async def test_deleted_customers_are_nobody(server: StripeServer, stripe_payments: Payments) -> None:
    server.add("customers", customer("cus_1", "ana@example.com", deleted=True), customer("cus_2", "ana@example.com"))
    assert [ref.id for ref in await stripe_payments.customers("ana@example.com")] == ["cus_2"]


async def test_a_customer_with_another_address_is_a_security_event(
    server: StripeServer, stripe_payments: Payments
) -> None:
    server.smuggled["customers"] = [customer("cus_bo", "bo@example.com"), customer("cus_none", None)]
    before = security_events()
    assert await stripe_payments.customers("ana@example.com") == ()
    assert security_events() == before + 2


async def test_letters_that_only_fold_alike_are_other_mailboxes(
    server: StripeServer, stripe_payments: Payments
) -> None:
    kelvin = "\N{KELVIN SIGN}im@example.com"
    server.add("customers", customer("cus_kim", "kim@example.com"))
    assert await stripe_payments.customers(kelvin) == ()
    assert [asked.params["email"] for asked in server.asked] == [kelvin]


async def test_what_stripe_calls_no_address_is_nobodys(server: StripeServer, stripe_payments: Payments) -> None:
    server.trick(400, json.dumps({"error": {"type": "invalid_request_error", "code": "email_invalid"}}))
    assert await stripe_payments.customers("a@b") == ()


# ---- what hangs together ---------------------------------------------------------------------------------------


async def test_a_purchase_that_failed_before_a_charge_is_a_payment(
    server: StripeServer, stripe_payments: Payments
) -> None:
    error = {
        "code": "payment_intent_authentication_failure",
        "payment_method": {"type": "card", "card": {"last4": "3155"}},
    }
    intent = {"customer": "cus_ana", "amount": 4900, "currency": "eur", "created": AT, "latest_charge": None}
    server.add("payment_intents", intent | {"id": "pi_1", "last_payment_error": error})
    server.add("payment_intents", intent | {"id": "pi_2", "last_payment_error": error, "latest_charge": "ch_2"})
    server.add("payment_intents", intent | {"id": "pi_3", "last_payment_error": None})
    (payment,) = (await stripe_payments.payments(ANA)).facts
    assert (payment.id, payment.method.last4) == ("pi_1", "3155")
    assert payment.decline is not None
    assert payment.decline.code == "payment_intent_authentication_failure"


async def test_more_refunds_than_come_with_a_charge_are_listed(server: StripeServer, stripe_payments: Payments) -> None:
    many = [refund(f"re_{number}", created=AT + number) for number in range(15)]
    server.add("charges", charge(refunds={"data": many[:10], "has_more": True}))
    server.add("refunds", *many)
    found = await stripe_payments.refunds(ANA)
    assert (len(found.facts), found.complete) == (15, True)
    assert [asked.path for asked in server.asked] == ["/v1/charges", "/v1/refunds"]


async def test_a_refund_of_another_charge_is_dropped(server: StripeServer, stripe_payments: Payments) -> None:
    server.add("charges", charge(refunds={"data": [refund("re_x", "ch_other"), refund()], "has_more": False}))
    before = security_events()
    assert [one.id for one in (await stripe_payments.refunds(ANA)).facts] == ["re_1"]
    assert security_events() == before + 1


async def test_only_disputed_charges_are_asked_about(server: StripeServer, stripe_payments: Payments) -> None:
    server.add("charges", charge("ch_1"), charge("ch_2", disputed=True), charge("ch_3"))
    server.add("disputes", dispute("du_2", "ch_2"))
    (found,) = (await stripe_payments.disputes(ANA)).facts
    assert (found.id, found.payment) == ("du_2", "ch_2")
    assert [asked.params.get("charge") for asked in server.asked] == [None, "ch_2"]


async def test_plans_are_named_after_their_products(server: StripeServer, stripe_payments: Payments) -> None:
    server.add("subscriptions", subscription(items={"data": [item("prod_1"), item("prod_2", id="si_2")]}))
    server.add("products", {"id": "prod_1", "name": "Team"}, {"id": "prod_2", "name": "Storage"})
    (found,) = (await stripe_payments.subscriptions(ANA)).facts
    assert found.plan == "Team + Storage"


async def test_ended_subscriptions_are_asked_for_too(server: StripeServer, stripe_payments: Payments) -> None:
    await stripe_payments.subscriptions(ANA)
    assert server.asked[0].params["status"] == "all"


# ---- limits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "got", "complete"), [(100, 100, True), (120, 120, True), (300, 300, True), (301, 300, False)]
)
async def test_lists_are_read_to_a_limit(
    server: StripeServer, stripe_payments: Payments, stored: int, got: int, complete: bool
) -> None:
    server.add("invoices", *(invoice(f"in_{number}", created=AT - number) for number in range(stored)))
    found = await stripe_payments.invoices(ANA)
    assert (len(found.facts), found.complete) == (got, complete)
    assert len(server.asked) == min(3, -(-stored // 100))
    assert [fact.id for fact in found.facts] == [f"in_{number}" for number in range(got)]


@every_list
async def test_never_more_than_three_requests_in_a_row(
    server: StripeServer, stripe_payments: Payments, ask: Any
) -> None:
    for number in range(400):
        refunds = {"data": [], "has_more": number == 0}
        server.add("charges", charge(f"ch_{number}", disputed=number == 0, refunds=refunds))
        server.add("invoices", invoice(f"in_{number}"))
        server.add("subscriptions", subscription(f"sub_{number}"))
    found = await ask(stripe_payments, ANA)
    in_a_row = [asked for asked in server.asked if asked.path != "/v1/payment_intents"]
    assert len(in_a_row) == 3
    assert not found.complete


async def test_customers_are_read_side_by_side(server: StripeServer, stripe_payments: Payments) -> None:
    server.together = asyncio.Barrier(8)
    names = [f"cus_{number}" for number in range(8)]
    await asyncio.wait_for(stripe_payments.invoices(scope_of(*names)), 5)
    assert server.most_at_once == 8


async def test_twenty_people_do_not_wait_for_one_another(server: StripeServer, stripe_payments: Payments) -> None:
    server.together = asyncio.Barrier(20)
    asked = (stripe_payments.invoices(scope_of(f"cus_{number}")) for number in range(20))
    await asyncio.wait_for(asyncio.gather(*asked), 5)
    assert server.most_at_once == 20


# ---- whose it is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["cus_bo", None, "", 5, {"id": "cus_bo"}, {"id": None}, ["cus_ana"], "CUS_ANA"])
async def test_a_charge_of_anybody_else_is_never_shown(
    server: StripeServer, stripe_payments: Payments, log: io.StringIO, whose: Any
) -> None:
    server.add("charges", charge("ch_1"))
    server.smuggled["charges"] = [charge("ch_secret", whose, description="hush")]
    before = security_events()
    assert [one.id for one in (await stripe_payments.payments(ANA)).facts] == ["ch_1"]
    assert security_events() == before + 1
    assert "kind ch" in log.getvalue()
    assert "secret" not in log.getvalue()
    assert "cus_bo" not in log.getvalue()
    assert "hush" not in log.getvalue()


async def test_an_expanded_customer_is_known_as_well(server: StripeServer, stripe_payments: Payments) -> None:
    server.smuggled["charges"] = [charge("ch_1", None) | {"customer": {"id": "cus_ana", "object": "customer"}}]
    assert [one.id for one in (await stripe_payments.payments(ANA)).facts] == ["ch_1"]


async def test_a_customer_who_is_not_there_looks_like_one_with_nothing(
    server: StripeServer, stripe_payments: Payments
) -> None:
    server.trick(400, json.dumps({"error": {"type": "invalid_request_error", "code": "resource_missing"}}))
    assert await stripe_payments.subscriptions(scope_of("cus_gone")) == Found((), True)
    assert len(server.asked) == 1


# ---- objects that cannot be read -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [{"currency": "zzz"}, {"currency": None}, {"amount": "4900"}, {"amount": None}, {"status": "odd"}, {"created": -1}],
    ids=str,
)
async def test_one_that_cannot_be_read_is_dropped_and_counted(
    server: StripeServer, stripe_payments: Payments, log: io.StringIO, wrong: Json
) -> None:
    server.add("charges", charge("ch_odd", description="hush", **wrong), charge("ch_1"))
    before = malformed("charge")
    found = await stripe_payments.payments(ANA)
    assert ([one.id for one in found.facts], found.complete) == (["ch_1"], False)
    assert malformed("charge") == before + 1
    assert "hush" not in log.getvalue()


async def test_objects_without_an_id_are_dropped(server: StripeServer, stripe_payments: Payments) -> None:
    server.smuggled["charges"] = [charge() | {"id": None}, {}, charge("ch_2")]
    assert [one.id for one in (await stripe_payments.payments(ANA)).facts] == ["ch_2"]


# ---- when Stripe is unwell -------------------------------------------------------------------------------------

SICK = {
    "500": (500, "oops"),
    "503 as a page": (503, "<html>"),
    "401": (401, json.dumps({"error": {"type": "invalid_request_error", "message": f"Invalid API Key: {KEY}"}})),
    "half": (200, '{"object": "list", "data": [{"id": "ch_hush", "description": "hu'),
    "empty": (200, ""),
    "not an object": (200, "[]"),
    "null": (200, "null"),
    "no list": (200, '{"object": "charge", "id": "ch_hush"}'),
    "deep": (200, "[" * 100_000),
    "not UTF-8": (200, "\udcff"),
    "odd error": (400, '{"error": 5}'),
    "odder error": (400, '{"error": {"type": ["x"], "code": {}, "message": null}}'),
    "error as a word": (400, '{"error": "invalid_grant", "error_description": "ch_hush"}'),
    "moved": (301, ""),
    "nothing": (204, ""),
}


@pytest.mark.parametrize(("status", "body"), SICK.values(), ids=SICK)
async def test_whatever_stripe_answers_it_is_unavailable_and_nothing_leaks(
    server: StripeServer, stripe_payments: Payments, log: io.StringIO, status: int, body: str
) -> None:
    server.trick(status, body.encode("utf-8", "replace").decode(), times=-1)
    with pytest.raises(Unavailable) as raised:
        await stripe_payments.payments(ANA)
    told = log.getvalue() + "".join(traceback.format_exception(raised.value))
    assert "Stripe could not be read (payments)" in told
    assert "hush" not in told
    assert KEY not in told
    assert "cus_ana" not in told
    assert raised.value.__context__ is None


async def test_a_missing_permission_is_named(server: StripeServer, stripe_payments: Payments, log: io.StringIO) -> None:
    message = f"The key {KEY} of cus_ana lacks 'rak_charge_read' for this"
    server.trick(403, json.dumps({"error": {"type": "invalid_request_error", "message": message}}), times=-1)
    with pytest.raises(Unavailable):
        await stripe_payments.payments(ANA)
    assert "PermissionError, HTTP 403, rak_charge_read" in log.getvalue()
    assert KEY not in log.getvalue()
    assert "cus_ana" not in log.getvalue()


async def test_no_address_and_no_customer_is_logged_when_all_is_well(
    server: StripeServer, stripe_payments: Payments, log: io.StringIO
) -> None:
    server.add("charges", charge(description="hush"))
    await stripe_payments.customers("ana@example.com")
    await stripe_payments.payments(ANA)
    for secret in ("ana", "hush", KEY):
        assert secret not in log.getvalue()


async def test_nobody_listens(server: StripeServer, log: io.StringIO) -> None:
    async with stripe_server() as gone:
        pass
    async with adapter(gone) as payments:
        with pytest.raises(Unavailable):
            await payments.payments(ANA)
    assert "ClientConnectorError" in log.getvalue()


async def test_an_answer_without_end_is_cut_off_by_the_budget(server: StripeServer, log: io.StringIO) -> None:
    server.trick(hang=True, times=-1)
    async with adapter(server, budget=0.2) as payments:
        with pytest.raises(Unavailable):
            await payments.payments(ANA)
    assert "no answer within 0.2 seconds" in log.getvalue()


async def test_one_that_fails_ends_the_others(server: StripeServer) -> None:
    server.trick(hang=True, path="/v1/payment_intents")
    server.trick(500, path="/v1/charges")
    async with adapter(server) as payments:
        with pytest.raises(Unavailable):
            await asyncio.wait_for(payments.payments(ANA), 5)


# ---- when Stripe is busy ---------------------------------------------------------------------------------------


async def test_when_it_is_busy_it_is_asked_again(server: StripeServer, stripe_payments: Payments) -> None:
    server.add("invoices", invoice())
    server.trick(429, times=2)
    assert len((await stripe_payments.invoices(ANA)).facts) == 1
    assert len(server.asked) == 3


async def test_it_waits_as_long_as_it_is_asked_to(server: StripeServer, stripe_payments: Payments) -> None:
    server.trick(429, headers={"Retry-After": "1"})
    loop = asyncio.get_running_loop()
    before = loop.time()
    await stripe_payments.invoices(ANA)
    assert loop.time() - before >= 1


@pytest.mark.parametrize("asked", ["60", "999999"])
async def test_a_wait_that_is_longer_than_the_budget_is_not_begun(
    server: StripeServer, stripe_payments: Payments, asked: str
) -> None:
    server.trick(429, headers={"Retry-After": asked}, times=-1)
    with pytest.raises(Unavailable):
        await asyncio.wait_for(stripe_payments.invoices(ANA), 5)
    assert len(server.asked) == 1


@pytest.mark.parametrize("asked", ["", "soon", "-5", "1e9", "nan", "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_an_odd_retry_after_is_no_matter(server: StripeServer, stripe_payments: Payments, asked: str) -> None:
    server.trick(429, headers={"Retry-After": asked})
    await asyncio.wait_for(stripe_payments.invoices(ANA), 5)
    assert len(server.asked) == 2


async def test_being_busy_for_ever_ends_with_the_budget(server: StripeServer) -> None:
    server.trick(429, times=-1)
    async with adapter(server, budget=0.7) as payments:
        with pytest.raises(Unavailable):
            await payments.invoices(ANA)
    assert len(server.asked) == 2


# ---- the breaker -----------------------------------------------------------------------------------------------


async def fail(payments: Payments, times: int) -> None:
    for _ in range(times):
        with pytest.raises(Unavailable):
            await payments.invoices(ANA)


async def test_after_five_failures_it_is_left_alone_and_then_asked_once(server: StripeServer) -> None:
    clock = FakeClock()
    async with adapter(server, clock) as payments:
        server.trick(500, times=6)
        await fail(payments, 8)
        assert len(server.asked) == 5
        clock.advance(31)
        await fail(payments, 3)
        assert len(server.asked) == 6
        clock.advance(31)
        assert await payments.invoices(ANA) == Found((), True)
        assert await payments.invoices(ANA) == Found((), True)


async def test_while_one_asks_whether_it_is_well_others_do_not(server: StripeServer) -> None:
    clock = FakeClock()
    async with adapter(server, clock) as payments:
        server.trick(500, times=5)
        await fail(payments, 5)
        clock.advance(31)
        server.together = asyncio.Barrier(2)
        probe = asyncio.create_task(payments.invoices(ANA))
        await server.until_asked(6)
        await fail(payments, 3)
        assert len(server.asked) == 6
        await server.together.wait()
        assert await probe == Found((), True)


async def test_one_that_gives_up_asking_lets_the_next_one_ask(server: StripeServer) -> None:
    clock = FakeClock()
    async with adapter(server, clock) as payments:
        server.trick(500, times=5)
        await fail(payments, 5)
        clock.advance(31)
        server.trick(hang=True)
        probe = asyncio.create_task(payments.invoices(ANA))
        await server.until_asked(6)
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        assert await payments.invoices(ANA) == Found((), True)


async def test_a_clock_that_was_set_back_does_not_keep_us_away(server: StripeServer) -> None:
    clock = FakeClock()
    async with adapter(server, clock) as payments:
        server.trick(500, times=5)
        await fail(payments, 5)
        clock.advance(-timedelta(days=300).total_seconds())
        assert await payments.invoices(ANA) == Found((), True)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_is_no_failure(server: StripeServer, stripe_payments: Payments, status: int) -> None:
    server.trick(status, times=10)
    await fail(stripe_payments, 10)
    assert await stripe_payments.invoices(ANA) == Found((), True)


# ---- keys ------------------------------------------------------------------------------------------------------


def test_a_secret_key_needs_leave_and_is_warned_of(log: io.StringIO) -> None:
    with pytest.raises(SettingsError):
        StripePayments("sk_test_contract", "http://127.0.0.1:1", FakeClock())
    StripePayments("sk_test_contract", "http://127.0.0.1:1", FakeClock(), allow_secret_key=True)
    assert "STRIPE_API_KEY is a secret key" in log.getvalue()
    assert "sk_test" not in log.getvalue()


def test_stripes_own_log_on_the_console_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_LOG", "info")
    with pytest.raises(SettingsError):
        StripePayments(KEY, "http://127.0.0.1:1", FakeClock())


def test_the_fake_and_the_adapter_fulfil_the_port() -> None:
    kept: list[Payments] = [FakePayments(), StripePayments(KEY, "http://127.0.0.1:1", FakeClock())]
    assert len(kept) == 2


async def test_what_is_found_is_typed(server: StripeServer, stripe_payments: Payments) -> None:
    filled(server)
    payment, *_ = (await stripe_payments.payments(ANA)).facts
    given_back, *_ = (await stripe_payments.refunds(ANA)).facts
    assert isinstance(payment, Payment)
    assert isinstance(given_back, Refund)
    assert given_back.payment == payment.id
