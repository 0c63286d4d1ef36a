"""What `eval` counts, over hand-made outcomes."""

from __future__ import annotations

from datetime import date

import pytest

from bot.domain.articles import Citation
from bot.measure.confidence import at_threshold, calibration, curve, plot
from bot.measure.outcomes import TARGETS, Asked, Figures, by_article, by_group, confusion
from bot.measure.questions import Question
from bot.services.asking import Asking


def asked(
    right: str,
    action: str,
    said: str = "",
    *,
    offered: str = "",
    first: str = "refund",
    confidence: float = 0.5,
    by_rule: bool = False,
    group: str = "a",
) -> Asked:
    """A question with what was said to it; articles are given as words."""
    question = Question("?", tuple(right.split()), group, "file, line 1")
    named = said.split()
    cited = tuple(Citation(name, name, 1, None, date(2026, 1, 1)) for name in named)
    candidates = (first, "other")
    choices, article = tuple(offered.split()), named[0] if named else None
    line = Asking("?", action, article, candidates, confidence, "", cited, "why", choices, by_rule)
    return Asked(question, line, 1.0)


@pytest.mark.parametrize(
    ("one", "outcome"),
    [
        (asked("refund", "answer", "refund"), "right"),
        (asked("refund timing", "lookup", "timing"), "right"),
        (asked("stolen", "handoff", "stolen"), "right"),
        (asked("refund", "answer", "timing refund"), "right"),  # two questions in one were heard
        (asked("talk-to-person", "handoff", "talk-to-person", by_rule=True), "right"),
        (asked("refund", "answer", "timing"), "wrong"),
        (asked("refund", "handoff", "stolen"), "wrong"),
        (asked("refund", "answer", by_rule=True), "wrong"),  # small talk
        (asked("refund", "clarify", offered="timing refund"), "offered"),
        (asked("refund", "clarify", offered="timing stolen"), "asked_back"),
        (asked("refund", "clarify"), "asked_back"),  # "I read English only", whatever the candidates are
        (asked("refund", "handoff"), "handed_over"),
        (asked("refund", "handoff", "talk-to-person"), "handed_over"),
        (asked("", "answer", "refund"), "answered"),
        (asked("", "lookup", "refund"), "answered"),
        (asked("", "handoff", "stolen"), "answered"),
        (asked("", "handoff", "talk-to-person"), "handed_over"),
        (asked("", "handoff"), "handed_over"),
        (asked("", "clarify", offered="refund"), "asked_back"),
        (asked("", "answer", by_rule=True), "small_talk"),
    ],
)
def test_each_outcome_has_its_name(one: Asked, outcome: str) -> None:
    assert one.outcome == outcome
    assert one.bad == (outcome in ("wrong", "answered"))


HAND_MADE = [
    *[asked("refund", "answer", "refund", confidence=0.95)] * 6,
    asked("refund", "answer", "refund timing", confidence=0.95),
    asked("refund", "clarify", offered="refund", confidence=0.55, group="b"),
    asked("timing", "answer", "refund", confidence=0.91, group="b"),
    asked("stolen", "handoff", "stolen", by_rule=True, confidence=1.0, group="b"),
    asked("", "answer", "refund", confidence=0.85, group="b"),
    asked("", "handoff", confidence=0.05, group="b"),
    asked("", "answer", by_rule=True, confidence=1.0, group="b"),
]


def test_shares_are_of_ours_and_of_what_is_not_ours() -> None:
    figures = Figures.of(HAND_MADE)
    assert figures.shares() == {
        "right": 0.8,
        "right_or_offered": 0.9,
        "wrong": 0.1,
        "not_ours_answered": pytest.approx(1 / 3),
    }
    counts = figures.to_json()
    assert counts["ours"] == {"count": 10, "right": 8, "offered": 1, "asked_back": 0, "handed_over": 0, "wrong": 1}
    assert counts["not_ours"] == {"count": 3, "answered": 1, "asked_back": 0, "handed_over": 1, "small_talk": 1}
    assert counts["right_with_others_beside"] == 1


