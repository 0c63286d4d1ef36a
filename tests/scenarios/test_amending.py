"""Edits and deletions: neither lost nor answered twice."""

from __future__ import annotations

import pytest

from bot.services import words
from tests.scenarios.stage import CANCEL, DESK, GENERAL, PERSON, REFUND, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_edit_that_asks_something_else_is_answered(stage: Stage) -> None:
    customer = stage.newcomer()
    asked = await stage.ws.post(customer, GENERAL, f"<@{stage.ws.bot_user_id}> {REFUND}")
    first = await stage.reply(GENERAL, asked, asked)
    await stage.ws.edit(customer, GENERAL, asked, f"<@{stage.ws.bot_user_id}> {CANCEL}")

    assert "cancel" in (await stage.reply(GENERAL, first["ts"], asked))["text"].lower()


async def test_an_edit_of_spelling_is_not_answered_again(stage: Stage) -> None:
    customer = stage.newcomer()
    answer = await stage.ask(customer, REFUND)
    channel = await stage.dm(customer)
    asked = next(one for one in stage.ws.messages(channel) if one["user"] == customer)
    await stage.ws.edit(customer, channel, asked["ts"], REFUND + "??")
    await stage.settled()

    assert [one["ts"] for one in stage.said(channel)] == [answer["ts"]]


async def test_edits_and_deletions_reach_the_specialists(stage: Stage) -> None:
    customer = stage.newcomer()
    await stage.ask(customer, PERSON)
    card = await stage.card_of(customer)
    channel = await stage.dm(customer)
    more = await stage.ws.post(customer, channel, "it was in march")
    await stage.settled()
    await stage.ws.edit(customer, channel, more, "it was in april")
    await stage.settled()
    await stage.ws.delete(customer, channel, more)
    await stage.settled()

    notes = [str(one["text"]) for one in stage.said(DESK, card["ts"])][-2:]
    assert "it was in april" in notes[0]
    assert words.CUSTOMER_DELETED in notes[1]


async def test_a_deleted_message_is_forgotten(stage: Stage) -> None:
    customer = stage.newcomer()
    await stage.ask(customer, "the secret word is xylophone, how long does a refund take?")
    channel = await stage.dm(customer)
    asked = next(one for one in stage.ws.messages(channel) if one["user"] == customer)
    await stage.ws.delete(customer, channel, asked["ts"])
    await stage.settled()

    case = await stage.bot.stores.cases.latest_in_dm(stage.ws.team_id, channel)
    assert case is not None
    assert "xylophone" not in str(await stage.bot.stores.cases.lines(case.id))
    assert "xylophone" not in str(await stage.bot.stores.inbox.stored(f"{case.team}:{channel}:{asked['ts']}:message"))
