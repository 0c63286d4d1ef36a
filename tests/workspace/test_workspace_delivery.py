"""Events: who gets them, what they look like, what happens when nobody acknowledges."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.workspace import Workspace

from .conftest import Connect
from .raw_app import RawApp


async def test_unmodified_bolt_app_hears_a_message_and_answers(ws: Workspace, app: AsyncApp, connect: Connect) -> None:
    @app.message("refund")
    async def answer(message: dict[str, Any], say: Any) -> None:
        await say(f"Hello <@{message['user']}>", thread_ts=message["ts"])

    await connect(app)
    ts = await ws.post("U0ANA", "C0SUPPORT", "where is my refund")
    reply = (await ws.wait_for(lambda w: w.messages("C0SUPPORT", ts)[1:]))[0]
    assert (reply["text"], reply["user"], reply["thread_ts"]) == ("Hello <@U0ANA>", "U0HANDRAIL", ts)
    assert reply["bot_id"] == ws.bot_id
    await ws.idle()


async def test_a_mention_arrives_as_message_and_as_app_mention_with_different_event_ids(ws: Workspace) -> None:
    async with RawApp(ws) as raw:
        ts = await ws.post("U0ANA", "C0SUPPORT", "<@U0HANDRAIL> help")
        frames = [await raw.next(), await raw.next()]
    events = [frame["payload"]["event"] for frame in frames]
    assert [event["type"] for event in events] == ["message", "app_mention"]
    assert {event["ts"] for event in events} == {ts}
    assert frames[0]["payload"]["event_id"] != frames[1]["payload"]["event_id"]
    assert frames[0]["payload"]["authorizations"][0]["user_id"] == "U0HANDRAIL"


async def test_direct_message_has_channel_type_im_and_no_app_mention(ws: Workspace) -> None:
    channel = await ws.open_im("U0ANA")
    async with RawApp(ws) as raw:
        await ws.post("U0ANA", channel, "<@U0HANDRAIL> help")
        frame = await raw.next()
        assert frame["payload"]["event"]["channel_type"] == "im"
        assert raw.frames.empty()


async def test_bot_hears_nothing_from_conversations_it_is_not_in(ws: Workspace) -> None:
    async with RawApp(ws) as raw:
        await ws.post("U0ANA", "C0RANDOM", "<@U0HANDRAIL> psst")
        await ws.post("U0ANA", "C0SUPPORT", "hello")
        assert (await raw.next())["payload"]["event"]["text"] == "hello"


async def test_message_of_a_person_carries_its_words_in_blocks_too(ws: Workspace) -> None:
    async with RawApp(ws) as raw:
        await ws.post("U0ANA", "C0SUPPORT", "card 4242 &amp; <@U0MIRA>", files=[{"name": "scan.png"}])
        event = (await raw.next())["payload"]["event"]
    parts = event["blocks"][0]["elements"][0]["elements"]
    assert parts == [{"type": "text", "text": "card 4242 & "}, {"type": "user", "user_id": "U0MIRA"}]
    assert event["subtype"] == "file_share"
    assert event["files"][0]["name"] == "scan.png"


async def test_edit_and_delete_arrive_with_what_was_there_before(ws: Workspace) -> None:
    async with RawApp(ws) as raw:
        ts = await ws.post("U0ANA", "C0SUPPORT", "first")
        await ws.edit("U0ANA", "C0SUPPORT", ts, "second")
        await ws.delete("U0ANA", "C0SUPPORT", ts)
        await raw.next()
        changed, deleted = (await raw.next())["payload"]["event"], (await raw.next())["payload"]["event"]
    assert (changed["subtype"], changed["message"]["text"], changed["previous_message"]["text"]) == (
        "message_changed", "second", "first",
    )  # fmt: skip
    assert changed["message"]["edited"]["user"] == "U0ANA"
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", ts)
    assert ws.messages("C0SUPPORT") == []


async def test_unacked_event_is_redelivered_three_times_then_lost(ws: Workspace) -> None:
    async with RawApp(ws) as raw:
        await ws.post("U0ANA", "C0SUPPORT", "anyone?")
        frames = [await raw.next()]
        for seconds in (3, 63, 303):
            ws.clock.advance(seconds)
            frames.append(await raw.next())
        ws.clock.advance(4)
        await ws.idle()
    assert [frame["retry_attempt"] for frame in frames] == [0, 1, 2, 3]
    assert [frame["retry_reason"] for frame in frames] == ["", "timeout", "timeout", "timeout"]
    assert len({frame["payload"]["event_id"] for frame in frames}) == 1
    assert len({frame["envelope_id"] for frame in frames}) == 4
    assert ws.lost_events == [frames[0]["payload"]["event_id"]]
    assert ws.deliveries[-1].outcome == "lost"


async def test_events_posted_while_the_bot_is_away_wait_for_its_return(
    ws: Workspace, app: AsyncApp, connect: Connect
) -> None:
    heard: list[str] = []

    @app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.append(event["text"])

    await ws.post("U0ANA", "C0SUPPORT", "are you there?")
    await connect(app)
    ws.clock.advance(60)
    await ws.idle()
    await ws.wait_for(lambda _: heard == ["are you there?"])


async def test_twenty_minutes_without_a_bot_lose_every_event_but_no_message(
    ws: Workspace, client: AsyncWebClient
) -> None:
    for number in range(3):
        await ws.post("U0ANA", "C0SUPPORT", f"question {number}")
    ws.clock.advance(20 * 60)
    await ws.idle()
    assert len(ws.lost_events) == 3
    history = await client.conversations_history(channel="C0SUPPORT")
    assert len(history["messages"]) == 3


async def test_each_event_goes_to_exactly_one_of_several_sockets(ws: Workspace) -> None:
    async with RawApp(ws), RawApp(ws) as two:
        assert two.hello["num_connections"] == 2
        for number in range(30):
            await ws.post("U0ANA", "C0SUPPORT", str(number))
    sent = [one for one in ws.deliveries if one.outcome == "sent"]
    assert len({one.event_id for one in sent}) == len(sent) == 30
    assert len({one.socket for one in sent}) == 2


async def test_eleventh_socket_is_told_that_there_are_too_many(ws: Workspace) -> None:
    apps = [RawApp(ws) for _ in range(11)]
    for raw in apps[:10]:
        await raw.__aenter__()
    await apps[10].__aenter__()
    assert (apps[10].hello["type"], apps[10].hello["reason"]) == ("disconnect", "too_many_websockets")
    for raw in apps:
        await raw.__aexit__(None, None, None)


async def test_socket_ticket_works_once(ws: Workspace, http: aiohttp.ClientSession) -> None:
    async with RawApp(ws) as raw:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(raw.url)
    assert refused.value.status == 403


async def test_malformed_frames_are_passed_over(ws: Workspace) -> None:
    async with RawApp(ws) as raw:
        for nonsense in ("{", "[]", "null", '{"envelope_id": 7}', '{"envelope_id": "unknown"}'):
            await raw.say(nonsense)
        await ws.post("U0ANA", "C0SUPPORT", "still here?")
        await raw.ack(await raw.next())
        await ws.idle()


async def test_bolt_reconnects_after_a_disconnect_frame(ws: Workspace, app: AsyncApp, connect: Connect) -> None:
    @app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        """Nothing to do: the acknowledgement is what counts."""

    await connect(app)
    await ws.faults.disconnect("refresh_requested")
    await ws.wait_for(lambda w: sum(call.method == "apps.connections.open" for call in w.calls) >= 2)
    await ws.wait_for(lambda w: w.sockets >= 1)
    await ws.post("U0ANA", "C0SUPPORT", "hello")
    await ws.idle()


async def test_raw_events_of_any_kind_are_delivered(ws: Workspace) -> None:
    async with RawApp(ws) as raw:
        event_id = await ws.send_raw_event({"type": "never_heard_of", "text": "\ud800\0"})
        frame = await raw.next()
        await raw.ack(frame)
    assert frame["payload"]["event_id"] == event_id
    assert frame["payload"]["event"]["text"] == "\ud800\0"


async def test_joining_a_channel_tells_the_apps_in_it(ws: Workspace) -> None:
    async with RawApp(ws) as raw:
        await ws.join("U0HANDRAIL", "C0RANDOM", inviter="U0ADA")
        event = (await raw.next())["payload"]["event"]
        await ws.post("U0ANA", "C0RANDOM", "now you hear me")
        assert (await raw.next())["payload"]["event"]["text"] == "now you hear me"
    assert (event["type"], event["user"], event["inviter"]) == ("member_joined_channel", "U0HANDRAIL", "U0ADA")


async def test_app_home_opened_names_the_tab(ws: Workspace) -> None:
    async with RawApp(ws) as raw:
        await ws.open_home("U0ANA")
        await ws.open_home("U0ANA", tab="messages")
        events = [(await raw.next())["payload"]["event"] for _ in range(2)]
    assert [event["tab"] for event in events] == ["home", "messages"]
    assert {event["channel"] for event in events} == {await ws.open_im("U0ANA")}


async def test_only_the_app_token_opens_sockets(ws: Workspace, client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.api_call("apps.connections.open")
    assert refused.value.response["error"] == "not_allowed_token_type"
