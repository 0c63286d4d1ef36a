"""The rules of redaction: what holds for every text. Single cases are in tests/security/test_redaction_table.py."""

from __future__ import annotations

import copy
import pickle
import re
import time
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum import iban, luhn

from bot.domain.redaction import Finding, Redacted, redact, redacted, stored
from bot.domain.redaction_cards import find_cards

MARKER = re.compile(r"\[(?:key|bank account number|card number|expiry date|security code) removed\]")

seeded = settings(derandomize=True, max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# ---- generators ------------------------------------------------------------------------------------------------

# Written down again rather than imported: the module's table is what is tested.
ISSUED = [
    *[("4", length) for length in (16, 18, 19)],
    *[(prefix, 16) for prefix in ("51", "55", "2221", "2500", "2720", "8100", "9792", "2205", "8600", "9860")],
    *[(prefix, 15) for prefix in ("34", "37")],
    *[(prefix, 14) for prefix in ("300", "305", "36", "38", "39")],
    *[
        (prefix, length)
        for prefix in ("6011", "644", "65", "3528", "3589", "62", "2200", "2204")
        for length in (16, 19)
    ],
    *[(prefix, length) for prefix in ("5018", "6304", "6759", "6762") for length in (12, 13, 16, 19)],
    *[(prefix, 16) for prefix in ("508500", "606985", "652150", "506699", "636297", "650031", "606282", "501900")],
]
ZEROS = "0\uff10\u0660\u06f0\u0966\u09e6\u0e50\U0001d7ce\U0001d7d8"  # the zeros of several scripts
HIDDEN = ["", "", "", "\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202d", "\u2066", "\u0336", "\ufe0f\u20e3"]
SEPARATORS = [
    *" -./_,:;|\n\t\u00a0\u2009\u3000\u2014\u2022*~`#=+",
    "&nbsp;",
    "&amp;nbsp;",
    "%20",
    "%C2%A0",
    "\\n",
    "<br>",
]


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    prefix, length = draw(st.sampled_from(ISSUED))
    body = prefix + "".join(draw(st.lists(st.sampled_from("0123456789"), min_size=19, max_size=19)))
    body = body[: length - 1]
    return body + luhn.calc_check_digit(body)


def digit_writings(digit: str) -> list[str]:
    value = int(digit)
    return [
        *[chr(ord(zero) + value) for zero in ZEROS],
        f"&#{48 + value};",
        f"&amp;#{48 + value};",
        f"%3{value}",
        f"\\u003{value}",
    ]


@st.composite
def written_cards(draw: st.DrawFn) -> str:
    """A card number in some writing: any script, hidden characters, up to three separators between two digits."""
    number = draw(card_numbers())
    plain = draw(st.booleans())
    parts: list[str] = []
    for place, digit in enumerate(number):
        parts.append(digit if plain else draw(st.sampled_from(digit_writings(digit))))
        if place < len(number) - 1:
            parts.append(draw(st.sampled_from(HIDDEN)))
            parts += draw(st.lists(st.sampled_from(SEPARATORS), max_size=3)) if draw(st.integers(0, 3)) == 0 else []
    return "".join(parts)


WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FRAGMENTS = [
    *"0123456789 -./:_*|<>[]()%&;\\\n\0\u200b\ud800\uff14\u56db",
    *["4242424242424242", "4242 4242 ", "12/27", "cvc", " is ", "code", "123", "four ", "two ", "double ", "pin "],
    *["DE89", "370400440532013000", "sk_live_", "abcdefgh1234", "eyJ", "xoxb-", "password: ", "://", "@", "Bearer "],
    *["-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "[card number removed]", "[key removed]"],
    *["<tel:", "&#52;", "&amp;", "%34", "%25", "\\u0034", "exp ", "removed", "security code "],
]
rough_texts = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)
any_texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)

# ---- rules -----------------------------------------------------------------------------------------------------


@seeded
@given(written_cards())
def test_a_card_number_in_any_writing_disappears_whole(written: str) -> None:
    assert redact(f"pay with {written} please").text == "pay with [card number removed] please"


@seeded
@given(card_numbers(), st.sampled_from([" ", "-", ", ", " - ", "\n", ": :"]))
def test_a_card_number_spelled_out_disappears(number: str, separator: str) -> None:
    spelled = separator.join(WORDS[int(digit)] for digit in number)
    assert redact(f"it is {spelled}, thanks").text == "it is [card number removed], thanks"


@seeded
@given(st.lists(card_numbers(), min_size=2, max_size=4), st.sampled_from([" ", ", ", "\n", " / ", " and "]))
def test_of_several_cards_in_a_row_no_digit_stays(numbers: list[str], separator: str) -> None:
    assert not re.search("[0-9]", redact(separator.join(numbers)).text)


@seeded
@given(card_numbers(), st.sampled_from(["12/27 123", "1227 123", "12/2027, 123", "|12|27|123", "exp 12/27 cvc 123"]))
def test_expiry_and_code_beside_a_card_disappear(number: str, beside: str) -> None:
    assert not re.search("[0-9]", redact(f"{number} {beside}").text)


