"""Text for Slack: nothing from outside becomes markup, nothing is longer than Slack takes."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.blocks import text

ANY = st.text(alphabet=st.characters(), max_size=400)  # lone surrogates and controls too
always = settings(derandomize=True, max_examples=200, deadline=None)


@pytest.mark.parametrize(
    "hostile",
    [
        "<!channel>", "<!here>", "<!everyone>", "<@U0ANA>", "<#C0X|x>", "<https://evil.example|refund>",
        "&lt;!channel&gt;", "&lt;https://evil.example|refund&gt;", "<<!channel>>", "<@<!here>U0ANA>",
        "&amp;lt;!channel&amp;gt;", "<!subteam^S1|<!here>", "\\<!here>", "<!&lt;!here>",
    ],
)  # fmt: skip
def test_outside_words_are_never_markup(hostile: str) -> None:
    escaped, shown = text.escaped(hostile, 3000), text.shown(hostile, 3000)
    assert "<" not in escaped
    assert ">" not in escaped
    assert not any(opening in shown for opening in ("<!", "<@", "<#", "<http"))


@pytest.mark.parametrize(
    ("slack", "read"),
    [
        ("Tom &amp; Ana &lt;3", "Tom & Ana <3"),
        ("a < b & c > d", "a < b & c > d"),
        ("&amp;lt;", "&lt;"),
        ("see <https://a.example/x?a=1&amp;b=2>", "see https://a.example/x?a=1&b=2"),
        ("<https://a.example|a.example>", "a.example (https://a.example)"),
        ("<https://evil.example|our bank>", "our bank (https://evil.example)"),
        ("<mailto:ana@souza.example|ana@souza.example>", "ana@souza.example"),
        ("<tel:+4412345|+4412345>", "+4412345"),
        ("<@U0BEN> and <@U0BEN|ben> in <#C0X|general>", "@U0BEN and @ben in #general"),
        ("<!channel> <!subteam^S0|@desk> <!date^1^{date}|3 May>", "@channel @desk 3 May"),
        ("<b>bold</b> <javascript:alert(1)|x>", "<b>bold</b> <javascript:alert(1)|x>"),
    ],
)
def test_what_people_wrote_is_legible(slack: str, read: str) -> None:
    assert text.shown(slack, 3000) == read
    assert text.escaped(slack, 3000) == text.entities(read)


@given(ANY, st.integers(2, 300))
@always
def test_shown_text_fits_and_can_be_sent(raw: str, limit: int) -> None:
    shown = text.shown(raw, limit)
    assert 0 < text.width(shown) <= limit
    assert shown.strip()
    shown.encode()  # no lone surrogates
    assert "\0" not in shown


@given(ANY, st.integers(10, 300))
@always
def test_escaped_text_fits_and_holds_no_control_characters_of_slack(raw: str, limit: int) -> None:
    shown = text.escaped(raw, limit)
    assert 0 < text.width(shown) <= limit
    assert "<" not in shown
    assert ">" not in shown
    assert shown.count("&") == sum(shown.count(entity) for entity in ("&amp;", "&lt;", "&gt;"))  # none is cut in two


@given(ANY)
@always
def test_text_that_fits_is_not_changed_but_for_what_cannot_be_shown(raw: str) -> None:
    plain = raw.replace("<", "").replace("&", "")
    if text.clean(plain).strip():
        assert text.shown(plain, 5000) == text.clean(plain)


def test_unicode_is_left_as_it_was_written() -> None:
    decomposed = "cafe\u0301 👩‍👩‍👧 \u202eabc"
    assert text.shown(decomposed, 100) == decomposed


def test_what_is_cut_ends_in_an_ellipsis() -> None:
    assert text.shown("abcdef", 4) == "abc…"
    assert text.shown("abcd", 4) == "abcd"
    assert text.escaped("a<<<<", 9) == "a&lt;…"
    assert text.shown("👍👍👍", 5) == "👍👍…"


@pytest.mark.parametrize("blank", ["", " ", "\n\t", "\0"])
def test_blank_text_is_shown_as_something(blank: str) -> None:
    assert text.shown(blank, 10) == "…"
    assert text.escaped(blank, 10) == "…"
    assert text.pieces(blank, 10, 2) == (["…"], False)


@pytest.mark.parametrize("token", ["<!channel>", "<@U0ANA>", "<#C0X>", "\\<!here>", "\\\\<!here>"])
def test_authors_markdown_cannot_call_anybody(token: str) -> None:
    shown = text.authored(f"**Refunds** {token}", 1000)
    assert shown.startswith("**Refunds** ")
    assert not any(opening in shown for opening in ("<!", "<@", "<#"))


def test_the_fallback_of_markdown_reads_as_text() -> None:
    markdown = "# Refunds\n**Five** days & [our page](https://example.com/r), <b>no</b> *more*."
    spoken = "Refunds\n*Five* days &amp; our page (https://example.com/r), &lt;b&gt;no&lt;/b&gt; *more*."
    assert text.spoken(markdown, 1000) == spoken


@given(ANY, st.integers(4, 60), st.integers(1, 4))
@always
def test_pieces_hold_all_words_or_say_that_something_is_left_out(raw: str, size: int, most: int) -> None:
    found, cut = text.pieces(raw, size, most)
    assert 1 <= len(found) <= most
    assert all(0 < text.width(piece) <= size for piece in found)
    whole, said = "".join(text.legible(raw).split()), "".join("".join(found).split())
    if whole:
        assert whole.startswith(said) if cut else whole == said


def test_pieces_break_between_words() -> None:
    assert text.pieces("one two three four", 10, 3) == (["one two", "three four"], False)


def test_dates_are_written_out_in_every_locale() -> None:
    assert text.day(date(2026, 1, 1)) == "1 January 2026"
    moment = text.moment(datetime(2026, 5, 3, 14, 5, tzinfo=UTC))
    assert moment == "<!date^1777817100^{date_short_pretty} at {time}|3 May 2026, 14:05 UTC>"


def test_people_and_places() -> None:
    assert text.mention("U0ANA") == "<@U0ANA>"
    assert text.mention("U0ANA> <b") == "U0ANA&gt; &lt;b"
    assert text.place("C0SUPPORT") == "in <#C0SUPPORT>"
    assert text.place("D0A1") == "in a direct message"
    assert text.place("in a direct message") == "in a direct message"
    assert text.place("<!here> &lt;") == "@here &lt;"
