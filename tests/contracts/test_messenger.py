"""What every Messenger keeps to: the real one against a Slack-compatible server, and the fake that tests use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from bot.domain.articles import Citation, Priority
from bot.domain.redaction import redacted
from bot.domain.replies import Address, Card, CardState, Content, Home, Note, Relay, Reply
from bot.errors import DeliveryDeferred, DeliveryError, DeliveryRefused
from bot.ports import Messenger
from handlers.messenger import SlackMessenger, posting_client, reading_client
from integrations.workspace import Workspace, WorkspaceConfig, demo_seed
from tests.fakes.messenger import FakeMessenger

SUPPORT = Address("T0ACME", "C0SUPPORT")
DESK = Address("T0ACME", "G0DESK")
NOWHERE = Address("T0ACME", "C0NOWHERE")
HELLO = Reply(redacted("Hello."), citations=(Citation("a", "An article", 1, None, date(2026, 1, 1)),))
CARD = Card(
    "handoff_1", "case_1", "U0ANA", redacted("My refund?"), "asked for a person", Priority.NORMAL,
    CardState.WAITING, None, "C0SUPPORT", None, datetime(2026, 5, 3, tzinfo=UTC),
)  # fmt: skip
METHODS = {
    "post": "chat.postMessage",
    "find": "conversations.history",
    "update": "chat.update",
    "react": "reactions.add",
    "hint": "chat.postEphemeral",
    "home": "views.publish",
}


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class World:
    """A messenger, how to break it, and what it left behind."""

    messenger: Messenger
    fail: Callable[..., None]
    marks: Callable[[Address], list[str]]


@asynccontextmanager
async def workspace() -> AsyncIterator[Workspace]:
    running = Workspace(WorkspaceConfig(path=None, port=0, seed=demo_seed()))
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


def slack_messenger(running: Workspace, **more: Any) -> SlackMessenger:
    client = posting_client(running.bot_token, running.api_url)
    return SlackMessenger(client, running.bot_user_id, **more)


def slack_world(running: Workspace) -> World:
    outcomes = {"lost_response": "lose_response"}

    def fail(method: str, *scripted: str) -> None:
        running.faults.script(METHODS[method], [outcomes.get(one, one.removeprefix("refused:")) for one in scripted])

    def marks(to: Address) -> list[str]:
        found = [one for one in stored(running, to) if "metadata" in one]
        return [one["metadata"]["event_payload"]["mark"] for one in found]

    return World(slack_messenger(running), fail, marks)


def stored(running: Workspace, to: Address) -> list[dict[str, Any]]:
    """Our own messages at the top level of a channel, or below the first message of a thread."""
    found = running.messages(to.channel, to.thread_ts)
    return [one for one in found[1 if to.thread_ts else 0 :] if one.get("user") == running.bot_user_id]


def fake_world() -> World:
    fake = FakeMessenger(channels={"C0SUPPORT", "G0DESK"})
    return World(fake, fake.script, lambda to: [one.mark for one in fake.posts if one.to == to])


@pytest.fixture(params=["fake", "slack"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "fake":
        yield fake_world()
        return
    async with workspace() as running:
        yield slack_world(running)


# ---- the contract -----------------------------------------------------------------------------------------------


async def test_a_post_is_found_by_its_mark(world: World) -> None:
    ts = await world.messenger.post(SUPPORT, HELLO, "mark_1")
    assert await world.messenger.find(SUPPORT, "mark_1", now()) == ts
    assert await world.messenger.find(SUPPORT, "mark_2", now()) is None


@pytest.mark.parametrize(
    "content",
    [HELLO, Relay(redacted("Mira"), redacted("Hello <!here>")), Note(redacted("Noted.")), CARD],
    ids=lambda content: type(content).__name__,
)
async def test_all_content_can_be_posted_and_updated(world: World, content: Content) -> None:
    ts = await world.messenger.post(DESK, content, "mark_1")
    await world.messenger.update(DESK, ts, content)
    await world.messenger.update(DESK, ts, content)
    assert world.marks(DESK) == ["mark_1"]


async def test_a_thread_and_its_channel_are_looked_up_apart(world: World) -> None:
    root = await world.messenger.post(SUPPORT, HELLO, "mark_root")
    thread = Address(SUPPORT.team, SUPPORT.channel, root)
    ts = await world.messenger.post(thread, HELLO, "mark_reply")
    assert await world.messenger.find(thread, "mark_reply", now()) == ts
    assert await world.messenger.find(SUPPORT, "mark_reply", now()) is None
    assert world.marks(thread) == ["mark_reply"]


async def test_looking_up_starts_a_quarter_of_an_hour_before_the_given_time(world: World) -> None:
    ts = await world.messenger.post(SUPPORT, HELLO, "mark_1")
    assert await world.messenger.find(SUPPORT, "mark_1", now() + timedelta(minutes=14)) == ts
    assert await world.messenger.find(SUPPORT, "mark_1", now() + timedelta(minutes=16)) is None


async def test_a_lost_response_is_not_sent_again_and_can_be_found(world: World) -> None:
    world.fail("post", "lost_response")
    with pytest.raises(DeliveryDeferred) as caught:
        await world.messenger.post(SUPPORT, HELLO, "mark_1")
    assert caught.value.maybe_stored
    assert world.marks(SUPPORT) == ["mark_1"]
    assert await world.messenger.find(SUPPORT, "mark_1", now()) is not None


async def test_a_rate_limit_says_how_long_and_that_nothing_was_stored(world: World) -> None:
    world.fail("post", "ratelimited")
    with pytest.raises(DeliveryDeferred) as caught:
        await world.messenger.post(SUPPORT, HELLO, "mark_1")
    assert (caught.value.code, caught.value.retry_after, caught.value.maybe_stored) == ("ratelimited", 1.0, False)
    assert world.marks(SUPPORT) == []


async def test_after_a_server_error_a_post_may_have_been_stored(world: World) -> None:
    world.fail("post", "server_error")
    with pytest.raises(DeliveryDeferred) as caught:
        await world.messenger.post(SUPPORT, HELLO, "mark_1")
    assert caught.value.maybe_stored


def acts(messenger: Messenger, to: Address) -> Iterator[Awaitable[object]]:
    yield messenger.post(to, HELLO, "mark_1")
    yield messenger.find(to, "mark_1", now())
    yield messenger.update(to, "1.000001", HELLO)
    yield messenger.react(to, "1.000001", "eyes")
    yield messenger.hint(to, "U0ANA", HELLO)


async def test_an_unknown_channel_is_refused_by_every_method(world: World) -> None:
    for act in acts(world.messenger, NOWHERE):
        with pytest.raises(DeliveryRefused) as caught:
            await act
        assert caught.value.code == "channel_not_found"


@pytest.mark.parametrize(
    "code",
    ["not_in_channel", "is_archived", "msg_too_long", "invalid_blocks", "restricted_action", "account_inactive",
     "invalid_auth", "token_revoked", "missing_scope", "user_not_found", "cannot_dm_bot"],
)  # fmt: skip
async def test_what_slack_will_never_take_is_refused(world: World, code: str) -> None:
    world.fail("post", f"refused:{code}")
    with pytest.raises(DeliveryRefused) as caught:
        await world.messenger.post(SUPPORT, HELLO, "mark_1")
    assert caught.value.code == code
    assert world.marks(SUPPORT) == []


async def test_updating_a_message_that_is_gone_is_refused(world: World) -> None:
    with pytest.raises(DeliveryRefused) as caught:
        await world.messenger.update(SUPPORT, "1.000001", HELLO)
    assert caught.value.code == "message_not_found"


async def test_reacting_twice_is_the_same_as_once(world: World) -> None:
    ts = await world.messenger.post(SUPPORT, HELLO, "mark_1")
    await world.messenger.react(SUPPORT, ts, "eyes")
    await world.messenger.react(SUPPORT, ts, "eyes")


async def test_hints_and_home_are_shown(world: World) -> None:
    await world.messenger.hint(SUPPORT, "U0ANA", HELLO)
    await world.messenger.home("U0ANA", Home((), (), staff=False))


@pytest.mark.parametrize("method", ["hint", "home", "react", "update"])
async def test_every_method_defers_when_slack_is_down(world: World, method: str) -> None:
    ts = await world.messenger.post(SUPPORT, HELLO, "mark_1")
    world.fail(method, "server_error")
    doing = {
        "hint": lambda: world.messenger.hint(SUPPORT, "U0ANA", HELLO),
        "home": lambda: world.messenger.home("U0ANA", Home((), (), staff=False)),
        "react": lambda: world.messenger.react(SUPPORT, ts, "eyes"),
        "update": lambda: world.messenger.update(SUPPORT, ts, HELLO),
    }
    with pytest.raises(DeliveryDeferred):
        await doing[method]()


# ---- Slack only -------------------------------------------------------------------------------------------------


async def test_posts_unfurl_nothing_and_carry_the_whole_answer_as_text() -> None:
    async with workspace() as running:
        await slack_messenger(running).post(SUPPORT, HELLO, "mark_1")
        [call] = [one for one in running.calls if one.method == "chat.postMessage"]
        assert (call.args["unfurl_links"], call.args["unfurl_media"], call.args["parse"]) == (False, False, "none")
        [message] = stored(running, SUPPORT)
        assert message["text"] == "Hello.\n\nSource: An article · revision 1 · effective since 1 January 2026"


async def test_only_our_own_messages_are_found() -> None:
    async with workspace() as running:
        await slack_messenger(running).post(SUPPORT, HELLO, "mark_1")
        other = SlackMessenger(posting_client(running.bot_token, running.api_url), "U0SOMEBODY")
        assert await other.find(SUPPORT, "mark_1", now()) is None


async def test_a_message_is_found_behind_many_pages() -> None:
    async with workspace() as running:
        messenger = slack_messenger(running)
        begun = now()
        root = await running.post("U0ANA", "C0SUPPORT", "Hello")
        top = await messenger.post(SUPPORT, HELLO, "mark_top")
        thread = Address(SUPPORT.team, SUPPORT.channel, root)
        for _ in range(450):
            await running.post("U0ANA", "C0SUPPORT", "more")
            await running.post("U0ANA", "C0SUPPORT", "more", thread_ts=root)
        reply = await messenger.post(thread, HELLO, "mark_reply")
        assert await messenger.find(SUPPORT, "mark_top", begun) == top
        assert await messenger.find(thread, "mark_reply", begun) == reply


async def test_history_without_end_is_refused_not_read_for_ever() -> None:
    async def page(request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "messages": [], "response_metadata": {"next_cursor": "again"}})

    async with served(page) as url:
        with pytest.raises(DeliveryRefused) as caught:
            await messenger_at(url).find(SUPPORT, "mark_1", now())
        assert caught.value.code == "history_too_long"


async def test_looking_up_waits_out_a_rate_limit() -> None:
    async with workspace() as running:
        reader = reading_client(running.bot_token, running.api_url)
        messenger = slack_messenger(running, reader=reader)
        ts = await messenger.post(SUPPORT, HELLO, "mark_1")
        running.faults.script("conversations.history", ["ratelimited"])
        assert await messenger.find(SUPPORT, "mark_1", now()) == ts


@asynccontextmanager
async def served(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A Slack that answers everything with one handler."""
    app = web.Application()
    app.router.add_route("*", "/api/{method}", handler)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/api/"))


