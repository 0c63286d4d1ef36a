"""Real databases for the stores' contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage import database, tables


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> URL:
    """A database of this version's shape, on each kind."""
    if request.param == "sqlite":
        made = database.app_url(None, tmp_path_factory.mktemp("stores"))
    else:
        made = database.app_url(request.getfixturevalue("new_postgres")(), Path())
    database.migrate(made)
    return made


@pytest_asyncio.fixture
async def sql(url: URL) -> AsyncIterator[AsyncEngine]:
    """The same database, emptied."""
    engine = database.connect(url)
    async with engine.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            await connection.execute(table.delete())
    yield engine
    await engine.dispose()
