"""Where a view holds keys, tokens, passwords and bank account numbers (IBAN)."""

from __future__ import annotations

import re
from functools import lru_cache

from stdnum import iban, numdb

Span = tuple[int, int]

# What must occur in the lower-cased view for the pattern to be worth running; the pattern, whose group 1, if it
# has one, is what goes. Repeats inside lookaheads are bounded: no pattern may look ahead further than it eats.
_DIGIT_AHEAD = r"(?=[^\s\0]{0,120}[0-9])"
_STRIPE_IDS = r"(?:ch|py|pi|pm|re|pyr|in|ii|cus|sub|si|prod|price|card|src|tok|txn|po|dp|du|evt|acct|seti|cs|plink)"
_RULES: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (needles, re.compile(pattern))
    for needles, pattern in (
        # Stripe. Publishable keys are no secret, but nobody gains by our keeping them.
        (("sk_", "rk_", "pk_"), r"(?<![A-Za-z])(?:sk|rk|pk)_(?:org_)?(?:live|test)_[0-9A-Za-z_]{8,}"),
        (("whsec_",), r"(?<![A-Za-z])whsec_[0-9A-Za-z+/=_-]{8,}"),
        (
            ("_secret_",),
            r"(?<=_secret_)(?=[0-9A-Za-z]{0,40}[0-9])([0-9A-Za-z]{8,})",
        ),  # client secrets: the id in front stays
        # Slack
        (("xox",), r"(?<![A-Za-z])xox[a-z](?:\.xox[a-z])?-[0-9A-Za-z-]{8,}"),
        (("xapp-",), r"(?<![A-Za-z])xapp-[0-9A-Za-z-]{8,}"),
        (("hooks.slack.com/",), r"hooks\.slack\.com/(?:services|workflows|triggers)/([0-9A-Za-z/_-]{8,})"),
        # OpenAI, Anthropic
        (("sk-",), rf"(?<![A-Za-z0-9])sk-{_DIGIT_AHEAD}[0-9A-Za-z_-]{{20,}}"),
        # AWS, GitHub, GitLab, Google, SendGrid, npm, PyPI
        (("akia", "asia", "abia", "acca"), r"(?<![A-Za-z])A(?:KIA|SIA|BIA|CCA)[0-9A-Z]{16}(?![0-9A-Za-z])"),
        (("gh",), r"(?<![A-Za-z])(?:gh[pousr]_[0-9A-Za-z]{20,}|github_pat_[0-9A-Za-z_]{20,})"),
        (("glpat-",), r"(?<![A-Za-z])glpat-[0-9A-Za-z_-]{16,}"),
        (("aiza",), r"AIza[0-9A-Za-z_-]{30,}"),
        (("ya29.", "gocspx-"), r"(?<![A-Za-z])(?:ya29\.|GOCSPX-)[0-9A-Za-z_-]{20,}"),
        (("sg.",), r"(?<![A-Za-z])SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}"),
        (("npm_", "pypi-"), r"(?<![A-Za-z])(?:npm_|pypi-)[0-9A-Za-z_-]{30,}"),
        (("eyj",), r"(?<![0-9A-Za-z_-])eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{4,}(?:\.[0-9A-Za-z_-]*){0,3}"),
        # A private key without its end takes the rest of the text.
        (
            ("private key",),
            r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
            r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
        ),
        # Said to be one
        (("bearer",), rf"(?i)(?<![a-z])bearer[\s:=]{{1,3}}{_DIGIT_AHEAD}([0-9a-z._~+/=-]{{12,}})"),
        (("authorization",), r"(?i)authorization[\"']?\s?[:=]\s?[\"']?basic\s([0-9a-z+/=]{8,})"),
        (("://",), r"(?<=://)[^\s/:@\0<>|\"']{0,100}:([^\s/\0<>|\"'?#]{1,200})@"),
        (
            ("passw", "passphrase", "pwd", "secret", "token", "key"),
            r"(?i)(?<![a-z])(?:password|passwd|passphrase|pwd|(?:api|access|secret|private)[_ -]?key"
            r"|(?:access|auth|api|refresh)[_ -]?token|(?:client|api)[_ -]?secret|secret|token)"
            rf"[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"']?(?!{_STRIPE_IDS}_)"
            r"((?=[^\s\"',;&<>|\0]{0,80}[0-9])(?=[^\s\"',;&<>|\0]{0,80}[a-z])"
            r"[^\s\"',;&<>|\0]{5,2000}[^\s\"',;&<>|\0.)!?\]])",
        ),
    )
)

_GAP = r"(?:[^\w\0]|_){0,3}"
_COUNTRY_BACKWARDS = re.compile(rf"{_GAP}([A-Za-z]){_GAP}([A-Za-z])")
_COUNTRY_ROOM = 8  # characters that a country code with its gaps takes in front of the check digits, at most
_DIGITS = re.compile("[0-9]+")
_PART = re.compile("([0-9]+)!([nac])")
_CLASS = {"n": "[0-9]", "a": "[A-Za-z]", "c": "[0-9A-Za-z]"}
_COUNTRIES = numdb.get("iban")


def find_keys(view: str) -> list[Span]:
    """Keys, tokens, private keys, and the values of `password: …` and its like.

    Such a value goes when a colon or an equals sign introduces it and it is six characters or more, with a
    letter and a digit: "password: hunter2" goes, "password: reset please" stays, and so does "my password is …".
    """
    low = view.lower()
    return [
        match.span(min(1, pattern.groups))
        for needles, pattern in _RULES
        if any(needle in low for needle in needles)
        for match in pattern.finditer(view)
    ]


def find_ibans(view: str) -> list[Span]:
    """International bank account numbers in any spacing and case: country, its length and letters, mod 97."""
    found: list[Span] = []
    for digits in _DIGITS.finditer(view):
        first = digits.start()
        country = _COUNTRY_BACKWARDS.match(view[max(0, first - _COUNTRY_ROOM) : first][::-1])
        pattern = _iban_pattern((country[2] + country[1]).upper()) if country else None
        match = pattern.match(view, first - country.end()) if country and pattern else None
        if match and iban.is_valid("".join(filter(str.isalnum, match[0])), check_country=False):
            found.append(match.span())
    return found


@lru_cache(maxsize=1024)
def _iban_pattern(country: str) -> re.Pattern[str] | None:
    """An IBAN of this country with up to three separators between two characters; None for another word."""
    structure = _COUNTRIES.info(country)[0][1].get("bban")
    if not structure:
        return None
    classes = [_CLASS[kind] for count, kind in _PART.findall(structure) for _ in range(int(count))]
    return re.compile(_GAP.join([*country, "[0-9]", "[0-9]", *classes]), re.IGNORECASE)
