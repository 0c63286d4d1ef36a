"""`demo`: a local Slack workspace in the browser with the bot in it, and the tour through it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from bot.app import Running, running
from bot.domain.identity import IdentityRule
from bot.errors import DataDirError, PortInUse, UsageError
from bot.settings import live_keys, load_settings
from bot.storage import datadir
from bot.telemetry import register_secret
from integrations import workspace
from integrations.stripe.sandbox import Sandbox
from integrations.workspace import Workspace, WorkspaceConfig, WorkspaceMail, demo_seed

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
        "stripe_api_key": None,
        "stripe_api_url": "https://api.stripe.com",
        "stripe_allow_secret_key": False,
        "identity_rule": IdentityRule.LINKED,
        "smtp_url": None,
        "mail_from": None,
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
        async with Sandbox() as stripe:
            money = {"stripe_api_key": stripe.key, "stripe_api_url": stripe.url, "identity_rule": IdentityRule.EMAIL}
            async with running(settings_for(ws, data_dir, **{**money, **changes}), mail=WorkspaceMail(ws)) as bot:
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

Things to try:
  1. As Ana, write to Handrail directly: "How long does a refund take?", then "Where is my refund?"
  2. As Ben, write to Handrail: "I was charged twice". Then switch to Mira (top left), open #support-desk, and reply.
  3. As Gil, who is a guest, ask for your refund, and prove your e-mail: the code arrives in Mail, on the left.
  4. As Ben, ask in #billing-help: "why is my card charge still pending". Nobody answers, so after
     {WAIT_SECONDS:.0f} seconds Handrail does.

The payments are made up, in a Stripe sandbox on this machine. Stop with Ctrl-C. Nothing leaves this machine.
"""


async def tour(data_dir: Path, say: Say) -> bool:
    """Play a scripted conversation through the whole path; True when every reply was what it should be."""
    from bot.tour import play

    async with demo(data_dir, 0, channel_wait_seconds=0.0) as (ws, _):
        return await play(ws, say)


def require_no_live_keys(environment: Mapping[str, str], env_file: Path | None = Path(".env")) -> None:
    """On the workspace's page anyone can act as anyone: it never runs beside a live key. Raises UsageError."""
    live = live_keys(environment, env_file)
    if live:
        raise UsageError(f"The demo does not run beside a live key: take out {' and '.join(live)} first.")
