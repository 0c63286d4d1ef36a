"""`demo`: a local Slack workspace in the browser with the bot in it, and the tour through it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from bot.app import Running, running
from bot.errors import DataDirError, PortInUse, UsageError
from bot.settings import load_settings
from bot.storage import datadir
from bot.telemetry import register_secret
from integrations import workspace
from integrations.workspace import Workspace, WorkspaceConfig, demo_seed

DEFAULT_PORT = 8765
CUSTOMER, OTHER_CUSTOMER, SPECIALIST = "U0ANA", "U0BEN", "U0MIRA"
SUPPORT, DESK = "C0SUPPORT", "G0DESK"
WAIT_SECONDS = 5.0

Say = Callable[[str], None]


def settings_for(ws: Workspace, data_dir: Path, **changes: Any) -> Any:
    """Settings of a bot in this workspace: nothing of the operator's real settings or keys gets in."""
    chosen: dict[str, Any] = {
        "slack_bot_token": ws.bot_token,
        "slack_app_token": ws.app_token,
        "slack_api_url": ws.api_url,
        "support_channels": (SUPPORT,),
        "specialist_channel": DESK,
        "specialist_group": ("S0SPECIAL",),
        "admin_users": ("U0ADA",),
        "channel_wait_seconds": WAIT_SECONDS,
        "database_url": None,
        "data_dir": data_dir,
        "executor_id": None,
    }
    settings = load_settings({**chosen, **changes}, env_file=None)
    for secret in settings.secrets():
        register_secret(secret)
    return settings


@contextlib.asynccontextmanager
async def demo(data_dir: Path, port: int, **changes: Any) -> AsyncIterator[tuple[Workspace, Running]]:
    """A workspace on `port` (0: any free one) with the bot in it. Raises UsageError."""
    datadir.prepare(data_dir)
    ws = Workspace(WorkspaceConfig(path=data_dir / "workspace.db", port=port, seed=demo_seed()))
    try:
        await ws.start()
    except workspace.PortInUse as error:
        raise PortInUse(port) from error
    except workspace.StoreUnavailable as error:
        raise DataDirError(
            f"{error}. If another demo runs on {data_dir}, stop it first, or choose another folder with --data-dir."
        ) from error
    try:
        async with running(settings_for(ws, data_dir, **changes)) as bot:
            yield ws, bot
    finally:
        await ws.stop()


async def stay(data_dir: Path, port: int, say: Say, *, browser: bool) -> None:
    """Run the demo until Ctrl-C; `browser` opens its page where there is a screen. Raises UsageError."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with demo(data_dir, port) as (ws, _):
        say(_welcome(ws.url))
        if browser and _has_screen():
            await asyncio.to_thread(webbrowser.open, ws.url)
        await stop.wait()
        say("Stopping. Everything written is kept; the next `make demo` goes on from here.")


def _has_screen() -> bool:
    """Whether a browser would open a window: in a mere terminal it would take the terminal over."""
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _welcome(url: str) -> str:
    return f"""
Handrail is running in a local Slack workspace. Open it in a browser:

    {url}

Three things to try:
  1. As Ana, write to Handrail directly: "How long does a refund take?"
  2. As Ana, write: "I want to talk to a person". Then switch to Mira (top left), open #support-desk, and reply.
  3. As Ben, ask in #billing-help: "why is my card charge still pending". Nobody answers, so after
     {WAIT_SECONDS:.0f} seconds Handrail does.

Stop with Ctrl-C. Nothing leaves this machine.
"""


async def tour(data_dir: Path, say: Say) -> bool:
    """Play a scripted conversation through the whole path; True when every reply was what it should be."""
    from bot.tour import play

    async with demo(data_dir, 0, channel_wait_seconds=0.0) as (ws, _):
        return await play(ws, say)


def require_no_live_keys(environment: dict[str, str]) -> None:
    """On the workspace's page anyone can act as anyone: it never runs beside a live key. Raises UsageError."""
    live = [name for name, value in environment.items() if name == "STRIPE_API_KEY" and "_live_" in value]
    if live:
        raise UsageError(f"The demo does not run with a live key set: unset {', '.join(live)} first.")
