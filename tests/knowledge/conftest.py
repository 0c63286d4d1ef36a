"""The real embedder and the shipped articles, made once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from bot.domain.articles import Action, Article, Audience, Priority, Publication, Revision, Section
from knowledge.corpus import Corpus, Topic, not_ours
from knowledge.embedder import Embedder, open_embedder
from knowledge.head import Fitted
from knowledge.index import Index, build, head_key
from knowledge.loader import shipped
from knowledge.shipped_vectors import shipped_head, shipped_vectors
from knowledge.text import text_hash
from tests.fakes.article_store import FakeVectorStore

MakeIndex = Callable[..., Index]


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    found = open_embedder()
    assert found is not None
    return found


@pytest.fixture(scope="session")
def articles() -> tuple[Article, ...]:
    return shipped()


@pytest.fixture(scope="session")
def corpus(articles: tuple[Article, ...]) -> Corpus:
    return Corpus.of(published(articles), not_ours())


@pytest.fixture(scope="session")
def index(make_index: MakeIndex, articles: tuple[Article, ...]) -> Index:
    return make_index(articles)


@pytest.fixture(scope="session")
def words_index(corpus: Corpus) -> Index:
    return build(corpus, None, None)


@pytest.fixture(scope="session")
def make_index(embedder: Embedder) -> MakeIndex:
    kept = shipped_vectors(embedder.name)
    known: dict[str, np.ndarray] = {}

    def make(articles: Sequence[Article], topics: Sequence[Topic] | None = None, *, dense: bool = True) -> Index:
        corpus = Corpus.of(published(articles), not_ours() if topics is None else topics)
        if not dense:
            return build(corpus, None, None)
        known.update({text: kept[text_hash(text)] for text in corpus.texts if text_hash(text) in kept})
        missing = [text for text in dict.fromkeys(corpus.texts) if text not in known]
        known.update(zip(missing, embedder.embed(missing), strict=True))
        head = Fitted.from_bytes(shipped_head(), head_key(embedder, corpus), len(corpus.rows), corpus.other + 1)
        vectors = np.array([known[text] for text in corpus.texts], dtype=np.float32)
        return build(corpus, embedder, vectors, head=head)

    return make


def published(articles: Sequence[Article], number: int = 1) -> Publication:
    return Publication(number, tuple(Revision(1, article) for article in sorted(articles, key=lambda a: a.id)))


SAMPLE = Article(
    id="gift-cards",
    title="Buying a gift card",
    action=Action.ANSWER,
    lookup=None,
    priority=Priority.NORMAL,
    audience=Audience.CUSTOMER,
    questions=(
        "can i buy a gift card",
        "gift voucher for my sister",
        "do you sell gift cards",
        "give acme as a present",
        "I would like to purchase a gift certificate",
    ),
    answer="Gift cards are sold on the page Gifts. They can be printed or sent by email.",
    effective_from=date(2026, 1, 1),
    review_by=date(2027, 1, 1),
    sources=("Acme shop",),
    sections=(Section("Buying one", "Open the page Gifts and choose an amount."),),
)


@pytest.fixture(scope="session")
def kept_vectors(embedder: Embedder) -> dict[tuple[str, str], bytes]:
    kept = shipped_vectors(embedder.name)
    return {(embedder.name, name): row.astype("<f4").tobytes() for name, row in kept.items()}


@pytest.fixture
def vectors(kept_vectors: dict[tuple[str, str], bytes]) -> FakeVectorStore:
    """A store that has the vectors of the shipped articles already."""
    store = FakeVectorStore()
    store.kept.update(kept_vectors)
    return store


@pytest.fixture
def sample() -> Article:
    return SAMPLE


@pytest.fixture
def sample_for_specialists() -> Article:
    return replace(SAMPLE, audience=Audience.SPECIALIST)
