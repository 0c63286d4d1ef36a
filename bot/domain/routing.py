"""What retrieval says about a question: which articles, how sure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Band(StrEnum):
    """high: answer. middle: ask which was meant. low: hand over."""

    HIGH = "high"
    MIDDLE = "middle"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article that the question may be about. `score` orders one routing and means nothing across two."""

    article: str
    score: float


@dataclass(frozen=True, slots=True)
class Routing:
    """One question's routing. `candidates` are best first and never empty while anything is published.

    `confidence` in 0..1 is the chance that the first candidate is the right article. `heading` is the
    first candidate's best section, None when its `answer` serves better; `sections` are its sections, best first,
    for when the answer was said before. `publication` is the number that all of this was computed on.
    """

    candidates: tuple[Candidate, ...]
    confidence: float
    band: Band
    heading: str | None
    publication: int
    sections: tuple[str, ...] = ()
