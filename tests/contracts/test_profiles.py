"""What every Profiles keeps to: the real one against a Slack-compatible server, and the fake that tests use."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import NotFound, Unavailable
from bot.ports import Profile, Profiles
from handlers.messenger import posting_client, reading_client
from handlers.profiles import SlackProfiles
from integrations.workspace import Person, Workspace, WorkspaceConfig, demo_seed
from tests.fakes.mail import FakeProfiles

TEAM = "T0ACME"
IDA = Person("U0IDA", "ida", "Ida Adler", email="ida@partner.example", is_stranger=True, team_id="T0PARTNER")
OLA = Person("U0OLA", "ola", "Ola Nordmann", email="ola@shop.example", email_confirmed=False)
DOV = Person("U0DOV", "dov", "Dov Ilic", email="dov@shop.example", deleted=True)


@dataclass(frozen=True)
class World:
    profiles: Profiles
    break_down: Callable[[], None]


@pytest.fixture(params=["fake", "slack"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Acme: Ana a full member, Gil a guest, Ida of another company, Ola with an e-mail that nobody confirmed, Dov gone,
    an app without any e-mail."""
    if request.param == "fake":
        fake = FakeProfiles(TEAM).add("U0ANA", "ana@souza.example", locale="pt-BR", zone="America/Sao_Paulo")
        fake.add("U0GIL", "gil@moreau.example", member=False, locale="fr-FR", zone="Europe/Paris")
        fake.add("U0IDA", "ida@partner.example", member=False, team="T0PARTNER", zone="Europe/London")
        fake.add("U0OLA", "ola@shop.example", confirmed=False, zone="Europe/London")
        fake.add("U0DOV", "dov@shop.example", confirmed=False, member=False, locale=None, zone=None)
        fake.add("U0HANDRAIL", None, confirmed=False, member=False, locale="en-US", zone="Etc/UTC")
        yield World(fake, lambda: setattr(fake, "down", True))
        return
    seed = demo_seed()
    seed = replace(seed, people=(*seed.people, IDA, OLA, DOV))
    running = Workspace(WorkspaceConfig(path=None, port=0, seed=seed))
    await running.start()
    client = reading_client(running.bot_token, running.api_url)
    yield World(SlackProfiles(client, running.team_id), lambda: running.faults.down(True))
    await running.stop()


# ---- the contract -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "profile"),
    [
        ("U0ANA", Profile("ana@souza.example", True, True, TEAM, "pt-BR", "America/Sao_Paulo")),
        ("U0GIL", Profile("gil@moreau.example", True, False, TEAM, "fr-FR", "Europe/Paris")),
        ("U0IDA", Profile("ida@partner.example", True, False, "T0PARTNER", "en-GB", "Europe/London")),
        ("U0OLA", Profile("ola@shop.example", False, True, TEAM, "en-GB", "Europe/London")),
        ("U0DOV", Profile("dov@shop.example", False, False, TEAM, None, None)),
        ("U0HANDRAIL", Profile(None, False, False, TEAM, "en-US", "Etc/UTC")),
    ],
)
async def test_a_profile_says_what_slack_says(world: World, user: str, profile: Profile) -> None:
    assert await world.profiles.profile(user) == profile


async def test_nobody_is_found_for_an_unknown_id(world: World) -> None:
    with pytest.raises(NotFound):
        await world.profiles.profile("U0NOBODY")


async def test_slack_being_down_is_not_an_answer(world: World) -> None:
    world.break_down()
    with pytest.raises(Unavailable) as caught:
        await world.profiles.profile("U0ANA")
    assert caught.value.edge == "slack"


async def test_an_e_mail_does_not_show_where_a_profile_is_printed(world: World) -> None:
    assert "souza" not in repr(await world.profiles.profile("U0ANA"))


# ---- Slack only -------------------------------------------------------------------------------------------------


