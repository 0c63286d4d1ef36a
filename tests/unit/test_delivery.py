"""Delivery: in order, effectively once, and never over a person's head."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given, note
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.articles import Priority
from bot.domain.cases import Case, Handoff, Reason, Status
from bot.domain.incoming import Place
from bot.domain.outbox import Changes, Hint, Post, React, Say, ShowCard, ShowHome, UpdateCard
from bot.domain.redaction import redacted
from bot.domain.replies import Address, Card, CardState, Line, Note, Relay, Reply, Speaker
from bot.services.delivery import BROKEN_AFTER, GIVE_UP_AFTER, RECEIPT_TRIES, SIDE_TRIES
from bot.storage import database
from tests.fakes.clock import FakeClock
from tests.fakes.engine import DESK, TEAM, Core, make_core, open_core

INSIDE = Address(TEAM, DESK)


@pytest_asyncio.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(tmp_path / "h.db") as opened:
        yield opened


def place(thread: str = "1.1", channel: str = "C1GENERAL") -> Address:
    return Address(TEAM, channel, thread)


def says(words: str, *, to: Address | None = None, case: str | None = "case", voice: bool = True) -> Post:
    line = Line(Speaker.BOT, "U1BOT", redacted(words), None, FakeClock().now()) if case else None
    return Post(to or place(), Say(Reply(redacted(words))), case, voice, line)


async def a_case(core: Core, name: str = "case") -> Case:
    case = Case(
        id=name,
        conversation=f"{TEAM}:C1GENERAL:{name}",
        team=TEAM,
        channel="C1GENERAL",
        place=Place.CHANNEL,
        thread_ts="1.1",
        customer="U1ANA",
        status=Status.OPEN,
        owner=None,
        version=0,
        last_ts="1.1",
    )
    await core.cases.apply(Changes(cases=(case,)))
    return await core.cases.get(name)


async def commit(core: Core, *posts: Post, changes: Changes | None = None) -> None:
    """Commit posts and wake their lanes."""
    added = await core.cases.apply(replace(changes or Changes(), posts=posts))
    await core.waker.wake(added)


async def with_card(core: Core, case: Case) -> Handoff:
    """A handoff whose card is posted."""
    question = redacted("where is it?")
    handoff = Handoff(
        f"handoff_{case.id}", case.id, "U1ANA", case.id, question, Reason.ASKED, Priority.NORMAL, core.clock.now()
    )
    card = Post(INSIDE, ShowCard(handoff.id), case=case.id, internal_of=handoff.id)
    await commit(core, card, changes=Changes(handoff=handoff))
    await core.engine.drain(core.worker)
    return await core.cases.handoff(handoff.id)


async def claim(core: Core, case_id: str, handoff: Handoff | None = None) -> None:
    """What a specialist's first reply does to a case."""
    case = await core.cases.get(case_id)
    owned = replace(case, status=Status.CLAIMED, owner="U1MIRA")
    update = Post(INSIDE, UpdateCard(handoff.id), case=case_id, internal_of=handoff.id) if handoff else None
    await commit(core, *((update,) if update else ()), changes=Changes(cases=(owned,), silence=case_id))


def words(core: Core, to: Address | None = None) -> list[str]:
    """What stands in Slack, as text."""
    return [str(post.content.text) for post in core.messenger.posts if to in (None, post.to) and _is_text(post.content)]


def _is_text(content: object) -> bool:
    return isinstance(content, Reply | Relay | Note)


async def ends(core: Core) -> list[str]:
    return [str(status) for (status,) in await core.rows("SELECT status FROM outbox ORDER BY id")]


# ---- once ------------------------------------------------------------------------------------------------------


async def test_a_message_whose_response_was_lost_is_looked_up_and_not_sent_again(core: Core) -> None:
    await a_case(core)
    core.messenger.script("post", "lost_response")
    await commit(core, says("answer"))
    await core.engine.run_out(core.worker)

    assert core.messenger.calls == ["post", "find"]
    assert words(core) == ["answer"]
    (line,) = await core.cases.lines("case")
    assert line.ts == core.messenger.posts[0].ts


