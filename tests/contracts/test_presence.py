"""What every Presence keeps to: the real one against a Slack-compatible server, and the fake that tests use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.redaction import redacted
from bot.domain.replies import Address, Reply
from bot.ports import Presence
from handlers.messenger import SlackMessenger, posting_client
from handlers.presence import MOST_SHOWN, STATUS, SlackPresence
from integrations.workspace import Workspace, WorkspaceConfig
from tests.fakes.presence import FakePresence

ANSWER = Reply(redacted("It is on its way."))
METHOD = "assistant.threads.setStatus"


@dataclass(frozen=True)
class World:
    """A presence, where people write, and what they see there."""

    presence: Presence
    question: Callable[[Address], Awaitable[str]]
    shown: Callable[[Address], set[str]]


async def under_way(act: Callable[[], None]) -> None:
    """Act, and wait for all that was begun by it. Raises what any of it raised."""
    await asyncio.gather(*begun_by(act))


def begun_by(act: Callable[[], None]) -> set[asyncio.Task[Any]]:
    before = asyncio.all_tasks()
    act()
    return asyncio.all_tasks() - before


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async with Workspace(WorkspaceConfig()) as running:
        yield running


@pytest.fixture
async def presence(workspace: Workspace) -> AsyncIterator[SlackPresence]:
    made = SlackPresence(posting_client(workspace.bot_token, workspace.api_url))
    yield made
    await made.close()


@pytest.fixture(params=["fake", "slack"])
async def world(request: pytest.FixtureRequest, workspace: Workspace, presence: SlackPresence) -> World:
    async def question(to: Address) -> str:
        return await workspace.post("U0ANA", to.channel, "Where is my refund?", thread_ts=to.thread_ts)

    if request.param == "slack":
        return World(presence, question, lambda to: set(workspace.statuses(to.channel)))
    fake = FakePresence()
    return World(fake, question, lambda to: {to.thread_ts or ts for place, ts in fake.shown.items() if place == to})


@pytest.fixture
async def direct(workspace: Workspace) -> Address:
    """The top level of Ana's direct conversation."""
    return Address(workspace.team_id, await workspace.open_im("U0ANA"))


@pytest.fixture
async def thread(workspace: Workspace) -> Address:
    """A thread of a channel, with a question of Ana's in it."""
    root = await workspace.post("U0ANA", "C0SUPPORT", "Where is my refund?")
    return Address(workspace.team_id, "C0SUPPORT", root)


# ---- the contract -----------------------------------------------------------------------------------------------


async def test_it_is_shown_while_working_at_the_top_level_of_a_direct_conversation(
    world: World, direct: Address
) -> None:
    ts = await world.question(direct)
    await under_way(lambda: world.presence.working(direct, ts))
    assert world.shown(direct) == {ts}
    await under_way(lambda: world.presence.done(direct))
    assert world.shown(direct) == set()


async def test_in_a_thread_it_is_shown_on_the_thread(world: World, thread: Address) -> None:
    ts = await world.question(thread)
    await under_way(lambda: world.presence.working(thread, ts))
    assert world.shown(thread) == {thread.thread_ts}
    await under_way(lambda: world.presence.done(thread))
    assert world.shown(thread) == set()


async def test_done_where_nothing_is_shown_disturbs_nothing(world: World, direct: Address, thread: Address) -> None:
    ts = await world.question(direct)
    await under_way(lambda: world.presence.working(direct, ts))
    await under_way(lambda: world.presence.done(thread))
    assert world.shown(direct) == {ts}
    for _ in range(2):
        await under_way(lambda: world.presence.done(direct))
    assert (world.shown(direct), world.shown(thread)) == (set(), set())


async def test_of_two_messages_at_one_place_the_newer_has_it_and_done_ends_both(world: World, direct: Address) -> None:
    first, second = await world.question(direct), await world.question(direct)
    await under_way(lambda: world.presence.working(direct, first))
    await under_way(lambda: world.presence.working(direct, second))
    assert world.shown(direct) == {second}
    await under_way(lambda: world.presence.done(direct))
    assert world.shown(direct) == set()


# ---- Slack's ----------------------------------------------------------------------------------------------------


