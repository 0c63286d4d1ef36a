"""``python -m integrations.workspace``: run a workspace for any Bolt app, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from integrations.workspace import Workspace, WorkspaceConfig, WorkspaceError

_DEFAULT_PORT = 8642


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve. Exit code 1 with one sentence when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m integrations.workspace", description=__doc__)
    parser.add_argument("--port", type=int, default=_DEFAULT_PORT, help="0 takes any free port (default %(default)s)")
    parser.add_argument("--data", type=Path, metavar="FILE", help="keep the state in this file (default: in memory)")
    given = parser.parse_args(arguments)
    try:
        asyncio.run(_serve(WorkspaceConfig(path=given.data, port=given.port)))
    except WorkspaceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def _serve(config: WorkspaceConfig) -> None:
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    async with Workspace(config) as workspace:
        print(f"Workspace  {workspace.url}")
        print(f"API        {workspace.api_url}   (AsyncWebClient(base_url=…))")
        for app in workspace.directory.apps.values():
            print(f"App        {app.name} ({app.id})")
            print(f"  SLACK_BOT_TOKEN={app.bot_token}")
            print(f"  SLACK_APP_TOKEN={app.app_token}")
        print("Ctrl-C stops it.", flush=True)
        await stopping.wait()


if __name__ == "__main__":
    sys.exit(main())
