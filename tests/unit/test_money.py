"""Money: Stripe's exponents, and amounts and days as a customer reads them."""

from __future__ import annotations

import unicodedata
import warnings
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.days import Days, business_days_after
from bot.domain.money import NO_DECIMALS, THREE_DECIMALS, Money
from bot.domain.narrowing_amounts import amounts_in
from bot.services.money_words import format_day, format_days, format_money, plain_money, reader_of, zone_named

seeded = settings(derandomize=True, max_examples=200, deadline=None)
LOCALES = ("en-US", "en-GB", "en-IN", "de-DE", "de-CH", "fr-FR", "sv-SE", "pt-BR", "ja-JP", "hi-IN", "pl-PL", "es-ES")
READABLE = ("usd", "eur", "gbp", "jpy", "kwd", "isk", "huf", "chf", "sek", "inr", "krw", "bhd", "ugx", "twd", "vnd")
CODES = st.sampled_from(READABLE)
AMOUNTS = st.integers(-(10**15), 10**15)


def shown(amount: int, currency: str, locale: str = "en-US") -> str:
    return format_money(Money(amount, currency), reader_of(locale, None).locale)


@pytest.mark.parametrize("code", ["", "us", "USD", "usdt", "us1", "€"])
def test_what_is_no_currency_code_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="no currency code"):
        Money(1, code)


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "text"),
    [
        (4900, "usd", "en-US", "$49.00"),
        (4990, "eur", "de-DE", "49,90\u00a0€"),
        (123456, "eur", "fr-FR", "1\u202f234,56\u00a0€"),
        (1000, "jpy", "ja-JP", "￥1,000"),
        (1000, "jpy", "en-US", "¥1,000"),
        (1234, "kwd", "en-US", "KWD\u00a01.234"),
        (0, "usd", "en-US", "$0.00"),
        (-500, "eur", "en-US", "-€5.00"),
        (5, "usd", "en-US", "$0.05"),
        (100, "ugx", "en-US", "UGX\u00a01"),
        (150, "isk", "en-US", "ISK\u00a01.50"),
        (10**15, "usd", "en-US", "$10,000,000,000,000.00"),
        (10**30 + 1, "usd", "en-US", f"${10**28:,}.01"),
        (4900, "usd", "xx-YY", "$49.00"),
    ],
)
def test_amounts_have_the_providers_decimals_in_the_manner_of_the_locale(
    amount: int, currency: str, locale: str, text: str
) -> None:
    # CLDR's releases differ in the space between a code and its number.
    assert shown(amount, currency, locale).replace("\u00a0", "") == text.replace("\u00a0", "")


def test_an_amount_written_from_right_to_left_is_kept_apart_from_the_english_around_it() -> None:
    text = shown(4900, "usd", "ar-EG")
    assert (text[0], text[-1]) == ("\u2068", "\u2069")


@seeded
@given(AMOUNTS, CODES, st.sampled_from(LOCALES))
def test_an_amount_that_was_formatted_is_read_again_as_the_same(amount: int, currency: str, locale: str) -> None:
    money = Money(amount, currency)
    text = unicodedata.normalize("NFKC", shown(amount, currency, locale))
    found = list(amounts_in(text))
    assert len(found) == 1
    assert abs(money.decimal) in found[0].values
    assert (amount < 0) == any(sign in text for sign in "-−")


@seeded
@given(st.integers(-(10**20), 10**20), st.sampled_from([*NO_DECIMALS, *THREE_DECIMALS, "usd", "isk", "huf", "zzz"]))
def test_no_digit_is_lost_whatever_the_amount(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    digits = str(abs(amount)) if money.decimals == money.exponent else str(abs(amount) // 100)
    for text in (plain_money(money), shown(amount, currency, "en-US"), shown(amount, currency, "de-DE")):
        assert "".join(char for char in text if char.isdigit()).lstrip("0") == digits.lstrip("0")


@pytest.mark.parametrize("locale", [None, "", "xx", "../x", "de_DE", "de-DE-u-co-phonebk", "en-", "e" * 500, "C"])
@pytest.mark.parametrize("zone", [None, "", "nope", "../etc/passwd", "America", "Europe/Berlin", "x" * 500, "a\0b"])
def test_anything_that_slack_says_of_locale_and_zone_gives_a_reader(locale: str | None, zone: str | None) -> None:
    reader = reader_of(locale, zone)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert format_money(Money(1, "usd"), reader.locale)
        assert format_day(datetime(2026, 5, 3, tzinfo=UTC), reader)
        assert zone_named(reader)


@pytest.mark.parametrize(
    ("locale", "zone", "text"),
    [
        ("en-US", "Europe/Berlin", "May 4, 2026"),
        ("en-GB", "Europe/Berlin", "4 May 2026"),
        ("de-DE", "Europe/Berlin", "4 May 2026"),
        ("en-GB", "America/New_York", "3 May 2026"),
        ("en-GB", None, "3 May 2026"),
    ],
)
def test_a_day_is_the_readers_day_in_english(locale: str, zone: str | None, text: str) -> None:
    assert format_day(datetime(2026, 5, 3, 23, 30, tzinfo=UTC), reader_of(locale, zone)) == text


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Europe/Berlin", "Central European Time"),
        ("America/New_York", "Eastern Time"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("UTC", "UTC"),
        (None, "UTC"),
        ("nope", "UTC"),
    ],
)
def test_the_zone_is_named(zone: str | None, name: str) -> None:
    assert zone_named(reader_of(None, zone)) == name


def test_several_days_are_named_by_their_first_and_last() -> None:
    reader = reader_of("en-GB", None)
    assert format_days(Days(date(2026, 5, 3), date(2026, 5, 3)), reader) == "3 May 2026"
    assert format_days(Days(date(2026, 5, 3), date(2026, 5, 9)), reader) == "between 3 May 2026 and 9 May 2026"
    assert format_days(Days(date.min, date(2026, 5, 9)), reader) == "up to 9 May 2026"


@pytest.mark.parametrize(
    ("start", "number", "end"),
    [
        (date(2026, 5, 14), 0, date(2026, 5, 14)),
        (date(2026, 5, 14), 1, date(2026, 5, 15)),
        (date(2026, 5, 15), 1, date(2026, 5, 18)),
        (date(2026, 5, 15), 5, date(2026, 5, 22)),
        (date(2026, 5, 16), 5, date(2026, 5, 22)),
        (date(2026, 5, 14), 10, date(2026, 5, 28)),
    ],
)
def test_business_days_leave_out_weekends(start: date, number: int, end: date) -> None:
    assert business_days_after(start, number) == end


def test_the_exponents_are_stripes() -> None:
    """docs.stripe.com/currencies; ISK and UGX come with two decimals that are always zero."""
    assert {code.upper() for code in NO_DECIMALS} == set(
        "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()  # noqa: SIM905 - read as a table
    )
    assert {code.upper() for code in THREE_DECIMALS} == {"BHD", "JOD", "KWD", "OMR", "TND"}
    assert [Money(1, code).exponent for code in ("isk", "ugx", "huf", "twd", "usd", "zzz")] == [2] * 6
