"""What a customer typed, made ready: Slack's markup goes, work is bounded, nothing raises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.lexical import LexicalIndex, match_expression
from knowledge.text import MAX_SENTENCE_CHARS, MAX_SENTENCES, MAX_SENTENCES_CHARS, Query, normalise, same_words


@pytest.mark.parametrize(
    ("typed", "ready"),
    [
        ("<@U0BOT> where is my *refund*?", "where is my refund ?"),
        ("see <https://acme.example/a?b=c|this page> &amp; <mailto:a@b.c|mail>", "see this page & mail"),
        ("<https://acme.example>", ""),
        ("ask <#C012|billing> or <!here> or <!subteam^S1|@team>", "ask billing or or"),
        ("paid on <!date^1392734382^{date}|2 March 2014>", "paid on 2 March 2014"),
        (":wave: hi :+1:", "hi"),
        ("&lt;@U1&gt; 3 &lt; 5", "<@U1> 3 < 5"),
        ("ｒｅｆｕｎｄ\u200b\x00 now\ud800", "refund now?"),
        ("it’s ~not~ `here`", "it's not here"),
        ("2*3 = my_file_name", "2*3 = my_file_name"),
        (" \n\t ", ""),
    ],
)
def test_markup_goes_and_words_stay(typed: str, ready: str) -> None:
    assert normalise(typed) == ready


def test_a_short_question_has_no_sentences_and_a_story_has() -> None:
    assert not Query.of("Where is it? I want my refund.").long
    story = Query.of("First I paid. " + "Then I waited a very long time for it. " * 5)
    assert story.long
    assert story.sentences[0] == "First I paid."


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(st.characters(), max_size=500), st.integers(1, 100))
def test_work_is_bounded_whatever_comes(text: str, times: int) -> None:
    query = Query.of(text * times)
    assert len(query.sentences) <= MAX_SENTENCES
    assert sum(map(len, query.sentences)) <= MAX_SENTENCES_CHARS
    assert all(0 < len(sentence) <= MAX_SENTENCE_CHARS for sentence in query.sentences)
    query.text.encode("utf-8")
    assert "\x00" not in query.text


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text())
def test_normalising_twice_changes_no_words(text: str) -> None:
    assert same_words(same_words(text)) == same_words(text)


HOSTILE = [
    '"', '""', "'", "a\" OR \"b", "NEAR(a b, 2)", "title : refund", "refund*", "^refund", "- refund", "{a b} : c",
    "AND OR NOT", "(((", "rows MATCH 'x'", "'; DROP TABLE rows; --", "\x00", "\ud800", "+", "_", "💸", "ÄÖÜ ß", "退款",
    "refund\x00\" OR 1", "a" * 50_000, "a b " * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_never_search_syntax(text: str) -> None:
    index = LexicalIndex(["refund please", "cancel it"], [])
    assert len(index.rows(normalise(text))) == 2
    assert (index.rows("refund please") > 0).tolist() == [True, False]


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_valid_search(text: str) -> None:
    index = LexicalIndex(["refund please", "cancel it"], [])
    assert (index.rows(normalise(text)) >= 0).all()


def test_common_words_count_only_alone() -> None:
    assert match_expression("how do i get the refund") == '"get" OR "refund"'
    assert match_expression("how do you do") == '"how" OR "do" OR "you"'
    assert match_expression("?!") is None
