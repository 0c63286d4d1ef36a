"""The kernel head: kernel ridge regression from a question's vector to a score for each class. Pure numpy.

`K = exp(g·(X·Xᵀ − 1))`, `A = (K + λI)⁻¹·Y`, score `exp(g·(q·Xᵀ − 1))·A`; measured in facts/retrieval.md.
What a row would score had it (or its whole group) not been learnt has a closed form, so that calibration
needs no refit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH = 2.0
"""g: 2 to 4 measured alike."""

RIDGE = 0.1
"""λ."""

Matrix = NDArray[np.float64]


def kernel(left: NDArray[np.float32], right: NDArray[np.float32]) -> Matrix:
    """Similarity of unit vectors, in (0, 1]; shape (len(left), len(right))."""
    cosines = np.asarray(left @ right.T, dtype=np.float64)
    result: Matrix = np.exp(WIDTH * (cosines - 1.0))
    return result


@dataclass(frozen=True, slots=True)
class KernelHead:
    """A fitted head. `rows` are the learnt vectors, `weights` has one column a class."""

    rows: NDArray[np.float32]
    weights: Matrix

    def scores(self, vectors: NDArray[np.float32]) -> Matrix:
        """The score of each class for each vector: about 1 for its own class, about 0 for the others."""
        result: Matrix = kernel(vectors, self.rows) @ self.weights
        return result


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What learnt rows score when the head has not seen them."""

    targets: Matrix
    weights: Matrix
    inverse: Matrix

    def without_self(self) -> Matrix:
        """For each row, its scores by the head fitted without that row: `Y − A / diag((K+λI)⁻¹)`."""
        result: Matrix = self.targets - self.weights / np.diag(self.inverse)[:, None]
        return result

    def without_group(self, group: Sequence[int]) -> Matrix:
        """For the rows of `group`, their scores by the head fitted without any of them."""
        index = np.asarray(group, dtype=np.intp)
        block = self.inverse[np.ix_(index, index)]
        result: Matrix = self.targets[index] - np.linalg.solve(block, self.weights[index])
        return result


def fit(rows: NDArray[np.float32], owners: Sequence[int], classes: int) -> tuple[KernelHead, LeftOut]:
    """Learn that row i belongs to class `owners[i]` of `classes`."""
    targets = np.zeros((len(rows), classes))
    targets[np.arange(len(rows)), np.asarray(owners, dtype=np.intp)] = 1.0
    inverse = np.asarray(np.linalg.inv(kernel(rows, rows) + RIDGE * np.eye(len(rows))), dtype=np.float64)
    weights: Matrix = inverse @ targets
    return KernelHead(rows, weights), LeftOut(targets, weights, inverse)