@seeded
@given(st.sampled_from(["DE", "GB", "FR", "NO", "ES", "NL"]), st.data())
def test_a_valid_iban_in_any_spacing_disappears(country: str, data: st.DataObject) -> None:
    letters = {"GB": "WEST", "NL": "ABNA"}.get(country, "")
    length = {"DE": 18, "GB": 14, "FR": 23, "NO": 11, "ES": 20, "NL": 10}[country]
    bban = letters + "".join(data.draw(st.lists(st.sampled_from("0123456789"), min_size=length, max_size=length)))
    number = country + iban.calc_check_digits(f"{country}00{bban}") + bban
    written = "".join(char + data.draw(st.sampled_from(["", "", " ", "-", "\u200b", " - "])) for char in number).rstrip(
        " -"
    )
    redaction = redact(f"to {written.lower()} today")
    assert not re.search("[0-9]", redaction.text)
    assert Finding.IBAN in redaction.found


@seeded
@given(st.one_of(rough_texts, any_texts))
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text).text
    assert redact(once).text == once
    assert redact(once).found == frozenset()


@seeded
@given(st.one_of(rough_texts, any_texts))
def test_what_remains_is_the_text_itself_and_can_be_stored(text: str) -> None:
    remains = redact(text).text
    remains.encode()
    assert "\0" not in remains
    original, place = re.sub("[\0\ud800-\udfff]", "\ufffd", text), 0
    for part in MARKER.split(remains):
        found = original.find(part, place)
        assert found >= 0
        place = found + len(part)


@seeded
@given(st.text(max_size=300).filter(lambda text: not any(unicodedata.numeric(char, -1) >= 0 for char in text)))
def test_text_without_digits_or_keys_stays(text: str) -> None:
    text = text.replace("\0", "")
    assert redact(text).text == text


@seeded
@given(st.integers(0, 10**19).map(str))
def test_a_bare_number_goes_only_if_luhn_and_an_issuer_agree(number: str) -> None:
    if redact(number).found:
        assert any(luhn.is_valid(number[:size]) for size in range(12, 20))
        assert number[0] in "2345689"


def test_numbers_that_fail_luhn_stay() -> None:
    for digit in "013456789":
        assert redact(f"424242424242424{digit}").found == frozenset()


@pytest.mark.parametrize("body", ["4242424242424", "55555555555555", "22230031220032", "3782822463100", "601111111111"])
def test_numbers_of_a_length_that_their_issuer_does_not_use_stay(body: str) -> None:
    number = body + luhn.calc_check_digit(body)
    assert luhn.is_valid(number)
    assert redact(number).found == frozenset()


def test_lone_surrogates_and_nuls_become_replacement_characters() -> None:
    assert redact("a\0b\ud800c\udfff").text == "a\ufffdb\ufffdc\ufffd"


def test_a_number_split_over_two_messages_is_out_of_scope() -> None:
    assert not redact("4242 4242").found | redact("4242 4242").found


# ---- work ------------------------------------------------------------------------------------------------------

HOSTILE = [
    *[
        "1",
        "4",
        "4 ",
        "42 ",
        "4242424242424242",
        "4242 ",
        "4242424242424242 ",
        "4-x",
        "\\",
        "%",
        "&",
        "<",
        "<a|",
        "&#52;",
        "%34",
        "four ",
    ],
    *["eyJ", "eyJaaaaaaaa.", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "sk-", "password:", "token=abc1,", "://a:"],
    *["DE89", "LC12ABCD", "cvc is the ", "cvc 123 ", "exp ", "12/27 ", "$1 ", "+1 ", "\u200b", "4\0", "\ufdfa", "*"],
]


def seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("unit", HOSTILE)
def test_work_grows_with_the_length_and_not_with_its_square(unit: str) -> None:
    small, large = ((unit * size)[:size] for size in (2_500, 40_000))
    # 16 times the text: a linear scan takes about 16 times as long, a quadratic one 256 times.
    assert seconds(lambda: redact(large)) < 64 * seconds(lambda: redact(small)) + 0.02


def test_windows_of_a_long_run_of_digits_are_few() -> None:
    assert len(find_cards("4 " * 2_000)) <= 4 * 2_000
    assert find_cards("1" * 40_000) == []


# ---- the type --------------------------------------------------------------------------------------------------


def test_redacted_text_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError, match="never directly"):
        Redacted("4242424242424242")
    with pytest.raises(TypeError, match="never directly"):
        Redacted("x", token=object())
    with pytest.raises(TypeError, match="subclassed"):
        type("Sneaky", (Redacted,), {})


def test_redacted_text_survives_copies_and_pickles() -> None:
    text = redacted("card 4242424242424242")
    for twin in (copy.copy(text), copy.deepcopy(text), pickle.loads(pickle.dumps(text))):  # noqa: S301  our own
        assert type(twin) is Redacted
        assert twin == text


def test_what_is_derived_from_redacted_text_is_plain_again() -> None:
    text = redacted("42424242") + redacted("42424242")
    assert type(text) is str
    assert redact(text).found == {Finding.CARD}


def test_stored_text_is_taken_as_it_is() -> None:
    assert stored("anything") == "anything"
    assert type(stored("anything")) is Redacted
