"""What every Directory keeps to: the real one against a Slack-compatible server, and the fake that tests use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.redaction import Redacted
from bot.errors import NotFound, Unavailable
from bot.ports import Directory
from handlers.directory import SlackDirectory
from handlers.messenger import posting_client, reading_client
from integrations.workspace import Person, Workspace, WorkspaceConfig, demo_seed
from tests.fakes.directory import FakeDirectory


class HandClock:
    """Moves when told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 5, 3, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_1"

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


GONE = Person("U0GONE", "gone", "Gone", deleted=True)


@dataclass(frozen=True)
class World:
    directory: Directory
    break_down: Callable[[], None]


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async with Workspace(WorkspaceConfig()) as running:
        yield running


@pytest.fixture(params=["fake", "slack"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Acme: Ana a customer, Mira a specialist, Ada an admin, Gil a guest in the specialists' group, Kim of another
    company, somebody deactivated."""
    if request.param == "fake":
        fake = FakeDirectory().add("U0ANA", "ana").add("U0MIRA", "mira", staff=True).add("U0ADA", "ada", staff=True)
        fake.add("U0GIL", "gil", member=False, staff=True).add("U0HANDRAIL", "handrail", member=False)
        fake.add("U0KIM", "kim", member=False).add("U0GONE", "gone", member=False)
        fake.closed |= {"U0KIM", "U0GONE", "U0HANDRAIL"}
        yield World(fake, lambda: setattr(fake, "down", True))
        return
    seed = demo_seed()
    group = replace(seed.usergroups[0], members=("U0MIRA", "U0TOM", "U0GIL"))
    seed = replace(seed, people=(*seed.people, GONE), usergroups=(group,))
    running = Workspace(WorkspaceConfig(path=None, port=0, seed=seed))
    await running.start()
    client = reading_client(running.bot_token, running.api_url)
    directory = SlackDirectory(client, "S0SPECIAL", ("U0ADA",), running.team_id, HandClock())
    yield World(directory, lambda: running.faults.down(True))
    await running.stop()


# ---- the contract -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "name", "member"),
    [("U0ANA", "ana", True), ("U0MIRA", "mira", True), ("U0GIL", "gil", False), ("U0HANDRAIL", "handrail", False)],
)
async def test_a_person_has_a_redacted_name_and_may_be_a_full_member(
    world: World, user: str, name: str, member: bool
) -> None:
    person = await world.directory.person(user)
    assert (person.id, person.name, person.member) == (user, name, member)
    assert isinstance(person.name, Redacted)


@pytest.mark.parametrize(
    ("user", "staff"),
    [("U0MIRA", True), ("U0ADA", True), ("U0ANA", False), ("U0GIL", False), ("U0HANDRAIL", False), ("U0NOBODY", False)],
)
async def test_staff_are_full_members_in_the_group_and_admins(world: World, user: str, staff: bool) -> None:
    assert await world.directory.is_staff(user) is staff


async def test_nobody_is_found_for_an_unknown_id(world: World) -> None:
    with pytest.raises(NotFound):
        await world.directory.person("U0NOBODY")


async def test_everybody_has_one_direct_conversation_and_it_stays(world: World) -> None:
    anas, gils = await world.directory.direct("U0ANA"), await world.directory.direct("U0GIL")
    assert anas != gils
    assert (anas or "").startswith("D")
    assert await world.directory.direct("U0ANA") == anas


@pytest.mark.parametrize("user", ["U0KIM", "U0GONE", "U0HANDRAIL", "U0NOBODY"])
async def test_with_some_there_is_no_direct_conversation(world: World, user: str) -> None:
    assert await world.directory.direct(user) is None


async def test_slack_being_down_is_not_an_answer(world: World) -> None:
    world.break_down()
    questions: tuple[Awaitable[object], ...] = (
        world.directory.person("U0ANA"), world.directory.is_staff("U0MIRA"), world.directory.direct("U0ANA"),
    )  # fmt: skip
    for question in questions:
        with pytest.raises(Unavailable) as caught:
            await question
        assert caught.value.edge == "slack"


# ---- Slack only -------------------------------------------------------------------------------------------------


@dataclass
class Slack:
    """A Slack whose people change while we look."""

    users: dict[str, dict[str, Any]]
    group: list[str]
    error: str | None = None
    asked: list[str] | None = None
    opened: Any = None

    async def answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if method == "conversations.open":
            self.asked = [*(self.asked or []), method]
            if self.error is not None:
                return web.json_response({"ok": False, "error": self.error})
            users = request.query.get("users") or str((await request.post()).get("users"))
            return web.json_response({"ok": True, "channel": self.opened or {"id": f"D{users}"}})
        given = request.query.get("user") or (await request.post()).get("user")
        self.asked = [*(self.asked or []), method]
        if self.error is not None and method.startswith("usergroups"):
            return web.json_response({"ok": False, "error": self.error})
        if method == "usergroups.users.list":
            return web.json_response({"ok": True, "users": self.group})
        if given not in self.users:
            return web.json_response({"ok": False, "error": "user_not_found"})
        return web.json_response({"ok": True, "user": {"id": given, "team_id": "T0ACME"} | self.users[str(given)]})


@asynccontextmanager
async def directory_of(
    slack: Slack, group: str | tuple[str, ...] = "S0SPECIAL", admins: tuple[str, ...] = (), most: int = 100
) -> AsyncIterator[tuple[SlackDirectory, HandClock]]:
    app = web.Application()
    app.router.add_route("*", "/api/{method}", slack.answer)
    clock = HandClock()
    async with TestServer(app, host="127.0.0.1") as server:
        client = posting_client("xoxb-1", str(server.make_url("/api/")))
        yield SlackDirectory(client, group, admins, "T0ACME", clock, most), clock


@pytest.mark.parametrize(
    "flaw",
    [{"deleted": True}, {"is_bot": True}, {"is_restricted": True}, {"is_ultra_restricted": True},
     {"is_stranger": True}, {"team_id": "T0OTHER"}, {"team_id": None}],
)  # fmt: skip
async def test_only_full_active_people_of_our_team_are_members(flaw: dict[str, Any]) -> None:
    async with directory_of(Slack({"U0MIRA": flaw}, ["U0MIRA"]), admins=("U0MIRA",)) as (directory, _):
        assert not (await directory.person("U0MIRA")).member
        assert not await directory.is_staff("U0MIRA")


async def test_specialists_can_be_listed_by_their_ids() -> None:
    slack = Slack({"U0MIRA": {}, "U0ANA": {}}, [])
    async with directory_of(slack, ("U0MIRA", "U0TOM")) as (directory, _):
        assert await directory.is_staff("U0MIRA")
        assert not await directory.is_staff("U0ANA")
        assert "usergroups.users.list" not in (slack.asked or [])


async def test_a_role_is_asked_for_again_within_seconds() -> None:
    slack = Slack({"U0MIRA": {}}, ["U0MIRA"])
    async with directory_of(slack) as (directory, clock):
        await directory.person("U0MIRA")
        assert await directory.is_staff("U0MIRA")
        slack.users["U0MIRA"] = {"deleted": True}
        clock.advance(5)
        assert not await directory.is_staff("U0MIRA")


async def test_who_leaves_the_group_is_no_specialist_half_a_minute_later() -> None:
    slack = Slack({"U0MIRA": {}}, ["U0MIRA"])
    async with directory_of(slack) as (directory, clock):
        assert await directory.is_staff("U0MIRA")
        slack.group = []
        clock.advance(30)
        assert not await directory.is_staff("U0MIRA")


async def test_a_name_is_asked_for_once_a_minute() -> None:
    slack = Slack({"U0ANA": {"real_name": "Ana"}}, [])
    async with directory_of(slack) as (directory, clock):
        for _ in range(3):
            await directory.person("U0ANA")
        assert slack.asked == ["users.info"]
        clock.advance(60)
        await directory.person("U0ANA")
        assert slack.asked == ["users.info"] * 2


async def test_the_cache_is_bounded() -> None:
    slack = Slack({f"U{number}": {} for number in range(4)}, [])
    async with directory_of(slack, most=3) as (directory, _):
        for user in ("U0", "U1", "U2", "U3", "U1", "U0"):
            await directory.person(user)
        assert len(slack.asked or []) == 5  # U1 was still known, U0 no longer


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ({"profile": {"display_name": "  Ana \n S. "}, "real_name": "Ana Souza"}, "Ana S."),
        ({"profile": {"display_name": ""}, "real_name": "Ana Souza"}, "Ana Souza"),
        ({"profile": {"real_name": "Ana Souza"}}, "Ana Souza"),
        ({"name": "ana"}, "ana"),
        ({}, "U0ANA"),
        ({"real_name": "x" * 300}, "x" * 80),
    ],
)
async def test_a_name_is_the_display_name_or_the_best_there_is(info: dict[str, Any], name: str) -> None:
    async with directory_of(Slack({"U0ANA": info}, [])) as (directory, _):
        assert (await directory.person("U0ANA")).name == name


async def test_a_card_number_as_a_name_is_redacted() -> None:
    async with directory_of(Slack({"U0ANA": {"real_name": "4111 1111 1111 1111"}}, [])) as (directory, _):
        assert "1111 1111" not in (await directory.person("U0ANA")).name


async def test_a_group_that_is_gone_has_no_members() -> None:
    async with directory_of(Slack({"U0MIRA": {}}, [], error="no_such_subteam")) as (directory, _):
        assert not await directory.is_staff("U0MIRA")


async def test_a_group_that_cannot_be_read_is_not_an_empty_one() -> None:
    async with directory_of(Slack({"U0MIRA": {}}, [], error="missing_scope")) as (directory, _):
        question: Awaitable[bool] = directory.is_staff("U0MIRA")
        with pytest.raises(Unavailable):
            await question


# ---- direct conversations, Slack only ---------------------------------------------------------------------------


async def test_the_direct_conversation_is_the_one_that_a_person_opened(workspace: Workspace) -> None:
    client = reading_client(workspace.bot_token, workspace.api_url)
    directory = SlackDirectory(client, "S0SPECIAL", (), workspace.team_id, HandClock())
    opened = await directory.direct("U0ANA")
    assert opened == await workspace.open_im("U0ANA")
    assert await workspace.open_im("U0BEN") == await directory.direct("U0BEN")
    assert (await workspace.post("U0KIM", await workspace.open_im("U0KIM"), "hi")) != ""
    assert await directory.direct("U0KIM") == await workspace.open_im("U0KIM")


@pytest.mark.parametrize(
    "code",
    ["cannot_dm_bot", "user_disabled", "user_not_found", "user_not_visible", "not_allowed", "access_denied",
     "channel_not_found", "invalid_user_combination", "restricted_action", "restricted_action_read_only_channel"],
)  # fmt: skip
async def test_a_refusal_that_is_about_the_person_means_none_and_is_asked_again(code: str) -> None:
    slack = Slack({}, [], error=code)
    async with directory_of(slack) as (directory, _):
        assert await directory.direct("U0KIM") is None
        slack.error = None
        assert await directory.direct("U0KIM") == "DU0KIM"


@pytest.mark.parametrize("code", ["missing_scope", "invalid_auth", "token_revoked", "fatal_error", "unknown_method"])
async def test_a_refusal_that_is_about_us_is_no_answer(code: str) -> None:
    async with directory_of(Slack({}, [], error=code)) as (directory, _):
        with pytest.raises(Unavailable):
            await directory.direct("U0ANA")


@pytest.mark.parametrize("opened", [[], {"id": 7}, {"id": "G0GROUP"}, {"name": "ana"}, "D1"])
async def test_what_is_no_direct_conversation_is_not_taken_for_one(opened: Any) -> None:
    async with directory_of(Slack({}, [], opened=opened or "x")) as (directory, _):
        with pytest.raises(Unavailable):
            await directory.direct("U0ANA")


@pytest.mark.parametrize("user", ["U0ANA,U0BEN", "U0ANA ", "", "C0<!here>"])
async def test_what_is_no_persons_id_is_never_asked_for(user: str) -> None:
    slack = Slack({}, [])
    async with directory_of(slack) as (directory, _):
        assert await directory.direct(user) is None
    assert slack.asked is None


async def test_a_direct_conversation_is_opened_once_and_what_is_remembered_has_an_end() -> None:
    slack = Slack({}, [])
    async with directory_of(slack, most=3) as (directory, _):
        for user in ("U0", "U1", "U2", "U3", "U1", "U0"):
            assert await directory.direct(user) == f"D{user}"
    assert len(slack.asked or []) == 5  # U1 was still known, U0 no longer
