"""What became of a question, and the counts of it. Pure.

A question of ours is

    right         an article among the right ones was said, whatever its action; with others beside it, too
    offered       asked back, with a right one among the choices
    asked_back    asked back without a right one, or for English
    handed_over   a person was called and no wrong article was said
    wrong         a wrong article was said, or small talk was made of a real question

One that is not ours is `answered` (any article was said), `asked_back`, `handed_over` or `small_talk`.

The article talk-to-person counts as handing over, by rule or by routing: all it says is that a person will come. Where
it is among the right ones it is right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from bot.domain.policy import PERSON_ARTICLE
from bot.measure.questions import Question
from bot.services.asking import Asking


class Outcome(StrEnum):
    """See the module. Ours first, then what is not ours."""

    RIGHT = "right"
    OFFERED = "offered"
    WRONG = "wrong"
    ASKED_BACK = "asked_back"
    HANDED_OVER = "handed_over"
    ANSWERED = "answered"
    SMALL_TALK = "small_talk"


OURS: Final = (Outcome.RIGHT, Outcome.OFFERED, Outcome.ASKED_BACK, Outcome.HANDED_OVER, Outcome.WRONG)
NOT_OURS: Final = (Outcome.ANSWERED, Outcome.ASKED_BACK, Outcome.HANDED_OVER, Outcome.SMALL_TALK)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with what was said. `ms`: how long that took, wall time."""

    question: Question
    said: Asking
    ms: float

    @property
    def articles(self) -> tuple[str, ...]:
        """The articles that the customer read, the first one first."""
        named = (self.said.article, *(citation.article for citation in self.said.citations))
        return tuple(dict.fromkeys(name for name in named if name is not None))

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        told, right, ours = self.articles, set(self.question.right), self.question.ours
        if right & set(told):
            return Outcome.RIGHT
        if self.said.action == "handoff" and set(told) <= {PERSON_ARTICLE}:
            return Outcome.HANDED_OVER
        if told:
            return Outcome.WRONG if ours else Outcome.ANSWERED
        if self.said.action == "clarify":
            return Outcome.OFFERED if right & set(self.said.offered) else Outcome.ASKED_BACK
        return Outcome.WRONG if ours else Outcome.SMALL_TALK

    @property
    def bad(self) -> bool:
        """Whether somebody read what does not fit."""
        return self.outcome in (Outcome.WRONG, Outcome.ANSWERED)

    @property
    def routed(self) -> bool:
        """Whether retrieval decided, so that its confidence means something."""
        return not self.said.by_rule and bool(self.said.candidates)

    @property
    def first_right(self) -> bool:
        """Whether the first candidate is a right one."""
        return self.said.candidates[:1] != () and self.said.candidates[0] in self.question.right

    @property
    def shown(self) -> str:
        """What was said, in a word or two."""
        return " + ".join(self.articles) or self.said.reason


@dataclass(slots=True)
class Figures:
    """Counts by outcome, of ours and of what is not ours, and the shares that targets are about."""

    ours: Counter[Outcome] = field(default_factory=Counter)
    not_ours: Counter[Outcome] = field(default_factory=Counter)
    beside: int = 0
    """Right ones that said another article as well."""

    @classmethod
    def of(cls, asked: Iterable[Asked]) -> Figures:
        figures = cls()
        for one in asked:
            (figures.ours if one.question.ours else figures.not_ours)[one.outcome] += 1
            figures.beside += one.outcome is Outcome.RIGHT and not set(one.articles) <= set(one.question.right)
        return figures

    def shares(self) -> dict[str, float | None]:
        """The shares by name; None where there was no such question."""
        count, others = self.ours.total(), self.not_ours.total()
        return {
            "right": share(self.ours[Outcome.RIGHT], count),
            "right_or_offered": share(self.ours[Outcome.RIGHT] + self.ours[Outcome.OFFERED], count),
            "wrong": share(self.ours[Outcome.WRONG], count),
            "not_ours_answered": share(self.not_ours[Outcome.ANSWERED], others),
        }

    def to_json(self) -> dict[str, Any]:
        """Counts, with zeros, and shares."""
        return {
            "ours": {"count": self.ours.total(), **{str(name): self.ours[name] for name in OURS}},
            "not_ours": {"count": self.not_ours.total(), **{str(name): self.not_ours[name] for name in NOT_OURS}},
            "right_with_others_beside": self.beside,
            "shares": self.shares(),
        }


@dataclass(frozen=True, slots=True)
class Target:
    """What a share should be: at least, or at most, `limit`."""

    name: str
    limit: float
    at_least: bool

    def held_by(self, shares: Mapping[str, float | None]) -> bool:
        """What was not measured does not hold: a file that went missing must not pass."""
        value = shares[self.name]
        return value is not None and (value >= self.limit if self.at_least else value <= self.limit)


TARGETS: Final = (
    Target("right", 0.85, at_least=True),
    Target("right_or_offered", 0.95, at_least=True),
    Target("wrong", 0.03, at_least=False),
    Target("not_ours_answered", 0.02, at_least=False),
)


def share(part: float, whole: float) -> float | None:
    """A share, unrounded; None of nothing."""
    return part / whole if whole else None


def by_group(asked: Iterable[Asked]) -> dict[str, dict[str, Any]]:
    """Figures by group, in the order of first appearance."""
    groups: dict[str, list[Asked]] = {}
    for one in asked:
        groups.setdefault(one.question.group, []).append(one)
    return {name: Figures.of(members).to_json() for name, members in groups.items()}


def by_article(asked: Iterable[Asked]) -> dict[str, dict[str, int]]:
    """By article, in order: questions that it is the first right one of, by outcome; and how often it was said where
    it does not fit. An article that no question is about is there when it was said wrongly."""
    table: dict[str, Counter[str]] = {}
    for one in asked:
        if one.question.ours:
            row = table.setdefault(one.question.right[0], Counter())
            row.update(("count", one.outcome))
        if one.bad:
            for name in one.articles:
                table.setdefault(name, Counter())["said_wrongly"] += 1
    columns = ("count", *OURS, "said_wrongly")
    return {name: {str(column): row[column] for column in columns} for name, row in sorted(table.items())}


def confusion(asked: Iterable[Asked], *, first: bool) -> list[dict[str, Any]]:
    """Pairs of what was expected and what came instead, the most frequent first. `first`: what came is the first
    candidate of a question that retrieval decided, said or not; else it is what was wrongly said."""
    pairs: Counter[tuple[str, str]] = Counter()
    for one in asked:
        expected = one.question.right[0] if one.question.ours else "(not ours)"
        if first and one.routed and one.question.ours and not one.first_right:
            pairs[expected, one.said.candidates[0]] += 1
        if not first and one.bad:
            pairs[expected, one.shown] += 1
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return [{"expected": expected, "came": came, "count": count} for (expected, came), count in ranked]
