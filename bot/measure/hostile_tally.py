"""What came of the questions of hostile callers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """What came of the questions. All but the counters are faults, a line each."""

    asked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    twins: int = 0
    seconds: float = 0.0
    strangers: list[str] = field(default_factory=list)
    unlike_alone: list[str] = field(default_factory=list)
    told_apart: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def faults(self) -> Mapping[str, Sequence[str]]:
        """By what is wrong."""
        return {
            "rows of anybody else": self.strangers,
            "answers that hang on others": self.unlike_alone,
            "not yours told from not there": self.told_apart,
            "writes": self.writes,
            "failures": self.failed,
        }

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not any(self.faults.values())
