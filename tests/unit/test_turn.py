"""A turn: which conversation, whose turn, what follows, and what happens when it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.domain import buttons
from bot.domain.cases import Case, Reason, Status
from bot.domain.incoming import Attachment, Click, Incoming, Kind, Place
from bot.domain.outbox import Changes
from bot.domain.phrases import Talk
from bot.domain.redaction import redact
from bot.domain.replies import Address, Card, Note, Offer, Relay, Reply, Speaker
from bot.errors import Conflict
from bot.ports import Pending
from bot.services import words
from bot.services.turn import CONFLICTS, LATE_GRACE
from bot.services.waking import accept, sweep
from bot.services.worker import TRIES
from tests.fakes.engine import DESK, SUPPORT, TEAM, Core, open_core
from tests.fakes.incoming import a_message

ANA, BEN, MIRA = "U1ANA", "U1BEN", "U1MIRA"
GENERAL = "C1GENERAL"
WAIT = 60.0


@pytest_asyncio.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(tmp_path / "h.db", wait=WAIT) as opened:
        yield opened


def written(
    core: Core, text: str, *, by: str = ANA, channel: str = "", thread: str | None = None, **more: Any
) -> Incoming:
    """A message, written now: directly to the bot unless a channel is named."""
    core.clock.advance(0.25)  # no two things in Slack have one time
    redaction = redact(text.replace("@bot ", ""))
    made = a_message(
        team=TEAM,
        channel=channel or f"D{by}",
        place=Place.CHANNEL if channel else Place.DM,
        user=by,
        ts=core.clock.ts(),
        thread_ts=thread,
        text=redaction.text,
        mention="@bot " in text,
        found=redaction.found,
    )
    core.clock.advance(0.25)
    return replace(made, **more)


async def says(core: Core, text: str, **more: Any) -> Incoming:
    """Somebody writes; everything that is due is done."""
    incoming = written(core, text, **more)
    await accept(incoming, core.inbox, core.engine)
    await core.engine.drain(core.worker)
    return incoming


async def edits(core: Core, message: Incoming, text: str | None) -> Incoming:
    """The author changes a message, or deletes it."""
    kind = Kind.DELETE if text is None else Kind.EDIT
    return await says(
        core,
        text or "",
        by=message.user,
        channel="" if message.place is Place.DM else message.channel,
        thread=message.thread_ts,
        kind=kind,
        target_ts=message.ts,
    )


async def clicks(core: Core, message: Incoming, action: str, value: str = "", *, by: str = ANA, on: str = "") -> None:
    """Somebody clicks a button of the bot's newest message in the thread of `message`."""
    click = Click(action, value, on or core.messenger.posts[-1].ts)
    await says(
        core,
        "",
        by=by,
        channel="" if message.place is Place.DM else message.channel,
        thread=None if message.place is Place.DM else message.thread_ts or message.ts,
        kind=Kind.ACTION,
        click=click,
    )


def replies(core: Core, channel: str = f"D{ANA}") -> list[str]:
    """What the bot has said in a conversation."""
    return [
        str(post.content.text)
        for post in core.messenger.posts
        if post.to.channel == channel and isinstance(post.content, Reply)
    ]


def cards(core: Core) -> list[Card]:
    return [post.content for post in core.messenger.posts if isinstance(post.content, Card)]


def notes(core: Core) -> list[str]:
    return [str(post.content.text) for post in core.messenger.posts if isinstance(post.content, Note)]


async def the_case(core: Core, message: Incoming) -> Case:
    case = await core.cases.by_message(message.channel, message.ts)
    assert case is not None
    return case


async def outcome(core: Core, message: Incoming) -> str:
    ((found,),) = await core.rows("SELECT outcome FROM inbox WHERE key = :key", key=message.key)
    return str(found)


REFUND, PENDING = "This is all about refund.", "This is all about pending."

# ---- which conversation ----------------------------------------------------------------------------------------


async def test_direct_messages_within_the_hour_are_one_conversation(core: Core) -> None:
    first = await says(core, "a refund?")
    core.clock.advance(3000)
    second = await says(core, "is it pending?")
    core.clock.advance(3000)
    third = await says(core, "a refund?")

    assert (await the_case(core, first)).id == (await the_case(core, second)).id == (await the_case(core, third)).id
    assert replies(core) == [REFUND, PENDING, REFUND]


