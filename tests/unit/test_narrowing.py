"""What a question names, and which facts fit it: never one that was not found before."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.lookups import Facts
from bot.domain.narrowing import Asked, asked, narrowed, picked
from bot.domain.narrowing_days import days_in
from bot.domain.redaction import redacted
from tests.fakes.facts import (
    FACTS,
    NOW,
    QUESTIONS,
    ago,
    dispute,
    facts,
    failed,
    ids,
    invoice,
    payment,
    refund,
    subscription,
    usd,
)

seeded = settings(derandomize=True, max_examples=200, deadline=None)
TODAY = date(2026, 5, 14)


def read(question: str, zone: str = "UTC", now: datetime = NOW) -> Asked:
    return asked(redacted(question), now, ZoneInfo(zone))


def day(month: int, number: int, year: int = 2026) -> date:
    return date(year, month, number)


# ---- what is named ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "where is re_3abcXYZ1",
        "(re_3abcXYZ1)",
        "_re_3abcXYZ1_",
        "`re_3abcXYZ1`",
        "re_3abcXYZ1, please",
        "id:re_3abcXYZ1.",
    ],
)
def test_an_id_is_found_whatever_stands_around_it(text: str) -> None:
    assert read(text).ids == {"re_3abcXYZ1"}


def test_every_kind_of_id_is_found_and_words_with_underscores_are_not() -> None:
    text = "ch_1a py_1a pi_1a re_1a in_1a sub_1a dp_1a du_1a pyr_1a; in_progress, re_try, sub_total, search_1a"
    assert read(text).ids == {"ch_1a", "py_1a", "pi_1a", "re_1a", "in_1a", "sub_1a", "dp_1a", "du_1a", "pyr_1a"}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("invoice ABCD1234-0007 please", {"abcd1234-0007"}),
        ("inv-0042", {"inv-0042"}),
        ("ACME-2026-0007", {"acme-2026-0007"}),
        ("invoice number 2026-0007", {"2026-0007"}),
        ("call 555-1234", set()),
        ("my visa-4242", set()),
        ("2026-05-03", set()),
    ],
)
def test_invoice_numbers_are_told_from_other_numbers(text: str, numbers: set[str]) -> None:
    assert read(text).numbers == numbers


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("the 49 on Tuesday", "49", None),
        ("$49.00", "49", "usd"),
        ("US$ 49", "49", "usd"),
        ("49,90 €", "49.90", "eur"),
        ("€49.90", "49.90", "eur"),
        ("1.234,56", "1234.56", None),
        ("1,234.56", "1234.56", None),
        ("1 234,56 kr", "1234.56", "sek"),
        ("1\u202f234,56\u00a0€", "1234.56", "eur"),
        ("CHF 1’234.50", "1234.50", "chf"),
        ("₹1,23,456.00", "123456", "inr"),
        ("KWD1.234", "1.234", "kwd"),
        ("1.234 EUR", "1234", "eur"),
        ("-$49.00", "49", "usd"),
        ("49 dollars", "49", "usd"),
        ("99 cents", "0.99", "usd"),
        ("￥1,000", "1000", "jpy"),
        ("1.000.000 VND", "1000000", "vnd"),
    ],
)
def test_amounts_are_read_in_the_ways_of_several_countries(text: str, value: str, currency: str | None) -> None:
    (amount,) = read(text).amounts
    assert Decimal(value) in amount.values
    assert currency is None or currency in amount.currencies


@pytest.mark.parametrize(
    "text",
    [
        "charged 2 times",
        "it has been 10 days",
        "5 to 10 business days",
        "for 4 seats",
        "visa 4242",
        "card ending in 4242",
        "at 10:30",
        "12%",
        "order number 77123",
        "ch_49",
        "version 1.2.3.4",
        "2026-05-03",
    ],
)
def test_numbers_that_are_no_amounts_are_left_alone(text: str) -> None:
    assert [amount for amount in read(text).amounts if amount.said != "5"] == []


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("yesterday", day(5, 13), day(5, 13)),
        ("the day before yesterday", day(5, 12), day(5, 12)),
        ("today", TODAY, TODAY),
        ("on Tuesday", day(5, 12), day(5, 12)),
        ("on fri", day(5, 8), day(5, 8)),
        ("3 May", day(5, 3), day(5, 3)),
        ("3rd of May", day(5, 3), day(5, 3)),
        ("May 3, 2025", day(5, 3, 2025), day(5, 3, 2025)),
        ("20 december", day(12, 20, 2025), day(12, 20, 2025)),
        ("29 february", day(2, 29, 2024), day(2, 29, 2024)),
        ("2026-05-03", day(5, 3), day(5, 3)),
        ("03.05.2026", day(5, 3), day(5, 3)),
        ("13/4/26", day(4, 13), day(4, 13)),
        ("on the 3rd", day(5, 3), day(5, 3)),
        ("on the 20th", day(4, 20), day(4, 20)),
        ("last March", day(3, 1), day(3, 31)),
        ("last May", day(5, 1, 2025), day(5, 31, 2025)),
        ("in May", day(5, 1), day(5, 31)),
        ("in June", day(6, 1, 2025), day(6, 30, 2025)),
        ("March 2025", day(3, 1, 2025), day(3, 31, 2025)),
        ("last month", day(4, 1), day(4, 30)),
        ("last week", day(5, 4), day(5, 10)),
        ("this year", day(1, 1), day(12, 31)),
        ("3 days ago", day(5, 11), day(5, 11)),
        ("two weeks ago", day(4, 29), day(5, 1)),
        ("between 3 May and 10 May", day(5, 3), day(5, 10)),
        ("from March 3 to March 9", day(3, 3), day(3, 9)),
    ],
)
def test_days_are_the_last_ones_that_came(text: str, first: date, last: date) -> None:
    (days,) = read(text).days
    assert (days.first, days.last, days.sure) == (first, last, True)


@pytest.mark.parametrize("text", ["03/05/2026", "on 3/5"])
def test_a_day_that_two_countries_write_alike_is_read_in_both_ways(text: str) -> None:
    assert {days.first for days in read(text).days} >= {day(5, 3), day(3, 5)}


@pytest.mark.parametrize("text", ["since Monday", "before 3 May", "the last 10 days", "since last March"])
def test_how_long_somebody_waits_is_not_sure_to_be_the_day(text: str) -> None:
    assert [days.sure for days in read(text).days] == [False]


@pytest.mark.parametrize("text", ["may I ask", "next Friday", "31 February", "we march on", "sat down", "24/7", "9/10"])
def test_words_that_only_look_like_days_are_none(text: str) -> None:
    assert read(text).days == ()


def test_yesterday_is_the_askers_yesterday() -> None:
    late = datetime(2026, 5, 14, 23, 30, tzinfo=UTC)
    assert read("yesterday", "Asia/Tokyo", late).days[0].first == day(5, 14)
    assert read("yesterday", "America/New_York", late).days[0].first == day(5, 13)


MIXED = [
    "3",
    "May",
    "2026-05",
    "last",
    "on",
    "the",
    "since",
    "March",
    "49",
    "€",
    "$",
    ".",
    "99999",
    "days",
    "ago",
    "31",
]


@seeded
@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    read(text)


@seeded
@given(
    st.lists(
        st.sampled_from(MIXED),
        max_size=20,
    )
)
def test_any_mix_of_what_is_looked_for_can_be_read(words: list[str]) -> None:
    text = " ".join(words)
    read(text)
    _, rest = days_in(text, TODAY)
    assert len(rest) == len(text)


# ---- which facts fit -------------------------------------------------------------------------------------------

KNOWN = facts(
    payment("ch_1", usd(4900), ago(2), intent="pi_1"),
    payment("ch_2", usd(2500), ago(40), description="Payment for invoice ABCD1234-0001"),
    failed("ch_3", money=usd(9900), at=ago(2)),
    refund("re_1", usd(2000), ago(1), payment="ch_1"),
    invoice("in_1", "ABCD1234-0001", ago(40)),
    subscription("sub_1"),
    dispute("dp_1", ago(1), payment="ch_2"),
)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("re_1", {"re_1", "ch_1"}),
        ("ch_1", {"re_1", "ch_1"}),
        ("what of pi_1", {"re_1", "ch_1"}),
        ("dp_1", {"dp_1", "ch_2"}),
        ("sub_1", {"sub_1"}),
        ("ABCD1234-0001", {"in_1", "ch_2", "dp_1"}),
        ("abcd1234-0002", set()),
        ("$49.00", {"ch_1", "re_1", "in_1", "dp_1", "sub_1"}),
        ("the 25 of my plan", {"ch_2", "dp_1", "sub_1"}),
        ("the 99 on Tuesday", {"ch_3", "sub_1"}),
        ("on Tuesday", {"ch_1", "ch_3", "re_1", "sub_1"}),
        ("€49.00", {"sub_1"}),
        ("$77.00", {"sub_1"}),
        ("in January 2020", {"sub_1"}),
        ("I have 77 reasons", ids(KNOWN)),
        ("where is my refund", ids(KNOWN)),
        ("ch_somebodyelse99", set()),
        ("cus_ana1", ids(KNOWN)),
        ("I am the owner of cus_ben1", set()),
    ],
)
def test_a_question_narrows_what_was_found(question: str, expected: set[str]) -> None:
    assert ids(narrowed(KNOWN, read(question)).facts) == expected


def test_since_when_somebody_waits_narrows_only_where_it_fits_something() -> None:
    assert ids(narrowed(KNOWN, read("waiting since today")).facts) == ids(KNOWN)
    assert ids(narrowed(KNOWN, read("since Monday")).facts) == {"ch_1", "ch_3", "re_1", "dp_1", "sub_1"}


def test_a_day_that_the_bank_shows_finds_the_payment_of_the_days_before_and_says_so() -> None:
    old = facts(payment("ch_1", at=datetime(2026, 5, 1, 12, tzinfo=UTC)))
    exact, near, far = (narrowed(old, read(text)) for text in ("1 May", "3 May", "6 May"))
    assert (ids(exact.facts), exact.near) == ({"ch_1"}, False)
    assert (ids(near.facts), near.near) == ({"ch_1"}, True)
    assert (ids(far.facts), far.near) == (set(), False)


def test_a_day_is_the_day_in_the_askers_zone() -> None:
    midnight = facts(payment("ch_1", at=datetime(2026, 5, 3, 23, 30, tzinfo=UTC)))
    assert narrowed(midnight, read("4 May", "Europe/Berlin")).near is False
    assert narrowed(midnight, read("3 May", "America/New_York")).near is False
    assert narrowed(midnight, read("4 May", "UTC")).near is True


def test_who_picked_one_of_several_named_it() -> None:
    assert ids(narrowed(KNOWN, picked("re_1", UTC)).facts) == {"re_1", "ch_1"}


def test_what_narrowed_nothing_is_not_said_to_have_been_searched_for() -> None:
    assert narrowed(KNOWN, read("I have 77 reasons")).fit.nothing
    assert not narrowed(KNOWN, read("$77.00")).fit.nothing


@seeded
@given(FACTS, QUESTIONS)
def test_narrowing_never_adds_a_fact(known: Facts, question: str) -> None:
    left = narrowed(known, read(question)).facts
    for name in ("payments", "refunds", "invoices", "subscriptions", "disputes"):
        before, after = getattr(known, name), getattr(left, name)
        assert after.complete == before.complete
        assert all(fact in before.facts for fact in after.facts)
