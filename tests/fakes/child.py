"""The real bot as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.demo import DESK, SUPPORT
from integrations.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
READY = b"Handrail is connected"


def environment(ws: Workspace, data_dir: Path, **more: str) -> dict[str, str]:
    """What `python -m bot run` needs to work in this workspace, and nothing of the operator's."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(data_dir),
        "PYTHONUNBUFFERED": "1",
        "SLACK_BOT_TOKEN": ws.bot_token,
        "SLACK_APP_TOKEN": ws.app_token,
        "SLACK_API_URL": ws.api_url,
        "SUPPORT_CHANNELS": SUPPORT,
        "SPECIALIST_CHANNEL": DESK,
        "SPECIALIST_GROUP": "S0SPECIAL",
        "CHANNEL_WAIT_SECONDS": "0",
        "DATA_DIR": str(data_dir),
        **more,
    }


@dataclass
class Child:
    """A started process; `output` grows while it runs."""

    process: asyncio.subprocess.Process
    output: bytearray = field(default_factory=bytearray)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        assert self.process.stdout is not None
        while chunk := await self.process.stdout.read(65536):
            self.output += chunk
            if READY in self.output:
                self.ready.set()
        self.ready.set()

    async def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        """What Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        return await asyncio.wait_for(self.process.wait(), timeout=30)


@asynccontextmanager
async def bot_process(*arguments: str, env: dict[str, str], cwd: Path) -> AsyncIterator[Child]:
    """`python -m bot ARGUMENTS`, killed at the end if it still runs. `cwd` holds no `.env`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        env={**env, "PYTHONPATH": str(ROOT)},
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    child = Child(process)
    reading = asyncio.create_task(child.read())
    try:
        yield child
    finally:
        if process.returncode is None:
            await child.kill()
        await reading


@asynccontextmanager
async def running_bot(ws: Workspace, data_dir: Path, **more: str) -> AsyncIterator[Child]:
    """`python -m bot run`, connected."""
    data_dir.mkdir(exist_ok=True)
    async with bot_process("run", env=environment(ws, data_dir, **more), cwd=data_dir) as child:
        await asyncio.wait_for(child.ready.wait(), timeout=60)
        assert READY in child.output, child.output.decode(errors="replace")
        yield child
