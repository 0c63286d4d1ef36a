"""A conversation: follow-ups, several questions at once, bursts, other languages, never the same twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain import buttons
from bot.domain.cases import Reason, Status
from bot.domain.phrases import Talk, picks
from bot.domain.questions import may_follow_up, may_go_on, questions_in
from bot.domain.replies import Offer
from bot.domain.routing import Band
from bot.services import words
from bot.services.waking import accept
from tests.fakes.engine import Core, open_core
from tests.unit.test_turn import ANA, GENERAL, cards, clicks, outcome, replies, says, the_case, written

PATIENCE = 2.0
REFUND, PENDING = "This is all about refund.", "This is all about pending."


@pytest_asyncio.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(tmp_path / "h.db", patience=PATIENCE) as opened:
        yield opened


async def writes(core: Core, *texts: str) -> None:
    """Somebody writes several messages in one breath; then time passes."""
    for text in texts:
        await accept(written(core, text), core.inbox, core.engine)
    await core.engine.run_out(core.worker)


# ---- bursts ----------------------------------------------------------------------------------------------------


async def test_a_greeting_waits_for_the_question_that_follows(core: Core) -> None:
    await says(core, "hi")
    assert replies(core) == []

    await says(core, "a refund?")
    await core.engine.run_out(core.worker)

    assert replies(core) == [REFUND]


async def test_a_greeting_alone_is_answered_after_a_moment(core: Core) -> None:
    message = await says(core, "hi")
    await core.engine.run_out(core.worker)

    assert replies(core) == [words.small_talk(Talk.GREETING)]
    assert core.engine.woken[-2].id.startswith("patience")
    assert 0 < max(core.engine.delays.values()) <= PATIENCE
    assert await outcome(core, message) == "small talk: greeting"


async def test_short_pieces_are_read_as_one_message(core: Core) -> None:
    await writes(core, "hello", "I wanted to ask", "about the refund")

    assert replies(core) == [REFUND]
    assert await core.rows("SELECT DISTINCT outcome FROM inbox") == [("answered: refund",)]
    (count,) = await core.rows("SELECT count(*) FROM lines WHERE speaker = 'customer'")
    assert count == (3,)


async def test_pieces_end_at_the_first_that_can_be_answered(core: Core) -> None:
    await writes(core, "hello", "a refund?", "is it pending?")

    assert replies(core) == [REFUND, PENDING]


async def test_whole_questions_are_answered_one_by_one_at_once(core: Core) -> None:
    await says(core, "a refund?")
    await says(core, "is it pending?")

    assert replies(core) == [REFUND, PENDING]


async def test_an_unclear_piece_is_handed_over_with_all_that_was_written(core: Core) -> None:
    await writes(core, "hello", "the thing", "with the stuff")

    (card,) = cards(core)
    assert card.question == "hello\nthe thing\nwith the stuff"
    assert card.reason == Reason.UNSURE.value


async def test_a_deleted_piece_is_not_read(core: Core) -> None:
    first = written(core, "hello")
    second = written(core, "about the refund")
    deleted = written(core, "", kind=written(core, "x").kind.DELETE, target_ts=second.ts)
    for one in (first, second, deleted):
        await accept(one, core.inbox, core.engine)
    await core.engine.run_out(core.worker)

    assert replies(core) == [words.small_talk(Talk.GREETING)]


async def test_another_threads_message_is_no_piece_and_is_not_forgotten(core: Core) -> None:
    for one in (written(core, "hello"), written(core, "about the refund", thread="1700000000.000001")):
        await accept(one, core.inbox, core.engine)
    await core.engine.run_out(core.worker)

    assert sorted(replies(core)) == sorted([words.small_talk(Talk.GREETING), REFUND])


async def test_pieces_far_apart_are_two_messages(core: Core) -> None:
    first = written(core, "hello")
    core.clock.advance(60)
    for one in (first, written(core, "about the refund")):
        await accept(one, core.inbox, core.engine)
    await core.engine.run_out(core.worker)

    assert replies(core) == [words.small_talk(Talk.GREETING), REFUND]


async def test_a_clock_far_from_slacks_keeps_nobody_waiting(core: Core) -> None:
    ahead = f"{core.clock.now().timestamp() + 3600:.6f}"
    await accept(written(core, "hello", ts=ahead), core.inbox, core.engine)
    await core.engine.drain(core.worker)

    assert replies(core) == [words.small_talk(Talk.GREETING)]


# ---- what was said before --------------------------------------------------------------------------------------


async def test_a_follow_up_is_read_with_the_question_before(core: Core) -> None:
    core.knowledge.routes = {"limit\nand how long": (Band.HIGH, ("pending",)), "limit": (Band.HIGH, ("refund",))}
    await says(core, "what is the limit")
    await says(core, "and how long does that take?")
    await core.engine.run_out(core.worker)

    assert replies(core) == [REFUND, PENDING]


async def test_what_was_just_said_is_not_said_again(core: Core) -> None:
    await says(core, "a refund?")
    await says(core, "but the refund, how does it work")
    await core.engine.run_out(core.worker)

    assert replies(core) == [REFUND, words.SAID_ALREADY]
    assert core.messenger.posts[-1].content.offers == (Offer.SPECIALIST,)


async def test_a_section_that_fits_is_said_instead(core: Core) -> None:
    await says(core, "a refund?")
    core.knowledge.headings = {"weekend": "Details"}
    await says(core, "does a weekend delay the refund")

    assert replies(core) == [REFUND, "More about refund."]


async def test_an_answer_brings_the_section_that_fits(core: Core) -> None:
    core.knowledge.headings = {"weekend": "Details"}
    await says(core, "does a weekend delay the refund")

    assert replies(core) == [f"{REFUND}\n\n**Details**\nMore about refund."]


async def test_choosing_by_number_answers_from_that_article(core: Core) -> None:
    await says(core, "perhaps this or that")
    await core.engine.run_out(core.worker)
    await says(core, "the second one")

    assert replies(core) == [words.DID_YOU_MEAN, PENDING]


async def test_a_choice_is_of_what_was_offered_whatever_is_published_meanwhile(core: Core) -> None:
    await says(core, "perhaps this or that")
    await core.engine.run_out(core.worker)
    core.knowledge.routes = {}  # now the question would have no candidates
    await says(core, "the last one")
    await core.engine.run_out(core.worker)

    assert replies(core) == [words.DID_YOU_MEAN, PENDING]


async def test_choosing_an_article_that_was_withdrawn_calls_a_person(core: Core) -> None:
    await says(core, "perhaps this or that")
    await core.engine.run_out(core.worker)
    published = core.knowledge.publication
    kept = tuple(revision for revision in published.revisions if revision.article.id != "pending")
    core.knowledge.publication = replace(published, revisions=kept)
    core.knowledge.routes = {}
    await says(core, "the last one")
    await core.engine.run_out(core.worker)

    assert [card.reason for card in cards(core)] == [Reason.UNSURE_TWICE.value]


async def test_unsure_twice_calls_a_person(core: Core) -> None:
    await says(core, "perhaps this or that")
    await core.engine.run_out(core.worker)
    await says(core, "perhaps something different altogether")
    await core.engine.run_out(core.worker)

    assert [card.reason for card in cards(core)] == [Reason.UNSURE_TWICE.value]


async def test_something_else_then_unsure_calls_a_person(core: Core) -> None:
    message = await says(core, "perhaps this or that")
    await core.engine.run_out(core.worker)
    await clicks(core, message, buttons.SOMETHING_ELSE)
    await says(core, "no idea what to call it")
    await core.engine.run_out(core.worker)

    assert replies(core)[1] == words.SOMETHING_ELSE
    assert [card.reason for card in cards(core)] == [Reason.UNSURE_TWICE.value]


# ---- several questions -----------------------------------------------------------------------------------------


async def test_two_questions_get_two_answers_in_one_reply(core: Core) -> None:
    message = await says(core, "What about my refund? And why is the other one pending?")

    (said,) = replies(core)
    assert said == f"**About refund**\n\n{REFUND}\n\n**About pending**\n\n{PENDING}"
    citations = core.messenger.posts[-1].content.citations
    assert [citation.article for citation in citations] == ["refund", "pending"]
    assert (await the_case(core, message)).answered == ("refund", "pending")


async def test_a_question_that_nothing_fits_is_said_to_be_open(core: Core) -> None:
    await says(core, "What about my refund? And where is the elephant now?")

    assert replies(core) == [f"{REFUND}\n\n{words.REST}"]


async def test_a_topic_for_a_person_goes_first(core: Core) -> None:
    message = await says(core, "How long does a refund take? And can you see that my card was stolen?")

    assert (await the_case(core, message)).status is Status.WAITING
    assert len(cards(core)) == 1


# ---- languages -------------------------------------------------------------------------------------------------


async def test_another_language_gets_a_kind_line_and_a_person_to_choose(core: Core) -> None:
    core.knowledge.languages = {"geld": "de"}
    await says(core, "wo bleibt mein geld")
    await core.engine.run_out(core.worker)

    (said,) = replies(core)
    assert said.startswith("Danke für Ihre Nachricht.")
    assert "English" in said
    assert core.messenger.posts[-1].content.offers == (Offer.SPECIALIST,)


async def test_another_language_after_an_unsure_answer_gets_its_kind_line_first(core: Core) -> None:
    core.knowledge.languages = {"geld": "de"}
    core.knowledge.routes = {"limit": (Band.MIDDLE, ("refund", "pending"))}
    await says(core, "what is the limit")
    await core.engine.run_out(core.worker)
    await says(core, "wo ist mein geld")
    await core.engine.run_out(core.worker)

    assert replies(core) == [words.DID_YOU_MEAN, words.english_only("de")]
    assert cards(core) == []


async def test_another_language_twice_calls_a_person(core: Core) -> None:
    core.knowledge.languages = {"geld": "de"}
    await says(core, "wo bleibt mein geld")
    await core.engine.run_out(core.worker)
    await says(core, "ich will mein geld")
    await core.engine.run_out(core.worker)

    assert [card.reason for card in cards(core)] == [Reason.UNSURE_TWICE.value]


# ---- typing status ---------------------------------------------------------------------------------------------


async def test_the_typing_status_is_shown_until_something_was_said(core: Core) -> None:
    await says(core, "a refund?")

    assert core.presence.log == [("working", f"D{ANA}"), ("done", f"D{ANA}")]
    assert core.presence.shown == {}


async def test_nobody_sees_a_typing_status_where_the_bot_is_silent(core: Core) -> None:
    await says(core, "a refund?", channel=GENERAL)

    assert core.presence.log == []


# ---- words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("How long does a refund take? And can it go to another card?", 2),
        ("how do i cancel and will i lose my data", 2),
        ("Can I pay with PayPal, and also do you take Amex?", 2),
        ("I paid last week. Where is my receipt?", 0),
        ("where is my refund", 0),
        ("what? why? how?", 0),
        ("please cancel it. please send the invoice. please call me back. please hurry up.", 0),
    ],
)
def test_questions_are_told_apart(text: str, count: int) -> None:
    assert len(questions_in(text)) == count


@pytest.mark.parametrize("text", ["and how long does that take?", "what about paypal?", "does it cost anything", "why"])
def test_follow_ups_lean_on_what_was_said(text: str) -> None:
    assert may_follow_up(text)


@pytest.mark.parametrize("text", ["download my receipt", "refund policy please", "cancel subscription " * 10])
def test_whole_questions_do_not(text: str) -> None:
    assert not may_follow_up(text)


def test_only_short_or_open_messages_may_go_on() -> None:
    assert may_go_on("i have a question")
    assert may_go_on("I have been paying for this plan for over two years and now there is a problem with…")
    assert not may_go_on("I have been paying for this plan for over two years and now there is a problem.")


@pytest.mark.parametrize(
    ("text", "place"),
    [("1", 0), ("the second one", 1), ("No. 3", 2), ("last one please", -1), ("yes", None), ("one more thing", None)],
)
def test_choices_are_picked_by_their_place(text: str, place: int | None) -> None:
    assert picks(text) == place
