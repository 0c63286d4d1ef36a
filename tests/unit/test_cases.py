"""Whose turn it is, and which conversation a message belongs to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.cases import (
    DM_JOINS_WITHIN,
    LATE_AFTER,
    Case,
    Setting,
    Status,
    Voice,
    conversation_of,
    is_late,
    joins,
    whose_turn,
)
from bot.domain.incoming import Incoming, Kind, Place
from tests.fakes.clock import START, FakeClock
from tests.fakes.incoming import a_message

ROOT = FakeClock().ts()


def message(ts: str = ROOT, **changes: Any) -> Incoming:
    return a_message(ts=ts, **({"channel": "C1", "place": Place.CHANNEL} | changes))


def case(status: Status = Status.OPEN, **changes: Any) -> Case:
    made = Case(
        id="case",
        conversation=f"T1:C1:{ROOT}",
        team="T1",
        channel="C1",
        place=Place.CHANNEL,
        thread_ts=ROOT,
        customer="U1ANA",
        status=status,
        owner=None,
        version=1,
        last_ts=ROOT,
        spoken=True,
    )
    return replace(made, **changes)


DM = {"place": Place.DM}
MPIM = {"place": Place.GROUP_DM}
THREAD = {"thread_ts": ROOT}
CALLED = {"mention": True}
SUPPORT = Setting(support_channel=True)
OPEN, WAITING, CLAIMED, RESOLVED = Status.OPEN, Status.WAITING, Status.CLAIMED, Status.RESOLVED


def among(*others: Status, **more: Any) -> Setting:
    return Setting(others=tuple(case(status, customer="U1BEN") for status in others), **more)


TURNS: list[tuple[str, dict[str, Any], Case | None, Setting, Voice]] = [
    # In a direct conversation the bot always speaks, unless a person has the case.
    ("a first direct message", DM, None, Setting(), Voice.SPEAK),
    ("an open direct case", DM, case(OPEN), Setting(), Voice.SPEAK),
    ("a direct case that waits", DM, case(WAITING), Setting(), Voice.RELAY),
    ("a direct case of a specialist", DM, case(CLAIMED), Setting(), Voice.RELAY),
    ("a direct case that is over", DM, case(RESOLVED), Setting(), Voice.SPEAK),
    ("a direct mention while it waits", DM | CALLED, case(WAITING), Setting(), Voice.RELAY),
    ("not-now means nothing in a DM", DM, case(OPEN, silenced=True), Setting(), Voice.SPEAK),
    ("staff may ask in a DM", DM, None, Setting(author_is_staff=True), Voice.SPEAK),
    # A mention is answered at once, wherever.
    ("a mention", CALLED, None, Setting(), Voice.SPEAK),
    ("a mention in a support channel", CALLED, None, SUPPORT, Voice.SPEAK),
    ("a mention by staff", CALLED, None, Setting(support_channel=True, author_is_staff=True), Voice.SPEAK),
    ("a mention in a thread", CALLED | THREAD, None, Setting(), Voice.SPEAK),
    ("a mention in a group conversation", CALLED | MPIM, None, Setting(), Voice.SPEAK),
    ("a mention after not-now", CALLED | THREAD, case(OPEN, silenced=True), Setting(), Voice.SPEAK),
    ("a mention after a person joined", CALLED | THREAD, case(OPEN, human_joined=True), Setting(), Voice.SPEAK),
    ("a mention before the wait is over", CALLED | THREAD, case(OPEN, spoken=False), Setting(), Voice.SPEAK),
    ("a mention while it waits", CALLED | THREAD, case(WAITING), Setting(), Voice.RELAY),
    ("a mention while claimed", CALLED | THREAD, case(CLAIMED), Setting(), Voice.RELAY),
    # Nobody called: only in support channels, only at top level, only from customers, after people had their chance.
    ("a question in a support channel", {}, None, SUPPORT, Voice.WAIT),
    ("staff in a support channel", {}, None, Setting(support_channel=True, author_is_staff=True), Voice.IGNORE),
    ("a support channel that is internal", {}, None, replace(SUPPORT, internal_channel=True), Voice.IGNORE),
    ("a thread in a support channel", THREAD, None, SUPPORT, Voice.IGNORE),
    ("an edit in a support channel", {"kind": Kind.EDIT}, None, SUPPORT, Voice.IGNORE),
    ("another channel", {}, None, Setting(), Voice.IGNORE),
    ("a group conversation", MPIM, None, Setting(), Voice.IGNORE),
    ("the specialists' channel", {}, None, Setting(internal_channel=True), Voice.IGNORE),
    # In its own thread the bot goes on with its customer, until a person joins or it is told to be quiet.
    ("the next question of a customer", THREAD, case(OPEN), Setting(), Voice.SPEAK),
    ("a further line before the wait is over", THREAD, case(OPEN, spoken=False), SUPPORT, Voice.LISTEN),
    ("a person joined", THREAD, case(OPEN, human_joined=True), Setting(), Voice.IGNORE),
    (
        "a person joined before the bot spoke",
        THREAD,
        case(OPEN, human_joined=True, spoken=False),
        SUPPORT,
        Voice.IGNORE,
    ),
    ("not now", THREAD, case(OPEN, silenced=True), Setting(), Voice.IGNORE),
    ("while it waits", THREAD, case(WAITING), Setting(), Voice.RELAY),
    ("while claimed", THREAD, case(CLAIMED), Setting(), Voice.RELAY),
    ("while it waits, a person joined", THREAD, case(WAITING, human_joined=True), Setting(), Voice.RELAY),
    ("while claimed, after not-now", THREAD, case(CLAIMED, silenced=True), Setting(), Voice.RELAY),
    ("after it was resolved", THREAD, case(RESOLVED), Setting(), Voice.SPEAK),
    # Other people in the thread.
    ("somebody else's thread", THREAD, None, among(OPEN), Voice.HEED),
    ("somebody else's resolved thread", THREAD, None, among(RESOLVED), Voice.HEED),
    ("a specialist's thread", THREAD, None, among(CLAIMED), Voice.HEED),
    ("staff in somebody's thread", THREAD, None, among(OPEN, author_is_staff=True), Voice.HEED),
    ("a mention in somebody else's thread", CALLED | THREAD, None, among(OPEN), Voice.SPEAK),
    ("a mention in a specialist's thread", CALLED | THREAD, None, among(CLAIMED), Voice.STAND_ASIDE),
    ("a mention where somebody waits", CALLED | THREAD, None, among(OPEN, WAITING), Voice.STAND_ASIDE),
    ("own open case where somebody waits", THREAD, case(OPEN), among(WAITING), Voice.HEED),
    ("own mention where somebody waits", CALLED | THREAD, case(OPEN), among(WAITING), Voice.STAND_ASIDE),
    ("own waiting case where somebody waits", THREAD, case(WAITING), among(WAITING), Voice.RELAY),
    ("own open case beside an open one", THREAD, case(OPEN), among(OPEN), Voice.SPEAK),
]


@pytest.mark.parametrize(
    ("changes", "own", "setting", "voice"), [turn[1:] for turn in TURNS], ids=[turn[0] for turn in TURNS]
)
def test_whose_turn_it_is(changes: dict[str, Any], own: Case | None, setting: Setting, voice: Voice) -> None:
    assert whose_turn(message(**changes), own, setting) is voice


@pytest.mark.parametrize("place", list(Place))
@pytest.mark.parametrize("status", [WAITING, CLAIMED])
@pytest.mark.parametrize("mention", [False, True])
def test_the_bot_never_speaks_in_a_case_that_a_person_has(place: Place, status: Status, mention: bool) -> None:
    for setting in (Setting(), SUPPORT, among(OPEN), among(CLAIMED)):
        voice = whose_turn(message(place=place, mention=mention, **THREAD), case(status), setting)
        assert voice is Voice.RELAY


# ---- which conversation ----------------------------------------------------------------------------------------


def test_a_message_names_its_thread_or_the_one_it_would_start() -> None:
    assert conversation_of(message("2.2")) == "T1:C1:2.2"
    assert conversation_of(message("2.2", thread_ts="1.1")) == "T1:C1:1.1"


@pytest.mark.parametrize(
    ("status", "later", "same"),
    [
        (OPEN, 0.0, True),
        (OPEN, DM_JOINS_WITHIN - 1, True),
        (OPEN, DM_JOINS_WITHIN, False),
        (OPEN, 86_400.0, False),
        (OPEN, -5.0, True),
        (RESOLVED, DM_JOINS_WITHIN, False),
        (WAITING, 86_400.0, True),
        (CLAIMED, 86_400.0, True),
    ],
)
def test_a_direct_message_joins_the_latest_conversation_within_the_hour_or_while_a_person_has_it(
    status: Status, later: float, same: bool
) -> None:
    assert joins(message(FakeClock().ts(later), **DM), case(status)) is same


@pytest.mark.parametrize(("age", "late"), [(0.0, False), (LATE_AFTER, False), (LATE_AFTER + 1, True), (-60.0, False)])
def test_what_is_older_than_half_an_hour_is_late(age: float, late: bool) -> None:
    assert is_late(message(), START + timedelta(seconds=age)) is late
