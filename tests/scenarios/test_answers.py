"""A customer asks, and gets a cited answer or is told that a person takes it."""

from __future__ import annotations

import pytest

from bot.domain import buttons
from bot.domain.phrases import Talk
from bot.services import words
from tests.scenarios.stage import (
    CANCEL,
    DESK,
    GENERAL,
    GIL,
    MIRA,
    NONSENSE,
    PENDING,
    PERSON,
    REFUND,
    STOLEN,
    SUPPORT,
    Stage,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_question_in_a_dm_gets_a_cited_answer(stage: Stage) -> None:
    message = await stage.ask(stage.newcomer(), REFUND)

    assert "5 to 10 business days" in message["text"]
    assert "revision 1" in message["text"]
    assert "effective since 1 January 2026" in message["text"]


async def test_a_mention_is_answered_in_its_thread_once(stage: Stage) -> None:
    customer = stage.newcomer()
    asked = await stage.ws.post(customer, GENERAL, f"<@{stage.ws.bot_user_id}> {PENDING}")

    answer = await stage.reply(GENERAL, asked, asked)
    await stage.settled()

    assert "revision 1" in answer["text"]
    assert len(stage.said(GENERAL, asked)) == 1


async def test_a_support_channel_question_is_answered_when_nobody_else_does(stage: Stage) -> None:
    asked = await stage.ws.post(stage.newcomer(), SUPPORT, CANCEL)

    answer = await stage.reply(SUPPORT, asked, asked)

    assert "revision 1" in answer["text"]


async def test_an_unsure_question_in_a_support_channel_gets_one_private_offer_at_most(stage: Stage) -> None:
    customer = stage.newcomer()
    asked = await stage.ws.post(customer, SUPPORT, NONSENSE)
    await stage.settled()

    private = [
        one
        for one in stage.ws.messages(SUPPORT, asked, include_ephemeral_for=customer)
        if one.get("user") == stage.ws.bot_user_id
    ]
    assert [words.OFFER in one["text"] for one in private] == [True]
    assert stage.said(SUPPORT, asked) == []


async def test_the_bot_says_nothing_in_other_channels_unless_mentioned(stage: Stage) -> None:
    asked = await stage.ws.post(stage.newcomer(), GENERAL, REFUND)
    await stage.settled()

    assert stage.said(GENERAL, asked) == []


async def test_staff_writing_in_a_support_channel_are_not_answered(stage: Stage) -> None:
    asked = await stage.ws.post(MIRA, SUPPORT, REFUND)
    await stage.settled()

    assert stage.said(SUPPORT, asked) == []


async def test_the_bot_stays_silent_when_a_person_answered_first(stage: Stage) -> None:
    customer, colleague = stage.newcomer(), stage.newcomer()
    asked = await stage.ws.post(customer, GENERAL, f"<@{stage.ws.bot_user_id}> {PENDING}")
    await stage.reply(GENERAL, asked, asked)
    await stage.ws.post(colleague, GENERAL, "I can help with that", thread_ts=asked)
    await stage.ws.post(customer, GENERAL, "and how long will it take?", thread_ts=asked)
    await stage.settled()

    assert len(stage.said(GENERAL, asked)) == 1


async def test_a_guest_is_answered_in_a_dm(stage: Stage) -> None:
    assert "revision 1" in (await stage.ask(GIL, REFUND))["text"]


async def test_an_urgent_topic_says_what_to_do_now_and_calls_a_person(stage: Stage) -> None:
    customer = stage.newcomer()
    message = await stage.ask(customer, STOLEN)

    assert "bank" in message["text"].lower()
    assert message["text"].count(words.SPECIALIST_WILL_ANSWER) == 1
    card = await stage.card_of(customer)
    assert "urgent" in str(card).lower()


async def test_a_question_that_no_article_fits_is_handed_over_and_said_so(stage: Stage) -> None:
    customer = stage.newcomer()
    message = await stage.ask(customer, NONSENSE)

    assert words.NO_ARTICLE in message["text"]
    assert words.SPECIALIST_WILL_ANSWER in message["text"]
    assert NONSENSE in str(await stage.card_of(customer))


async def test_asking_for_a_person_twice_makes_one_card(stage: Stage) -> None:
    customer = stage.newcomer()
    await stage.ask(customer, PERSON)
    channel = await stage.dm(customer)
    await stage.ws.post(customer, channel, "hello? a human please")
    await stage.settled()

    assert len([one for one in stage.said(DESK) if f"<@{customer}>" in str(one)]) == 1


async def test_small_talk_is_small(stage: Stage) -> None:
    customer = stage.newcomer()

    assert (await stage.ask(customer, "hi there"))["text"].startswith("Hello.")
    assert (await stage.ask(customer, "thanks!"))["text"] == words.small_talk(Talk.THANKS)


async def test_only_a_mention_says_how_to_ask(stage: Stage) -> None:
    asked = await stage.ws.post(stage.newcomer(), GENERAL, f"<@{stage.ws.bot_user_id}>")

    assert "How long does a refund take" in (await stage.reply(GENERAL, asked, asked))["text"]


async def test_feedback_that_it_did_not_help_brings_a_person(stage: Stage) -> None:
    customer = stage.newcomer()
    message = await stage.ask(customer, REFUND)
    channel = await stage.dm(customer)
    await stage.ws.click(customer, channel, message["ts"], buttons.NOT_HELPED)

    assert words.NOT_HELPFUL in (await stage.reply(channel, message["ts"]))["text"]
    await stage.card_of(customer)


async def test_other_peoples_buttons_do_nothing(stage: Stage) -> None:
    customer, stranger = stage.newcomer(), stage.newcomer()
    asked = await stage.ws.post(customer, GENERAL, f"<@{stage.ws.bot_user_id}> {PENDING}")
    answer = await stage.reply(GENERAL, asked, asked)
    await stage.ws.click(stranger, GENERAL, answer["ts"], buttons.SPECIALIST)
    await stage.settled()

    assert len(stage.said(GENERAL, asked)) == 1
    hints = stage.ws.messages(GENERAL, asked, include_ephemeral_for=stranger)
    assert words.NOT_YOURS in str(hints)
