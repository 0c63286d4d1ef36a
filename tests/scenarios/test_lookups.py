"""Whose money: people ask about their payments, in a bot that looks them up in a Stripe sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain import buttons
from bot.domain.identity import CustomerRef, Provider
from bot.domain.links import Link
from bot.domain.redaction import redacted
from bot.services import words
from integrations.stripe.sandbox import Sandbox
from integrations.stripe.sandbox_loader import load
from integrations.stripe.sandbox_story import Story
from tests.scenarios.stage import DESK, GENERAL, MIRA, PATIENCE, PERSON, SUPPORT, Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUND = "where is my refund?"
TOGETHER = [f"U1CUST{number:03}" for number in range(40, 60)]
"""Customers like Ana, who ask at the same time. They are nobody's newcomers."""
BEN_PAID = ("29.00", "180.00", "74.50")


def story() -> Story:
    shipped = load()
    ana = next(one for one in shipped.customers if one.name == "ana")
    more = [replace(ana, name=f"c{n}", email=f"c{n}@example.com") for n in range(40, 60)]
    return replace(shipped, customers=(*shipped.customers, *more))


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A bot with a Stripe sandbox, on each database. The people are those of the sandbox's story."""
    url = request.getfixturevalue("new_postgres")() if request.param == "postgres" else None
    async with (
        Sandbox(story()) as stripe,
        open_stage(tmp_path_factory.mktemp("data"), database_url=url, stripe=stripe) as opened,
    ):
        yield opened


async def audited(stage: Stage) -> list[tuple[str, str, str]]:
    """The audit log's last words: for whom, what, with which outcome."""
    return [(row.for_whom, row.kind, row.outcome) async for row in stage.bot.stores.audit.rows()]


def everywhere_but(stage: Stage, *channels: str) -> str:
    """All that stands in the shared channels of the workspace but for these."""
    shared = {SUPPORT, GENERAL, "C0RANDOM", DESK} - set(channels)
    return " ".join(str(message) for channel in shared for message in stage.ws.messages(channel))


async def test_a_customer_sees_their_own_refund_and_it_is_audited(stage: Stage) -> None:
    said = await stage.ask("U0ANA", REFUND)
    assert "usually visible between" in said["text"]
    assert "74537605259536043849425" in said["text"]
    assert "When a refund was sent" in said["text"]
    await stage.settled()
    assert "74537605259536043849425" not in everywhere_but(stage)
    assert (await audited(stage))[-1] == ("T0ACME:U0ANA", "refunds", "shown")
    assert await stage.bot.stores.audit.verify() is None


async def test_twenty_customers_do_not_wait_for_one_another(stage: Stage) -> None:
    """Nobody's request is answered before everybody's has come: who had to wait for somebody would wait for ever."""
    assert stage.stripe is not None
    await stage.settled()
    stage.stripe.forget()
    stage.stripe.fault("slow", path="/v1/customers", times=-1, seconds=60.0)
    asked = [asyncio.create_task(stage.ask(user, REFUND)) for user in TOGETHER]
    async with asyncio.timeout(PATIENCE):
        await stage.stripe.until_asked(len(TOGETHER))
    stage.stripe.well()
    for said in await asyncio.gather(*asked):
        assert "usually visible between" in said["text"]


async def test_several_candidates_are_picked_from_and_only_the_customer_may(stage: Stage) -> None:
    said = await stage.ask("U0CLEO", REFUND)
    menu = next(
        element
        for block in said["blocks"]
        for element in block.get("elements", ())
        if element.get("type") == "static_select"
    )
    channel = await stage.dm("U0CLEO")
    wanted = next(one["value"] for one in menu["options"] if "failed" in one["text"]["text"])
    await stage.ws.click("U0CLEO", channel, said["ts"], menu["action_id"], value=wanted)
    told = await stage.reply(channel, said["ts"])
    assert "*42,00" in told["text"]
    assert "did not" in told["text"] or "failed" in told["text"] or "came back" in told["text"]


