"""News of a refund: what is told, when somebody looks again, and that it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.findings_refunds import RefundStage
from bot.domain.redaction import redacted
from bot.domain.refund_news import (
    LOOKS,
    NEWS_LASTS,
    RETRY_AFTER,
    SPREAD,
    Ended,
    Event,
    RefundNews,
    Told,
    Verdict,
    decide,
    next_look,
    postponed,
)
from bot.domain.transactions import Refund, RefundState
from tests.fakes.facts import ANA, refund

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
"""A Monday."""
TRACE = "74537604221222132710572"
ZONES = st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/New_York")])
MOST_A_DAY = len(LOOKS)

History = Callable[[float], Refund | None]
"""The refund as it is so many days after the start."""


def asked(at: datetime = START, **changes: Any) -> RefundNews:
    """Somebody who asks now and has not been told anything."""
    made = RefundNews(
        id="news_a",
        team="T1",
        user="U1ANA",
        channel="D1ANA",
        case="case_a",
        refund="re_1",
        customer=ANA,
        article="refund-status",
        label=redacted(""),
        told=Told(),
        tick=0,
        due_at=at,
        ends_at=at + NEWS_LASTS,
    )
    return replace(made, **changes)


def that(state: RefundState = RefundState.SUCCEEDED, **more: Any) -> Refund:
    return refund(at=START, state=state, **more)


def days_since(moment: datetime) -> float:
    return (moment - START) / timedelta(days=1)


def looks(history: History, zone: tzinfo = UTC, news: RefundNews | None = None) -> Iterator[tuple[datetime, Verdict]]:
    """All looks until it is over, each when it is due, and what it comes to."""
    current = news or asked()
    while True:
        now = current.due_at
        verdict = decide(current, history(days_since(now)), now, zone)
        yield now, verdict
        if verdict.news.ended is not None:
            return
        assert verdict.news.due_at > now
        current = verdict.news


def told(history: History) -> list[tuple[date, Event]]:
    """On which day what is told."""
    return [(now.date(), verdict.event) for now, verdict in looks(history) if verdict.event is not None]


# ---- what is told ----------------------------------------------------------------------------------------------


def test_a_refund_that_is_handed_over_gets_its_trace_number_and_its_window_ends() -> None:
    history = [(0.0, that()), (3.0, that(trace=TRACE))]

    assert told(lambda days: [one for since, one in history if since <= days][-1]) == [
        (date(2026, 3, 2), Event.STARTED),
        (date(2026, 3, 5), Event.TRACE),
        (date(2026, 3, 17), Event.WINDOW_OVER),
    ]


def test_after_the_question_whether_it_arrived_it_ends_in_silence() -> None:
    verdicts = [verdict for _, verdict in looks(lambda days: that())]

    assert [verdict.event for verdict in verdicts if verdict.event] == [Event.STARTED, Event.WINDOW_OVER]
    assert verdicts[-1].event is None
    assert verdicts[-1].news.ended is Ended.EXPIRED


def test_a_refund_that_stays_pending_is_given_up_after_45_days_and_that_is_said() -> None:
    found = list(looks(lambda days: that(RefundState.PENDING)))

    assert [verdict.event for _, verdict in found if verdict.event] == [Event.STARTED, Event.EXPIRED]
    now, last = found[-1]
    assert now == START + NEWS_LASTS
    assert last.news.ended is Ended.EXPIRED


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        (RefundState.PENDING, RefundState.FAILED, Event.FAILED),
        (RefundState.NEEDS_ACTION, RefundState.FAILED, Event.FAILED),
        (RefundState.SUCCEEDED, RefundState.FAILED, Event.RETURNED),
        (RefundState.PENDING, RefundState.CANCELLED, Event.CANCELLED),
        (RefundState.SUCCEEDED, RefundState.CANCELLED, Event.CANCELLED),
    ],
)
def test_what_failed_came_back_or_was_cancelled_is_told_and_is_the_end(
    before: RefundState, after: RefundState, event: Event
) -> None:
    found = [verdict for _, verdict in looks(lambda days: that(before if days < 2 else after))]

    assert [verdict.event for verdict in found if verdict.event] == [Event.STARTED, event]
    assert found[-1].news.ended is Ended.FINAL


@pytest.mark.parametrize("state", [RefundState.FAILED, RefundState.CANCELLED])
def test_what_is_over_when_they_ask_is_told_and_nobody_looks_again(state: RefundState) -> None:
    ((_, verdict),) = looks(lambda days: that(state))

    assert verdict.event in (Event.FAILED, Event.CANCELLED)
    assert verdict.news.ended is Ended.FINAL


def test_who_asks_when_the_window_is_over_is_asked_at_once() -> None:
    late = START + timedelta(days=20)
    verdict = decide(asked(late), that(), late, UTC)

    assert (verdict.event, verdict.stage) == (Event.WINDOW_OVER, RefundStage.WINDOW_OVER)
    assert verdict.news.told.window
    assert verdict.news.ended is None


def test_days_are_counted_from_when_it_was_seen_to_be_handed_over() -> None:
    """It was pending for three weeks: on the day when it goes nobody asks whether it has arrived."""

    def history(days: float) -> Refund:
        return that(RefundState.PENDING if days < 21 else RefundState.SUCCEEDED)

    assert told(history) == [
        (date(2026, 3, 2), Event.STARTED),
        (date(2026, 3, 23), Event.MOVED),
        (date(2026, 4, 7), Event.WINDOW_OVER),
    ]


def test_one_telling_tells_all_that_is_new() -> None:
    before = decide(asked(), that(RefundState.PENDING), START, UTC).news
    handed = decide(before, that(trace=TRACE), START + timedelta(days=1), UTC)
    over = decide(decide(asked(), that(), START, UTC).news, that(trace=TRACE), START + timedelta(days=16), UTC)

    assert (handed.event, handed.news.told.trace) == (Event.MOVED, True)
    assert (over.event, over.news.told.trace) == (Event.WINDOW_OVER, True)


def test_a_trace_number_that_comes_after_the_question_is_told() -> None:
    def history(days: float) -> Refund:
        return that(trace=TRACE if days > 20 else None)

    assert [event for _, event in told(history)] == [Event.STARTED, Event.WINDOW_OVER, Event.TRACE]


def test_a_reversal_has_no_trace_number_to_tell() -> None:
    before = decide(asked(), that(reversal=True), START, UTC).news

    assert decide(before, that(reversal=True, trace=TRACE), START + timedelta(days=1), UTC).event is None


def test_what_is_not_theirs_any_more_ends_it() -> None:
    before = decide(asked(), that(), START, UTC).news
    verdict = decide(before, None, START + timedelta(days=1), UTC)

    assert (verdict.event, verdict.news.ended, verdict.stage) == (Event.LOST, Ended.LOST, None)


def test_when_nobody_answers_nothing_is_said_and_nothing_forgotten() -> None:
    before = decide(asked(), that(), START, UTC).news
    now = START + timedelta(days=1)

    verdict = postponed(before, now, now + RETRY_AFTER)
    assert (verdict.event, verdict.news) == (None, replace(before, due_at=now + RETRY_AFTER))

    late = before.ends_at
    assert postponed(before, late, late + RETRY_AFTER).event is Event.EXPIRED
    asked_already = replace(before, told=replace(before.told, window=True))
    last = postponed(asked_already, late, late + RETRY_AFTER)
    assert (last.event, last.news.ended) == (None, Ended.EXPIRED)


def test_a_look_that_comes_months_late_still_tells_how_it_ended() -> None:
    before = decide(asked(), that(), START, UTC).news
    late = START + timedelta(days=200)

    assert decide(before, that(RefundState.FAILED), late, UTC).event is Event.RETURNED
    over = decide(before, that(), late, UTC)
    assert (over.event, over.news.ended) == (Event.WINDOW_OVER, Ended.EXPIRED)


# ---- whatever happens ------------------------------------------------------------------------------------------

CHANGES = st.lists(
    st.tuples(
        st.floats(0, 60),
        st.builds(
            that,
            st.sampled_from(RefundState),
            trace=st.sampled_from([None, TRACE]),
            reversal=st.booleans(),
        ),
    ),
    max_size=6,
)


@given(CHANGES, st.sampled_from(RefundState), ZONES, st.one_of(st.none(), st.floats(0, 50)))
def test_whatever_a_refund_does_each_thing_is_told_once_and_it_ends(
    changes: list[tuple[float, Refund]], first: RefundState, zone: tzinfo, lost: float | None
) -> None:
    def history(days: float) -> Refund | None:
        if lost is not None and days >= lost:
            return None
        past = [one for since, one in sorted(changes, key=lambda change: change[0]) if since <= days]
        return past[-1] if past else that(first)

    found = list(looks(history, zone))
    events = [verdict.event for _, verdict in found]

    for once in (Event.STARTED, Event.TRACE, Event.WINDOW_OVER):
        assert events.count(once) <= 1
    for final in (Event.FAILED, Event.RETURNED, Event.CANCELLED, Event.EXPIRED, Event.LOST):
        assert final not in events[:-1]
    assert all(verdict.news.ended is None for _, verdict in found[:-1])
    now, _ = found[-1]
    assert now <= START + NEWS_LASTS
    moved = events.count(Event.MOVED)
    assert moved <= len(changes)


@given(ZONES, st.text("abcdefgh", min_size=1, max_size=12))
def test_nobody_looks_more_than_twice_a_day_nor_at_night_nor_at_weekends(zone: tzinfo, id: str) -> None:
    found = list(looks(lambda days: that(RefundState.PENDING), zone, asked(id=id)))
    later = [now.astimezone(zone) for now, _ in found[1:-1]]  # the first is theirs, the last the end of it

    assert all(moment.weekday() < 5 for moment in later)
    assert all(moment.time() >= min(LOOKS) for moment in later)
    assert all(moment - moment.replace(hour=max(LOOKS).hour, minute=0, second=0) < SPREAD for moment in later)
    for day in {moment.date() for moment in later}:
        assert sum(moment.date() == day for moment in later) <= MOST_A_DAY
    assert len(found) <= 2 + MOST_A_DAY * 34
    assert len(found) >= MOST_A_DAY * 31


@given(st.integers(0, 365 * 24 * 60), ZONES, st.text("abc", max_size=4))
def test_the_next_look_is_never_now_nor_further_than_a_weekend(minutes: int, zone: tzinfo, id: str) -> None:
    now = START + timedelta(minutes=minutes)
    due = next_look(id, now, now + NEWS_LASTS, zone)

    assert timedelta(0) < due - now <= timedelta(days=3)
    assert due.tzinfo is UTC


def test_looks_of_many_do_not_fall_on_one_second() -> None:
    due = {next_look(f"news_{number}", START, START + NEWS_LASTS, UTC) for number in range(500)}

    assert len(due) > 400
    assert {moment.time() for moment in due} == {
        moment.time() for moment in due if time(10) <= moment.time() < time(11)
    }
