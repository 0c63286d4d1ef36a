"""The page's HTTP calls, its live stream, and who is kept out."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from integrations.workspace import Workspace, demo_seed
from integrations.workspace.richtext import from_typed
from integrations.workspace.storage.database import Database
from integrations.workspace.storage.directory import Directory

from .raw_app import RawApp


class Page:
    """A browser window of one person, without the browser."""

    def __init__(self, ws: Workspace, session: aiohttp.ClientSession, me: str) -> None:
        self._ws, self._session, self.me = ws, session, me

    async def get(self, call: str, /, **params: str) -> dict[str, Any]:
        async with self._session.get(f"{self._ws.url}/page/{call}", params={"as": self.me, **params}) as response:
            return dict(await response.json())

    async def post(self, call: str, /, **body: Any) -> dict[str, Any]:
        async with self._session.post(f"{self._ws.url}/page/{call}", json={"as": self.me, **body}) as response:
            return dict(await response.json())


@pytest.fixture
async def ana(ws: Workspace) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession(headers={"X-Workspace": "page"}) as session:
        yield Page(ws, session, "U0ANA")


async def test_state_lists_only_conversations_the_person_is_in(ws: Workspace, ana: Page) -> None:
    await ws.post("U0BEN", "C0GENERAL", "hi <@U0ANA>")
    state = await ana.get("state")
    assert state["team"] == {"id": "T0ACME", "name": "Acme"}
    names = [channel["name"] or channel["peer"] for channel in state["channels"]]
    assert names == ["general", "billing-help", "random", "U0HANDRAIL"]
    general = state["channels"][0]
    assert (general["unread"], general["mentions"]) == (1, 1)
    assert state["apps"] == [{"id": "A0HANDRAIL", "name": "Handrail", "bot_user": "U0HANDRAIL"}]
    assert state["usergroups"][0]["handle"] == "specialists"


async def test_unknown_person_sees_the_page_as_the_first_human(ws: Workspace, http: aiohttp.ClientSession) -> None:
    page = Page(ws, http, "U0HANDRAIL")
    http.headers["X-Workspace"] = "page"
    assert (await page.get("state"))["me"] == "U0ANA"
    assert (await page.post("post", channel="C0GENERAL", text="x"))["error"] == "is_bot"


async def test_typed_text_is_escaped_and_names_become_mentions(ws: Workspace, ana: Page) -> None:
    await ana.post("post", channel="C0SUPPORT", text="@Mira Lindqvist & @handrail <script> #general")
    assert ws.messages("C0SUPPORT")[0]["text"] == (
        "<@U0MIRA> &amp; <@U0HANDRAIL> &lt;script&gt; <#C0GENERAL|general>"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("<@U0MIRA>", "&lt;@U0MIRA&gt;"),
        ("@here now", "<!here> now"),
        ("@specialists", "<!subteam^S0SPECIAL>"),
        ("ask @anabel or x@ana", "ask @anabel or x@ana"),
        ("see https://a.example/x?y=1&z=2.", "see <https://a.example/x?y=1&amp;z=2>."),
        ("me@a.example", "<mailto:me@a.example|me@a.example>"),
        ("#support-desk", "#support-desk"),
    ],
)
def test_what_slacks_client_makes_of_typed_text(typed: str, stored: str) -> None:
    database = Database(None)
    assert from_typed(typed, Directory(database, demo_seed())) == stored
    database.close()


async def test_channel_shows_no_replies_and_thread_shows_its_root(ws: Workspace, ana: Page) -> None:
    root = (await ana.post("post", channel="C0SUPPORT", text="question"))["ts"]
    for number in range(3):
        await ws.post("U0BEN", "C0SUPPORT", str(number), thread_ts=root)
    channel = await ana.get("messages", channel="C0SUPPORT")
    assert [(m["text"], m["reply_count"]) for m in channel["messages"]] == [("question", 3)]
    assert "blocks" not in channel["messages"][0]
    newest = await ana.get("messages", channel="C0SUPPORT", thread_ts=root, limit="2")
    assert ([m["text"] for m in newest["messages"]], newest["has_more"]) == (["1", "2"], True)
    before = newest["messages"][0]["ts"]
    rest = await ana.get("messages", channel="C0SUPPORT", thread_ts=root, limit="2", before=before)
    assert [m["text"] for m in rest["messages"]] == ["question", "0"]


async def test_person_edits_reacts_and_deletes_only_what_is_theirs(ws: Workspace, ana: Page) -> None:
    mine = (await ana.post("post", channel="C0SUPPORT", text="one"))["ts"]
    theirs = await ws.post("U0BEN", "C0SUPPORT", "two")
    assert (await ana.post("edit", channel="C0SUPPORT", ts=mine, text="1 < 2"))["ok"]
    assert (await ana.post("react", channel="C0SUPPORT", ts=theirs, name="eyes"))["ok"]
    assert (await ana.post("edit", channel="C0SUPPORT", ts=theirs, text="x"))["error"] == "not_your_message"
    assert (await ana.post("post", channel="G0DESK", text="x"))["error"] == "channel_not_found"
    assert (await ana.post("post", channel="C0SUPPORT", text=""))["error"] == "invalid_arguments"
    assert [m["text"] for m in ws.messages("C0SUPPORT")] == ["1 &lt; 2", "two"]
    assert (await ana.post("delete", channel="C0SUPPORT", ts=mine))["ok"]
    assert len(ws.messages("C0SUPPORT")) == 1


async def test_button_on_the_page_reaches_the_app(ws: Workspace, ana: Page, client: AsyncWebClient) -> None:
    button = {"type": "button", "action_id": "go", "value": "1", "text": {"type": "plain_text", "text": "Go"}}
    blocks = [{"type": "actions", "block_id": "b", "elements": [button]}]
    ts = (await client.chat_postMessage(channel="C0SUPPORT", text="card", blocks=blocks))["ts"]
    click = {"channel": "C0SUPPORT", "message_ts": ts, "block_id": "b"}
    action = {"type": "button", "action_id": "go", "value": "1"}
    assert await ana.post("action", **click, action=action) == {"ok": False, "error": "no_app"}
    async with RawApp(ws) as raw:
        clicked = asyncio.create_task(ana.post("action", **click, action=action, state={"values": {}}))
        frame = await raw.next()
        await raw.ack(frame)
        assert await clicked == {"ok": True}
    assert frame["payload"]["user"]["id"] == "U0ANA"


async def test_stream_tells_of_messages_replies_and_unread_marks(ws: Workspace, client: AsyncWebClient) -> None:
    async with _open_stream(ws) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        root = await ws.post("U0BEN", "C0SUPPORT", "hello <@U0ANA>")
        await ws.post("U0BEN", "C0GENERAL", "elsewhere")
        await client.chat_postMessage(channel="G0DESK", text="not for Ana")
        await client.chat_postEphemeral(channel="C0SUPPORT", user="U0ANA", text="psst")
        await client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": []})
        await ws.post("U0BEN", "C0SUPPORT", "reply", thread_ts=root)
        await ws.delete("U0BEN", "C0SUPPORT", ws.messages("C0SUPPORT", root)[1]["ts"])
        seen = await _events_until(stream, "message_deleted")
    kinds = [event["type"] for event in seen]
    assert {"message", "message_changed", "ephemeral", "home", "unread", "message_deleted"} <= set(kinds)
    assert "not for Ana" not in json.dumps(seen)
    changed = next(event for event in seen if event["type"] == "message_changed")
    assert (changed["message"]["ts"], changed["message"]["reply_count"]) == (root, 1)


async def test_stopping_the_workspace_ends_the_stream() -> None:
    ws = Workspace()
    await ws.start()
    async with _open_stream(ws) as stream:
        await stream.content.readline()
        async with asyncio.timeout(5):
            await ws.stop()
            await stream.content.read()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"Host": "evil.example"}),
        ("/", {"Host": "127.0.0.1"}),
        ("/api/auth.test", {"Origin": "https://evil.example"}),
        ("/api/auth.test", {"Origin": "null"}),
        ("/api/auth.test", {"Sec-Fetch-Site": "cross-site"}),
        ("/page/state", {}),
        ("/page/events?as=U0ANA", {}),
        ("/link/?ticket=guess", {}),
        ("/link/?ticket=guess", {"Origin": "https://evil.example"}),
    ],
)
async def test_strangers_are_refused(
    ws: Workspace, http: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> None:
    async with http.get(f"{ws.url}{path}", headers=headers) as response:
        assert response.status == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_own_names_are_welcome_and_get_the_policy(ws: Workspace, http: aiohttp.ClientSession, host: str) -> None:
    own = f"{host}:{ws.url.rpartition(':')[2]}"
    headers = {"Host": own, "Origin": f"http://{own}", "X-Workspace": "page"}
    async with http.get(f"{ws.url}/page/state", headers=headers) as response:
        assert response.status == 200
        policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["..%2fserver.py", "%2e%2e/server.py", "nothing.js", ".hidden"])
async def test_static_files_cannot_lead_out_of_their_folder(
    ws: Workspace, http: aiohttp.ClientSession, name: str
) -> None:
    async with http.get(f"{ws.url}/static/{name}") as response:
        assert response.status == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"as": 7}', b'{"as": "U0ANA", "channel": {}, "text": "x"}'])
async def test_broken_page_calls_are_400(ws: Workspace, http: aiohttp.ClientSession, body: bytes) -> None:
    headers = {"X-Workspace": "page", "Content-Type": "application/json"}
    async with http.post(f"{ws.url}/page/post", data=body, headers=headers) as response:
        assert response.status == 400
        assert (await response.json())["error"] == "invalid_arguments"


@contextlib.asynccontextmanager
async def _open_stream(ws: Workspace) -> AsyncIterator[aiohttp.ClientResponse]:
    """Ana's live stream."""
    async with (
        aiohttp.ClientSession(headers={"X-Workspace": "page"}) as session,
        session.get(f"{ws.url}/page/events", params={"as": "U0ANA"}) as stream,
    ):
        yield stream


async def _events_until(stream: aiohttp.ClientResponse, last: str) -> list[dict[str, Any]]:
    """Events of a stream up to one of a kind, and the unread marks of the same batch."""
    seen: list[dict[str, Any]] = []
    async with asyncio.timeout(5):
        async for line in stream.content:
            if not line.startswith(b"data: "):
                continue
            seen.append(json.loads(line[6:]))
            kinds = [event["type"] for event in seen]
            if last in kinds and "unread" in kinds:
                return seen
    raise AssertionError(f"the stream ended before {last}")
