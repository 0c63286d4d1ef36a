"""Questions that nothing was tuned on. The figures are printed (`pytest -s`); only robust facts are asserted."""

from __future__ import annotations

from collections import Counter

from bot.domain.routing import Band, Routing
from knowledge.index import Index
from tests.knowledge.held_out import NOT_OURS, OURS


def outcome(routing: Routing, right: str) -> str:
    ids = [candidate.article for candidate in routing.candidates]
    if routing.band is Band.HIGH:
        return "right" if ids[0] == right else "wrong"
    if routing.band is Band.MIDDLE:
        return "asked back with the right one" if right in ids[:3] else "asked back without"
    return "handed over"


def figures(index: Index) -> tuple[Counter[str], Counter[str]]:
    ours = Counter(outcome(index.route(question), right) for question, right in OURS)
    others = Counter(str(index.route(question).band) for question in NOT_OURS)
    print(f"\nours ({len(OURS)}): {dict(ours)}\nnot ours ({len(NOT_OURS)}): {dict(others)}")
    return ours, others


def test_held_out_questions_with_embeddings(index: Index) -> None:
    assert len(OURS) >= 60
    assert len(NOT_OURS) >= 20
    ours, others = figures(index)
    assert ours["wrong"] <= 2
    assert ours["right"] >= 0.5 * len(OURS)
    assert ours["right"] + ours["asked back with the right one"] >= 0.9 * len(OURS)
    assert others["high"] <= 1
    assert others["low"] >= 0.5 * len(NOT_OURS)


def test_held_out_questions_by_words_only(words_index: Index) -> None:
    ours, others = figures(words_index)
    assert ours["right"] + ours["wrong"] == 0
    assert ours["asked back with the right one"] >= 0.8 * len(OURS)
    assert others["high"] == 0
