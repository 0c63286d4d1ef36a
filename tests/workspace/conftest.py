"""A workspace and real Bolt apps on it, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from integrations.workspace import Workspace, WorkspaceConfig

Connect = Callable[[AsyncApp], Awaitable[AsyncSocketModeHandler]]


@pytest.fixture
async def ws() -> AsyncIterator[Workspace]:
    """A fresh workspace in memory."""
    async with Workspace(WorkspaceConfig()) as workspace:
        yield workspace


@pytest.fixture
def client(ws: Workspace) -> AsyncWebClient:
    """Slack's own client with the bot's token."""
    return AsyncWebClient(token=ws.bot_token, base_url=ws.api_url)


@pytest.fixture
def app(client: AsyncWebClient) -> AsyncApp:
    """An unmodified Bolt app; tests add listeners before they connect it."""
    return AsyncApp(client=client)


@pytest.fixture
async def connect(ws: Workspace) -> AsyncIterator[Connect]:
    """Connects an app over Socket Mode and waits until the workspace has the socket; closed after the test."""
    handlers: list[AsyncSocketModeHandler] = []

    async def connect_app(app: AsyncApp) -> AsyncSocketModeHandler:
        before = ws.sockets
        # The interval is also how long the SDK waits after a refused connection: tests need not wait ten seconds.
        handler = AsyncSocketModeHandler(app, ws.app_token, ping_interval=1)
        handlers.append(handler)
        await handler.connect_async()
        await ws.wait_for(lambda w: w.sockets > before)
        return handler

    yield connect_app
    for handler in handlers:
        await handler.close_async()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A plain HTTP client."""
    async with aiohttp.ClientSession() as session:
        yield session
