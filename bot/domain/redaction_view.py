"""How redaction reads a text: every writing of a digit as one ASCII digit, every hidden character gone.

A `View` is the text as detectors see it, with the way back: a span found in the view names the span of the
original that has to go. Nothing of the original is changed by reading it.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

REMOVED = "\0"
"""What stands in a view for something already found. No view holds it otherwise: NUL reads as U+FFFD."""

_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = (
    {word: str(value) for value, word in enumerate(_UNITS + _TEENS)}
    | {word: str(value) for value, word in zip(range(20, 100, 10), _TENS, strict=True)}
    | {"oh": "0"}
)
_TIMES = {"double": 2, "triple": 3}

_AMPERSANDS = re.compile("&(?:amp;)+", re.IGNORECASE)
_BYTE = re.compile(r"(?:%(?:25){0,3}|\\{1,4}x)([0-9a-f]{2})", re.IGNORECASE)

# Bounded repeats everywhere: a run of one character must not make a scan quadratic.
_WORD = rf"""
    (?<![^\W\d_])(?P<word>
        (?P<times>double|triple)[\s-]{{1,2}}(?P<what>{"|".join(_UNITS)}|oh|[0-9])
      | (?P<tens>{"|".join(_TENS)})(?:[\s-]{{1,2}}(?P<unit>{"|".join(_UNITS[1:])}))?
      | (?P<plain>{"|".join([*_UNITS, *_TEENS, "oh"])})
    )(?![^\W\d_])
