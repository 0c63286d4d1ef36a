"""One publication with the real embedder and the real Chroma: one ranking, audience, sections, words only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.articles import Article, Audience
from bot.domain.routing import Band
from bot.errors import Unavailable
from knowledge.chunks import chunked
from knowledge.corpus import Corpus
from knowledge.embedder import MiniLM
from knowledge.evidence import fuse
from knowledge.index import Index
from knowledge.vectors import ChromaVectors, collection_name, local_client

MakeIndex = Callable[..., Index]


def ids(index: Index, question: str, audience: Audience = Audience.CUSTOMER) -> list[str]:
    return [candidate.article for candidate in index.route(question, audience).candidates]


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("how long do refunds take", "refund-timing"),
        ("<@U0BOT> how do I cancel my subscription?", "cancel-subscription"),
        ("somebody used my stolen card on your site", "unauthorised-charge"),
        ("I need a receipt for my payment", "receipts"),
    ],
)
def test_a_plain_question_is_in_the_high_band(index: Index, question: str, article: str) -> None:
    routing = index.route(question)
    assert routing.candidates[0].article == article
    assert routing.band is Band.HIGH
    assert routing.publication == 1
    assert [c.score for c in routing.candidates] == sorted((c.score for c in routing.candidates), reverse=True)


@pytest.mark.parametrize(
    "question",
    ["how do i add our tax id to invoices", "my promo code does not work", "can I use paypal", "weather in oslo"],
)
def test_what_no_article_covers_is_never_answered(index: Index, question: str) -> None:
    assert index.route(question).band is not Band.HIGH


@pytest.mark.parametrize("question", ["", "  \n", "<@U0BOT>", ":wave:", "\x00"])
def test_an_empty_question_is_low_with_candidates(index: Index, question: str) -> None:
    routing = index.route(question)
    assert (routing.band, routing.confidence) == (Band.LOW, 0.0)
    assert [c.article for c in routing.candidates] == sorted(article.id for article in index.corpus.articles)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(text=st.text(st.characters(), max_size=60))
def test_any_question_has_a_routing(index: Index, words_index: Index, text: str) -> None:
    for asked in (index, words_index):
        routing = asked.route(text)
        assert len(routing.candidates) == 8
        assert 0.0 <= routing.confidence <= 1.0


def test_a_very_long_story_is_routed_by_what_it_is_about(index: Index) -> None:
    filler = "We met on a sunny day and talked about many things that have nothing to do with it. "
    story = filler * 3 + "How do I cancel my subscription? " + filler * 3
    assert ids(index, story)[0] == "cancel-subscription"
    assert index.route("word " * 8000).band is not Band.HIGH


def test_the_section_is_cited_when_it_says_more_than_the_answer(index: Index) -> None:
    assert index.route("will my files be deleted when I cancel").heading == "Your data afterwards"
    assert index.route("how do i cancel").heading is None
    assert index.route("someone used my stolen card").heading is None  # a handoff's answer is what is said


def test_specialist_articles_are_for_specialists(
    make_index: MakeIndex, articles: tuple[Article, ...], sample_for_specialists: Article
) -> None:
    index = make_index([*articles, sample_for_specialists])
    question = "can i buy a gift card"
    assert ids(index, question, Audience.SPECIALIST)[0] == "gift-cards"
    assert "gift-cards" not in ids(index, question)
    assert index.route(question).band is not Band.HIGH
    assert all(
        "gift" not in text for text, _ in index.explain(question).nearest if text in sample_for_specialists.questions
    )


def test_only_specialist_articles_leave_a_customer_without_candidates(
    make_index: MakeIndex, sample_for_specialists: Article
) -> None:
    routing = make_index([sample_for_specialists], []).route("gift card")
    assert (routing.candidates, routing.band) == ((), Band.LOW)


@pytest.mark.parametrize("questions", [(), ("gift cards",)])
def test_an_article_with_few_phrasings_is_found_by_its_chunks_but_never_sure(
    make_index: MakeIndex, articles: tuple[Article, ...], sample: Article, questions: tuple[str, ...]
) -> None:
    index = make_index([*articles, replace(sample, questions=questions)])
    routing = index.route("on which page are gift cards sold, can they be printed or sent by email")
    assert routing.candidates[0].article == "gift-cards"
    assert routing.band is not Band.HIGH
    assert ids(index, "how do I cancel my subscription")[0] == "cancel-subscription"


def test_a_new_article_takes_over_its_topic(
    make_index: MakeIndex, articles: tuple[Article, ...], sample: Article, index: Index
) -> None:
    phrasings = (
        "where do i type my coupon code",
        "promo code not working",
        "how to use a voucher",
        "discount code for new users",
        "my coupon is refused",
        "apply promotion to my plan",
    )
    coupon = replace(sample, id="coupon", title="Using a coupon", questions=phrasings, answer="Enter it at checkout.")
    assert index.route("my promo code does not work").band is not Band.HIGH
    after = make_index([*articles, coupon])
    assert ids(after, "my promo code does not work")[0] == "coupon"
    assert "where do i enter a promo code" not in after.corpus.rows  # the stand-in phrasings are gone


def test_words_alone_never_answer(words_index: Index, articles: tuple[Article, ...]) -> None:
    assert words_index.by_words_only
    right = 0
    for article in articles:
        for question in article.questions:
            routing = words_index.route(question)
            assert routing.band is not Band.HIGH
            assert routing.heading is None
            right += routing.candidates[0].article == article.id
    assert right > 0.9 * sum(len(article.questions) for article in articles)


def test_one_article_alone_and_no_article_at_all_are_built(make_index: MakeIndex, sample: Article) -> None:
    assert ids(make_index([sample]), "gift card") == ["gift-cards"]
    assert ids(make_index([sample], [], dense=False), "gift card") == ["gift-cards"]
    assert make_index([]).route("gift card").candidates == ()


def test_an_explanation_shows_what_a_routing_rests_on(index: Index, words_index: Index) -> None:
    explained = index.explain("how long does a refund take")
    assert explained.nearest[0] == ("how long does a refund take", pytest.approx(1.0, abs=1e-4))
    assert explained.routing == index.route("how long does a refund take")
    assert len(words_index.explain("refund", count=3).nearest) == 3
    assert index.explain(" ").nearest == ()


def test_chroma_finds_what_exact_search_finds(corpus: Corpus, embedder: MiniLM) -> None:
    chunks = chunked(corpus.articles)
    vectors = embedder.embed([chunk.text for chunk in chunks])
    store = ChromaVectors(local_client(), collection_name(1, embedder.name), chunks)
    store.fill(vectors)
    questions = embedder.embed(corpus.rows[:40])
    exact = questions @ vectors.T
    for row, found in enumerate(store.nearest(questions, 5, Audience.CUSTOMER)):
        assert set(found) == set(np.argsort(-exact[row], kind="stable")[:5].tolist())
        assert all(found[at] == pytest.approx(exact[row, at], abs=1e-3) for at in found)


def test_chroma_filters_by_audience(
    embedder: MiniLM, articles: tuple[Article, ...], sample_for_specialists: Article
) -> None:
    chunks = chunked([articles[0], sample_for_specialists])
    store = ChromaVectors(local_client(), collection_name(1, embedder.name), chunks)
    store.fill(embedder.embed([chunk.text for chunk in chunks]))
    (customer,) = store.nearest(embedder.embed(["gift card"]), 10, Audience.CUSTOMER)
    (specialist,) = store.nearest(embedder.embed(["gift card"]), 10, Audience.SPECIALIST)
    assert {chunks[at].article for at in customer} == {articles[0].id}
    assert {chunks[at].article for at in specialist} == {articles[0].id, "gift-cards"}


def test_local_stores_share_nothing_and_outlive_each_other(embedder: MiniLM, articles: tuple[Article, ...]) -> None:
    chunks = chunked(articles)
    vectors = embedder.embed([chunk.text for chunk in chunks])
    first = ChromaVectors(local_client(), "same-name", chunks)
    first.fill(vectors)
    second = ChromaVectors(local_client(), "same-name", chunks[:1])
    second.fill(vectors[:1])
    assert len(second.nearest(vectors[:1], 40, Audience.CUSTOMER)[0]) == 1
    del second
    assert len(first.nearest(vectors[:1], 40, Audience.CUSTOMER)[0]) == len(chunks)


def test_what_chroma_refuses_is_unavailable(embedder: MiniLM, articles: tuple[Article, ...]) -> None:
    client = local_client()
    store = ChromaVectors(client, "gone-soon", chunked(articles[:1]))
    client.delete_collection("gone-soon")
    with pytest.raises(Unavailable, match="chroma"):
        store.nearest(embedder.embed(["refund"]), 3, Audience.CUSTOMER)
    with pytest.raises(Unavailable, match="chroma"):
        store.fill(embedder.embed([chunk.text for chunk in chunked(articles[:1])]))


SCORES = st.dictionaries(st.integers(0, 9), st.floats(-5, 5), max_size=8)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(SCORES, SCORES, st.floats(0, 1))
def test_fused_scores_are_shares(dense: dict[int, float], lexical: dict[int, float], share: float) -> None:
    fused = fuse(dense, lexical, share)
    assert fused.keys() == dense.keys() | lexical.keys()
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in fused.values())
