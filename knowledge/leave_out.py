"""Calibration examples: what retrieval says about phrasings that it has not learnt. No refit, no evaluation set.

Three kinds, each with the share of all questions that it stands for:

- each phrasing of an article without itself: a question that an article answers (see EXPECTED_RIGHT);
- each phrasing of what is not ours, half of the weight without itself and half without its whole topic;
- each phrasing of an article without that article: a payment question that nobody wrote an article about. No
  score notices a missing article well, so these keep the high band honest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.domain.articles import Audience
from knowledge.calibration import Examples
from knowledge.corpus import Corpus
from knowledge.evidence import Board, Evidence, Verdict, best_by_class, dense_features, judge
from knowledge.head import Fitted
from knowledge.lexical import LexicalIndex

EXPECTED_RIGHT: Final = 0.935
"""Of questions that an article answers, the share whose first candidate is expected to be right. Phrasings are written
to differ as much as they can, so a left-out phrasing is harder than a question; those that go wrong count for so much
less that this share comes out (docs/decisions/0010)."""

NOT_OURS_SHARE: Final = 0.25
MISSING_SHARE: Final = 0.01
"""Weight of the two kinds of questions without an article, as a share of the weight of those that have one."""

MOST_BY_WORDS: Final = 800
"""Rows, evenly spread, that are left out when words alone must tell: each costs milliseconds."""

NEAREST: Final = 30

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Part:
    """Examples of one kind. `owners` are the right articles, -1 where none is."""

    features: Matrix
    order: NDArray[np.intp]
    owners: NDArray[np.intp]
    share: float


def by_vectors_examples(corpus: Corpus, board: Board, chunks: Matrix, fitted: Fitted) -> Examples:
    """All examples of a corpus for the audience of `board`. `chunks`: for each row its cosine to each chunk."""
    return _examples(corpus, board, lambda: _ByVectors(corpus, board, chunks, fitted))


def by_words_examples(corpus: Corpus, board: Board, lexical: LexicalIndex) -> Examples:
    """The same without embeddings."""
    return _examples(corpus, board, lambda: _ByWords(corpus, board, lexical))


def _examples(corpus: Corpus, board: Board, make: Callable[[], _ByVectors | _ByWords]) -> Examples:
    if not board.visible.any() or not corpus.rows:
        nothing = np.zeros(0)
        return Examples(np.zeros((0, 1)), nothing.astype(bool), nothing.astype(bool), nothing)
    source = make()
    owners = np.asarray(corpus.owners, dtype=np.intp)
    groups = np.asarray(corpus.groups, dtype=np.intp)
    mine = (owners != corpus.other) & board.visible[np.minimum(owners, corpus.other - 1)]
    ours, others = source.some(np.flatnonzero(mine)), source.some(np.flatnonzero(~mine))
    parts = [
        _Part(*source.alone(ours), owners[ours], 1.0),
        _Part(*source.alone(others), np.full(len(others), -1), NOT_OURS_SHARE / 2),
        _Part(*source.without_groups(others, groups), np.full(len(others), -1), NOT_OURS_SHARE / 2),
    ]
    if int(board.visible.sum()) > 1:
        missing = source.without_groups(ours, groups, hide=owners)
        parts.append(_Part(*missing, np.full(len(ours), -1), MISSING_SHARE))
    return _together([part for part in parts if len(part.order)])


def _together(parts: Sequence[_Part]) -> Examples:
    right = [(part.order[:, 0] == part.owners) & (part.owners >= 0) for part in parts]
    offered = [(part.order[:, :3] == part.owners[:, None]).any(axis=1) & (part.owners >= 0) for part in parts]
    weights = []
    for part, good in zip(parts, right, strict=True):
        weight = np.ones(len(good))
        if part.share == 1.0 and 0 < good.sum() < len(good):
            weight[~good] = min(1.0, good.sum() * (1 - EXPECTED_RIGHT) / EXPECTED_RIGHT / (~good).sum())
        weights.append(weight)
    base = next((weight.sum() for part, weight in zip(parts, weights, strict=True) if part.share == 1.0), 1.0)
    scaled = [
        weight if part.share == 1.0 else weight * part.share * base / weight.sum()
        for part, weight in zip(parts, weights, strict=True)
    ]
    return Examples(
        np.vstack([part.features for part in parts]),
        np.concatenate(right),
        np.concatenate(offered),
        np.concatenate(scaled),
    )


class _ByVectors:
    def __init__(self, corpus: Corpus, board: Board, chunks: Matrix, fitted: Fitted) -> None:
        self._board, self._chunks, self._fitted = board, chunks, fitted
        self._chunk_owner = np.asarray(board.chunk_owner, dtype=np.intp)

    def some(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Which of these rows to leave out: all."""
        return rows

    def alone(self, rows: NDArray[np.intp]) -> tuple[Matrix, NDArray[np.intp]]:
        """Features and ranking of rows that the head has not seen."""
        return self._judged(self._fitted.alone[rows], rows, np.full(len(rows), -1))

    def without_groups(
        self, rows: NDArray[np.intp], groups: NDArray[np.intp], hide: NDArray[np.intp] | None = None
    ) -> tuple[Matrix, NDArray[np.intp]]:
        """The same without any row of their group; with `hide`, also without the article that owns them."""
        return self._judged(self._fitted.grouped[rows], rows, np.full(len(rows), -1) if hide is None else hide[rows])

    def _judged(
        self, found: NDArray[np.float32], rows: NDArray[np.intp], hidden: NDArray[np.intp]
    ) -> tuple[Matrix, NDArray[np.intp]]:
        scores = found.astype(np.float64)
        shown = np.where(self._board.visible[None, :], scores[:, :-1], -np.inf)
        hides = np.flatnonzero(hidden >= 0)
        shown[hides, hidden[hides]] = -np.inf
        scores[hides, hidden[hides]] = -1.0
        order = np.argsort(-shown, axis=1, kind="stable")[:, :3]
        readable = self._board.visible[self._chunk_owner][None, :] & (self._chunk_owner[None, :] != hidden[:, None])
        nearest = np.where(readable, self._chunks[rows], -np.inf).argmax(axis=1)
        agrees = self._chunk_owner[nearest] == order[:, 0]
        return dense_features(scores, order[:, 0], agrees), order


