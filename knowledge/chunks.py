"""The parts of an article that can be found and quoted: its answer, and each of its sections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.articles import Article, Audience


@dataclass(frozen=True, slots=True)
class Chunk:
    """One part. `heading` is None for the article's `answer`. The title counts for words only: prefixed to
    the embedded text it lowered the hits."""

    article: str
    audience: Audience
    title: str
    heading: str | None
    body: str

    @property
    def text(self) -> str:
        """What is embedded."""
        return f"{self.heading}\n{self.body}" if self.heading else self.body


def chunks_of(article: Article) -> tuple[Chunk, ...]:
    """The answer first, then the sections in their order."""
    parts = [(None, article.answer), *((section.heading, section.body) for section in article.sections)]
    return tuple(Chunk(article.id, article.audience, article.title, heading, body) for heading, body in parts)


def chunked(articles: Iterable[Article]) -> tuple[Chunk, ...]:
    """The chunks of all articles, in order."""
    return tuple(chunk for article in articles for chunk in chunks_of(article))
