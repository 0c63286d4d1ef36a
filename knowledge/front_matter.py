"""One article file as text: YAML front matter between two `---` lines, then sections in Markdown. Pure.

Reads strictly: every key is known, of the right type and there once. All problems of a file are found at once; each
names its line, and its field or section.
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
_UNREADABLE = (ValueError, LookupError, AttributeError, TypeError, RecursionError)
"""What PyYAML lets through, besides its own errors, when a value is not what its tag or form says."""


@dataclass(slots=True)
class Draft:
    """What was read of a file: values by key, the lines of keys and of the texts in lists, sections, and problems so
    far, each with its line. A key that is missing or whose value has the wrong type is not among the values."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    item_lines: dict[str, tuple[int, ...]] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    found: list[tuple[int, str]] = field(default_factory=list)

    def at(self, line: int, text: str) -> None:
        """Note what is wrong on a line."""
        self.found.append((line, text))

    def problem(self, key: str, text: str, item: int | None = None) -> None:
        """Note what is wrong with a key, or with one item of its list, counted from 0."""
        line = self.lines.get(key, 1) if item is None else self.item_lines[key][item]
        self.at(line, f"{key}: {text}")

    def drop(self, key: str, text: str) -> None:
        """Note that a value is not usable, and leave it out."""
        self.problem(key, text)
        self.values.pop(key, None)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in the order of the file: `line N: field: what`."""
        return tuple(f"line {line}: {text}" for line, text in sorted(self.found))


def parse(text: str, house: Mapping[str, str]) -> Draft:
    """Read a file's text; `{{name}}` is replaced from `house`. Never raises."""
    draft = Draft()
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != "---":
        draft.at(1, "must start with a line ---")
        return draft
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        draft.at(1, "the front matter is not closed with a line ---")
        return draft
    if _read_front(draft, "\n".join(lines[1:end])):
        _check_types(draft)
    draft.sections = _sections(draft, lines[end + 1 :], end + 2)
    _substitute(draft, house, lines, end)
    return draft


# ---- the front matter ------------------------------------------------------------------------------------------


def _read_front(draft: Draft, text: str) -> bool:
    """Keys, their lines and their values; False when nothing more can be said about them."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        draft.at(*_broken(error, text))
        return False
    except (ValueError, RecursionError) as error:  # nesting without end
        draft.at(2, f"broken YAML: {error}")
        return False
    if not isinstance(node, yaml.MappingNode):
        draft.at(2, "the front matter must be keys with values")
        return False
    for key, value in node.value:
        line = key.start_mark.line + 2
        if not isinstance(key, yaml.ScalarNode):
            draft.at(line, "a key must be a word")
            continue
        name = str(key.value)
        again = name in draft.lines
        draft.lines[name] = line
        if again:
            draft.problem(name, "is there twice")
        draft.item_lines[name] = _item_lines(value)
        _construct(draft, name, value)
    return True


def _broken(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """The line where YAML broke, and what is wrong there, with the key that it is in."""
    what = f"broken YAML: {getattr(error, 'problem', None) or 'unreadable'}"
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return 2, what
    begun = getattr(error, "context_mark", None) or mark
    keys = [
        (line, found[1])
        for line, content in enumerate(text.split("\n")[: begun.line + 1], 2)
        if (found := re.match(r"([A-Za-z_]\w*)[ \t]*:", content))
    ]
    return mark.line + 2, what + (f" (in {keys[-1][1]}, which begins on line {keys[-1][0]})" if keys else "")


def _item_lines(value: yaml.Node) -> tuple[int, ...]:
    items = value.value if isinstance(value, yaml.SequenceNode) else ()
    return tuple(item.start_mark.line + 2 for item in items)


def _construct(draft: Draft, name: str, node: yaml.Node) -> None:
    """Read one key's value. Each alone, so that one unreadable value hides no other."""
    loader = yaml.SafeLoader("")
    try:
        draft.values[name] = loader.construct_document(node)
    except yaml.YAMLError as error:
        draft.drop(name, f"broken YAML: {getattr(error, 'problem', None) or 'unreadable'}")
    except _UNREADABLE as error:  # dates such as 2026-13-40
        draft.drop(name, f"broken YAML: {error or type(error).__name__}")
    finally:
        loader.dispose()