async def test_nothing_is_sent_again_before_the_look_up_has_answered(core: Core) -> None:
    await a_case(core)
    core.messenger.script("post", "lost_response")
    core.messenger.script("find", "server_error", "ratelimited:60", "lost_response", "unreachable")
    await commit(core, says("answer"))
    await core.engine.run_out(core.worker)

    assert core.messenger.calls == ["post", *["find"] * 5]
    assert words(core) == ["answer"]


async def test_a_message_that_slack_does_not_have_is_sent_again(core: Core) -> None:
    await a_case(core)
    core.messenger.script("post", "server_error", "unreachable")
    await commit(core, says("answer"))
    await core.engine.run_out(core.worker)

    assert core.messenger.calls == ["post", "find", "post", "find", "post"]
    assert words(core) == ["answer"]


async def test_a_process_that_died_while_sending_looks_before_it_sends_again(core: Core) -> None:
    await a_case(core)
    await commit(core, says("answer"))
    row = await core.outbox.next(place().lane)
    assert row is not None
    await core.outbox.begin(row.id)
    await core.messenger.post(row.to, Reply(redacted("answer")), row.mark)
    await core.engine.run_out(core.worker)

    assert core.messenger.calls == ["post", "find"]
    assert await ends(core) == ["sent"]


@pytest.mark.parametrize("outcome", ["lost_response", "server_error", "unreachable", "ratelimited:5"])
async def test_a_hint_is_never_shown_twice(core: Core, outcome: str) -> None:
    """It cannot be looked up, and it may be lost."""
    core.messenger.script("hint", outcome)
    await commit(core, Post(place(), Hint("U1ANA", Reply(redacted("psst")))))
    await core.engine.run_out(core.worker)

    assert core.messenger.calls == ["hint"]
    assert len(core.messenger.hints) == (1 if outcome == "lost_response" else 0)
    assert await ends(core) == ["sent"]


async def test_a_receipt_whose_response_was_lost_is_put_again_and_stands_once(core: Core) -> None:
    core.messenger.script("react", "lost_response")
    await commit(core, Post(place(), React("1.1", "incoming_envelope")))
    await core.engine.run_out(core.worker)

    assert core.messenger.calls == ["react", "react"]
    assert core.messenger.reactions == {("C1GENERAL", "1.1", "incoming_envelope")}


# ---- waiting ---------------------------------------------------------------------------------------------------


async def test_a_rate_limit_holds_up_its_own_lane_only_and_for_as_long_as_slack_says(core: Core) -> None:
    await a_case(core)
    limited, other = place("1.1"), place("2.2")
    core.messenger.script("post", "ratelimited:30")
    await commit(core, says("one", to=limited), says("two", to=limited), says("other", to=other))
    await core.engine.drain(core.worker)
    assert words(core) == ["other"]

    core.engine.pass_time(29.5)
    await core.engine.drain(core.worker)
    assert words(core) == ["other"]

    await core.engine.run_out(core.worker)
    assert words(core, limited) == ["one", "two"]
    assert core.clock.now() - FakeClock().now() < timedelta(seconds=31)
    assert core.messenger.calls.count("post") == 4


async def test_without_advice_the_pauses_grow_and_are_bounded(core: Core) -> None:
    await a_case(core)
    core.messenger.script("post", *["unreachable"] * 14)
    await commit(core, says("answer"))
    await core.engine.run_out(core.worker)

    pauses = [pause for name, pause in core.engine.delays.items() if ":until-" in name]
    assert pauses == sorted(pauses)
    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
    assert max(pauses) == 300.0
    assert words(core) == ["answer"]