async def test_after_an_hour_of_silence_a_new_conversation_begins(core: Core) -> None:
    first = await says(core, "a refund?")
    core.clock.advance(3601)
    second = await says(core, "is it pending?")

    assert (await the_case(core, first)).id != (await the_case(core, second)).id


async def test_a_thread_under_an_answer_belongs_to_its_conversation_and_another_thread_is_its_own(core: Core) -> None:
    first = await says(core, "a refund?")
    under = await says(core, "is it pending?", thread=core.messenger.posts[-1].ts)
    elsewhere = await says(core, "a refund?", thread="1.1")

    assert (await the_case(core, under)).id == (await the_case(core, first)).id
    assert (await the_case(core, elsewhere)).id != (await the_case(core, first)).id
    assert [post.to.thread_ts for post in core.messenger.posts] == [None, under.thread_ts, "1.1"]


async def test_a_reply_that_arrives_before_its_root_does_not_stop_the_lane(core: Core) -> None:
    root = written(core, "a refund?")
    await says(core, "is it pending?", thread=root.ts)
    await accept(root, core.inbox, core.engine)
    await core.engine.drain(core.worker)
    await says(core, "thanks")

    assert replies(core) == [PENDING, REFUND, words.small_talk(Talk.THANKS)]


async def test_a_channel_conversation_is_its_thread(core: Core) -> None:
    root = await says(core, "@bot a refund?", channel=GENERAL)
    more = await says(core, "is it pending?", channel=GENERAL, thread=root.ts)
    await says(core, "is it pending?", channel=GENERAL)

    assert (await the_case(core, more)).id == (await the_case(core, root)).id
    assert [post.to for post in core.messenger.posts] == [Address(TEAM, GENERAL, root.ts)] * 2


async def test_another_person_who_calls_the_bot_gets_a_case_of_their_own(core: Core) -> None:
    root = await says(core, "@bot a refund?", channel=GENERAL)
    other = await says(core, "@bot is it pending?", channel=GENERAL, thread=root.ts, by=BEN)

    assert (await the_case(core, other)).customer == BEN
    assert replies(core, GENERAL) == [REFUND, PENDING]
    assert (await the_case(core, root)).human_joined


# ---- people first ----------------------------------------------------------------------------------------------


async def test_a_question_in_a_support_channel_waits_for_people_and_is_answered_after(core: Core) -> None:
    asked = await says(core, "a refund?", channel=SUPPORT)
    core.engine.pass_time(WAIT - 1)
    await core.engine.drain(core.worker)
    assert core.messenger.posts == []

    await core.engine.run_out(core.worker)
    assert replies(core, SUPPORT) == [REFUND]
    assert core.messenger.posts[0].to == Address(TEAM, SUPPORT, asked.ts)


async def test_all_that_was_said_while_people_had_time_is_answered_together(core: Core) -> None:
    asked = await says(core, "hello, a question", channel=SUPPORT)
    more = await says(core, "it is about a refund", channel=SUPPORT, thread=asked.ts)
    await core.engine.run_out(core.worker)

    assert await outcome(core, more) == "listened"
    assert replies(core, SUPPORT) == [REFUND]


@pytest.mark.parametrize("who", [BEN, MIRA])
async def test_a_person_who_answers_first_silences_the_bot(core: Core, who: str) -> None:
    asked = await says(core, "a refund?", channel=SUPPORT)
    await says(core, "I can help", channel=SUPPORT, thread=asked.ts, by=who)
    await core.engine.run_out(core.worker)
    await says(core, "a refund, please", channel=SUPPORT, thread=asked.ts)

    assert core.messenger.posts == []
    assert core.messenger.hints == []


async def test_a_mention_before_the_wait_is_over_is_answered_at_once_and_once(core: Core) -> None:
    asked = await says(core, "a refund?", channel=SUPPORT)
    await says(core, "@bot is it pending?", channel=SUPPORT, thread=asked.ts)
    assert replies(core, SUPPORT) == [PENDING]

    await core.engine.run_out(core.worker)
    assert replies(core, SUPPORT) == [PENDING]


