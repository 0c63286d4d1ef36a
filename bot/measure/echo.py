"""Two apps that Handrail is measured beside: `python -m bot.measure.echo bare|queued`.

Both repeat what they are told. `bare` is a plain Bolt listener, the least that an answer in Slack can cost. `queued`
stores a wake-up before it acknowledges and answers from the same engine and queue that Handrail uses, so that what
is left of a difference is Handrail's own work. Settings: ECHO_BOT_TOKEN, ECHO_APP_TOKEN, SLACK_API_URL, DATA_DIR.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from slack_bolt import BoltResponse
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Wake, WakeKind
from bot.storage.database import engine_url, prepare_engine_file
from bot.workflows import DbosEngine

READY = "ready"


class Echo:
    """Runs a wake-up: posts what it names. Fulfils `bot.workflows.Runs`."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def run(self, kind: WakeKind, lane: str, subject: str) -> None:
        """`lane` is the channel, `subject` the message's ts."""
        await self._client.chat_postMessage(channel=lane, text=f"echo {subject}")


def bare(app: AsyncApp) -> None:
    """Answer in a listener."""

    @app.event("message")
    async def answer(event: dict[str, Any], client: AsyncWebClient) -> None:
        await client.chat_postMessage(channel=event["channel"], text=f"echo {event['ts']}")


def queued(app: AsyncApp, engine: DbosEngine) -> None:
    """Enqueue before the acknowledgement; the queue answers."""

    async def enqueue(body, next_):  # type: ignore[no-untyped-def]  # Bolt finds arguments by these names
        event = body.get("event", {})
        if event.get("type") == "message" and not event.get("bot_id"):
            wake = Wake(f"echo:{event['channel']}:{event['ts']}", WakeKind.TURN, event["channel"], event["ts"])
            await engine.enqueue(wake)
        return BoltResponse(status=200)

    app.middleware(enqueue)


async def _serve(kind: str) -> None:
    client = AsyncWebClient(token=os.environ["ECHO_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
    client.proxy = None
    app = AsyncApp(client=client, request_verification_enabled=False)
    engine = None
    if kind == "queued":
        url = engine_url(None, Path(os.environ["DATA_DIR"]))
        prepare_engine_file(url)
        engine = DbosEngine(url, "bench")
        await engine.launch(Echo(client))
        queued(app, engine)
    else:
        bare(app)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    handler = AsyncSocketModeHandler(app, os.environ["ECHO_APP_TOKEN"])
    await handler.connect_async()  # type: ignore[no-untyped-call]
    print(READY, flush=True)
    await stop.wait()
    await handler.close_async()  # type: ignore[no-untyped-call]
    if engine is not None:
        await engine.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
