"""Amounts and days as a customer reads them: amounts in the manner of their locale, days in their time zone.

How many decimals an amount has is `Money`'s word (Stripe's table); the pattern and the currency's sign are Babel's.
What is said around them is English, so months are too, in the order that an English locale has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import localcontext
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, get_timezone_name
from babel.numbers import NumberPattern, parse_pattern

from bot.domain.days import Days, day_of
from bot.domain.money import Money

_FALLBACK: Final = Locale("en", "US")
_ENGLISH: Final = Locale("en", "GB")
_DIGITS: Final = 400
"""Of precision: more than any amount has, so that none is rounded."""
_ISOLATED: Final = "\u2068{}\u2069"
"""Keeps an amount that is written from right to left apart from the English around it."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: how amounts look to them, and where their days begin."""

    locale: Locale
    zone: tzinfo


def reader_of(locale: str | None, zone: str | None) -> Reader:
    """A reader by what Slack says of them ("de-DE", "Europe/Berlin"); US English and UTC for what is not known."""
    return Reader(_locale(locale), _zone(zone))


def format_money(money: Money, locale: Locale) -> str:
    """Such as `$1,234.50` or `1.234,50 €`, exact."""
    with localcontext() as context:
        context.prec = _DIGITS
        # Babel takes its own table of decimals, unless it is told to leave them to the pattern.
        shown = _pattern(locale, money.decimals).apply(
            money.decimal, locale, currency=money.currency.upper(), currency_digits=False
        )
    return _ISOLATED.format(shown) if locale.text_direction == "rtl" else shown


def plain_money(money: Money) -> str:
    """Such as `1234.50 USD`: for specialists, whatever their locale."""
    with localcontext() as context:
        context.prec = _DIGITS
        return f"{money.decimal:.{money.decimals}f} {money.currency.upper()}"


def format_day(moment: datetime, reader: Reader) -> str:
    """The day of a moment in the reader's zone, such as `3 May 2026`."""
    return _day(day_of(moment, reader.zone), reader.locale)


def format_days(days: Days, reader: Reader) -> str:
    """Such as `3 May 2026`, or `between 3 May 2026 and 10 May 2026`."""
    last = _day(days.last, reader.locale)
    if days.one:
        return last
    if days.first.year < 1900:  # "before Friday" has no first day
        return f"up to {last}"
    return f"between {_day(days.first, reader.locale)} and {last}"


def zone_named(reader: Reader) -> str:
    """Such as `Central European Time`; the zone's id where it has no such name."""
    if not isinstance(reader.zone, ZoneInfo) or reader.zone.key in ("UTC", "Etc/UTC"):
        return "UTC"
    name = get_timezone_name(reader.zone, locale=_ENGLISH)
    return reader.zone.key if "(" in name or "Unknown" in name else name


# ---- parts -----------------------------------------------------------------------------------------------------


def _locale(name: str | None) -> Locale:
    try:
        return Locale.parse((name or "").replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        return _FALLBACK


def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder's name is an OSError
        return UTC


@cache
def _pattern(locale: Locale, decimals: int) -> NumberPattern:
    """The locale's pattern for money with so many decimals. Ours to change: Babel shares its own."""
    pattern = parse_pattern(locale.currency_formats["standard"].pattern)
    pattern.frac_prec = (decimals, decimals)
    return pattern


def _day(day: date, locale: Locale) -> str:
    return format_date(day, "long", locale=locale if locale.language == "en" else _ENGLISH)
