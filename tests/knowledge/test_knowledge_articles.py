"""The shipped articles keep the tone, the facts and the format that a support lead would sign."""

from __future__ import annotations

import re

import yaml

from bot.domain.articles import MAX_ANSWER, Action, Article, Priority
from knowledge.corpus import Topic, not_ours
from knowledge.loader import HOUSE_FILE, SHIPPED
from knowledge.text import same_words

NEVER = re.compile(
    r"!|\beligible\b|\bapproved?\b|\bentitled\b|your refund\b|chargeback|\bfraud|false claim|\bsorry\b"
    r"|\bguarantee|\bmistake of ours\b|within \d+ days of the charge",
    re.IGNORECASE,
)


def said(article: Article) -> str:
    return "\n".join([article.title, article.answer, *(f"{s.heading}\n{s.body}" for s in article.sections)])


ANSWERS = """
    refund-policy refund-timing refund-closed-card partial-refund refund-method pending-charge card-check-charge
    receipts tax-invoice tax-exemption billing-details update-card payment-methods bank-transfer proration price-change
    coupon cancel-subscription trial-end failed-renewal foreign-fee bank-debit-timing sepa-debit strong-authentication
    credit-balance paypal-payments square-payments card-numbers-in-chat
"""
LOOKUPS = """
    refund-status recent-payments duplicate-charge unknown-charge payment-declined next-bill invoice-copy dispute-status
"""
HANDOFFS = {
    "unauthorised-charge": Priority.URGENT,
    "account-takeover": Priority.URGENT,
    "open-dispute": Priority.NORMAL,
    "refund-request": Priority.NORMAL,
    "charged-after-cancel": Priority.NORMAL,
    "renewal-refund": Priority.NORMAL,
    "account-discrepancy": Priority.NORMAL,
    "legal-or-complaint": Priority.HIGH,
    "payment-plan": Priority.NORMAL,
    "account-holder-died": Priority.HIGH,
    "talk-to-person": Priority.NORMAL,
}


def test_the_articles_are_all_there(articles: tuple[Article, ...]) -> None:
    expected = dict.fromkeys(ANSWERS.split(), Action.ANSWER)
    expected |= dict.fromkeys(LOOKUPS.split(), Action.LOOKUP)
    expected |= dict.fromkeys(HANDOFFS, Action.HANDOFF)
    assert len(expected) == 47
    assert {article.id: article.action for article in articles} == expected
    assert {article.id: article.priority for article in articles if article.action is Action.HANDOFF} == HANDOFFS


def test_what_is_said_keeps_the_tone(articles: tuple[Article, ...]) -> None:
    for article in articles:
        assert not NEVER.search(said(article)), (article.id, NEVER.search(said(article)))
        assert "{{" not in said(article)
        assert len(article.answer) <= MAX_ANSWER


def test_each_article_has_enough_phrasings_sections_and_sources(articles: tuple[Article, ...]) -> None:
    for article in articles:
        assert len(article.questions) >= 30, article.id
        assert 2 <= len(article.sections) <= 4, article.id
        assert article.sources, article.id
        assert any(len(question.split()) > 30 for question in article.questions), article.id


def test_titles_tell_articles_apart(articles: tuple[Article, ...]) -> None:
    titles = [article.title for article in articles]
    assert len({title.lower() for title in titles}) == len(titles)


def test_values_of_the_house_stand_in_one_place() -> None:
    """A window or a price that is written out in an article would stay when the house changes it."""
    house = yaml.safe_load((SHIPPED / HOUSE_FILE).read_text(encoding="utf-8"))
    telling = {str(value) for value in house.values() if len(str(value)) > 4}
    for path in SHIPPED.glob("*.md"):
        answer_and_sections = path.read_text(encoding="utf-8").split("answer: |")[1]
        assert not {value for value in telling if value in answer_and_sections}, path.name


def test_every_value_of_the_house_is_used() -> None:
    house = yaml.safe_load((SHIPPED / HOUSE_FILE).read_text(encoding="utf-8"))
    text = "".join(path.read_text(encoding="utf-8") for path in SHIPPED.glob("*.md"))
    assert {name for name in house if f"{{{{{name}}}}}" not in text} == set()


def test_unauthorised_charges_name_no_deadline_of_law(articles: tuple[Article, ...]) -> None:
    (article,) = [article for article in articles if article.id == "unauthorised-charge"]
    assert "call your bank now" in article.answer
    assert "it has its own deadlines" in article.answer
    assert not re.search(r"\d+ (business )?(days|months)", said(article))


def test_no_phrasing_is_ours_and_not_ours(articles: tuple[Article, ...]) -> None:
    ours = {same_words(question) for article in articles for question in article.questions}
    ids = {article.id for article in articles}
    others = [same_words(text) for topic in not_ours() if not topic.unless & ids for text in topic.phrasings]
    assert len(others) == len(set(others))
    assert not ours & set(others)


def test_what_is_not_ours_is_broad() -> None:
    always: list[Topic] = [topic for topic in not_ours() if not topic.unless]
    assert sum(len(topic.phrasings) for topic in always) >= 300
