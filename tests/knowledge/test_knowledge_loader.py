"""Article files are read strictly, every problem is named, and what is written back reads the same."""

from __future__ import annotations

import contextlib
import shutil
import string
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.articles import Action, Article, Audience, Priority, Section
from bot.domain.lookups import Lookup
from bot.errors import ArticleError
from knowledge.loader import SHIPPED, check, dump, load, parse_article
from knowledge.text import same_words

GOOD = """---
id: gift-cards
title: Buying a gift card
action: answer
priority: normal
audience: customer
questions:
  - can i buy a gift card
  - gift voucher for my sister
  - do you sell gift cards
  - give {{company}} as a present
  - I would like a gift certificate
answer: |
  Gift cards are sold on the page Gifts.
effective_from: 2026-01-01
review_by: 2027-01-01
sources:
  - Acme shop
---

## Buying one

Open the page Gifts.

```
## not a heading
```

### Deeper

Stays in its section.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "acme.yaml").write_text("company: Acme\ndays: 30\n")
    (tmp_path / "gift-cards.md").write_text(GOOD)
    return tmp_path


def test_a_good_file_is_read_with_the_values_of_the_house(folder: Path) -> None:
    (article,) = load(folder)
    assert article.questions[3] == "give Acme as a present"
    assert [section.heading for section in article.sections] == ["Buying one"]
    assert "## not a heading" in article.sections[0].body
    assert "### Deeper" in article.sections[0].body
    assert check(folder) == []


def test_windows_line_ends_and_a_byte_order_mark_are_fine(folder: Path) -> None:
    expected = load(folder)
    (folder / "gift-cards.md").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(folder) == expected


BROKEN = [
    ("id: gift-cards", "id: other-name", "line 2: id: must be the file's name, gift-cards"),
    ("id: gift-cards", "id: Gift_Cards", "kebab-case"),
    ("id: gift-cards", "id: 17", "line 2: id: must be a text"),
    ("title: Buying a gift card\n", "", "line 1: title: is missing"),
    ("title: Buying", "headline: x\ntitle: Buying", "line 3: headline: unknown key"),
    ("title: Buying", "title: x\ntitle: Buying", "line 4: title: is there twice"),
    ("title: Buying a gift card", "title: " + "x" * 76, "at most 75 characters"),
    ("action: answer", "action: reply", "must be one of answer, lookup, handoff"),
    ("action: answer", "action: lookup", "says which look-up answers it"),
    ("action: answer", "action: answer\nlookup: refunds", "lookup: belongs to articles with action: lookup only"),
    ("action: answer", "action: lookup\nlookup: refund", "lookup: must be one of refunds, payments,"),
    ("priority: normal", "priority: urgent", "priority: belongs to articles with action: handoff"),
    ("priority: normal", "priority: soon", "must be one of normal, high, urgent"),
    ("audience: customer", "audience: all", "must be one of customer, specialist"),
    ("  - do you sell gift cards\n", "", "4 phrasings are too few, at least 5"),
    ("  - do you sell gift cards", "  - Can I buy a gift card?", "line 10: questions: 'Can I buy"),
    ("  - do you sell gift cards", "  - yes", "line 10: questions: item 3 must be a text: put it in quotes"),
    ("  - do you sell gift cards", "  - " + "gift " * 120, "line 10: questions: a phrasing is longer"),
    ("{{company}}", "{{compny}}", "line 11: questions: unknown value {{compny}}"),
    ("Open the page Gifts", "Open the page {{page}}", "line 23: sections: unknown value {{page}}"),
    ("are sold on", "are {{sold\n  }} on", "line 13: answer: unknown value {{sold}}"),
    ("answer: |\n  Gift", "answer: |\n  " + "x" * 600 + " Gift", "at most 600 fit"),
    ("answer: |\n  Gift cards are sold on the page Gifts.\n", "answer: ''\n", "answer: must be a text"),
    ("review_by: 2027", "review_by: 2025", "review_by: is before effective_from"),
    ("review_by: 2027-01-01", "review_by: next year", "must be a date such as 2026-01-31"),
    ("review_by: 2027-01-01", "review_by: 2027-13-41", "line 16: review_by: broken YAML: month must be in 1..12"),
    ("priority: normal", "priority: !!bool maybe", "line 5: priority: broken YAML"),
    ("priority: normal", "? [a]\n: b\npriority: normal", "line 5: a key must be a word"),
    ("review_by: 2027-01-01", "review_by: 2027-01-01 10:00:00", "must be a date such as 2026-01-31"),
    ("sources:\n  - Acme shop\n", "sources: []\n", "sources: must be a list with at least one text"),
    ("sources:\n  - Acme shop\n", "sources: Acme shop\n", "sources: must be a list"),
    ("title: Buying", "title: [Buying", "(in title, which begins on line 3)"),
    ("title: Buying", "title: [Buying", "line 4: broken YAML"),
    ("title: Buying", "title: !!python/object:os.system Buying", "broken YAML"),
    ("---\nid:", "id:", "line 1: must start with a line ---"),
    ("---\n\n## Buying", "\n## Buying", "is not closed with a line ---"),
    ("## Buying one", "Loose text\n\n## Buying one", "line 21: sections: text before the first ## heading"),
    ("## Buying one", "# Buying one", "line 21: sections: they start with ##"),
    ("## Buying one", "##", "a heading without words"),
    ("### Deeper\n\nStays in its section.", "## Empty", "section 'Empty' is empty"),
    ("### Deeper", "## Buying one", "heading 'Buying one' is there twice"),
    ("## Buying one\n\nOpen the page Gifts.\n\n```\n## not a heading\n```\n\n### Deeper\n\nStays in its section.\n", "",
     "line 19: sections: has no section"),
    ("## not a heading\n```\n", "## not a heading\n", "line 25: sections: a code fence is not closed"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), BROKEN)
def test_a_broken_file_is_named_with_its_problem(folder: Path, old: str, new: str, expected: str) -> None:
    assert old in GOOD
    (folder / "gift-cards.md").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ArticleError) as caught:
        load(folder)
    assert caught.value.path == "gift-cards.md"
    assert any(expected in problem for problem in caught.value.problems), caught.value.problems


def test_all_problems_of_all_files_are_listed(folder: Path) -> None:
    (folder / "gift-cards.md").write_text(GOOD.replace("action: answer", "action: x").replace("2027", "2020"))
    (folder / "second.md").write_text("nothing")
    (folder / "third.md").write_bytes(GOOD.encode() + b"\nligne suivante \xe9")
    found = {error.path: error.problems for error in check(folder)}
    assert set(found) == {"gift-cards.md", "second.md", "third.md"}
    assert len(found["gift-cards.md"]) == 2
    assert found["third.md"] == (f"line {GOOD.count(chr(10)) + 2}: is not UTF-8",)
    with pytest.raises(ArticleError, match=r"gift-cards\.md"):
        load(folder)


def test_one_phrasing_belongs_to_one_article(folder: Path) -> None:
    (folder / "second.md").write_text(GOOD.replace("id: gift-cards", "id: second").replace("gift", "geft"))
    (error,) = check(folder)
    assert error.path == "second.md"
    assert error.problems == ("line 11: questions: 'give Acme as a present' is in gift-cards.md too",)


@pytest.mark.parametrize(
    ("house", "expected"),
    [
        ("days: 3\ncompany: [Acme]", "line 2: company: must be a text or a number"),
        ("- Acme", "line 1: must be names with values"),
        ("company: {", "line 1: broken YAML"),
        ("company: true", "line 1: company: must be a text or a number"),
        ("company: 2026-13-40", "line 1: company: must be a text or a number"),
        ("company: Acme\n\ncompany: Other", "line 3: company: is there twice"),
    ],
)
def test_broken_values_of_the_house_are_named(folder: Path, house: str, expected: str) -> None:
    (folder / "acme.yaml").write_text(house)
    error = check(folder)[0]
    assert error.path == "acme.yaml"
    assert error.problems[0].startswith(expected)


def test_no_problem_of_a_file_hides_another(folder: Path) -> None:
    """What is missing, malformed, against a rule, in a section and shared with another file: all at once, by line."""
    text = GOOD.replace("title: Buying a gift card\n", "").replace("action: answer", "action: lookup")
    text = text.replace("id: gift-cards", "id: Second").replace("review_by: 2027-01-01", "review_by: 2027-02-30")
    text = text.replace("  - Acme shop", "  - 17").replace("### Deeper", "## Buying one")
    (folder / "second.md").write_text(text)
    (error,) = check(folder)
    places = [problem.split(": ")[:2] for problem in error.problems]
    assert places == [
        ["line 1", "title"],
        ["line 2", "id"],
        ["line 2", "id"],
        ["line 3", "action"],
        *(["line " + str(line), "questions"] for line in range(7, 12)),
        ["line 15", "review_by"],
        ["line 17", "sources"],
        ["line 28", "sections"],
    ]


def test_an_empty_or_missing_folder_or_an_endless_file_is_an_error(tmp_path: Path) -> None:
    assert check(tmp_path)
    with pytest.raises(ArticleError):
        load(tmp_path / "nowhere")
    (tmp_path / "big.md").write_text("x" * 300_000)
    assert "larger than" in check(tmp_path)[0].problems[0]


def test_a_folder_that_is_named_like_an_article_is_named(folder: Path) -> None:
    (folder / "sub.md").mkdir()
    assert "cannot be read" in check(folder)[0].problems[0]


def test_shipped_articles_round_trip(tmp_path: Path, articles: tuple[Article, ...]) -> None:
    for article in articles:
        (tmp_path / f"{article.id}.md").write_text(dump(article), encoding="utf-8")
    assert load(tmp_path) == articles
    shutil.copytree(SHIPPED, tmp_path / "copy")
    assert load(tmp_path / "copy") == articles


LINE = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp"), blacklist_characters="\ufeff\x85"), min_size=1
)
PLAIN = LINE.map(str.strip).filter(lambda text: bool(text) and "{{" not in text)
BODY = st.lists(PLAIN.filter(lambda text: text[0] not in "#`~"), min_size=1, max_size=4).map("\n".join)
NAME = st.text(string.ascii_lowercase, min_size=1, max_size=8)


@st.composite
def some_article(draw: st.DrawFn) -> Article:
    action = draw(st.sampled_from(Action))
    headings = draw(st.lists(NAME, min_size=1, max_size=4, unique=True))
    return Article(
        id="-".join(draw(st.lists(NAME, min_size=1, max_size=3))),
        title=draw(PLAIN.map(lambda text: text[:75].strip())),
        action=action,
        lookup=draw(st.sampled_from(sorted(map(str, Lookup)))) if action is Action.LOOKUP else None,
        priority=draw(st.sampled_from(Priority)) if action is Action.HANDOFF else Priority.NORMAL,
        audience=draw(st.sampled_from(Audience)),
        questions=tuple(draw(st.lists(PLAIN, min_size=5, max_size=7, unique_by=same_words))),
        answer=draw(BODY.map(lambda text: text[:600].strip())),
        effective_from=draw(st.dates(max_value=date(2100, 1, 1))),
        review_by=draw(st.dates(min_value=date(2100, 1, 1))),
        sources=tuple(draw(st.lists(PLAIN, min_size=1, max_size=3))),
        sections=tuple(Section(heading, draw(BODY)) for heading in headings),
    )


@settings(derandomize=True, max_examples=200, deadline=None)
@given(some_article())
def test_every_article_round_trips(article: Article) -> None:
    assert parse_article(f"{article.id}.md", dump(article)) == article


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.text().map(lambda text: f"---\n{text}\n---\n## x\n"), st.text().map(GOOD.__add__)))
def test_whatever_a_file_holds_is_an_article_or_an_article_error(text: str) -> None:
    with contextlib.suppress(ArticleError):
        assert parse_article("gift-cards.md", text, {"company": "Acme"}).id == "gift-cards"