async def test_a_long_lane_is_sent_whole_by_one_wake_up(core: Core) -> None:
    await a_case(core)
    added = await core.cases.apply(Changes(posts=tuple(says(str(number)) for number in range(50))))
    await core.waker.wake(added[:1])
    await core.engine.run_out(core.worker)

    assert words(core) == [str(number) for number in range(50)]


async def test_after_six_hours_without_slack_specialists_are_told_and_the_lane_goes_on(core: Core) -> None:
    await a_case(core)
    core.messenger.script("post", *["unreachable"] * 81)  # nine doubling pauses, then five minutes each
    await commit(core, says("answer"), says("next"))
    await core.engine.run_out(core.worker)

    assert core.clock.now() - FakeClock().now() > GIVE_UP_AFTER
    assert (await ends(core))[:2] == ["refused", "sent"]
    assert words(core, place()) == ["next"]
    (note,) = words(core, INSIDE)
    assert "answer" in note
    assert "unreachable" in note


# ---- refusals --------------------------------------------------------------------------------------------------


async def test_specialists_are_told_once_of_words_that_slack_refuses(core: Core) -> None:
    await a_case(core)
    core.messenger.script("post", "refused:is_archived")
    await commit(core, says("answer"), says("next"))
    await core.engine.run_out(core.worker)

    assert await ends(core) == ["refused", "sent", "sent"]
    (told,) = core.messenger.said(INSIDE)
    assert isinstance(told, Note)
    assert told.about == "U1ANA"
    assert "is_archived" in told.text
    assert "answer" in told.text
    assert [str(line.text) for line in await core.cases.lines("case")] == ["next"]


async def test_a_specialists_words_that_slack_refuses_are_reported_too(core: Core) -> None:
    await a_case(core)
    core.messenger.script("post", "refused:channel_not_found")
    relay = Post(place(), Say(Relay(redacted("Mira"), redacted("from a person"))), "case")
    await commit(core, relay)
    await core.engine.run_out(core.worker)

    (note,) = words(core, INSIDE)
    assert "from a person" in note


async def test_a_report_that_is_refused_is_not_reported(core: Core) -> None:
    await a_case(core)
    core.messenger.script("post", *["refused:msg_too_long"] * 10)
    await commit(core, says("answer"))
    await core.engine.run_out(core.worker)

    assert await ends(core) == ["refused", "refused"]
    assert core.messenger.calls == ["post", "post"]


@pytest.mark.parametrize(
    ("method", "deed"),
    [
        ("hint", Hint("U1ANA", Reply(redacted("psst")))),
        ("react", React("1.1", "incoming_envelope")),
        ("home", ShowHome("U1ANA")),
        ("post", Say(Note(redacted("a note among us")))),
    ],
)
async def test_what_is_no_word_to_a_customer_is_refused_in_silence(core: Core, method: str, deed: object) -> None:
    core.messenger.script(method, "refused:user_not_found")
    await commit(core, Post(INSIDE, deed))  # type: ignore[arg-type]
    await core.engine.run_out(core.worker)

    assert await ends(core) == ["refused"]
    assert core.messenger.posts == []


@pytest.mark.parametrize("code", ["token_revoked", "missing_scope", "invalid_auth"])
async def test_what_an_operator_can_mend_is_waited_for(core: Core, code: str) -> None:
    await a_case(core)
    core.messenger.script("post", *[f"refused:{code}"] * 5)
    await commit(core, says("answer"), Post(place(), React("1.1", "x")))
    await core.engine.run_out(core.worker)

    assert words(core) == ["answer"]
    assert await ends(core) == ["sent", "sent"]


async def test_cards_and_notes_wait_for_their_channel_for_as_long_as_it_takes(core: Core) -> None:
    """Nobody else would hear of the case."""
    case = await a_case(core)
    core.messenger.script("post", *["refused:not_in_channel"] * 5, *["unreachable"] * 100)
    await with_card(core, case)
    await commit(core, Post(INSIDE, Say(Note(redacted("note"))), case="case", internal_of="handoff_case"))
    await core.engine.run_out(core.worker)

    assert core.clock.now() - FakeClock().now() > GIVE_UP_AFTER
    assert await ends(core) == ["sent", "sent"]
    assert [type(post.content) for post in core.messenger.posts] == [Card, Note]


