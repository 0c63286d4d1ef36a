"""A YAML file that people write, read field by field. What is wrong is gathered in plain words, each with its line.

A field that cannot be read gives a stand-in, so that reading goes on and one run tells everything; whoever reads must
not use what was read while there are problems.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import yaml

from bot.domain.money import Money

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")

_AMOUNT = re.compile(r"(?P<whole>[0-9]{1,12})(?:\.(?P<part>[0-9]+))? (?P<currency>[A-Z]{3})")
_SPAN = re.compile(r"(?P<sign>[+-])(?P<parts>[0-9]+[wdhm](?: [0-9]+[wdhm])*)")
_UNITS: Final = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}
_YES_NO: Final = {"yes": True, "true": True, "no": False, "false": False}
_NULL = "tag:yaml.org,2002:null"


@dataclass(slots=True)
class Problems:
    """What is wrong with a file: each with its line."""

    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, place: str, text: str) -> None:
        self.found.append((line, f"line {line}, {place}: {text}" if place else f"line {line}: {text}"))

    def told(self) -> tuple[str, ...]:
        """From the top of the file to its end."""
        return tuple(text for _, text in sorted(self.found))


@dataclass(slots=True)
class Entry:
    """A mapping in the file. `place` is where it stands, such as `customers.ana.payments.plan`."""

    place: str
    line: int
    problems: Problems
    _fields: dict[str, yaml.Node] = field(default_factory=dict)
    _lines: dict[str, int] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def has(self, name: str) -> bool:
        self._known.add(name)
        return name in self._fields

    def wrong(self, name: str, text: str) -> None:
        """Say that a field, or with "" the whole entry, is wrong."""
        self.problems.add(self._lines.get(name, self.line), self._place(name) if name else self.place, text)

    def done(self) -> None:
        """Say which fields nobody asked for."""
        for name in self._fields.keys() - self._known:
            near = difflib.get_close_matches(name, self._known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(self._known))}"
            self.wrong(name, f"is not a field here; {hint}")

    # ---- single values -----------------------------------------------------------------------------------------

    def maybe(self, name: str) -> str | None:
        """A text as it stands; None when it is not given or empty."""
        if not self.has(name):
            return None
        node = self._fields[name]
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(name, "should be one value, not a list or a mapping")
            return None
        return None if node.tag == _NULL or not node.value.strip() else str(node.value)

    def text(self, name: str) -> str:
        """A text that must be given."""
        found = self.maybe(name)
        if found is None and (not self.has(name) or isinstance(self._fields[name], yaml.ScalarNode)):
            self.wrong(name, "is missing")
        return found or ""

    def choice(self, name: str, known: Collection[str], default: str | None = None) -> str:
        """One of a few words; one of them must be given when there is no default."""
        found = self.text(name) if default is None else self.maybe(name) or default
        if found and found not in known:
            self.wrong(name, f"is {found!r}; it should be one of {', '.join(sorted(known))}")
        return found

    def flag(self, name: str) -> bool:
        """yes or no; no when it is not given."""
        found = self.maybe(name)
        if found is not None and found.lower() not in _YES_NO:
            self.wrong(name, f"is {found!r}; it should be yes or no")
        return found is not None and _YES_NO.get(found.lower(), False)

    def number(self, name: str, default: int) -> int:
        """A whole number from 0 on."""
        found = self.maybe(name)
        if found is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", found):
            self.wrong(name, f"is {found!r}; it should be a whole number")
            return default
        return int(found)

    def money(self, name: str) -> Money:
        """An amount that must be given."""
        return self._amount(name, self.text(name)) or Money(0, "eur")

    def maybe_money(self, name: str) -> Money | None:
        found = self.maybe(name)
        return None if found is None else self._amount(name, found)

    def when(self, name: str) -> timedelta:
        """A time, from now, that must be given."""
        return self._span(name, self.text(name)) or timedelta()

    def maybe_when(self, name: str) -> timedelta | None:
        found = self.maybe(name)
        return None if found is None else self._span(name, found)

    def _amount(self, name: str, text: str) -> Money | None:
        found = _AMOUNT.fullmatch(text)
        if found is None:
            if text:
                self.wrong(name, f"is {text!r}; it should be an amount such as 49.00 EUR")
            return None
        currency, part = found["currency"].lower(), found["part"] or ""
        exponent = Money(0, currency).exponent
        if len(part) != exponent:
            self.wrong(name, f"is {text!r}; {found['currency']} has {exponent or 'no'} decimals")
        return Money(int(found["whole"] + part), currency)

    def _span(self, name: str, text: str) -> timedelta | None:
        found = _SPAN.fullmatch(text)
        if text == "now":
            return timedelta()
        if found is None:
            if text:
                self.wrong(name, f"is {text!r}; it should be a time from now such as -3d, +2w or -1d 6h, or now")
            return None
        spans = (timedelta(**{_UNITS[part[-1]]: int(part[:-1])}) for part in found["parts"].split())
        total = sum(spans, timedelta())
        if total > timedelta(days=36500):
            self.wrong(name, f"is {text!r}; that is more than a hundred years")
            return None
        return -total if found["sign"] == "-" else total

    # ---- what is inside ----------------------------------------------------------------------------------------

    def words(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(self._word(name, node) for node in self._list(name))

    def entries(self, name: str) -> list[Entry]:
        """A list of mappings."""
        nodes = self._list(name)
        return [entry_of(node, f"{self._place(name)}[{at}]", self.problems) for at, node in enumerate(nodes, 1)]

    def inside(self, name: str) -> Entry | None:
        """A mapping; None when it is not given."""
        return entry_of(self._fields[name], self._place(name), self.problems) if self.has(name) else None

    def named(self, name: str) -> Mapping[str, Entry]:
        """Mappings by name."""
        if not self.has(name):
            return {}
        inside = entry_of(self._fields[name], self._place(name), self.problems)
        for wrong in [one for one in inside._fields if not NAME.fullmatch(one)]:
            inside.wrong(wrong, "is no name: a to z, 0 to 9 and _, at most 40, a letter first")
        return {
            one: entry_of(node, f"{inside.place}.{one}", self.problems)
            for one, node in inside._fields.items()
            if NAME.fullmatch(one)
        }

    def _place(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name

    def _list(self, name: str) -> list[yaml.Node]:
        if not self.has(name):
            return []
        node = self._fields[name]
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.wrong(name, "should be a list")
        return []

    def _word(self, name: str, node: yaml.Node) -> str:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        self.wrong(name, "should be a list of single values")
        return ""


def entry_of(node: yaml.Node, place: str, problems: Problems) -> Entry:
    """A node as a mapping; an empty one, and a problem, when it is none."""
    entry = Entry(place, node.start_mark.line + 1, problems)
    if not isinstance(node, yaml.MappingNode):
        problems.add(entry.line, place, "should have fields, each `name: value`")
        return entry
    for key, value in node.value:
        name, line = _name(key), key.start_mark.line + 1
        if name in entry._fields:
            problems.add(line, entry._place(name), "is given twice")
        entry._fields[name], entry._lines[name] = value, line
    return entry


def top_of(text: str, problems: Problems) -> Entry | None:
    """The whole file; None, and a problem, when it is no YAML with fields."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        problems.add(mark.line + 1 if mark else 1, "", f"is no YAML: {error.problem}")
        return None
    except yaml.YAMLError:  # a character that YAML does not have; it has no line
        problems.add(1, "", "is no YAML: there is a character that may not be in it")
        return None
    if node is None:
        problems.add(1, "", "the file is empty")
        return None
    return entry_of(node, "", problems)


def _name(key: yaml.Node) -> str:
    return str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
