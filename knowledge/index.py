"""One publication, ready to be asked: head, words, chunk vectors and calibration, built together and swapped whole.

Blocking: async code builds it and asks it in worker threads.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.domain.articles import Action, Audience, Publication
from bot.domain.routing import Band, Candidate, Routing
from bot.errors import Unavailable
from bot.telemetry import count
from knowledge.calibration import Calibration, calibrate
from knowledge.corpus import Corpus
from knowledge.embedder import Embedder
from knowledge.evidence import FEW, NO_WORDS, Board, Evidence, Verdict, best_by_class, judge
from knowledge.head import FORMAT, LANDMARKS, Fitted, fit, landmarks, sketch
from knowledge.leave_out import NEAREST, by_vectors_examples, by_words_examples
from knowledge.lexical import LexicalIndex
from knowledge.ngrams import NGrams
from knowledge.text import Query, text_hash
from knowledge.vectors import ChunkStore, ChunkVectors, LocalChroma

log = logging.getLogger(__name__)

MAX_CANDIDATES: Final = 10

SECTION_LEAD: Final = 0.25
SECTION_COSINE_LEAD: Final = 0.1
"""By how much a section must beat its article's answer, in fused score and in cosine, to be cited instead of it."""


@dataclass(frozen=True, slots=True)
class _Dense:
    embedder: Embedder
    rows: NDArray[np.float32]
    letters: NGrams
    head: Fitted
    chunks: ChunkVectors
    near: NDArray[np.float32]
    """For each row its cosine to each chunk."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One routing with what it rests on, for whoever edits articles. `nearest` are phrasings with their scores,
    `owners` the article of each, None for what is not ours; `high` and `low` are the bands' thresholds."""

    routing: Routing
    nearest: tuple[tuple[str, float], ...]
    features: tuple[float, ...]
    owners: tuple[str | None, ...]
    high: float
    low: float


