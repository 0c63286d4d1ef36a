"""`audit verify|export`."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.audit import COLUMNS, export, verify
from bot.domain.audit import AuditRow, Entry, first_broken
from bot.errors import UsageError
from bot.settings import Settings
from bot.storage import database
from bot.storage.audit import SqlAudit
from bot.storage.reading import reading
from tests.cli.conftest import command, environment, settings_in, tree

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MORE_THAN_A_BATCH = 501


def entry(number: int) -> Entry:
    return Entry(AT, "T1:U1ANA", "T1:U1ANA", "link", "refunds", (f"re_{number}", "re_0"), 2, "found", number)


@asynccontextmanager
async def writing(settings: Settings) -> AsyncIterator[SqlAudit]:
    """The log as a bot has it."""
    url = database.app_url(settings.database_url, settings.data_dir)
    await asyncio.to_thread(database.migrate, url)
    engine = database.connect(url)
    try:
        yield SqlAudit(engine)
    finally:
        await engine.dispose()


async def filled(settings: Settings, rows: int) -> Settings:
    """With so many rows in its log."""
    async with writing(settings) as log:
        for number in range(1, rows + 1):
            await log.add(entry(number))
    return settings


def alter(data_dir: Path, statement: str, *values: str) -> None:
    """Something that is done behind our back."""
    with closing(sqlite3.connect(data_dir / "handrail.db")) as connection, connection:
        connection.execute(statement, values)


@pytest.fixture
async def kept(tmp_path: Path) -> Settings:
    """A database with three rows in its log."""
    (tmp_path / "data").mkdir()
    return await filled(settings_in(tmp_path / "data"), 3)


# ---- verify ----------------------------------------------------------------------------------------------------


async def test_a_log_that_nobody_touched(kept: Settings, said: list[str]) -> None:
    before = tree(kept.data_dir)
    assert await verify(kept, said.append) == 0
    assert said == ["3 rows, nothing altered."]
    assert tree(kept.data_dir) == before


@pytest.mark.parametrize(("rows", "line"), [(0, "0 rows, nothing altered."), (1, "1 row, nothing altered.")])
async def test_a_log_of_few_rows(tmp_path: Path, said: list[str], rows: int, line: str) -> None:
    assert await verify(await filled(settings_in(tmp_path), rows), said.append) == 0
    assert said == [line]


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("UPDATE audit SET who = 'U0EVE' WHERE number = 2", 2),
        ("UPDATE audit SET count = 'several' WHERE number = 1", 1),
        ("UPDATE audit SET hash = 'none' WHERE number = 3", 3),
        ("UPDATE audit SET number = 9 WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 3", 3),
        ("DELETE FROM audit", 1),
        ("DELETE FROM memory", 1),
    ],
)
async def test_the_first_row_that_does_not_fit_is_named(
    kept: Settings, said: list[str], statement: str, row: int
) -> None:
    alter(kept.data_dir, statement)
    assert await verify(kept, said.append) == 1
    assert len(said) == 1
    assert said[0].startswith(f"Row {row} is altered, missing or out of place")
    assert (f"Rows 1 to {row - 1} " in said[0]) == (row > 1)


async def test_one_moment_is_read_beside_a_bot_that_writes(tmp_path: Path) -> None:
    settings = await filled(settings_in(tmp_path), MORE_THAN_A_BATCH - 1)
    async with writing(settings) as bots:
        await bots.add(entry(0))
        async with reading(None, tmp_path) as engine:
            assert engine is not None
            await _read_while_written(SqlAudit(engine), bots)


async def _read_while_written(log: SqlAudit, bots: SqlAudit) -> None:
    rows = log.rows()
    seen = [await anext(rows)]
    await bots.add(entry(0))
    seen += [row async for row in rows]
    assert len(seen) == MORE_THAN_A_BATCH
    assert await log.verify() is None
    assert len([row async for row in log.rows()]) == MORE_THAN_A_BATCH + 1


async def test_a_log_on_postgres(tmp_path: Path, postgres_url: str, said: list[str]) -> None:
    settings = await filled(settings_in(tmp_path / "none", database_url=postgres_url), 2)
    assert await verify(settings, said.append) == 0
    engine = database.connect(database.app_url(postgres_url, tmp_path))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE audit SET outcome = 'none' WHERE number = 2"))
    await engine.dispose()
    assert await verify(settings, said.append) == 1
    assert said[0] == "2 rows, nothing altered."
    assert said[1].startswith("Row 2 is altered")


# ---- export ----------------------------------------------------------------------------------------------------


async def test_csv_holds_every_column_of_every_row(kept: Settings) -> None:
    written = io.StringIO()
    assert await export(kept, written) == 0
    header, *rows = csv.reader(written.getvalue().splitlines())
    assert tuple(header) == COLUMNS
    assert [row[0] for row in rows] == ["1", "2", "3"]
    first = dict(zip(header, rows[0], strict=True))
    assert first["at"] == "2026-03-02T09:00:00.000000+00:00"
    assert first["objects"] == '["re_1", "re_0"]'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
async def test_no_cell_begins_a_formula(kept: Settings, start: str) -> None:
    alter(kept.data_dir, "UPDATE audit SET outcome = ? WHERE number = 1", f'{start}1+1,"x"')
    written = io.StringIO()
    await export(kept, written)
    rows = list(csv.DictReader(io.StringIO(written.getvalue(), newline="")))
    assert rows[0]["outcome"] == f'\'{start}1+1,"x"'
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for row in rows for cell in row.values())


async def test_json_lines_hold_what_was_hashed(kept: Settings) -> None:
    written = io.StringIO()
    assert await export(kept, written, as_json=True) == 0
    rows = [AuditRow(**json.loads(line)) for line in written.getvalue().splitlines()]
    assert [row.number for row in rows] == [1, 2, 3]
    assert first_broken(rows) is None


async def test_a_value_of_another_type_is_written_too(kept: Settings) -> None:
    alter(kept.data_dir, "UPDATE audit SET kind = x'ff00' WHERE number = 2")
    for as_json in (True, False):
        written = io.StringIO()
        assert await export(kept, written, as_json=as_json) == 0
        assert "ff" in written.getvalue().splitlines()[1 if as_json else 2]


async def test_export_changes_nothing(kept: Settings) -> None:
    before = tree(kept.data_dir)
    await export(kept, io.StringIO())
    assert tree(kept.data_dir) == before


# ---- where there is no log -------------------------------------------------------------------------------------


async def test_no_database(tmp_path: Path, said: list[str]) -> None:
    for data_dir in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError, match=r"There is no database in .*DATA_DIR"):
            await verify(settings_in(data_dir), said.append)
        with pytest.raises(UsageError, match="There is no database"):
            await export(settings_in(data_dir), io.StringIO())
    assert said == []
    assert tree(tmp_path) == {}


@pytest.mark.parametrize(
    ("statement", "meaning"),
    [
        ("UPDATE alembic_version SET version_num = '0002'", "older shape"),
        ("UPDATE alembic_version SET version_num = '9999'", "newer Handrail"),
        ("DELETE FROM alembic_version", "no tables"),
    ],
)
async def test_another_shape(kept: Settings, said: list[str], statement: str, meaning: str) -> None:
    alter(kept.data_dir, statement)
    with pytest.raises(UsageError, match=meaning):
        await verify(kept, said.append)
    written = io.StringIO()
    with pytest.raises(UsageError, match=meaning):
        await export(kept, written)
    assert written.getvalue() == ""


async def test_a_damaged_database(kept: Settings, said: list[str]) -> None:
    (kept.data_dir / "handrail.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(UsageError, match="cannot be read"):
        await verify(kept, said.append)


# ---- the command -----------------------------------------------------------------------------------------------


def run(folder: Path, data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("audit", *arguments),
        cwd=folder,
        env=environment(data_dir),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_commands_statuses_and_streams(kept: Settings, tmp_path: Path) -> None:
    exported = run(tmp_path, kept.data_dir, "export", "--json")
    assert (exported.returncode, exported.stderr, len(exported.stdout.splitlines())) == (0, "", 3)
    alter(kept.data_dir, "DELETE FROM audit WHERE number = 1")
    broken = run(tmp_path, kept.data_dir, "verify")
    assert (broken.returncode, broken.stderr) == (1, "")
    assert broken.stdout.startswith("Row 1 is altered, missing or out of place")
    nowhere = run(tmp_path, tmp_path / "nowhere", "verify")
    assert (nowhere.returncode, nowhere.stdout) == (2, "")
    assert nowhere.stderr.startswith("handrail: There is no database in ")


async def test_a_reader_that_goes_away_is_no_fault(kept: Settings, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    child = await asyncio.create_subprocess_exec(
        *command("audit", "export"),
        cwd=tmp_path,
        env=environment(kept.data_dir),
        stdout=writer,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(writer)
    _, complaints = await child.communicate()
    assert (child.returncode, complaints) == (141, b"")
