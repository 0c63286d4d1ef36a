"""Days in what people write: "on Tuesday", "3 May", "last March", "2026-05-03", "two weeks ago".

What they ask about lies behind them, so a day without a year is the last one that came. Where two readings are usual
(03/05/2026, "last Tuesday" on a Thursday) both are given.

Does not interact with any dependencies, only processes data.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

from bot.domain.days import Days

_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS: Final = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_MONTH: Final = "|".join(f"{name[:3]}(?:{name[3:]})?" if name[3:] else name for name in _MONTHS).replace(
    "sep(?:tember)?", "sept?(?:ember)?"
)
_WEEKDAY: Final = "|".join(_WEEKDAYS)
_SHORT_WEEKDAY: Final = "mon|tues?|wed|thur?s?|fri|sat|sun"
_COUNT: Final = rf"[0-9]{{1,3}}|{'|'.join(_NUMBERS)}"
_YEAR: Final = r"(?:19|20)[0-9]{2}"
_TH: Final = r"(?:st|nd|rd|th)"

_Read = Callable[["re.Match[str]", date], list[Days]]


def days_in(text: str, today: date) -> tuple[tuple[Days, ...], str]:
    """The days that a text names, in its order, and the text with them blanked out."""
    found: list[tuple[int, int, list[Days]]] = []
    rest = text
    for pattern, read in _PATTERNS:
        for match in pattern.finditer(rest):
            days = read(match, today)
            if days:
                found.append((_after_which(match), match.end(), days))
                rest = rest[: match.start()] + "\n" * len(match.group()) + rest[match.end() :]
    return tuple(_related(text, sorted(found, key=lambda one: one[0]), today)), rest


def _after_which(match: re.Match[str]) -> int:
    """Where the day itself begins: "since" and "last" before it are words around it."""
    return match.end("which") if match.groupdict().get("which") else match.start()


_SINCE: Final = re.compile(r"\b(?:since|after|starting)(?:\s+(?:on|from|the|last|in))*\s*$", re.IGNORECASE)
_BEFORE: Final = re.compile(r"\b(?:before|until|till|by|prior\s+to)(?:\s+(?:on|the|last|in))*\s*$", re.IGNORECASE)
_AHEAD: Final = re.compile(r"\b(?:next|coming|upcoming)\s*$", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"\b(?:between|from)(?:\s+(?:the|last|this|on))*\s*$", re.IGNORECASE)
_AND: Final = re.compile(r"\s*(?:and|to|until|till|-|–)(?:\s+(?:the|last|this|on))*\s*", re.IGNORECASE)


def _related(text: str, found: list[tuple[int, int, list[Days]]], today: date) -> Iterator[Days]:
    """The days with the words around them: since, before, next, between … and …."""
    at = 0
    while at < len(found):
        start, end, days = found[at]
        following = found[at + 1] if at + 1 < len(found) else None
        at += 1
        near = max(0, start - 40)
        if following and _BETWEEN.search(text, near, start) and _AND.fullmatch(text, end, following[0]):
            at += 1
            yield Days(min(one.first for one in days), max(one.last for one in following[2]))
        elif _AHEAD.search(text, near, start):
            continue
        elif _SINCE.search(text, near, start):
            yield Days(min(one.first for one in days), today, sure=False)
        elif _BEFORE.search(text, near, start):
            yield Days(date.min, max(one.last for one in days), sure=False)
        else:
            yield from days


# ---- parts -----------------------------------------------------------------------------------------------------


def _day(year: int, month: int, day: int) -> list[Days]:
    try:
        found = date(year, month, day)
    except ValueError:
        return []
    return [Days(found, found)]


def _month_number(name: str) -> int:
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(name[:3].lower()))


def _last_day(month: int, day: int, today: date) -> list[Days]:
    """The last such day that came: of the last leap year for 29 February."""
    for year in range(today.year, today.year - 9, -1):
        found = _day(year, month, day)
        if found and found[0].first <= today + timedelta(days=1):
            return found
    return []


def _whole_month(year: int, month: int) -> list[Days]:
    return [Days(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))]


def _dated(year: str | None, month: int, day: str, today: date) -> list[Days]:
    return _day(int(year), month, int(day)) if year else _last_day(month, int(day), today)


def _numeric(match: re.Match[str], today: date) -> list[Days]:
    one, two, mark = int(match["one"]), int(match["two"]), match["mark"]
    year = match["year"]
    full = (int(year) if len(year) == 4 else 2000 + int(year)) if year else None
    readings = [(two, one)] if mark == "." else list(dict.fromkeys([(two, one), (one, two)]))
    found = (_last_day(month, day, today) if full is None else _day(full, month, day) for month, day in readings)
    return [days for several in found for days in several]


def _ago(match: re.Match[str], today: date) -> list[Days]:
    number = _number(match["count"])
    unit = match["unit"].lower()
    length = {"day": 1, "week": 7, "month": 30, "year": 365}[unit]
    slack = {"day": 0, "week": 1, "month": 15, "year": 45}[unit]
    if number * length > 9000:
        return []
    then = today - timedelta(days=number * length)
    return [Days(then - timedelta(days=slack), then + timedelta(days=slack))]


def _back(match: re.Match[str], today: date) -> list[Days]:
    """The last ten days, the past two months: how far to look, so not sure."""
    number = _number(match["count"])
    length = {"day": 1, "week": 7, "month": 31}[match["unit"].lower()]
    return [Days(today - timedelta(days=number * length), today, sure=False)] if number * length <= 9000 else []


def _number(said: str) -> int:
    return int(said) if said.isdigit() else _NUMBERS[said.lower()]


def _stretch(match: re.Match[str], today: date) -> list[Days]:
    last = match["which"].lower() not in ("this", "current")
    unit = match["unit"].lower()
    if unit == "week":
        monday = today - timedelta(days=today.weekday() + 7 * last)
        return [Days(monday, monday + timedelta(days=6))]
    if unit == "year":
        return [Days(date(today.year - last, 1, 1), date(today.year - last, 12, 31))]
    end_of_last = today.replace(day=1) - timedelta(days=1)
    month = end_of_last if last else today
    return _whole_month(month.year, month.month)


def _weekday(match: re.Match[str], today: date) -> list[Days]:
    """The last such day; said on such a day, or with "last", the one before it too."""
    name = match["weekday"].lower()
    wanted = next(number for number, day in enumerate(_WEEKDAYS) if day.startswith(name[:3]))
    back = (today.weekday() - wanted) % 7
    last = (match["which"] or "").lower() == "last"
    first = [back] if back or not last else []
    second = [back + 7] if last or not back else []
    return [Days(today - timedelta(days=days), today - timedelta(days=days)) for days in (*first, *second)]


def _named_month(match: re.Match[str], today: date) -> list[Days]:
    month = _month_number(match["month"])
    if match["year"]:
        return _whole_month(int(match["year"]), month)
    running = month == today.month and "last" not in (match["which"] or "").lower()
    return _whole_month(today.year if month < today.month or running else today.year - 1, month)


def _of_month(match: re.Match[str], today: date) -> list[Days]:
    """ "On the 3rd": of this month, or of the last one that had such a day and is over."""
    month = today.replace(day=1)
    for _ in range(4):
        found = _day(month.year, month.month, int(match["day"]))
        if found and found[0].first <= today:
            return found
        month = (month - timedelta(days=1)).replace(day=1)
    return []


def _single(days_ago: int) -> _Read:
    def read(match: re.Match[str], today: date) -> list[Days]:
        day = today - timedelta(days=days_ago)
        return [Days(day, day)]

    return read


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_PATTERNS: Final[tuple[tuple[re.Pattern[str], _Read], ...]] = (
    (
        _pattern(rf"(?<![\w-])(?P<year>{_YEAR})[-/.](?P<month>[0-9]{{1,2}})[-/.](?P<day>[0-9]{{1,2}})(?![\w-])"),
        lambda match, today: _day(int(match["year"]), int(match["month"]), int(match["day"])),
    ),
    (
        _pattern(
            rf"(?<![\w.,])(?P<day>[0-9]{{1,2}})(?:{_TH}|\.)?(?:\s+of)?\s*(?P<month>{_MONTH})\b\.?"
            rf"(?:,?\s+(?P<year>{_YEAR})\b)?"
        ),
        lambda match, today: _dated(match["year"], _month_number(match["month"]), match["day"], today),
    ),
    (
        _pattern(
            rf"\b(?P<month>{_MONTH})\b\.?\s+(?:the\s+)?(?P<day>[0-9]{{1,2}}){_TH}?(?![\w:%]|[.,:][0-9])"
            rf"(?:,?\s+(?P<year>{_YEAR})\b)?"
        ),
        lambda match, today: _dated(match["year"], _month_number(match["month"]), match["day"], today),
    ),
    (
        _pattern(
            r"(?<![\w.,/-])(?P<one>[0-9]{1,2})(?P<mark>[./-])(?P<two>[0-9]{1,2})(?P=mark)"
            rf"(?P<year>{_YEAR}|[0-9]{{2}})(?![\w/-]|[.,][0-9])"
        ),
        _numeric,
    ),
    (
        _pattern(
            r"(?<=\bon\s)(?P<one>[0-9]{1,2})(?P<mark>[/.])(?P<two>[0-9]{1,2})(?P<year>(?!))?(?:\.(?![0-9]))?(?![\w/])"
        ),
        _numeric,
    ),
    (_pattern(r"\bday\s+before\s+yesterday\b"), _single(2)),
    (_pattern(r"\b(?:yesterday|last\s+night)\b"), _single(1)),
    (_pattern(r"\b(?:today|tonight|this\s+(?:morning|afternoon|evening))\b"), _single(0)),
    (_pattern(rf"\b(?P<count>{_COUNT})\s+(?P<unit>day|week|month|year)s?\s+(?:ago|back|earlier)\b"), _ago),
    (_pattern(rf"\b(?:last|past)\s+(?P<count>{_COUNT})\s+(?P<unit>day|week|month)s?\b"), _back),
    (_pattern(r"\b(?P<which>last|past|previous|this|current)\s+(?P<unit>week|month|year)\b"), _stretch),
    (_pattern(rf"\b(?:(?P<which>last|this|on)\s+)?(?P<weekday>{_WEEKDAY})\b"), _weekday),
    (_pattern(rf"\b(?P<which>last|this|on)\s+(?P<weekday>{_SHORT_WEEKDAY})\b"), _weekday),
    (
        _pattern(
            r"\b(?P<which>last|this|in|since|during|for|from|of|early|late|mid|before|until)[\s-]+"
            rf"(?P<month>{_MONTH})\b(?:,?\s+(?P<year>{_YEAR})\b)?"
        ),
        _named_month,
    ),
    (_pattern(rf"\b(?P<which>)(?P<month>{_MONTH}),?\s+(?P<year>{_YEAR})\b"), _named_month),
    (
        _pattern(
            rf"\b(?:on|from|of)\s+the\s+(?P<day>[0-9]{{1,2}}){_TH}"
            r"\b(?!\s+(?:time|attempt|payment|charge|try|one|refund|invoice|month|day))"
        ),
        _of_month,
    ),
    (
        _pattern(rf"\bin\s+(?P<year>{_YEAR})\b"),
        lambda match, today: [Days(date(int(match["year"]), 1, 1), date(int(match["year"]), 12, 31))],
    ),
)