class Index:
    """Answers `route` for one publication. Make it with `build`."""

    def __init__(self, corpus: Corpus, calibration: Calibration, lexical: LexicalIndex, dense: _Dense | None) -> None:
        self.corpus = corpus
        self.calibration = calibration
        self._lexical = lexical
        self._dense = dense
        self._alone = False
        self._owners = np.asarray(corpus.owners, dtype=np.intp)
        self._boards = {audience: board_of(corpus, audience) for audience in Audience}

    @property
    def publication(self) -> Publication:
        """What was built."""
        return self.corpus.publication

    @property
    def by_words_only(self) -> bool:
        """Whether this index works without embeddings."""
        return self._dense is None

    @property
    def head(self) -> Fitted | None:
        """What it ranks with; None without embeddings."""
        return None if self._dense is None else self._dense.head

    def fitted(self, key: str) -> bytes:
        """The head from all rows, as it is kept under `key`; empty without embeddings. Takes seconds when it was only
        sketched."""
        if self._dense is None:
            return b""
        head = self._dense.head
        return (_fit(self.corpus, self._dense.rows, self._dense.letters) if head.sketch else head).to_bytes(key)

    def with_head(self, head: Fitted) -> Index:
        """The same publication with another head, calibrated again; all else is shared."""
        if self._dense is None:
            return self
        dense = replace(self._dense, head=head)
        return Index(self.corpus, _calibrated(self.corpus, dense), self._lexical, dense)

    def route(self, question: str, audience: Audience = Audience.CUSTOMER) -> Routing:
        """Which articles a question is about. Candidates are only what `audience` may read."""
        board = self._boards[audience]
        query = Query.of(question)
        if not board.visible.any():
            return Routing((), 0.0, Band.LOW, None, self.publication.number)
        if not query.text:
            return self._blank(board)
        seen = self.evidence(query, audience)
        return self._routing(judge(seen, board), seen, board)

    def evidence(self, query: Query, audience: Audience) -> Evidence:
        """Everything that retrieval sees of a question."""
        units = (query.text, *query.sentences)
        classes = self.corpus.other + 1
        lexical = _best([self._lexical.chunks(unit, NEAREST, audience) for unit in units])
        if self._dense is None:
            words = np.max([self._lexical.rows(unit) for unit in units], axis=0)
            return Evidence(None, None, best_by_class(words, self._owners, classes), {}, lexical, query.long)
        vectors = self._dense.embedder.embed(units)
        found = np.asarray(vectors @ self._dense.rows.T, dtype=np.float64)
        scores = self._dense.head.scores(found, np.stack([self._dense.letters.cosines(unit) for unit in units]))
        head = (scores[0] + scores.max(axis=0)) / 2 if query.long else scores[0]
        cosines = best_by_class(found.max(axis=0), self._owners, classes)
        dense = self._near(self._dense.chunks, vectors, audience)
        return Evidence(head, cosines, NO_WORDS, dense, lexical, query.long)

    def _near(self, chunks: ChunkVectors, vectors: NDArray[np.float32], audience: Audience) -> dict[int, float]:
        """The nearest chunks; none when they cannot be asked: the head ranks without them, a little less sure."""
        try:
            found = _best(chunks.nearest(vectors, NEAREST, audience))
        except Unavailable:
            count("chunk_vectors", result="unavailable")
            if not self._alone:
                log.warning("Chroma does not answer; questions are routed without the chunks' vectors.")
            self._alone = True
            return {}
        self._alone = False
        return found

    def close(self) -> None:
        """Let go of the chunk vectors. Ask nothing more."""
        if self._dense is not None:
            self._dense.chunks.close()

    def _blank(self, board: Board) -> Routing:
        """A question without a word in it: the articles in their order, none of them likely."""
        shown = [Candidate(self.corpus.articles[at].id, 0.0) for at in np.flatnonzero(board.visible)]
        return Routing(tuple(shown[:MAX_CANDIDATES]), 0.0, Band.LOW, None, self.publication.number)

    def _routing(self, verdict: Verdict, seen: Evidence, board: Board) -> Routing:
        first = verdict.order[0]
        confidence = float(self.calibration.confidence(verdict.features[None, :])[0])
        band = self.calibration.band(confidence)
        if band is Band.HIGH and (board.few[first] or self._dense is None):
            # Calibration knows nothing about articles that have hardly any phrasings; and words alone are no reason to
            # be sure: installations come to that when a part of them is broken.
            band = Band.MIDDLE
        ranked = zip(verdict.order[:MAX_CANDIDATES], verdict.scores, strict=False)
        parts = {at: score for at, score in seen.fused().items() if board.chunk_owner[at] == first}
        return Routing(
            tuple(Candidate(self.corpus.articles[at].id, score) for at, score in ranked),
            confidence,
            band,
            self._heading(first, parts, seen, board),
            self.publication.number,
            self._sections(parts),
        )

    def _heading(self, article: int, fused: Mapping[int, float], seen: Evidence, board: Board) -> str | None:
        """The article's best section by the scores of its chunks; None when its answer serves as well, when words
        alone would have to tell, and for a handoff, whose answer is what is said."""
        if not fused or not seen.dense or self.corpus.articles[article].action is Action.HANDOFF:
            return None
        best = max(fused, key=lambda at: (fused[at], -at))
        answer, worst = board.chunk_owner.index(article), min(seen.dense.values())
        lead = fused[best] - fused.get(answer, 0.0)
        nearer = seen.dense.get(best, worst) - seen.dense.get(answer, worst)
        clear = lead >= SECTION_LEAD and nearer >= SECTION_COSINE_LEAD
        return self.corpus.chunks[best].heading if clear else None

    def _sections(self, fused: Mapping[int, float]) -> tuple[str, ...]:
        """An article's sections by the scores of its chunks, best first, as far as anything speaks for them."""
        ranked = sorted(fused, key=lambda at: (-fused[at], at))
        return tuple(heading for at in ranked if (heading := self.corpus.chunks[at].heading) is not None)

    def explain(self, question: str, audience: Audience = Audience.CUSTOMER, count: int = 5) -> Explanation:
        """A routing with the nearest phrasings, best first, as text and score."""
        query, board = Query.of(question), self._boards[audience]
        high, low = self.calibration.high, self.calibration.low
        if not query.text or not board.visible.any():
            return Explanation(self.route(question, audience), (), (), (), high, low)
        seen = self.evidence(query, audience)
        verdict = judge(seen, board)
        routing = self._routing(verdict, seen, board)
        near = self._nearest(query, board, count)
        owners = tuple(None if owner is None else self.corpus.articles[owner].id for _, _, owner in near)
        features = tuple(float(x) for x in verdict.features)
        return Explanation(routing, tuple((text, score) for text, score, _ in near), features, owners, high, low)

    def _nearest(self, query: Query, board: Board, count: int) -> tuple[tuple[str, float, int | None], ...]:
        """The phrasings that `board` may show: text, score, and the article's position (None: not ours)."""
        if self._dense is None:
            scores = self._lexical.rows(query.text)
        else:
            cosines = self._dense.embedder.embed((query.text,)) @ self._dense.rows.T
            scores = np.asarray(cosines[0], dtype=np.float64)
        owners, other = self.corpus.owners, self.corpus.other
        readable = [at for at in range(len(owners)) if owners[at] == other or board.visible[owners[at]]]
        best = sorted(readable, key=lambda at: (-scores[at], at))[:count]
        return tuple(
            (self.corpus.rows[at], float(scores[at]), None if owners[at] == other else owners[at]) for at in best
        )