async def test_receipts_and_home_are_dropped_in_the_end_and_hold_no_words_up(core: Core) -> None:
    for method in ("react", "home"):
        core.messenger.script(method, *["server_error"] * 40)
    side = [Post(place(), React("1.1", "x")), Post(place(), ShowHome("U1ANA")), Post(place(), React("1.1", "y"))]
    await commit(core, *side, says("answer", case=None))
    await core.engine.drain(core.worker)
    assert words(core) == ["answer"]

    await core.engine.run_out(core.worker)
    assert await ends(core) == ["refused", "refused", "refused", "sent"]
    assert core.messenger.calls.count("react") == 2 * RECEIPT_TRIES
    assert core.messenger.calls.count("home") == SIDE_TRIES


async def test_a_row_that_breaks_our_own_code_is_refused_after_some_tries_and_the_lane_goes_on(core: Core) -> None:
    broken = Post(INSIDE, UpdateCard("no such handoff"), internal_of="lane")
    await commit(core, broken, Post(INSIDE, ShowHome("U1ANA"), internal_of="lane"))
    await core.engine.run_out(core.worker)

    assert await ends(core) == ["refused", "sent"]
    assert await core.rows("SELECT attempt, error FROM outbox LIMIT 1") == [(BROKEN_AFTER, "internal_error")]


async def test_while_slack_cannot_say_who_is_staff_home_waits(core: Core) -> None:
    core.directory.down = True
    await commit(core, Post(place(), ShowHome("U1ANA")))
    for _ in range(20):
        await core.engine.drain(core.worker)
        core.engine.pass_time(60)
    core.directory.down = False
    await core.engine.run_out(core.worker)

    assert [user for user, _ in core.messenger.homes] == ["U1ANA"]


# ---- a person takes over ---------------------------------------------------------------------------------------


async def test_nothing_of_the_bots_is_sent_once_a_person_has_the_case(core: Core) -> None:
    handoff = await with_card(core, await a_case(core))
    await commit(core, says("one"), says("two"))
    await claim(core, "case", handoff)
    await core.engine.run_out(core.worker)

    assert words(core) == []
    assert await ends(core) == ["sent", "cancelled", "cancelled", "sent"]
    (card,) = core.messenger.said(INSIDE)
    assert isinstance(card, Card)
    assert (card.state, card.owner) == (CardState.CLAIMED, "U1MIRA")


@pytest.mark.parametrize("outcome", ["ok", "lost_response"])
async def test_a_claim_while_a_post_is_in_flight_lets_it_land_and_stops_the_rest(core: Core, outcome: str) -> None:
    """The card says "claimed" only after the bot's last words have come to rest."""
    handoff = await with_card(core, await a_case(core))
    core.messenger.calls.clear()
    core.messenger.script("post", outcome)
    at_update: list[list[str]] = []

    async def while_in_flight(method: str) -> None:
        if method == "post" and not at_update:
            await claim(core, "case", handoff)
        if method == "update":
            at_update.append(await ends(core))

    core.messenger.during = while_in_flight
    await commit(core, says("one"), says("two"))
    await core.engine.run_out(core.worker)

    assert words(core) == ["one"]
    assert await ends(core) == ["sent", "sent", "cancelled", "sent"]
    assert at_update == [["sent", "sent", "cancelled", "pending"]]
    assert core.messenger.calls == (["post", "update"] if outcome == "ok" else ["post", "find", "update"])


