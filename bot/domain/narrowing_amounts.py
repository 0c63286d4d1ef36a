"""Amounts of money in what people write, in the ways of several countries.

Does not interact with any dependencies, only processes data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from bot.domain.money import Money

_CODES: Final = frozenset(
    """
    aed ars aud bdt bgn bhd brl cad chf clp cny cop czk dkk egp eur gbp ghs hkd huf idr ils inr isk jod jpy kes krw kwd
    lkr mad mxn myr ngn nok nzd omr pen php pkr pln qar ron rsd sar sek sgd thb tnd try twd uah ugx usd uyu vnd xaf xof
    zar
    """.split()  # noqa: SIM905 - read as a table
)
_DOLLARS: Final = "usd aud brl cad clp cop hkd mxn nzd sgd twd ars uyu"
_SIGNS: Final = {
    "$": _DOLLARS,
    "us$": "usd", "$us": "usd", "a$": "aud", "au$": "aud", "c$": "cad", "ca$": "cad", "$ca": "cad", "nz$": "nzd",
    "hk$": "hkd", "r$": "brl", "mx$": "mxn", "s$": "sgd", "nt$": "twd",
    "€": "eur", "£": "gbp", "¥": "jpy cny", "jp¥": "jpy", "cn¥": "cny", "円": "jpy", "元": "cny", "₹": "inr",
    "₩": "krw", "₺": "try", "₪": "ils", "₫": "vnd", "₴": "uah", "zł": "pln", "kč": "czk", "ft": "huf",
    "kr": "sek nok dkk isk", "rs": "inr pkr lkr", "sfr": "chf",
}  # fmt: skip
_WORDS: Final = {
    "dollar": _DOLLARS, "dollars": _DOLLARS, "bucks": _DOLLARS, "euro": "eur", "euros": "eur", "pound": "gbp egp",
    "pounds": "gbp egp", "quid": "gbp", "yen": "jpy", "yuan": "cny", "rupees": "inr pkr lkr", "franc": "chf",
    "francs": "chf xaf xof", "dinar": "kwd bhd jod tnd rsd", "dinars": "kwd bhd jod tnd rsd", "kronor": "sek",
    "kroner": "nok dkk", "zloty": "pln", "won": "krw", "pesos": "mxn ars clp cop uyu php",
}  # fmt: skip
_HUNDREDTHS: Final = {"cent": "usd eur", "cents": "usd eur aud cad nzd", "pence": "gbp"}
_CURRENCIES: Final = {
    **{name: frozenset(codes.split()) for name, codes in {**_SIGNS, **_WORDS, **_HUNDREDTHS}.items()},
    **{code: frozenset({code}) for code in _CODES},
}


def _any_of(names: set[str]) -> str:
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    return "|".join(re.escape(name) + ("(?![a-z])" if name[-1].isalpha() else "") for name in longest_first)


_NUMBER: Final = (
    r"[0-9]{1,3}(?P<group>[ .,'’])[0-9]{3}(?:(?P=group)[0-9]{3})*(?:[.,][0-9]{1,3})?"
    r"|[0-9]{1,3}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]{1,3})?"  # as in India
    r"|[0-9]{1,15}(?:[.,][0-9]{1,3})?"
)
_BEFORE: Final = "|".join(re.escape(name) for name in sorted({*_SIGNS, *_CODES}, key=lambda name: (-len(name), name)))
_AMOUNT: Final = re.compile(
    rf"(?<![\w.,:/#])(?:(?P<before>{_BEFORE})\.?\s?)?[-−\u200e\u200f]*(?P<number>{_NUMBER})(?![0-9]|[.,:/-][0-9])"
    rf"(?:\s?(?P<after>{_any_of({*_CURRENCIES})}))?(?!\w|\s?%)",
    re.IGNORECASE,
)
_COUNTED: Final = re.compile(
    r"\s*(?:times?|x|seconds?|minutes?|mins?|hours?|days?|business|working|weeks?|months?|years?|seats?|users?|people"
    r"|payments|charges|refunds|invoices|attempts|cards|accounts|subscriptions|licen[cs]es|a\.?m|p\.?m|o'?clock)\b",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"(?:\b(?:ending|ends|end|last|visa|mastercard|amex|card|number|no|version|digits|order|phone|case|ticket)\b"
    r"\.?(?:\s+in|\s+with)?|#)[\s-]*$",
    re.IGNORECASE,
)
_NEAR: Final = 30
"""Characters before a number that may say what it counts."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount as `said`. "1.234" may be two `values`; no `currencies`: any. `sure`: it is money by how it is written;
    else it is a mere number, which may mean anything."""

    said: str
    values: frozenset[Decimal]
    currencies: frozenset[str]
    sure: bool

    def fits(self, money: Money) -> bool:
        """Whether this money may be meant."""
        return abs(money.decimal) in self.values and (not self.currencies or money.currency in self.currencies)


def amounts_in(text: str) -> Iterator[Amount]:
    """The amounts of a text in which compatible forms were made one (NFKC), from its start to its end."""
    for found in _AMOUNT.finditer(text):
        names = [name.lower() for name in (found["before"], found["after"]) if name]
        if not names and (
            _COUNTED.match(text, found.end()) or _NAMED.search(text, max(0, found.start() - _NEAR), found.start())
        ):
            continue
        values, money_like = _values(found["number"])
        if names and names[-1] in _HUNDREDTHS:
            values = frozenset(value.scaleb(-2) for value in values)
        yield Amount(found.group().strip(), values, _currencies(names), sure=bool(names) or money_like)


def _currencies(names: list[str]) -> frozenset[str]:
    """What a sign before or a word after a number may mean: both together where they agree."""
    meant = [_CURRENCIES[name] for name in names]
    if not meant:
        return frozenset()
    return frozenset.intersection(*meant) or frozenset.union(*meant)


def _values(number: str) -> tuple[frozenset[Decimal], bool]:
    """What a number may be, and whether its decimals are those of money."""
    marks = [char for char in number if not char.isdigit()]
    if not marks:
        return frozenset({Decimal(number)}), False
    whole = Decimal("".join(char for char in number if char.isdigit()))
    decimals = len(number) - 1 - max(number.rfind(mark) for mark in marks)
    broken = whole.scaleb(-decimals)
    if marks[-1] not in ".," or marks.count(marks[-1]) > 1:
        return frozenset({whole}), False
    if len(marks) > 1:
        return frozenset({broken}), True
    return (frozenset({whole, broken}), False) if decimals == 3 else (frozenset({broken}), decimals == 2)
