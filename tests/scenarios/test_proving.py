"""Somebody proves their billing address in a form: what they see, what is set off, and what nobody learns."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy.exc import OperationalError

from bot.domain import buttons
from bot.domain.cases import Case
from bot.domain.identity import Proof
from bot.domain.incoming import Click, Kind, Place
from bot.domain.links import BY_ASKER, TRIES
from bot.ports import Profile
from bot.services import words
from bot.storage.cases import SqlCases
from handlers.blocks.identity_modals import CODE_SENT, address_modal
from handlers.messenger import posting_client
from tests.fakes.mail import FakeProfiles
from tests.scenarios.forms import ACME, ANA, BEN, BILLING, EVE, GIL, SUPPORT, UNKNOWN, Forms, fresh, kinds, open_forms


@pytest_asyncio.fixture
async def forms(tmp_path: Path) -> AsyncIterator[Forms]:
    async with open_forms(fresh(tmp_path)) as opened:
        yield opened


def said(view: dict[str, Any] | None) -> str:
    """All words of a form."""
    return str(view["blocks"]) if view is not None else ""


def said_without_ids(view: dict[str, Any]) -> str:
    return said({"blocks": [part | {"block_id": None} for part in view["blocks"]]})


def wrong(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 10**6:06d}"


class SlowProfiles:
    """Slack, which answers when `open` is set."""

    def __init__(self, inner: FakeProfiles) -> None:
        self.inner = inner
        self.open = asyncio.Event()

    async def profile(self, user: str) -> Profile:
        await self.open.wait()
        return await self.inner.profile(user)


class FailingCases(SqlCases):
    """The store of cases, which does not find messages while it is `down`."""

    down = False

    async def by_message(self, channel: str, ts: str) -> Case | None:
        if self.down:
            raise OperationalError("select", {}, ConnectionError())
        return await super().by_message(channel, ts)


# ---- the way through -------------------------------------------------------------------------------------------


async def test_a_right_code_proves_the_address_and_sets_off_the_look_up_again(forms: Forms) -> None:
    channel, ts = await forms.asked_by(ANA)
    first = await forms.opened(ANA, channel, ts)
    assert first["private_metadata"] == f"{channel}:{ts}"
    second = await forms.submit(ANA, first, address=f" {BILLING.upper()} ")
    assert second.view is not None
    assert CODE_SENT in said(second.view)
    await forms.settled()
    result = await forms.submit(ANA, second.view, code=f"{forms.code()[:3]} {forms.code()[3:]}")

    assert result.ok
    assert words.PROVEN_LOOKING in said(result.view)
    scope = await forms.identity.scope(forms.ws.team_id, ANA)
    assert scope is not None
    assert ([one.id for one in scope.customers], scope.proof) == ([ACME], Proof.CODE)
    (again,) = await forms.set_off()
    assert (again.kind, again.place, again.channel, again.user) == (Kind.ACTION, Place.DM, ANA, ANA)
    assert again.team == forms.ws.team_id
    assert again.click == Click(buttons.AGAIN, f"{channel}:{ts}", None)
    assert again.text == ""


@pytest.mark.parametrize("user", [GIL, EVE.id])
async def test_guests_and_people_of_another_company_may_prove_an_address(forms: Forms, user: str) -> None:
    result = await forms.submit(user, await forms.code_form(user), code=forms.code())

    assert words.PROVEN_LOOKING in said(result.view)
    assert await forms.identity.scope(forms.ws.team_id, user) is not None


async def test_two_people_at_once_each_prove_for_themselves(forms: Forms) -> None:
    forms.payments.know("cus_sandbox_ben", "ben.pays@example.com")
    views = await asyncio.gather(forms.code_form(ANA), forms.code_form(BEN, "ben.pays@example.com"))
    codes = {mail.to: mail.text.split("Slack: ")[1][:6] for mail in forms.mail.sent}
    ana, ben = codes[BILLING], codes["ben.pays@example.com"]
    crossed = await asyncio.gather(forms.submit(ANA, views[0], code=ben), forms.submit(BEN, views[1], code=ana))
    assert [one.errors for one in crossed] == [{"code": words.CODE_NOT_RIGHT}] * 2
    results = await asyncio.gather(forms.submit(ANA, views[0], code=ana), forms.submit(BEN, views[1], code=ben))

    assert all(one.ok for one in results)
    assert {one.user for one in await forms.set_off()} == {ANA, BEN}
    for user, customer in ((ANA, ACME), (BEN, "cus_sandbox_ben")):
        scope = await forms.identity.scope(forms.ws.team_id, user)
        assert scope is not None
        assert [one.id for one in scope.customers] == [customer]


async def test_the_same_right_code_twice_at_once_proves_once(forms: Forms) -> None:
    view = await forms.code_form(ANA)
    results = await asyncio.gather(*(forms.submit(ANA, view, code=forms.code()) for _ in range(2)))

    assert len(await forms.links.of_person(forms.ws.team_id, ANA)) == 1
    assert len(await forms.set_off()) == 1
    assert any(one.ok for one in results)


# ---- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["no address", "a@b", "two@example.com, three@example.com", "pay@straße.example.com"]
)
async def test_what_is_no_address_is_said_at_its_field(forms: Forms, address: str) -> None:
    view = await forms.opened(ANA, *await forms.asked_by(ANA))
    result = await forms.submit(ANA, view, address=address)

    assert result.errors == {"address": words.WRITE_AN_ADDRESS}
    await forms.settled()
    assert forms.payments.asked == []
    assert await kinds(forms.sql) == []


async def test_a_wrong_code_is_refused_and_after_five_the_right_one_too(forms: Forms) -> None:
    view = await forms.code_form(ANA)
    for guess in range(1, TRIES + 1):
        result = await forms.submit(ANA, view, code=wrong(forms.code(), guess))
        assert result.errors == {"code": words.CODE_NOT_RIGHT}

    assert (await forms.submit(ANA, view, code=forms.code())).errors == {"code": words.CODE_NOT_RIGHT}
    assert await forms.identity.scope(forms.ws.team_id, ANA) is None
    assert await forms.set_off() == []


async def test_what_is_no_code_costs_no_try(forms: Forms) -> None:
    view = await forms.code_form(ANA)
    for typed in ("12345a", "1234567", "١٢٣٤٥٦", "billing"):
        assert (await forms.submit(ANA, view, code=typed)).errors == {"code": words.TYPE_SIX_DIGITS}

    assert await kinds(forms.sql) == ["code.asked"]
    assert (await forms.submit(ANA, view, code=forms.code())).ok


async def test_a_code_is_refused_after_10_minutes_with_the_words_of_every_wrong_one(forms: Forms) -> None:
    view = await forms.code_form(ANA)
    forms.clock.advance(600)

    assert (await forms.submit(ANA, view, code=forms.code())).errors == {"code": words.CODE_NOT_RIGHT}
    assert await forms.set_off() == []


async def test_a_used_code_is_refused(forms: Forms) -> None:
    view = await forms.code_form(ANA)
    code = forms.code()
    assert (await forms.submit(ANA, view, code=code)).ok
    again = await forms.submit(ANA, await forms.code_form(ANA, UNKNOWN), code=code)

    assert again.errors == {"code": words.CODE_NOT_RIGHT}
    assert len(await forms.set_off()) == 1


async def test_the_button_of_somebody_else_opens_no_form(forms: Forms) -> None:
    view = await forms.opened(BEN, *await forms.asked_by(ANA, SUPPORT))

    assert words.NOT_YOURS in said(view)
    assert view["submit"] is None


async def test_a_button_whose_case_is_not_known_proves_all_the_same_and_sets_nothing_off(forms: Forms) -> None:
    ts = await forms.posted(SUPPORT, buttons.PROVE, None)
    second = await forms.submit(ANA, await forms.opened(ANA, SUPPORT, ts), address=BILLING)
    assert second.view is not None
    await forms.settled()
    result = await forms.submit(ANA, second.view, code=forms.code())

    assert words.PROVEN in said(result.view)
    assert await forms.identity.scope(forms.ws.team_id, ANA) is not None
    assert await forms.set_off() == []


# ---- what nobody learns ----------------------------------------------------------------------------------------


async def test_nobody_learns_from_the_forms_whether_an_address_is_known(forms: Forms) -> None:
    known = await forms.code_form(ANA)
    code = forms.code()
    unknown = await forms.code_form(BEN, UNKNOWN)
    assert said_without_ids(known) == said_without_ids(unknown)
    assert [mail.to for mail in forms.mail.sent] == [BILLING]

    tried = await forms.submit(BEN, unknown, code=code)
    assert tried.errors == (await forms.submit(ANA, known, code=wrong(code))).errors


async def test_the_second_form_waits_for_neither_provider_nor_mail(forms: Forms) -> None:
    forms.mail.open.clear()
    view = await forms.opened(ANA, *await forms.asked_by(ANA))
    result = await forms.submit(ANA, view, address=BILLING)
    assert CODE_SENT in said(result.view)
    assert forms.mail.sent == []

    forms.mail.open.set()
    await forms.settled()
    assert len(forms.mail.sent) == 1


async def test_a_dead_provider_is_told_like_everything_else_and_logged_by_its_kind(
    forms: Forms, caplog: pytest.LogCaptureFixture
) -> None:
    forms.payments.down = True
    view = await forms.code_form(ANA)

    assert CODE_SENT in said(view)
    assert forms.mail.sent == []
    assert "what a form set off failed: Unavailable" in caplog.text
    forms.payments.down = False
    assert (await forms.submit(ANA, await forms.code_form(ANA), code=forms.code())).ok


async def test_a_limit_is_told_like_everything_else(forms: Forms) -> None:
    views = [await forms.code_form(ANA) for _ in range(BY_ASKER.most + 1)]

    assert {said_without_ids(view) for view in views} == {said_without_ids(views[0])}
    assert len(forms.mail.sent) == BY_ASKER.most


async def test_address_and_code_are_in_no_log_and_no_file(
    forms: Forms, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    view = await forms.code_form(ANA)
    code = forms.code()
    guess = wrong(code)
    await forms.submit(ANA, view, code=guess)
    assert (await forms.submit(ANA, view, code=code)).ok
    assert (await forms.submit(BEN, await forms.code_form(BEN, UNKNOWN), code=code)).errors
    await forms.ws.idle()

    kept = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    kept["log"] = caplog.text.encode()
    assert len(kept) > 1
    assert b"DEBUG" in kept["log"]
    for name, content in kept.items():
        for address in (BILLING, UNKNOWN):
            assert address.encode() not in content.lower(), f"an address in {name}"
        for typed in (code, guess):
            assert not re.search(rb"(?<![0-9A-Za-z.])%b(?![0-9A-Za-z])" % typed.encode(), content), f"a code in {name}"


# ---- what breaks -----------------------------------------------------------------------------------------------


async def test_while_slack_does_not_answer_a_code_costs_no_try(tmp_path: Path) -> None:
    profiles = FakeProfiles("T0ACME").add(ANA, "ana@souza.example")
    async with open_forms(fresh(tmp_path), profiles=profiles) as forms:
        view = await forms.code_form(ANA)
        profiles.down = True
        assert (await forms.submit(ANA, view, code=forms.code())).errors == {"code": words.TRY_AGAIN}
        assert await kinds(forms.sql) == ["code.asked"]

        profiles.down = False
        assert (await forms.submit(ANA, view, code=forms.code())).ok


async def test_a_proof_that_takes_long_is_shown_when_it_is_done(tmp_path: Path) -> None:
    profiles = SlowProfiles(FakeProfiles("T0ACME").add(ANA, "ana@souza.example"))
    async with open_forms(fresh(tmp_path), profiles=profiles, patience=0.1) as forms:
        view = await forms.code_form(ANA)
        result = await forms.submit(ANA, view, code=forms.code())
        assert result.errors == {"code": words.TAKES_LONGER}

        profiles.open.set()
        await forms.settled()
        (now,) = forms.ws.open_views(ANA)
        assert words.PROVEN_LOOKING in said(now)
        assert len(await forms.set_off()) == 1


async def test_a_form_that_was_closed_meanwhile_does_not_undo_the_proof(tmp_path: Path) -> None:
    profiles = SlowProfiles(FakeProfiles("T0ACME").add(ANA, "ana@souza.example"))
    async with open_forms(fresh(tmp_path), profiles=profiles, patience=0.1) as forms:
        view = await forms.code_form(ANA)
        await forms.submit(ANA, view, code=forms.code())
        await forms.ws.close_view(ANA, view["id"])
        profiles.open.set()
        await forms.settled()

        assert len(await forms.set_off()) == 1


async def test_a_proof_stands_when_the_look_up_cannot_be_set_off(tmp_path: Path) -> None:
    async with open_forms(fresh(tmp_path), cases=FailingCases) as forms:
        view = await forms.code_form(ANA)
        assert isinstance(forms.cases, FailingCases)
        forms.cases.down = True
        result = await forms.submit(ANA, view, code=forms.code())

        assert words.PROVEN in said(result.view)
        assert await forms.identity.scope(forms.ws.team_id, ANA) is not None


async def test_without_a_provider_the_button_says_so(tmp_path: Path) -> None:
    async with open_forms(fresh(tmp_path), configured=False) as forms:
        view = await forms.opened(ANA, *await forms.asked_by(ANA))

        assert words.LOOKUPS_OFF in said(view)
        assert view["submit"] is None


async def test_a_form_that_nobody_listens_to_is_forgotten_and_not_logged(
    forms: Forms, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    view = await forms.opened(ANA, *await forms.asked_by(ANA))
    client = posting_client(forms.ws.bot_token, forms.ws.api_url)
    old = address_modal("") | {"callback_id": "lookup.of_an_older_version"}
    await client.views_update(view_id=view["id"], view=old)
    result = await forms.submit(ANA, view, address=BILLING)

    assert result.ok
    assert BILLING not in caplog.text
