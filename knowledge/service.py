"""`LiveKnowledge`: the newest publication, ready to be asked; it swaps whole when another one is published."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.domain.articles import Audience, Publication, Revision
from bot.domain.redaction import Redacted
from bot.domain.routing import Routing
from bot.errors import HandrailError, Unavailable
from bot.ports import ArticleStore, VectorStore
from knowledge.corpus import Corpus, Topic, not_ours
from knowledge.embedder import Embedder
from knowledge.head import Fitted
from knowledge.index import Explanation, Index, build, head_key
from knowledge.language import Languages
from knowledge.shipped_vectors import shipped_head, shipped_vectors
from knowledge.text import text_hash
from knowledge.vectors import ChunkStore, LocalChroma

NOTHING: Final = Publication(0, ())
EMBED_AT_ONCE: Final = 64
POLL_SECONDS: Final = 0.25
"""An eighth of the two seconds from publishing to live; the rest is for building."""

MOST_SKIPPED: Final = 240
"""Polls that a publication which cannot be built is left alone for, at most: a minute."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Frozen:
    """Fulfils `bot.ports.Knowledge` with one publication."""

    index: Index | None
    languages: Languages | None
    worker: ThreadPoolExecutor

    @property
    def publication(self) -> Publication:
        """What answers rest on; number 0 when nothing was published."""
        return self.index.publication if self.index is not None else NOTHING

    def frozen(self) -> Frozen:
        """Itself."""
        return self

    def revision(self, article_id: str) -> Revision | None:
        """The revision of an article, None when it is not published."""
        return self.publication.get(article_id)

    async def route(self, question: Redacted) -> Routing:
        """See `LiveKnowledge.route`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.worker, self._live().route, question, Audience.CUSTOMER)

    async def explain(self, question: Redacted) -> Explanation:
        """See `LiveKnowledge.explain`."""
        return await asyncio.get_running_loop().run_in_executor(self.worker, self._live().explain, question)

    def _live(self) -> Index:
        if self.index is None:
            raise Unavailable("knowledge")
        return self.index

    def language(self, question: Redacted) -> str | None:
        """See `bot.ports.Knowledge.language`."""
        return None if self.languages is None else self.languages.foreign(question)


class LiveKnowledge:
    """Fulfils `bot.ports.Knowledge` from the stores. Call `refresh` once before asking, then run `poll`.

    `store_errors` are what the stores raise when they are down, besides our own errors: with them, too, the old
    publication stays live. `chunks` keeps the vectors of the articles' parts (None: in this process). Questions are
    routed in one worker thread, publications are built in another.
    """

    def __init__(
        self,
        articles: ArticleStore,
        vectors: VectorStore,
        embedder: Embedder | None,
        *,
        chunks: ChunkStore | None = None,
        topics: Collection[Topic] | None = None,
        store_errors: tuple[type[Exception], ...] = (),
    ) -> None:
        self._articles = articles
        self._vectors = vectors
        self._embedder = embedder
        self._chunks = chunks or LocalChroma()
        self._spent: list[Index] = []
        self._topics = not_ours() if topics is None else tuple(topics)
        self._failures: tuple[type[Exception], ...] = (HandrailError, sqlite3.Error, OSError, ValueError, *store_errors)
        self._halts: tuple[type[Exception], ...] = (*self._failures, MemoryError)
        self._index: Index | None = None
        self._languages: Languages | None = None
        self._swap = asyncio.Lock()
        self._bad = NOTHING.number
        self._skip = self._skipped = 0
        self._reported = ""
        self._stays: Index | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="knowledge")

    @property
    def publication(self) -> Publication:
        """What answers rest on now; number 0 while there is nothing."""
        return self.frozen().publication

    @property
    def by_words_only(self) -> bool:
        """Whether questions are matched by their words, because this installation has no embedder."""
        return self._embedder is None

    @property
    def sketched(self) -> bool:
        """Whether the live publication's head is a sketch, that `finish` replaces."""
        return self._index is not None and self._index.head is not None and self._index.head.sketch

    def revision(self, article_id: str) -> Revision | None:
        """The live revision of an article, None when it is not published."""
        return self.frozen().revision(article_id)

    def frozen(self) -> Frozen:
        """See `bot.ports.Knowledge.frozen`."""
        return Frozen(self._index, self._languages, self._worker)

    async def route(self, question: Redacted) -> Routing:
        """Which articles for customers a question is about. Raises Unavailable("knowledge") when nothing is
        published."""
        return await self.frozen().route(question)

    def language(self, question: Redacted) -> str | None:
        """See `bot.ports.Knowledge.language`."""
        return self.frozen().language(question)

    async def explain(self, question: Redacted) -> Explanation:
        """A routing with what it rests on. Raises like `route`."""
        return await self.frozen().explain(question)

    async def refresh(self) -> bool:
        """Go live with the newest publication. True when it was swapped in.

        When it cannot be built the old one stays and the failure is logged; with no old one the failure is raised.
        """
        async with self._swap:
            try:
                number = await self._articles.publication_number()
                if number == self.publication.number or self._left_alone(number):
                    return False
                index = await self._build(await self._articles.publication())
            except self._failures as failure:
                if self._index is None:
                    raise
                self._report(f"the publication stays at {self.publication.number}", failure)
                return False
            if index is None:
                return False
            self._languages = await asyncio.to_thread(Languages, index.corpus.vocabulary)
            self._retire(self._index)
            self._index, self._bad, self._skip, self._reported = index, NOTHING.number, 0, ""
            log.info("publication %s is live", index.publication.number)
            return True

    def _retire(self, index: Index | None) -> None:
        """Let go of the publication before the one that is replaced now: other replicas may still ask the latter."""
        self._spent += [] if index is None else [index]
        for gone in self._spent[:-1]:
            self._worker.submit(gone.close)
        self._spent = self._spent[-1:]

    def _left_alone(self, number: int) -> bool:
        """Whether a publication that failed before is to be tried later only: each time twice as many polls."""
        if number != self._bad or self._skip <= 0:
            return False
        self._skip -= 1
        return True

    async def _build(self, publication: Publication) -> Index | None:
        """The index of a publication; None when there is nothing to publish."""
        if publication.number == NOTHING.number:
            return None
        if publication.number != self._bad:
            self._bad, self._skipped = publication.number, 0
        self._skipped = min(2 * self._skipped + 1, MOST_SKIPPED)
        self._skip = self._skipped
        corpus = await asyncio.to_thread(Corpus.of, publication, self._topics)
        if self._embedder is None:
            return await asyncio.to_thread(build, corpus, None, None)
        vectors = await self._embedded(self._embedder, corpus.texts)
        head = await self._kept_head(head_key(self._embedder, corpus), corpus)
        return await asyncio.to_thread(build, corpus, self._embedder, vectors, self._chunks, head)

    async def _kept_head(self, key: str, corpus: Corpus) -> Fitted | None:
        """The head of these phrasings, if it was ever fitted: the live one's, the one we bring, or the store's."""
        shape = len(corpus.rows), corpus.other + 1
        live = self._index
        if live is not None and live.head is not None and not live.head.sketch and live.corpus.learns_as(corpus):
            return live.head
        brought = await asyncio.to_thread(lambda: Fitted.from_bytes(shipped_head(), key, *shape))
        if brought is not None:
            return brought
        kept = await self._vectors.head(key)
        return None if kept is None else await asyncio.to_thread(Fitted.from_bytes, kept, key, *shape)

    async def finish(self) -> bool:
        """When the live publication's head was only sketched, so that it could be live at once: fit it from all
        phrasings, or take it from a replica that did. True when it was swapped in. Raises what the stores raise."""
        index, embedder = self._index, self._embedder
        if index is None or embedder is None or not self.sketched or index is self._stays:
            return False
        key = head_key(embedder, index.corpus)
        head, made = await self._kept_head(key, index.corpus), b""
        if head is None:
            # Should it fail it would fail again: the sketch stays until the next publication.
            self._stays = index
            made = await asyncio.to_thread(index.fitted, key)
            head = await asyncio.to_thread(Fitted.from_bytes, made, key, len(index.corpus.rows), index.corpus.other + 1)
        if head is None:
            return False
        finished = await asyncio.to_thread(index.with_head, head)
        async with self._swap:
            if self._index is index:
                self._index = finished
        if made:
            await self._vectors.save_head(key, made)
        return self._index is finished

    async def _embedded(self, embedder: Embedder, texts: tuple[str, ...]) -> NDArray[np.float32]:
        """One row a text. What the store has is taken from it; the rest we bring, or embed, and keep there."""
        names = [text_hash(text) for text in texts]
        kept = await self._vectors.vectors(embedder.name, frozenset(names))
        known = {
            name: np.frombuffer(raw, dtype="<f4") for name, raw in kept.items() if len(raw) == 4 * embedder.dimension
        }
        if len(known) < len(set(names)):
            known |= await self._brought(embedder, frozenset(names) - known.keys())
        missing = {name: text for name, text in zip(names, texts, strict=True) if name not in known}
        todo = list(missing.items())
        for start in range(0, len(todo), EMBED_AT_ONCE):
            part = todo[start : start + EMBED_AT_ONCE]
            made = await asyncio.to_thread(embedder.embed, [text for _, text in part])
            fresh = {name: row.astype("<f4") for (name, _), row in zip(part, made, strict=True)}
            await self._vectors.save_vectors(embedder.name, {name: row.tobytes() for name, row in fresh.items()})
            known.update(fresh)
        return np.array([known[name] for name in names], dtype=np.float32).reshape(len(names), embedder.dimension)

    async def _brought(self, embedder: Embedder, wanted: frozenset[str]) -> dict[str, NDArray[np.float32]]:
        """What the shipped file has of these vectors, kept from now on."""
        brought = await asyncio.to_thread(shipped_vectors, embedder.name)
        found = {name: brought[name].astype("<f4") for name in wanted & brought.keys()}
        if found:
            await self._vectors.save_vectors(embedder.name, {name: row.tobytes() for name, row in found.items()})
        return found

    async def poll(self, interval: float = POLL_SECONDS) -> None:
        """Refresh every `interval` seconds until cancelled, and finish what was sketched beside that."""
        finishing: asyncio.Task[None] | None = None
        try:
            while True:
                await asyncio.sleep(interval)
                if self._index is None:
                    await self._first()
                else:
                    await self.refresh()
                if finishing is None or finishing.done():
                    finishing = asyncio.create_task(self._finish())
        finally:
            if finishing is not None:
                # Its question to the store must have ended before the store is closed.
                finishing.cancel()
                await asyncio.wait((finishing,))

    async def _finish(self) -> None:
        """`finish`, with failures logged: the sketch answers meanwhile."""
        try:
            if await self.finish():
                log.info("publication %s is fitted from all phrasings", self.publication.number)
        except self._halts as failure:
            self._report("questions are routed a little less surely", failure)

    async def _first(self) -> None:
        """A refresh while nothing is live yet: what fails is logged and tried again."""
        try:
            await self.refresh()
        except self._failures as failure:
            self._report("nothing is published yet", failure)

    def _report(self, consequence: str, failure: Exception) -> None:
        """Warn once of each failure, however often it is met again."""
        known, self._reported = self._reported, repr(failure)
        if known != self._reported:
            log.warning("Knowledge could not be refreshed; %s.", consequence, exc_info=failure)

    def close(self) -> None:
        """Stop the worker thread. Questions on their way are answered; new ones raise RuntimeError."""
        self._worker.shutdown(wait=False)
        self._chunks.close()
