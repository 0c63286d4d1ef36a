"""Articles: the knowledge text that is also the bot's programme.

An article says what the bot does when a question is about it. Its content is kept as immutable, numbered
revisions; a publication is the set of revisions that is live together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

MAX_ANSWER = 600
"""Characters of an article's `answer`: what one reads in Slack without scrolling."""


class Action(StrEnum):
    """What the bot does when a question is about the article."""

    ANSWER = "answer"
    LOOKUP = "lookup"
    HANDOFF = "handoff"


class Priority(StrEnum):
    """How soon a specialist should look at a handoff."""

    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Audience(StrEnum):
    """Who may read the article."""

    CUSTOMER = "customer"
    SPECIALIST = "specialist"


@dataclass(frozen=True, slots=True)
class Section:
    """One headed part of an article's Markdown body."""

    heading: str
    body: str


@dataclass(frozen=True, slots=True)
class Article:
    """What an author wrote. `answer` is said whole; for a handoff article it is said before handing over."""

    id: str
    title: str
    action: Action
    lookup: str | None
    priority: Priority
    audience: Audience
    questions: tuple[str, ...]
    answer: str
    effective_from: date
    review_by: date
    sources: tuple[str, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """An article's immutable, numbered content. `number` counts from 1 within the article."""

    number: int
    article: Article


@dataclass(frozen=True, slots=True)
class Publication:
    """The revisions that are live together. `number` rises with each publish; 0 means nothing was published."""

    number: int
    revisions: tuple[Revision, ...]

    def get(self, article_id: str) -> Revision | None:
        """The live revision of an article, None when it is not in this publication."""
        return next((revision for revision in self.revisions if revision.article.id == article_id), None)


@dataclass(frozen=True, slots=True)
class Citation:
    """The revision, and the heading in it, that an answer rests on. `heading` is None for the `answer` itself."""

    article: str
    title: str
    revision: int
    heading: str | None
    effective_from: date