@pytest.mark.parametrize("outcome", ["unreachable", "server_error", "ratelimited:9"])
async def test_a_retry_behind_a_claim_is_withdrawn_after_a_look(core: Core, outcome: str) -> None:
    handoff = await with_card(core, await a_case(core))
    core.messenger.calls.clear()
    core.messenger.script("post", outcome)
    await commit(core, says("one"))
    await core.engine.drain(core.worker)
    await claim(core, "case", handoff)
    await core.engine.run_out(core.worker)

    assert words(core) == []
    assert await ends(core) == ["sent", "cancelled", "sent"]
    assert core.messenger.calls == ["post", "find", "update"]


async def test_a_look_that_fails_behind_a_claim_is_repeated_before_the_claim_is_announced(core: Core) -> None:
    handoff = await with_card(core, await a_case(core))
    core.messenger.calls.clear()
    core.messenger.script("post", "lost_response")
    core.messenger.script("find", "server_error", "unreachable")
    await commit(core, says("one"))
    await core.engine.drain(core.worker)
    await claim(core, "case", handoff)
    await core.engine.run_out(core.worker)

    assert core.messenger.calls == ["post", "find", "find", "find", "update"]
    assert await ends(core) == ["sent", "sent", "sent"]


async def test_a_specialists_words_go_out_after_the_claim(core: Core) -> None:
    await a_case(core)
    await claim(core, "case")
    await commit(core, Post(place(), Say(Relay(redacted("Mira"), redacted("hello"))), "case"))
    await core.engine.run_out(core.worker)

    assert words(core) == ["hello"]


# ---- cards and what hangs under them ---------------------------------------------------------------------------


async def test_notes_wait_for_their_card_and_stand_under_it(core: Core) -> None:
    case = await a_case(core)
    core.messenger.script("post", "ratelimited:20", "lost_response")
    core.messenger.script("find", "server_error")
    question = redacted("where is it?")
    handoff = Handoff("handoff", "case", "U1ANA", "x", question, Reason.ASKED, Priority.NORMAL, core.clock.now())
    card = Post(INSIDE, ShowCard("handoff"), case=case.id, internal_of="handoff")
    notes = [Post(INSIDE, Say(Note(redacted(str(n)))), case=case.id, internal_of="handoff") for n in range(3)]
    await commit(core, card, notes[0], changes=Changes(handoff=handoff))
    await commit(core, *notes[1:])
    await core.engine.run_out(core.worker)

    kept = await core.cases.handoff("handoff")
    assert kept.card_ts is not None
    first, *rest = core.messenger.posts
    assert (first.to, first.ts) == (INSIDE, kept.card_ts)
    assert [post.to for post in rest] == [Address(TEAM, DESK, kept.card_ts)] * 3
    assert words(core) == ["0", "1", "2"]


async def test_a_card_that_slack_refuses_for_good_is_told_and_its_notes_are_posted(core: Core) -> None:
    case = await a_case(core)
    core.messenger.script("post", "refused:invalid_blocks")
    await with_card(core, case)
    await commit(core, Post(INSIDE, Say(Note(redacted("note"))), case=case.id, internal_of="handoff_case"))
    await claim(core, "case", await core.cases.handoff("handoff_case"))
    await core.engine.run_out(core.worker)

    told, note = words(core, INSIDE)
    assert "invalid_blocks" in told
    assert "where is it?" in told
    assert note == "note"
    assert await ends(core) == ["refused", "sent", "sent", "sent"]
    assert "update" not in core.messenger.calls


# ---- whatever happens ------------------------------------------------------------------------------------------

OUTCOMES = ["ok", "lost_response", "ratelimited:3", "server_error", "unreachable", "refused:channel_not_found"]
KINDS = ["voice", "relay", "hint", "react"]


@dataclass(frozen=True)
class Story:
    """Rows by lane, what Slack does to each method's calls, and after which posts a person claims the case."""

    rows: Sequence[tuple[int, str]]
    post: Sequence[str]
    find: Sequence[str]
    other: Sequence[str]
    claim_at: int | None
    seed: int


