"""Specialists link people to customers in a form, and end links: who may, what is refused, what the case tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.domain import buttons
from bot.domain.identity import Proof
from bot.domain.links import Link
from bot.services import words
from handlers.blocks.identity_modals import NO_LINKS
from tests.fakes.mail import FakeProfiles
from tests.scenarios.forms import ACME, ANA, BEN, DESK, EVE, GIL, MIRA, SUPPORT, TOM, Forms, fresh, kinds, open_forms

REASON = "she called from the number that we know"


@pytest_asyncio.fixture
async def forms(tmp_path: Path) -> AsyncIterator[Forms]:
    async with open_forms(fresh(tmp_path)) as opened:
        yield opened


async def form(forms: Forms, by: str = MIRA, about: str = ANA) -> dict[str, Any]:
    """What *Link to a customer* on a card opens."""
    _, ts = await forms.card_about(about)
    return await forms.opened(by, DESK, ts, buttons.LINK)


async def links(forms: Forms, user: str = ANA) -> tuple[Link, ...]:
    now = forms.clock.now()
    return tuple(one for one in await forms.links.of_person(forms.ws.team_id, user) if one.live(user, now))


def block(view: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in view["blocks"] if one["block_id"] == name)


# ---- linking ---------------------------------------------------------------------------------------------------


async def test_a_specialist_links_the_cases_customer_and_the_cards_thread_says_so(forms: Forms) -> None:
    handoff, ts = await forms.card_about(ANA)
    view = await forms.opened(MIRA, DESK, ts, buttons.LINK)
    assert view["private_metadata"] == handoff
    assert block(view, "person")["element"]["initial_user"] == ANA
    assert NO_LINKS in str(view["blocks"])
    result = await forms.submit(MIRA, view, customers=f"{ACME}, cus_sandbox_two {ACME}", reason=REASON)

    assert result.ok, result
    (link,) = await links(forms)
    assert [one.id for one in link.customers] == [ACME, "cus_sandbox_two"]
    assert (link.proof, link.made_by, link.reason, link.channel) == (Proof.LINK, MIRA, REASON, None)
    told = f"mira linked ana to {ACME}, cus_sandbox_two until {link.expires_at:%Y-%m-%d}. Reason: {REASON}"
    assert told.casefold() in _names(str(result.view))
    (note,) = await forms.told_inside()
    assert _names(note) == f"{handoff}: {told}".casefold()
    assert await kinds(forms.sql) == ["link.made"]


def _names(text: str) -> str:
    for name in ("mira lindqvist", "tom becker", "ana souza"):
        text = text.casefold().replace(name, name.split()[0])
    return text


@pytest.mark.parametrize("user", [GIL, EVE.id])
async def test_guests_and_people_of_another_company_can_be_linked(forms: Forms, user: str) -> None:
    result = await forms.submit(MIRA, await form(forms), person=user, customers=ACME, reason=REASON)

    assert result.ok
    assert await links(forms, user)
    assert await links(forms, ANA) == ()


async def test_billing_contacts_of_a_channel_are_linked_together(forms: Forms) -> None:
    view = await form(forms)
    result = await forms.submit(MIRA, view, customers=ACME, reason=REASON, channel=SUPPORT, others=[BEN, GIL, ANA])

    assert result.ok
    (link,) = await links(forms, BEN)
    assert ([one.user for one in link.contacts], link.channel) == ([ANA, BEN, GIL], SUPPORT)


async def test_a_secret_in_the_reason_is_not_kept(forms: Forms) -> None:
    reason = "paid with 4242 4242 4242 4242 and said so"
    await forms.submit(MIRA, await form(forms), customers=ACME, reason=reason)

    (link,) = await links(forms)
    assert link.reason == "paid with [card number removed] and said so"
    assert "4242" not in str(await forms.told_inside())


# ---- ending ----------------------------------------------------------------------------------------------------


async def test_the_form_shows_links_with_how_they_came_about_and_ends_the_chosen_one(forms: Forms) -> None:
    await forms.submit(MIRA, await form(forms), customers=ACME, reason=REASON)
    await forms.submit(ANA, await forms.code_form(ANA), code=forms.code())
    handoff, ts = await forms.card_about(ANA)
    view = await forms.opened(TOM, DESK, ts, buttons.LINK)
    shown = str(view["blocks"])
    for part in (f"*{ACME}*", f"linked by <@{MIRA}>", "proved with a code", "until 31 May 2026", f"reason: {REASON}"):
        assert part in shown
    proven = next(link for link in await links(forms) if link.proof is Proof.CODE)
    await forms.told_inside()
    result = await forms.submit(TOM, view, ends=proven.id)

    assert result.ok
    assert [link.proof for link in await links(forms)] == [Proof.LINK]
    (note,) = await forms.told_inside()
    assert _names(note) == f"{handoff}: tom ended the link of ana to {ACME}."
    assert await kinds(forms.sql) == ["link.made", "code.asked", "link.made", "link.revoked"]


async def test_a_link_can_be_ended_and_made_anew_in_one_go(forms: Forms) -> None:
    await forms.submit(MIRA, await form(forms), customers="cus_sandbox_wrong", reason=REASON)
    (old,) = await links(forms)
    result = await forms.submit(MIRA, await form(forms), customers=ACME, reason=REASON, ends=old.id)

    assert result.ok
    assert [[one.id for one in link.customers] for link in await links(forms)] == [[ACME]]


async def test_two_specialists_end_a_link_once(forms: Forms) -> None:
    await forms.submit(MIRA, await form(forms), customers=ACME, reason=REASON)
    (link,) = await links(forms)
    views = [await form(forms, by) for by in (MIRA, TOM)]
    await forms.told_inside()
    results = await asyncio.gather(
        forms.submit(MIRA, views[0], ends=link.id), forms.submit(TOM, views[1], ends=link.id)
    )

    assert all(one.ok for one in results)
    assert sum(words.LINK_ENDED_ALREADY in str(one.view) for one in results) == 1
    assert len(await forms.told_inside()) == 1
    assert await kinds(forms.sql) == ["link.made", "link.revoked"]


# ---- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", [ANA, GIL, EVE.id])
async def test_the_form_is_for_specialists(forms: Forms, user: str) -> None:
    handoff, _ = await forms.card_about(ANA)
    channel = await forms.ws.open_im(user)
    view = await forms.opened(user, channel, await forms.posted(channel, buttons.LINK, handoff), buttons.LINK)

    assert words.STAFF_ONLY in str(view["blocks"])
    assert view["submit"] is None


async def test_who_is_no_specialist_any_more_is_refused_at_submission(forms: Forms) -> None:
    view = await form(forms)
    people = forms.ws.directory.people
    people[MIRA] = replace(people[MIRA], is_restricted=True)
    forms.clock.advance(60)
    result = await forms.submit(MIRA, view, customers=ACME, reason=REASON)

    assert result.errors == {"person": words.STAFF_ONLY}
    assert await links(forms) == ()


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"customers": ACME}, {"reason": words.WRITE_A_REASON}),
        ({"reason": REASON}, {"customers": words.WRITE_CUSTOMERS}),
        ({"customers": "ana@souza.example", "reason": REASON}, {"customers": words.WRITE_CUSTOMERS}),
        ({"customers": f"{ACME} sub_sandbox_1", "reason": REASON}, {"customers": words.WRITE_CUSTOMERS}),
        ({"customers": "cus_1", "reason": REASON}, {"customers": words.WRITE_CUSTOMERS}),
        ({}, {"customers": words.NOTHING_CHOSEN}),
        ({"person": MIRA, "customers": ACME, "reason": REASON}, {"person": words.NOT_YOURSELF}),
        ({"person": "U0NOBODY", "customers": ACME, "reason": REASON}, {"person": words.CHOOSE_A_PERSON}),
        ({"others": [BEN], "customers": ACME, "reason": REASON}, {"channel": words.CHOOSE_A_CHANNEL}),
        (
            {"customers": " ".join(f"cus_sandbox_{n}" for n in range(21)), "reason": REASON},
            {"customers": words.TOO_MANY_LINKED},
        ),
    ],
    ids=lambda case: "-".join(case) if isinstance(case, dict) else None,
)
async def test_what_is_wrong_is_said_at_its_field(forms: Forms, fields: dict[str, Any], errors: dict[str, str]) -> None:
    result = await forms.submit(MIRA, await form(forms), **fields)

    assert result.errors == errors
    assert await kinds(forms.sql) == []
    assert await forms.told_inside() == []


async def test_while_slack_does_not_answer_nobody_is_linked(tmp_path: Path) -> None:
    profiles = FakeProfiles("T0ACME").add(ANA, "ana@souza.example")
    async with open_forms(fresh(tmp_path), profiles=profiles) as forms:
        view = await form(forms)
        profiles.down = True
        result = await forms.submit(MIRA, view, customers=ACME, reason=REASON)

        assert result.errors == {"person": words.TRY_AGAIN}
        assert await links(forms) == ()


async def test_without_a_provider_the_button_says_so(tmp_path: Path) -> None:
    async with open_forms(fresh(tmp_path), configured=False) as forms:
        assert words.LOOKUPS_OFF in str((await form(forms))["blocks"])


async def test_a_case_that_is_gone_opens_no_form(forms: Forms) -> None:
    ts = await forms.posted(DESK, buttons.LINK, "handoff_unknown")
    view = await forms.opened(MIRA, DESK, ts, buttons.LINK)

    assert words.NO_SUCH_CASE in str(view["blocks"])