def messenger_at(url: str) -> SlackMessenger:
    return SlackMessenger(posting_client("xoxb-secret-token", url), "U0HANDRAIL")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (429, "slow down", "text/plain", "ratelimited"),
        (429, "<html>slow down</html>", "text/html", "ratelimited"),
        (429, "{", "application/json", "ratelimited"),
        (500, "<html>oops</html>", "text/html", "http_500"),
        (503, "oops", "text/plain", "http_503"),
        (502, "{", "application/json", "http_502"),
        (500, '{"ok":false,"error":"channel_not_found"}', "application/json", "channel_not_found"),
        (404, "nothing here", "text/plain", "http_404"),
        (200, "ok", "text/plain", "unreadable_response"),
        (200, "[1]", "application/json", "unreadable_response"),
        (200, "7", "application/json", "unreadable_response"),
        (200, "{", "application/json", "http_200"),
        (200, "", "application/json", "http_200"),
        (200, "ok", "application/gzip", "unreadable_response"),
        (500, "ok", "application/gzip", "unreadable_response"),
        (200, '{"ok":true}', "application/json", "unreadable_response"),
        (200, '{"ok":false,"error":"internal_error"}', "application/json", "internal_error"),
        (200, '{"ok":false,"error":"fatal_error"}', "application/json", "fatal_error"),
        (200, '{"ok":false,"error":"something_new"}', "application/json", "something_new"),
        (200, '{"ok":false,"error":{"a":1}}', "application/json", "http_200"),
        (200, '{"ok":false,"error":"xoxb-secret-token said: my words"}', "application/json", "http_200"),
    ],
)
async def test_any_other_answer_defers_and_tells_no_secret(status: int, body: str, kind: str, code: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body.encode(), content_type=kind, headers={"Retry-After": "7"})

    async with served(answer) as url:
        with pytest.raises(DeliveryDeferred) as caught:
            await messenger_at(url).post(SUPPORT, Reply(redacted("my words")), "mark_1")
    assert caught.value.code == code
    assert caught.value.maybe_stored == (status != 429)
    assert caught.value.retry_after == (7.0 if status == 429 else None)
    assert "secret" not in str(caught.value)
    assert "words" not in str(caught.value)


