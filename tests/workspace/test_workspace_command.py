"""``python -m integrations.workspace`` as a developer of another app meets it."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from integrations.workspace import Workspace, WorkspaceConfig
from integrations.workspace.__main__ import main


async def test_command_prints_address_and_tokens_and_stops_on_interrupt(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "integrations.workspace", "--port", "0", "--data", str(tmp_path / "workspace.db"),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed = await _printed(process)
    who = await AsyncWebClient(token=printed["token"], base_url=printed["url"]).auth_test()
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(20):
        await process.communicate()
    assert who["ok"] is True
    assert process.returncode == 0


async def test_killed_server_has_lost_nothing_it_accepted(tmp_path: Path) -> None:
    path = tmp_path / "workspace.db"
    accepted: list[str] = []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "integrations.workspace", "--port", "0", "--data", str(path),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed = await _printed(process)
    client = AsyncWebClient(token=printed["token"], base_url=printed["url"])

    async def keep_posting() -> None:
        while True:
            accepted.append((await client.chat_postMessage(channel="C0SUPPORT", text="x"))["ts"])
            if len(accepted) == 100:
                process.kill()

    with pytest.raises(aiohttp.ClientError):
        await keep_posting()
    await process.communicate()
    async with Workspace(WorkspaceConfig(path=path)) as ws:
        assert set(accepted) <= {message["ts"] for message in ws.messages("C0SUPPORT")}
        assert len(accepted) >= 100


async def _printed(process: asyncio.subprocess.Process) -> dict[str, str]:
    """What the command tells a developer: the API's address and the bot's token."""
    assert process.stdout is not None
    found: dict[str, str] = {}
    async with asyncio.timeout(20):
        while "token" not in found or "url" not in found:
            line = (await process.stdout.readline()).decode().strip()
            if line.startswith("API"):
                found["url"] = line.split()[1]
            elif line.startswith("SLACK_BOT_TOKEN="):
                found["token"] = line.partition("=")[2]
    return found


def test_command_that_cannot_start_says_why_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", "--data", str(tmp_path / "no" / "file.db")]) == 1
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "cannot use its state file" in printed.err
