"""A specialist takes over: what each side sees, and that the bot keeps out of it."""

from __future__ import annotations

import pytest

from bot.domain import buttons
from bot.domain.phrases import Talk
from bot.services import words
from bot.services.turn import RECEIPT
from handlers.views import EMPTY
from tests.scenarios.stage import DESK, GENERAL, MIRA, NONSENSE, PENDING, PERSON, REFUND, TOM, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_reply_reaches_the_customer_under_the_specialists_name(stage: Stage) -> None:
    customer = stage.newcomer()
    handed = await stage.ask(customer, PERSON)
    channel = await stage.dm(customer)
    result = await stage.specialist_replies(MIRA, await stage.card_of(customer), "Hello, I am looking at it.")

    assert result.ok
    message = await stage.reply(channel, handed["ts"])
    assert "Hello, I am looking at it." in message["text"]
    assert "mira" in message["text"].lower()


async def test_bot_stays_silent_after_specialist_claims(stage: Stage) -> None:
    customer = stage.newcomer()
    handed = await stage.ask(customer, PERSON)
    channel = await stage.dm(customer)
    await stage.specialist_replies(MIRA, await stage.card_of(customer), "I have it.")
    await stage.reply(channel, handed["ts"])
    before = len(stage.said(channel))
    asked = await stage.ws.post(customer, channel, REFUND)
    await stage.settled()

    assert len(stage.said(channel)) == before
    message = next(one for one in stage.ws.messages(channel) if one["ts"] == asked)
    assert [reaction["name"] for reaction in message["reactions"]] == [RECEIPT]


async def test_an_answer_to_a_specialist_hours_later_reaches_the_specialist(stage: Stage) -> None:
    customer = stage.newcomer()
    handed = await stage.ask(customer, PERSON)
    channel = await stage.dm(customer)
    card = await stage.card_of(customer)
    await stage.specialist_replies(MIRA, card, "Which invoice is it?")
    await stage.reply(channel, handed["ts"])
    before = len(stage.said(channel))
    stage.ws.clock.advance(5 * 3600)
    await stage.ws.post(customer, channel, "the one of March")
    await stage.settled()

    assert len(stage.said(channel)) == before
    assert "the one of March" in str(stage.said(DESK, card["ts"])[-1])


async def test_thanks_after_the_end_opens_nothing(stage: Stage) -> None:
    customer = stage.newcomer()
    handed = await stage.ask(customer, PERSON)
    channel = await stage.dm(customer)
    await stage.ws.click(MIRA, DESK, (await stage.card_of(customer))["ts"], buttons.DONE)
    closed = await stage.reply(channel, handed["ts"])
    await stage.ws.post(customer, channel, "Great, thank you so much for the quick help! :+1:")

    assert words.small_talk(Talk.THANKS) in (await stage.reply(channel, closed["ts"]))["text"]
    assert len([one for one in stage.said(DESK) if f"<@{customer}>" in str(one)]) == 1


async def test_while_a_case_waits_each_message_reaches_the_cards_thread(stage: Stage) -> None:
    customer = stage.newcomer()
    await stage.ask(customer, PERSON)
    card = await stage.card_of(customer)
    channel = await stage.dm(customer)
    await stage.ws.post(customer, channel, "it is about invoice 4711")
    await stage.settled()

    assert "it is about invoice 4711" in str(stage.said(DESK, card["ts"])[-1])


async def test_the_internal_thread_never_reaches_the_customer(stage: Stage) -> None:
    customer = stage.newcomer()
    await stage.ask(customer, PERSON)
    card = await stage.card_of(customer)
    channel = await stage.dm(customer)
    before = len(stage.ws.messages(channel))
    await stage.ws.post(MIRA, DESK, "this one is difficult, who knows him?", thread_ts=card["ts"])
    await stage.settled()

    assert len(stage.ws.messages(channel)) == before


async def test_done_closes_the_case_and_the_bot_answers_again(stage: Stage) -> None:
    customer = stage.newcomer()
    handed = await stage.ask(customer, PERSON)
    card = await stage.card_of(customer)
    channel = await stage.dm(customer)
    await stage.ws.click(MIRA, DESK, card["ts"], buttons.DONE)
    closed = await stage.reply(channel, handed["ts"])
    await stage.settled()

    assert words.RESOLVED in closed["text"]
    assert "revision 1" in (await stage.ask(customer, REFUND))["text"]
    updated = next(one for one in stage.said(DESK) if one["ts"] == card["ts"])
    assert buttons.REPLY not in str(updated["blocks"])