"""
_ODD = rf"""
    (?P<entity>&(?:amp;){{0,3}}(?:\#[0-9]{{1,7}};?|\#x[0-9a-f]{{1,6}};?|[a-z][a-z0-9]{{1,9}};))
  | (?P<bytes>(?:(?:%(?:25){{0,3}}|\\{{1,4}}x)[0-9a-f]{{2}})+)
  | (?P<escape>\\{{1,4}}(?:u(?P<high>d[89ab][0-9a-f]{{2}})\\{{1,4}}u(?P<low>d[c-f][0-9a-f]{{2}})
      |u(?P<short>[0-9a-f]{{4}})|U(?P<long>[0-9a-f]{{8}})|[nrt]))
  | (?P<tag></?[a-z]{{1,8}}[ ]?/?>|<(?:tel|mailto):)
  | {_WORD}
"""
_FLAGS = re.VERBOSE | re.IGNORECASE

DECODED = re.compile(_ODD, _FLAGS)
"""Reading: entities, URL encoding, escapes and markup as what they stand for."""
AS_SEEN = re.compile(r"(?P<target><[^<>|]+\|)|" + _ODD, _FLAGS)
"""Reading: the same, with `<target|label>` as its label alone, as a person sees it."""
LITERAL = re.compile(_WORD, _FLAGS)
"""Reading: nothing decoded, since a % may also just stand between two digits."""

_FIRST_WORDS = _WORDS.keys() | _TIMES.keys()
_NO_LETTER = {code: " " for code in range(128) if not chr(code).isalpha()}

_COMBINING = frozenset({"Mn", "Me"})
_HIDDEN = _COMBINING | {"Cf"}
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")  # letters by category, blank on the screen


class View:
    """A text as detectors see it. `text` may be longer or shorter than the original; `span` leads back."""

    def __init__(self, original: str, reading: re.Pattern[str] = DECODED) -> None:
        self._original = original
        # Pieces, in order: where each begins in the view, and its span in the original (end -1: same as view).
        self._at: list[int] = []
        self._start: list[int] = []
        self._end: list[int] = []
        self.text = self._read(reading)

    def _read(self, reading: re.Pattern[str]) -> str:
        parts: list[str] = []
        done = at = 0
        for start, end, shown in _odd_parts(self._original, reading):
            if start > done:
                self._piece(at, done, -1)
                parts.append(self._original[done:start])
                at += start - done
            if shown:
                self._piece(at, start, end)
                parts.append(shown)
                at += len(shown)
            done = end
        self._piece(at, done, -1)
        parts.append(self._original[done:])
        return "".join(parts)

    def _piece(self, at: int, start: int, end: int) -> None:
        self._at.append(at)
        self._start.append(start)
        self._end.append(end)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original's span behind a span of the view, with the combining marks that hang on its end."""
        first = bisect_right(self._at, start) - 1
        begin = self._start[first] + (start - self._at[first] if self._end[first] < 0 else 0)
        last = bisect_right(self._at, end - 1) - 1
        stop = self._end[last] if self._end[last] >= 0 else self._start[last] + end - self._at[last]
        while stop < len(self._original) and unicodedata.category(self._original[stop]) in _COMBINING:
            stop += 1
        return begin, stop


def _odd_parts(text: str, reading: re.Pattern[str]) -> Iterator[tuple[int, int, str]]:
    """The parts of a text that the view shows differently: start, end, what is shown."""
    may_begin = _MAY_BEGIN_OR_WORD if _has_words(text) else _MAY_BEGIN
    position = 0
    while candidate := may_begin.search(text, position):
        position = candidate.end()
        char = text[candidate.start()]
        if char >= "\x80":
            if (shown := _shape(char)) != char:
                yield candidate.start(), position, shown
        elif char.isalpha() and candidate[0].lower() not in _FIRST_WORDS:
            continue
        elif match := reading.match(text, candidate.start()):
            position = match.end()
            yield from _shown(match)


def _has_words(text: str) -> bool:
    """Whether a digit may be written as a word. Texts that are not ASCII are not looked into: they may."""
    return not text.isascii() or not _FIRST_WORDS.isdisjoint(text.lower().translate(_NO_LETTER).split())


def _shown(match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    match match.lastgroup:
        case "bytes":
            yield from _decoded(match.string, match.start(), match.end())
        case "entity":
            yield match.start(), match.end(), _entity(match[0])
        case "escape":
            yield match.start(), match.end(), _escape(match)
        case "word":
            yield match.start(), match.end(), _number(match)
        case _:
            yield match.start(), match.end(), " "


def _decoded(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """A run of %XX or \\xXX as the UTF-8 that it may be, else as Latin-1, character by character."""
    units = list(_BYTE.finditer(text, start, end))
    data = bytes(int(unit[1], 16) for unit in units)
    position = 0
    while position < len(data):
        lead = data[position]
        length = 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        try:
            char = data[position : position + length].decode()
        except UnicodeDecodeError:
            length, char = 1, chr(lead)
        last = min(position + length, len(units)) - 1
        yield units[position].start(), units[last].end(), _shape(char)
        position += length


def _entity(entity: str) -> str:
    """An entity, also when its ampersand was escaped on the way, as Slack does."""
    name = _AMPERSANDS.sub("&", entity, count=1)
    return "".join(map(_shape, html.unescape(name if name != "&" else "&amp;")))


def _escape(match: re.Match[str]) -> str:
    if match["high"]:
        high, low = int(match["high"], 16), int(match["low"], 16)
        return _shape(chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00))
    code = match["short"] or match["long"]
    if code is None:
        return " "
    value = int(code, 16)
    return _shape(chr(value)) if value <= 0x10FFFF else "\ufffd"


def _number(match: re.Match[str]) -> str:
    if match["times"]:
        what = match["what"].lower()
        return _WORDS.get(what, what) * _TIMES[match["times"].lower()]
    if match["unit"]:
        return _WORDS[match["tens"].lower()][0] + _WORDS[match["unit"].lower()]
    return _WORDS[match["word"].lower()]


@lru_cache(maxsize=8192)
def _shape(char: str) -> str:
    """What one character looks like: its digit, its compatibility form, nothing when it is not seen."""
    if char < "\x80":
        return "\ufffd" if char == REMOVED else char
    value = unicodedata.numeric(char, -1)
    if value >= 0 and value != int(value):
        return " "  # ½ would read as the digits 1 and 2
    return "".join(_digit(part) for part in unicodedata.normalize("NFKC", char))


def _digit(char: str) -> str:
    if char in _FILLERS or unicodedata.category(char) in _HIDDEN:
        return ""
    if char < "\x80":
        return char
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"
    value = unicodedata.numeric(char, -1)
    return str(int(value)) if 0 <= value <= 9 and value == int(value) else char


# Where an odd part may begin. Looking for these first is what makes reading fast; most letters look like themselves.
_ODD_CHAR = "[^\\x00-\\x7f" + "".join(char for char in map(chr, range(0x80, 0x530)) if _shape(char) == char) + "]"
_MAY_BEGIN = re.compile(rf"{_ODD_CHAR}|[&%\\<]")
_MAY_BEGIN_OR_WORD = re.compile(rf"{_ODD_CHAR}|[&%\\<]|[A-Za-z]+")
