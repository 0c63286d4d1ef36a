"""Article files: a folder of Markdown with YAML front matter, read strictly, and written back.

The folder's rules of the house (windows, plans, addresses) are in its `acme.yaml`; articles write `{{name}}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from bot.domain.articles import MAX_ANSWER, Action, Article, Audience, Priority
from bot.domain.lookups import Lookup
from bot.errors import ArticleError
from knowledge.front_matter import Draft, parse
from knowledge.text import same_words

SHIPPED: Final = Path(__file__).parent / "articles"
HOUSE_FILE: Final = "acme.yaml"
MIN_PHRASINGS: Final = 5
MAX_PHRASING: Final = 500
MAX_TITLE: Final = 75
"""A title is also the text of a Slack button."""

MAX_FILE: Final = 200_000
"""Bytes of one article file."""

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PLAIN: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float"))
_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class _Read:
    """One file: its draft, and the article that it makes when nothing is wrong with it."""

    path: str
    draft: Draft
    article: Article | None
    unread: str = ""

    @property
    def problems(self) -> tuple[str, ...]:
        return (self.unread,) if self.unread else self.draft.problems


def load(folder: Path) -> tuple[Article, ...]:
    """The articles of a folder, by id. Raises ArticleError for the first file with problems; `check` lists all."""
    reads, errors = _read_folder(folder)
    if errors:
        raise errors[0]
    return tuple(read.article for read in reads if read.article is not None)


def check(folder: Path) -> list[ArticleError]:
    """Everything that is wrong in a folder, one error a file."""
    return _read_folder(folder)[1]


def shipped() -> tuple[Article, ...]:
    """The articles that Handrail brings."""
    return load(SHIPPED)


def dump(article: Article) -> str:
    """An article in the file format; reading it back gives the same article."""
    values: dict[str, Any] = {
        "id": article.id,
        "title": article.title,
        "action": str(article.action),
        **({"lookup": article.lookup} if article.lookup is not None else {}),
        "priority": str(article.priority),
        "audience": str(article.audience),
        "questions": list(article.questions),
        "answer": _Block(article.answer),
        "effective_from": article.effective_from,
        "review_by": article.review_by,
        "sources": list(article.sources),
    }
    front = yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    body = "\n".join(f"\n## {section.heading}\n\n{section.body}" for section in article.sections)
    return f"---\n{front}---\n{body}\n"


def parse_article(path: str, text: str, house: Mapping[str, str] | None = None) -> Article:
    """One article from a file's text. `path` is its name, such as refund-timing.md. Raises ArticleError."""
    read = _judge(path, parse(text, house or {}))
    if read.article is None:
        raise ArticleError(path, read.problems)
    return read.article


class _Block(str):
    """A text that is written as a block."""


class _Dumper(yaml.SafeDumper):
    """Writes a _Block as a YAML literal."""


def _represent(dumper: yaml.SafeDumper, block: _Block) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(block), style="|")


_Dumper.add_representer(_Block, _represent)


def _read_folder(folder: Path) -> tuple[list[_Read], list[ArticleError]]:
    paths = sorted(folder.glob("*.md")) if folder.is_dir() else []
    if not paths:
        return [], [ArticleError(folder.name, ("there is no article here (a folder with .md files is expected)",))]
    house, house_problems = _house(folder / HOUSE_FILE)
    reads = [_read_file(path, house) for path in paths]
    _check_across(reads)
    errors = [ArticleError(HOUSE_FILE, house_problems)] if house_problems else []
    errors += [ArticleError(read.path, read.problems) for read in reads if read.problems]
    return reads, errors


def _text(path: Path) -> str:
    """A file's text. Raises OSError, or ValueError that says what is wrong with it."""
    content = path.read_bytes()
    if len(content) > MAX_FILE:
        raise ValueError(f"is larger than {MAX_FILE:,} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line}: is not UTF-8") from error


