"""The kernel head: kernel ridge regression from a question to a score for each class. Pure numpy.

`K = exp(g·(X·Xᵀ − 1)) + c·L`, with X the vectors and L how alike the texts are in their letters (`knowledge.ngrams`);
`A = (K + λI)⁻¹·Y`, score `k(q)·A`. Measured in facts/retrieval.md and docs/decisions/0010. What a row would score had
it (or its whole group) not been learnt has a closed form, so that calibration needs no refit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH = 2.5
"""g."""

LETTERS = 0.4
"""c."""

RIDGE = 0.2
"""λ."""

SMALL = 300
"""Rows up to which a matrix is inverted as a whole."""

Matrix = NDArray[np.float64]


def kernel(cosines: Matrix, letters: Matrix) -> Matrix:
    """Similarity from both cosines, each about in 0..1 and of one shape; the result is above 0."""
    result: Matrix = np.exp(WIDTH * (cosines - 1.0)) + LETTERS * letters
    return result


@dataclass(frozen=True, slots=True)
class KernelHead:
    """A fitted head. `weights` has one row for each learnt row and one column a class."""

    weights: Matrix

    def scores(self, cosines: Matrix, letters: Matrix) -> Matrix:
        """The score of each class for questions by their cosines to the learnt rows, shape (questions, rows): about 1
        for their own class, about 0 for the others."""
        result: Matrix = kernel(cosines, letters) @ self.weights
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


def fit(cosines: Matrix, letters: Matrix, owners: Sequence[int], classes: int) -> tuple[KernelHead, LeftOut]:
    """Learn that row i belongs to class `owners[i]` of `classes`, from the rows' cosines to each other."""
    count = len(owners)
    targets = np.zeros((count, classes))
    targets[np.arange(count), np.asarray(owners, dtype=np.intp)] = 1.0
    gram = kernel(cosines, letters)
    gram[np.diag_indices(count)] += RIDGE
    inverse = _inverse(gram)
    weights: Matrix = inverse @ targets
    return KernelHead(weights), LeftOut(targets, weights, inverse)


def _inverse(matrix: Matrix) -> Matrix:
    """The inverse of a symmetric, positive definite matrix, by halves: multiplying is quicker than eliminating."""
    count = len(matrix)
    if count <= SMALL:
        return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    half = count // 2
    first, corner = _inverse(matrix[:half, :half]), matrix[half:, :half]
    carried = corner @ first
    second = _inverse(matrix[half:, half:] - carried @ corner.T)
    result = np.empty_like(matrix)
    lower = -(second @ carried)
    result[half:, half:] = second
    result[half:, :half] = lower
    result[:half, half:] = lower.T
    result[:half, :half] = first - carried.T @ lower
    return result
