"""One running bot per module and database: starting one takes seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.scenarios.stage import Stage, open_stage


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A bot in a workspace, on each database. Scenarios use people of their own (`stage.newcomer()`)."""
    url = request.getfixturevalue("new_postgres")() if request.param == "postgres" else None
    folder: Path = tmp_path_factory.mktemp("data")
    async with open_stage(folder, database_url=url) as opened:
        yield opened