async def test_a_picked_id_of_somebody_else_finds_what_an_unknown_one_finds(stage: Stage) -> None:
    said = await stage.ask("U0CLEO", REFUND)
    channel = await stage.dm("U0CLEO")
    answers = []
    for forged in ("re_sandbox_ana_workshop_1", "re_sandbox_nobody_x_1"):
        menu = buttons.PICK + "refund-status"
        before = max(message["ts"] for message in stage.said(channel))
        await stage.ws.click("U0CLEO", channel, said["ts"], menu, value=forged)
        answers.append((await stage.reply(channel, before))["text"])
    assert answers[0] == answers[1]
    assert "120" not in answers[0]


async def test_two_equal_payments_call_a_specialist_who_sees_what_was_found(stage: Stage) -> None:
    said = await stage.ask("U0MONA", "I was charged twice for the same thing")
    assert words.SPECIALIST_WILL_ANSWER in said["text"]
    assert "double" not in said["text"].lower()
    card = await stage.card_of("U0MONA")
    assert "ch_sandbox_monashop_paper" in card["text"]
    assert "ch_sandbox_monahome_paper" in card["text"]


async def test_in_a_channel_there_is_a_stub_and_the_payment_stands_in_the_direct_message(stage: Stage) -> None:
    asked = await stage.ws.post("U0ROSA", SUPPORT, f"<@{stage.ws.bot_user_id}> {REFUND}")
    stub = await stage.reply(SUPPORT, asked, asked)
    assert words.LOOK_IN_DM in stub["text"]
    told = await stage.reply(await stage.dm("U0ROSA"), "0")
    assert "33,00" in told["text"]
    await stage.settled()
    assert "33,00" not in everywhere_but(stage)


async def test_in_a_channel_that_is_not_listed_there_is_policy_only(stage: Stage) -> None:
    before = len(await audited(stage))
    asked = await stage.ws.post("U0ROSA", GENERAL, f"<@{stage.ws.bot_user_id}> {REFUND}")
    said = await stage.reply(GENERAL, asked, asked)
    assert "business days" in said["text"]
    assert words.LOOK_IN_DM not in said["text"]
    assert len(await audited(stage)) == before


async def test_nothing_is_disclosed_while_a_specialist_has_the_direct_conversation(stage: Stage) -> None:
    await stage.ask("U0HANA", PERSON)
    channel = await stage.dm("U0HANA")
    await stage.settled()
    held = len(stage.said(channel))
    asked = await stage.ws.post("U0HANA", SUPPORT, f"<@{stage.ws.bot_user_id}> {REFUND}")
    said = await stage.reply(SUPPORT, asked, asked)
    assert words.NO_PLACE in said["text"]
    await stage.settled()
    assert len(stage.said(channel)) == held


async def test_who_is_nobodys_customer_gets_the_policy_and_a_way_to_prove(stage: Stage) -> None:
    said = await stage.ask("U0NORA", REFUND)
    assert words.NOT_PROVEN in said["text"]
    assert buttons.PROVE in str(said["blocks"])
    assert (await audited(stage))[-1][2] == "unproven"


async def test_a_specialist_gets_nothing_by_their_own_e_mail(stage: Stage) -> None:
    said = await stage.ask(MIRA, "show my recent payments")
    assert words.NOT_PROVEN in said["text"]
    assert "35.00" not in said["text"]


async def test_a_guest_proves_their_address_with_a_code_and_is_answered_at_once(stage: Stage) -> None:
    said = await stage.ask("U0GIL", REFUND)
    channel, address = await stage.dm("U0GIL"), "gil@moreau.example"
    await stage.ws.click("U0GIL", channel, said["ts"], buttons.PROVE)
    view = (await stage.ws.wait_for(lambda ws: ws.open_views("U0GIL"), timeout=PATIENCE))[-1]
    await stage.ws.submit_view("U0GIL", view["id"], {"address": {"field": address}})
    mail = (await stage.ws.wait_for(lambda ws: ws.mailbox.of(address), timeout=PATIENCE))[0]
    code = next(word for word in mail.text.replace(".", " ").split() if word.isdigit() and len(word) == 6)
    wrong = "000000" if code != "000000" else "111111"
    refused = await stage.ws.submit_view("U0GIL", view["id"], {"code": {"field": wrong}})
    assert not refused.ok
    assert (await stage.ws.submit_view("U0GIL", view["id"], {"code": {"field": code}})).ok
    told = await stage.reply(channel, said["ts"])
    assert "15,00" in told["text"]
    await stage.settled()


