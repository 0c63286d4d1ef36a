"""Where a view holds card numbers, and the expiry dates and security codes that belong to them.

A card number is 12 to 19 digits with at most three separators between two of them, which begin and end where
the writing does, lie in a range that an issuer uses at that length, and satisfy Luhn. Luhn alone would take
one order number in ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

Span = tuple[int, int]

MAX_GAP = 3
SHORTEST, _LONGEST = 12, 19

# Issuer ranges and the lengths in use. Sources: Wikipedia "Payment card number"; braintree/credit-card-type,
# src/lib/card-types.ts; Mir: NSPK design standard 12.142 (2200-2204, 16-19 digits); Troy: IIN 9792.
# Elo, Hiper, Hipercard, Verve, RuPay, Dankort, Naranja, Cabal, GPN and DinaCard lie inside the ranges below.
_ISSUERS: tuple[tuple[str, Iterable[int]], ...] = (
    ("4", (13, 16, 18, 19)),  # Visa
    ("5[1-5]", (16,)),  # Mastercard
    ("222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),  # Mastercard
    ("3[47]", (15,)),  # American Express
    ("30[0-5]|3095|36|3[89]", range(14, 20)),  # Diners Club
    ("6011|64[4-9]|65", range(16, 20)),  # Discover, RuPay, Elo
    ("352[89]|35[3-8]", range(16, 20)),  # JCB, RuPay
    ("2131|1800", (15,)),  # JCB
    ("5018|5020|5038|5893|6304|6759|676[1-3]", range(12, 20)),  # Maestro
    ("62|81[0-7]", range(16, 20)),  # UnionPay
    ("50|5[6-8]|6[0137]", range(16, 20)),  # Maestro, RuPay, Verve, Elo, Hipercard, Bancontact (17 digits)
    ("8[12]", (16,)),  # RuPay
    ("220[0-4]", range(16, 20)),  # Mir
    ("2205", (16,)),  # Borica, PayPak
    ("9792", (16,)),  # Troy
    ("9704", (16, 19)),  # Napas
    ("8600|9860|9682|9112|9051|9417|9804|9891", (16,)),  # Uzcard, Humo, mada, Belkart, ArCa, Elcart, Prostir, Dina
)
_ISSUER = re.compile("|".join(f"({prefix})" for prefix, _ in _ISSUERS))
_LENGTHS = tuple(frozenset(lengths) for _, lengths in _ISSUERS)

# A 13-digit Visa number is as good as extinct; a German mobile number without its plus is not.
_GERMAN_MOBILE = re.compile(r"491[5-7][0-9]{9}\Z")

# Written together with what follows: expiry, code or both, for issuers where a coincidence is unlikely.
_GLUED_ISSUER = re.compile("4|5[1-5]|3[47]|6011")
_GLUED = re.compile(r"(?:(?:0[1-9]|1[0-2])(?:20)?[2-4][0-9])(?:[0-9]{3,4})?|[0-9]{3}")
_GLUED_AMEX = re.compile(r"(?:(?:0[1-9]|1[0-2])(?:20)?[2-4][0-9])?[0-9]{4}")

_COUNTED = 4  # numbers in equal steps that make a count
_LONGEST_GLUED = 10  # digits: MMYYYY and a code of 4
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_LONG_ENOUGH = re.compile(rf"(?:[0-9][^0-9A-Za-z\0]{{0,{4 * MAX_GAP}}}+){{{SHORTEST - 1}}}[0-9]")
_GROUP = re.compile("[0-9]+")
_MARKUP = str.maketrans("", "", "*_~`")

# Numbers that are plainly something else. A window made of nothing but these is no card.
_ELSE = re.compile(
    r"""
    (?<![0-9])(?<![0-9][.,/:-])(?:
      1[0-9]{9}\.[0-9]{6}                                                        # Slack timestamp
    | (?:19|20)[0-9]{2}([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12][0-9]|3[01])    # date
    | (?:0?[1-9]|[12][0-9]|3[01])([-/.])(?:0?[1-9]|[12][0-9]|3[01])\2(?:20)?[0-9]{2}
    | (?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,6})?)?        # time of day
    | (?:[0-9]{1,7}|[0-9]{1,3}(?:[,.'\ ][0-9]{3}){1,2})[.,][0-9]{2}              # amount with its cents
    | (?<=[$€£¥₹])[ ]?[0-9]{1,6}                                                 # round amount
    | (?<!\+)(?:1[-. ])?\(?[2-9][0-9]{2}\)?[-. ]{1,2}[0-9]{3}[-. ][0-9]{4}       # North American telephone
    | (?<=\+)(?:[0-9][ ().-]{0,2}){7,12}[0-9]                                    # international telephone
    )(?![0-9$€£¥₹]|[.,/:-][0-9])
    """,
    re.VERBOSE,
)

_S = r"(?:[^\w\0]|_)"
_YEAR = "(?:20)?[2-4][0-9]"
_EXPIRY = (
    rf"(?:(?:0[1-9]|1[0-2]|[1-9]){_S}{{1,3}}{_YEAR}|(?:0[1-9]|1[0-2]){_YEAR}|20[2-4][0-9]{_S}{{1,2}}(?:0[1-9]|1[0-2])"
    rf"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{{0,6}}{_S}{{0,2}}{_YEAR})(?![0-9])(?![-/.][0-9])"
)
_EXPIRY_WORD = (
    r"(?:exp\w{0,8}|valid|thru|through|until|till?|to|good|mm|yy|yyyy|date|and|with|ends?|gültig|bis|ablauf\w{0,6})"
)
_DIRECT_CODE = (
    r"(?P<found>[0-9]{3,4})(?![0-9])(?![.,][0-9]{1,2}(?![0-9/]))(?!-[0-9]{3})"
    r"(?!\s?(?:%|[$€£¥₹]|(?:usd|eur|gbp|inr|dollars?|euros?|pounds?)\b))"
)
_AFTER_EXPIRY = re.compile(rf"{_S}{{0,5}}(?:{_EXPIRY_WORD}{_S}{{1,4}}){{0,4}}(?P<found>{_EXPIRY})", re.IGNORECASE)
_AFTER_CODE = re.compile(
    rf"[^\w\0$€£¥₹]{{0,5}}(?:(?:and|with|then|code|sec){_S}{{1,3}}){{0,2}}{_DIRECT_CODE}", re.IGNORECASE
)
_BEFORE_EXPIRY = re.compile(rf"(?<![0-9])(?P<found>{_EXPIRY}){_S}{{0,4}}\Z", re.IGNORECASE)
_BEFORE = 24  # characters of an expiry date in front of a card, at most
_NAMED_EXPIRY = re.compile(
    rf"(?<![^\W\d_])(?:exp(?:iry|ires?|iration)?|valid|good thru|ablaufdatum){_S}{{0,4}}"
    rf"(?:{_EXPIRY_WORD}{_S}{{1,4}}|is{_S}){{0,4}}(?P<found>{_EXPIRY})",
    re.IGNORECASE,
)

_CODE = rf"(?P<found>[0-9]{{3,4}}(?![0-9])|[0-9](?:{_S}{{1,3}}[0-9]){{2,3}}(?!{_S}?[0-9]))(?![.,][0-9]{{2}}(?![0-9/]))"
_CODE_WORD = (
    r"(?:cvc2?|cvv2?|cvn2?|csc|card[\s-]?(?:verification|security)(?:\s(?:code|number|value))?"
    r"|security[\s-]?(?:code|number|digits)|verification[\s-]?(?:code|number|value|digits)|card[\s-]?code"
    r"|sicherheits(?:code|nummer)|(?:karten)?pr(?:ü|u|ue)f(?:ziffer|nummer|code)|code de s[ée]curit[ée]"
    r"|cryptogramme(?:\svisuel)?|c[óo]digo de seguran[çc]a|c[óo]digo de seguridad|codice di sicurezza"
    r"|pin(?:[\s-]?(?:code|number))?|[34][\s-]?digits?(?:\s(?:code|number))? (?:on|at) the (?:back|front))"
)
# One of these is in each of the above, lower-cased.
_CODE_NEEDLES = (
    *("cvc", "cvv", "cvn", "csc", "security", "verification", "code", "sicherheits", "prüf", "pruf", "pruef"),
    *("curit", "crypto", "segur", "sicur", "pin", "digit"),
)
_SOFT = (
    r"(?:is|was|are|ist|est|es|è|the|my|its?|it.s|here|no|nr|num|number|code|value|equals|says|reads"
    rf"|(?:on|at) (?:the|its) (?:back|front)|of (?:the|my|this) card|[34]{_S}?digits?)"
)
_SAID = rf"(?:{_S}{{0,4}}{_SOFT}(?![^\W_])){{0,6}}{_S}{{0,4}}"
_NAMED_CODE = re.compile(rf"(?<![^\W\d_]){_CODE_WORD}{_SAID}{_CODE}", re.IGNORECASE)
_CODE_FIRST = re.compile(
    rf"(?<![0-9])(?<![0-9][.,/:-])(?P<found>[0-9]{{3,4}})(?:"
    rf"{_S}{{0,2}}(?:is|was|as|=|ist)\s(?:(?:my|the|our|its|your)\s)?(?:card(?:'?s)?\s)?{_CODE_WORD}(?![^\W\d_])"
    rf"|\s?\(\s?{_CODE_WORD}\s?\)|\s?{_CODE_WORD}(?=\s*(?:\Z|[\n.,;!)])))",
    re.IGNORECASE,
)
# Only where the same text holds a card: "code" alone means too many things.
_LOOSE_CODE = re.compile(
    rf"(?<!error )(?<!decline )(?<!zip )(?<!post )(?<!postal )(?<!promo )(?<!\w)code{_SAID}{_CODE}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Chain:
    """Groups of digits that are near enough to be one number: their spans, and all their digits in one string.

    `offsets[i]` is where group i begins in `digits`, with one more for the end. `sums` are running sums with the
    digits at even and at odd places doubled, so that Luhn over any stretch is one subtraction.
    """

    groups: list[Span]
    digits: str
    offsets: list[int]
    sums: tuple[list[int], list[int]]

    def luhn(self, begin: int, end: int) -> bool:
        """Whether the digits from begin to end satisfy Luhn."""
        sums = self.sums[end % 2]
        return (sums[end] - sums[begin]) % 10 == 0


def find_cards(view: str) -> list[Span]:
    """Every span that reads as a card number. They may overlap: each of them has to go."""
    if not _LONG_ENOUGH.search(view):
        return []
    return [span for chain in _chains(view) for span in _windows(view, chain)]


def find_expiries(view: str, cards: list[Span]) -> list[Span]:
    """Expiry dates beside the cards, and those called so anywhere in a text that holds a card."""
    if not cards:
        return []
    found = [match.span("found") for match in _NAMED_EXPIRY.finditer(view)]
    for end in {end for _, end in cards}:
        if after := _AFTER_EXPIRY.match(view, end):
            found.append(after.span("found"))
    for start in {start for start, _ in cards}:
        near = max(0, start - _BEFORE)
        if before := _BEFORE_EXPIRY.search(view[near:start]):
            found.append((near + before.start("found"), near + before.end("found")))
    return found


def find_codes(view: str, cards: list[Span], expiries: list[Span]) -> list[Span]:
    """Security codes: those called so, and the three or four digits that follow a card or its expiry date."""
    low = view.lower()
    named = (_NAMED_CODE, _CODE_FIRST) if any(needle in low for needle in _CODE_NEEDLES) else ()
    loose = (_LOOSE_CODE,) if cards else ()
    found = [match.span("found") for pattern in (*named, *loose) for match in pattern.finditer(view)]
    dated = {start for start, _ in expiries}
    for end in {end for _, end in [*cards, *expiries]} if cards else ():
        after = _AFTER_CODE.match(view, end)
        if after and after.start("found") not in dated:
            found.append(after.span("found"))
    return found


# ---- card numbers ----------------------------------------------------------------------------------------------


def _chains(view: str) -> Iterator[_Chain]:
    groups: list[Span] = []
    for match in _GROUP.finditer(view):
        if groups and not _joins(view, groups[-1][1], match.start()):
            yield from _chain(view, groups)
            groups = []
        groups.append(match.span())
    yield from _chain(view, groups)


def _joins(view: str, end: int, start: int) -> bool:
    """Whether what stands between two groups of digits is only separators: at most three, markup aside."""
    if start - end == 1:
        return not (view[end].isalpha() or view[end] == "\0")
    if start - end > 4 * MAX_GAP:
        return False
    gap = view[end:start].translate(_MARKUP)
    return len(gap) <= MAX_GAP and "\0" not in gap and not any(map(str.isalpha, gap))


def _chain(view: str, groups: list[Span]) -> Iterator[_Chain]:
    digits = "".join([view[start:end] for start, end in groups])
    if len(digits) >= SHORTEST:
        yield _Chain(
            groups,
            digits,
            [0, *accumulate(end - start for start, end in groups)],
            (_running_sums(digits, doubled=0), _running_sums(digits, doubled=1)),
        )


def _running_sums(digits: str, *, doubled: int) -> list[int]:
    values = [int(digit) for digit in digits]
    values[doubled::2] = [_DOUBLED[value] for value in values[doubled::2]]
    return [0, *accumulate(values)]


def _windows(view: str, chain: _Chain) -> Iterator[Span]:
    """Each run of whole groups that is a card number and not plainly something else."""
    hits = [hit for first in range(len(chain.groups)) for hit in _hits_from(chain, first)]
    if hits:
        other = _something_else(view, chain.groups)
        for first, last in hits:
            if not all(other[first : last + 1]) and not _is_count(view, chain.groups[first : last + 1]):
                yield chain.groups[first][0], chain.groups[last][1]


def _hits_from(chain: _Chain, first: int) -> Iterator[Span]:
    """First and last group of each card number that begins with group `first`: at most 19 groups are looked at."""
    begin = chain.offsets[first]
    issuer = _ISSUER.match(chain.digits, begin)
    if issuer is None:
        return
    lengths = _LENGTHS[(issuer.lastindex or 1) - 1]
    for last in range(first, len(chain.groups)):
        end = chain.offsets[last + 1]
        if end - begin in lengths and chain.luhn(begin, end) and not _GERMAN_MOBILE.match(chain.digits, begin, end):
            yield first, last
        if end - begin >= _LONGEST:
            if _is_glued(chain, begin, last):
                yield first, last
            return


def _is_glued(chain: _Chain, begin: int, last: int) -> bool:
    """Whether group `last` holds the end of a card number and, written on without a break, its expiry, its code or
    further cards.

    The shortest such writing has 19 digits: 16 and a code of 3, or 15 and one of 4.
    """
    place, end = begin, chain.offsets[last + 1]
    while _GLUED_ISSUER.match(chain.digits, place):
        size, rest = (15, _GLUED_AMEX) if chain.digits[place] == "3" else (16, _GLUED)
        if place + size > end or not chain.luhn(place, place + size):
            return False
        place += size
        if place <= chain.offsets[last]:
            return False
        if place == end or (end - place <= _LONGEST_GLUED and rest.fullmatch(chain.digits, place, end)):
            return True
    return False


def _something_else(view: str, groups: list[Span]) -> list[bool]:
    """For each group whether it is part of a date, a time, an amount, a timestamp or a telephone number."""
    marks: list[bool] = []
    tokens = _ELSE.finditer(view, groups[0][0], groups[-1][1])
    token = next(tokens, None)
    for start, end in groups:
        while token and token.end() <= start:
            token = next(tokens, None)
        marks.append(token is not None and token.start() <= start and end <= token.end())
    return marks


def _is_count(view: str, groups: list[Span]) -> bool:
    """Whether the groups count up or down in equal steps, as in "1 2 3 …" or a list of invoice numbers."""
    step = int(view[slice(*groups[1])]) - int(view[slice(*groups[0])]) if len(groups) >= _COUNTED else 0
    if step == 0:
        return False
    values = [int(view[start:end]) for start, end in groups]
    return all(after - before == step for before, after in pairwise(values))
