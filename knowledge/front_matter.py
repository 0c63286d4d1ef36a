"""One article file as text: YAML front matter between two `---` lines, then sections in Markdown. Pure.

Reads strictly: every key is known, of the right type and there once. Problems name the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import yaml

from bot.domain.articles import Section

TEXT_KEYS: Final = ("id", "title", "action", "priority", "audience", "answer")
LIST_KEYS: Final = ("questions", "sources")
DATE_KEYS: Final = ("effective_from", "review_by")
REQUIRED: Final = frozenset((*TEXT_KEYS, *LIST_KEYS, *DATE_KEYS))
KNOWN: Final = REQUIRED | {"lookup"}

_HEADING = re.compile(r"(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_Part = tuple[str, int, list[str]]

_VALUE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)


@dataclass(slots=True)
class Draft:
    """What was read of a file: values by key, the line that each key is on, sections, and problems so far."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    problems: list[str] = field(default_factory=list)

    def problem(self, key: str, text: str) -> None:
        """Note what is wrong with a key."""
        line = self.lines.get(key)
        self.problems.append(f"line {line}: {key}: {text}" if line else f"{key}: {text}")


def parse(text: str, house: Mapping[str, str]) -> Draft:
    """Read a file's text; `{{name}}` is replaced from `house`. Never raises."""
    draft = Draft()
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != "---":
        draft.problems.append("line 1: must start with a line ---")
        return draft
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        draft.problems.append("line 1: the front matter is not closed with a line ---")
        return draft
    _read_front(draft, "\n".join(lines[1:end]))
    if not draft.problems:
        _check_types(draft)
    draft.sections = _sections(draft, lines[end + 1 :], end + 2)
    _substitute(draft, house)
    return draft


def _read_front(draft: Draft, text: str) -> None:
    """Keys, their lines and their values."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 2}: " if mark is not None else ""
        draft.problems.append(f"{where}broken YAML: {getattr(error, 'problem', None) or 'unreadable'}")
        return
    except (ValueError, RecursionError) as error:  # dates such as 2026-13-40; nesting without end
        draft.problems.append(f"broken YAML: {error}")
        return
    if not isinstance(node, yaml.MappingNode) or not isinstance(values, dict):
        draft.problems.append("line 2: the front matter must be keys with values")
        return
    for key, _ in node.value:
        name, line = str(key.value), key.start_mark.line + 2
        if name in draft.lines:
            draft.problems.append(f"line {line}: {name}: is there twice")
        draft.lines[name] = line
    draft.values = {str(key): value for key, value in values.items()}


def _check_types(draft: Draft) -> None:
    for key in sorted(draft.values.keys() - KNOWN):
        draft.problem(key, "unknown key")
    draft.problems.extend(f"{key}: is missing" for key in sorted(REQUIRED - draft.values.keys()))
    for key in (*TEXT_KEYS, "lookup"):
        value = draft.values.get(key, "x")
        if not isinstance(value, str) or not value.strip():
            draft.problem(key, "must be a text")
        elif key in draft.values:
            draft.values[key] = value.strip()
    for key in LIST_KEYS:
        draft.values[key] = _text_list(draft, key)
    for key in DATE_KEYS:
        value = draft.values.get(key, date.min)
        if not isinstance(value, date) or isinstance(value, datetime):
            draft.problem(key, "must be a date such as 2026-01-31")


def _text_list(draft: Draft, key: str) -> tuple[str, ...]:
    value = draft.values.get(key, ["x"])
    if not isinstance(value, list) or not value:
        draft.problem(key, "must be a list with at least one text")
        return ()
    for number, item in enumerate(value, 1):
        if not isinstance(item, str) or not item.strip():
            draft.problem(key, f"item {number} must be a text: put it in quotes")
    return tuple(item.strip() for item in value if isinstance(item, str) and item.strip())


def _sections(draft: Draft, lines: Sequence[str], first_line: int) -> tuple[Section, ...]:
    """The parts below each `## ` heading. Deeper headings stay in their section; fenced code is not looked into."""
    found: list[_Part] = []
    fence: str | None = None
    for number, line in enumerate(lines, first_line):
        mark = _FENCE.match(line)
        if mark is not None and fence in (None, mark[1]):
            fence = mark[1] if fence is None else None
        heading = None if fence or mark else _HEADING.fullmatch(line)
        if heading is not None and len(heading[1]) == 2:
            found.append(((heading[2] or "").strip(), number, []))
        elif heading is not None and len(heading[1]) == 1:
            draft.problems.append(f"line {number}: sections start with ##, the title is in the front matter")
        elif found:
            found[-1][2].append(line)
        elif line.strip():
            draft.problems.append(f"line {number}: text before the first ## heading")
    if fence is not None:
        draft.problems.append("a code fence is not closed")
    if not found:
        draft.problems.append("has no section: write at least one ## heading with text below it")
    return tuple(_section(draft, heading, line, body, found) for heading, line, body in found)


def _section(draft: Draft, heading: str, line: int, body: list[str], found: list[_Part]) -> Section:
    text = "\n".join(body).strip()
    if not heading:
        draft.problems.append(f"line {line}: a heading without words")
    if not text:
        draft.problems.append(f"line {line}: section {heading!r} is empty")
    if any(other == heading and at < line for other, at, _ in found):
        draft.problems.append(f"line {line}: heading {heading!r} is there twice")
    return Section(heading, text)


def _substitute(draft: Draft, house: Mapping[str, str]) -> None:
    unknown: dict[str, None] = {}

    def fill(text: str) -> str:
        def value(match: re.Match[str]) -> str:
            if match[1] not in house:
                unknown[match[1]] = None
            return house.get(match[1], "")

        return _VALUE.sub(value, text)

    for key in ("title", "answer"):
        if isinstance(draft.values.get(key), str):
            draft.values[key] = fill(draft.values[key])
    for key in LIST_KEYS:
        draft.values[key] = tuple(fill(item) for item in draft.values.get(key, ()) if isinstance(item, str))
    draft.sections = tuple(Section(fill(section.heading), fill(section.body)) for section in draft.sections)
    draft.problems.extend(f"unknown value {{{{{name}}}}}: add it to acme.yaml" for name in unknown)
