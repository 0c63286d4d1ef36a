"""`doctor`: each thing is tried and told, and nothing changes."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from bot import doctor
from bot.articles import publish
from bot.settings import Settings
from bot.storage import datadir
from integrations.stripe.sandbox import Sandbox
from integrations.workspace import Channel, Person, Usergroup, Workspace, WorkspaceConfig, demo_seed
from tests.cli.conftest import settings_in, tree
from tests.fakes.stripe_server import stripe_server

Examine = Callable[..., Awaitable[int]]


@pytest.fixture
def examine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]) -> Examine:
    """Runs doctor with these environment variables and no others of ours, in a folder without .env."""
    monkeypatch.chdir(tmp_path)

    async def run(**settings: str) -> int:
        for name in Settings.model_fields:
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        said.clear()
        return await doctor.examine(said.append)

    return run


@pytest.fixture
async def ws() -> AsyncIterator[Workspace]:
    """Acme, with channels and groups that are not fit."""
    seed = demo_seed()
    everybody = tuple(person.id for person in seed.people if not person.is_stranger)
    desk = ("U0ADA", "U0MIRA", "U0HANDRAIL")
    channels = (
        Channel("G0SHARED", "shared", "private", "", (*desk, "U0KIM"), "U0ADA"),
        Channel("G0APPS", "apps", "private", "", (*desk, "U0OTHERAPP"), "U0ADA"),
        Channel("G0MIXED", "mixed", "private", "", everybody, "U0ADA"),
        Channel("C0OLD", "old", "public", "", everybody, "U0ADA", archived=True),
    )
    seed = replace(
        seed,
        people=(
            *seed.people,
            Person("U0GONE", "gone", "Gone", deleted=True),
            Person("U0OTHERAPP", "other", "Other", is_bot=True),
        ),
        channels=(*seed.channels, *channels),
        usergroups=(*seed.usergroups, Usergroup("S0EMPTY", "empty")),
    )
    async with Workspace(WorkspaceConfig(seed=seed)) as workspace:
        yield workspace


def right(ws: Workspace, **changes: str) -> dict[str, str]:
    """Settings with which everything is well, but for the changes."""
    return {
        "SLACK_API_URL": ws.api_url,
        "SLACK_BOT_TOKEN": ws.bot_token,
        "SLACK_APP_TOKEN": ws.app_token,
        "SUPPORT_CHANNELS": "C0SUPPORT",
        "SPECIALIST_CHANNEL": "G0DESK",
        "SPECIALIST_GROUP": "S0SPECIAL",
        "ADMIN_USERS": "U0ADA",
        **changes,
    }


def told(said: list[str], what: str) -> list[tuple[str, str]]:
    """Mark and meaning of each line about a thing."""
    found = []
    for line in said:
        mark, _, rest = line.strip().partition(" ")
        if rest.strip().startswith(what):
            found.append((mark, rest.strip().removeprefix(what).lstrip(": ")))
    return found


def marked(said: list[str]) -> set[str]:
    """The things that are missing or wrong."""
    lines = [line.split() for line in said if line.startswith("  ")]
    return {words[1].rstrip(":") for words in lines if words[0] in ("missing", "wrong")}


async def test_nothing_set(examine: Examine, said: list[str], tmp_path: Path) -> None:
    assert await examine() == 1
    assert marked(said) == {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SPECIALIST_CHANNEL"}
    assert "make demo" in str(said)
    assert told(said, "SPECIALIST_GROUP")[0][0] == "warning"
    assert {name.upper() for name in Settings.model_fields} <= {line.split(":")[0].split()[-1] for line in said if line}
    assert os.listdir(tmp_path) == []


async def test_everything_right(examine: Examine, said: list[str], ws: Workspace, started: Path) -> None:
    before = tree(started)
    assert await examine(**right(ws, DATA_DIR=str(started))) == 0
    assert marked(said) == set()
    assert told(said, "SLACK_BOT_TOKEN")[1] == ("ok", "works: we are @handrail in Acme")
    assert told(said, "SPECIALIST_CHANNEL G0DESK")[1:] == [
        ("ok", "private, not shared, no guests among 3 people: cards may show payment details")
    ]
    assert told(said, "articles") == [("ok", "47, publication 1; none past its review_by")]
    assert said[-1] == "\n`run` would work."
    assert tree(started) == before


async def test_wrong_tokens_are_told_and_never_shown(examine: Examine, said: list[str], ws: Workspace) -> None:
    wrong = {"SLACK_BOT_TOKEN": "xoxb-hemligt-1", "SLACK_APP_TOKEN": "xapp-hemligt-2"}
    assert await examine(**right(ws, **wrong)) == 1
    assert marked(said) == {"SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"}
    assert "invalid_auth" in told(said, "SLACK_BOT_TOKEN")[1][1]
    assert "hemligt" not in str(said)


async def test_one_wrong_setting_stops_no_other_check(examine: Examine, said: list[str], ws: Workspace) -> None:
    wrong = {
        "SLACK_APP_TOKEN": "hemligt",
        "CHANNEL_WAIT_SECONDS": "soon",
        "DATABASE_URL": "mysql://bot:hemligt@host/db",
        "ADMIN_USERS": "ada",
    }
    assert await examine(**right(ws, **wrong)) == 1
    assert marked(said) == set(wrong)
    assert told(said, "SPECIALIST_GROUP")[1] == ("ok", "2 found, each a full member")
    assert "hemligt" not in str(said)


async def test_channels_and_people_that_do_not_fit(examine: Examine, said: list[str], ws: Workspace) -> None:
    changes = {
        "SUPPORT_CHANNELS": "C0RANDOM,C0NOWHERE,C0OLD",
        "SPECIALIST_CHANNEL": "G0MIXED",
        "SPECIALIST_GROUP": "S0EMPTY",
        "ADMIN_USERS": "U0ADA,U0NOBODY,U0GONE,U0GIL,U0HANDRAIL",
    }
    assert await examine(**right(ws, **changes)) == 1
    assert told(said, "SUPPORT_CHANNELS C0RANDOM")[0][0] == "missing"
    assert "channel_not_found" in told(said, "SUPPORT_CHANNELS C0NOWHERE")[0][1]
    assert "archived" in told(said, "SUPPORT_CHANNELS C0OLD")[0][1]
    assert told(said, "SPECIALIST_CHANNEL G0MIXED")[1] == (
        "warning",
        "has guests or people of other companies: U0GIL. Cards show no payment details. Take them out of it",
    )
    assert "S0EMPTY is empty" in told(said, "SPECIALIST_GROUP")[1][1]
    mark, meaning = told(said, "ADMIN_USERS")[1]
    assert mark == "wrong"
    for one in ("U0NOBODY (user_not_found)", "U0GONE (deactivated)", "U0GIL (guest)", "U0HANDRAIL (bot)"):
        assert one in meaning
    assert "U0ADA (" not in meaning


async def test_a_public_specialist_channel_and_an_unknown_group(
    examine: Examine, said: list[str], ws: Workspace
) -> None:
    assert await examine(**right(ws, SPECIALIST_CHANNEL="C0SUPPORT", SPECIALIST_GROUP="S0NOWHERE")) == 1
    assert "is public" in told(said, "SPECIALIST_CHANNEL C0SUPPORT")[1][1]
    assert "no_such_subteam" in told(said, "SPECIALIST_GROUP")[1][1]
    assert "no payment details. Make it private" in told(said, "SPECIALIST_CHANNEL C0SUPPORT")[1][1]


async def test_a_specialist_channel_that_others_read_too_is_told_of_and_works(
    examine: Examine, said: list[str], ws: Workspace
) -> None:
    assert await examine(**right(ws, SPECIALIST_CHANNEL="G0SHARED")) == 0
    mark, meaning = told(said, "SPECIALIST_CHANNEL G0SHARED")[1]
    assert mark == "warning"
    assert meaning.startswith("is shared with another company or workspace. Cards show no payment details.")
    assert await examine(**right(ws, SPECIALIST_CHANNEL="G0APPS")) == 0
    well, apps = told(said, "SPECIALIST_CHANNEL G0APPS")[1:]
    assert well[1].startswith("private, not shared, no guests among 2 people")
    assert apps == ("warning", "other apps read along: U0OTHERAPP. Take out those you need not")


@pytest.mark.parametrize(("code", "mark"), [("missing_scope", "wrong"), ("internal_error", "warning")])
async def test_members_that_cannot_be_looked_at(
    examine: Examine, said: list[str], ws: Workspace, code: str, mark: str
) -> None:
    ws.faults.script("conversations.members", [code] * 3)
    await examine(**right(ws))
    found, meaning = told(said, "SPECIALIST_CHANNEL G0DESK")[1]
    assert found == mark
    assert code in meaning


async def test_slack_that_does_not_answer(examine: Examine, said: list[str], ws: Workspace) -> None:
    settings = right(ws)
    ws.faults.script("auth.test", ["internal_error"])
    assert await examine(**settings) == 1
    assert "internal_error" in told(said, "SLACK_BOT_TOKEN")[1][1]
    await ws.stop()
    assert await examine(**settings) == 1
    assert marked(said) == {"Slack"}


@pytest.fixture
async def scopes_server() -> AsyncIterator[str]:
    """A Slack that grants two scopes; its address."""

    async def answer(request: web.Request) -> web.Response:
        body = {"ok": True, "team_id": "T1", "team": "Acme\x1b[31m", "user": "handrail", "url": "wss://localhost"}
        return web.json_response(body, headers={"X-OAuth-Scopes": "chat:write,users:read"})

    app = web.Application()
    app.add_routes([web.route("*", "/api/{method}", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    await runner.cleanup()


async def test_scopes_are_compared_with_the_manifest(
    examine: Examine, said: list[str], scopes_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = tmp_path / "manifest.json"
    monkeypatch.setattr(doctor, "MANIFEST", manifest)
    settings = {"SLACK_API_URL": scopes_server, "SLACK_BOT_TOKEN": "xoxb-1-1"}
    for scopes, mark, meaning in (
        (["chat:write", "im:history", "app_mentions:read"], "missing", "app_mentions:read, im:history. Add them"),
        (["chat:write", "users:read"], "ok", "all 2 of manifest.json"),
    ):
        manifest.write_text(json.dumps({"oauth_config": {"scopes": {"bot": scopes}}}))
        await examine(**settings)
        ((found, text),) = told(said, "scopes")
        assert found == mark
        assert text.startswith(meaning)
    assert "\x1b" not in str(said)
    assert "\\x1b" not in str(said)


async def test_a_running_handrail_is_noticed(examine: Examine, said: list[str], started: Path) -> None:
    with datadir.held(started):
        assert await examine(DATA_DIR=str(started)) == 1
    assert "Another Handrail is running" in told(said, "DATA_DIR")[1][1]


async def test_damaged_files_of_data_dir(examine: Examine, said: list[str], started: Path) -> None:
    (started / "engine.db").write_bytes(b"no database at all")
    (started / "handrail.db").write_bytes(b"no database at all" * 100)
    assert await examine(DATA_DIR=str(started)) == 1
    assert {"database", "engine"} <= marked(said)


async def test_a_data_dir_that_is_a_file(examine: Examine, said: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    for path in ("file", "file/below"):
        assert await examine(DATA_DIR=path) == 1
        assert "DATA_DIR" in marked(said)


@pytest.mark.parametrize(
    ("change", "mark", "meaning"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "wrong", "made by a newer Handrail"),
        ("DELETE FROM alembic_version", "ok", "without tables"),
    ],
)
async def test_the_shape_of_the_database(
    examine: Examine, said: list[str], started: Path, change: str, mark: str, meaning: str
) -> None:
    with sqlite3.connect(started / "handrail.db") as database:
        database.execute(change)
    database.close()
    await examine(DATA_DIR=str(started))
    ((found, text),) = told(said, "database")
    assert found == mark
    assert meaning in text


async def test_articles_past_their_review(
    examine: Examine, said: list[str], started: Path, articles_folder: Path
) -> None:
    for name in ("refund-timing.md", "receipts.md"):
        path = articles_folder / name
        path.write_text(path.read_text().replace("review_by: 2027-01-01", "review_by: 2026-01-02"))
    assert await publish(settings_in(started), articles_folder, said.append) == 0
    await examine(DATA_DIR=str(started))
    ((mark, meaning),) = told(said, "articles")
    assert mark == "warning"
    assert "publication 2" in meaning
    assert "refund-timing" in meaning


async def test_postgres_that_does_not_answer_and_one_that_does(
    examine: Examine, said: list[str], postgres_url: str
) -> None:
    await examine(DATABASE_URL="postgresql://bot:hemligt@127.0.0.1:1/handrail")
    assert told(said, "database")[0][0] == "wrong"
    assert "hemligt" not in str(said)
    await examine(DATABASE_URL=postgres_url)
    assert told(said, "database") == [("ok", "postgresql, without tables: the next start makes them")]


async def test_a_dotenv_that_is_no_text(examine: Examine, said: list[str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"SLACK_BOT_TOKEN=\xff\xfe\n")
    assert await examine() == 1
    assert told(said, ".env")[0][0] == "wrong"


async def test_a_token_in_the_wrong_place_is_not_shown(examine: Examine, said: list[str], ws: Workspace) -> None:
    assert await examine(**right(ws, SPECIALIST_CHANNEL=ws.bot_token, EXECUTOR_ID=ws.app_token)) == 1
    assert "SPECIALIST_CHANNEL" in marked(said)
    assert ws.bot_token not in str(said)
    assert ws.app_token not in str(said)


# ---- Stripe ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        yield running


async def test_without_a_key_there_are_no_look_ups(examine: Examine, said: list[str]) -> None:
    await examine()
    assert told(said, "Stripe") == [("ok", "not set: no look-ups")]
    assert told(said, "STRIPE_API_KEY")[0] == (
        "ok",
        "not set: no look-ups: Handrail knows articles, and nobody's payments",
    )
    assert told(said, "STRIPE_ALLOW_SECRET_KEY") == [("ok", "default, 0")]


async def test_a_key_that_may_read_all_that_is_needed(examine: Examine, said: list[str], sandbox: Sandbox) -> None:
    await examine(STRIPE_API_URL=sandbox.url, STRIPE_API_KEY=sandbox.key)
    assert told(said, "Stripe") == [("ok", "all 8 lists that look-ups need can be read, test data")]
    assert {request.query for request in sandbox.requests} == {(("limit", "1"),)}
    assert sandbox.writes == []
    assert sandbox.key not in str(said)


async def test_missing_permissions_are_named(examine: Examine, said: list[str], sandbox: Sandbox) -> None:
    for key, lacking in (
        ("rk_test_sandbox_no_charges", "rak_charge_read"),
        (
            "rk_test_sandbox_customers_only",
            "rak_charge_read, rak_dispute_read, rak_invoice_read, rak_payment_intent_read, rak_product_read, "
            "rak_subscription_read",
        ),
    ):
        assert await examine(STRIPE_API_URL=sandbox.url, STRIPE_API_KEY=key) == 1
        ((mark, meaning),) = told(said, "Stripe permissions")
        assert mark == "missing"
        assert meaning.startswith(f"{lacking}. Give the key Read")


async def test_a_key_that_stripe_does_not_know(examine: Examine, said: list[str], sandbox: Sandbox) -> None:
    assert await examine(STRIPE_API_URL=sandbox.url, STRIPE_API_KEY="rk_test_nobodys") == 1
    ((mark, meaning),) = told(said, "Stripe")
    assert mark == "wrong"
    assert meaning.startswith("refuses us (AuthenticationError, HTTP 401")
    assert "nobodys" not in str(said)


async def test_a_stripe_that_does_not_answer(examine: Examine, said: list[str], sandbox: Sandbox) -> None:
    for ill in ("error", "half", "drop", "busy"):
        sandbox.fault(ill, times=-1)
        assert await examine(STRIPE_API_URL=sandbox.url, STRIPE_API_KEY=sandbox.key) == 1
        ((mark, meaning),) = told(said, "Stripe")
        assert mark == "wrong"
        assert meaning.startswith("could not be read (")
        sandbox.well()


async def test_an_answer_that_is_no_list(examine: Examine, said: list[str]) -> None:
    async with stripe_server() as server:
        server.trick(body='{"data": "all yours"}', times=-1)
        assert await examine(STRIPE_API_URL=server.url, STRIPE_API_KEY="rk_test_1") == 1
    assert told(said, "Stripe")[0][1].startswith("could not be read (an answer that is no list)")


async def test_a_refusal_that_names_no_permission(examine: Examine, said: list[str]) -> None:
    async with stripe_server() as server:
        server.trick(403, times=-1, path="/v1/charges")
        assert await examine(STRIPE_API_URL=server.url, STRIPE_API_KEY="rk_test_1") == 1
    assert told(said, "Stripe permissions")[0][1].startswith("reading of charges. Give")


async def test_a_secret_key_is_told_of(examine: Examine, said: list[str]) -> None:
    async with stripe_server() as server:
        settings = {"STRIPE_API_URL": server.url, "STRIPE_API_KEY": "sk_test_made_up"}
        assert await examine(**settings) == 1
        assert told(said, "STRIPE_API_KEY")[0][0] == "wrong"
        assert told(said, "Stripe")[0][1].startswith("not looked at")
        assert server.asked == []
        await examine(**settings, STRIPE_ALLOW_SECRET_KEY="1")
    assert told(said, "STRIPE_API_KEY")[1][0] == "warning"
    assert told(said, "Stripe")[0][0] == "ok"
    assert "made_up" not in str(said)


async def test_mail_settings_that_are_wrong_together_are_told(examine: Examine, said: list[str]) -> None:
    await examine(SMTP_URL="smtp://me:hemligt@mail.example.com")
    assert told(said, "SMTP_URL")[0][0] == "wrong"
    assert "MAIL_FROM" in told(said, "SMTP_URL")[0][1]
    assert "hemligt" not in str(said)
