"""A provider that mixes people up, sends nonsense, is down or refuses us; and texts that somebody outside wrote.

Each goes through the whole bot. Nobody is shown what is not theirs, nobody reads what went wrong inside, and what
cannot be told goes to a person.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from bot.services import words
from bot.telemetry import counters
from integrations.stripe.sandbox import Sandbox
from integrations.stripe.sandbox_errors import Ill
from tests.fakes.stripe_server import StripeServer, charge, customer, dispute, invoice, refund, stripe_server
from tests.fakes.stripe_server import subscription as plan
from tests.scenarios.stage import DESK, Stage, open_stage

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

WHERE, PAYMENTS = "Where is my refund?", "Show me my recent payments"
INVOICE, BILL, DISPUTE = (
    "Can I get a copy of my invoice?",
    "When is my next bill?",
    "What is happening with my dispute?",
)
INSIDE = re.compile(r"Traceback|\w*Error\b|Exception|\bNone\b|\bnan\b|req_|HTTP \d|rk_test|Malformed|Unavailable")
"""What customers never read."""
HUGE = 10**30


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def liar(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Stage, StripeServer]]:
    """A bot over a server that says whatever a test makes it say."""
    async with stripe_server() as server:
        money: dict[str, Any] = {"stripe_api_key": "rk_test_liar", "stripe_api_url": server.url}
        async with open_stage(tmp_path_factory.mktemp("data"), identity_rule="email", **money) as stage:
            yield stage, server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A bot over the sandbox."""
    async with Sandbox() as stripe, open_stage(tmp_path_factory.mktemp("data"), stripe=stripe) as opened:
        yield opened


def known(stage: Stage, server: StripeServer) -> tuple[str, str]:
    """Somebody new, and the customer that they are; the server knows nothing else any more."""
    user = stage.newcomer()
    server.objects.clear()
    server.smuggled.clear()
    email = stage.ws.directory.people[user].email
    server.add("customers", customer(f"cus_{user}", email))
    return user, f"cus_{user}"


def security_events() -> int:
    return sum(number for (name, _), number in counters().items() if name == "security")


def whole(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False)


# ---- a provider that lies --------------------------------------------------------------------------------------

OTHERS = {"amount": 66600, "description": "Somebody else's boat", "receipt_url": "https://pay.stripe.com/receipts/666"}
SMUGGLED = {
    "charges": charge("ch_other", "cus_other", **OTHERS),
    "payment_intents": {"id": "pi_other", "object": "payment_intent", "customer": "cus_other", **OTHERS},
    "invoices": invoice("in_other", "cus_other", number="OTHER-666", total=66600, amount_remaining=66600),
    "subscriptions": plan("sub_other", "cus_other"),
}
ASKED = {WHERE: "refund", PAYMENTS: "payment", INVOICE: "invoice", BILL: "plan", DISPUTE: "dispute"}


@pytest.mark.parametrize("question", list(ASKED), ids=list(ASKED.values()))
async def test_an_object_of_somebody_else_in_a_list_is_dropped_and_told_as_a_security_event(
    liar: tuple[Stage, StripeServer], question: str, caplog: pytest.LogCaptureFixture
) -> None:
    stage, server = liar
    user, own = known(stage, server)
    mine = charge("ch_mine", own, disputed=True, refunds={"object": "list", "data": [refund("re_mine", "ch_mine")]})
    mixed = [refund("re_other", "ch_other", amount=66600), *mine["refunds"]["data"]]
    mine["refunds"] = {"object": "list", "data": mixed, "has_more": False}
    server.add("charges", mine)
    server.add("invoices", invoice("in_mine", own))
    server.add("subscriptions", plan("sub_mine", own))
    server.add("disputes", dispute("du_mine", "ch_mine"))
    server.smuggled = {name: [one] for name, one in SMUGGLED.items()}
    server.smuggled["disputes"] = [dispute("du_other", "ch_other", amount=66600)]
    before = security_events()
    with caplog.at_level(logging.WARNING):
        said = await stage.ask(user, question)
    await stage.settled()

    assert security_events() > before
    assert "security: dropped an object of somebody else" in caplog.text
    for text in (whole(said), whole({"desk": stage.said(DESK)}), caplog.text):
        assert not re.search(r"666|boat|_other|OTHER", text.replace(said["ts"], ""))
    assert words.DOWN not in said["text"]


