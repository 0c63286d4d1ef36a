"""What Slack is sent: complete, inside Slack's limits whatever the words, with outside words as plain text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block as SdkBlock
from slack_sdk.models.views import View

from bot.domain.articles import Citation, Priority
from bot.domain.redaction import redacted, stored
from bot.domain.replies import (
    Card,
    CardState,
    Choice,
    Content,
    Home,
    HomeCase,
    Line,
    Note,
    Offer,
    Option,
    Relay,
    Reply,
    Speaker,
)
from bot.domain.tables import Table
from handlers.blocks import Message, home_view, ids, message, notice_modal, reply_modal
from handlers.blocks.text import width

NOW = datetime(2026, 5, 3, 14, 5, tzinfo=UTC)
SOURCE = Citation("refund-timing", "When does my refund arrive?", 3, None, date(2026, 1, 1))
HOSTILE = "<!channel> <@U0ANA> *bold* <https://evil.example|click> & `code`"
READ = "@channel @U0ANA *bold* click (https://evil.example) & `code`"
"""How the hostile words are shown, in plain text."""
always = settings(derandomize=True, max_examples=200, deadline=None)


def card(**changes: Any) -> Card:
    known: dict[str, Any] = {
        "handoff": "handoff_1",
        "case": "case_1",
        "customer": "U0ANA",
        "question": redacted("Somebody used my card"),
        "reason": "topic that a person must take",
        "priority": Priority.URGENT,
        "state": CardState.WAITING,
        "owner": None,
        "where": "C0SUPPORT",
        "permalink_ts": None,
        "opened_at": NOW,
        "transcript": (),
    }
    return Card(**(known | changes))


def line(words: str, speaker: Speaker = Speaker.CUSTOMER) -> Line:
    return Line(speaker, "U0ANA", redacted(words), None, NOW)


def reply(words: str = "Five days.", **more: Any) -> Reply:
    return Reply(redacted(words), **more)


# ---- reading what was built -------------------------------------------------------------------------------------


def walk(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from walk(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from walk(part)


def texts(blocks: object, kind: str) -> list[str]:
    """Texts of all objects of a type: plain_text, mrkdwn, markdown."""
    return [found["text"] for found in walk(blocks) if found.get("type") == kind]


def buttons(blocks: object) -> dict[str, dict[str, Any]]:
    return {found["action_id"]: found for found in walk(blocks) if found.get("type") == "button"}


def check_limits(blocks: Sequence[dict[str, Any]], most: int = 50) -> None:
    """Slack's documented limits, counted in UTF-16 units; the SDK's own checks as a second opinion."""
    assert 1 <= len(blocks) <= most
    for block in SdkBlock.parse_all(list(blocks)):
        block.validate_json()
    assert sum(width(one) for one in texts(blocks, "markdown")) <= 12_000
    assert all(one.strip() for kind in ("plain_text", "mrkdwn", "markdown") for one in texts(blocks, kind))
    found = list(walk(list(blocks)))
    for one in found:
        check_element(one)
    action_ids = [one["action_id"] for one in found if "action_id" in one]
    assert len(set(action_ids)) == len(action_ids)
    json.dumps(blocks).encode("ascii")
    json.dumps(blocks, ensure_ascii=False).encode()


def check_element(one: dict[str, Any]) -> None:
    kind = one.get("type")
    if kind == "section":
        assert width(one.get("text", {}).get("text", "")) <= 3000
        assert all(width(field["text"]) <= 2000 for field in one.get("fields", ()))
    elif kind == "header":
        assert width(one["text"]["text"]) <= 150
    elif kind == "context":
        assert len(one["elements"]) <= 10
        assert all(width(element["text"]) <= 3000 for element in one["elements"])
    elif kind == "actions":
        assert 1 <= len(one["elements"]) <= 25
    elif kind == "button":
        assert width(one["text"]["text"]) <= 75
        assert len(one["action_id"]) <= 255
        assert len(one.get("value", "")) <= 2000


def check_message(built: Message) -> None:
    check_limits(built.blocks)
    # Slack counts all words of a message, and about 125 for each block (slackapi/bolt-js#2509).
    words = sum(width(one) for kind in ("plain_text", "mrkdwn", "markdown") for one in texts(built.blocks, kind))
    assert words + 125 * sum("type" in one and one["type"] != "plain_text" for one in walk(built.blocks)) <= 13_200
    assert built.text.strip()
    assert width(built.text) <= 40_000
    built.text.encode()


# ---- arbitrary words --------------------------------------------------------------------------------------------

SPICE = st.sampled_from(
    ["<", ">", "&", "<!channel>", "<@U0ANA>", "&lt;!here&gt;", "**", "`", "\n", " ", "👩‍👩‍👧", "\0", "\ud800", "é"]
)
WORDS = st.one_of(
    st.text(alphabet=st.characters(), max_size=80),
    st.lists(SPICE, max_size=40).map("".join),
    st.builds(lambda piece, times: piece * times, SPICE, st.sampled_from([700, 3000, 12_001, 40_000])),
)
REDACTED = WORDS.map(stored)  # as it is: the builders must cope with what redaction would take out, too
CITATIONS = st.builds(
    Citation, WORDS, WORDS, st.integers(1, 10**6), st.none() | WORDS, st.dates(date(1, 1, 1), date(9999, 1, 1))
)
CHOICES = st.builds(Choice, st.sampled_from(["a", "b", "c", "d", "", "x" * 400]), WORDS)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive here
LINES = st.builds(Line, st.sampled_from(Speaker), WORDS, REDACTED, st.none(), TIMES)
REPLIES = st.builds(
    Reply,
    REDACTED,
    st.none() | REDACTED,
    st.lists(CITATIONS, max_size=5).map(tuple),
    st.lists(CHOICES, max_size=6).map(tuple),
    st.lists(st.sampled_from(Offer), max_size=6).map(tuple),
)
CARDS = st.builds(
    Card,
    handoff=st.just("handoff_1"),
    case=st.just("case_1"),
    customer=st.just("U0ANA") | WORDS,
    question=REDACTED,
    reason=WORDS,
    priority=st.sampled_from(Priority),
    state=st.sampled_from(CardState),
    owner=st.none() | st.just("U0MIRA") | WORDS,
    where=st.sampled_from(["C0SUPPORT", "D0A1"]) | WORDS,
    permalink_ts=st.none(),
    opened_at=TIMES,
    transcript=st.lists(LINES, max_size=4).flatmap(
        lambda some: st.sampled_from([1, 40]).map(lambda n: tuple(some * n))
    ),
)
CONTENT = st.one_of(REPLIES, st.builds(Relay, REDACTED, REDACTED), st.builds(Note, REDACTED), CARDS)


@given(CONTENT)
@always
def test_every_message_is_inside_slacks_limits(content: Content) -> None:
    check_message(message(content))


@given(CONTENT)
@always
def test_no_words_call_or_link_anything(content: Content) -> None:
    built = message(content)
    for one in [built.text, *texts(built.blocks, "mrkdwn")]:
        for token in one.split("<")[1:]:
            assert token.startswith(("@U", "#C", "!date^"))
    for one in [*texts(built.blocks, "markdown"), *texts(built.blocks, "plain_text")]:
        assert not any(opening in one for opening in ("<!", "<@", "<#"))


@given(
    st.builds(
        Home,
        st.lists(st.builds(Choice, st.integers(0, 99).map(str), WORDS), max_size=60).map(tuple),
        st.lists(st.builds(HomeCase, REDACTED, WORDS, st.dates()), max_size=60).map(tuple),
        st.booleans(),
    )
)
@always
def test_every_home_is_inside_slacks_limits(home: Home) -> None:
    view = home_view(home)
    check_limits(view["blocks"], 100)
    View(**view).validate_json()


@given(WORDS)
@always
def test_every_modal_is_inside_slacks_limits(question: str) -> None:
    for view in (reply_modal("handoff_1", question), notice_modal(question)):
        check_limits(view["blocks"], 100)
        View(**view).validate_json()


# ---- replies ----------------------------------------------------------------------------------------------------


def test_an_answer_names_its_source() -> None:
    built = message(reply("Refunds take **five** days.", citations=(SOURCE,)))
    assert texts(built.blocks, "markdown") == ["Refunds take **five** days."]
    source = "When does my refund arrive? · revision 3 · effective since 1 January 2026"
    assert texts(built.blocks, "mrkdwn") == [f"*Source:* {source}"]
    assert built.text == f"Refunds take *five* days.\n\nSource: {source}"


def test_a_source_names_the_section_when_there_is_one() -> None:
    section = Citation("refund-timing", "Refunds", 3, "Cards & wallets", date(2026, 1, 1))
    [source] = texts(message(reply(citations=(section,))).blocks, "mrkdwn")
    assert source == "*Source:* Refunds · section “Cards &amp; wallets” · revision 3 · effective since 1 January 2026"


def test_a_notice_comes_first_and_apart() -> None:
    built = message(reply(notice=redacted("I removed a card number.")))
    assert built.blocks[0]["text"]["text"] == "I removed a card number."
    assert built.blocks[1]["type"] == "markdown"
    assert built.text == "I removed a card number.\n\nFive days."


def test_choices_are_three_buttons_and_something_else() -> None:
    choices = tuple(Choice(name, f"About {name}") for name in ("refunds", "refunds", "cards", "receipts", "plans"))
    built = message(reply("Did you mean one of these?", choices=choices))
    expected = ["answer.choose:refunds", "answer.choose:cards", "answer.choose:receipts", ids.ANSWER_ELSE]
    assert list(buttons(built.blocks)) == expected
    assert buttons(built.blocks)["answer.choose:cards"]["value"] == "cards"
    assert "• About cards\n" in built.text
    assert "• Something else" in built.text


def test_offers_are_one_row_of_buttons_in_their_order() -> None:
    offers = (Offer.FEEDBACK, Offer.SPECIALIST, Offer.NOT_NOW, Offer.ASK_BOT, Offer.FEEDBACK)
    built = message(reply(offers=offers))
    expected = [
        "answer.helped", "answer.not_helped", "answer.specialist", "offer.not_now", "offer.ask_bot",
    ]  # fmt: skip
    assert list(buttons(built.blocks)) == expected
    assert [block["type"] for block in built.blocks] == ["markdown", "actions"]


# ---- people's words ---------------------------------------------------------------------------------------------


def test_a_relay_says_who_wrote_and_is_plain_text() -> None:
    built = message(Relay(redacted("Mira <!here>"), redacted(HOSTILE)))
    assert texts(built.blocks, "mrkdwn") == ["*Mira @here* wrote:"]
    assert texts(built.blocks, "plain_text") == [READ]
    assert built.text.startswith("Mira @here: @channel @U0ANA *bold*")


def test_a_long_relay_is_whole_over_several_blocks() -> None:
    words = " ".join(f"word{number}" for number in range(900))
    built = message(Relay(redacted("Ana"), redacted(words)))
    assert " ".join(texts(built.blocks, "plain_text")) == words


def test_a_relay_that_slack_cannot_hold_says_so() -> None:
    built = message(Relay(redacted("Ana"), redacted("x" * 40_000)))
    assert texts(built.blocks, "plain_text")[-1].startswith("The message is longer than Slack lets us show.")


def test_a_note_is_small_and_many_words_are_not() -> None:
    assert [block["type"] for block in message(Note(redacted("Customer deleted a message."))).blocks] == ["context"]
    assert [block["type"] for block in message(Note(redacted("word " * 100))).blocks] == ["section"]


# ---- cards ------------------------------------------------------------------------------------------------------


def test_a_card_shows_what_is_asked_by_whom_where_and_why() -> None:
    built = message(card(question=redacted(HOSTILE)))
    assert texts(built.blocks, "plain_text")[:2] == ["⚠ Urgent: a customer needs a person", f"“{READ}”"]
    said = "\n".join(texts(built.blocks, "mrkdwn"))
    for part in (
        "<@U0ANA> asks:",
        "*Why*\nTopic that a person must take",
        "*Where*\nIn <#C0SUPPORT>",
        "*Opened*\n<!date^1777817100^",
        "*State*\nWaiting for a specialist",
    ):
        assert part in said
    assert "Urgent: a customer needs a person. <@U0ANA> asks: “@channel @U0ANA" in built.text
    assert "State: Waiting for a specialist" in built.text


@pytest.mark.parametrize(
    ("state", "owner", "says"),
    [
        (CardState.WAITING, None, "Waiting for a specialist"),
        (CardState.CLAIMED, "U0MIRA", "With <@U0MIRA>"),
        (CardState.CLAIMED, None, "With a specialist"),
        (CardState.RESOLVED, "U0MIRA", "Done by <@U0MIRA>"),
        (CardState.RESOLVED, None, "Done"),
    ],
)
def test_a_card_says_its_state(state: CardState, owner: str | None, says: str) -> None:
    built = message(card(state=state, owner=owner))
    assert f"*State*\n{says}" in texts(built.blocks, "mrkdwn")
    assert bool(buttons(built.blocks)) == (state is not CardState.RESOLVED)


def test_a_cards_buttons_name_the_handoff() -> None:
    found = buttons(message(card()).blocks)
    assert {name: one["value"] for name, one in found.items()} == {
        "handoff.reply": "handoff_1", "handoff.done": "handoff_1", "handoff.link": "handoff_1",
    }  # fmt: skip
    assert found["handoff.reply"]["style"] == "primary"


def test_a_transcript_is_newest_last() -> None:
    built = message(
        card(transcript=(line("Hello\nthere"), line("**Hello**.", Speaker.BOT), line("Help", Speaker.SPECIALIST)))
    )
    said = "Customer: Hello there\nHandrail: Hello.\nSpecialist: Help"
    assert said in texts(built.blocks, "plain_text")
    assert said in built.text


def test_a_long_transcript_keeps_the_newest_and_counts_the_rest() -> None:
    built = message(card(transcript=tuple(line(f"{number} " + "x" * 900) for number in range(500))))
    check_message(built)
    shown = "\n".join(texts(built.blocks, "plain_text"))
    kept = shown.count("Customer: ")
    assert shown.count("Customer: 499 x") == 1
    assert f"*Conversation so far* · … {500 - kept} earlier messages" in texts(built.blocks, "mrkdwn")
    assert kept == 11  # 12 of them are a little too long for one section


@pytest.mark.parametrize(("priority", "word"), [("urgent", "Urgent"), ("high", "High"), ("normal", "Normal")])
def test_a_priority_is_told_in_words(priority: str, word: str) -> None:
    assert word in message(card(priority=Priority(priority))).blocks[0]["text"]["text"]


# ---- Home and modals --------------------------------------------------------------------------------------------


def test_home_shows_topics_cases_and_privacy() -> None:
    cases = (HomeCase(redacted(HOSTILE), "waiting", date(2026, 5, 3)),)
    view = home_view(Home((Choice("receipts", "Get a receipt"),), cases, staff=False))
    assert view["type"] == "home"
    assert buttons(view)["home.ask:receipts"]["value"] == "receipts"
    assert READ in texts(view, "plain_text")
    said = "\n".join(texts(view, "mrkdwn"))
    for part in ("Waiting for a specialist · since 3 May 2026", "*Privacy:*", "*What I do not do*"):
        assert part in said
    assert "For specialists" not in said


def test_home_tells_staff_about_the_specialist_channel() -> None:
    said = "\n".join(texts(home_view(Home((), (), staff=True)), "mrkdwn"))
    assert "specialist channel" in said
    assert "No open cases" in said


def test_the_reply_modal_shows_the_question_and_takes_plain_text() -> None:
    view = reply_modal("handoff_1", HOSTILE)
    assert (view["callback_id"], view["private_metadata"]) == ("handoff.reply", "handoff_1")
    assert f"“{READ}”" in texts(view, "plain_text")
    [field] = [block for block in view["blocks"] if block["type"] == "input"]
    assert (field["block_id"], field["element"]["action_id"]) == ("reply", "text")
    assert field["element"]["type"] == "plain_text_input"
    assert (field["element"]["multiline"], field["element"]["max_length"]) == (True, 3000)


# ---- what a look-up found ----------------------------------------------------------------------------------------


def test_a_table_is_a_block_of_plain_cells_and_lines_of_the_text() -> None:
    built = message(reply("I found two.", table=Table(("Day", "Amount"), (("1 May", "€ 5"), ("2 May <!channel>", "")))))
    rows = next(block for block in built.blocks if block["type"] == "table")["rows"]
    assert [[cell["text"] for cell in row] for row in rows][:2] == [["Day", "Amount"], ["1 May", "€ 5"]]
    assert {cell["type"] for row in rows for cell in row} == {"raw_text"}
    assert all(cell["text"].strip() for row in rows for cell in row)
    assert "1 May · € 5" in built.text
    assert "<!channel>" not in built.text
    check_limits(built.blocks)


def test_candidates_are_a_menu_that_sends_back_their_ids() -> None:
    options = (Option("re_1", "€ 5 · 1 May"), Option("re_2", "€ 6 · 2 May"), Option("x" * 151, "too long"))
    built = message(reply("Which one?", options=options, pick="refund-status"))
    menu = next(one for one in walk(list(built.blocks)) if one.get("type") == "static_select")
    assert menu["action_id"] == "lookup.pick:refund-status"
    assert [one["value"] for one in menu["options"]] == ["re_1", "re_2"]
    assert "• € 5 · 1 May" in built.text


def test_offers_about_a_refund_carry_its_id_and_are_not_made_without_one() -> None:
    offers = (Offer.PROVE, Offer.NEWS, Offer.NEWS_STOP, Offer.ARRIVED)
    found = buttons(message(reply(offers=offers, about="re_1")).blocks)
    assert {name: one.get("value") for name, one in found.items()} == {
        "lookup.prove": None, "news.tell": "re_1", "news.stop": "re_1", "news.arrived": "re_1",
        "news.not_arrived": "re_1",
    }  # fmt: skip
    assert set(buttons(message(reply(offers=offers)).blocks)) == {"lookup.prove"}


def test_a_card_shows_what_must_not_be_missed_first() -> None:
    facts = (redacted("re_1: 5.00 EUR"), redacted("Do not refund: dispute du_1 open"), redacted("<!here> x"))
    built = message(card(facts=facts))
    shown = next(one for one in texts(built.blocks, "plain_text") if "dispute du_1" in one)
    assert shown.splitlines()[:2] == ["⚠ Do not refund: dispute du_1 open", "re_1: 5.00 EUR"]
    assert "<!here>" not in built.text
    assert built.text.index("du_1") < built.text.index("re_1")


def test_a_card_without_private_readers_hides_what_was_found_and_the_lines_that_told_of_it() -> None:
    told = replace(line("A refund of 5.00 EUR", Speaker.BOT), facts=(redacted("re_1: 5.00 EUR"),))
    built = message(card(transcript=(line("where is it"), told), withheld=True))
    assert "5.00" not in json.dumps(built.blocks) + built.text
    assert "not private" in built.text
    assert "where is it" in built.text
    open_one = message(card(transcript=(told,)))
    assert "A refund of 5.00 EUR" in open_one.text
