"""The own questions, which nothing was fitted on: only robust facts are asserted, `make eval` gives the figures."""

from __future__ import annotations

import json
from collections import Counter

from bot.domain.routing import Band, Routing
from bot.measure.questions import OWN
from knowledge.index import Index

LEAST_QUESTIONS, LEAST_NOT_OURS = 300, 60


def questions() -> list[tuple[str, frozenset[str]]]:
    """Each with the articles that would be right; none means not ours."""
    lines = [line for path in sorted(OWN.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    return [(one["question"], frozenset(one["right"])) for one in map(json.loads, lines)]


def outcome(routing: Routing, right: frozenset[str]) -> str:
    ids = [candidate.article for candidate in routing.candidates]
    if not right:
        return f"not ours: {routing.band}"
    if routing.band is Band.HIGH:
        return "right" if ids[0] in right else "wrong"
    offered = routing.band is Band.MIDDLE and right & set(ids[:3])
    return "offered" if offered else "neither"


def test_there_are_enough_questions_for_every_article(index: Index) -> None:
    asked = questions()
    assert sum(bool(right) for _, right in asked) >= LEAST_QUESTIONS
    assert sum(not right for _, right in asked) >= LEAST_NOT_OURS
    published = {article.id for article in index.corpus.articles}
    assert {name for _, right in asked for name in right} == published


def test_no_question_is_a_phrasing(index: Index) -> None:
    asked = {text.strip().lower() for text, _ in questions()}
    same = asked & {row.lower() for row in index.corpus.rows}
    assert len(same) <= 0.01 * len(asked), same


def test_the_own_questions_are_answered_rightly_or_asked_back(index: Index) -> None:
    found = Counter(outcome(index.route(text), right) for text, right in questions())
    ours = sum(found[kind] for kind in ("right", "wrong", "offered", "neither"))
    others = found.total() - ours
    assert found["right"] >= 0.84 * ours
    assert found["wrong"] <= 0.03 * ours
    assert found["right"] + found["offered"] >= 0.93 * ours
    assert found["not ours: high"] <= 0.03 * others
    assert found["right"] >= 0.93 * (found["right"] + found["wrong"] + found["not ours: high"])