async def test_an_empty_reply_is_refused_at_its_field(stage: Stage) -> None:
    customer = stage.newcomer()
    await stage.ask(customer, PERSON)
    result = await stage.specialist_replies(TOM, await stage.card_of(customer), "   ")

    assert not result.ok
    assert result.errors == {"reply": EMPTY}


async def test_a_reply_to_a_case_that_was_closed_meanwhile_is_refused_and_not_sent(stage: Stage) -> None:
    customer = stage.newcomer()
    await stage.ask(customer, PERSON)
    card = await stage.card_of(customer)
    channel = await stage.dm(customer)
    await stage.ws.click(MIRA, DESK, card["ts"], buttons.REPLY)
    view = (await stage.ws.wait_for(lambda ws: ws.open_views(MIRA)))[-1]
    await stage.ws.click(TOM, DESK, card["ts"], buttons.DONE)
    await stage.settled()
    before = len(stage.said(channel))
    result = await stage.ws.submit_view(MIRA, view["id"], {"reply": {"text": "too late"}})
    await stage.settled()

    assert result.errors == {"reply": words.CLOSED_ALREADY}
    assert len(stage.said(channel)) == before


async def test_two_specialists_clicking_done_close_once(stage: Stage) -> None:
    customer = stage.newcomer()
    await stage.ask(customer, PERSON)
    card = await stage.card_of(customer)
    channel = await stage.dm(customer)
    await stage.ws.click(MIRA, DESK, card["ts"], buttons.DONE)
    await stage.ws.click(TOM, DESK, card["ts"], buttons.DONE)
    await stage.settled()

    assert [one["text"] for one in stage.said(channel)].count(words.RESOLVED) == 1


async def test_a_second_unsure_question_joins_the_open_handoff(stage: Stage) -> None:
    customer = stage.newcomer()
    await stage.ask(customer, NONSENSE)
    card = await stage.card_of(customer)
    asked = await stage.ws.post(customer, GENERAL, f"<@{stage.ws.bot_user_id}> green ladders hum over the copper sea")
    answer = await stage.reply(GENERAL, asked, asked)
    await stage.settled()

    assert words.SPECIALIST_HAS_IT_ALREADY in answer["text"]
    assert "green ladders" in str(stage.said(DESK, card["ts"]))
    assert len([one for one in stage.said(DESK) if f"<@{customer}>" in str(one)]) == 1


async def test_somebody_elses_mention_in_a_thread_that_a_specialist_has_is_not_answered_there(stage: Stage) -> None:
    customer, other = stage.newcomer(), stage.newcomer()
    asked = await stage.ws.post(customer, GENERAL, f"<@{stage.ws.bot_user_id}> {PERSON}")
    await stage.reply(GENERAL, asked, asked)
    await stage.ws.post(other, GENERAL, f"<@{stage.ws.bot_user_id}> {PENDING}", thread_ts=asked)
    await stage.settled()

    assert len(stage.said(GENERAL, asked)) == 1
    assert words.STAND_ASIDE in str(stage.ws.messages(GENERAL, asked, include_ephemeral_for=other))


async def test_a_new_thread_is_a_new_conversation_while_a_case_waits(stage: Stage) -> None:
    customer = stage.newcomer()
    await stage.ask(customer, PERSON)
    asked = await stage.ws.post(customer, GENERAL, f"<@{stage.ws.bot_user_id}> {PENDING}")

    assert "revision 1" in (await stage.reply(GENERAL, asked, asked))["text"]


async def test_somebody_in_the_specialists_channel_who_is_none_cannot_work_a_card(stage: Stage) -> None:
    customer, visitor = stage.newcomer(), stage.newcomer()
    await stage.ws.join(visitor, DESK, inviter=MIRA)
    await stage.ask(customer, PERSON)
    card = await stage.card_of(customer)
    channel = await stage.dm(customer)
    before = len(stage.said(channel))
    await stage.ws.click(visitor, DESK, card["ts"], buttons.DONE)
    await stage.settled()
    await stage.ws.click(visitor, DESK, card["ts"], buttons.REPLY)
    shown = await stage.ws.wait_for(lambda ws: ws.open_views(visitor))

    assert len(stage.said(channel)) == before
    assert words.STAFF_ONLY in str(shown[-1])
    assert words.STAFF_ONLY in str(stage.ws.messages(DESK, include_ephemeral_for=visitor))