def test_targets_hold_up_to_their_limit_and_never_for_what_was_not_measured() -> None:
    exact = {"right": 0.85, "right_or_offered": 0.95, "wrong": 0.03, "not_ours_answered": 0.02}
    assert all(target.held_by(exact) for target in TARGETS)
    missed = {"right": 0.849, "right_or_offered": 0.949, "wrong": 0.031, "not_ours_answered": 0.021}
    assert not any(target.held_by(missed) for target in TARGETS)
    assert not any(target.held_by(Figures().shares()) for target in TARGETS)


def test_figures_by_group_and_by_article() -> None:
    groups = by_group(HAND_MADE)
    assert list(groups) == ["a", "b"]
    assert groups["a"]["shares"] == {"right": 1.0, "right_or_offered": 1.0, "wrong": 0.0, "not_ours_answered": None}
    articles = by_article(HAND_MADE)
    assert list(articles) == ["refund", "stolen", "timing"]
    assert articles["refund"] | {"count": 8, "right": 7, "offered": 1, "said_wrongly": 2} == articles["refund"]
    assert articles["timing"] | {"count": 1, "wrong": 1, "said_wrongly": 0} == articles["timing"]


def test_confusion_counts_what_was_said_and_what_came_first() -> None:
    assert confusion(HAND_MADE, first=False) == [
        {"expected": "(not ours)", "came": "refund", "count": 1},
        {"expected": "timing", "came": "refund", "count": 1},
    ]
    unsaid = asked("timing", "clarify", first="stolen")
    assert confusion([*HAND_MADE, unsaid], first=True) == [
        {"expected": "timing", "came": "refund", "count": 1},
        {"expected": "timing", "came": "stolen", "count": 1},
    ]


def test_precision_against_coverage_leaves_rules_out() -> None:
    point = at_threshold(HAND_MADE, 0.9)
    assert (point.answered, point.not_ours_answered) == (pytest.approx(8 / 9), 0.0)
    assert point.precision == pytest.approx(7 / 8)
    everything = at_threshold(HAND_MADE, 0.0)
    assert (everything.answered, everything.not_ours_answered) == (1.0, 1.0)
    assert everything.precision == pytest.approx(8 / 11)
    assert at_threshold([], 0.5).precision is None


def test_the_curve_has_a_point_for_each_confidence_that_occurs() -> None:
    points = curve(HAND_MADE)
    assert [point.threshold for point in points] == [0.95, 0.91, 0.85, 0.55, 0.05]
    for point in points:
        assert point == at_threshold(HAND_MADE, point.threshold)


def test_calibration_measures_the_high_band_and_each_bin() -> None:
    found = calibration(HAND_MADE, 0.97)
    assert (found["decided_by_rule"], found["high_count"], found["promised"]) == (2, 9, 0.97)
    assert found["measured"] == pytest.approx(7 / 9, abs=1e-4)
    assert found["measured_ours"] == pytest.approx(7 / 8, abs=1e-4)
    assert [one["count"] for one in found["bins"]] == [1, 0, 0, 0, 0, 1, 0, 0, 1, 8]
    assert found["bins"][9] == {"from": 0.9, "count": 8, "confidence": 0.945, "right": 0.875}
    assert found["bins"][1]["right"] is None
    # 8 × |0.945 − 0.875| + |0.85 − 0| + |0.55 − 1| + |0.05 − 0|, of 11
    assert found["error"] == pytest.approx((8 * 0.07 + 0.85 + 0.45 + 0.05) / 11, abs=1e-4)
    sure = asked("refund", "answer", "refund", confidence=1.0)
    assert calibration([sure], 0.97)["bins"][9]["count"] == 1
    assert calibration([], 0.97)["error"] is None


def test_the_plot_fits_whatever_the_points_are() -> None:
    assert plot([]) == []
    for points in (curve(HAND_MADE), curve([asked("refund", "answer", "refund")]), curve([asked("x", "answer", "y")])):
        lines = plot(points)
        assert len(lines) == 11
        assert sum(line.count("•") for line in lines) >= 1
