"""The state file: what survives, who may open it, what happens when it cannot be written."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from integrations.workspace import (
    BadSeed,
    Channel,
    PortInUse,
    Seed,
    StoreUnavailable,
    Workspace,
    WorkspaceConfig,
    WorkspaceError,
    demo_seed,
)
from integrations.workspace.storage.database import Database

from .raw_app import RawApp


async def test_messages_tokens_and_undelivered_events_survive_a_restart(tmp_path: Path) -> None:
    config = WorkspaceConfig(path=tmp_path / "workspace.db")
    async with Workspace(config) as ws:
        ts = await ws.post("U0ANA", "C0SUPPORT", "remember me")
        im = await ws.open_im("U0ANA")
        tokens = ws.bot_token, ws.app_token
        ws.clock.advance(1000)
        before = ws.clock.now()
        late = await ws.post("U0BEN", "C0SUPPORT", "and me")
    async with Workspace(config) as ws:
        assert (ws.bot_token, ws.app_token) == tokens
        assert [message["ts"] for message in ws.messages("C0SUPPORT")] == [ts, late]
        assert await ws.open_im("U0ANA") == im
        assert ws.clock.now() >= before
        async with RawApp(ws) as raw:
            assert await ws.post("U0ANA", "C0SUPPORT", "newer") > late
            assert (await raw.next())["payload"]["event"]["text"] == "newer"
            ws.clock.advance(60)
            frame = await raw.next()
            assert frame["payload"]["event"]["text"] == "and me"
            assert frame["retry_attempt"] >= 1


async def test_new_workspace_has_new_tokens() -> None:
    async with Workspace() as one, Workspace() as two:
        assert one.bot_token != two.bot_token
        assert one.bot_token.startswith("xoxb-local-")


async def test_second_server_on_the_same_file_is_refused(tmp_path: Path) -> None:
    config = WorkspaceConfig(path=tmp_path / "workspace.db")
    async with Workspace(config):
        with pytest.raises(StoreUnavailable, match="locked"):
            await Workspace(config).start()


async def test_port_in_use_says_what_to_do() -> None:
    async with Workspace() as ws:
        port = int(ws.url.rpartition(":")[2])
        with pytest.raises(PortInUse, match="choose another port"):
            await Workspace(WorkspaceConfig(port=port)).start()


async def test_unreadable_file_is_one_clear_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database" * 100)
    for path in (broken, tmp_path / "missing" / "workspace.db"):
        with pytest.raises(StoreUnavailable):
            await Workspace(WorkspaceConfig(path=path)).start()


async def test_full_disk_is_internal_error_and_stores_nothing(tmp_path: Path) -> None:
    async with Workspace(WorkspaceConfig(path=tmp_path / "workspace.db")) as ws:
        client = AsyncWebClient(token=ws.bot_token, base_url=ws.api_url)
        database = ws._core.database  # the only way to fill a disk without root
        pages = database.run("PRAGMA page_count").fetchone()[0]
        database.run(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(SlackApiError) as refused:
            await client.chat_postMessage(channel="C0SUPPORT", text="x" * 30_000)
        assert refused.value.response["error"] == "internal_error"
        database.run("PRAGMA max_page_count = 1000000")
        await client.chat_postMessage(channel="C0SUPPORT", text="room again")
        assert [message["text"] for message in ws.messages("C0SUPPORT")] == ["room again"]


def test_failed_transaction_leaves_nothing_and_tells_nobody() -> None:
    database = Database(None)
    told: list[str] = []

    def fails_halfway() -> None:
        with database.transaction():
            database.set_meta("key", "value")
            database.after_commit(lambda: told.append("committed"))
            database.run("SELECT * FROM no_such_table")

    with pytest.raises(StoreUnavailable):
        fails_halfway()
    assert (database.meta("key"), told) == (None, [])
    database.close()


async def test_file_of_another_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    connection.close()
    with pytest.raises(StoreUnavailable, match="another version"):
        await Workspace(WorkspaceConfig(path=path)).start()


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.5", "example.com"])
def test_only_loopback_addresses_are_bound(host: str) -> None:
    with pytest.raises(WorkspaceError, match="this machine only"):
        Workspace(WorkspaceConfig(host=host))


def test_seed_that_names_nobody_is_refused() -> None:
    seed = demo_seed()
    for channel in (Channel("C0X1", "x", members=("U0NOBODY",)), Channel("lowercase", "x"), Channel("C0GENERAL", "x")):
        bad = Seed(seed.team_id, seed.team_name, seed.people, (*seed.channels, channel), (), seed.apps)
        with pytest.raises(BadSeed):
            bad.check()
