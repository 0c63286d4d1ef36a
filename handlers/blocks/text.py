"""Text on its way into Slack: cleaned, escaped, cut to Slack's limits.

What people wrote is kept as Slack gave it, with entities and `<…>` tokens. It is made legible, then becomes either
a `plain_text` object, which Slack shows as it is, or is escaped for mrkdwn. Only authors' Markdown keeps its markup.

Lengths are counted in UTF-16 units: Slack does not say how it counts, and this is never less than code points.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

ELLIPSIS = "…"
"""Ends what was cut, and stands for what is blank: Slack refuses empty text."""

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ESCAPES = str.maketrans(_ENTITIES)
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_TOKEN = re.compile(r"<([@#!]?)([^<>|\s][^<>|]*)(?:\|([^<>]*))?>")
_ADDRESS = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_CALL = re.compile(r"<(?=[!@#])")
_CALL_OR_LINK = re.compile(r"<(?=[!@#]|(?:https?|mailto|tel):)", re.IGNORECASE)
_BROKEN = "<\u2060"
"""An invisible word joiner after "<": no parser takes what follows for a token, not even one that should not look."""
_BOLD = re.compile(r"\*\*(?=\S)([^*\n]+)(?<=\S)\*\*")
_LINK = re.compile(r"\[([^\[\]\n]+)\]\((https?://[^\s()]+)\)")
_HEADING = re.compile(r"^#{1,6}[ \t]+", re.MULTILINE)
_USER = re.compile(r"[UW][A-Z0-9]{1,20}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{1,20}")
_DM = re.compile(r"D[A-Z0-9]{1,20}")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def width(text: str) -> int:
    """UTF-16 units of a text."""
    return len(text) + sum(char > "\uffff" for char in text)


def clean(text: str) -> str:
    """Without what cannot be shown or sent: control characters but newline and tab, lone surrogates."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub("\ufffd", _UNSHOWABLE.sub("", lines))


def legible(text: str) -> str:
    """Slack's form of a message as one reads it: links spelled out, entities decoded, calls as mere words."""
    plain = _TOKEN.sub(_token_in_words, clean(text))
    return _CALL_OR_LINK.sub(_BROKEN, plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def shown(text: str, limit: int) -> str:
    """Legible, never blank, at most `limit` units; what is cut ends in "…". For `plain_text`."""
    return _fit(legible(text), limit, _units)


def escaped(text: str, limit: int) -> str:
    """As `shown`, for mrkdwn: nothing in it is a mention, a link or a broadcast. `limit` counts entities whole."""
    return entities(_fit(legible(text), limit, _escaped_units))


def entities(shown: str) -> str:
    """Escaped, and nothing else: for what is legible already."""
    return shown.translate(_ESCAPES)


def quoted(text: str, limit: int) -> str:
    """Shown, in quotation marks, which do not count."""
    return f"“{shown(text, limit).strip()}”"


def one_line(text: str) -> str:
    """With every run of white space as one space."""
    return " ".join(text.split())


def authored(markdown: str, limit: int) -> str:
    """An author's Markdown, for a `markdown` block. Mentions and broadcasts are broken, whatever parses them."""
    return _fit(_CALL.sub(_BROKEN, clean(markdown)), limit, _units)


def spoken(markdown: str, limit: int) -> str:
    """An author's Markdown as mrkdwn for notifications and screen readers: links spelled out, all else escaped."""
    return escaped(_without_markup(markdown, bold=r"*\1*"), limit)


def unmarked(markdown: str) -> str:
    """An author's Markdown as plain text."""
    return _without_markup(markdown, bold=r"\1")


def pieces(text: str, size: int, most: int) -> tuple[list[str], bool]:
    """A long text, legible, in at most `most` pieces of `size` units, cut at line ends or spaces where one is near.

    The flag says whether something was left out.
    """
    rest = legible(text).strip()
    found: list[str] = []
    while rest and len(found) < most:
        head = _fitting(rest, size)
        if len(head) < len(rest):
            head = _at_a_break(head)
        found.append(_fit(head, size, _units))
        rest = rest[len(head) :].lstrip()
    return found or [ELLIPSIS], bool(rest)


def day(value: date) -> str:
    """`1 January 2026`, in every locale."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime) -> str:
    """A time that each reader sees in their own zone; UTC where Slack cannot."""
    utc = value.astimezone(UTC)
    fallback = f"{day(utc)}, {utc:%H:%M} UTC"
    return f"<!date^{int(utc.timestamp())}^{{date_short_pretty}} at {{time}}|{fallback}>"


def mention(user: str) -> str:
    """`<@U…>` for a user id, anything else as words."""
    return f"<@{user}>" if _USER.fullmatch(user) else escaped(user, 80)


def place(where: str) -> str:
    """A channel id as its link, a direct conversation in words, words as they are."""
    if _CHANNEL.fullmatch(where):
        return f"in <#{where}>"
    return "in a direct message" if _DM.fullmatch(where) else escaped(one_line(where), 150)


def _without_markup(markdown: str, bold: str) -> str:
    return _HEADING.sub("", _BOLD.sub(bold, _LINK.sub(r"\1 (\2)", clean(markdown))))


def _units(char: str) -> int:
    return 2 if char > "\uffff" else 1


def _escaped_units(char: str) -> int:
    return len(_ENTITIES[char]) if char in _ENTITIES else _units(char)


def _token_in_words(token: re.Match[str]) -> str:
    sign, target, label = token.group(1), token.group(2), token.group(3)
    if sign == "!":
        return label or "@" + target
    if sign:
        return sign + (label or target)
    if not _ADDRESS.match(target):
        return token.group()
    address = target.removeprefix("mailto:").removeprefix("tel:")
    return f"{label} ({address})" if label and label not in (target, address) else address


def _fit(text: str, limit: int, cost: Callable[[str], int]) -> str:
    cut = _cut(text, limit, cost)
    return cut if cut.strip() else ELLIPSIS


def _cut(text: str, limit: int, cost: Callable[[str], int]) -> str:
    total = kept = 0
    for index, char in enumerate(text):
        total += cost(char)
        if total > limit:
            return text[:kept].rstrip("\u200d\ufe0f \n\t") + ELLIPSIS
        if total < limit:
            kept = index + 1
    return text


def _fitting(text: str, size: int) -> str:
    total = 0
    for index, char in enumerate(text):
        total += _units(char)
        if total > size:
            return text[:index]
    return text


def _at_a_break(head: str) -> str:
    near = len(head) * 2 // 3
    at = max(head.rfind("\n", near), head.rfind(" ", near))
    return head[:at] if at > 0 else head
