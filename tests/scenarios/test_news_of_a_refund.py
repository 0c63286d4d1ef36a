"""Somebody asks to be told of their refund, and hears of it across a restart and an upgrade: once."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.app import SystemClock, open_stores, running
from bot.demo import settings_for
from bot.domain import buttons
from bot.domain.outbox import Changes
from bot.domain.refund_news import Told
from bot.domain.transactions import RefundState
from bot.settings import Settings
from bot.storage.news import SqlNews
from integrations.stripe.sandbox import Sandbox
from integrations.stripe.sandbox_loader import parse
from integrations.workspace import Workspace, WorkspaceConfig, demo_seed
from tests.fakes.child import READY, ROOT, environment
from tests.scenarios.stage import PATIENCE, Stage

ANA = "U0ANA"
ASK = "where is my refund?"
AMOUNT = "250,00"
REFUND = "re_sandbox_ana_sofa_1"
PENDING = "{at: -1d, waits: processing}"
FAILED = "{at: -1d, failed: expired_or_canceled_card}"
OVER = "{at: -30d}"
STORY = """
keys:
  - {key: rk_test_sandbox_reads_all, may_read: [everything]}
customers:
  ana:
    name: Ana Souza
    note: one refund
    email: ana@souza.example
    payments:
      sofa: {amount: 250.00 EUR, at: -40d, for: Sofa, refunds: [%s]}
"""


@pytest_asyncio.fixture
async def ws() -> AsyncIterator[Workspace]:
    workspace = Workspace(WorkspaceConfig(seed=demo_seed()))
    await workspace.start()
    yield workspace
    await workspace.stop()


def _settings(ws: Workspace, folder: Path, stripe: Sandbox) -> Settings:
    money: dict[str, Any] = {"stripe_api_key": stripe.key, "stripe_api_url": stripe.url, "identity_rule": "email"}
    return settings_for(ws, folder, **money)


@asynccontextmanager
async def bot_with(ws: Workspace, folder: Path, refund: str) -> AsyncIterator[Stage]:
    """The bot, as long as Ana's refund is like that."""
    async with Sandbox(parse(STORY % refund)) as stripe, running(_settings(ws, folder, stripe)) as bot:
        yield Stage(ws, bot, stripe=stripe)


