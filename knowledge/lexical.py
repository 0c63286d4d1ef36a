"""Search by words: SQLite FTS5 with the porter stemmer, in memory.

What a customer typed never becomes FTS syntax: its words are taken out and each one is quoted.
"""

from __future__ import annotations

import math
import sqlite3
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.domain.articles import Audience
from knowledge.chunks import Chunk
from knowledge.text import words

_ROWS: Final = "SELECT rowid, -bm25(rows) FROM rows WHERE rows MATCH ?"
_CHUNKS: Final = (
    "SELECT rowid, -bm25(chunks) FROM chunks WHERE chunks MATCH ? AND (? OR audience = ?)"
    " ORDER BY bm25(chunks), rowid LIMIT ?"
)

_TOKENIZER: Final = "tokenize = 'porter unicode61 remove_diacritics 2'"
_K1, _B = 1.2, 0.75
"""FTS5's own BM25 constants."""

MAX_WORDS: Final = 64
"""Distinct words of one question that are looked up."""

_COMMON: Final = frozenset(
    words(
        "a an and are as at be but by can could do does for from had has have how i if in is it its me my of on or our"
        " so that the their them then there they this to u ur was we were what when where which who why will with"
        " would you your im ive am been did dont s t m ve re ll d please pls hi hello hey"
    )
)


def match_expression(text: str) -> str | None:
    """An FTS5 query for any of the text's words, None when it has none. Common words count only when the text
    has no other words."""
    return " OR ".join(f'"{word}"' for word in asked_words(text)) or None


def asked_words(text: str) -> list[str]:
    """The distinct words that a text is looked up by."""
    found = list(dict.fromkeys(words(text)))
    return ([word for word in found if word not in _COMMON] or found)[:MAX_WORDS]


class Postings:
    """BM25 as FTS5 computes it. `found` are terms with the document in which they stand, one for each time."""

    def __init__(self, found: Sequence[tuple[str, int]], count: int) -> None:
        self._count = count
        lengths = np.zeros(count)
        times: dict[str, Counter[int]] = {}
        for term, doc in found:
            lengths[doc] += 1
            times.setdefault(term, Counter())[doc] += 1
        norm = _K1 * (1 - _B + _B * lengths / max(1e-9, float(lengths.mean()) if count else 0.0))
        self._weights: dict[str, tuple[NDArray[np.intp], NDArray[np.float64]]] = {}
        for term, counted in times.items():
            docs = np.fromiter(counted, dtype=np.intp)
            often = np.fromiter(counted.values(), dtype=np.float64)
            rarity = math.log((count - len(docs) + 0.5) / (len(docs) + 0.5))
            self._weights[term] = docs, max(rarity, 1e-6) * often * (_K1 + 1) / (often + norm[docs])

    def scores(self, terms: Sequence[str]) -> NDArray[np.float64]:
        """The score of each document for any of the terms."""
        known = [self._weights[term] for term in terms if term in self._weights]
        if not known:
            return np.zeros(self._count)
        docs, weights = (np.concatenate(parts) for parts in zip(*known, strict=True))
        return np.bincount(docs, weights=weights, minlength=self._count).astype(np.float64)


class LexicalIndex:
    """BM25 over phrasings and over chunks; higher is better."""

    def __init__(self, rows: Sequence[str], chunks: Sequence[Chunk]) -> None:
        # One index may be asked from the worker thread and built in another: SQLite is compiled serialised.
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        weakref.finalize(self, self._connection.close)
        self._count = len(rows)
        self._chunk_count = len(chunks)
        self._connection.execute(f"CREATE VIRTUAL TABLE rows USING fts5(text, {_TOKENIZER})")
        self._connection.execute(
            f"CREATE VIRTUAL TABLE chunks USING fts5(title, heading, body, audience UNINDEXED, {_TOKENIZER})"
        )
        self._connection.executemany("INSERT INTO rows (rowid, text) VALUES (?, ?)", enumerate(rows))
        self._connection.executemany(
            "INSERT INTO chunks (rowid, title, heading, body, audience) VALUES (?, ?, ?, ?, ?)",
            ((at, chunk.title, chunk.heading or "", chunk.body, chunk.audience) for at, chunk in enumerate(chunks)),
        )
        self._connection.commit()

    def among(self, texts: Sequence[str]) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """For each text what `rows` says of it, and the score of every chunk, by position. It takes a quarter of the
        time of asking one by one, which counts when all phrasings are asked at each publish."""
        rows = Postings(self._terms("rows"), self._count)
        chunks = Postings(self._terms("chunks"), self._chunk_count)
        asked = [asked_words(text) for text in texts]
        stems = self._stems(sorted({word for own in asked for word in own}))
        for own in asked:
            terms = [stems[word] for word in own if word in stems]
            yield rows.scores(terms), chunks.scores(terms)

    def _terms(self, table: str) -> list[tuple[str, int]]:
        """The stems in a table, each with its row, in the rows' order."""
        self._connection.execute(f"CREATE VIRTUAL TABLE temp.found USING fts5vocab(main, {table}, instance)")
        found = self._connection.execute("SELECT term, doc FROM found ORDER BY doc").fetchall()
        self._connection.execute("DROP TABLE temp.found")
        return found

    def _stems(self, asked: Sequence[str]) -> dict[str, str]:
        """Words as the tokenizer stems them."""
        self._connection.execute(f"CREATE VIRTUAL TABLE asked USING fts5(text, {_TOKENIZER})")
        self._connection.executemany("INSERT INTO asked (rowid, text) VALUES (?, ?)", enumerate(asked))
        stems = {asked[doc]: term for term, doc in self._terms("asked")}
        self._connection.execute("DROP TABLE asked")
        return stems

    def rows(self, text: str) -> NDArray[np.float64]:
        """The score of each phrasing by position, 0 for one that shares no word with the text."""
        scores = np.zeros(self._count)
        expression = match_expression(text)
        if expression is not None:
            found = self._connection.execute(_ROWS, (expression,)).fetchall()
            if found:
                positions, values = zip(*found, strict=True)
                scores[list(positions)] = values
        return scores

    def chunks(self, text: str, count: int, audience: Audience) -> Mapping[int, float]:
        """The `count` best chunks that `audience` may read, score by position. The caller checks the audience
        again."""
        expression = match_expression(text)
        if expression is None:
            return {}
        everything = audience is Audience.SPECIALIST
        return dict(self._connection.execute(_CHUNKS, (expression, everything, str(audience), count)).fetchall())
