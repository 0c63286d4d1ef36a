"""Measures inside a process of their own, one JSON object on standard output: `python -m bot.measure.parts WHAT`.

`memory`: resident memory after each part of Handrail is there, in the order in which `run` opens them.
`workflows`: how many wake-ups that do nothing the engine runs in a second. `knowledge`: how long routing takes, and
how soon a publication is live. `chunks`: how long routing takes among CHUNKS parts of articles. All use DATA_DIR.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bot.domain.articles import Article, Section
from bot.domain.redaction import Redacted, redacted
from bot.domain.routing import Routing
from bot.measure.process import cpu_seconds, resident_mb
from bot.ports import Wake, WakeKind

if TYPE_CHECKING:
    from bot.app import Stores
    from knowledge.service import LiveKnowledge

WAKES = 600
LANES = 60
STUCK_AFTER = 120.0
PUBLISHED = 5
CHUNKS = 10_000
SECTIONS = 5


class Nothing:
    """A worker without work: counts wake-ups. Fulfils `bot.workflows.Runs`."""

    def __init__(self, expected: int) -> None:
        self._left = expected
        self.done = asyncio.Event()

    async def run(self, kind: WakeKind, lane: str, subject: str) -> None:
        """One wake-up."""
        self._left -= 1
        if self._left == 0:
            self.done.set()


async def memory(data_dir: Path) -> dict[str, float | None]:
    """MB after: the interpreter, the imports, database and engine, embedder, knowledge."""
    pid = os.getpid()
    found = {"interpreter": resident_mb(pid)}
    from bot import app
    from bot.settings import load_settings
    from bot.storage import database
    from bot.workflows import DbosEngine
    from knowledge.embedder import open_embedder
    from knowledge.loader import shipped
    from knowledge.service import LiveKnowledge

    found["imports"] = resident_mb(pid)
    settings = load_settings({"data_dir": data_dir, "database_url": None}, env_file=None)
    async with app.open_stores(settings, app.SystemClock()) as stores:
        url = database.engine_url(None, data_dir)
        database.prepare_engine_file(url)
        engine = DbosEngine(url, "bench")
        await engine.launch(Nothing(0))
        found["database and engine"] = resident_mb(pid)
        embedder = await asyncio.to_thread(open_embedder)
        found["embedder"] = resident_mb(pid)
        await stores.articles.publish(await asyncio.to_thread(shipped), author="bench", note="shipped articles")
        knowledge = LiveKnowledge(stores.articles, stores.articles, embedder)
        await knowledge.refresh()
        found["knowledge"] = resident_mb(pid)
        knowledge.close()
        await engine.close()
    return found


async def workflows(data_dir: Path) -> dict[str, float | None]:
    """Wake-ups a second, and CPU milliseconds of each, with nothing in them."""
    from bot.storage import database
    from bot.workflows import DbosEngine

    url = database.engine_url(None, data_dir)
    database.prepare_engine_file(url)
    engine, nothing = DbosEngine(url, "bench"), Nothing(WAKES)
    await engine.launch(nothing)
    before, began = cpu_seconds(os.getpid()), time.monotonic()
    for number in range(WAKES):
        await engine.enqueue(Wake(f"empty:{number}", WakeKind.TURN, f"lane:{number % LANES}", str(number)))
    async with asyncio.timeout(STUCK_AFTER):
        await nothing.done.wait()
    seconds, after = time.monotonic() - began, cpu_seconds(os.getpid())
    await engine.close()
    cpu = None if before is None or after is None else (after - before) * 1000 / WAKES
    return {"per_second": WAKES / seconds, "cpu_ms": cpu}


async def knowledge(data_dir: Path) -> dict[str, float | None]:
    """Routing with its section, ms p50 and p99, over the shipped articles; and how many seconds after publishing an
    edited article it is live, of PUBLISHED times the median and the worst: with another answer, and with another
    phrasing, for which the head must learn anew."""
    from bot import app
    from bot.settings import load_settings
    from knowledge.loader import shipped

    settings = load_settings({"data_dir": data_dir, "database_url": None}, env_file=None)
    async with app.open_stores(settings, app.SystemClock()) as stores:
        live = await app.open_knowledge(stores)
        polling = asyncio.create_task(live.poll())
        articles = list(await asyncio.to_thread(shipped))
        found: dict[str, float | None] = dict(await _routed(live.route, articles, "route_shipped"))
        for what in ("answer", "phrasing"):
            waits = [await _published(stores, live, articles, time_, what) for time_ in range(PUBLISHED)]
            found |= {f"publish_{what}_to_live_s": statistics.median(wait for wait, _ in waits)}
            found |= {f"publish_{what}_to_live_worst_s": max(wait for wait, _ in waits)}
        found |= {"publish_phrasing_to_whole_s": statistics.median(whole for _, whole in waits)}
        polling.cancel()
        await asyncio.wait((polling,))
        live.close()
    return found


async def _published(
    stores: Stores, live: LiveKnowledge, articles: Sequence[Article], time_: int, what: str
) -> tuple[float, float]:
    """Seconds from publishing an article with another answer, or with one phrasing more, until it is live; and until
    its head is fitted from all phrasings."""
    before = articles[time_]
    edited = replace(before, answer=f"{before.answer} Edited.")
    if what == "phrasing":
        edited = replace(before, questions=(*before.questions, f"a new way to ask, number {time_}"))
    began = time.monotonic()
    number = (await stores.articles.publish([edited, *_but(articles, edited)], author="bench", note="")).number
    async with asyncio.timeout(STUCK_AFTER):
        while live.publication.number != number:  # noqa: ASYNC110 - seen from outside, as a customer would
            await asyncio.sleep(0.01)
        wait = time.monotonic() - began
        while live.sketched:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return wait, time.monotonic() - began


def _but(articles: Sequence[Article], edited: Article) -> list[Article]:
    return [article for article in articles if article.id != edited.id]


async def _routed(
    route: Callable[[Redacted], Awaitable[Routing]], articles: Sequence[Article], named: str
) -> dict[str, float]:
    """Milliseconds p50 and p99 of routing some of the articles' phrasings."""
    took = []
    for question in [question for article in articles for question in article.questions][::17]:
        began = time.perf_counter()
        await route(redacted(question))
        took.append((time.perf_counter() - began) * 1000)
    cuts = statistics.quantiles(took, n=100)
    return {f"{named}_p50_ms": cuts[49], f"{named}_p99_ms": cuts[98]}


