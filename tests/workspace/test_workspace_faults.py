"""The fault switch: what breaks, what has happened nevertheless, and that a seed repeats it."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from integrations.workspace import Workspace

from .conftest import Connect
from .raw_app import RawApp


async def post(ws: Workspace, http: aiohttp.ClientSession, text: str) -> aiohttp.ClientResponse:
    """A post without the SDK's own retries."""
    headers = {"Authorization": f"Bearer {ws.bot_token}"}
    body = {"channel": "C0SUPPORT", "text": text}
    async with http.post(f"{ws.api_url}chat.postMessage", json=body, headers=headers) as response:
        await response.read()
        return response


async def test_lost_response_stores_the_message(ws: Workspace, http: aiohttp.ClientSession) -> None:
    ws.faults.script("chat.postMessage", ["lose_response"])
    with pytest.raises(aiohttp.ClientError):
        await post(ws, http, "stored")
    assert [message["text"] for message in ws.messages("C0SUPPORT")] == ["stored"]
    assert ws.calls[-1].outcome == "lose_response"


async def test_scripted_outcomes_come_in_order_then_all_is_well(ws: Workspace, http: aiohttp.ClientSession) -> None:
    ws.faults.script("chat.postMessage", ["ratelimited", "server_error", "is_archived", "ok"])
    limited, failed = await post(ws, http, "1"), await post(ws, http, "2")
    assert (limited.status, limited.headers["Retry-After"], failed.status) == (429, "1", 503)
    await post(ws, http, "3")
    await post(ws, http, "4")
    assert [call.outcome for call in ws.calls] == ["ratelimited", "server_error", "is_archived", "ok"]
    assert [message["text"] for message in ws.messages("C0SUPPORT")] == ["4"]


async def test_sdk_retries_after_429(ws: Workspace, client: AsyncWebClient) -> None:
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    ws.faults.script("chat.postMessage", ["ratelimited"])
    await client.chat_postMessage(channel="C0SUPPORT", text="patient")
    assert len(ws.messages("C0SUPPORT")) == 1


async def test_duplicated_event_comes_in_two_envelopes_with_one_event_id(ws: Workspace) -> None:
    ws.faults.set(duplicate=1.0)
    async with RawApp(ws) as raw:
        await ws.post("U0ANA", "C0SUPPORT", "twice")
        one, two = await raw.next(), await raw.next()
    assert one["payload"]["event_id"] == two["payload"]["event_id"]
    assert one["envelope_id"] != two["envelope_id"]


async def test_dropped_ack_brings_the_event_again(ws: Workspace) -> None:
    ws.faults.set(drop_ack=1.0)
    async with RawApp(ws) as raw:
        await ws.post("U0ANA", "C0SUPPORT", "again")
        await raw.ack(await raw.next())
        await ws.wait_for(lambda w: w.deliveries[-1].outcome == "ack_dropped")
        ws.faults.clear()
        ws.clock.advance(3)
        again = await raw.next()
        assert again["retry_attempt"] == 1
        await raw.ack(again)
        await ws.idle()
    assert ws.lost_events == []


async def test_reordered_and_delayed_events_all_arrive(ws: Workspace) -> None:
    ws.faults.set(reorder=0.5, delay=(0.3, 0.1), seed=3)
    async with RawApp(ws) as raw:
        for number in range(40):
            await ws.post("U0ANA", "C0SUPPORT", str(number))
        texts = []
        for _ in range(40):
            frame = await raw.next()
            texts.append(int(frame["payload"]["event"]["text"]))
            await raw.ack(frame)
        await ws.idle()
    assert sorted(texts) == list(range(40))
    assert texts != list(range(40))


async def test_same_seed_same_faults(ws: Workspace) -> None:
    runs = []
    for _ in range(2):
        ws.faults.set(ratelimited=0.3, server_error=0.3, seed=7)
        runs.append([ws.faults.of_call("chat.postMessage") for _ in range(50)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {"ok", "ratelimited", "server_error"}


async def test_faults_can_be_limited_to_some_methods(ws: Workspace, client: AsyncWebClient) -> None:
    ws.faults.set(server_error=1.0, methods=("chat.",))
    await client.auth_test()
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="C0SUPPORT", text="x")


async def test_revoked_token_fails_every_call_and_every_new_socket(ws: Workspace, client: AsyncWebClient) -> None:
    ws.faults.revoke_token()
    with pytest.raises(SlackApiError) as refused:
        await client.auth_test()
    assert refused.value.response["error"] == "token_revoked"
    with pytest.raises(SlackApiError, match="token_revoked"):
        await AsyncWebClient(token=ws.app_token, base_url=ws.api_url).api_call("apps.connections.open")
    ws.faults.clear()
    await client.auth_test()


async def test_workspace_that_is_down_comes_back_and_the_bot_with_it(
    ws: Workspace, app: AsyncApp, connect: Connect
) -> None:
    heard: list[str] = []

    @app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.append(event["text"])

    await connect(app)
    ws.faults.down(True)
    await ws.wait_for(lambda w: w.sockets == 0)
    await ws.post("U0ANA", "C0SUPPORT", "during")
    ws.faults.down(False)
    await ws.wait_for(lambda w: w.sockets > 0, timeout=15)
    ws.clock.advance(60)
    await ws.idle()
    await ws.wait_for(lambda _: heard == ["during"])


async def test_two_hundred_messages_survive_closed_sockets_and_dropped_acks(
    ws: Workspace, app: AsyncApp, connect: Connect
) -> None:
    heard: set[str] = set()

    @app.event("message")
    async def hear(event: dict[str, Any]) -> None:
        heard.add(event["text"])

    await connect(app)
    ws.faults.set(duplicate=0.2, reorder=0.3, drop_ack=0.1, seed=1)
    for number in range(200):
        await ws.post("U0ANA", "C0SUPPORT", str(number))
        if number == 100:
            await ws.faults.close_sockets()
    await ws.wait_for(lambda w: w.sockets > 0)
    ws.faults.clear()
    for _ in range(3):
        ws.clock.advance(301)
        await asyncio.sleep(0)
    await ws.idle()
    await ws.wait_for(lambda _: len(heard) == 200)
    assert ws.lost_events == []