class _ByWords:
    def __init__(self, corpus: Corpus, board: Board, lexical: LexicalIndex) -> None:
        self._corpus, self._board = corpus, board
        self._owners = np.asarray(corpus.owners, dtype=np.intp)
        self._lexical = lexical

    def some(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Which of these rows to leave out: MOST_BY_WORDS at most of all of the corpus."""
        return rows[:: -(-len(self._corpus.rows) // MOST_BY_WORDS)]

    def alone(self, rows: NDArray[np.intp]) -> tuple[Matrix, NDArray[np.intp]]:
        """Features and ranking of rows, each without itself."""
        return _stacked([self._judged(int(row), [int(row)], self._board) for row in rows])

    def without_groups(
        self, rows: NDArray[np.intp], groups: NDArray[np.intp], hide: NDArray[np.intp] | None = None
    ) -> tuple[Matrix, NDArray[np.intp]]:
        """The same without any row of their group; with `hide`, also without the article that owns them."""
        found = []
        for row in rows:
            board = self._board if hide is None else self._board.without(int(hide[row]))
            found.append(self._judged(int(row), np.flatnonzero(groups == groups[row]).tolist(), board))
        return _stacked(found)

    def _judged(self, row: int, absent: list[int], board: Board) -> Verdict:
        text = self._corpus.rows[row]
        words = self._lexical.rows(text)
        words[absent] = 0.0
        best = best_by_class(words, self._owners, self._corpus.other + 1)
        return judge(Evidence(None, None, best, {}, self._lexical.chunks(text, NEAREST, Audience.CUSTOMER)), board)


def _stacked(verdicts: Sequence[Verdict]) -> tuple[Matrix, NDArray[np.intp]]:
    """Features, and the first three articles; -2 where there are fewer."""
    if not verdicts:
        return np.zeros((0, 4)), np.zeros((0, 3), dtype=np.intp)
    order = np.array([(*verdict.order[:3], -2, -2)[:3] for verdict in verdicts], dtype=np.intp)
    return np.array([verdict.features for verdict in verdicts]), order
