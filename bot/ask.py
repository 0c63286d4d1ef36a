"""`ask`: questions from standard input, one a line, each a new conversation; answered without side effects.

Nothing is written. What is published in the database is read, else the shipped articles are; vectors that are not
kept there are computed for this run. Neither slack nor dbos is imported: the first answer comes in seconds.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import importlib
import json
import signal
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, Never, TextIO

from bot.domain.articles import Article, Publication, Revision
from bot.errors import UsageError
from bot.services.asking import Asking, ask
from bot.storage.reading import Schema, articles_in, publication_in, reading, schema_in

if TYPE_CHECKING:
    from bot.ports import VectorStore
    from bot.settings import Settings
    from knowledge.service import LiveKnowledge

INTRODUCTION = "One question a line; Ctrl-D ends. The articles are being read, which takes a few seconds.\n"


async def answer_lines(settings: Settings, stdin: BinaryIO, stdout: TextIO, *, as_json: bool) -> int:
    """Answer each line as it comes; one JSON object a line, or a readable form. Raises UsageError."""
    if stdin.isatty():
        sys.stderr.write(INTRODUCTION)
    knowledge = await open_published(settings)
    shown = _as_json if as_json else _readable
    try:
        with _interruptible():
            for line in _lines(stdin):
                _write(stdout, shown(await ask(line, knowledge)))
    finally:
        knowledge.close()
    return 0


# ---- in and out ------------------------------------------------------------------------------------------------


def _lines(stdin: BinaryIO) -> Iterator[str]:
    """Each line as soon as it is there, whatever its bytes. The event loop waits too: nothing else runs in it."""
    first = True
    try:
        for line in iter(stdin.readline, b""):
            text = line.removeprefix(codecs.BOM_UTF8) if first else line
            first = False
            yield text.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"Standard input cannot be read: {error.strerror}.") from None


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end a wait for a line at once: asyncio's handler only cancels the task, which is waiting."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _write(stdout: TextIO, text: str) -> None:
    encoding = stdout.encoding or "utf-8"
    stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    stdout.flush()


def _as_json(said: Asking) -> str:
    return json.dumps(said.to_json(), ensure_ascii=True)


def _readable(said: Asking) -> str:
    cited = "".join(
        f"; {one.title}, revision {one.revision}" + (f", {one.heading}" if one.heading else "")
        for one in said.citations
    )
    text = f"> {said.question}\n{said.text}\n[{said.action}, {said.confidence:.2f}: {said.reason}{cited}]\n"
    return "\n".join(printable(line) for line in text.split("\n"))


def printable(line: str) -> str:
    """A line that a terminal shows and does not obey: control characters in it may have come from anywhere."""
    return "".join(one if one.isprintable() else "\ufffd" for one in line)


# ---- what is known ---------------------------------------------------------------------------------------------


class _Snapshot:
    """Fulfils `bot.ports.ArticleStore` and `VectorStore` with one publication; keeps nothing."""

    def __init__(self, publication: Publication, kept: VectorStore | None) -> None:
        self._publication = publication
        self._kept = kept

    async def publication_number(self) -> int:
        return self._publication.number

    async def publication(self) -> Publication:
        return self._publication

    async def publish(self, articles: Sequence[Article], *, author: str, note: str) -> Never:
        raise UsageError("Asking publishes nothing: use `python -m bot knowledge import`.")

    async def vectors(self, embedder: str, hashes: Collection[str]) -> Mapping[str, bytes]:
        return await self._kept.vectors(embedder, hashes) if self._kept is not None else {}

    async def save_vectors(self, embedder: str, vectors: Mapping[str, bytes]) -> None:
        """Not here: asking has no side effects."""

    async def head(self, key: str) -> bytes | None:
        return await self._kept.head(key) if self._kept is not None else None

    async def save_head(self, key: str, content: bytes) -> None:
        """Not here either."""


async def open_published(settings: Settings) -> LiveKnowledge:
    """What customers are answered from: what is published in the database, else the shipped articles. Writes nothing;
    close it. Raises UsageError."""
    from knowledge.embedder import open_embedder
    from knowledge.loader import shipped
    from knowledge.service import LiveKnowledge

    async with reading(settings.database_url, settings.data_dir) as engine:
        found = await publication_in(engine)
        kept = None
        if engine is not None and found.number and await schema_in(engine) is Schema.CURRENT:
            kept = articles_in(engine)
        if not found.number:
            found = Publication(1, tuple(Revision(1, article) for article in shipped()))
        snapshot = _Snapshot(found, kept)
        knowledge = LiveKnowledge(snapshot, snapshot, await asyncio.to_thread(open_embedder))
        await asyncio.gather(knowledge.refresh(), asyncio.to_thread(_warm))
        await knowledge.finish()
    return knowledge


def _warm() -> None:
    """Import the vector store while the articles are embedded: half a second less to the first answer."""
    with contextlib.suppress(ImportError):
        importlib.import_module("chromadb")
