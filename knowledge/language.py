"""Which language a question is in, where it is certainly not English.

Short and misspelt English looks like many languages, so three things must agree: the identifier, the length, and that
the words are not those of our articles.
"""

from __future__ import annotations

import functools
import importlib
import re
import unicodedata
from collections.abc import Collection
from typing import Any, Final

from knowledge.text import words

SPOKEN: Final = (
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko", "nl", "no",
    "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi", "zh",
)  # fmt: skip
"""The languages that are told apart: English, and those that we have a line in. ISO 639-1."""

CERTAIN: Final = 0.65
"""Probability, among SPOKEN, from which on a language counts."""

LIKELY: Final = 0.4
"""The same of a text in other letters than Latin, which is not English anyway."""

UNKNOWN: Final = "und"
"""ISO 639-2 for a language that is not determined."""

FEWEST_WORDS: Final = 3
"""Of a text in Latin letters: fewer can be anything."""

MOST_KNOWN: Final = 0.34
"""Share of the words that our articles know, above which a text is taken for English."""

MOST_CHARS: Final = 400

_GREETINGS: Final = {
    "bonjour": "fr", "bonsoir": "fr", "salut": "fr", "hola": "es", "hallo": "de", "moin": "de", "ciao": "it",
    "buongiorno": "it", "buonasera": "it", "ola": "pt", "olá": "pt", "hej": "sv", "hei": "no", "ahoj": "cs",
    "merhaba": "tr", "cześć": "pl", "czesc": "pl", "gracias": "es", "merci": "fr", "danke": "de", "grazie": "it",
    "obrigado": "pt", "obrigada": "pt", "bedankt": "nl", "tack": "sv", "dziękuję": "pl",
}  # fmt: skip
_LATIN = re.compile(r"LATIN|DIGIT")


@functools.cache
def _identifier() -> Any:
    """The model, read once a process: half a second. It keeps no state between texts."""
    langid: Any = importlib.import_module("py3langid.langid")
    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(SPOKEN))
    return identifier


class Languages:
    """Tells languages apart. `known` are the words of the articles, lower case. About 0.1 ms a text."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = frozenset(known)
        self._identifier = _identifier()

    def foreign(self, text: str) -> str | None:
        """The language of a text that is certainly not English, UNKNOWN when that is all that is certain; None of any
        other text."""
        found = words(text[:MOST_CHARS])
        if len(found) <= 2 and found and found[0] in _GREETINGS:
            return _GREETINGS[found[0]]
        letters = [char for char in text[:MOST_CHARS] if char.isalpha()]
        if not letters:
            return None
        strange = sum(1 for char in letters if not _LATIN.search(unicodedata.name(char, "LATIN")))
        strangely = strange * 2 >= len(letters)
        if not strangely and not self._may_be_foreign(found):
            return None
        language, probability = self._identifier.classify(text[:MOST_CHARS])
        if strangely:  # no English, whatever it is
            return str(language) if language != "en" and float(probability) >= LIKELY else UNKNOWN
        return str(language) if language != "en" and float(probability) >= CERTAIN else None

    def _may_be_foreign(self, found: list[str]) -> bool:
        told = [word for word in found if not word.isdigit()]
        known = sum(1 for word in told if word in self._known)
        return len(told) >= FEWEST_WORDS and known <= MOST_KNOWN * len(told)