def _house(path: Path) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """The values of the house by name, as they are written, and what is wrong with them; a folder without the file
    has none."""
    if not path.exists():
        return {}, ()
    try:
        node = yaml.compose(_text(path), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return {}, (f"line {mark.line + 1 if mark else 1}: broken YAML: {getattr(error, 'problem', 'unreadable')}",)
    except OSError as error:
        return {}, (f"cannot be read: {error.strerror or type(error).__name__}",)
    except (ValueError, RecursionError) as error:
        return {}, (f"cannot be read: {error}",)
    if not isinstance(node, yaml.MappingNode):
        return {}, ("line 1: must be names with values",)
    values: dict[str, str] = {}
    problems = []
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in values:
            problems.append(f"line {line}: {name}: is there twice")
        if not isinstance(value, yaml.ScalarNode) or value.tag not in _PLAIN:
            problems.append(f"line {line}: {name}: must be a text or a number")
        values[name] = str(value.value)
    return values, tuple(problems)


def _read_file(path: Path, house: Mapping[str, str]) -> _Read:
    try:
        text = _text(path)
    except OSError as error:
        return _Read(path.name, Draft(), None, f"cannot be read: {error.strerror or type(error).__name__}")
    except ValueError as error:
        return _Read(path.name, Draft(), None, str(error))
    return _judge(path.name, parse(text, house))


def _judge(path: str, draft: Draft) -> _Read:
    """The draft's article when nothing is wrong with it."""
    _check_rules(draft, path)
    if draft.problems:
        return _Read(path, draft, None)
    values = draft.values
    article = Article(
        id=values["id"],
        title=values["title"],
        action=Action(values["action"]),
        lookup=values.get("lookup"),
        priority=Priority(values["priority"]),
        audience=Audience(values["audience"]),
        questions=values["questions"],
        answer=values["answer"],
        effective_from=values["effective_from"],
        review_by=values["review_by"],
        sources=values["sources"],
        sections=draft.sections,
    )
    return _Read(path, draft, article)


def _check_rules(draft: Draft, path: str) -> None:
    """The rules over values of the right type; what is missing or malformed was noted when it was read."""
    values, name = draft.values, path.removesuffix(".md")
    if "id" in values and not _ID.fullmatch(values["id"]):
        draft.problem("id", "must be in kebab-case, such as refund-timing")
    if values.get("id", name) != name:
        draft.problem("id", f"must be the file's name, {name}")
    action, priority = _choice(draft, "action", Action), _choice(draft, "priority", Priority)
    _choice(draft, "audience", Audience)
    if action is Action.LOOKUP and "lookup" not in draft.lines:
        draft.problem("action", "a lookup article says which look-up answers it: add lookup")
    _choice(draft, "lookup", Lookup)
    if action is not None and action is not Action.LOOKUP and "lookup" in draft.lines:
        draft.problem("lookup", "belongs to articles with action: lookup only")
    if priority not in (None, Priority.NORMAL) and action not in (None, Action.HANDOFF):
        draft.problem("priority", "belongs to articles with action: handoff; write normal")
    if "\n" in values.get("title", "") or len(values.get("title", "")) > MAX_TITLE:
        draft.problem("title", f"must be one line of at most {MAX_TITLE} characters")
    if len(values.get("answer", "")) > MAX_ANSWER:
        draft.problem("answer", f"is {len(values['answer'])} characters long, at most {MAX_ANSWER} fit")
    if {"review_by", "effective_from"} <= values.keys() and values["review_by"] < values["effective_from"]:
        draft.problem("review_by", "is before effective_from")
    if "questions" in values:
        _check_questions(draft, values["questions"])


def _choice(draft: Draft, key: str, kind: type[_Choice]) -> _Choice | None:
    if key not in draft.values:
        return None
    try:
        return kind(draft.values[key])
    except ValueError:
        draft.problem(key, f"must be one of {', '.join(kind)}")
        return None


def _check_questions(draft: Draft, questions: Sequence[str]) -> None:
    if len(questions) < MIN_PHRASINGS:
        draft.problem("questions", f"{len(questions)} phrasings are too few, at least {MIN_PHRASINGS} are needed")
    seen: set[str] = set()
    for at, question in enumerate(questions):
        if len(question) > MAX_PHRASING:
            draft.problem("questions", f"a phrasing is longer than {MAX_PHRASING} characters", at)
        if same_words(question) in seen:
            draft.problem("questions", f"{question!r} is there twice", at)
        seen.add(same_words(question))


def _check_across(reads: Sequence[_Read]) -> None:
    """Note the problems that only show between files: the later file that has a phrasing is told of the first."""
    owner: dict[str, str] = {}
    for read in reads:
        for at, question in enumerate(read.draft.values.get("questions", ())):
            first = owner.setdefault(same_words(question), read.path)
            if first != read.path:
                read.draft.problem("questions", f"{question!r} is in {first} too", at)
