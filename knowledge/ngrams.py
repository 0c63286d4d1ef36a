"""How alike texts are in their letters: TF-IDF over words and parts of words. Pure numpy.

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


def features(text: str) -> Counter[str]:
    """The words of a text, and the runs of SHORTEST to LONGEST letters in each, with how often they are there."""
    found: Counter[str] = Counter()
    for word in words(text)[:MAX_WORDS]:
        padded = f" {word[:40]} "
        found[f"{word[:40]}\x00"] += 1
        for size in range(SHORTEST, LONGEST + 1):
            for start in range(len(padded) - size + 1):
                found[padded[start : start + size]] += 1
    return found


class NGrams:
    """Texts to compare with. Features that only one of them has say nothing about the others and are left out."""

    def __init__(self, texts: Sequence[str]) -> None:
        counted = [features(text) for text in texts]
        often = Counter(feature for own in counted for feature in own)
        self._count = len(texts)
        self._rarity = {
            feature: math.log((1 + len(texts)) / (1 + number)) + 1 for feature, number in often.items() if number > 1
        }
        postings: dict[str, tuple[list[int], list[float]]] = {feature: ([], []) for feature in self._rarity}
        self._own = [self._weighted(own) for own in counted]
        for at, own in enumerate(self._own):
            for feature, weight in own.items():
                places, weights = postings[feature]
                places.append(at)
                weights.append(weight)
        self._postings = {
            feature: (np.array(places, dtype=np.intp), np.array(weights))
            for feature, (places, weights) in postings.items()
        }

    def _weighted(self, counted: Counter[str]) -> dict[str, float]:
        """Unit length; empty when nothing of it is known."""
        raw = {
            feature: (1 + math.log(number)) * self._rarity[feature]
            for feature, number in counted.items()
            if feature in self._rarity
        }
        length = math.sqrt(sum(weight * weight for weight in raw.values()))
        return {feature: weight / length for feature, weight in raw.items()}

    def cosines(self, text: str) -> Matrix:
        """How alike a text is to each of the texts, in 0..1."""
        return self._against(self._weighted(features(text)))

    def among(self) -> Matrix:
        """How alike the texts are to each other; shape (texts, texts)."""
        return np.array([self._against(own) for own in self._own]).reshape(self._count, self._count)

    def _against(self, own: dict[str, float]) -> Matrix:
        if not own:
            return np.zeros(self._count)
        found = [self._postings[feature] for feature in own]
        places = np.concatenate([at for at, _ in found])
        weights = np.concatenate([weight * mine for (_, weight), mine in zip(found, own.values(), strict=True)])
        return np.bincount(places, weights=weights, minlength=self._count).astype(np.float64)
