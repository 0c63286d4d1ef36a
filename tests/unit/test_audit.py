"""The chain of the audit log: what fits, what is found, what may not stand in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.audit import AuditRow, Entry, Head, chained, digest, first_broken

AT = datetime(2026, 3, 2, 9, 0, 0, 250, tzinfo=UTC)
CHANGES: dict[str, Any] = {
    "at": "2026-03-02T09:00:00.000251+00:00",
    "who": "T1:U1BEN",
    "for_whom": "T1:U1BEN",
    "rule": "code",
    "kind": "payments",
    "objects": "[]",
    "count": 3,
    "outcome": "none",
    "duration_ms": 13,
    "hash": "0" * 64,
}


def entry(number: int = 1, **changes: Any) -> Entry:
    made = Entry(AT, "T1:U1ANA", "T1:U1ANA", "link", "refunds", (f"re_{number}", "ch_2"), 2, "found", 12)
    return replace(made, **changes)


def chain(length: int) -> list[AuditRow]:
    rows: list[AuditRow] = []
    head = Head()
    for number in range(1, length + 1):
        rows.append(chained(entry(number), head))
        head = Head(number, rows[-1].hash)
    return rows


def end_of(rows: list[AuditRow]) -> Head:
    return Head(rows[-1].number, rows[-1].hash) if rows else Head()


def test_rows_that_nobody_touched_fit() -> None:
    for length in (0, 1, 7):
        rows = chain(length)
        assert first_broken(rows) is None
        assert first_broken(rows, end_of(rows)) is None
        assert [row.number for row in rows] == list(range(1, length + 1))


def test_the_same_content_gets_another_hash_in_another_place() -> None:
    first = chained(entry(), Head())
    assert chained(entry(), Head(1, first.hash)).hash != first.hash


@pytest.mark.parametrize("column", CHANGES)
@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_row_altered_in_any_column_is_named(column: str, number: int) -> None:
    rows = chain(5)
    rows[number - 1] = replace(rows[number - 1], **{column: CHANGES[column]})

    assert first_broken(rows) == number


def test_a_row_altered_together_with_its_hash_breaks_the_next_one() -> None:
    rows = chain(5)
    forged = replace(rows[2], outcome="none")
    rows[2] = replace(forged, hash=digest(forged, rows[1].hash))

    assert first_broken(rows) == 4


def test_an_altered_last_row_is_found_by_where_the_chain_should_end() -> None:
    rows = chain(3)
    end = end_of(rows)
    forged = replace(rows[2], outcome="none")
    rows[2] = replace(forged, hash=digest(forged, rows[1].hash))

    assert first_broken(rows, end) == 3


@given(st.integers(2, 8), st.data())
def test_a_row_taken_out_is_named(length: int, data: st.DataObject) -> None:
    rows = chain(length)
    end = end_of(rows)
    gone = data.draw(st.integers(0, length - 1))
    del rows[gone]

    assert first_broken(rows, end) == gone + 1


@given(st.permutations(range(6)))
def test_rows_in_another_order_are_found(order: list[int]) -> None:
    rows = chain(6)
    contents = [replace(rows[place], number=number) for number, place in enumerate(order, 1)]
    moved = next((number for number, place in enumerate(order, 1) if place != number - 1), None)

    assert first_broken(contents) == moved
    assert first_broken([rows[place] for place in order]) == moved


def test_values_of_another_type_are_found_and_no_error() -> None:
    for odd in (b"\xff", None, 1.5, float("nan"), ["re_1"], "ü\ud800"):
        rows = chain(3)
        rows[1] = replace(rows[1], objects=odd)  # type: ignore[arg-type]
        assert first_broken(rows) == 2


def test_a_time_is_kept_in_utc_to_the_microsecond() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=9)))

    assert chained(entry(at=elsewhere), Head()) == chained(entry(), Head())
    assert chained(entry(), Head()).at == "2026-03-02T09:00:00.000250+00:00"
    with pytest.raises(ValueError, match="zone"):
        chained(entry(at=AT.replace(tzinfo=None)), Head())


@pytest.mark.parametrize("who", ["Ana", "Ana Alvarez", "ana@example.com", "", "T1:", "@U1ANA", "T1:U1ANA\n"])
def test_names_and_addresses_of_people_are_refused(who: str) -> None:
    refused: list[dict[str, Any]] = [{"who": who}, {"for_whom": who}]
    for changes in refused:
        with pytest.raises(ValueError, match="Slack ids"):
            chained(entry(**changes), Head())


@pytest.mark.parametrize("word", ["49.00", "49 eur", "found 49", "Refunds", "", "a" * 41, "found\n"])
def test_amounts_and_sentences_are_refused(word: str) -> None:
    refused: list[dict[str, Any]] = [{"rule": word}, {"kind": word}, {"outcome": word}]
    for changes in refused:
        with pytest.raises(ValueError, match="plain words"):
            chained(entry(**changes), Head())


@given(st.text(max_size=40))
def test_an_object_that_is_no_id_is_kept_as_a_hash(text: str) -> None:
    for odd in (f"{text}@example.com", f"Ana {text}", f"4900{text}"):
        row = chained(entry(objects=(odd, "re_1")), Head())
        assert row.objects.startswith('["hash_')
        assert odd not in row.objects
        assert row.objects.endswith('", "re_1"]')
        assert first_broken([row]) is None
