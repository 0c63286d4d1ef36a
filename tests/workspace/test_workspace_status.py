"""Typing statuses: assistant.threads.setStatus, how long a status stands, and who hears of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.workspace import Workspace, WorkspaceConfig

WORDS = "is looking this up…"


async def show(client: AsyncWebClient, channel: str, ts: str, status: str = WORDS, **more: Any) -> None:
    await client.assistant_threads_setStatus(channel_id=channel, thread_ts=ts, status=status, **more)


async def answer(ws: Workspace, http: aiohttp.ClientSession, **sent: Any) -> str:
    """What a raw call comes to: ``ok`` or the error code."""
    headers = {"Authorization": f"Bearer {ws.bot_token}"}
    async with http.post(f"{ws.api_url}assistant.threads.setStatus", headers=headers, **sent) as response:
        body = await response.json()
        return "ok" if body["ok"] else str(body["error"])


@pytest.fixture
async def question(ws: Workspace) -> str:
    return await ws.post("U0ANA", "C0SUPPORT", "Where is my refund?")


@pytest.mark.parametrize("encoding", ["json", "data"])
async def test_a_status_is_set_and_taken_down_by_form_and_by_json(
    ws: Workspace, http: aiohttp.ClientSession, question: str, encoding: str
) -> None:
    place = {"channel_id": "C0SUPPORT", "thread_ts": question}
    assert await answer(ws, http, **{encoding: place | {"status": WORDS}}) == "ok"
    assert ws.statuses("C0SUPPORT") == {question: WORDS}
    assert await answer(ws, http, **{encoding: place | {"status": ""}}) == "ok"
    assert ws.statuses("C0SUPPORT") == {}


async def test_a_direct_conversation_has_it_at_its_top_level(ws: Workspace, client: AsyncWebClient) -> None:
    direct = await ws.open_im("U0ANA")
    ts = await ws.post("U0ANA", direct, "Where is my refund?")
    await show(client, direct, ts)
    await client.chat_postMessage(channel=direct, text="It is on its way.")
    assert ws.statuses(direct) == {ts: WORDS}
    await show(client, direct, ts, "")
    assert ws.statuses(direct) == {}


async def test_a_reply_leads_to_its_thread(ws: Workspace, client: AsyncWebClient, question: str) -> None:
    reply = await ws.post("U0BEN", "C0SUPPORT", "mine too", thread_ts=question)
    await show(client, "C0SUPPORT", reply)
    assert ws.statuses("C0SUPPORT") == {question: WORDS}


async def test_the_apps_post_in_the_thread_takes_it_down_and_no_other(
    ws: Workspace, client: AsyncWebClient, question: str
) -> None:
    other = await ws.post("U0BEN", "C0SUPPORT", "Another question")
    await show(client, "C0SUPPORT", question)
    await show(client, "C0SUPPORT", other)
    await ws.post("U0BEN", "C0SUPPORT", "I know that one", thread_ts=question)
    await client.chat_postMessage(channel="C0SUPPORT", text="Hello all")
    assert set(ws.statuses("C0SUPPORT")) == {question, other}
    await client.chat_postMessage(channel="C0SUPPORT", text="It is on its way.", thread_ts=question)
    assert set(ws.statuses("C0SUPPORT")) == {other}


async def test_it_stands_two_minutes_of_workspace_time_from_when_it_was_last_set(
    ws: Workspace, client: AsyncWebClient, question: str
) -> None:
    await show(client, "C0SUPPORT", question)
    ws.clock.advance(100)
    await show(client, "C0SUPPORT", question, "is still looking…")
    ws.clock.advance(100)
    assert ws.statuses("C0SUPPORT") == {question: "is still looking…"}
    ws.clock.advance(20)
    assert ws.statuses("C0SUPPORT") == {}


async def test_it_goes_with_its_message_and_with_the_app(ws: Workspace, client: AsyncWebClient, question: str) -> None:
    other = await ws.post("U0ANA", "C0SUPPORT", "Never mind")
    await show(client, "C0SUPPORT", question)
    await show(client, "C0SUPPORT", other)
    await ws.delete("U0ANA", "C0SUPPORT", other)
    assert set(ws.statuses("C0SUPPORT")) == {question}
    await ws.leave(ws.bot_user_id, "C0SUPPORT")
    assert ws.statuses("C0SUPPORT") == {}


async def test_it_is_no_message_and_does_not_survive_a_restart(tmp_path: Path) -> None:
    async with Workspace(WorkspaceConfig(path=tmp_path / "workspace.db")) as ws:
        ts = await ws.post("U0ANA", "C0SUPPORT", "Where is my refund?")
        client = AsyncWebClient(token=ws.bot_token, base_url=ws.api_url)
        await show(client, "C0SUPPORT", ts)
        for found in (
            await client.conversations_history(channel="C0SUPPORT"),
            await client.conversations_replies(channel="C0SUPPORT", ts=ts),
        ):
            assert [message["text"] for message in found["messages"]] == ["Where is my refund?"]
            assert "looking" not in json.dumps(found.data)
    async with Workspace(WorkspaceConfig(path=tmp_path / "workspace.db")) as ws:
        assert ws.statuses("C0SUPPORT") == {}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"channel_id": "C0NOWHERE"}, "channel_not_found"),
        ({"channel_id": "C0RANDOM"}, "not_in_channel"),
        ({"thread_ts": "yesterday"}, "invalid_thread_ts"),
        ({"thread_ts": "1.000000"}, "invalid_thread_ts"),
        ({"channel_id": None}, "invalid_arguments"),
        ({"thread_ts": None}, "invalid_arguments"),
        ({"status": None}, "invalid_arguments"),
        ({"status": ["looking"]}, "invalid_arguments"),
        ({"status": "x" * 101}, "invalid_arguments"),
        ({"loading_messages": ["x"] * 11}, "invalid_arguments"),
        ({"loading_messages": "[1]"}, "invalid_arguments"),
        ({"loading_messages": {"a": "b"}}, "invalid_arguments"),
    ],
)
async def test_what_is_refused_shows_nothing(
    ws: Workspace, http: aiohttp.ClientSession, question: str, changed: dict[str, Any], code: str
) -> None:
    place = {"channel_id": "C0SUPPORT", "thread_ts": question, "status": WORDS}
    assert await answer(ws, http, json=place | changed) == code
    assert [ws.statuses(channel) for channel in ("C0SUPPORT", "C0RANDOM")] == [{}, {}]


@pytest.mark.parametrize("given", [["Reading…", "Checking…"], '["Reading…", "Checking…"]', "Reading…,Checking…"])
async def test_loading_messages_are_accepted_in_every_form(
    ws: Workspace, http: aiohttp.ClientSession, question: str, given: Any
) -> None:
    place = {"channel_id": "C0SUPPORT", "thread_ts": question, "status": "x" * 100}
    assert await answer(ws, http, json=place | {"loading_messages": given}) == "ok"


async def test_faults_strike_it_as_they_strike_every_call(
    ws: Workspace, client: AsyncWebClient, http: aiohttp.ClientSession, question: str
) -> None:
    method = "assistant.threads.setStatus"
    place = {"channel_id": "C0SUPPORT", "thread_ts": question, "status": WORDS}
    ws.faults.script(method, ["ratelimited", "missing_scope", "lose_response"])
    assert await answer(ws, http, json=place) == "ratelimited"
    with pytest.raises(SlackApiError, match="missing_scope"):
        await show(client, "C0SUPPORT", question)
    assert ws.statuses("C0SUPPORT") == {}
    with pytest.raises(aiohttp.ClientError):
        await answer(ws, http, json=place)
    assert ws.statuses("C0SUPPORT") == {question: WORDS}


async def test_pages_hear_of_it_in_the_conversation_only(ws: Workspace, client: AsyncWebClient, question: str) -> None:
    card = (await client.chat_postMessage(channel="G0DESK", text="Case 1042"))["ts"]
    async with stream_of(ws, "U0ANA") as ana, stream_of(ws, "U0MIRA") as mira:
        await show(client, "G0DESK", card)
        await show(client, "C0SUPPORT", question)
        await client.chat_postMessage(channel="C0SUPPORT", text="It is on its way.", thread_ts=question)
        shown = {"channel": "C0SUPPORT", "thread_ts": question, "user": "U0HANDRAIL", "text": WORDS}
        heard = [await next_status(ana) for _ in range(2)]
        assert heard == [shown, shown | {"text": ""}]
        assert (await next_status(mira))["channel"] == "G0DESK"


async def test_a_page_that_opens_later_learns_what_is_shown(
    ws: Workspace, client: AsyncWebClient, http: aiohttp.ClientSession, question: str
) -> None:
    card = (await client.chat_postMessage(channel="G0DESK", text="Case 1042"))["ts"]
    await show(client, "G0DESK", card)
    await show(client, "C0SUPPORT", question)
    for person, seen in (("U0ANA", ["C0SUPPORT"]), ("U0MIRA", ["C0SUPPORT", "G0DESK"])):
        url = f"{ws.url}/page/state?as={person}"
        async with http.get(url, headers={"X-Workspace": "page"}) as response:
            state = await response.json()
        assert [status["channel"] for status in state["statuses"]] == seen


@asynccontextmanager
async def stream_of(ws: Workspace, person: str) -> AsyncIterator[aiohttp.ClientResponse]:
    """The live stream of a page; it is open when the first line was read."""
    async with (
        aiohttp.ClientSession(headers={"X-Workspace": "page"}) as session,
        session.get(f"{ws.url}/page/events", params={"as": person}) as stream,
    ):
        await stream.content.readline()
        yield stream


async def next_status(stream: aiohttp.ClientResponse) -> dict[str, Any]:
    async with asyncio.timeout(5):
        async for line in stream.content:
            event = json.loads(line[6:]) if line.startswith(b"data: ") else {}
            if event.get("type") == "status":
                return dict(event["status"])
    raise AssertionError("the stream ended")