def _best(found: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """The best score of each position over several searches."""
    best: dict[int, float] = {}
    for scores in found:
        for at, score in scores.items():
            best[at] = max(best.get(at, score), score)
    return best


def board_of(corpus: Corpus, audience: Audience) -> Board:
    """What `audience` may be shown of a corpus."""
    position = {article.id: at for at, article in enumerate(corpus.articles)}
    few = np.array([len(article.questions) < FEW for article in corpus.articles], dtype=bool)
    owners = tuple(position[chunk.article] for chunk in corpus.chunks)
    return Board(np.array(corpus.visible(audience), dtype=bool), few, owners)


def head_key(embedder: Embedder, corpus: Corpus) -> str:
    """Names the head of these phrasings: one that was kept under this key fits."""
    return text_hash(f"{FORMAT};{embedder.name};{corpus.key}")


def build(
    corpus: Corpus,
    embedder: Embedder | None,
    vectors: NDArray[np.float32] | None,
    store: ChunkStore | None = None,
    head: Fitted | None = None,
) -> Index:
    """Build everything for a corpus. `vectors` are those of `corpus.texts`, in their order; both they and the
    embedder are None when search is by words only. `store` keeps the chunks' vectors (None: in this process). `head`
    is what was fitted for this corpus before; without it a small corpus is fitted, a large one sketched. Raises
    Unavailable("chroma")."""
    if embedder is None or vectors is None:
        lexical = LexicalIndex(corpus.rows, corpus.chunks)
        board = board_of(corpus, Audience.CUSTOMER)
        return Index(corpus, calibrate(by_words_examples(corpus, board, lexical)), lexical, None)
    rows, chunks = vectors[: len(corpus.rows)], vectors[len(corpus.rows) :]
    letters = NGrams(corpus.rows)
    if head is None:
        head = (_fit if len(rows) <= LANDMARKS else _sketch)(corpus, rows, letters)
    kept = (store or LocalChroma()).open(corpus.publication.number, embedder.name, corpus.chunks, chunks)
    dense = _Dense(embedder, rows, letters, head, kept, rows @ chunks.T)
    # The phrasings' words are not asked beside the head: it sees them by its letters.
    return Index(corpus, _calibrated(corpus, dense), LexicalIndex((), corpus.chunks), dense)


def _fit(corpus: Corpus, rows: NDArray[np.float32], letters: NGrams) -> Fitted:
    return fit(rows @ rows.T, letters.among(), corpus.owners, corpus.groups, corpus.other + 1)


def _sketch(corpus: Corpus, rows: NDArray[np.float32], letters: NGrams) -> Fitted:
    chosen = landmarks(corpus.owners, corpus.other + 1)
    cosines, alike = rows @ rows[chosen].T, letters.among(chosen.tolist())
    return sketch(cosines, alike, corpus.owners, corpus.groups, corpus.other + 1)


def _calibrated(corpus: Corpus, dense: _Dense) -> Calibration:
    board = board_of(corpus, Audience.CUSTOMER)
    return calibrate(by_vectors_examples(corpus, board, dense.near.astype(np.float64), dense.head))
