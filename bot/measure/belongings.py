"""Whose is what in the sandbox, told from its story alone: what an answer shows of anybody else is found by this."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from bot.domain.money import Money
from bot.services.money_words import format_money, plain_money, reader_of
from integrations.stripe import sandbox_billing, sandbox_charges
from integrations.stripe.sandbox_charges import Frame
from integrations.stripe.sandbox_story import Customer, Story

LONG_TEXT: Final = 8
"""Characters from which on a description is told from an everyday word."""

_ID: Final = re.compile(r"(?:ch|pi|re|in|sub|du|cus)_sandbox_\w+")
_AMOUNTS: Final = ("amount", "amount_captured", "amount_refunded", "total", "amount_remaining", "unit_amount")
_NAMES: Final = ("number", "reference", "email", "name", "description")


@dataclass(frozen=True, slots=True)
class Belongings:
    """What can be told of one customer: ids, trace and invoice numbers, names and texts, and amounts."""

    ids: frozenset[str]
    words: frozenset[str]
    amounts: frozenset[Money]


class Books:
    """Everybody's belongings, by the name that the story gives a customer."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.of: Mapping[str, Belongings] = {who.name: _belongings(story, who) for who in story.customers}

    @property
    def ids(self) -> frozenset[str]:
        """All ids that there are."""
        return frozenset().union(*(one.ids for one in self.of.values()))

    def ids_of(self, names: Iterable[str]) -> frozenset[str]:
        """The ids of these customers' things."""
        return frozenset().union(*(self.of[name].ids for name in names))

    def with_address(self, email: str) -> frozenset[str]:
        """The customers who are not deleted and have this address, as it is or in lower case."""
        asked = {email, email.lower()}
        return frozenset(one.name for one in self.story.customers if one.email in asked and not one.deleted)

    def told(self, own: frozenset[str], locale: str | None) -> tuple[str, ...]:
        """All that tells of these customers."""
        return tuple(sorted({text for name in own for text in _told(self.of[name], locale)}))

    def strangers(self, own: frozenset[str], locale: str | None) -> tuple[str, ...]:
        """All that tells of somebody who is not `own`, as specialists and a reader of this locale would read it."""
        return _strangers(self, own, locale)


def seen_in(text: str, strangers: Iterable[str], said: str) -> tuple[str, ...]:
    """What of strangers stands in a text. What the asker `said` themselves tells them nothing."""
    folded = said.casefold()
    return tuple(
        one for one in strangers if one in text and one.casefold() not in folded and re.search(_alone(one), text)
    )


@cache
def _strangers(books: Books, own: frozenset[str], locale: str | None) -> tuple[str, ...]:
    told = {text for name, one in books.of.items() if name not in own for text in _told(one, locale)}
    mine = {text for name, one in books.of.items() if name in own for text in _told(one, locale)}
    return tuple(sorted(told - mine))


def _told(one: Belongings, locale: str | None) -> set[str]:
    reader = reader_of(locale, None)
    amounts = {written for money in one.amounts for written in (plain_money(money), format_money(money, reader.locale))}
    return {*one.ids, *one.words, *amounts}


@cache
def _alone(needle: str) -> str:
    """Not as a part of another number or name: `5,00` is no part of `15,00`."""
    return rf"(?<![\w.,]){re.escape(needle)}(?![\w])"


def _belongings(story: Story, who: Customer) -> Belongings:
    ids: set[str] = set()
    words: set[str] = set()
    amounts: set[Money] = set()
    for data in _objects(story, who):
        ids |= {text for text in _texts(data) if _ID.fullmatch(text)}
        words |= {str(text) for name, text in _fields(data) if name in _NAMES and len(str(text or "")) >= LONG_TEXT}
        currency = data.get("currency")
        amounts |= {
            Money(whole, currency)
            for name, whole in _fields(data)
            if name in _AMOUNTS and isinstance(currency, str) and isinstance(whole, int) and whole
        }
    return Belongings(frozenset(ids), frozenset(words), frozenset(amounts))


def _objects(story: Story, who: Customer) -> Iterator[dict[str, Any]]:
    frame = Frame(datetime.now(UTC), "")
    yield sandbox_billing.customer(frame, who)
    yield from sandbox_charges.charges(frame, who)
    yield from sandbox_charges.intents(frame, who)
    yield from sandbox_charges.refunds(frame, who)
    yield from sandbox_charges.disputes(frame, who)
    yield from sandbox_billing.invoices(frame, who)
    yield from sandbox_billing.subscriptions(frame, story, who)


def _fields(data: Any) -> Iterator[tuple[str, Any]]:
    """Names and values of an object, and of all objects in it."""
    if isinstance(data, dict):
        for name, inside in data.items():
            yield name, inside
            yield from _fields(inside)
    elif isinstance(data, list):
        for inside in data:
            yield from _fields(inside)


def _texts(data: Any) -> Iterator[str]:
    return (text for _, text in _fields(data) if isinstance(text, str))
