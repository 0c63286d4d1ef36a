"""New publications go live in every process, whole: no answer mixes two of them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from bot.domain.articles import Article
from bot.storage import database
from bot.storage.articles import SqlArticles
from tests.fakes.clock import FakeClock
from tests.fakes.engine import article

ROOT = Path(__file__).resolve().parents[2]
PUBLICATIONS = 4
SOON = 60.0

PHRASINGS = {
    "unicorn": ("how do I feed the unicorn", "what does a unicorn eat", "unicorn food", "feeding time of the unicorn"),
    "dragon": ("can the dragon fly", "is the dragon able to fly", "dragon flying", "does a dragon use its wings"),
    "troll": ("where does the troll live", "troll bridge address", "home of the troll", "in which cave is the troll"),
}


def articles(version: int) -> list[Article]:
    """All articles say which publication they are of."""
    return [
        replace(
            article(name, answer=f"About the {name}, as of version {version}."),
            questions=(*phrasings, *(f"{phrasing} please" for phrasing in phrasings)),
        )
        for name, phrasings in PHRASINGS.items()
    ]


async def answers(url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.replica", url,
        stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={"PATH": os.environ["PATH"]}, limit=2**20,
    )  # fmt: skip


async def read_until(process: asyncio.subprocess.Process, version: int, seen: list[dict[str, object]]) -> None:
    """Read answers until one is of that version."""
    assert process.stdout is not None
    async with asyncio.timeout(SOON):
        while line := await process.stdout.readline():
            seen.append(json.loads(line))
            if f"version {version}" in str(seen[-1]["text"]):
                return
    raise AssertionError("the process ended")


async def test_two_processes_swap_under_questions_without_a_mixed_answer(postgres_url: str) -> None:
    url = database.app_url(postgres_url, Path())
    await asyncio.to_thread(database.migrate, url)
    engine = database.connect(url)
    store = SqlArticles(engine, FakeClock())
    await store.publish(articles(1), author="test", note="")
    processes = [await answers(postgres_url) for _ in range(2)]
    seen: list[list[dict[str, object]]] = [[], []]
    try:
        for version in range(1, PUBLICATIONS + 1):
            if version > 1:
                await store.publish(articles(version), author="test", note="")
            await asyncio.gather(*(read_until(one, version, told) for one, told in zip(processes, seen, strict=True)))
    finally:
        for process in processes:
            process.kill()
            await process.wait()
        await engine.dispose()
    for told in seen:
        versions = [set(re.findall(r"version (\d)", str(one["text"]))) for one in told]
        cited = [{citation["revision"] for citation in one["citations"]} for one in told]  # type: ignore[attr-defined]
        assert {len(found) for found in versions} == {1}, "an answer mixed two publications"
        assert [{int(number) for number in found} for found in versions] == cited
        assert Counter(len(one["citations"]) for one in told)[2] > 0, "no answer had two parts"  # type: ignore[arg-type]
        order = [int(found.pop()) for found in versions]
        assert order == sorted(order), "a process went back to an older publication"