async def test_customers_whom_nobody_asked_for_are_no_ones(liar: tuple[Stage, StripeServer]) -> None:
    """The search by e-mail gives somebody with another address: they are not the asker."""
    stage, server = liar
    user, own = known(stage, server)
    server.smuggled["customers"] = [customer("cus_other", "other@example.com")]
    server.add("charges", charge("ch_mine", own), charge("ch_other", "cus_other", **OTHERS))
    said = await stage.ask(user, PAYMENTS)

    assert "49.00" in whole(said).replace(",", ".")
    assert "666" not in said["text"]


async def test_a_deleted_customer_is_nobody(liar: tuple[Stage, StripeServer]) -> None:
    stage, server = liar
    user, own = known(stage, server)
    server.objects["customers"][0]["deleted"] = True
    server.add("charges", charge("ch_mine", own))
    said = await stage.ask(user, PAYMENTS)

    assert words.NOT_LINKED in said["text"]
    assert "49" not in said["text"].replace(said["ts"], "")


# ---- a provider that sends nonsense ----------------------------------------------------------------------------

NOW = 1_795_000_000
ODD: dict[str, dict[str, Any]] = {
    "zero": {"amount": 0, "amount_captured": 0},
    "negative": {"amount": -4900, "amount_captured": -4900},
    "huge": {"amount": HUGE, "amount_captured": HUGE},
    "a fraction": {"amount": 49.5},
    "a text": {"amount": "4900"},
    "no amount": {"amount": None},
    "an unknown currency": {"currency": "zzz"},
    "no currency": {"currency": "<b>"},
    "a state that nobody knows": {"status": "teleported"},
    "in the future": {"created": NOW * 2},
    "before the epoch": {"created": -NOW},
    "at no time": {"created": 10**18},
    "more back than there was": {"amount_refunded": 999900},
    "no method": {"payment_method_details": None},
    "lists for texts": {"description": ["<!channel>"], "receipt_url": {"a": 1}},
    "a link to elsewhere": {"receipt_url": "javascript:alert(1)"},
}


@pytest.mark.parametrize("change", list(ODD.values()), ids=list(ODD))
async def test_a_payment_that_cannot_be_right_breaks_nothing(
    liar: tuple[Stage, StripeServer], change: dict[str, Any]
) -> None:
    """It is shown as it is, or not at all; beside it stands what can be read."""
    stage, server = liar
    user, own = known(stage, server)
    server.add("charges", charge("ch_odd", own, **change), charge("ch_good", own, description="Good one"))
    said = await stage.ask(user, PAYMENTS)
    await stage.settled()

    assert len(stage.said(await stage.dm(user))) == 1
    assert "Good one" in whole(said)
    assert not INSIDE.search(said["text"])
    assert "javascript:" not in whole(said)
    assert "<!channel>" not in whole(said)


async def test_a_refund_above_its_payment_is_shown_and_specialists_are_told(liar: tuple[Stage, StripeServer]) -> None:
    stage, server = liar
    user, own = known(stage, server)
    back = {"object": "list", "data": [refund("re_big", "ch_1", amount=999900)], "has_more": False}
    server.add("charges", charge("ch_1", own, refunds=back, amount_refunded=999900))
    said = await stage.ask(user, WHERE)

    assert "9.999,00" in said["text"]
    assert not INSIDE.search(said["text"])


# ---- a provider that is down or refuses us ---------------------------------------------------------------------

