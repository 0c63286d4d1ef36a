"""`audit verify|export`: the audit log, read beside a running bot and never written."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Final, TextIO

from bot.domain.audit import AuditRow
from bot.errors import UsageError
from bot.storage.reading import Schema, reading, schema_in

if TYPE_CHECKING:
    from bot.ports import Audit
    from bot.settings import Settings

Say = Callable[[str], None]

COLUMNS: Final = tuple(field.name for field in fields(AuditRow))

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet may take for the beginning of a formula."""

_NO_LOG = {
    Schema.NONE: "There is no audit log in this database: it has no tables. Check DATABASE_URL and DATA_DIR.",
    Schema.OLDER: "This database is of an older shape. Start the bot once, which brings it up to date, and try again.",
    Schema.NEWER: "This database was made by a newer Handrail. Run that version's `audit`.",
}


async def verify(settings: Settings, say: Say) -> int:
    """Say whether the chain holds. 1 when a row is altered, missing or out of place. Raises UsageError."""
    async with _opened(settings) as log:
        rows = 0  # counted first: what is written meanwhile is verified too, so no row is counted that was not
        async for _ in log.rows():
            rows += 1
        broken = await log.verify()
    if broken is None:
        say(f"{rows} {'row' if rows == 1 else 'rows'}, nothing altered.")
        return 0
    before = f"Rows 1 to {broken - 1} are as they were written." if broken > 1 else "No row before it can vouch for it."
    say(f"Row {broken} is altered, missing or out of place: nothing from there on can be relied on. {before}")
    return 1


async def export(settings: Settings, stream: TextIO, *, as_json: bool = False) -> int:
    """Write all rows as CSV, or as JSON with one object a line: values as they were hashed. Raises UsageError."""
    async with _opened(settings) as log:
        table = csv.writer(stream, lineterminator="\n")
        if not as_json:
            table.writerow(COLUMNS)
        async for row in log.rows():
            if as_json:
                # What somebody put into a column in our place may be of any type.
                stream.write(json.dumps(asdict(row), default=repr) + "\n")
            else:
                table.writerow(_cell(getattr(row, name)) for name in COLUMNS)
    stream.flush()
    return 0


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Audit]:
    """The log of a database that is only read. Raises UsageError when there is none."""
    async with reading(settings.database_url, settings.data_dir) as engine:
        if engine is None:
            raise UsageError(
                f"There is no database in {settings.data_dir}, so there is no audit log. Check DATABASE_URL and "
                "DATA_DIR; the first start makes it."
            )
        schema = await schema_in(engine)
        if schema is not Schema.CURRENT:
            raise UsageError(_NO_LOG[schema])
        from bot.storage.audit import SqlAudit

        yield SqlAudit(engine)


def _cell(value: object) -> str:
    """A value as text that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
