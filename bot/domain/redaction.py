"""Redaction: what must not be kept or repeated is taken out of a text, and nothing else is touched.

Removed: card numbers in any writing, their expiry dates and security codes, IBANs, keys and tokens. The rest is
returned byte for byte, but for NULs and lone surrogates, which no database takes: they become U+FFFD.

Does not interact with any dependencies, only processes data. Never raises on any str; linear in its length.

Out of scope, on purpose: a number split over two messages (each is redacted alone, as it is stored before the
next one exists); numbers in pictures and files; mistyped numbers, which fail Luhn; digits replaced by letters that
look like them (O for 0) or parted by letters; a card number glued behind other digits; UATP and fuel cards, whose
ranges are those of everyday numbers. One order number in thirty of 16 digits is a valid card number by chance, and
goes: nobody could tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Never

from bot.domain.redaction_cards import find_cards, find_codes, find_expiries
from bot.domain.redaction_secrets import find_ibans, find_keys
from bot.domain.redaction_view import AS_SEEN, LITERAL, REMOVED, View

_TOKEN = object()


class Redacted(str):
    """Text that went through redaction: the only text that stores, logs and prompts accept.

    Only this module makes one; anything derived from it (a slice, a join, an f-string) is a plain str again.
    Copies and pickles are Redacted: what was pickled had passed redact().
    """

    __slots__ = ()

    def __new__(cls, text: str, *, token: object = None) -> Redacted:
        if token is not _TOKEN:
            raise TypeError("Redacted is made by bot.domain.redaction.redact(), never directly")
        return super().__new__(cls, text)

    def __init_subclass__(cls) -> Never:
        raise TypeError("Redacted cannot be subclassed")

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return stored, (str.__str__(self),)


class Finding(StrEnum):
    """A kind of thing that was removed. A card's expiry date counts as CARD, a PIN as CVC, a password as KEY."""

    CARD = "card"
    CVC = "cvc"
    IBAN = "iban"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Redaction:
    """A text after redaction, and what was found in it."""

    text: Redacted
    found: frozenset[Finding]


@dataclass(frozen=True, slots=True, order=True)
class _Mark:
    """What takes the place of something removed. Where two overlap, the one of lower rank stands for both."""

    rank: int
    finding: Finding
    shown: str


_KEY = _Mark(0, Finding.KEY, "[key removed]")
_IBAN = _Mark(1, Finding.IBAN, "[bank account number removed]")
_CARD = _Mark(2, Finding.CARD, "[card number removed]")
_EXPIRY = _Mark(3, Finding.CARD, "[expiry date removed]")
_CODE = _Mark(4, Finding.CVC, "[security code removed]")

_Find = tuple[int, int, _Mark]

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_DIGIT = re.compile("[0-9]")
_LINK_TARGET = re.compile(r"<[^<>|]+\|")
_URL_ENCODED = re.compile("%[0-9A-Fa-f]{2}")
_MOST_PASSES = 10


def redact(text: str) -> Redaction:
    """Take out what must not be kept. Idempotent.

    A removal can uncover something (a key that stood glued to a card number), so passes follow until one finds
    nothing: two for a text that holds anything, one for all others. Their number is bounded, since a text that
    needs more is an attack on the bound, and what it hides has been found by then.
    """
    text = _UNSTORABLE.sub("\ufffd", text)
    found: set[Finding] = set()
    for _ in range(_MOST_PASSES):
        finds = _merged(sorted(_finds(text), key=lambda find: find[:2]))
        if not finds:
            break
        found.update(mark.finding for _, _, mark in finds)
        text = _replaced(text, finds)
    return Redaction(Redacted(text, token=_TOKEN), frozenset(found))


def redacted(text: str) -> Redacted:
    """The text of redact()."""
    return redact(text).text


def stored(text: str) -> Redacted:
    """For the storage layer alone: what was stored had passed redact(), so it is not gone through again."""
    return Redacted(text, token=_TOKEN)


def _finds(text: str) -> Iterator[_Find]:
    """Everything to remove, in spans of the text, in no order."""
    views = [View(text)]
    if _LINK_TARGET.search(text):
        views.append(View(text, AS_SEEN))
    if _URL_ENCODED.search(text):
        views.append(View(text, LITERAL))
    for view in views:
        for start, end, mark in _finds_in(view.text):
            yield (*view.span(start, end), mark)


def _finds_in(view: str) -> Iterator[_Find]:
    """Everything to remove, in spans of the view. An IBAN's digits are not looked at again: they are no card's.

    A key's are, since a card may begin where a key is thought to end; what lies in the key merges with it.
    """
    yield from ((*span, _KEY) for span in find_keys(view))
    if not _DIGIT.search(view):
        return
    ibans = find_ibans(view)
    yield from ((*span, _IBAN) for span in ibans)
    view = _blanked(view, ibans)
    cards = find_cards(view)
    yield from ((*span, _CARD) for span in cards)
    expiries = find_expiries(view, cards)
    yield from ((*span, _EXPIRY) for span in expiries)
    yield from ((*span, _CODE) for span in find_codes(view, cards, expiries))


def _blanked(view: str, spans: list[tuple[int, int]]) -> str:
    if not spans:
        return view
    characters = list(view)
    for start, end in spans:
        characters[start:end] = REMOVED * (end - start)
    return "".join(characters)


def _merged(finds: list[_Find]) -> list[_Find]:
    """The finds, sorted by place, with those that overlap made one."""
    merged: list[_Find] = []
    for start, end, mark in finds:
        if merged and start < merged[-1][1]:
            before = merged[-1]
            merged[-1] = (before[0], max(before[1], end), min(before[2], mark))
        else:
            merged.append((start, end, mark))
    return merged


def _replaced(text: str, finds: list[_Find]) -> str:
    parts: list[str] = []
    done = 0
    for start, end, mark in finds:
        parts += (text[done:start], mark.shown)
        done = end
    parts.append(text[done:])
    return "".join(parts)