class HeldClient(AsyncWebClient):
    """Holds a status back until `go`; taking one down is not held."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(token=workspace.bot_token, base_url=workspace.api_url, retry_handlers=[])
        self.proxy = None
        self.go = asyncio.Event()

    async def assistant_threads_setStatus(self, **sent: Any) -> Any:  # noqa: N802 - the SDK's name
        if sent["status"]:
            await self.go.wait()
        return await super().assistant_threads_setStatus(**sent)


def asked(workspace: Workspace) -> list[str]:
    """What was asked to be shown, in order."""
    return [str(call.args["status"]) for call in workspace.calls if call.method == METHOD]


async def answer(workspace: Workspace, to: Address) -> None:
    client = posting_client(workspace.bot_token, workspace.api_url)
    await SlackMessenger(client, workspace.bot_user_id).post(to, ANSWER, "mark_1")


async def test_people_read_what_the_bot_does(workspace: Workspace, presence: SlackPresence, thread: Address) -> None:
    await under_way(lambda: presence.working(thread, "1.000000"))
    assert list(workspace.statuses("C0SUPPORT").values()) == [STATUS]


async def test_an_answer_in_the_thread_ends_it_without_us(
    workspace: Workspace, presence: SlackPresence, thread: Address
) -> None:
    await under_way(lambda: presence.working(thread, "1.000000"))
    await answer(workspace, thread)
    assert workspace.statuses("C0SUPPORT") == {}
    assert asked(workspace) == [STATUS]


async def test_an_answer_in_a_direct_conversation_ends_it_only_with_done(
    workspace: Workspace, presence: SlackPresence, direct: Address
) -> None:
    ts = await workspace.post("U0ANA", direct.channel, "Where is my refund?")
    await under_way(lambda: presence.working(direct, ts))
    await answer(workspace, direct)
    assert workspace.statuses(direct.channel) == {ts: STATUS}
    await under_way(lambda: presence.done(direct))
    assert workspace.statuses(direct.channel) == {}


@pytest.mark.parametrize("place", ["direct", "thread"])
async def test_an_answer_that_overtakes_the_status_leaves_none(
    workspace: Workspace, direct: Address, thread: Address, place: str
) -> None:
    to = {"direct": direct, "thread": thread}[place]
    ts = await workspace.post("U0ANA", to.channel, "Where is my refund?", thread_ts=to.thread_ts)
    client = HeldClient(workspace)
    presence = SlackPresence(client)
    late = begun_by(lambda: presence.working(to, ts))
    await answer(workspace, to)
    late |= begun_by(lambda: presence.done(to))
    client.go.set()
    await asyncio.gather(*late)
    assert asked(workspace) == [STATUS, ""]
    assert workspace.statuses(to.channel) == {}


async def test_a_status_set_after_the_answer_but_before_done_is_taken_down(
    workspace: Workspace, thread: Address
) -> None:
    """Both calls run at once, and Slack may take them in either order: that the first has returned proves nothing."""
    client = HeldClient(workspace)
    presence = SlackPresence(client)
    late = begun_by(lambda: presence.working(thread, "1.000000"))
    await answer(workspace, thread)
    client.go.set()
    await asyncio.gather(*late)
    assert workspace.statuses("C0SUPPORT") != {}
    await under_way(lambda: presence.done(thread))
    assert workspace.statuses("C0SUPPORT") == {}


@pytest.mark.parametrize("code", ["unknown_method", "missing_scope", "access_denied", "not_allowed_token_type"])
async def test_a_server_that_never_shows_one_is_not_asked_again(
    workspace: Workspace, presence: SlackPresence, direct: Address, code: str
) -> None:
    workspace.faults.script(METHOD, [code])
    await under_way(lambda: presence.working(direct, "1.000000"))
    await under_way(lambda: presence.working(direct, "2.000000"))
    await under_way(lambda: presence.done(direct))
    assert asked(workspace) == [STATUS]


@pytest.mark.parametrize("code", ["ratelimited", "server_error", "lose_response", "internal_error", "not_in_channel"])
async def test_a_failure_is_kept_to_itself_and_the_next_message_has_one_again(
    workspace: Workspace, presence: SlackPresence, direct: Address, code: str
) -> None:
    ts = await workspace.post("U0ANA", direct.channel, "Where is my refund?")
    workspace.faults.script(METHOD, [code, code])
    await under_way(lambda: presence.working(direct, ts))
    await under_way(lambda: presence.done(direct))
    assert workspace.statuses(direct.channel) == {}
    assert len(asked(workspace)) == 2  # each once: a status is not worth a second request
    await under_way(lambda: presence.working(direct, ts))
    assert workspace.statuses(direct.channel) == {ts: STATUS}


async def test_a_server_that_is_gone_is_no_error(
    workspace: Workspace, presence: SlackPresence, direct: Address
) -> None:
    await workspace.stop()
    await under_way(lambda: presence.working(direct, "1.000000"))
    await under_way(lambda: presence.done(direct))


async def test_nothing_is_begun_after_close(workspace: Workspace, presence: SlackPresence, direct: Address) -> None:
    await presence.close()
    assert begun_by(lambda: presence.working(direct, "1.000000")) == set()
    assert asked(workspace) == []


async def test_close_stops_what_is_under_way(workspace: Workspace, direct: Address) -> None:
    presence = SlackPresence(HeldClient(workspace))
    (held,) = begun_by(lambda: presence.working(direct, "1.000000"))
    await presence.close()
    assert held.cancelled()
    assert asked(workspace) == []


async def test_what_is_remembered_has_an_end(workspace: Workspace) -> None:
    presence = SlackPresence(HeldClient(workspace))
    places = [Address("T0ACME", f"D{number}") for number in range(MOST_SHOWN + 1)]
    for place in places:
        presence.working(place, "1.000000")
    assert begun_by(lambda: presence.done(places[0])) == set()
    assert len(begun_by(lambda: presence.done(places[-1]))) == 1
    await presence.close()