async def test_an_unsure_question_gets_one_private_offer(core: Core) -> None:
    asked = await says(core, "purple soup?", channel=SUPPORT)
    await core.engine.run_out(core.worker)

    assert core.messenger.posts == []
    (hint,) = core.messenger.hints
    assert (hint.user, hint.to) == (ANA, Address(TEAM, SUPPORT, asked.ts))
    assert Offer.ASK_BOT in hint.reply.offers


async def test_small_talk_among_people_is_left_alone(core: Core) -> None:
    await says(core, "good morning everyone", channel=SUPPORT)
    await core.engine.run_out(core.worker)

    assert (core.messenger.posts, core.messenger.hints) == ([], [])


async def test_staff_writing_in_a_support_channel_start_nothing(core: Core) -> None:
    asked = await says(core, "a refund?", channel=SUPPORT, by=MIRA)
    await core.engine.run_out(core.worker)

    assert await outcome(core, asked) == "ignored"
    assert core.messenger.posts == []


async def test_a_question_that_was_deleted_while_people_had_time_is_not_answered(core: Core) -> None:
    asked = await says(core, "a refund?", channel=SUPPORT)
    await edits(core, asked, None)
    await core.engine.run_out(core.worker)

    assert core.messenger.posts == []


async def test_not_now_silences_the_bot_in_that_thread_until_it_is_mentioned(core: Core) -> None:
    asked = await says(core, "purple soup?", channel=SUPPORT)
    await core.engine.run_out(core.worker)
    await clicks(core, asked, buttons.NOT_NOW, asked.ts, on="1.1")
    await says(core, "a refund?", channel=SUPPORT, thread=asked.ts)
    assert core.messenger.posts == []

    await says(core, "@bot a refund?", channel=SUPPORT, thread=asked.ts)
    assert replies(core, SUPPORT) == [REFUND]


async def test_what_was_written_before_the_call_arrived_is_answered_after_it(core: Core) -> None:
    """Slack may deliver a reply before the mention that it follows."""
    root = written(core, "@bot a refund?", channel=GENERAL)
    early = await says(core, "is it pending?", channel=GENERAL, thread=root.ts)
    assert await outcome(core, early) == "ignored"
    await accept(root, core.inbox, core.engine)
    await core.engine.drain(core.worker)

    assert replies(core, GENERAL) == [REFUND, PENDING]


async def test_a_persons_answer_that_arrived_before_the_question_silences_the_bot_too(core: Core) -> None:
    root = written(core, "a refund?", channel=SUPPORT)
    await says(core, "I can help", channel=SUPPORT, thread=root.ts, by=BEN)
    await accept(root, core.inbox, core.engine)
    await core.engine.run_out(core.worker)

    assert core.messenger.posts == []


# ---- a person has it -------------------------------------------------------------------------------------------


async def test_while_a_person_has_the_case_words_are_passed_on_with_a_receipt(core: Core) -> None:
    await says(core, "a human please")
    bill = Attachment(redact("bill.pdf").text, "application/pdf")
    more = await says(core, "it was in march", files=(bill,))

    assert len(replies(core)) == 1
    assert notes(core) == [words.customer_wrote(more.text), words.customer_shared(bill.name, bill.mimetype)]
    assert core.messenger.reactions == {(f"D{ANA}", more.ts, "incoming_envelope")}


async def test_somebody_who_calls_the_bot_in_a_specialists_thread_is_told_privately(core: Core) -> None:
    root = await says(core, "@bot a human please", channel=GENERAL)
    before = len(core.messenger.posts)
    await says(core, "@bot a refund?", channel=GENERAL, thread=root.ts, by=BEN)

    assert len(core.messenger.posts) == before
    (hint,) = core.messenger.hints
    assert (hint.user, hint.reply.text) == (BEN, words.STAND_ASIDE)


async def test_a_second_wish_for_a_person_joins_the_first(core: Core) -> None:
    await says(core, "a human please")
    other = await says(core, "a human please", thread="1.1")

    assert len(cards(core)) == 1
    assert await outcome(core, other) == f"joined: {cards(core)[0].handoff}"
    assert notes(core) == [words.customer_wrote(other.text)]


# ---- what is said ----------------------------------------------------------------------------------------------


