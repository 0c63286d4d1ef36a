"""Order within a conversation, and what Slack could not deliver."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.incoming import Incoming
from bot.domain.redaction import redacted
from bot.ports import Wake, WakeKind
from bot.services import words
from tests.fakes.incoming import a_message
from tests.scenarios.stage import CANCEL, DESK, GENERAL, PENDING, RECEIPT, REFUND, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAIRS = 12


async def test_two_messages_arriving_together_are_answered_in_order(stage: Stage) -> None:
    customers = [stage.newcomer() for _ in range(PAIRS)]
    channels = [await stage.dm(customer) for customer in customers]
    posts = [
        stage.ws.post(customer, channel, text)
        for customer, channel in zip(customers, channels, strict=True)
        for text in (REFUND, CANCEL)
    ]
    await asyncio.gather(*posts)
    await stage.settled()

    for channel in channels:
        asked = [one["text"] for one in stage.ws.messages(channel) if one["user"] != stage.ws.bot_user_id]
        answered = ["cancel" in one["text"].lower() for one in stage.said(channel)]
        assert answered == ["cancel" in text for text in asked]


async def test_the_lowest_stored_time_goes_first_whichever_wakes(stage: Stage) -> None:
    customer = stage.newcomer()
    channel = await stage.dm(customer)
    now = stage.ws.clock.now()
    early = _incoming(stage, customer, channel, f"{now:.6f}", RECEIPT)
    late = replace(early, ts=f"{now + 0.001:.6f}", text=redacted(PENDING))
    inbox, engine = stage.bot.stores.inbox, stage.bot.engine
    assert await inbox.insert(late)
    assert await inbox.insert(early)
    for incoming in (late, early):
        await engine.enqueue(Wake(f"turn:{incoming.key}", WakeKind.TURN, incoming.lane, incoming.key))
    await stage.settled()

    first, second = stage.said(channel)
    assert "receipt" in first["text"].lower()
    assert "pending" in second["text"].lower()


async def test_the_same_event_twice_is_answered_once(stage: Stage) -> None:
    customer = stage.newcomer()
    stage.ws.faults.set(duplicate=1.0)
    try:
        await stage.ask(customer, REFUND)
        await stage.settled()
    finally:
        stage.ws.faults.clear()

    assert len(stage.said(await stage.dm(customer))) == 1


async def test_what_was_missed_is_found_in_history_and_answered_once(stage: Stage) -> None:
    customer, other = stage.newcomer(), stage.newcomer()
    channel = await stage.dm(customer)
    await stage.bot.catch_up()
    stage.ws.faults.down(True)
    missed = await stage.ws.post(customer, channel, REFUND)
    mention = await stage.ws.post(other, GENERAL, f"<@{stage.ws.bot_user_id}> {PENDING}")
    await _redeliveries_expire(stage)

    assert "revision 1" in (await stage.reply(channel, missed))["text"]
    await stage.reply(GENERAL, mention, mention)
    await stage.bot.catch_up()
    await stage.settled()
    assert len(stage.said(channel)) == 1
    assert len(stage.said(GENERAL, mention)) == 1


async def test_a_missed_reply_in_a_living_thread_is_found(stage: Stage) -> None:
    customer = stage.newcomer()
    asked = await stage.ws.post(customer, GENERAL, f"<@{stage.ws.bot_user_id}> {REFUND}")
    await stage.reply(GENERAL, asked, asked)
    await stage.bot.catch_up()
    stage.ws.faults.down(True)
    more = await stage.ws.post(customer, GENERAL, CANCEL, thread_ts=asked)
    await _redeliveries_expire(stage)

    assert "cancel" in (await stage.reply(GENERAL, more, asked))["text"].lower()
    await stage.settled()
    assert len(stage.said(GENERAL, asked)) == 2


async def test_a_message_older_than_half_an_hour_gets_an_apology_and_a_person(stage: Stage) -> None:
    customer = stage.newcomer()
    channel = await stage.dm(customer)
    old = f"{stage.ws.clock.now() - 7200:.6f}"
    incoming = _incoming(stage, customer, channel, old, REFUND)
    assert await stage.bot.stores.inbox.insert(incoming)
    await stage.bot.engine.enqueue(Wake(f"turn:{incoming.key}", WakeKind.TURN, incoming.lane, incoming.key))
    await stage.settled()

    said = stage.said(channel)
    assert [words.LATE in one["text"] for one in said] == [True]
    assert f"<@{customer}>" in str(stage.said(DESK)[-1])


async def _redeliveries_expire(stage: Stage) -> None:
    """Twenty minutes pass in the workspace; then it can be reached again."""
    lost = len(stage.ws.lost_events)
    for _ in range(4):
        stage.ws.clock.advance(5 * 60)
    await stage.ws.idle()
    assert len(stage.ws.lost_events) > lost
    stage.ws.faults.down(False)


def _incoming(stage: Stage, user: str, channel: str, ts: str, text: str) -> Incoming:
    return a_message(text, team=stage.ws.team_id, channel=channel, user=user, ts=ts)