@asynccontextmanager
async def upgraded_bot(ws: Workspace, folder: Path, refund: str, source: Path) -> AsyncIterator[None]:
    """The same as a process of its own, whose source is that of a later version."""
    async with Sandbox(parse(STORY % refund)) as stripe:
        more = {"STRIPE_API_KEY": stripe.key, "STRIPE_API_URL": stripe.url, "IDENTITY_RULE": "email"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run"),
            env=environment(ws, folder, **more) | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(60):
                while READY not in (line := await process.stdout.readline()):
                    assert line, "the upgraded bot ended"
            yield
        finally:
            process.kill()
            await process.communicate()


def upgrade(source: Path) -> Path:
    """A later version: another workflow, and another way of looking."""
    source.mkdir()
    shutil.copytree(ROOT / "bot", source / "bot", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("handlers", "integrations", "knowledge"):
        os.symlink(ROOT / name, source / name)
    for module, line in (
        ("bot/workflows.py", "            if self._worker is None:\n"),
        ("bot/services/refund_news.py", "        news = await self._due(subject)\n"),
    ):
        path = source / module
        old = path.read_text()
        indent = line[: len(line) - len(line.lstrip())]
        new = old.replace(line, f"{indent}upgraded = True\n{line}", 1)
        assert new != old
        path.write_text(new)
    return source


async def falls_due(ws: Workspace, folder: Path, **changes: Any) -> None:
    """While no bot runs, the next look falls due."""
    async with Sandbox(parse(STORY % PENDING)) as stripe:
        settings = _settings(ws, folder, stripe)
    async with open_stores(settings, SystemClock()) as stores:
        news = await SqlNews(stores.engine).of_refund(ws.team_id, ANA, REFUND)
        assert news is not None
        due = replace(news, due_at=datetime.now(UTC) - timedelta(hours=3), **changes)
        await stores.cases.apply(Changes(news=due))


async def asks_for_news(stage: Stage) -> str:
    """Ana asks where her refund is, and to be told of it. Her direct conversation."""
    channel = await stage.dm(ANA)
    answer = await stage.ask(ANA, ASK)
    assert AMOUNT in str(answer["blocks"])
    await stage.ws.click(ANA, channel, answer["ts"], buttons.NEWS)
    confirmed = await stage.reply(channel, answer["ts"])
    assert "twice a day" in str(confirmed["blocks"])
    await stage.settled()
    return channel


async def told(ws: Workspace, channel: str, words: str) -> dict[str, Any]:
    """The bot's message with these words."""

    def found(_: Workspace) -> dict[str, Any] | None:
        return next((one for one in _said(ws, channel) if words in str(one)), None)

    message = await ws.wait_for(found, timeout=PATIENCE)
    assert message is not None
    return message


def _said(ws: Workspace, channel: str) -> list[dict[str, Any]]:
    return [one for one in ws.messages(channel) if one.get("user") == ws.bot_user_id]


async def test_news_that_came_while_nothing_ran_are_told_once_by_an_upgraded_bot(ws: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with bot_with(ws, folder, PENDING) as stage:
        channel = await asks_for_news(stage)
    await falls_due(ws, folder)

    async with upgraded_bot(ws, folder, FAILED, upgrade(tmp_path / "upgraded")):
        message = await told(ws, channel, "it failed")
    assert AMOUNT in str(message)
    assert buttons.SPECIALIST in str(message)

    async with bot_with(ws, folder, FAILED) as stage:
        await stage.settled()
        assert await SqlNews(stage.bot.stores.engine).of_person(ws.team_id, ANA) == ()
    assert sum("it failed" in str(one) for one in _said(ws, channel)) == 1


async def test_no_it_has_not_arrived_calls_a_person(ws: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with bot_with(ws, folder, PENDING) as stage:
        channel = await asks_for_news(stage)
    await falls_due(ws, folder, told=Told(RefundState.SUCCEEDED))

    async with bot_with(ws, folder, OVER) as stage:
        question = await told(ws, channel, "Has it arrived?")
        await ws.click(ANA, channel, question["ts"], buttons.NOT_ARRIVED)
        card = await stage.card_of(ANA)
        await stage.settled()
        assert "My refund has not arrived" in str(card)
        assert "refund has not arrived" in str(card)
        (case,) = await stage.bot.stores.cases.open_cases(ANA)
        *_, answer = await stage.bot.stores.cases.lines(case.id)
        assert any("250.00 EUR" in fact for fact in answer.facts)
        assert await SqlNews(stage.bot.stores.engine).of_person(ws.team_id, ANA) == ()


@pytest.mark.parametrize("where", ["home", "reply"])
async def test_it_is_shown_on_the_home_tab_and_can_be_stopped(ws: Workspace, tmp_path: Path, where: str) -> None:
    async with bot_with(ws, tmp_path / "data", PENDING) as stage:
        channel = await asks_for_news(stage)
        await ws.open_home(ANA)
        shown = await ws.wait_for(lambda _: _stops(ws), timeout=PATIENCE)
        assert shown
        assert AMOUNT in str(ws.home(ANA))
        if where == "home":
            view = ws.home(ANA)
            assert view is not None
            await ws.click_view(ANA, view["id"], shown[0])
            await ws.wait_for(lambda _: not _stops(ws), timeout=PATIENCE)
        else:
            await ws.click(ANA, channel, _said(ws, channel)[-1]["ts"], buttons.NEWS_STOP)
        await stage.settled()
        assert await SqlNews(stage.bot.stores.engine).of_person(ws.team_id, ANA) == ()


def _stops(ws: Workspace) -> list[str]:
    """The action ids of the Home tab's Stop buttons."""
    blocks = (ws.home(ANA) or {}).get("blocks", [])
    elements = [one for block in blocks for one in block.get("elements", []) if "action_id" in one]
    return [one["action_id"] for one in elements if one["action_id"].startswith(buttons.NEWS_STOP)]