async def test_what_is_late_gets_an_apology_and_a_person(core: Core) -> None:
    asked = written(core, "a refund?")
    core.clock.advance(1801)
    await accept(asked, core.inbox, core.engine)
    await core.engine.drain(core.worker)

    (said,) = replies(core)
    assert words.LATE in said
    assert [card.reason for card in cards(core)] == [Reason.LATE.value]


async def test_what_is_late_in_a_support_channel_gives_people_the_time_to_be_read_too(core: Core) -> None:
    asked = written(core, "a refund?", channel=SUPPORT)
    answered = written(core, "I can help", channel=SUPPORT, thread=asked.ts, by=BEN)
    alone = written(core, "a refund?", channel=SUPPORT)
    core.clock.advance(7200)
    for incoming in (asked, alone):
        await accept(incoming, core.inbox, core.engine)
    await core.engine.drain(core.worker)
    core.clock.advance(LATE_GRACE.total_seconds() / 2)
    await accept(answered, core.inbox, core.engine)
    await core.engine.run_out(core.worker)

    (said,) = replies(core, SUPPORT)
    assert words.LATE in said
    assert core.messenger.posts[0].to.thread_ts == alone.ts or core.messenger.posts[1].to.thread_ts == alone.ts


@pytest.mark.parametrize("text", ["", "  "])
async def test_a_file_without_words_goes_to_a_person(core: Core, text: str) -> None:
    await says(core, text, files=(Attachment(redact("bill.pdf").text, "application/pdf"),))

    assert words.FILE_ONLY in replies(core)[0]
    assert "bill.pdf" in str(cards(core)[0].transcript)


async def test_only_a_secret_gets_only_the_wish_to_delete_it(core: Core) -> None:
    asked = await says(core, "my card is 4111 1111 1111 1111")

    (said,) = replies(core)
    assert "delete your message" in said
    assert cards(core) == []
    assert await outcome(core, asked) == "asked to delete a secret"


async def test_a_question_with_a_secret_in_it_is_answered_after_a_notice(core: Core) -> None:
    await says(core, "how long does a refund to my card 4111 1111 1111 1111 take?")

    reply = core.messenger.posts[0].content
    assert isinstance(reply, Reply)
    assert reply.text == REFUND
    assert reply.notice is not None


async def test_a_secret_that_is_passed_on_or_overheard_is_told_privately(core: Core) -> None:
    await says(core, "a human please")
    await says(core, "my card is 4111 1111 1111 1111 and it was in march")
    await says(core, "my card is 4111 1111 1111 1111", channel=SUPPORT, by=BEN)

    assert [hint.user for hint in core.messenger.hints] == [ANA, BEN]
    assert all("delete your message" in hint.reply.text for hint in core.messenger.hints)


async def test_unsure_twice_in_a_row_calls_a_person_and_an_answer_between_forgives(core: Core) -> None:
    await says(core, "perhaps?")
    await says(core, "a refund?")
    await says(core, "perhaps?")
    assert [text == words.DID_YOU_MEAN for text in replies(core)] == [True, False, True]

    await says(core, "perhaps?")
    assert [card.reason for card in cards(core)] == [Reason.UNSURE_TWICE.value]


async def test_an_article_that_hands_over_says_its_words_first(core: Core) -> None:
    await says(core, "it was stolen")

    assert replies(core) == [f"This is all about stolen.\n\n{words.SPECIALIST_WILL_ANSWER}"]
    assert cards(core)[0].priority == "urgent"
    assert cards(core)[0].reason.startswith(Reason.ARTICLE.value)


async def test_without_retrieval_rules_still_work_and_all_else_goes_to_a_person(core: Core) -> None:
    core.knowledge.down = True
    await says(core, "thanks")
    await says(core, "a refund?")

    assert replies(core)[0] == words.small_talk(Talk.THANKS)
    assert words.DOWN in replies(core)[1]
    assert [card.reason for card in cards(core)] == [Reason.EDGE_DOWN.value]


# ---- edits and deletions ---------------------------------------------------------------------------------------