async def chunks(data_dir: Path) -> dict[str, float | None]:
    """Routing with its section, ms p50 and p99, when the shipped articles stand among so many others that there are
    CHUNKS parts. Only the shipped ones' vectors are real: making the others' takes minutes and tells nothing of
    searching, so they are chance."""
    from bot.domain.articles import Publication, Revision
    from knowledge.corpus import Corpus, not_ours
    from knowledge.embedder import open_embedder
    from knowledge.index import build
    from knowledge.loader import shipped
    from knowledge.shipped_vectors import shipped_vectors
    from knowledge.text import text_hash

    embedder = await asyncio.to_thread(open_embedder)
    if embedder is None:
        return {}
    chance = np.random.default_rng(0)
    articles = await asyncio.to_thread(shipped)
    real = Corpus.of(Publication(1, tuple(Revision(1, one) for one in articles)), not_ours())
    vocabulary = sorted(real.vocabulary)
    others = [_made_up(articles[0], number, vocabulary, chance) for number in range(CHUNKS // (SECTIONS + 1))]
    corpus = Corpus.of(Publication(1, tuple(Revision(1, one) for one in (*articles, *others))), not_ours())
    brought = shipped_vectors(embedder.name)
    by_chance = chance.normal(size=(len(corpus.texts), embedder.dimension)).astype(np.float32)
    by_chance /= np.linalg.norm(by_chance, axis=1, keepdims=True)
    vectors = np.array([brought.get(text_hash(text), by_chance[at]) for at, text in enumerate(corpus.texts)])
    index = await asyncio.to_thread(build, corpus, embedder, vectors)

    async def route(question: Redacted) -> Routing:
        return await asyncio.to_thread(index.route, question)

    return {"chunks": len(corpus.chunks), **await _routed(route, articles, "route")}


def _made_up(like: Article, number: int, vocabulary: Sequence[str], chance: np.random.Generator) -> Article:
    """An article of chance words, with SECTIONS sections and one phrasing."""
    texts = [" ".join(chance.choice(vocabulary, size=60)) for _ in range(SECTIONS + 1)]
    sections = tuple(Section(f"Part {at}", text) for at, text in enumerate(texts[1:], 1))
    return replace(
        like,
        id=f"made-up-{number}",
        title=f"Made up {number}",
        questions=(" ".join(chance.choice(vocabulary, size=8)),),
        answer=texts[0],
        sections=sections,
    )


if __name__ == "__main__":
    what = {"memory": memory, "workflows": workflows, "knowledge": knowledge, "chunks": chunks}[sys.argv[1]]
    print(json.dumps(asyncio.run(what(Path(os.environ["DATA_DIR"])))), flush=True)
