"""How alike texts are in their letters: cosines of TF-IDF over words and parts of words. Pure numpy.

What it sees and embeddings do not: names, codes, abbreviations, and misspelt words.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge.text import words

SHORTEST: Final = 3
LONGEST: Final = 5
MAX_WORDS: Final = 256
"""Words of a text that count."""

Matrix = NDArray[np.float64]
Places = NDArray[np.intp]


def features(text: str) -> Counter[str]:
    """The words of a text, and the runs of SHORTEST to LONGEST letters in each, with how often they are there."""
    found: list[str] = []
    for word in words(text)[:MAX_WORDS]:
        padded = f" {word[:40]} "
        found.append(f"{word[:40]}\x00")
        for size in range(SHORTEST, LONGEST + 1):
            found += [padded[start : start + size] for start in range(len(padded) - size + 1)]
    return Counter(found)


class NGrams:
    """Texts to compare with. Features that only one of them has say nothing about the others and are left out.

    The texts' weights are one list, ordered by feature: those of feature f are from `_starts[f]` to `_starts[f + 1]`,
    each with the place of its text. A text is the list of its features (`_ids`, from `_texts[i]` to `_texts[i + 1]`).
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._count = len(texts)
        self._known: dict[str, int] = {}
        counted = [features(text) for text in texts]
        self._ids = np.array(
            [self._known.setdefault(name, len(self._known)) for own in counted for name in own], dtype=np.intp
        )
        numbers = np.array([number for own in counted for number in own.values()], dtype=np.float64)
        lengths = np.array([len(own) for own in counted], dtype=np.intp)
        self._texts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
        often = np.bincount(self._ids, minlength=len(self._known))
        self._rarity = np.where(often > 1, np.log((1 + self._count) / (1 + np.maximum(often, 1))) + 1, 0.0)
        place = np.repeat(np.arange(self._count), lengths)
        self._weights = (1 + np.log(numbers)) * self._rarity[self._ids]
        length = np.sqrt(np.bincount(place, weights=self._weights**2, minlength=self._count))
        self._weights /= np.maximum(length, 1e-12)[place]
        order = np.argsort(self._ids, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(often)]).astype(np.intp)
        self._places, self._ordered = place[order], self._weights[order]

    def cosines(self, text: str) -> Matrix:
        """How alike a text is to each of the texts, in 0..1."""
        ids, numbers = [], []
        for name, number in features(text).items():
            at = self._known.get(name)
            if at is not None and self._rarity[at] > 0:
                ids.append(at)
                numbers.append((1 + math.log(number)) * self._rarity[at])
        weights = np.array(numbers)
        return self._against(np.array(ids, dtype=np.intp), weights / max(math.sqrt(float(weights @ weights)), 1e-12))

    def among(self, chosen: Sequence[int] | None = None) -> NDArray[np.float32]:
        """How alike the texts are to each other, or to the chosen ones of them; shape (texts, chosen)."""
        at = range(self._count) if chosen is None else chosen
        result = np.empty((self._count, len(at)), dtype=np.float32)
        for column, text in enumerate(at):
            own = slice(self._texts[text], self._texts[text + 1])
            common = self._weights[own] > 0
            result[:, column] = self._against(self._ids[own][common], self._weights[own][common])
        return result

    def _against(self, ids: Places, weights: Matrix) -> Matrix:
        if not len(ids):
            return np.zeros(self._count)
        spans = [slice(self._starts[one], self._starts[one + 1]) for one in ids.tolist()]
        places = np.concatenate([self._places[span] for span in spans])
        mine = np.repeat(weights, [span.stop - span.start for span in spans])
        theirs = np.concatenate([self._ordered[span] for span in spans])
        return np.bincount(places, weights=theirs * mine, minlength=self._count).astype(np.float64)