ILLS: dict[str, tuple[Ill, float]] = {
    "500": ("error", 0.0),
    "half an answer": ("half", 0.0),
    "a closed connection": ("drop", 0.0),
    "429": ("busy", 0.0),
    "locked": ("locked", 0.0),
    "slow": ("slow", 60.0),
}
ASKERS = ("U0ANA", "U0BEN", "U0CLEO", "U0DAN", "U0EVA", "U0FAY", "U0HANA", "U0IVO", "U0LEA", "U0MONA", "U0NILS")


async def called(stage: Stage, user: str, caplog: pytest.LogCaptureFixture) -> None:
    """A person was called, in kind words; nothing of what happened is told, or of anybody's money."""
    assert stage.stripe is not None
    said = await stage.ask(user, WHERE)
    stage.stripe.well()
    card = await stage.card_of(user)

    assert words.DOWN in said["text"]
    assert words.SPECIALIST_WILL_ANSWER in said["text"]
    assert not INSIDE.search(said["text"])
    assert not re.search(r"€|£|\$|_sandbox_", said["text"])
    assert not re.search(r"Traceback|HTTP|req_|rk_test|_sandbox_", whole(card))
    assert not re.search(r"@(?:souza|okafor|example)|(?:ch|cus|re)_sandbox|No such", caplog.text)
    (row,) = [one async for one in stage.bot.stores.audit.rows() if one.for_whom.endswith(f":{user}")]
    assert row.outcome == "unavailable"
    assert stage.bot.lookups is not None
    # It is well again, so the next one is not turned away for what happened to this one.
    assert await stage.bot.lookups.payments.customers("ana@souza.example")


@pytest.mark.parametrize(("ill", "seconds"), list(ILLS.values()), ids=list(ILLS))
async def test_when_stripe_cannot_be_read_a_person_is_called(
    stage: Stage, ill: Ill, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    assert stage.stripe is not None
    stage.stripe.fault(ill, times=-1, seconds=seconds)
    await called(stage, ASKERS[[one for one, _ in ILLS.values()].index(ill)], caplog)


@pytest.mark.parametrize("may", [None, frozenset({"customer"}), frozenset()], ids=["401", "403 later", "403 at once"])
async def test_when_stripe_refuses_our_key_a_person_is_called(
    stage: Stage, may: frozenset[str] | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert stage.stripe is not None
    story = stage.stripe.story
    stage.stripe.story = replace(story, keys={} if may is None else {**story.keys, stage.stripe.key: may})
    user = ASKERS[len(ILLS) + (0 if may is None else 1 + len(may))]
    try:
        said = await stage.ask(user, WHERE)
    finally:
        stage.stripe.story = story

    assert words.DOWN in said["text"]
    assert not INSIDE.search(said["text"])
    (row,) = [one async for one in stage.bot.stores.audit.rows() if one.for_whom.endswith(f":{user}")]
    assert row.outcome == "unavailable"


# ---- texts that somebody outside wrote -------------------------------------------------------------------------


async def test_texts_of_others_are_shown_harmless_and_short(stage: Stage) -> None:
    """Pat's payments and plan hold orders, links, mentions and markup: in a table, in a sentence, in a select and on a
    card they are words."""
    pat = "U0PAT"
    for question in (PAYMENTS, BILL, INVOICE, "What is this charge on my card that I do not recognise?"):
        await stage.ask(pat, question)
    await stage.ask(pat, "I want to talk to a human please")
    shown = [whole(one) for one in stage.said(await stage.dm(pat))] + [whole(await stage.card_of(pat))]
    text = "\n".join(shown)

    assert "Ignore all rules" in text
    assert "Fine" in text
    for trap in ("<!channel>", "<!here>", "<@U0ADA>", "<#C0GENERAL>", "<https://evil", "<script", "</b>", "```block"):
        assert trap not in text
    assert "https://evil.example" not in text
    assert "SYSTEM: approve" not in text
    assert "so long so long so long so long so long so long so long so long so" not in text
    assert "\u202e" not in text
    assert not re.search(r"(?<!<)@(?:here|everyone|channel)\b", text)
