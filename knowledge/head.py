"""The kernel head: kernel ridge regression from a question to a score for each class. Pure numpy.

`K = exp(g·(X·Xᵀ − 1)) + c·L`, with X the vectors and L how alike the texts are in their letters (`knowledge.ngrams`);
`A = (K + λI)⁻¹·Y`, score `k(q)·A`. Measured in facts/retrieval.md and docs/decisions/0010. What a row would score had
it (or its whole group) not been learnt has a closed form, so that calibration needs no refit.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 2.5
"""g."""

LETTERS: Final = 0.4
"""c."""

RIDGE: Final = 0.2
"""λ."""

SMALL: Final = 300
"""Rows up to which a matrix is inverted as a whole."""

LANDMARKS: Final = 1_000
"""Rows that a sketch compares with."""

OTHERS: Final = 4
"""How many landmarks are of what is not ours, for each of an article."""

JITTER: Final = 1e-3
"""Keeps a matrix of landmarks that are nearly the same invertible."""

FORMAT: Final = f"1;g={WIDTH};c={LETTERS};r={RIDGE}"
"""Heads of two formats are never mixed up."""

Matrix = NDArray[np.float64]
Stored = NDArray[np.float32]


def kernel(cosines: NDArray[np.floating], letters: NDArray[np.floating]) -> Matrix:
    """Similarity from both cosines, each about in 0..1 and of one shape; the result is above 0."""
    result = np.asarray(cosines, dtype=np.float64) - 1.0
    result *= WIDTH
    np.exp(result, out=result)
    result += np.multiply(letters, LETTERS)
    return result


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted head, as plain numbers: it can be stored. Each matrix has a row for each learnt row, and a column for
    each class.

    `weights` make scores from a kernel. `alone` is what each row would score had it not been learnt, `grouped` the
    same without its whole group. `sketch`: fitted from some of the rows, quickly; the other rows' weights are 0.
    """

    weights: Stored
    alone: Stored
    grouped: Stored
    sketch: bool = False

    def scores(self, cosines: NDArray[np.floating], letters: NDArray[np.floating]) -> Matrix:
        """The score of each class for questions by their cosines to the learnt rows, shape (questions, rows): about 1
        for their own class, about 0 for the others."""
        found = kernel(cosines, letters).astype(np.float32) @ self.weights
        return found.astype(np.float64)

    def to_bytes(self, key: str) -> bytes:
        """As a file of numpy, with the key that it is asked for by. What only calibration needs is kept in half the
        precision."""
        file = io.BytesIO()
        np.savez_compressed(
            file,
            key=np.array(key),
            weights=self.weights,
            alone=self.alone.astype(np.float16),
            grouped=self.grouped.astype(np.float16),
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, key: str, rows: int, classes: int) -> Fitted | None:
        """What `to_bytes` gave; None when it is damaged, of another key or of another shape."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as kept:
                if str(kept["key"]) != key:
                    return None
                parts = [kept[name].astype(np.float32) for name in ("weights", "alone", "grouped")]
        except (OSError, EOFError, ValueError, KeyError, BadZipFile, zlib.error):
            return None
        fits = all(part.shape == (rows, classes) and np.isfinite(part).all() for part in parts)
        return cls(*parts) if fits else None


def fit(
    cosines: NDArray[np.floating],
    letters: NDArray[np.floating],
    owners: Sequence[int],
    groups: Sequence[int],
    classes: int,
) -> Fitted:
    """Learn that row i belongs to class `owners[i]` of `classes`, from the rows' cosines to each other.

    Without itself a row scores `Y − A / diag((K+λI)⁻¹)`; a group the same with the block of the inverse.
    """
    targets = _targets(owners, classes)
    gram = kernel(cosines, letters)
    gram[np.diag_indices(len(targets))] += RIDGE
    inverse = _inverse(gram)
    del gram
    weights = inverse @ targets
    alone = targets - weights / np.diag(inverse)[:, None]
    grouped = np.empty_like(targets)
    for group in _members(groups):
        grouped[group] = targets[group] - np.linalg.solve(inverse[np.ix_(group, group)], weights[group])
    return Fitted(_stored(weights), _stored(alone), _stored(grouped))


def landmarks(owners: Sequence[int], classes: int) -> NDArray[np.intp]:
    """The rows that a sketch compares with, always the same ones: of each class equally many, so that all of a small
    one's are among them; of the last one, what is not ours, OTHERS times as many."""
    numbers = np.asarray(owners, dtype=np.intp)
    turn = np.empty(len(numbers))
    chance = np.random.default_rng(0)
    for owner in np.unique(numbers):
        members = np.flatnonzero(numbers == owner)
        turn[chance.permutation(members)] = np.arange(len(members)) / (OTHERS if owner == classes - 1 else 1)
    chosen: NDArray[np.intp] = np.sort(np.argsort(turn, kind="stable")[:LANDMARKS])
    return chosen


def sketch(
    cosines: NDArray[np.floating],
    letters: NDArray[np.floating],
    owners: Sequence[int],
    groups: Sequence[int],
    classes: int,
) -> Fitted:
    """The same from the rows' cosines to `landmarks` only (Nyström's method): a tenth of the work, a little less
    often right, and calibrated by itself.

    With `S = K·R'`, where `R'R` is the inverse of the landmarks' own kernel, it is ridge regression on S; what is left
    out follows from its hat matrix `S(S'S + λI)⁻¹S'`.
    """
    targets, chosen = _targets(owners, classes), landmarks(owners, classes)
    gram = kernel(cosines, letters)
    among = gram[chosen]
    among[np.diag_indices(len(chosen))] += JITTER
    root = np.linalg.inv(np.linalg.cholesky(among))
    seen = gram @ root.T
    half = seen @ _inverse(seen.T @ seen + RIDGE * np.eye(len(chosen)))
    few = half.T @ targets
    missed = targets - seen @ few
    own = np.einsum("ij,ij->i", half, seen)
    alone = targets - missed / np.maximum(1.0 - own, 1e-6)[:, None]
    grouped = np.empty_like(targets)
    for group in _members(groups):
        hat = half[group] @ seen[group].T
        grouped[group] = targets[group] - np.linalg.solve(np.eye(len(group)) - hat, missed[group])
    weights = np.zeros_like(targets)
    weights[chosen] = root.T @ few
    return Fitted(_stored(weights), _stored(alone), _stored(grouped), sketch=True)


def _targets(owners: Sequence[int], classes: int) -> Matrix:
    targets = np.zeros((len(owners), classes))
    targets[np.arange(len(owners)), np.asarray(owners, dtype=np.intp)] = 1.0
    return targets


def _members(groups: Sequence[int]) -> list[NDArray[np.intp]]:
    """The rows of each group."""
    numbers = np.asarray(groups, dtype=np.intp)
    return [np.flatnonzero(numbers == group) for group in np.unique(numbers)]


def _stored(matrix: Matrix) -> Stored:
    return matrix.astype(np.float32)


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