async def test_an_edit_before_the_turn_is_what_is_answered(core: Core) -> None:
    asked = written(core, "a refund?")
    newer = written(core, "is it pending?", kind=Kind.EDIT, target_ts=asked.ts)
    for incoming in (newer, asked):
        await accept(incoming, core.inbox, core.engine)
    await core.engine.drain(core.worker)

    assert replies(core) == [PENDING]
    first, *_ = await core.cases.lines((await the_case(core, asked)).id)
    assert first.text == newer.text


@pytest.mark.parametrize("first", ["message", "deletion"])
async def test_what_was_deleted_before_its_turn_is_not_answered_and_not_kept(core: Core, first: str) -> None:
    asked = written(core, "xylophone refund?")
    gone = written(core, "", kind=Kind.DELETE, target_ts=asked.ts)
    if first == "message":
        for incoming in (asked, gone):
            await core.inbox.insert(incoming)
        await sweep(core.books, core.waker, "start")
    else:
        await accept(gone, core.inbox, core.engine)
        await core.engine.drain(core.worker)
        await accept(asked, core.inbox, core.engine)
    await core.engine.drain(core.worker)

    assert core.messenger.posts == []
    for table in ("inbox", "lines", "outbox"):
        assert "xylophone" not in str(await core.rows(f"SELECT * FROM {table}"))  # noqa: S608 - names of ours


async def test_what_was_nobodys_concern_is_forgotten_too_when_it_is_deleted(core: Core) -> None:
    overheard = await says(core, "xylophone", channel=GENERAL)
    await edits(core, overheard, None)

    assert "xylophone" not in str(await core.rows("SELECT * FROM inbox"))


async def test_an_edit_that_asks_something_else_is_answered_and_the_same_again_is_not(core: Core) -> None:
    asked = await says(core, "a refund?")
    await edits(core, asked, "a refund??")
    assert replies(core) == [REFUND]

    await edits(core, asked, "is it pending?")
    assert replies(core) == [REFUND, PENDING]


async def test_an_edit_of_an_older_question_is_kept_and_not_answered(core: Core) -> None:
    first = await says(core, "a refund?")
    await says(core, "is it pending?")
    await edits(core, first, "is it pending?")
    core.clock.advance(1000)

    assert replies(core) == [REFUND, PENDING]
    lines = await core.cases.lines((await the_case(core, first)).id)
    assert lines[0].text == "is it pending?"


async def test_an_edit_of_somebody_elses_thread_is_not_answered_over_a_specialist(core: Core) -> None:
    root = await says(core, "@bot a refund?", channel=GENERAL)
    mine = await says(core, "@bot a refund?", channel=GENERAL, thread=root.ts, by=BEN)
    await says(core, "@bot a human please", channel=GENERAL, thread=root.ts)
    before = len(core.messenger.posts)
    await edits(core, mine, "is it pending?")

    assert len(core.messenger.posts) == before


# ---- conflicts and failures ------------------------------------------------------------------------------------


class Meddling:
    """Cases that somebody else changes just before the first few commits."""

    def __init__(self, core: Core, times: int) -> None:
        self._core = core
        self._left = times
        self.tried = 0

    async def apply(self, changes: Changes) -> tuple[Pending, ...]:
        self.tried += 1
        for case in changes.cases:
            if self._left and case.version:
                self._left -= 1
                fresh = await self._core.cases.get(case.id)
                await self._core.cases.apply(Changes(cases=(replace(fresh, status=Status.WAITING),)))
        return await self._core.cases.apply(changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core.cases, name)


async def test_a_turn_whose_case_changed_under_it_is_decided_again(core: Core) -> None:
    """Somebody claims while the bot thinks: the words it would have said are never committed."""
    await says(core, "a human please")
    case = await core.cases.latest_in_dm(TEAM, f"D{ANA}")
    assert case is not None
    await core.cases.apply(Changes(cases=(replace(case, status=Status.OPEN),)))
    meddling = Meddling(core, 1)
    asked = written(core, "a refund?")
    await core.inbox.insert(asked)
    await replace(core.turn, cases=meddling).run(asked.lane)  # type: ignore[arg-type]
    await core.engine.drain(core.worker)

    assert meddling.tried == 2
    assert await outcome(core, asked) == "relayed to specialists"
    assert REFUND not in replies(core)


