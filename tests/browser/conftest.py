"""The page in a real browser, against a real workspace and a real Bolt app.

No sleeps: Playwright waits for what is expected.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from integrations.workspace import Workspace, WorkspaceConfig

from .sample_app import connect
from .stage import Stage

if TYPE_CHECKING:
    from playwright.async_api import Browser

ARGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-component-update",
    "--disable-sync",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    # A skip is a failure in CI (tests/conftest.py).
    playwright_api = pytest.importorskip(
        "playwright.async_api", reason="playwright is not installed (requirements-dev.lock)"
    )
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium found: install the system's `chromium`, or name one in CHROMIUM")
    async with playwright_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGS))
        yield browser
        await browser.close()


Open = Callable[..., Awaitable[Stage]]


@pytest_asyncio.fixture(loop_scope="module")
async def open_stage(browser: Browser) -> AsyncIterator[Open]:
    """Makes a stage with settings of the test; ends it, and fails when the browser had anything to complain about."""
    async with AsyncExitStack() as stack:

        async def start(path: Path | None = None, **settings: Any) -> Stage:
            ws = await stack.enter_async_context(Workspace(WorkspaceConfig(path=path, **settings)))
            handler = await connect(ws.api_url, ws.bot_token, ws.app_token)
            stack.push_async_callback(handler.close_async)
            await ws.wait_for(lambda now: now.sockets)
            stage = Stage(ws, browser)
            stack.push_async_callback(_end, stage)
            return stage

        yield start


async def _end(stage: Stage) -> None:
    for context in stage.browser.contexts:
        await context.close()
    assert stage.complaints == []


@pytest_asyncio.fixture(loop_scope="module")
async def stage(open_stage: Open) -> Stage:
    """The usual stage: the demo people, everything in memory."""
    return await open_stage()
