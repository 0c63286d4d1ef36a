"""How sure is "the first article is the right one"? A small logistic model and two thresholds. Pure numpy.

It is fitted on what the head says about phrasings that it has not learnt (see `knowledge.leave_out`), never on
an evaluation set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.domain.routing import Band

PRECISION: Final = 0.95
"""Of what is answered, the share that must be right."""

LOST: Final = 0.015
"""Of the questions that have the right article among their first three, the share that may be handed over at once;
it is spent on whatever is least like a question of ours."""

DOUBT: Final = 0.5
"""Half a wrong question is added to every count, so that a threshold rests on more than a handful."""

RIDGE: Final = 1.0
STEPS: Final = 50
NEVER: Final = 1.01
"""A threshold that no confidence reaches."""

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Examples:
    """Left-out questions. `right`: the first candidate is the right one; `offered`: it is among the first three.
    `weight` says how often such a question is expected."""

    features: Matrix
    right: Flags
    offered: Flags
    weight: Matrix


@dataclass(frozen=True, slots=True)
class Calibration:
    """Confidence from features, and bands from confidence. Plain numbers: it can be stored."""

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    high: float
    low: float

    def confidence(self, features: Matrix) -> Matrix:
        """The chance that the first article is right, for each row of features."""
        standard = (features - np.asarray(self.centre)) / np.asarray(self.scale)
        return _sigmoid(standard @ np.asarray(self.weights) + self.bias)

    def band(self, confidence: float) -> Band:
        """What to do at this confidence."""
        if confidence >= self.high:
            return Band.HIGH
        return Band.MIDDLE if confidence >= self.low else Band.LOW


def calibrate(examples: Examples) -> Calibration:
    """Fit the model and choose the thresholds. Without examples nothing is ever answered."""
    count = examples.features.shape[1]
    if not examples.right.any() or examples.right.all():
        return Calibration((0.0,) * count, (1.0,) * count, (0.0,) * count, 0.0, NEVER, 0.0)
    centre = np.average(examples.features, axis=0, weights=examples.weight)
    spread = np.sqrt(np.average((examples.features - centre) ** 2, axis=0, weights=examples.weight))
    scale = np.where(spread > 1e-9, spread, 1.0)
    weights, bias = _rising((examples.features - centre) / scale, examples.right, examples.weight)
    fitted = Calibration(_plain(centre), _plain(scale), _plain(weights), bias, NEVER, NEVER)
    confidence = fitted.confidence(examples.features)
    high = threshold(confidence, examples.right, examples.weight, PRECISION)
    low = floor(confidence[examples.offered], examples.weight[examples.offered], LOST)
    return Calibration(fitted.centre, fitted.scale, fitted.weights, bias, high, min(low, high))


def threshold(confidence: Matrix, right: Flags, weight: Matrix, share: float) -> float:
    """The lowest confidence from which on at least `share` of the weight is right; NEVER when there is none."""
    if len(confidence) == 0:
        return NEVER
    order = np.argsort(-confidence, kind="stable")
    ranked, weights = confidence[order], weight[order]
    precision = np.cumsum(weights * right[order]) / (np.cumsum(weights) + DOUBT)
    last_of_ties = np.append(ranked[1:] < ranked[:-1], True)
    good = np.flatnonzero((precision >= share) & last_of_ties)
    return float(ranked[good[-1]]) if len(good) else NEVER


def floor(confidence: Matrix, weight: Matrix, share: float) -> float:
    """The highest confidence below which at most `share` of the weight lies; 0 when there is nothing."""
    if len(confidence) == 0:
        return 0.0
    order = np.argsort(confidence, kind="stable")
    below = np.cumsum(weight[order]) - weight[order]
    return float(confidence[order][below <= share * weight.sum()][-1])


def _rising(features: Matrix, right: Flags, weight: Matrix) -> tuple[Matrix, float]:
    """The logistic fit whose weights are none below zero: more of any evidence never makes less sure. What would
    get a negative weight, which happens when features say nearly the same, is left out, the worst first."""
    used = np.ones(features.shape[1], dtype=bool)
    weights = np.zeros(features.shape[1])
    while True:
        fitted, bias = _logistic(features[:, used], right, weight)
        if not (fitted < 0).any():
            weights[used] = fitted
            return weights, bias
        used[np.flatnonzero(used)[int(np.argmin(fitted))]] = False


def _logistic(features: Matrix, right: Flags, weight: Matrix) -> tuple[Matrix, float]:
    """Weighted logistic regression with an L2 penalty on all but the bias, by Newton's method."""
    design = np.column_stack([features, np.ones(len(features))])
    penalty = np.diag([RIDGE] * features.shape[1] + [1e-6])
    beta = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = _sigmoid(design @ beta)
        gradient = design.T @ (weight * (chance - right)) + penalty @ beta
        curvature = (design * (weight * chance * (1.0 - chance))[:, None]).T @ design + penalty
        step = np.linalg.solve(curvature, gradient)
        beta = beta - step
        if float(np.abs(step).max()) < 1e-8:
            break
    return beta[:-1], float(beta[-1])


def _sigmoid(values: Matrix) -> Matrix:
    result: Matrix = 1.0 / (1.0 + np.exp(-np.clip(values, -35.0, 35.0)))
    return result


def _plain(values: Matrix | Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
