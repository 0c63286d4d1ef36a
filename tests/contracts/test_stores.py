"""The stores keep their promises on SQLite and on Postgres alike."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.articles import Citation, Priority
from bot.domain.cases import Case, Handoff, Reason, Status
from bot.domain.incoming import Attachment, Click, Incoming, Kind, Place, Source
from bot.domain.outbox import (
    IGNORED,
    Amended,
    Changes,
    Deed,
    Feedback,
    Hint,
    Post,
    React,
    Revival,
    Say,
    ShowCard,
    ShowHome,
    Spoken,
    UpdateCard,
    Watch,
)
from bot.domain.redaction import Finding, Redacted, redacted
from bot.domain.replies import Address, Choice, Line, Note, Offer, Relay, Reply, Speaker
from bot.errors import Conflict, NotFound
from bot.ports import Begun, Forbidden, Pending, WakeKind
from bot.storage import database, tables
from bot.storage.books import SqlBooks
from tests.fakes.clock import FakeClock
from tests.fakes.engine import Core, article, make_core
from tests.fakes.incoming import a_message

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CROWD = 20


@pytest.fixture
def core(sql: AsyncEngine) -> Core:
    """The stores over an empty database."""
    return make_core(sql, FakeClock(AT))


async def everything(core: Core) -> dict[str, list[str]]:
    """All rows of all tables."""
    found = {}
    async with core.sql.connect() as connection:
        await connection.execution_options(read_only=True)
        for table in tables.metadata.sorted_tables:
            found[table.name] = sorted(map(str, (await connection.execute(table.select())).all()))
    return found


# ---- things to keep --------------------------------------------------------------------------------------------


def message(ts: str = "1700000000.000001", text: str = "hello", **changes: Any) -> Incoming:
    return a_message(text, ts=ts, **changes)


def new_case(name: str = "case_a", **changes: Any) -> Case:
    made = Case(
        id=name,
        conversation=f"T1:C1:{name}",
        team="T1",
        channel="C1",
        place=Place.CHANNEL,
        thread_ts="1700000000.000001",
        customer="U1ANA",
        status=Status.OPEN,
        owner=None,
        version=0,
        last_ts="1700000000.000001",
    )
    return replace(made, **changes)


def new_handoff(name: str = "handoff_a", case: str = "case_a", topic: str = "refund", **changes: Any) -> Handoff:
    made = Handoff(name, case, "U1ANA", topic, redacted("where is it?"), Reason.ASKED, Priority.HIGH, AT)
    return replace(made, **changes)


def line(text: str = "hello", ts: str | None = "1700000000.000001", speaker: Speaker = Speaker.CUSTOMER) -> Line:
    return Line(speaker, "U1ANA", redacted(text), ts, AT)


def say(text: str = "an answer", *, case: str | None = "case_a", voice: bool = True, **changes: Any) -> Post:
    kept = Line(Speaker.BOT, "U1BOT", redacted(text), None, AT) if case is not None else None
    return Post(Address("T1", "C1", "1700000000.000001"), Say(Reply(redacted(text))), case, voice, kept, **changes)


async def opened(core: Core, *posts: Post, **changes: Any) -> Case:
    """A stored case, as it is read."""
    case = new_case(**changes)
    await core.cases.apply(Changes(cases=(case,), posts=posts))
    return await core.cases.get(case.id)


async def row_of(core: Core, lane: str | None = None) -> int:
    row = await core.outbox.next(lane or Address("T1", "C1", "1700000000.000001").lane)
    assert row is not None
    return row.id


async def statuses(core: Core) -> list[tuple[object, ...]]:
    return await core.rows("SELECT status, attempt FROM outbox ORDER BY id")


# ---- inbox -----------------------------------------------------------------------------------------------------


async def test_an_event_is_stored_once_and_keeps_its_first_form(core: Core) -> None:
    assert await core.inbox.insert(message(text="first"))
    assert not await core.inbox.insert(message(text="second"))

    kept = await core.inbox.stored(message().key)
    assert kept is not None
    assert kept.text == "first"


async def test_an_event_comes_back_as_it_was(core: Core) -> None:
    full = message(
        text="my card is 4111 1111 1111 1111",
        place=Place.GROUP_DM,
        kind=Kind.EDIT,
        thread_ts="1699999999.000001",
        target_ts="1699999999.000002",
        mention=True,
        found=frozenset({Finding.CARD, Finding.KEY}),
        files=(Attachment(redacted("bill.pdf"), "application/pdf"), Attachment(redacted("ü.png"), "?")),
        click=Click("answer.choose:refund", "refund", "1699999999.000003"),
        source=Source.CATCH_UP,
    )
    await core.inbox.insert(full)

    row = await core.inbox.get(full.key)
    assert row is not None
    assert row.incoming == full
    assert row.attempts == 0
    assert isinstance(row.incoming.text, Redacted)
    assert isinstance(row.incoming.files[0].name, Redacted)
    assert "4111" not in str(await everything(core))


async def test_of_one_event_stored_many_times_at_once_one_is_new(core: Core) -> None:
    new = await asyncio.gather(*(core.inbox.insert(message()) for _ in range(CROWD)))

    assert new.count(True) == 1


async def test_the_lowest_time_of_a_lane_is_next(core: Core) -> None:
    times = ["1700000000.000300", "1700000000.000100", "1700000000.000200"]
    for ts in times:
        await core.inbox.insert(message(ts))
    await core.inbox.insert(message("1600000000.000000", channel="D1BEN"))
    await core.inbox.insert(message("1600000000.000000", kind=Kind.ACTION))
    await core.inbox.insert(message("1600000000.000000", kind=Kind.HOME))

    taken = []
    while row := await core.inbox.next("T1:D1ANA"):
        taken.append(row.incoming.ts)
        await core.cases.apply(Changes(done=(row.incoming.key,), outcome="done"))
    assert taken == sorted(times)


async def test_edits_and_deletions_take_their_turn_in_the_lane(core: Core) -> None:
    await core.inbox.insert(message("1700000000.000200", kind=Kind.DELETE, target_ts="1"))
    await core.inbox.insert(message("1700000000.000100", kind=Kind.EDIT, target_ts="1"))

    row = await core.inbox.next("T1:D1ANA")
    assert row is not None
    assert row.incoming.kind is Kind.EDIT


async def test_a_processed_event_is_stored_but_waits_no_more(core: Core) -> None:
    await core.inbox.insert(message())
    await core.cases.apply(Changes(done=(message().key,), outcome="answered"))

    assert await core.inbox.get(message().key) is None
    assert await core.inbox.next(message().lane) is None
    assert await core.inbox.stored(message().key) == message()
    assert await core.inbox.get("T1:D1:0.0:message") is None
    assert await core.inbox.stored("T1:D1:0.0:message") is None


async def test_amendments_are_the_unprocessed_ones_of_one_message_oldest_first(core: Core) -> None:
    target = "1700000000.000001"
    amend = {"target_ts": target, "thread_ts": None}
    edits = [message(f"1700000001.00000{n}", kind=Kind.EDIT, **amend) for n in (3, 1, 2)]
    delete = message("1700000001.000004", kind=Kind.DELETE, **amend)
    other = message("1700000001.000005", kind=Kind.EDIT, target_ts="1700000000.000002")
    elsewhere = message("1700000001.000006", kind=Kind.EDIT, channel="D1BEN", **amend)
    for incoming in (*edits, delete, other, elsewhere, message(target)):
        await core.inbox.insert(incoming)
    await core.cases.apply(Changes(done=(edits[1].key,), outcome="edited"))

    found = await core.inbox.amendments("T1:D1ANA", target)
    assert [one.ts[-1] for one in found] == ["2", "3", "4"]
    assert [one.ts[-1] for one in await core.inbox.amended_before("D1ANA", target)] == ["1"]


async def test_a_person_is_found_in_the_direct_conversation_where_they_wrote_last(core: Core) -> None:
    await core.inbox.insert(message("1700000000.000001", channel="D1OLD"))
    await core.inbox.insert(message("1700000000.000002", channel="D1NEW", kind=Kind.HOME))
    await core.inbox.insert(message("1700000000.000003", channel="C1", place=Place.CHANNEL))
    await core.inbox.insert(message("1700000000.000006", channel="U1ANA", kind=Kind.ACTION))  # a click on Home
    await core.inbox.insert(message("1700000000.000004", channel="D1BEN", user="U1BEN"))
    await core.inbox.insert(message("1700000000.000005", channel="D1FAR", team="T2"))

    assert await core.inbox.dm_of("T1", "U1ANA") == "D1NEW"
    assert await core.inbox.dm_of("T1", "U1NOBODY") is None


async def test_failures_are_counted_even_at_once(core: Core) -> None:
    await core.inbox.insert(message())

    counts = await asyncio.gather(*(core.inbox.note_failure(message().key) for _ in range(CROWD)))

    assert sorted(counts) == list(range(1, CROWD + 1))
    row = await core.inbox.get(message().key)
    assert row is not None
    assert row.attempts == CROWD


# ---- a unit of work --------------------------------------------------------------------------------------------


async def _stage_for_breaking(core: Core) -> Changes:
    """A database with one of everything, and a unit of work over it that would succeed."""
    for n in (1, 2, 3):
        await core.inbox.insert(message(f"1700000000.00000{n}"))
    await core.cases.apply(
        Changes(
            done=(message("1700000000.000003").key,),
            outcome="answered",
            cases=(new_case("case_old"),),
            handoff=new_handoff("handoff_old", "case_old"),
            watch=Watch("watch_old", "case_old", "key", "lane", AT),
        )
    )
    await core.cases.apply(Changes(watch_done="watch_old"))
    old = await core.cases.get("case_old")
    return Changes(
        done=(message("1700000000.000001").key, message("1700000000.000002").key),
        outcome="answered",
        cases=(new_case("case_new"), replace(old, unsure=1)),
        lines=(Spoken("case_new", line()),),
        amended=(Amended("C1", "1700000000.000001", redacted("changed")),),
        handoff=new_handoff("handoff_new", "case_new", "pending"),
        watch=Watch("watch_new", "case_new", "key", "lane", AT),
        feedback=Feedback("C1", "1700000000.000009", "U1ANA", True),
        silence="case_old",
        posts=(say(case="case_new"),),
    )


PLAIN: Any = "text that was never redacted"
BREAKS: dict[str, tuple[Callable[[Changes], Changes], type[Exception]]] = {
    "a key that is processed": (
        lambda good: replace(good, done=(*good.done, message("1700000000.000003").key)),
        Conflict,
    ),
    "a key that nobody stored": (lambda good: replace(good, done=(*good.done, "no such key")), Conflict),
    "the same key twice": (lambda good: replace(good, done=(good.done[0], *good.done)), Conflict),
    "a stale version": (
        lambda good: replace(good, cases=(good.cases[0], replace(good.cases[1], version=7))),
        Conflict,
    ),
    "a conversation that has a case": (
        lambda good: replace(good, cases=(*good.cases, new_case("case_twin", conversation="T1:C1:case_new"))),
        Conflict,
    ),
    "a line of no case": (lambda good: replace(good, lines=(*good.lines, Spoken("no case", line()))), Conflict),
    "a second open handoff on the topic": (
        lambda good: replace(good, handoff=new_handoff("handoff_new", "case_new", "refund")),
        Conflict,
    ),
    "a handoff to join that is not open": (lambda good: replace(good, joined="no such handoff"), Conflict),
    "a handoff that is not open": (lambda good: replace(good, close_handoff="no such handoff"), Conflict),
    "a timer that is done": (lambda good: replace(good, watch_done="watch_old"), Conflict),
    "raw text in the last post": (
        lambda good: replace(good, posts=(*good.posts, replace(say(), line=replace(line(), text=PLAIN)))),
        StatementError,
    ),
}


@pytest.mark.parametrize("broken", list(BREAKS))
async def test_one_part_that_fails_takes_the_whole_unit_with_it(core: Core, broken: str) -> None:
    good = await _stage_for_breaking(core)
    breaking, error = BREAKS[broken]
    before = await everything(core)

    with pytest.raises(error):
        await core.cases.apply(breaking(good))
    assert await everything(core) == before

    await core.cases.apply(good)
    after = await everything(core)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"inbox", "cases", "lines", "handoffs", "watches", "feedback", "outbox"}


async def test_a_repeated_turn_changes_nothing(core: Core) -> None:
    await core.inbox.insert(message())
    changes = Changes(done=(message().key,), outcome="answered", posts=(say(case=None),))
    await core.cases.apply(changes)

    with pytest.raises(Conflict):
        await core.cases.apply(changes)
    assert len(await statuses(core)) == 1


async def _race(work: Callable[[int], Awaitable[object]]) -> tuple[int, int]:
    """How many of a crowd won, and how many met a Conflict."""
    ends = await asyncio.gather(*(work(number) for number in range(CROWD)), return_exceptions=True)
    conflicts = sum(isinstance(end, Conflict) for end in ends)
    others = [end for end in ends if isinstance(end, BaseException) and not isinstance(end, Conflict)]
    assert others == []
    return CROWD - conflicts, conflicts


async def test_of_twenty_claims_at_once_one_wins(core: Core) -> None:
    case = await opened(core)

    def claim(number: int) -> Awaitable[object]:
        return core.cases.apply(
            Changes(cases=(replace(case, status=Status.CLAIMED, owner=f"U{number}"),), silence=case.id)
        )

    assert await _race(claim) == (1, CROWD - 1)
    assert (await core.cases.get(case.id)).version == case.version + 1


async def test_of_twenty_first_messages_at_once_one_starts_the_conversation(core: Core) -> None:
    def start(number: int) -> Awaitable[object]:
        return core.cases.apply(Changes(cases=(new_case(f"case_{number}", conversation="T1:C1:same"),)))

    assert await _race(start) == (1, CROWD - 1)
    assert len(await core.cases.in_conversation("T1:C1:same")) == 1


async def test_of_twenty_handoffs_at_once_one_is_open(core: Core) -> None:
    await opened(core)

    def hand_over(number: int) -> Awaitable[object]:
        return core.cases.apply(Changes(handoff=new_handoff(f"handoff_{number}")))

    assert await _race(hand_over) == (1, CROWD - 1)


async def test_of_twenty_turns_over_one_message_at_once_one_is_kept(core: Core) -> None:
    await core.inbox.insert(message())

    def answer(_: int) -> Awaitable[object]:
        return core.cases.apply(Changes(done=(message().key,), outcome="answered", posts=(say(case=None),)))

    assert await _race(answer) == (1, CROWD - 1)
    assert len(await statuses(core)) == 1


async def test_a_topic_is_free_again_once_its_handoff_is_closed(core: Core) -> None:
    await opened(core)
    await core.cases.apply(Changes(handoff=new_handoff("handoff_1")))
    await core.cases.apply(Changes(close_handoff="handoff_1"))
    await core.cases.apply(Changes(handoff=new_handoff("handoff_2")))

    found = await core.cases.open_handoff_on("U1ANA", "refund")
    assert found is not None
    assert found.id == "handoff_2"
    assert (await core.cases.handoff("handoff_1")).closed_at == AT


async def test_a_claim_cancels_the_unsent_words_of_the_bot_and_nothing_else(core: Core) -> None:
    await opened(core, say("unsent"), say("begun"), say("sent"), say("a specialist's", voice=False))
    await opened(core, say("another case's", case="case_b"), name="case_b")
    _, begun, sent, *_ = [row for (row,) in await core.rows("SELECT id FROM outbox ORDER BY id")]
    await core.outbox.begin(begun)
    await core.outbox.begin(sent)
    await core.outbox.sent(sent, "1700000009.000001")

    case = await core.cases.get("case_a")
    await core.cases.apply(Changes(cases=(replace(case, owner="U1MIRA"),), silence=case.id))

    found = [status for status, _ in await statuses(core)]
    assert found == ["cancelled", "pending", "sent", "pending", "pending"]


async def test_of_feedback_the_last_word_counts(core: Core) -> None:
    for helpful in (True, False):
        await core.cases.apply(Changes(feedback=Feedback("C1", "1.1", "U1ANA", helpful)))
    await core.cases.apply(Changes(feedback=Feedback("C1", "1.1", "U1BEN", True)))

    found = await core.rows('SELECT "user", helpful FROM feedback ORDER BY "user"')
    assert [(user, bool(helpful)) for user, helpful in found] == [("U1ANA", False), ("U1BEN", True)]


async def test_an_edit_changes_the_transcript(core: Core) -> None:
    await core.cases.apply(Changes(cases=(new_case(),), lines=(Spoken("case_a", line("colour")),)))
    await core.cases.apply(Changes(amended=(Amended("C1", "1700000000.000001", redacted("color")),)))

    assert [one.text for one in await core.cases.lines("case_a")] == ["color"]


async def test_a_deleted_message_is_forgotten_with_its_edits_and_files(core: Core) -> None:
    ts = "1700000000.000001"
    original = message(ts, "xylophone", channel="C1", files=(Attachment(redacted("xylophone.pdf"), "a/b"),))
    edit = message("1700000001.000001", "a xylophone", channel="C1", kind=Kind.EDIT, target_ts=ts)
    other = message("1700000002.000001", "a piano", channel="C1")
    for incoming in (original, edit, other):
        await core.inbox.insert(incoming)
    asked = new_handoff(question=redacted("xylophone"))
    await core.cases.apply(Changes(cases=(new_case(),), lines=(Spoken("case_a", line("xylophone")),), handoff=asked))
    await core.cases.apply(Changes(amended=(Amended("C1", ts, None),)))

    assert await core.cases.lines("case_a") == ()
    assert "xylophone" not in str(await everything(core))
    assert await core.inbox.stored(other.key) == other


async def test_messages_that_were_ignored_before_the_call_wait_again(core: Core) -> None:
    lane = {"channel": "C1", "place": Place.CHANNEL, "thread_ts": "1700000000.000001"}

    def at(number: int, **changes: Any) -> Incoming:
        return message(f"1700000000.00001{number}", **{**lane, **changes})

    call, before, after, again = at(2), at(1), at(3), at(4)
    others = [at(5, user="U1BEN"), at(6, thread_ts="1700000000.000002"), at(7, kind=Kind.EDIT, target_ts="1.1")]
    answered = at(8)
    for incoming in (call, before, after, again, answered, *others):
        await core.inbox.insert(incoming)
    ignored = tuple(one.key for one in (before, after, again, *others))
    await core.cases.apply(Changes(done=ignored, outcome=IGNORED))
    await core.cases.apply(Changes(done=(answered.key,), outcome="answered: refund"))

    added = await core.cases.apply(
        Changes(done=(call.key,), outcome="answered", revive=Revival(call.lane, call.user, call.ts))
    )

    assert {one.id for one in added} == {f"{after.key}:revived", f"{again.key}:revived"}
    assert {(one.kind, one.lane) for one in added} == {(WakeKind.TURN, call.lane)}
    assert {one.id for one in await core.books.pending()} == {after.key, again.key}
    row = await core.inbox.next(call.lane)
    assert row is not None
    assert row.incoming == after


async def test_what_anybody_wrote_before_the_question_arrived_can_wait_again(core: Core) -> None:
    root, lane = "1700000000.000010", {"channel": "C1", "place": Place.CHANNEL}
    question = message(root, **lane)
    reply = message("1700000000.000011", user="U1BEN", thread_ts=root, **lane)
    for incoming in (reply, question):
        await core.inbox.insert(incoming)
    await core.cases.apply(Changes(done=(reply.key,), outcome=IGNORED))
    await core.cases.apply(Changes(done=(question.key,), revive=Revival(question.lane, None, root)))

    assert [one.id for one in await core.books.pending()] == [reply.key]


async def test_a_handoff_that_is_joined_is_not_closed_meanwhile(core: Core) -> None:
    await opened(core)
    await core.cases.apply(Changes(handoff=new_handoff()))
    before = await everything(core)
    await core.cases.apply(Changes(joined="handoff_a"))
    assert await everything(core) == before

    await core.cases.apply(Changes(close_handoff="handoff_a"))
    with pytest.raises(Conflict):
        await core.cases.apply(Changes(joined="handoff_a"))


async def test_a_unit_tells_which_posts_and_timers_it_added(core: Core) -> None:
    card = Post(Address("T1", "G1DESK"), ShowCard("handoff_a"), "case_a", internal_of="handoff_a")
    watch = Watch("watch_1", "case_a", "key", "T1:C1:1", AT + timedelta(seconds=60))
    added = await core.cases.apply(Changes(cases=(new_case(),), posts=(say(), card), watch=watch))

    first, second, timer = added
    assert (first.kind, first.lane) == (WakeKind.DELIVER, "T1:C1:1700000000.000001")
    assert (second.kind, second.lane) == (WakeKind.DELIVER, "card:handoff_a")
    assert timer == Pending(WakeKind.WATCH, "watch_1", "T1:C1:1")
    assert set(added) == set(await core.books.pending())
    assert await core.cases.watch("watch_1") == watch


# ---- cases -----------------------------------------------------------------------------------------------------


async def test_a_case_comes_back_as_it_was(core: Core) -> None:
    full = new_case(
        status=Status.CLAIMED,
        owner="U1MIRA",
        unsure=2,
        human_joined=True,
        silenced=True,
        spoken=True,
        answered=("refund", "pending"),
    )
    await core.cases.apply(Changes(cases=(full,)))

    assert await core.cases.get("case_a") == replace(full, version=1)


async def test_what_is_not_there_is_not_found(core: Core) -> None:
    with pytest.raises(NotFound, match="no case"):
        await core.cases.get("case_x")
    with pytest.raises(NotFound, match="no handoff"):
        await core.cases.handoff("handoff_x")
    assert await core.cases.in_conversation("x") == ()
    assert await core.cases.latest_in_dm("T1", "D1") is None
    assert await core.cases.by_message("C1", "1.1") is None
    assert await core.cases.lines("case_x") == ()
    assert await core.cases.open_handoff("case_x") is None
    assert await core.cases.open_handoff_on("U1ANA", "refund") is None
    assert await core.cases.open_cases("U1ANA") == ()
    assert await core.cases.watch("watch_x") is None


async def test_a_thread_holds_a_case_for_each_person_oldest_first(core: Core) -> None:
    for name in ("case_z", "case_a"):
        core.clock.advance(1)
        await opened(core, name=name, conversation="T1:C1:same", customer=f"U{name}")

    assert [case.id for case in await core.cases.in_conversation("T1:C1:same")] == ["case_z", "case_a"]


async def test_the_latest_case_of_a_dm_is_a_top_level_one(core: Core) -> None:
    dm = {"channel": "D1ANA", "place": Place.DM}
    await opened(core, name="old", thread_ts=None, last_ts="1700000000.000001", **dm)
    await opened(core, name="latest", thread_ts=None, last_ts="1700000000.000002", **dm)
    await opened(core, name="thread", thread_ts="1.1", last_ts="1700000000.000003", **dm)
    await opened(core, name="channel", channel="D1ANA", thread_ts=None, last_ts="1700000000.000004")

    found = await core.cases.latest_in_dm("T1", "D1ANA")
    assert found is not None
    assert found.id == "latest"


async def test_a_direct_case_that_a_person_has_goes_before_a_newer_one_of_the_bots(core: Core) -> None:
    dm = {"channel": "D1ANA", "place": Place.DM, "thread_ts": None}
    await opened(core, name="claimed", status=Status.CLAIMED, last_ts="1700000000.000001", **dm)
    await opened(core, name="waiting", status=Status.WAITING, last_ts="1700000000.000002", **dm)
    await opened(core, name="newer", last_ts="1700000000.000003", **dm)

    found = await core.cases.latest_in_dm("T1", "D1ANA")
    assert found is not None
    assert found.id == "waiting"


async def test_a_message_names_its_case(core: Core) -> None:
    await core.cases.apply(Changes(cases=(new_case(),), lines=(Spoken("case_a", line()),)))

    found = await core.cases.by_message("C1", "1700000000.000001")
    assert found is not None
    assert found.id == "case_a"
    assert await core.cases.by_message("C2", "1700000000.000001") is None


async def test_a_transcript_keeps_its_order_and_citations(core: Core) -> None:
    cited = Citation("refund", "Refunds", 3, "When", AT.date())
    first = line("asked")
    answer = replace(line("answered", None, Speaker.BOT), citations=(cited, replace(cited, heading=None)))
    await core.cases.apply(Changes(cases=(new_case(),), lines=(Spoken("case_a", first), Spoken("case_a", answer))))

    found = await core.cases.lines("case_a")
    assert found == (first, answer)
    assert all(isinstance(one.text, Redacted) for one in found)


async def test_handoffs_are_found_by_case_and_by_topic(core: Core) -> None:
    await opened(core)
    handoff = new_handoff()
    await core.cases.apply(Changes(handoff=handoff))

    assert await core.cases.handoff("handoff_a") == handoff
    assert await core.cases.open_handoff("case_a") == handoff
    assert await core.cases.open_handoff_on("U1ANA", "refund") == handoff
    assert await core.cases.open_handoff_on("U1BEN", "refund") is None
    assert await core.cases.open_handoff_on("U1ANA", "pending") is None


async def test_open_cases_are_those_that_a_person_has_newest_first(core: Core) -> None:
    for number, status in enumerate((Status.WAITING, Status.OPEN, Status.CLAIMED, Status.RESOLVED)):
        await opened(core, name=f"case_{status}", status=status, last_ts=f"170000000{number}.000001")

    assert [case.status for case in await core.cases.open_cases("U1ANA")] == [Status.CLAIMED, Status.WAITING]


async def test_a_timer_that_is_done_is_gone(core: Core) -> None:
    await opened(core)
    await core.cases.apply(Changes(watch=Watch("watch_1", "case_a", "key", "lane", AT)))
    await core.cases.apply(Changes(watch_done="watch_1"))

    assert await core.cases.watch("watch_1") is None
    assert await core.books.pending() == ()


# ---- outbox ----------------------------------------------------------------------------------------------------

REPLY = Reply(
    redacted("text"),
    redacted("notice"),
    (Citation("refund", "Refunds", 1, None, AT.date()),),
    (Choice("refund", "Refunds"),),
    (Offer.FEEDBACK, Offer.NOT_NOW),
)
DEEDS: tuple[Deed, ...] = (
    Say(REPLY),
    Say(Relay(redacted("Mira"), redacted("hello"))),
    Say(Note(redacted("note"), "U1ANA")),
    ShowCard("handoff_a"),
    UpdateCard("handoff_a"),
    React("1.1", "incoming_envelope"),
    Hint("U1ANA", REPLY),
    ShowHome("U1ANA"),
    ShowHome("U1ANA", redacted("notice")),
)


@pytest.mark.parametrize("deed", DEEDS, ids=[str(number) + type(deed).__name__ for number, deed in enumerate(DEEDS)])
async def test_a_post_comes_back_as_it_was(core: Core, deed: Deed) -> None:
    await core.cases.apply(Changes(posts=(Post(Address("T1", "C1"), deed, "case_a", True),)))

    (pending,) = await core.books.pending()
    row = await core.outbox.next(pending.lane)
    assert row is not None
    assert row.deed == deed
    assert (row.to, row.case, row.voice, row.attempt) == (Address("T1", "C1"), "case_a", True, 0)
    assert (row.created_at, row.not_before, row.internal_of) == (AT, None, None)
    if isinstance(row.deed, Say):
        assert isinstance(row.deed.content.text, Redacted)


async def test_receipts_hints_and_home_have_lanes_of_their_own(core: Core) -> None:
    """No words wait for them; a card and all that hangs under it is one lane."""
    to = Address("T1", "C1", "1.1")
    deeds = (Say(REPLY), React("1.1", "x"), Hint("U1ANA", REPLY), ShowHome("U1ANA"))
    under = (ShowCard("h"), Say(Note(redacted("n"))), UpdateCard("h"))
    posts = [Post(to, deed) for deed in deeds] + [Post(to, deed, internal_of="h") for deed in under]
    added = await core.cases.apply(Changes(posts=tuple(posts)))

    assert [one.lane for one in added] == [
        "T1:C1:1.1",
        "side:T1:C1:1.1",
        "side:T1:C1:1.1",
        "home:U1ANA",
        *["card:h"] * 3,
    ]


async def test_the_oldest_pending_post_of_a_lane_is_next(core: Core) -> None:
    elsewhere = replace(say(), to=Address("T1", "C2"))
    await opened(core, elsewhere, say("one"), say("two"))

    lane = say().to.lane
    first = await core.outbox.next(lane)
    assert first is not None
    await core.outbox.cancelled(first.id)
    second = await core.outbox.next(lane)
    assert second is not None
    assert [str(row.deed.content.text) for row in (first, second) if isinstance(row.deed, Say)] == ["one", "two"]
    await core.outbox.sent(second.id, None)
    assert await core.outbox.next(lane) is None


async def test_attempts_are_counted_one_by_one(core: Core) -> None:
    await opened(core, say())
    row = await row_of(core)

    begun = await asyncio.gather(*(core.outbox.begin(row) for _ in range(CROWD)))

    assert Counter(begun) == Counter(Begun(number) for number in range(1, CROWD + 1))


async def test_the_words_of_the_bot_are_forbidden_once_a_person_owns_the_case(core: Core) -> None:
    case = await opened(core, say(), say("by a specialist", voice=False))
    row = await row_of(core)
    await core.outbox.begin(row)
    await core.cases.apply(Changes(cases=(replace(case, owner="U1MIRA"),)))

    assert await core.outbox.begin(row) == Forbidden(1)
    assert await core.outbox.begin(row) == Forbidden(1)
    assert await core.outbox.begin(row + 1) == Begun(1)


async def test_what_a_claim_withdrew_is_not_sent_when_the_claim_has_ended(core: Core) -> None:
    case = await opened(core, say())
    row = await row_of(core)
    await core.outbox.begin(row)
    await core.cases.apply(Changes(cases=(replace(case, owner="U1MIRA"),), silence=case.id))
    claimed = await core.cases.get(case.id)
    await core.cases.apply(Changes(cases=(replace(claimed, owner=None),)))

    assert await core.outbox.begin(row) == Forbidden(1)
    await core.outbox.cancelled(row)
    assert await core.outbox.begin(row) is None


async def test_words_that_were_not_sent_are_not_in_the_transcript(core: Core) -> None:
    case = await opened(core, say("cancelled by a claim"), say("withdrawn"), say("refused"), say("sent"))
    _, withdrawn, refused, sent = [int(str(row)) for (row,) in await core.rows("SELECT id FROM outbox ORDER BY id")]
    for row in (withdrawn, refused, sent):
        await core.outbox.begin(row)
    await core.cases.apply(Changes(cases=(replace(case, owner="U1MIRA"),), silence=case.id))
    await core.outbox.cancelled(withdrawn)
    await core.outbox.refused(refused, "msg_too_long", None)
    await core.outbox.sent(sent, "1.1")

    assert [str(one.text) for one in await core.cases.lines("case_a")] == ["sent"]


async def test_a_case_that_waits_for_a_person_lets_the_bot_end_its_words(core: Core) -> None:
    case = await opened(core, say())
    await core.cases.apply(Changes(cases=(replace(case, status=Status.WAITING),)))

    assert await core.outbox.begin(await row_of(core)) == Begun(1)


async def test_a_settled_post_does_not_begin_and_is_not_settled_twice(core: Core) -> None:
    await opened(core, say(), say(), say())
    sent, cancelled, refused = [int(str(row)) for (row,) in await core.rows("SELECT id FROM outbox ORDER BY id")]
    await core.outbox.sent(sent, "1.1")
    await core.outbox.cancelled(cancelled)
    await core.outbox.refused(refused, "channel_not_found", None)

    for row in (sent, cancelled, refused, 999_999):
        assert await core.outbox.begin(row) is None
        await core.outbox.sent(row, "9.9")
        await core.outbox.cancelled(row)
        await core.outbox.deferred(row, "late", AT)
        assert await core.outbox.refused(row, "late", say()) == ()
    found = await core.rows("SELECT status, ts, error FROM outbox ORDER BY id")
    assert found == [("sent", "1.1", None), ("cancelled", None, None), ("refused", None, "channel_not_found")]


async def test_what_was_sent_gets_its_place_in_the_transcript(core: Core) -> None:
    await opened(core, say("an answer"))
    await core.outbox.sent(await row_of(core), "1700000005.000001")

    assert [(one.text, one.ts) for one in await core.cases.lines("case_a")] == [("an answer", "1700000005.000001")]
    found = await core.cases.by_message("C1", "1700000005.000001")
    assert found is not None
    assert found.id == "case_a"


async def test_a_card_that_was_sent_is_known_to_its_handoff(core: Core) -> None:
    card = Post(Address("T1", "G1DESK"), ShowCard("handoff_a"), "case_a", internal_of="handoff_a")
    await opened(core)
    await core.cases.apply(Changes(handoff=new_handoff(), posts=(card,)))
    await core.outbox.sent(await row_of(core, "card:handoff_a"), "1700000005.000001")

    handoff = await core.cases.handoff("handoff_a")
    assert (handoff.card_channel, handoff.card_ts) == ("G1DESK", "1700000005.000001")


async def test_a_deferred_post_waits_at_the_head_of_its_lane(core: Core) -> None:
    await opened(core, say("one"), say("two"))
    row = await row_of(core)
    await core.outbox.begin(row)
    await core.outbox.deferred(row, "ratelimited", AT + timedelta(seconds=30))

    found = await core.outbox.next(say().to.lane)
    assert found is not None
    assert (found.id, found.attempt, found.not_before) == (row, 1, AT + timedelta(seconds=30))


async def test_a_refusal_and_its_report_are_one_unit(core: Core) -> None:
    await opened(core, say())
    row = await row_of(core)
    report = Post(Address("T1", "G1DESK"), Say(Note(redacted("not delivered"))), "case_a")
    raw = replace(report, line=replace(line(), text=PLAIN))

    with pytest.raises(StatementError):
        await core.outbox.refused(row, "channel_not_found", raw)
    assert await statuses(core) == [("pending", 0)]

    (added,) = await core.outbox.refused(row, "channel_not_found", report)
    assert (added.kind, added.lane) == (WakeKind.DELIVER, "T1:G1DESK:")
    assert [status for status, _ in await statuses(core)] == ["refused", "pending"]


async def test_in_flight_are_the_words_of_the_bot_that_were_begun_and_not_settled(core: Core) -> None:
    await opened(core, say("unsent"), say("a specialist's", voice=False))
    row = await row_of(core)
    await core.outbox.begin(row + 1)
    assert not await core.outbox.in_flight("case_a")
    await core.outbox.begin(row)
    assert await core.outbox.in_flight("case_a")
    assert not await core.outbox.in_flight("case_b")
    await core.outbox.sent(row, "1.1")
    assert not await core.outbox.in_flight("case_a")


async def test_on_postgres_no_attempt_begins_behind_a_claim_that_was_committed(postgres_url: str) -> None:
    """An attempt that had read "nobody owns it" waits for its row while somebody claims: the claim waits for it."""
    url = database.app_url(postgres_url, Path())
    await asyncio.to_thread(database.migrate, url)
    sql = database.connect(url)
    core = make_core(sql, FakeClock(AT))
    case = await opened(core, say())
    row = await row_of(core)
    await core.outbox.begin(row)
    ended: list[str] = []

    async def claim() -> None:
        await core.cases.apply(Changes(cases=(replace(case, owner="U1MIRA"),), silence=case.id))
        ended.append("claimed")

    async def begin() -> None:
        ended.append(str(await core.outbox.begin(row)))

    async with (
        await psycopg.AsyncConnection.connect(postgres_url) as holder,
        await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as watcher,
    ):

        async def blocked() -> int:
            found = await watcher.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            return int((await found.fetchone() or (0,))[0])

        await holder.execute("SELECT id FROM outbox FOR UPDATE")
        beginning = asyncio.create_task(begin())
        while await blocked() < 1:  # noqa: ASYNC110 - only Postgres knows when
            await asyncio.sleep(0.01)
        claiming = asyncio.create_task(claim())
        while not ended and await blocked() < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await holder.rollback()
        await asyncio.gather(beginning, claiming)
    await sql.dispose()

    assert ended == ["Begun(attempt=2)", "claimed"]


# ---- books -----------------------------------------------------------------------------------------------------


async def test_the_sweep_is_told_of_all_that_waits(core: Core) -> None:
    await core.inbox.insert(message("1700000000.000002"))
    await core.inbox.insert(message("1700000000.000001"))
    await core.inbox.insert(message("1700000000.000003", kind=Kind.ACTION))
    await core.inbox.insert(message("1700000000.000004", kind=Kind.VIEW))
    await core.inbox.insert(message("1700000000.000005"))
    done = message("1700000000.000005").key
    watch = Watch("watch_1", "case_a", "key", "lane", AT + timedelta(hours=9))
    await core.cases.apply(Changes((done,), "answered", cases=(new_case(),), watch=watch, posts=(say(), say())))
    await core.outbox.sent(await row_of(core), "1.1")

    found = await core.books.pending()
    assert [(one.kind, one.id.split(":")[2] if one.kind in ("turn", "act") else one.id) for one in found] == [
        (WakeKind.TURN, "1700000000.000001"),
        (WakeKind.TURN, "1700000000.000002"),
        (WakeKind.ACT, "1700000000.000003"),
        (WakeKind.ACT, "1700000000.000004"),
        (WakeKind.DELIVER, found[4].id),
        (WakeKind.WATCH, "watch_1"),
    ]


async def test_a_cursor_never_goes_back(core: Core) -> None:
    for ts in ("1700000000.000002", "1700000000.000001"):
        await core.books.set_cursor("T1", "C1", ts)
    assert dict(await core.books.cursors()) == {"C1": "1700000000.000002"}

    times = [f"17000000{number:02}.000001" for number in range(CROWD)]
    await asyncio.gather(*(core.books.set_cursor("T1", "C2", ts) for ts in times))
    assert dict(await core.books.cursors()) == {"C1": "1700000000.000002", "C2": max(times)}


async def test_what_is_remembered_is_the_newest(core: Core) -> None:
    assert await core.books.recall("last_alive") is None
    await core.books.remember("last_alive", "1")
    await core.books.remember("last_alive", "2")
    await core.books.remember("other", "3")

    assert await core.books.recall("last_alive") == "2"


async def test_live_threads_are_those_with_new_activity_each_once(core: Core) -> None:
    since = "1700000000.000005"
    await opened(core, name="old", thread_ts="1.1", last_ts="1700000000.000005")
    await opened(core, name="new", thread_ts="1.2", last_ts="1700000000.000006")
    await opened(core, name="same", thread_ts="1.2", last_ts="1700000000.000007")
    await opened(core, name="dm", thread_ts=None, last_ts="1700000000.000008")

    assert await core.books.live_threads(since) == (Address("T1", "C1", "1.2"),)


async def test_a_database_that_cannot_be_read_fails_the_ping(core: Core, tmp_path: Path) -> None:
    await core.books.ping()
    nowhere = database.connect(
        URL.create("sqlite+aiosqlite", database=str(tmp_path / "no" / "folder.db"))
        if core.sql.dialect.name == "sqlite"
        else core.sql.url.set(port=1)
    )
    with pytest.raises(SQLAlchemyError):
        await SqlBooks(nowhere).ping()
    await nowhere.dispose()


# ---- articles and vectors --------------------------------------------------------------------------------------


async def test_publishing_the_same_again_changes_nothing(core: Core) -> None:
    assert await core.articles.publication_number() == 0
    assert (await core.articles.publication()).revisions == ()
    articles = [article("refund"), article("pending")]
    first = await core.articles.publish(articles, author="ada", note="first")
    before = await everything(core)
    second = await core.articles.publish(list(reversed(articles)), author="ada", note="again")

    assert first == second == await core.articles.publication()
    assert first.number == await core.articles.publication_number() == 1
    assert [revision.article for revision in first.revisions] == [article("pending"), article("refund")]
    assert await everything(core) == before


async def test_only_an_article_whose_content_changed_gets_a_revision(core: Core) -> None:
    await core.articles.publish([article("refund"), article("pending")], author="ada", note="")
    changed = article("refund", answer="Something else.")
    second = await core.articles.publish([changed, article("pending")], author="ada", note="")
    third = await core.articles.publish([article("pending")], author="ada", note="")
    fourth = await core.articles.publish([article("refund"), article("pending")], author="ada", note="")

    def numbers(publication: Any) -> dict[str, int]:
        return {revision.article.id: revision.number for revision in publication.revisions}

    assert (second.number, numbers(second)) == (2, {"pending": 1, "refund": 2})
    assert (third.number, numbers(third)) == (3, {"pending": 1})
    assert (fourth.number, numbers(fourth)) == (4, {"pending": 1, "refund": 3})
    kept = await core.rows("SELECT article, number FROM revisions ORDER BY article, number")
    assert kept == [("pending", 1), ("refund", 1), ("refund", 2), ("refund", 3)]


async def test_of_publications_at_once_each_number_is_one(core: Core) -> None:
    async def publish(number: int) -> object:
        return await core.articles.publish([article("refund", answer=f"{number}.")], author="ada", note="")

    won, _ = await _race(publish)
    assert won >= 1
    assert await core.articles.publication_number() == won
    assert len((await core.articles.publication()).revisions) == 1


async def test_vectors_are_kept_by_embedder_and_stay_as_they_are(core: Core) -> None:
    many = {f"{number:064x}": bytes([number % 256]) * 8 for number in range(1201)}
    await core.articles.save_vectors("a", many)
    await core.articles.save_vectors("a", dict.fromkeys(list(many)[:3], b"other"))
    await core.articles.save_vectors("b", {"x": b"b"})
    await core.articles.save_vectors("b", {})

    assert dict(await core.articles.vectors("a", [*many, "unknown"])) == many
    assert dict(await core.articles.vectors("b", ["x", next(iter(many))])) == {"x": b"b"}
    assert dict(await core.articles.vectors("a", [])) == {}


async def test_the_newest_heads_are_kept_and_stay_as_they_are(core: Core) -> None:
    for number in range(6):
        core.clock.advance(1)
        await core.articles.save_head(f"{number}", bytes([number]) * 3)
    await core.articles.save_head("5", b"other")

    assert [await core.articles.head(f"{number}") for number in range(7)] == [
        None,
        None,
        *(bytes([number]) * 3 for number in (2, 3, 4, 5)),
        None,
    ]


# ---- what columns take -----------------------------------------------------------------------------------------


async def test_text_that_was_not_redacted_is_refused(core: Core) -> None:
    await opened(core)
    attempts: list[Callable[[], Awaitable[object]]] = [
        lambda: core.inbox.insert(replace(message(), text=PLAIN)),
        lambda: core.cases.apply(Changes(lines=(Spoken("case_a", replace(line(), text=PLAIN)),))),
        lambda: core.cases.apply(Changes(handoff=new_handoff(question=PLAIN))),
        lambda: core.cases.apply(Changes(amended=(Amended("C1", "1.1", PLAIN),))),
    ]
    before = await everything(core)
    for attempt in attempts:
        with pytest.raises(StatementError, match="only Redacted text is stored"):
            await attempt()
    assert await everything(core) == before


async def test_times_are_aware_and_utc_whatever_zone_they_came_in(core: Core) -> None:
    await opened(core, say())
    row = await row_of(core)
    far = datetime(2026, 3, 2, 18, 30, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    await core.outbox.deferred(row, "later", far)

    found = await core.outbox.next(say().to.lane)
    assert found is not None
    assert found.not_before is not None
    assert found.not_before == far
    assert found.not_before.utcoffset() == timedelta(0)
    assert found.created_at.utcoffset() == timedelta(0)


async def test_a_time_without_a_zone_is_refused(core: Core) -> None:
    await opened(core, say())
    row = await row_of(core)

    with pytest.raises((StatementError, ValueError)):
        await core.outbox.deferred(row, "later", datetime(2026, 3, 2))  # noqa: DTZ001 - the point of it
    found = await core.outbox.next(say().to.lane)
    assert found is not None
    assert found.not_before is None


# ---- migrations ------------------------------------------------------------------------------------------------


def _config(url: URL) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    config.attributes["url"] = database.sync_url(url)
    return config


@pytest.fixture
def empty_url(url: URL, request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """An empty database of the same kind."""
    if url.drivername.startswith("sqlite"):
        return database.app_url(None, tmp_path)
    return database.app_url(request.getfixturevalue("new_postgres")(), Path())


def _tables(url: URL) -> set[str]:
    engine = create_engine(database.sync_url(url))
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_an_empty_database_is_brought_to_this_versions_shape_once(empty_url: URL) -> None:
    database.migrate(empty_url)
    database.migrate(empty_url)

    assert _tables(empty_url) == {*tables.metadata.tables, "alembic_version"}


def test_tables_and_migrations_say_the_same(url: URL) -> None:
    engine = create_engine(database.sync_url(url))
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "render_as_batch": True}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata)
    engine.dispose()

    assert found == []


def test_migrations_can_be_taken_back_and_done_again(empty_url: URL) -> None:
    database.migrate(empty_url)
    command.downgrade(_config(empty_url), "base")
    assert _tables(empty_url) == {"alembic_version"}
    database.migrate(empty_url)
    assert _tables(empty_url) == {*tables.metadata.tables, "alembic_version"}


# ---- a locked SQLite file --------------------------------------------------------------------------------------


def _reads(core: Core) -> list[Awaitable[object]]:
    return [
        core.inbox.next("lane"),
        core.inbox.get("key"),
        core.inbox.stored("key"),
        core.inbox.amendments("lane", "1.1"),
        core.inbox.amended_before("C1", "1.1"),
        core.inbox.dm_of("T1", "U1ANA"),
        core.cases.get("case_a"),
        core.cases.in_conversation("x"),
        core.cases.latest_in_dm("T1", "D1"),
        core.cases.by_message("C1", "1.1"),
        core.cases.lines("case_a"),
        core.cases.open_handoff("case_a"),
        core.cases.open_handoff_on("U1ANA", "x"),
        core.cases.open_cases("U1ANA"),
        core.cases.watch("watch_x"),
        core.outbox.next("lane"),
        core.outbox.in_flight("case_a"),
        core.books.pending(),
        core.books.cursors(),
        core.books.live_threads("0"),
        core.books.recall("x"),
        core.books.ping(),
        core.articles.publication_number(),
        core.articles.publication(),
        core.articles.vectors("a", ["x"]),
        core.articles.head("a"),
    ]


def _writes(core: Core, row: int) -> list[Awaitable[object]]:
    return [
        core.inbox.insert(message("1700000000.000002")),
        core.inbox.note_failure(message().key),
        core.cases.apply(Changes(feedback=Feedback("C1", "1.1", "U1ANA", True))),
        core.outbox.begin(row),
        core.outbox.deferred(row, "later", AT),
        core.outbox.sent(row + 1, "1.1"),
        core.outbox.cancelled(row + 2),
        core.outbox.refused(row + 3, "gone", None),
        core.books.set_cursor("T1", "C1", "1.1"),
        core.books.remember("x", "y"),
        core.articles.publish([article("refund")], author="ada", note=""),
        core.articles.save_vectors("a", {"x": b"x"}),
        core.articles.save_head("a", b"x"),
    ]


async def test_a_locked_database_makes_writers_wait_and_readers_not(tmp_path: Path) -> None:
    url = database.app_url(None, tmp_path)
    database.migrate(url)
    sql = database.connect(url)
    core = make_core(sql, FakeClock(AT))
    await opened(core, say(), say(), say(), say())
    await core.inbox.insert(message())
    row = await row_of(core)
    holder = sqlite3.connect(tmp_path / "handrail.db", isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        writing = [asyncio.ensure_future(one) for one in _writes(core, row)]
        for reading in _reads(core):
            await reading
        assert not any(one.done() for one in writing)
        holder.execute("COMMIT")
        await asyncio.gather(*writing)
    finally:
        holder.close()
        await sql.dispose()
