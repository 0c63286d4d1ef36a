"""What a customer typed, made ready for retrieval. Pure.

A question becomes a `Query`: clean text, and for a long one its sentences as well. Work is bounded whatever
comes in: the limits below.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from dataclasses import dataclass

LONG_WORDS = 30
"""Above this many words a text is a story: its sentences are looked at one by one (facts/retrieval.md)."""

MAX_CHARS = 20_000
MAX_SENTENCES = 40
MAX_SENTENCE_CHARS = 1_200
"""About 256 tokens, which is where the tokenizer cuts anyway."""

MAX_SENTENCES_CHARS = 8_000
"""Of all sentences together: about 0.4 s of one core."""

_LINK = re.compile(r"<((?:https?|mailto|tel):[^<>|]*)(?:\|([^<>]*))?>")
_MENTION = re.compile(r"<(@[UW][A-Z0-9]+|!subteam\^[A-Z0-9]+|![a-z]+)(?:\|[^<>]*)?>")
_CHANNEL = re.compile(r"<#C[A-Z0-9]+(?:\|([^<>]*))?>")
_DATE = re.compile(r"<!date\^[^<>|]*(?:\|([^<>]*))?>")
_EMOJI = re.compile(r":[a-z0-9_+'-]+:")
_MARKUP = re.compile(r"(?<!\w)[*~`]+|[*~`]+(?!\w)")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|[\n\r]+")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Query:
    """A question, ready to be looked up. `sentences` is empty unless the text is long."""

    text: str
    sentences: tuple[str, ...]

    @classmethod
    def of(cls, question: str) -> Query:
        text = normalise(question)
        return cls(text, sentences(text) if len(text.split()) > LONG_WORDS else ())

    @property
    def long(self) -> bool:
        """Whether the text is a story rather than a question."""
        return bool(self.sentences)


def normalise(text: str) -> str:
    """Text without Slack's markup, control characters and lone surrogates; white space collapsed."""
    plain = text[:MAX_CHARS].encode("utf-8", "replace").decode("utf-8")
    plain = _LINK.sub(lambda match: f" {match[2] or ''} ", plain)
    plain = _CHANNEL.sub(lambda match: f" {match[1] or ''} ", plain)
    plain = _DATE.sub(lambda match: f" {match[1] or ''} ", plain)
    plain = _EMOJI.sub(" ", _MENTION.sub(" ", plain))
    plain = unicodedata.normalize("NFKC", html.unescape(plain)).replace("’", "'")
    plain = "".join(_printable(char) for char in _MARKUP.sub(" ", plain))
    return " ".join(plain.split())[:MAX_CHARS]


def _printable(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    return " " if category.startswith("C") else char


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, as many as MAX_SENTENCES and MAX_SENTENCES_CHARS allow; a very long one is cut."""
    kept: list[str] = []
    room = MAX_SENTENCES_CHARS
    for part in _SENTENCE.split(text):
        sentence = part.strip()[: min(room, MAX_SENTENCE_CHARS)]
        if _WORD.search(sentence):
            kept.append(sentence)
            room -= len(sentence)
        if len(kept) == MAX_SENTENCES or room <= 0:
            break
    return tuple(kept)


def words(text: str) -> list[str]:
    """The words of a text, lower case, in order."""
    return _WORD.findall(text.lower())


def same_words(text: str) -> str:
    """What two texts share when they differ only in case, punctuation and white space."""
    return " ".join(words(normalise(text))) or text.strip()


def text_hash(text: str) -> str:
    """The name under which a text's vector is kept: sha256, hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
