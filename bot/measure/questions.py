"""Questions with what would be right, read strictly from JSON Lines.

    {"question": "where is my refund", "right": ["refund-status"]}
    {"question": "what is the weather like", "right": []}

`right` names every article that would be a right answer; empty means that the question is not ours. Further keys are
notes of the author. Empty lines are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.errors import UsageError

ROOT: Final = Path(__file__).parents[2]
OWN: Final = ROOT / "tests" / "eval"


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `text` is raw: it is asked, and never reported. `group` is what figures are given by besides all
    together; `place` says where it stands."""

    text: str
    right: tuple[str, ...]
    group: str
    place: str

    @property
    def ours(self) -> bool:
        """Whether some article answers it."""
        return bool(self.right)


def own_files() -> tuple[Path, ...]:
    """The project's own question files. Raises UsageError when there are none."""
    found = tuple(sorted(OWN.glob("*.jsonl")))
    if not found:
        raise UsageError(f"There is no question file in {_shown(OWN)}. Name one with --questions FILE.")
    return found


def read_questions(path: Path) -> list[Question]:
    """The questions of a file. Raises UsageError with file and line."""
    name = _shown(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"The question file {name} cannot be read: {error.strerror}. Check the path.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{name}, line {line}: this is not UTF-8. Save the file as UTF-8.") from None
    lines = enumerate(text.split("\n"), 1)
    found = [_question(line, path.name, f"{name}, line {number}") for number, line in lines if line.strip()]
    if not found:
        raise UsageError(f'{name} holds no questions. Write one a line: {{"question": "…", "right": ["article-id"]}}.')
    return found


def require_published(questions: Iterable[Question], published: Collection[str]) -> None:
    """Raises UsageError, with file and line, for the first question whose right article is not published."""
    for question in questions:
        unknown = [name for name in question.right if name not in published]
        if unknown:
            raise UsageError(
                f"{question.place}: the article {unknown[0]!r} in `right` is not published. Correct its id, publish "
                "the article with `python -m bot knowledge import`, or ask other questions with --questions FILE."
            )


def _question(line: str, group: str, place: str) -> Question:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        what = error.msg if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        raise UsageError(f"{place}: this is not JSON ({what}). Write one object a line.") from None
    if not isinstance(value, dict):
        raise UsageError(f'{place}: this is not an object. Write {{"question": "…", "right": ["article-id"]}}.')
    text, right = value.get("question"), value.get("right")
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"{place}: `question` must be a text that is not empty.")
    if not isinstance(right, list) or not all(isinstance(name, str) and name for name in right):
        raise UsageError(f"{place}: `right` must be a list of article ids; [] when the question is not ours.")
    return Question(text, tuple(dict.fromkeys(right)), group, place)


def _shown(path: Path) -> str:
    """A path as it was given; our own files by their place in the project."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