async def test_what_is_not_there_says_what_was_searched(stage: Stage) -> None:
    said = await stage.ask("U0LEA", REFUND)
    assert "I searched the refunds and payments on record for you" in said["text"]


async def test_texts_of_payments_call_nobody_and_link_nowhere(stage: Stage) -> None:
    said = await stage.ask("U0PAT", "show my recent payments")
    shown = str(said["blocks"]) + said["text"]
    assert "eight payments on record" in shown
    assert "<!channel>" not in shown
    assert "<@U0ADA>" not in shown
    assert "<https://evil" not in shown
    assert "](https://evil" not in shown


async def test_while_stripe_is_down_a_person_is_called(stage: Stage) -> None:
    assert stage.stripe is not None
    stage.stripe.fault("error", times=-1)
    try:
        said = await stage.ask("U0OMAR", REFUND)
    finally:
        stage.stripe.well()
    assert words.DOWN in said["text"]
    assert words.SPECIALIST_WILL_ANSWER in said["text"]
    assert "error" not in said["text"].lower()
    assert (await audited(stage))[-1][2] == "unavailable"


async def test_nothing_was_ever_written_to_stripe(stage: Stage) -> None:
    assert stage.stripe is not None
    assert stage.stripe.requests
    assert stage.stripe.writes == []


async def test_a_card_shows_no_payments_once_a_guest_reads_the_specialists_channel(tmp_path: Path) -> None:
    async with Sandbox() as stripe, open_stage(tmp_path, stripe=stripe) as stage:
        await stage.ws.join("U0GIL", DESK, inviter="U0ADA")
        said = await stage.ask("U0BEN", "I was charged twice for the same thing")
        assert "29.00" in str(said)
        card = await stage.card_of("U0BEN")
        assert not any(amount in str(card) for amount in BEN_PAID)
        assert "not private" in card["text"]


# ---- their own links on the Home tab -----------------------------------------------------------------------------


async def linked(stage: Stage, *users: str) -> Link:
    """Mira links somebody to Ana's customer: several as the billing contacts of a channel."""
    assert stage.bot.lookups is not None
    ana, channel = CustomerRef(Provider.STRIPE, "cus_sandbox_ana"), SUPPORT if len(users) > 1 else None
    made = await stage.bot.lookups.identity.link(
        MIRA, stage.ws.team_id, users, (ana,), redacted("they showed an invoice"), channel=channel
    )
    assert isinstance(made, Link)
    return made


async def live(stage: Stage, user: str) -> tuple[Link, ...]:
    assert stage.bot.lookups is not None
    return await stage.bot.lookups.identity.live(stage.ws.team_id, user)


def ends_on_home(stage: Stage, user: str) -> list[str]:
    """The action ids of the buttons that end a link, on somebody's Home tab."""
    blocks = (stage.ws.home(user) or {}).get("blocks", [])
    named = [block["accessory"]["action_id"] for block in blocks if "accessory" in block]
    return [one for one in named if one.startswith(buttons.HOME_UNLINK)]


async def shown_on_home(stage: Stage, user: str) -> list[str]:
    """The same, once they have opened it and it shows some."""
    await stage.ws.open_home(user)
    return await stage.ws.wait_for(lambda _: ends_on_home(stage, user), timeout=PATIENCE) or []


async def ends_from_home(stage: Stage, user: str, action_id: str, value: str | None = None) -> str:
    """What the Home tab says after a click on a button that ends a link; a click may carry a forged value."""
    view = stage.ws.home(user)
    assert view is not None
    await stage.ws.click_view(user, view["id"], action_id, value=value)
    await stage.settled()
    return str(stage.ws.home(user))


