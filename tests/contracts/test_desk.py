"""What every Desk keeps to: the real one against a Slack-compatible server, and the fake that tests use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import DeliveryError, Unavailable
from bot.ports import Desk
from handlers.desk import MOST_READERS, PEOPLE_FRESH, Flaw, SlackDesk
from handlers.messenger import posting_client, reading_client
from integrations.workspace import Channel, Workspace, WorkspaceConfig, demo_seed
from tests.fakes.clock import FakeClock
from tests.fakes.desk import FakeDesk

TEAM, DESK = "T0ACME", "G0DESK"


@dataclass(frozen=True)
class World:
    """A desk that is fit, something that makes it unfit, and something that takes Slack away."""

    desk: Desk
    spoil: Callable[[], Awaitable[None]]
    break_down: Callable[[], None]


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    """Acme, with further channels."""
    seed = demo_seed()
    staff = next(channel.members for channel in seed.channels if channel.id == DESK)
    channels = (
        Channel("G0OLD", "old-desk", "private", "", staff, "U0ADA", archived=True),
        Channel("G0ELSE", "not-ours", "private", "", ("U0ADA", "U0MIRA"), "U0ADA"),
    )
    async with Workspace(WorkspaceConfig(seed=replace(seed, channels=(*seed.channels, *channels)))) as running:
        yield running


def desk_in(workspace: Workspace, channel: str = DESK) -> SlackDesk:
    return SlackDesk(reading_client(workspace.bot_token, workspace.api_url), channel, workspace.team_id, FakeClock())


@pytest.fixture(params=["fake", "slack"])
async def world(request: pytest.FixtureRequest, workspace: Workspace) -> World:
    if request.param == "fake":
        fake = FakeDesk()

        async def spoil() -> None:
            fake.fit = False

        return World(fake, spoil, lambda: setattr(fake, "down", True))
    return World(desk_in(workspace), lambda: workspace.join("U0GIL", DESK), lambda: workspace.faults.down(True))


# ---- the contract -----------------------------------------------------------------------------------------------


async def test_a_private_channel_of_our_own_people_may_hold_payment_details(world: World) -> None:
    assert await world.desk.private()


async def test_who_joins_in_between_is_noticed_at_once(world: World) -> None:
    assert await world.desk.private()
    await world.spoil()
    assert not await world.desk.private()


async def test_slack_being_down_is_not_an_answer(world: World) -> None:
    assert await world.desk.private()
    world.break_down()
    with pytest.raises(Unavailable) as caught:
        await world.desk.private()
    assert caught.value.edge == "slack"


# ---- the local workspace ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "flaw"),
    [("C0SUPPORT", Flaw.PUBLIC), ("G0OLD", Flaw.ARCHIVED), ("G0ELSE", Flaw.UNSEEN), ("G0NOWHERE", Flaw.UNSEEN)],
)
async def test_other_channels_may_not(workspace: Workspace, channel: str, flaw: Flaw) -> None:
    desk = desk_in(workspace, channel)
    assert not await desk.private()
    assert flaw in (await desk.readers()).flaws


async def test_a_direct_conversation_is_no_channel(workspace: Workspace) -> None:
    desk = desk_in(workspace, await workspace.open_im("U0MIRA"))
    assert (await desk.readers()).flaws == (Flaw.DIRECT,)


async def test_somebody_of_another_company_makes_it_a_shared_channel(workspace: Workspace) -> None:
    await workspace.join("U0KIM", DESK)
    desk = desk_in(workspace)
    assert not await desk.private()
    assert (await desk.readers()).flaws == (Flaw.SHARED,)


async def test_when_the_guest_has_left_it_is_fit_again(workspace: Workspace) -> None:
    desk = desk_in(workspace)
    await workspace.join("U0GIL", DESK)
    assert (await desk.readers()).outsiders == ("U0GIL",)
    await workspace.leave("U0GIL", DESK)
    assert await desk.private()


# ---- Slack only -------------------------------------------------------------------------------------------------

PERSON: dict[str, Any] = {"team_id": TEAM, "is_restricted": False, "is_ultra_restricted": False, "is_bot": False}
CHANNEL: dict[str, Any] = {
    "id": DESK, "is_private": True, "is_archived": False, "is_shared": False, "is_ext_shared": False,
    "is_org_shared": False, "is_pending_ext_shared": False, "is_im": False, "is_mpim": False,
}  # fmt: skip


@dataclass
class Slack:
    """A Slack that says of one channel and its people what a test wants. `errors` by method come first."""

    users: dict[str, Any]
    channel: Any = field(default_factory=lambda: dict(CHANNEL))
    errors: dict[str, str] = field(default_factory=dict)
    page: int = 1000
    members: Any = None
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        given = {**request.query, **await request.post()}
        self.asked.append(method)
        if method in self.errors:
            return web.json_response({"ok": False, "error": self.errors[method]})
        if method == "conversations.info":
            return web.json_response({"ok": True, "channel": self.channel})
        if method == "conversations.members":
            listed = list(self.users) if self.members is None else self.members
            start = int(str(given.get("cursor") or 0))
            after = start + self.page
            more = str(after) if isinstance(listed, list) and after < len(listed) else ""
            some = listed[start:after] if isinstance(listed, list) else listed
            return web.json_response({"ok": True, "members": some, "response_metadata": {"next_cursor": more}})
        return web.json_response({"ok": True, "user": self.users[str(given["user"])]})


@asynccontextmanager
async def desk_of(slack: Slack) -> AsyncIterator[tuple[SlackDesk, FakeClock]]:
    app = web.Application()
    app.router.add_route("*", "/api/{method}", slack.answer)
    clock = FakeClock()
    async with TestServer(app, host="127.0.0.1") as server:
        yield SlackDesk(posting_client("xoxb-1", str(server.make_url("/api/"))), DESK, TEAM, clock), clock


def staff(count: int = 3) -> dict[str, Any]:
    return {f"U{number}": dict(PERSON) for number in range(count)}


@pytest.mark.parametrize("flag", ["is_shared", "is_ext_shared", "is_org_shared", "is_pending_ext_shared"])
async def test_every_kind_of_sharing_counts(flag: str) -> None:
    slack = Slack(staff(), channel=CHANNEL | {flag: True})
    async with desk_of(slack) as (desk, _):
        assert not await desk.private()
        assert (await desk.readers()).flaws == (Flaw.SHARED,)


@pytest.mark.parametrize("flag", ["is_im", "is_mpim"])
async def test_a_conversation_without_a_name_is_no_channel(flag: str) -> None:
    async with desk_of(Slack(staff(), channel={"id": DESK, "is_private": True, flag: True})) as (desk, _):
        assert not await desk.private()


@pytest.mark.parametrize(
    "flaw",
    [{"is_restricted": True}, {"is_ultra_restricted": True}, {"is_stranger": True}, {"team_id": "T0OTHER"},
     {"team_id": "T0OTHER", "is_bot": True}, {"is_restricted": True, "is_bot": True}],
)  # fmt: skip
async def test_one_guest_or_stranger_on_the_last_page_is_enough(flaw: dict[str, Any]) -> None:
    slack = Slack(staff(25) | {"U0LAST": PERSON | flaw}, page=5)
    async with desk_of(slack) as (desk, _):
        assert not await desk.private()
        assert (await desk.readers()).outsiders == ("U0LAST",)


@pytest.mark.parametrize("code", ["user_not_found", "user_not_visible"])
async def test_a_member_whom_slack_hides_from_us_is_none_of_ours(code: str) -> None:
    async with desk_of(Slack(staff(1), errors={"users.info": code})) as (desk, _):
        assert not await desk.private()


async def test_the_deactivated_read_nothing_and_apps_of_our_workspace_are_named() -> None:
    gone = {"team_id": TEAM, "deleted": True}
    async with desk_of(Slack(staff(2) | {"U0GONE": gone, "U0APP": PERSON | {"is_bot": True}})) as (desk, _):
        assert await desk.private()
        readers = await desk.readers()
    assert (readers.members, readers.outsiders, readers.apps) == (("U0", "U1"), (), ("U0APP",))


@pytest.mark.parametrize("code", ["channel_not_found", "not_in_channel"])
@pytest.mark.parametrize("method", ["conversations.info", "conversations.members"])
async def test_a_channel_that_is_closed_to_us_may_hold_nothing(method: str, code: str) -> None:
    async with desk_of(Slack(staff(), errors={method: code})) as (desk, _):
        assert not await desk.private()


@pytest.mark.parametrize("code", ["missing_scope", "invalid_auth", "fatal_error", "ratelimited"])
@pytest.mark.parametrize("method", ["conversations.info", "conversations.members", "users.info"])
async def test_what_keeps_us_from_knowing_is_no_answer(method: str, code: str) -> None:
    async with desk_of(Slack(staff(), errors={method: code})) as (desk, _):
        with pytest.raises(Unavailable):
            await desk.private()
        with pytest.raises(DeliveryError) as caught:
            await desk.readers()
    assert caught.value.code == code


@pytest.mark.parametrize(
    "unreadable",
    [{"channel": None}, {"channel": []}, {"channel": {"id": DESK}}, {"channel": CHANNEL | {"is_private": "true"}},
     {"channel": {key: value for key, value in CHANNEL.items() if key != "is_ext_shared"}},
     {"members": []}, {"members": {}}, {"members": "U0"}, {"users": {"U0": None}}, {"users": {"U0": {"id": "U0"}}},
     {"users": {"U0": {"team_id": TEAM}}}],
)  # fmt: skip
async def test_half_an_answer_is_none(unreadable: dict[str, Any]) -> None:
    async with desk_of(replace(Slack(staff()), **unreadable)) as (desk, _):
        with pytest.raises(Unavailable):
            await desk.private()


async def test_a_crowd_is_no_place_for_payment_details() -> None:
    async with desk_of(Slack(staff(MOST_READERS))) as (desk, _):
        assert await desk.private()
    slack = Slack(staff(MOST_READERS + 1), page=100)
    async with desk_of(slack) as (desk, _):
        assert not await desk.private()
    assert "users.info" not in slack.asked


async def test_a_large_channel_costs_two_questions_a_time_and_its_people_one_each_in_minutes() -> None:
    slack = Slack(staff(50))
    async with desk_of(slack) as (desk, clock):
        for _ in range(3):
            assert await desk.private()
        assert (slack.asked.count("users.info"), len(slack.asked)) == (50, 56)
        clock.advance(PEOPLE_FRESH.total_seconds())
        slack.users["U7"] = PERSON | {"is_restricted": True}
        assert not await desk.private()
        assert slack.asked.count("users.info") == 100


async def test_who_left_is_asked_about_again_when_they_come_back() -> None:
    slack = Slack(staff())
    async with desk_of(slack) as (desk, _):
        assert await desk.private()
        left = slack.users.pop("U1")
        assert await desk.private()
        slack.users["U1"] = left | {"is_ultra_restricted": True}
        assert not await desk.private()


async def test_what_was_learnt_before_slack_stopped_answering_is_kept() -> None:
    slack = Slack(staff(20) | {"U0BROKEN": None})
    async with desk_of(slack) as (desk, _):
        with pytest.raises(Unavailable):
            await desk.private()
        slack.users["U0BROKEN"] = PERSON
        slack.asked.clear()
        assert await desk.private()
    assert slack.asked.count("users.info") == 1


async def test_cards_at_one_time_share_a_question_that_began_after_them() -> None:
    slack = Slack(staff(5))
    async with desk_of(slack) as (desk, _):
        assert await asyncio.gather(*(desk.private() for _ in range(20))) == [True] * 20
    assert slack.asked.count("conversations.members") <= 2
