"""Calibration examples: what retrieval says about phrasings that it has not learnt. No refit, no evaluation set.

Three kinds, each with the share of all questions that it stands for:

- each phrasing of an article without itself: a question that an article answers;
- each phrasing of what is not ours, half of the weight without itself and half without its whole topic;
- each phrasing of an article without that article: a payment question that nobody wrote an article about. No
  score notices a missing article well, so these keep the high band honest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.domain.articles import Audience
from knowledge.calibration import Examples
from knowledge.corpus import Corpus
from knowledge.evidence import Board, Evidence, Verdict, best_by_class, judge
from knowledge.head import LeftOut
from knowledge.lexical import LexicalIndex

NOT_OURS_SHARE: Final = 0.25
MISSING_SHARE: Final = 0.05
"""Weight of the two kinds of wrong questions, as a share of the weight of the right kind."""

NEAREST: Final = 30

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dense:
    """What embeddings add: the vectors of rows and chunks, and the head's left-out scores."""

    rows: NDArray[np.float32]
    chunks: NDArray[np.float32]
    left_out: LeftOut


@dataclass(frozen=True, slots=True)
class _Example:
    verdict: Verdict
    owner: int | None
    weight: float


def examples(corpus: Corpus, board: Board, lexical: LexicalIndex, dense: Dense | None) -> Examples:
    """All examples of a corpus for the audience of `board`."""
    found = list(_LeaveOut(corpus, board, lexical, dense).examples()) if board.visible.any() else []
    if not found:
        nothing = np.zeros(0)
        return Examples(np.zeros((0, 1)), nothing.astype(bool), nothing.astype(bool), nothing)
    return Examples(
        np.array([example.verdict.features for example in found]),
        np.array([example.verdict.order[0] == example.owner for example in found]),
        np.array([example.owner in example.verdict.order[:3] for example in found]),
        np.array([example.weight for example in found]),
    )


class _LeaveOut:
    def __init__(self, corpus: Corpus, board: Board, lexical: LexicalIndex, dense: Dense | None) -> None:
        self._corpus, self._board, self._dense = corpus, board, dense
        self._words = [lexical.rows(text) for text in corpus.rows]
        self._lexical = [lexical.chunks(text, NEAREST, Audience.CUSTOMER) for text in corpus.rows]
        self._owners = np.asarray(corpus.owners, dtype=np.intp)
        if dense is not None:
            self._alone = dense.left_out.without_self()
            self._cosines = np.asarray(dense.rows @ dense.rows.T, dtype=np.float64)
            self._near = _nearest(dense, np.flatnonzero(board.visible[list(board.chunk_owner)]))

    def examples(self) -> Iterator[_Example]:
        corpus, board = self._corpus, self._board
        groups: dict[int, list[int]] = {}
        for row, group in enumerate(corpus.groups):
            groups.setdefault(group, []).append(row)
        ours = sum(1 for owner in corpus.owners if owner != corpus.other and board.visible[owner])
        others = max(1, len(corpus.rows) - ours)
        for rows in groups.values():
            owner = corpus.owners[rows[0]]
            mine = owner != corpus.other and bool(board.visible[owner])
            without = board.without(owner) if mine else board
            for at, row in enumerate(rows):
                alone = judge(self._seen(row, self._alone_scores(row), [row]), board)
                weight = 1.0 if mine else NOT_OURS_SHARE * ours / others / 2
                yield _Example(alone, owner if mine else None, weight)
                if without.visible.any():
                    seen = self._seen(row, self._group_scores(rows, at, owner), rows)
                    yield _Example(judge(seen, without), None, MISSING_SHARE if mine else weight)

    def _alone_scores(self, row: int) -> Matrix | None:
        return None if self._dense is None else self._alone[row]

    def _group_scores(self, rows: list[int], at: int, owner: int) -> Matrix | None:
        if self._dense is None:
            return None
        scores: Matrix = self._dense.left_out.without_group(rows)[at]
        if owner != self._corpus.other:
            scores[owner] = -1.0
        return scores

    def _seen(self, row: int, head: Matrix | None, absent: list[int]) -> Evidence:
        classes = self._corpus.other + 1
        words = self._words[row].copy()
        words[absent] = 0.0
        best = best_by_class(words, self._owners, classes)
        if self._dense is None:
            return Evidence(None, None, best, {}, self._lexical[row])
        cosines = self._cosines[row].copy()
        cosines[absent] = 0.0
        by_class = best_by_class(cosines, self._owners, classes)
        return Evidence(head, by_class, best, self._near[row], self._lexical[row])


def _nearest(dense: Dense, readable: NDArray[np.intp]) -> list[dict[int, float]]:
    """For each row the nearest chunks among the readable ones, as a vector store finds them."""
    cosines = np.asarray(dense.rows @ dense.chunks[readable].T, dtype=np.float64)
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :NEAREST]
    return [{int(readable[at]): float(cosines[row, at]) for at in near} for row, near in enumerate(order)]
