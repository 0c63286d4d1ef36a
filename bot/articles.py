"""`knowledge check|import|export|explain`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.domain.articles import Article, Publication
from bot.domain.redaction import redact
from bot.domain.routing import Routing
from bot.errors import ArticleError, Conflict, UsageError
from bot.services.asking import Asking, ask
from bot.services.understanding import understand
from bot.storage.reading import publication_in, reading, store_errors

if TYPE_CHECKING:
    from bot.settings import Settings
    from knowledge.index import Explanation

Say = Callable[[str], None]

AUTHOR = "import"


def check(folder: Path | None, say: Say) -> int:
    """Say everything that is wrong with a folder of articles (None: the shipped ones). 0 when nothing is."""
    articles = _loaded(_shipped_folder() if folder is None else folder, say)
    if articles is None:
        return 1
    today = datetime.now(UTC).date()
    for article in articles:
        if article.review_by < today:
            say(f"{article.id}: was to be reviewed by {article.review_by}; it is still used.")
    say(f"{_counted(len(articles))}, nothing wrong.")
    return 0


async def publish(settings: Settings, folder: Path, say: Say) -> int:
    """Make a folder's articles the live set. 1 and no change when anything in it is wrong. Raises UsageError."""
    articles = _loaded(folder, say)
    if articles is None:
        say("Nothing was published.")
        return 1
    before, after = await _published(settings, articles)
    old = {revision.article.id: revision.number for revision in before.revisions}
    new = {revision.article.id: revision.number for revision in after.revisions}
    changes = {
        "new": sorted(new.keys() - old.keys()),
        "changed": sorted(name for name in new.keys() & old.keys() if new[name] != old[name]),
        "removed": sorted(old.keys() - new.keys()),
        "same": sorted(name for name in new.keys() & old.keys() if new[name] == old[name]),
    }
    for change, names in changes.items():
        if names:
            say(f"{change + ':':9}{', '.join(names)}")
    if after.number == before.number:
        say(f"Nothing changed: publication {after.number} stays.")
    else:
        say(f"Publication {after.number} is live. A running bot takes it up within seconds.")
    return 0


async def export(settings: Settings, folder: Path, say: Say) -> int:
    """Write the published articles into a new or empty folder; importing it changes nothing. Raises UsageError."""
    from knowledge.loader import shipped

    _require_empty(folder)
    async with reading(settings.database_url, settings.data_dir) as engine:
        found = await publication_in(engine)
    articles = [revision.article for revision in found.revisions] if found.number else list(shipped())
    _write(folder, articles)
    what = f"publication {found.number}" if found.number else "the shipped ones, since nothing is published yet"
    say(f"{_counted(len(articles))} written to {folder}: {what}.")
    return 0


async def explain(settings: Settings, question: str, say: Say) -> int:
    """Say what would be said to a question, and what that rests on. Writes nothing. Raises UsageError."""
    from bot.ask import open_published, printable

    asked = redact(question).text
    knowledge = await open_published(settings)
    try:
        said = await ask(question, knowledge)
        understood = await understand(asked, knowledge, route_always=True)
        explanation = await knowledge.explain(asked)
        titles = {one.article.id: one.article.title for one in knowledge.publication.revisions}
        by_words = knowledge.by_words_only
    finally:
        knowledge.close()
    for line in explained(said, understood.routing or explanation.routing, explanation, titles, by_words=by_words):
        say(printable(line))
    return 0


def explained(
    said: Asking, routing: Routing, found: Explanation, titles: Mapping[str, str], *, by_words: bool
) -> Iterator[str]:
    """The lines of `explain`. `routing` is what was decided on, `titles` are by article id."""
    what = {"answer": "answer", "lookup": "look up, and answer", "clarify": "ask back", "handoff": "call a person"}
    named = ", ".join(dict.fromkeys(name for name in (said.article, *(one.article for one in said.citations)) if name))
    yield f"question    {said.question}"
    yield f"action      {what[said.action]}{': ' + named if named else ''}"
    yield f"because     {said.reason}{', by rule: retrieval did not decide' if said.by_rule else ''}"
    yield f"section     {routing.heading or '-'}"
    yield f"confidence  {routing.confidence:.4f}, {routing.band} band"
    high = f"answer from {found.high:.4f}" if found.high <= 1 else "never answer"
    yield f"thresholds  {high}, ask back from {found.low:.4f}, else call a person"
    if routing.candidates != found.routing.candidates or routing.band is not found.routing.band:
        yield f"retrieval   alone said {found.routing.band} band, and {_ids(found.routing)}"
    yield from ("", "candidates  score   best first")
    for number, candidate in enumerate(routing.candidates, 1):
        yield f"{number:>10}  {candidate.score:>6.3f}  {candidate.article}: {titles.get(candidate.article, '')}"
    yield from ("", f"nearest     {'words (BM25)' if by_words else 'cosine'}, phrasing, and the article that has it")
    for (text, score), owner in zip(found.nearest, found.owners, strict=True):
        yield f"{score:>18.3f}  {text}  [{owner or 'not ours'}]"
    yield from ("", "what is said")
    yield from (f"  {line}" for line in said.text.split("\n"))


def _ids(routing: Routing) -> str:
    return ", ".join(candidate.article for candidate in routing.candidates[:3])


def _shipped_folder() -> Path:
    from knowledge.loader import SHIPPED

    return SHIPPED


def _loaded(folder: Path, say: Say) -> tuple[Article, ...] | None:
    """A folder's articles; None after saying everything that is wrong with them. Raises UsageError."""
    from knowledge import loader

    _listed(folder)
    try:
        errors = loader.check(folder)
        articles = loader.load(folder) if not errors else ()
    except ArticleError as changed:  # while it was read
        errors, articles = [changed], ()
    for error in errors:
        for problem in error.problems:
            say(f"{error.path or folder}: {problem}")
    return None if errors else articles


def _listed(folder: Path) -> list[str]:
    """The names in a folder. Raises UsageError when it cannot be read."""
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        raise UsageError(f"There is no folder {folder}.") from None
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be read: {error.strerror}.") from None


def _require_empty(folder: Path) -> None:
    if folder.exists() and _listed(folder):
        raise UsageError(f"{folder} is not empty. Choose a new folder, so that nothing in it is overwritten.")


def _write(folder: Path, articles: Sequence[Article]) -> None:
    from knowledge.loader import dump

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for article in articles:
            (folder / f"{article.id}.md").write_text(dump(article), encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}. Choose another folder.") from None


def _counted(count: int) -> str:
    return f"{count} article" if count == 1 else f"{count} articles"


async def _published(settings: Settings, articles: tuple[Article, ...]) -> tuple[Publication, Publication]:
    """Publish; what was live before, and what is now."""
    from bot.app import SystemClock, open_stores
    from bot.storage import datadir

    if settings.database_url is None:
        datadir.prepare(settings.data_dir)
    try:
        async with open_stores(settings, SystemClock()) as stores:
            before = await stores.articles.publication()
            return before, await stores.articles.publish(articles, author=AUTHOR, note="imported from a folder")
    except store_errors() as error:
        raise UsageError(
            f"The database did not take the articles ({type(error).__name__}), and nothing was published. "
            "`python -m bot doctor` says what is wrong with it."
        ) from None
    except Conflict:
        raise UsageError("Somebody else published at the same moment. Nothing was published; import again.") from None
