"""Words from outside (descriptions, names of plans, statement texts) inside sentences of ours.

What we say is Markdown that Slack renders, so in words of others whatever could be markup, a link, a mention or an
emoji is taken out or broken with an invisible word joiner: they read the same, and do nothing.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from bot.domain.redaction import redacted

MOST: Final = 60
"""Characters that are shown."""

_JOINER: Final = "\u2060"
_MARKUP: Final = re.compile(r"[*_~`<>\[\]{}|\\^=“”\"]+")
_AFTER: Final = re.compile(r"([@#:/&!])(?=\S)|(?<=\S)(\.)(?=[^\W\d])|(?<=\w)(-)(?=-)")
_WORDS: Final = frozenset({"L", "M", "N", "P", "S", "Z"})
"""Unicode's letters, marks, numbers, punctuation, symbols and spaces; all else is shown as a space."""


def outside(text: str | None, most: int = MOST) -> str:
    """Such a text, short, in one line, harmless in Markdown; "" when nothing is left of it."""
    safe = "".join(char if unicodedata.category(char)[0] in _WORDS else " " for char in redacted(text or ""))
    line = " ".join(_MARKUP.sub(" ", safe).split())
    if len(line) > most:
        line = f"{line[: most - 1].rstrip()}…"
    return _AFTER.sub(lambda found: found.group() + _JOINER, line)


def quoted(text: str | None, most: int = MOST) -> str:
    """The same in quotation marks; "" when nothing is left."""
    shown = outside(text, most)
    return f"“{shown}”" if shown else ""


def linked(label: str, url: str | None) -> str:
    """A Markdown link to an address of the provider's; the label alone when there is none, or when redaction would
    break it. What would end the link early is percent-encoded."""
    if url is None or redacted(url) != url or re.search(r"[\s<>|]", url):
        return label
    return f"[{label}]({url.replace('(', '%28').replace(')', '%29')})"