@pytest.mark.parametrize("header", ["soon", "", "-1", "nan", "inf", None])
async def test_a_rate_limit_with_a_strange_header_is_a_rate_limit(header: str | None) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=429, headers={} if header is None else {"Retry-After": header})

    async with served(answer) as url:
        with pytest.raises(DeliveryDeferred) as caught:
            await messenger_at(url).post(SUPPORT, HELLO, "mark_1")
    assert (caught.value.code, caught.value.retry_after) == ("ratelimited", None)


async def test_a_refused_connection_means_that_nothing_was_stored() -> None:
    with pytest.raises(DeliveryDeferred) as caught:
        await messenger_at(f"http://127.0.0.1:{unused_port()}/api/").post(SUPPORT, HELLO, "mark_1")
    assert (caught.value.code, caught.value.maybe_stored) == ("unreachable", False)


async def test_silence_is_a_lost_response() -> None:
    async def silence(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async with served(silence) as url:
        client = posting_client("xoxb-secret-token", url)
        client.timeout = 1
        with pytest.raises(DeliveryDeferred) as caught:
            await SlackMessenger(client, "U0HANDRAIL").post(SUPPORT, HELLO, "mark_1")
    assert (caught.value.code, caught.value.maybe_stored) == ("no_response", True)


def test_a_client_that_retries_is_not_taken() -> None:
    with pytest.raises(ValueError, match="must not retry"):
        SlackMessenger(reading_client("xoxb-secret-token", "http://127.0.0.1/api/"), "U0HANDRAIL")


def test_requests_for_this_machine_pass_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert posting_client("xoxb-1", "http://127.0.0.1:1/api/").proxy is None
    assert posting_client("xoxb-1", "https://slack.com/api/").proxy == "http://proxy.example:3128"


async def test_errors_of_every_kind_are_delivery_errors_without_a_cause() -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response({"ok": False, "error": "no_text", "echo": "my words"})

    async with served(refuse) as url:
        with pytest.raises(DeliveryError) as caught:
            await messenger_at(url).post(SUPPORT, HELLO, "mark_1")
    assert caught.value.__suppress_context__  # the SDK's error, with all of Slack's answer, stays out of logs
