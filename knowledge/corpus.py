"""Everything of one publication that can be found: phrasings, chunks, and what is not ours."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from bot.domain.articles import Article, Audience, Publication
from bot.errors import ArticleError
from knowledge.chunks import Chunk, chunked
from knowledge.text import normalise, words

COMMON: Final = 3
"""Phrasings from which on a word counts as one of our language."""

NOT_OURS_FILE: Final = Path(__file__).parent / "data" / "not_ours.yaml"


@dataclass(frozen=True, slots=True)
class Topic:
    """A group of phrasings that no article is about. It is dropped when one of `unless` is published."""

    name: str
    unless: frozenset[str]
    phrasings: tuple[str, ...]


def not_ours(path: Path = NOT_OURS_FILE) -> tuple[Topic, ...]:
    """The topics of what is not ours. Raises ArticleError when the file breaks its format."""
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ArticleError(path.name, (f"cannot be read: {type(error).__name__}",)) from error
    if not isinstance(entries, list):
        raise ArticleError(path.name, ("must be a list of topics",))
    problems = [problem for number, entry in enumerate(entries, 1) for problem in _topic_problems(number, entry)]
    if problems:
        raise ArticleError(path.name, tuple(problems))
    return tuple(
        Topic(entry["topic"], frozenset(entry.get("unless", ())), tuple(entry["phrasings"])) for entry in entries
    )


def _topic_problems(number: int, entry: Any) -> list[str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("topic"), str):
        return [f"entry {number}: must have a topic"]
    name, problems = entry["topic"], []
    if unknown := sorted(str(key) for key in entry.keys() - {"topic", "unless", "phrasings"}):
        problems.append(f"{name}: unknown key {', '.join(unknown)}")
    for key in ("unless", "phrasings"):
        value = entry.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            problems.append(f"{name}: {key} must be a list of texts")
    if not entry.get("phrasings"):
        problems.append(f"{name}: phrasings is empty")
    return problems


@dataclass(frozen=True, slots=True)
class Corpus:
    """One publication, flattened. Classes are the articles by position; the last class is what is not ours.

    `rows` are all phrasings, made ready like questions; `owners` gives each row's class and `groups` its article
    or topic of what is not ours, numbered through.
    """

    publication: Publication
    articles: tuple[Article, ...]
    rows: tuple[str, ...]
    owners: tuple[int, ...]
    groups: tuple[int, ...]
    chunks: tuple[Chunk, ...]

    @classmethod
    def of(cls, publication: Publication, topics: Collection[Topic]) -> Corpus:
        articles = tuple(revision.article for revision in publication.revisions)
        ids = {article.id for article in articles}
        others = [topic for topic in topics if not topic.unless & ids]
        rows = [(normalise(text), at, at) for at, article in enumerate(articles) for text in article.questions]
        rows += [
            (normalise(text), len(articles), len(articles) + at)
            for at, topic in enumerate(others)
            for text in topic.phrasings
        ]
        return cls(
            publication,
            articles,
            tuple(text for text, _, _ in rows),
            tuple(owner for _, owner, _ in rows),
            tuple(group for _, _, group in rows),
            chunked(articles),
        )

    @property
    def other(self) -> int:
        """The class of what is not ours."""
        return len(self.articles)

    @property
    def texts(self) -> tuple[str, ...]:
        """What is embedded: the rows, then the chunks."""
        return self.rows + tuple(chunk.text for chunk in self.chunks)

    def learns_as(self, other: Corpus) -> bool:
        """Whether a head learns the same from both."""
        return (self.other, self.rows, self.owners, self.groups) == (
            other.other,
            other.rows,
            other.owners,
            other.groups,
        )

    @property
    def key(self) -> str:
        """Names what a head learns: the rows with their owners and groups (sha256, hex)."""
        digest = hashlib.sha256(repr(self.other).encode())
        for row, owner, group in zip(self.rows, self.owners, self.groups, strict=True):
            digest.update(f"{owner}\0{group}\0{row}\0".encode())
        return digest.hexdigest()

    @property
    def vocabulary(self) -> frozenset[str]:
        """The words of our language in it, lower case: those of the articles' own texts, and those that several
        phrasings have. Customers write single words of theirs between."""
        often = Counter(word for row in self.rows for word in set(words(row)))
        written = {word for chunk in self.chunks for word in words(chunk.text)}
        return frozenset(written | {word for word, rows in often.items() if rows >= COMMON})

    def visible(self, audience: Audience) -> tuple[bool, ...]:
        """By article: may this audience read it? Specialists read everything."""
        return tuple(audience is Audience.SPECIALIST or article.audience is audience for article in self.articles)