def story_of(seed: int) -> Story:
    """Evenly drawn: Hypothesis' own lists are too short and too plain for what goes wrong late."""
    chance = random.Random(seed)

    def outcomes(most: int) -> list[str]:
        return chance.choices(OUTCOMES, weights=(3, 3, 2, 1, 2, 1), k=chance.randint(0, most))

    return Story(
        rows=[(chance.randint(0, 2), chance.choice(KINDS)) for _ in range(chance.randint(1, 8))],
        post=outcomes(14),
        find=outcomes(6),
        other=outcomes(4),
        claim_at=chance.choice([None, 0, 1, 1, 2, 2, 3, 4]),
        seed=seed,
    )


def test_every_post_ends_sent_once_refused_or_cancelled_and_lanes_keep_their_order(tmp_path: Path) -> None:
    url = database.app_url(None, tmp_path)
    database.migrate(url)
    clock = FakeClock()
    told: list[Story] = []
    with asyncio.Runner() as runner:
        sql = runner.run(_connect(url))

        @given(st.integers(0, 2**32))
        def play(seed: int) -> None:
            told.append(story_of(seed))
            note(repr(told[-1]))
            runner.run(_play(told[-1], sql, clock, f"story{len(told)}"))

        play()
        runner.run(sql.dispose())


async def _connect(url: object) -> AsyncEngine:
    return database.connect(url)  # type: ignore[arg-type]


async def _play(story: Story, sql: AsyncEngine, clock: FakeClock, name: str) -> None:
    core = make_core(sql, clock, seed=story.seed)
    await a_case(core, name)
    for method, outcomes in (("post", story.post), ("find", story.find), ("hint", story.other), ("react", story.other)):
        core.messenger.script(method, *outcomes)
    at_claim: list[int] = []

    async def claimed() -> None:
        if not at_claim:
            await claim(core, name)
            at_claim.append(len(core.messenger.posts))

    async def during(method: str) -> None:
        if method == "post" and len(core.messenger.posts) == story.claim_at:
            await claimed()

    core.messenger.during = during
    await commit(core, *(_post(name, number, lane, kind) for number, (lane, kind) in enumerate(story.rows)))
    if story.claim_at == 0:
        await claimed()
    await core.engine.run_out(core.worker)

    found = await core.rows(
        "SELECT id, mark, lane, status, voice, deed FROM outbox WHERE case_id = :case ORDER BY id", case=name
    )
    await _judge(core, [tuple(map(str, row)) for row in found], at_claim)


def _post(name: str, number: int, lane: int, kind: str) -> Post:
    to = Address(TEAM, "C1GENERAL", f"{name}.{lane}")
    match kind:
        case "voice":
            return says(str(number), to=to, case=name)
        case "relay":
            return Post(to, Say(Relay(redacted("Mira"), redacted(str(number)))), name)
        case "hint":
            return Post(to, Hint("U1ANA", Reply(redacted(str(number)))), name)
        case _:
            return Post(to, React("1.1", f"emoji{number}"), name)


async def _judge(core: Core, rows: list[tuple[str, ...]], at_claim: list[int]) -> None:
    in_slack = defaultdict(list)
    for position, post in enumerate(core.messenger.posts):
        in_slack[post.mark].append(position)
    by_lane: defaultdict[str, list[int]] = defaultdict(list)
    for _, mark, lane, status, voice, deed in rows:
        times = len(in_slack[mark])
        assert status in ("sent", "cancelled", "refused")
        if "'Say'" in deed or '"Say"' in deed:
            assert times == 1 if status == "sent" else times <= (status == "refused")
        by_lane[lane] += in_slack[mark]
        if voice == "1" and at_claim:
            # Its sending began before the claim was committed: it was in flight then, at the latest.
            assert all(position < at_claim[0] for position in in_slack[mark])
        if voice == "0":
            assert status != "cancelled"
    assert all(positions == sorted(positions) for positions in by_lane.values())
