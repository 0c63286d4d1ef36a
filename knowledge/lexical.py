"""Search by words: SQLite FTS5 with the porter stemmer, in memory.

What a customer typed never becomes FTS syntax: its words are taken out and each one is quoted.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Mapping, Sequence
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
    found = list(dict.fromkeys(words(text)))
    chosen = [word for word in found if word not in _COMMON] or found
    return " OR ".join(f'"{word}"' for word in chosen[:MAX_WORDS]) or None


class LexicalIndex:
    """BM25 over phrasings and over chunks; higher is better."""

    def __init__(self, rows: Sequence[str], chunks: Sequence[Chunk]) -> None:
        # One index may be asked from the worker thread and built in another: SQLite is compiled serialised.
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        weakref.finalize(self, self._connection.close)
        self._count = len(rows)
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