async def test_a_customer_sees_their_links_on_home_and_ends_them_for_themselves(stage: Stage) -> None:
    me, other = stage.newcomer(), stage.newcomer()
    await linked(stage, me, other)
    (shown,) = await shown_on_home(stage, me)
    assert "A specialist linked you, with others of a channel\\nStripe · since " in str(stage.ws.home(me))
    assert "cus_sandbox" not in str(stage.ws.home(me))
    assert "usually visible between" in (await stage.ask(me, REFUND))["text"]

    assert words.LINK_LEFT in await ends_from_home(stage, me, shown)
    assert ends_on_home(stage, me) == []
    assert words.NOT_PROVEN in (await stage.ask(me, REFUND))["text"]
    assert "usually visible between" in (await stage.ask(other, REFUND))["text"]
    assert (f"{stage.ws.team_id}:{me}", "link.revoked", "left") in await audited(stage)


async def test_who_ends_a_proven_link_has_to_prove_again(stage: Stage) -> None:
    me, address = stage.newcomer(), "c41@example.com"
    said, channel = await stage.ask(me, REFUND), await stage.dm(me)
    await stage.ws.click(me, channel, said["ts"], buttons.PROVE)
    view = (await stage.ws.wait_for(lambda ws: ws.open_views(me), timeout=PATIENCE))[-1]
    await stage.ws.submit_view(me, view["id"], {"address": {"field": address}})
    mail = (await stage.ws.wait_for(lambda ws: ws.mailbox.of(address), timeout=PATIENCE))[0]
    code = next(word for word in mail.text.replace(".", " ").split() if word.isdigit() and len(word) == 6)
    assert (await stage.ws.submit_view(me, view["id"], {"code": {"field": code}})).ok
    assert "usually visible between" in (await stage.reply(channel, said["ts"]))["text"]
    await stage.settled()

    (shown,) = await shown_on_home(stage, me)
    assert "You proved a billing e-mail with a code\\nStripe · since " in str(stage.ws.home(me))
    assert address not in str(stage.ws.home(me))
    await ends_from_home(stage, me, shown)
    again = await stage.ask(me, REFUND)
    assert words.NOT_PROVEN in again["text"]
    assert buttons.PROVE in str(again["blocks"])


async def test_a_stale_button_says_what_happened_meanwhile_until_home_is_opened_again(stage: Stage) -> None:
    assert stage.bot.lookups is not None
    me, team = stage.newcomer(), stage.ws.team_id
    first, second = await linked(stage, me), await linked(stage, me)
    assert sorted(await shown_on_home(stage, me)) == sorted(buttons.HOME_UNLINK + one.id for one in (first, second))
    assert await stage.bot.lookups.identity.revoke(MIRA, team, first.id)

    assert words.LINK_ENDED_BY_SPECIALIST in await ends_from_home(stage, me, buttons.HOME_UNLINK + first.id)
    assert ends_on_home(stage, me) == [buttons.HOME_UNLINK + second.id]
    await stage.ws.open_home(me)
    await stage.settled()
    assert words.LINK_ENDED_BY_SPECIALIST not in str(stage.ws.home(me))
    assert await live(stage, me) == (second,)


async def test_nobody_ends_somebody_elses_link_from_home_or_learns_of_it(stage: Stage) -> None:
    me, thief = stage.newcomer(), stage.newcomer()
    mine, own = await linked(stage, me), await linked(stage, thief)
    (shown,) = await shown_on_home(stage, thief)
    await stage.settled()
    before = await audited(stage)

    said = [
        await ends_from_home(stage, thief, shown, value)
        for value in (mine.id, "link_none", "cus_sandbox_ana", f"{own.id} {mine.id}", "*", " ")
    ]
    assert all(words.NO_SUCH_LINK in one for one in said)
    assert await live(stage, me) == (mine,)
    assert await live(stage, thief) == (own,)
    assert await audited(stage) == before
