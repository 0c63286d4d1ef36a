"""What confidence is worth: precision against coverage, and calibration. Pure.

Only questions that retrieval decided count: a rule has no confidence. A question is right here when its *first
candidate* is a right one, so that every threshold can be looked at, not only the one in use; nothing is ever right of a
question that is not ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.measure.outcomes import Asked, Outcome, share

THRESHOLDS: Final = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99)
BINS: Final = 10
LEAST_DRAWN: Final = 0.03


@dataclass(frozen=True, slots=True)
class Point:
    """If everything from `threshold` on were answered: the share of ours that is answered, the share of what is not
    ours that is, and the share of all answers that is right (None: there is no answer, or no such question)."""

    threshold: float
    answered: float | None
    not_ours_answered: float | None
    precision: float | None

    def to_json(self) -> dict[str, float | None]:
        """Rounded to a hundredth of a percent."""
        return {
            "threshold": round(self.threshold, 4),
            "answered": rounded(self.answered),
            "not_ours_answered": rounded(self.not_ours_answered),
            "precision": rounded(self.precision),
        }


def at_threshold(asked: Sequence[Asked], threshold: float) -> Point:
    """One point of precision against coverage."""
    routed = [one for one in asked if one.routed]
    above = [one for one in routed if one.said.confidence >= threshold]
    ours = sum(one.question.ours for one in routed)
    ours_above = sum(one.question.ours for one in above)
    return Point(
        threshold,
        share(ours_above, ours),
        share(len(above) - ours_above, len(routed) - ours),
        share(sum(one.first_right for one in above), len(above)),
    )


def curve(asked: Sequence[Asked]) -> list[Point]:
    """Precision against coverage at every confidence that occurs, the highest first."""
    routed = sorted((one for one in asked if one.routed), key=lambda one: -one.said.confidence)
    ours, points = sum(one.question.ours for one in routed), []
    answered = right = 0
    for at, one in enumerate(routed, 1):
        answered += one.question.ours
        right += one.first_right
        if at == len(routed) or routed[at].said.confidence < one.said.confidence:
            others = share(at - answered, len(routed) - ours)
            points.append(Point(one.said.confidence, share(answered, ours), others, right / at))
    return points


def calibration(asked: Sequence[Asked], promised: float) -> dict[str, Any]:
    """What the high band promises against what was measured in it, and the reliability of confidence by bins.

    The high band is what retrieval answered. `promised` is its precision; `error` is the expected calibration error:
    the mean distance of confidence and share right, weighted by the bins' counts.
    """
    routed = [one for one in asked if one.routed]
    high = [one for one in routed if one.outcome in (Outcome.RIGHT, Outcome.WRONG, Outcome.ANSWERED)]
    high_ours = [one for one in high if one.question.ours]
    bins = [_bin(routed, number) for number in range(BINS)]
    gaps = [one["count"] * abs(one["confidence"] - one["right"]) for one in bins if one["count"]]
    return {
        "decided_by_rule": len(asked) - len(routed),
        "promised": promised,
        "high_count": len(high),
        "measured": rounded(share(sum(one.outcome is Outcome.RIGHT for one in high), len(high))),
        "measured_ours": rounded(share(sum(one.outcome is Outcome.RIGHT for one in high_ours), len(high_ours))),
        "error": rounded(share(sum(gaps), len(routed))),
        "bins": bins,
    }


def _bin(routed: Sequence[Asked], number: int) -> dict[str, Any]:
    """One bin: its lower bound, how many are in it, their mean confidence and the share that is right."""
    inside = [one for one in routed if min(int(one.said.confidence * BINS), BINS - 1) == number]
    return {
        "from": number / BINS,
        "count": len(inside),
        "confidence": rounded(share(sum(one.said.confidence for one in inside), len(inside))),
        "right": rounded(share(sum(one.first_right for one in inside), len(inside))),
    }


def rounded(value: float | None) -> float | None:
    """To a hundredth of a percent."""
    return None if value is None else round(value, 4)


def plot(points: Sequence[Point], width: int = 50, height: int = 9) -> list[str]:
    """Precision (up) against coverage (right), in letters; nothing without points. Where next to nothing is answered
    precision jumps, so that is not drawn."""
    known = [(one.answered, one.precision) for one in points if one.answered and one.precision is not None]
    known = [(answered, precision) for answered, precision in known if answered >= LEAST_DRAWN]
    if not known:
        return []
    low = min(int(min(precision for _, precision in known) * 20) / 20, 0.95)
    step = (1.0 - low) / (height - 1)
    rows = [[" "] * (width + 1) for _ in range(height)]
    for answered, precision in known:
        rows[round((1.0 - precision) / step)][round(answered * width)] = "•"
    lines = [f"{1.0 - at * step:>7.1%} │{''.join(row).rstrip()}" for at, row in enumerate(rows)]
    ticks = "".join(f"{tick:<{width // 5}}" for tick in ("0", "20", "40", "60", "80", "100 % of ours answered"))
    return [*lines, f"{'':>7} └{'─' * (width + 1)}", f"{'':>9}{ticks}"]