def _check_types(draft: Draft) -> None:
    for key in draft.lines.keys() - KNOWN:
        draft.drop(key, "unknown key")
    for key in REQUIRED - draft.lines.keys():
        draft.problem(key, "is missing")
    for key in draft.values.keys() & {*TEXT_KEYS, "lookup"}:
        value = draft.values[key]
        if not isinstance(value, str) or not value.strip():
            draft.drop(key, "must be a text")
        else:
            draft.values[key] = value.strip()
    for key in draft.values.keys() & set(LIST_KEYS):
        _check_list(draft, key)
    for key in draft.values.keys() & set(DATE_KEYS):
        value = draft.values[key]
        if not isinstance(value, date) or isinstance(value, datetime):
            draft.drop(key, "must be a date such as 2026-01-31")


def _check_list(draft: Draft, key: str) -> None:
    """Keep the texts of a list, with their lines; note whatever else is in it."""
    value = draft.values[key]
    if not isinstance(value, list) or not value:
        draft.drop(key, "must be a list with at least one text")
        return
    good = [isinstance(item, str) and bool(item.strip()) for item in value]
    for number, fine in enumerate(good):
        if not fine:
            draft.problem(key, f"item {number + 1} must be a text: put it in quotes", number)
    lines = draft.item_lines[key]
    draft.values[key] = tuple(item.strip() for item, fine in zip(value, good, strict=True) if fine)
    draft.item_lines[key] = tuple(line for line, fine in zip(lines, good, strict=True) if fine)


# ---- sections --------------------------------------------------------------------------------------------------


def _sections(draft: Draft, lines: Sequence[str], first_line: int) -> tuple[Section, ...]:
    """The parts below each `## ` heading. Deeper headings stay in their section; fenced code is not looked into."""
    found: list[_Part] = []
    fence, opened = None, first_line
    for number, line in enumerate(lines, first_line):
        mark = _FENCE.match(line)
        if mark is not None and fence in (None, mark[1]):
            fence, opened = (mark[1], number) if fence is None else (None, number)
        heading = None if fence or mark else _HEADING.fullmatch(line)
        if heading is not None and len(heading[1]) == 2:
            found.append(((heading[2] or "").strip(), number, []))
        elif heading is not None and len(heading[1]) == 1:
            draft.at(number, "sections: they start with ##, the title is in the front matter")
        elif found:
            found[-1][2].append(line)
        elif line.strip():
            draft.at(number, "sections: text before the first ## heading")
    if fence is not None:
        draft.at(opened, "sections: a code fence is not closed")
    if not found:
        draft.at(first_line - 1, "sections: has no section: write at least one ## heading with text below it")
    return tuple(_section(draft, heading, line, body, found) for heading, line, body in found)


def _section(draft: Draft, heading: str, line: int, body: list[str], found: list[_Part]) -> Section:
    text = "\n".join(body).strip()
    if not heading:
        draft.at(line, "sections: a heading without words")
    if not text:
        draft.at(line, f"sections: section {heading!r} is empty")
    if any(other == heading and at < line for other, at, _ in found):
        draft.at(line, f"sections: heading {heading!r} is there twice")
    return Section(heading, text)


# ---- values of the house ---------------------------------------------------------------------------------------


def _substitute(draft: Draft, house: Mapping[str, str], lines: Sequence[str], end: int) -> None:
    unknown: dict[str, str] = {}

    def fill(text: str, place: str) -> str:
        def value(match: re.Match[str]) -> str:
            if match[1] not in house:
                unknown.setdefault(match[1], place)
            return house.get(match[1], "")

        return _VALUE.sub(value, text)

    for key in draft.values.keys() & {"title", "answer"}:
        draft.values[key] = fill(draft.values[key], key)
    for key in draft.values.keys() & set(LIST_KEYS):
        draft.values[key] = tuple(fill(item, key) for item in draft.values[key])
    draft.sections = tuple(
        Section(fill(section.heading, "sections"), fill(section.body, "sections")) for section in draft.sections
    )
    for name, place in unknown.items():
        what = f"unknown value {{{{{name}}}}}: add it to acme.yaml"
        seen = [at for at, line in enumerate(lines) if name in {match[1] for match in _VALUE.finditer(line)}]
        for at in seen:
            draft.at(at + 1, f"{_field(draft, at + 1, end)}: {what}")
        if not seen:  # written over two lines
            draft.at(draft.lines.get(place, end + 1), f"{place}: {what}")


def _field(draft: Draft, line: int, end: int) -> str:
    """The key whose value is on a line of the file."""
    if line > end:
        return "sections"
    above = [(at, key) for key, at in draft.lines.items() if at <= line]
    return max(above)[1] if above else "sections"
