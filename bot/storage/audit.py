"""The audit log: rows chained by their hashes, and beside them where the chain ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from bot.domain.audit import AuditRow, Entry, Head, chained, ended_at, follow
from bot.storage.inbox import insert_ignoring
from bot.storage.tables import AuditTable, MemoryTable

AUDIT = AuditTable.__table__  # type: ignore[attr-defined]  # SQLModel adds it
HEAD = "audit.head"
"""The name under which the end of the chain is remembered. Its row is also what writers wait for."""

_BATCH = 500
_KEPT_HEAD = select(col(MemoryTable.value)).where(col(MemoryTable.name) == HEAD)


class SqlAudit:
    """Implements `bot.ports.Audit`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, entry: Entry) -> None:
        async with self._engine.begin() as connection:
            await append(connection, entry)

    async def rows(self) -> AsyncIterator[AuditRow]:
        async with self._snapshot() as connection:
            async for row in _rows(connection):
                yield row

    async def verify(self) -> int | None:
        async with self._snapshot() as connection:
            end = _head((await connection.execute(_KEPT_HEAD)).scalar_one_or_none())
            head = Head()
            async for row in _rows(connection):
                after = follow(head, row)
                if after is None:
                    return head.number + 1
                head = after
        return ended_at(head, end)

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[AsyncConnection]:
        """One moment of the database, whatever is written meanwhile."""
        async with self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ")
            else:
                await connection.execution_options(read_only=True)
            yield connection


async def hold(connection: AsyncConnection) -> Head:
    """Make other writers of the log wait until this unit of work ends; returns where the chain ends.

    SQLite writes one at a time anyway.
    """
    held = _KEPT_HEAD.with_for_update()
    kept = (await connection.execute(held)).scalar_one_or_none()
    if kept is None:
        await connection.execute(insert_ignoring(connection, MemoryTable).values(name=HEAD, value=_written(Head())))
        kept = (await connection.execute(held)).scalar_one()
    # Whatever was done to one of the two places, the next row is written, and `verify` finds what is missing.
    newest = select(col(AuditTable.number), col(AuditTable.hash)).order_by(col(AuditTable.number).desc()).limit(1)
    last = (await connection.execute(newest)).first()
    ends = (_head(kept), Head() if last is None else Head(last[0], last[1]))
    return max(ends, key=lambda head: head.number)


async def append(connection: AsyncConnection, entry: Entry) -> None:
    """Add one row inside a unit of work. Its last step at best: other writers wait from here."""
    row = chained(entry, await hold(connection))
    await connection.execute(insert(AuditTable).values(**asdict(row)))
    end = _written(Head(row.number, row.hash))
    await connection.execute(update(MemoryTable).where(col(MemoryTable.name) == HEAD).values(value=end))


async def _rows(connection: AsyncConnection) -> AsyncIterator[AuditRow]:
    statement = select(AUDIT).order_by(col(AuditTable.number)).limit(_BATCH)
    batch: Any = (await connection.execute(statement)).mappings().all()
    while batch:
        for row in batch:
            yield AuditRow(**row)
        after = col(AuditTable.number) > batch[-1]["number"]
        batch = (await connection.execute(statement.where(after))).mappings().all()


def _written(head: Head) -> str:
    return f"{head.number} {head.hash}"


def _head(kept: str | None) -> Head:
    """What `_written` wrote; the start of the chain when it is not that."""
    number, _, digest = (kept or "").partition(" ")
    return Head(int(number), digest) if number.isdecimal() and digest else Head()
