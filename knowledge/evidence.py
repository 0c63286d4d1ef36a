"""What retrieval saw of one question, and what that says: one ranking of the articles, and the features from which
calibration tells how sure it is. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

DENSE_SHARE: Final = 0.7
DENSE_SHARE_LONG: Final = 0.5
"""Of a chunk's fused score; in long stories words count for more (facts/retrieval.md)."""

FEW: Final = 5
"""Below this many phrasings the head knows an article too little, and chunk retrieval may outrank it."""

HALF_WORDS: Final = 6.0
"""The BM25 score that counts as half of a full match."""

CHUNK_PART: Final = 0.3
"""Without embeddings: what the words of an article's chunks add to those of its phrasings."""

Matrix = NDArray[np.float64]
NO_WORDS: Final = np.zeros(0)
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Scores of one question. Classes are the articles by position, then what is not ours.

    `head` (by class) and `cosines` (best phrasing, by class) are None without embeddings, `words` (the best BM25 of
    a phrasing, by class) is empty with them. `dense` and `lexical` are by chunk position; what is absent was not found.
    """

    head: Matrix | None
    cosines: Matrix | None
    words: Matrix
    dense: Mapping[int, float]
    lexical: Mapping[int, float]
    long: bool = False

    def fused(self) -> dict[int, float]:
        """Chunk positions with their fused score in 0..1."""
        return fuse(self.dense, self.lexical, DENSE_SHARE_LONG if self.long else DENSE_SHARE)


def fuse(dense: Mapping[int, float], lexical: Mapping[int, float], share: float) -> dict[int, float]:
    """Weighted sum of two min-max scaled scores; what one side did not find counts as its worst."""
    left, right = _scaled(dense), _scaled(lexical)
    share = share if dense else 0.0
    return {at: share * left.get(at, 0.0) + (1.0 - share) * right.get(at, 0.0) for at in left.keys() | right.keys()}


def _scaled(scores: Mapping[int, float]) -> dict[int, float]:
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    return {at: (score - low) / (high - low) if high > low else 1.0 for at, score in scores.items()}


def best_by_class(scores: Matrix, owners: NDArray[np.intp], classes: int) -> Matrix:
    """The best score of each class's rows, 0 where there is none above."""
    best = np.zeros(classes)
    np.maximum.at(best, owners, scores)
    return best


@dataclass(frozen=True, slots=True)
class Board:
    """What judging needs to know of a corpus. By article: may be shown, has few phrasings; by chunk: its article."""

    visible: Flags
    few: Flags
    chunk_owner: tuple[int, ...]

    def without(self, article: int) -> Board:
        """As if one article could not be shown."""
        visible = self.visible.copy()
        visible[article] = False
        return Board(visible, self.few, self.chunk_owner)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Articles by position, best first, with the scores that ordered them; and the features of the first."""

    order: tuple[int, ...]
    scores: tuple[float, ...]
    features: Matrix


def judge(seen: Evidence, board: Board) -> Verdict:
    """Rank the articles that may be shown. Needs at least one."""
    count = len(board.visible)
    fused = {at: score for at, score in seen.fused().items() if board.visible[board.chunk_owner[at]]}
    chunk = max(fused, key=lambda at: (fused[at], -at), default=None)
    score = by_words(seen, board) if seen.head is None else seen.head[:count].copy()
    shown = np.flatnonzero(board.visible)
    order = [int(at) for at in shown[np.argsort(-score[shown], kind="stable")]]
    first = _outranking(seen, board, chunk, order)
    if first is not None:
        order.remove(first)
        order.insert(0, first)
        score[first] = max(score[first], score[order[1]] if len(order) > 1 else 0.0)
    return Verdict(tuple(order), tuple(float(score[at]) for at in order), _features(seen, board, order[0]))


def by_words(seen: Evidence, board: Board) -> Matrix:
    """The ranking score without embeddings: an article's best phrasing, and a part of its best chunk."""
    count = len(board.visible)
    chunks = np.zeros(count)
    for at, score in seen.lexical.items():
        chunks[board.chunk_owner[at]] = max(chunks[board.chunk_owner[at]], score)
    result: Matrix = seen.words[:count] + CHUNK_PART * chunks
    return result


def _outranking(seen: Evidence, board: Board, chunk: int | None, order: Sequence[int]) -> int | None:
    """The article with few phrasings that the chunks put first, when its chunk is nearer than any phrasing of the
    article that the head puts first."""
    if chunk is None or seen.cosines is None:
        return None
    owner = board.chunk_owner[chunk]
    if owner == order[0] or not board.few[owner]:
        return None
    return owner if seen.dense.get(chunk, 0.0) >= seen.cosines[order[0]] else None


def _features(seen: Evidence, board: Board, first: int) -> Matrix:
    if seen.head is None:
        best = max(seen.lexical, key=lambda at: (seen.lexical[at], -at), default=None)
        return by_words_features(seen.words, first, best is not None and board.chunk_owner[best] == first)
    shown = {at: cosine for at, cosine in seen.dense.items() if board.visible[board.chunk_owner[at]]}
    nearest = max(shown, key=lambda at: (shown[at], -at), default=None)
    agrees = nearest is not None and board.chunk_owner[nearest] == first
    (features,) = dense_features(seen.head[None, :], np.array([first]), np.array([agrees]))
    return np.asarray(features)


def dense_features(head: Matrix, first: NDArray[np.intp], agrees: Flags) -> Matrix:
    """For each question, by its scores of shape (questions, classes) and the article that is first: that score, its
    lead over the best other class, what is not ours among them, and whether the nearest chunk is of that article."""
    at = np.arange(len(head))
    top = head[at, first]
    others = head.copy()
    others[at, first] = -np.inf
    return np.column_stack([top, top - others.max(axis=1, initial=-1.0), agrees.astype(np.float64)])


def by_words_features(words: Matrix, first: int, agrees: bool) -> Matrix:
    """Without embeddings: the score of the words, their lead, their share of the best class's, agreement."""
    mine, best = float(words[first]), float(words.max(initial=0.0))
    rest = float(np.delete(words, first).max(initial=0.0))
    return np.array(
        [
            mine / (mine + HALF_WORDS),
            (mine - rest) / (best + HALF_WORDS),
            mine / best if best > 0 else 0.0,
            float(agrees),
        ]
    )