async def test_a_case_that_keeps_changing_makes_the_turn_wait_and_changes_nothing(core: Core) -> None:
    await says(core, "a refund?")
    asked = written(core, "a refund?")
    await core.inbox.insert(asked)
    meddling = Meddling(core, 99)

    with pytest.raises(Conflict):
        await replace(core.turn, cases=meddling).run(asked.lane)  # type: ignore[arg-type]
    assert meddling.tried == CONFLICTS
    assert await core.inbox.get(asked.key) is not None


async def test_a_message_that_breaks_the_bot_is_tried_again_then_given_to_a_person(core: Core) -> None:
    core.knowledge.broken = True
    asked = await says(core, "a refund?")
    assert core.messenger.posts == []
    await core.engine.run_out(core.worker)

    row = await core.inbox.stored(asked.key)
    assert row == asked
    assert await core.rows("SELECT attempts, outcome FROM inbox") == [(TRIES, "handed over: ERROR")]
    (said,) = replies(core)
    assert words.SPECIALIST_WILL_ANSWER in said
    assert [card.reason for card in cards(core)] == [Reason.ERROR.value]


async def test_the_pauses_between_tries_grow(core: Core) -> None:
    core.knowledge.broken = True
    await says(core, "a refund?")
    await core.engine.run_out(core.worker)

    pauses = [core.engine.delays[wake.id] for wake in core.engine.woken if ":again" in wake.id]
    assert pauses[: TRIES - 1] == [1.0, 2.0, 4.0]


async def test_what_broke_for_a_moment_is_answered_in_order(core: Core) -> None:
    core.knowledge.broken = True
    await says(core, "a refund?")
    core.knowledge.broken = False
    await says(core, "is it pending?")
    await core.engine.run_out(core.worker)

    assert replies(core) == [REFUND, PENDING]
    assert cards(core) == []


async def test_an_outage_is_no_fault_of_a_message(core: Core) -> None:
    """Without Slack nobody knows who is staff: the question waits, however long that takes."""
    core.directory.down = True
    asked = await says(core, "a refund?", channel=SUPPORT)
    for _ in range(50):
        core.engine.pass_time(30)
        await core.engine.drain(core.worker)
    assert await core.rows("SELECT attempts FROM inbox") == [(0,)]
    core.directory.down = False
    await core.engine.run_out(core.worker)

    assert await outcome(core, asked) == "waiting for people first"


async def test_what_breaks_the_bot_where_nobody_called_it_is_left_alone(core: Core) -> None:
    class Broken:
        async def is_staff(self, user: str) -> bool:
            raise RuntimeError(user)

    turn = replace(core.turn, directory=Broken())  # type: ignore[arg-type]
    worker = replace(core.worker, turn=turn)
    asked = written(core, "a refund?", channel=SUPPORT)
    await accept(asked, core.inbox, core.engine)
    await core.engine.run_out(worker)

    assert await outcome(core, asked) == "failed: nobody had called the bot"
    assert core.messenger.posts == []


async def test_what_breaks_the_bot_while_a_person_has_the_case_reaches_that_person(core: Core) -> None:
    await says(core, "a human please")

    class Broken:
        async def amendments(self, lane: str, target_ts: str) -> tuple[Incoming, ...]:
            raise RuntimeError(lane)

        def __getattr__(self, name: str) -> Any:
            return getattr(core.inbox, name)

    asked = written(core, "it was in march")
    await accept(asked, core.inbox, core.engine)
    turn = replace(core.turn, inbox=Broken())  # type: ignore[arg-type]
    await core.engine.run_out(replace(core.worker, turn=turn))

    assert notes(core) == [words.customer_wrote(asked.text)]
    assert len(replies(core)) == 1


async def test_an_edit_that_breaks_the_bot_is_given_to_a_person_in_its_own_thread(core: Core) -> None:
    asked = await says(core, "@bot a refund?", channel=GENERAL)
    core.knowledge.broken = True
    await edits(core, asked, "@bot is it pending?")
    await core.engine.run_out(core.worker)

    assert {post.to for post in core.messenger.posts if post.to.channel == GENERAL} == {
        Address(TEAM, GENERAL, asked.ts)
    }
    (card,) = cards(core)
    assert card.reason == Reason.ERROR.value
    assert card.case == (await the_case(core, asked)).id
    assert [line.text for line in card.transcript if line.speaker is Speaker.CUSTOMER] == ["is it pending?"]