@dataclass
class Slack:
    """A Slack whose people change while we look. `user`: what it says about Ana, `error`: instead of that."""

    user: Any
    error: str | None = None
    asked: int = 0
    locale: str | None = None

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        self.locale = request.query.get("include_locale") or str((await request.post()).get("include_locale"))
        if self.error is not None:
            return web.json_response({"ok": False, "error": self.error})
        return web.json_response({"ok": True, "user": self.user})


ANA: dict[str, Any] = {
    "id": "U0ANA", "team_id": TEAM, "is_email_confirmed": True, "locale": "pt-BR", "tz": "America/Sao_Paulo",
    "profile": {"email": "ana@souza.example"},
}  # fmt: skip


@asynccontextmanager
async def profiles_of(slack: Slack) -> AsyncIterator[SlackProfiles]:
    app = web.Application()
    app.router.add_route("*", "/api/users.info", slack.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield SlackProfiles(posting_client("xoxb-1", str(server.make_url("/api/"))), TEAM)


async def test_slack_is_asked_anew_each_time_and_for_the_locale() -> None:
    slack = Slack(ANA)
    async with profiles_of(slack) as profiles:
        assert (await profiles.profile("U0ANA")).email == "ana@souza.example"
        slack.user = ANA | {"profile": {"email": "someone@else.example"}, "is_email_confirmed": False}
        after = await profiles.profile("U0ANA")
    assert (after.email, after.confirmed, slack.asked, slack.locale) == ("someone@else.example", False, 2, "1")


@pytest.mark.parametrize(
    "flaw",
    [{"deleted": True}, {"is_bot": True}, {"is_restricted": True}, {"is_ultra_restricted": True},
     {"is_stranger": True}, {"team_id": "T0OTHER"}],
)  # fmt: skip
async def test_only_full_active_people_of_our_team_are_members(flaw: dict[str, Any]) -> None:
    async with profiles_of(Slack(ANA | flaw)) as profiles:
        assert not (await profiles.profile("U0ANA")).member


@pytest.mark.parametrize("said", [None, "true", 1, False, {}])
async def test_only_true_means_that_an_e_mail_is_confirmed(said: Any) -> None:
    async with profiles_of(Slack(ANA | {"is_email_confirmed": said})) as profiles:
        assert not (await profiles.profile("U0ANA")).confirmed


@pytest.mark.parametrize("email", [None, "", "  ", 5, ["ana@souza.example"]])
async def test_an_e_mail_that_is_none_is_not_confirmed(email: Any) -> None:
    async with profiles_of(Slack(ANA | {"profile": {"email": email}})) as profiles:
        profile = await profiles.profile("U0ANA")
    assert (profile.email, profile.confirmed) == (None, False)


@pytest.mark.parametrize("user", [None, [], "ana", {}, ANA | {"profile": None}, ANA | {"team_id": ""}])
async def test_half_an_answer_is_no_answer(user: Any) -> None:
    async with profiles_of(Slack(user)) as profiles:
        with pytest.raises(Unavailable):
            await profiles.profile("U0ANA")


@pytest.mark.parametrize("code", ["user_not_found", "user_not_visible"])
async def test_somebody_whom_slack_does_not_show_is_nobody(code: str) -> None:
    async with profiles_of(Slack(ANA, code)) as profiles:
        with pytest.raises(NotFound):
            await profiles.profile("U0ANA")


@pytest.mark.parametrize("code", ["missing_scope", "invalid_auth", "fatal_error"])
async def test_a_refusal_is_not_nobody(code: str) -> None:
    async with profiles_of(Slack(ANA, code)) as profiles:
        with pytest.raises(Unavailable):
            await profiles.profile("U0ANA")


async def test_an_e_mail_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    slack = Slack(ANA)
    async with profiles_of(slack) as profiles:
        await profiles.profile("U0ANA")
        slack.user = ANA | {"team_id": None}
        with pytest.raises(Unavailable):
            await profiles.profile("U0ANA")
    assert "souza" not in caplog.text
