"""What the command line's tests share."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.app import SystemClock, open_knowledge, open_stores
from bot.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]


def settings_in(data_dir: Path, **changes: Any) -> Settings:
    """Settings of a command on this DATA_DIR."""
    return load_settings({"data_dir": data_dir, **changes}, env_file=None)


def tree(folder: Path) -> dict[str, str]:
    """Every file of a folder with its content's hash; empty when there is no folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def command(*arguments: str) -> list[str]:
    """The real command line."""
    return [sys.executable, "-m", "bot", *arguments]


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """A child's environment: run it in a folder without .env."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "DATA_DIR": str(data_dir), **more}


@pytest.fixture
def said() -> list[str]:
    """The lines that a command says, when its `say` is `said.append`."""
    return []


@pytest.fixture(scope="session")
def _started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("started") / "data"
    folder.mkdir()

    async def start() -> None:
        async with open_stores(settings_in(folder), SystemClock()) as stores:
            (await open_knowledge(stores)).close()

    asyncio.run(start())
    return folder


@pytest.fixture
def started(_started: Path, tmp_path: Path) -> Path:
    """A DATA_DIR as a first start leaves it: the shipped articles published, their vectors kept."""
    return Path(shutil.copytree(_started, tmp_path / "data"))


@pytest.fixture
def articles_folder(tmp_path: Path) -> Path:
    """A copy of the shipped articles, to be changed."""
    return Path(shutil.copytree(ROOT / "knowledge" / "articles", tmp_path / "articles"))
