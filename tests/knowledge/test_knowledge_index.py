"""One publication with the real embedder and the real Chroma: one ranking, audience, sections, words only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.articles import Article, Audience
from bot.domain.routing import Band
from knowledge.evidence import fuse
from knowledge.head import Fitted
from knowledge.index import Index
from knowledge.ngrams import NGrams

MakeIndex = Callable[..., Index]


def ids(index: Index, question: str, audience: Audience = Audience.CUSTOMER) -> list[str]:
    return [candidate.article for candidate in index.route(question, audience).candidates]


def whole(index: Index) -> Index:
    """The same, with its head from all rows."""
    head = Fitted.from_bytes(index.fitted("key"), "key", len(index.corpus.rows), index.corpus.other + 1)
    assert head is not None
    return index.with_head(head)


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
    ["how do I sell my car", "my netflix was cancelled by my brother", "reset my password", "weather in oslo"],
)
def test_what_no_article_covers_is_never_answered(index: Index, question: str) -> None:
    assert index.route(question).band is not Band.HIGH


@pytest.mark.parametrize("question", ["", "  \n", "<@U0BOT>", ":wave:", "\x00"])
def test_an_empty_question_is_low_with_candidates(index: Index, question: str) -> None:
    routing = index.route(question)
    assert (routing.band, routing.confidence) == (Band.LOW, 0.0)
    assert [c.article for c in routing.candidates] == sorted(article.id for article in index.corpus.articles)[:10]


@settings(derandomize=True, max_examples=200, deadline=None)
@given(text=st.text(st.characters(), max_size=60))
def test_any_question_has_a_routing(index: Index, words_index: Index, text: str) -> None:
    for asked in (index, words_index):
        routing = asked.route(text)
        assert len(routing.candidates) == 10
        assert 0.0 <= routing.confidence <= 1.0


def test_a_very_long_story_is_routed_by_what_it_is_about(index: Index) -> None:
    filler = "We met on a sunny day and talked about many things that have nothing to do with it. "
    story = filler * 3 + "How do I cancel my subscription? " + filler * 3
    assert ids(index, story)[0] == "cancel-subscription"
    assert index.route("word " * 8000).band is not Band.HIGH


def test_the_section_is_cited_when_it_says_more_than_the_answer(index: Index) -> None:
    assert index.route("do weekends delay the refund").heading == "Weekends, holidays and the end of the month"
    assert index.route("how do i cancel").heading is None
    assert index.route("someone used my stolen card").heading is None  # a handoff's answer is what is said


def test_specialist_articles_are_for_specialists(
    make_index: MakeIndex, articles: tuple[Article, ...], sample_for_specialists: Article
) -> None:
    # The sketch of the first seconds need not have five new phrasings first.
    index = whole(make_index([*articles, sample_for_specialists]))
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
    make_index: MakeIndex, articles: tuple[Article, ...], sample: Article
) -> None:
    phrasings = (
        "where do i type my coupon code",
        "promo code not working",
        "how to use a voucher",
        "discount code for new users",
        "my coupon is refused",
        "apply promotion to my plan",
    )
    fewer = [article for article in articles if article.id != "coupon"]
    coupon = replace(sample, id="coupon", title="Using a coupon", questions=phrasings, answer="Enter it at checkout.")
    assert make_index(fewer).route("my promo code does not work").band is not Band.HIGH
    after = make_index([*fewer, coupon])
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


def test_letters_see_misspelt_words() -> None:
    letters = NGrams(["my refund is late", "cancel the subscription", "the refund and the receipt"])
    first = letters.cosines("refnd is lste")
    assert first.argmax() == 0
    assert letters.cosines("qqq").max() == 0
    assert letters.among().diagonal() == pytest.approx([1.0, 1.0, 1.0])


SCORES = st.dictionaries(st.integers(0, 9), st.floats(-5, 5), max_size=8)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(SCORES, SCORES, st.floats(0, 1))
def test_fused_scores_are_shares(dense: dict[int, float], lexical: dict[int, float], share: float) -> None:
    fused = fuse(dense, lexical, share)
    assert fused.keys() == dense.keys() | lexical.keys()
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in fused.values())
