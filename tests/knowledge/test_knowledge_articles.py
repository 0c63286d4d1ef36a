"""The shipped articles keep the tone, the facts and the format that a support lead would sign."""

from __future__ import annotations

import re

from bot.domain.articles import Action, Article, Priority
from knowledge.corpus import Topic, not_ours
from knowledge.text import same_words

NEVER = re.compile(
    r"!|\beligible\b|\bapproved?\b|\bentitled\b|your refund\b|chargeback|\bfraud|false claim|\bsorry\b"
    r"|\bguarantee|\bmistake of ours\b|within \d+ days of the charge",
    re.IGNORECASE,
)


def said(article: Article) -> str:
    return "\n".join([article.title, article.answer, *(f"{s.heading}\n{s.body}" for s in article.sections)])


def test_the_eight_articles_are_there(articles: tuple[Article, ...]) -> None:
    actions = {article.id: article.action for article in articles}
    assert actions == {
        "cancel-subscription": Action.ANSWER,
        "pending-charge": Action.ANSWER,
        "receipts": Action.ANSWER,
        "refund-policy": Action.ANSWER,
        "refund-timing": Action.ANSWER,
        "talk-to-person": Action.HANDOFF,
        "unauthorised-charge": Action.HANDOFF,
        "update-card": Action.ANSWER,
    }
    assert next(a for a in articles if a.id == "unauthorised-charge").priority is Priority.URGENT


def test_what_is_said_keeps_the_tone(articles: tuple[Article, ...]) -> None:
    for article in articles:
        assert not NEVER.search(said(article)), (article.id, NEVER.search(said(article)))
        assert "{{" not in said(article)


def test_each_article_has_enough_phrasings_and_sections(articles: tuple[Article, ...]) -> None:
    for article in articles:
        assert len(article.questions) >= 20
        assert 2 <= len(article.sections) <= 4
        assert any(len(question.split()) > 30 for question in article.questions) or article.id == "update-card"


def test_unauthorised_charges_name_no_deadline_of_law(articles: tuple[Article, ...]) -> None:
    (article,) = [article for article in articles if article.id == "unauthorised-charge"]
    assert "call your bank now" in article.answer
    assert "it has its own deadlines" in article.answer
    assert not re.search(r"\d+ (business )?(days|months)", said(article))


def test_no_phrasing_is_ours_and_not_ours(articles: tuple[Article, ...]) -> None:
    ours = {same_words(question) for article in articles for question in article.questions}
    others = [same_words(text) for topic in not_ours() for text in topic.phrasings]
    assert len(others) == len(set(others))
    assert not ours & set(others)


def test_what_is_not_ours_is_broad() -> None:
    always: list[Topic] = [topic for topic in not_ours() if not topic.unless]
    assert sum(len(topic.phrasings) for topic in always) >= 120