async def test_a_message_that_cannot_even_be_handed_over_leaves_its_lane_and_both_sides_hear_of_it(core: Core) -> None:
    core.knowledge.broken = True

    class Broken:
        async def open_handoff_on(self, customer: str, topic: str) -> None:
            raise RuntimeError(customer)

        def __getattr__(self, name: str) -> Any:
            return getattr(core.cases, name)

    speaking = replace(core.speaking, cases=Broken())  # type: ignore[arg-type]
    worker = replace(core.worker, turn=replace(core.turn, speaking=speaking))
    asked = await says(core, "a refund?")
    behind = written(core, "thanks")
    await accept(behind, core.inbox, core.engine)
    await core.engine.run_out(worker)

    assert await outcome(core, asked) == "abandoned"
    assert asked.text in notes(core)[0]
    assert replies(core) == [words.DOWN, words.small_talk(Talk.THANKS)]


# ---- specialists -----------------------------------------------------------------------------------------------


async def _submits(core: Core, text: str, handoff: str, by: str = MIRA) -> Incoming:
    click = Click(buttons.REPLY_VIEW, handoff, None)
    view = written(core, text, by=by, channel="V1REPLY", kind=Kind.VIEW, click=click, place=Place.PRIVATE)
    await accept(view, core.inbox, core.engine)
    await core.engine.drain(core.worker)
    return view


async def test_a_specialists_reply_reaches_the_customer_once_and_claims_the_case(core: Core) -> None:
    core.directory.add(MIRA, "Mira", staff=True)
    asked = await says(core, "a human please")
    view = await _submits(core, "hello Ana", cards(core)[0].handoff)
    await accept(view, core.inbox, core.engine)
    await core.engine.run_out(core.worker)

    told = [post.content for post in core.messenger.posts if isinstance(post.content, Relay)]
    assert [(str(relay.name), str(relay.text)) for relay in told] == [("Mira", "hello Ana")]
    case = await the_case(core, asked)
    assert (case.status, case.owner) == (Status.CLAIMED, MIRA)


async def test_a_click_that_breaks_the_bot_is_tried_and_then_given_up(core: Core) -> None:
    class Broken:
        async def is_staff(self, user: str) -> bool:
            raise RuntimeError(user)

        def __getattr__(self, name: str) -> Any:
            return getattr(core.directory, name)

    acting = replace(core.acting, directory=Broken())  # type: ignore[arg-type]
    worker = replace(core.worker, acting=acting)
    await says(core, "a human please")
    handoff = cards(core)[0].handoff
    click = Click(buttons.REPLY_VIEW, handoff, None)
    view = written(core, "hello", by=MIRA, channel="V1REPLY", kind=Kind.VIEW, click=click, place=Place.PRIVATE)
    await accept(view, core.inbox, core.engine)
    await core.engine.run_out(worker)

    assert await outcome(core, view) == "failed"
    assert notes(core) == [words.reply_failed((await core.directory.person(MIRA)).name)]
    assert core.messenger.posts[-1].to.channel == DESK


async def test_done_closes_the_case_and_tells_the_customer(core: Core) -> None:
    asked = await says(core, "a human please")
    await clicks(core, asked, buttons.DONE, cards(core)[0].handoff, by=MIRA)
    await clicks(core, asked, buttons.DONE, cards(core)[0].handoff, by=MIRA)

    assert (await the_case(core, asked)).status is Status.RESOLVED
    assert replies(core)[1:] == [words.RESOLVED]
    assert [hint.reply.text for hint in core.messenger.hints] == [words.CLOSED_ALREADY]


async def test_a_customer_cannot_use_a_specialists_buttons(core: Core) -> None:
    asked = await says(core, "a human please")
    await clicks(core, asked, buttons.DONE, cards(core)[0].handoff, by=ANA)
    await _submits(core, "I am a specialist", cards(core)[0].handoff, by=BEN)

    assert (await the_case(core, asked)).status is Status.WAITING
    assert [hint.reply.text for hint in core.messenger.hints] == [words.STAFF_ONLY] * 2
