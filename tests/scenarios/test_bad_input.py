"""What people and systems send that nobody planned: a defined outcome, and nothing lost."""

from __future__ import annotations

import pytest

from bot.services import words
from tests.scenarios.stage import DESK, GENERAL, REFUND, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ODD = {
    "emoji": "🎉🎉🎉 :tada:",
    "a NUL": "how long does a refund\x00 take?",
    "a lone surrogate": "how long does a refund \ud83d take?",
    "only punctuation": "?!?!",
    "markup": "<!channel> <https://evil.example|click> <@U0NOBODY> *bold* `code`",
    "right-to-left": "\u202ehow long does a refund take\u202c",
    "SQL": "'; DROP TABLE inbox; --",
    "full-text syntax": 'NEAR("refund" AND) OR *',
}


@pytest.mark.parametrize("text", list(ODD.values()), ids=list(ODD))
async def test_odd_text_gets_one_reply(stage: Stage, text: str) -> None:
    customer = stage.newcomer()
    message = await stage.ask(customer, text)
    await stage.settled()

    assert message["text"].strip()
    assert len(stage.said(await stage.dm(customer))) == 1
    assert "<!channel>" not in str(stage.said(DESK))


async def test_forty_thousand_characters_get_one_reply(stage: Stage) -> None:
    customer = stage.newcomer()
    await stage.ask(customer, ("I was wondering how long a refund takes. " * 1000)[:39_990])
    await stage.settled()

    assert len(stage.said(await stage.dm(customer))) == 1


async def test_a_file_without_words_goes_to_a_person(stage: Stage) -> None:
    customer = stage.newcomer()
    channel = await stage.dm(customer)
    posted = await stage.ws.post(customer, channel, "", files=({"name": "bill.pdf", "mimetype": "application/pdf"},))

    assert words.FILE_ONLY in (await stage.reply(channel, posted))["text"]
    assert "bill.pdf" in str(await stage.card_of(customer))


async def test_other_bots_are_never_answered(stage: Stage) -> None:
    before = len(stage.ws.messages(GENERAL))
    event = {"type": "message", "channel": GENERAL, "channel_type": "channel", "bot_id": "B0OTHER"}
    for number in range(20):
        ts = f"17953754{number:02}.000200"
        mention = f"<@{stage.ws.bot_user_id}> {REFUND}"
        await stage.ws.send_raw_event({**event, "ts": ts, "user": "U0OTHERBOT", "text": mention})
        await stage.ws.send_raw_event({**event, "subtype": "bot_message", "ts": ts, "text": mention})
        await stage.ws.send_raw_event({**event, "type": "app_mention", "ts": ts, "user": "U0OTHERBOT", "text": mention})
    await stage.settled()

    assert len(stage.ws.messages(GENERAL)) == before


async def test_unknown_and_malformed_events_are_acknowledged_and_change_nothing(stage: Stage) -> None:
    odd = (
        {"type": "never_heard_of"},
        {"type": "message"},
        {"type": "message", "channel": 7, "user": [], "ts": {}},
        {"type": "message", "subtype": "message_changed", "message": None},
        {"type": "message", "subtype": "message_deleted"},
        {"type": "app_home_opened", "tab": "home"},
        {"type": "app_mention", "channel": "C0GENERAL", "user": "U0ANA", "ts": "soon", "text": 3},
        {},
    )
    before = len(stage.ws.deliveries)
    for event in odd:
        await stage.ws.send_raw_event(event)
    await stage.settled()

    outcomes = [str(record.outcome) for record in list(stage.ws.deliveries)[before:]]
    assert outcomes.count("acked") == len(odd)
    assert set(outcomes) == {"sent", "acked"}


async def test_empty_text_in_a_dm_says_how_to_ask(stage: Stage) -> None:
    assert "ask for a specialist" in (await stage.ask(stage.newcomer(), "   "))["text"]


async def test_the_home_tab_shows_topics_and_a_topic_is_answered_in_the_dm(stage: Stage) -> None:
    customer = stage.newcomer()
    await stage.ws.open_home(customer)
    view = await stage.ws.wait_for(lambda ws: ws.home(customer), timeout=20)
    action = next(
        element["action_id"]
        for block in view["blocks"]
        for element in block.get("elements", [])
        if "receipts" in element.get("action_id", "")
    )
    channel = await stage.dm(customer)
    await stage.ws.click_view(customer, view["id"], action)

    assert "revision 1" in (await stage.reply(channel, "0"))["text"]
