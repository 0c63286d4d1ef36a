"""Small things that outlive a process: what still waits, cursors, memories."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from bot.domain.incoming import CONVERSATIONAL
from bot.domain.replies import Address
from bot.ports import Pending, WakeKind
from bot.storage.inbox import inserted
from bot.storage.news import open_news, pending_of
from bot.storage.tables import CaseTable, CursorTable, InboxTable, MemoryTable, OutboxTable, RefundNewsTable, WatchTable

CURSORS = CursorTable.__table__  # type: ignore[attr-defined]  # SQLModel adds it
MEMORY = MemoryTable.__table__  # type: ignore[attr-defined]


class SqlBooks:
    """Implements `bot.ports.Books`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def pending(self) -> tuple[Pending, ...]:
        conversational = {str(kind) for kind in CONVERSATIONAL}
        inbox = (
            select(col(InboxTable.key), col(InboxTable.lane), col(InboxTable.kind))
            .where(col(InboxTable.processed_at).is_(None))
            .order_by(col(InboxTable.ts))
        )
        outbox = (
            select(col(OutboxTable.mark), col(OutboxTable.lane))
            .where(col(OutboxTable.status) == "pending")
            .order_by(col(OutboxTable.id))
        )
        watches = select(col(WatchTable.id), col(WatchTable.lane)).where(col(WatchTable.done).is_(False))
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            events = (await connection.execute(inbox)).all()
            # In the order in which one makes the other, so that nothing slips through between two reads.
            timers = (await connection.execute(watches)).all()
            posts = (await connection.execute(outbox)).all()
        return (
            *(
                Pending(WakeKind.TURN if kind in conversational else WakeKind.ACT, key, lane)
                for key, lane, kind in events
            ),
            *(Pending(WakeKind.DELIVER, mark, lane) for mark, lane in posts),
            *(Pending(WakeKind.WATCH, watch_id, lane) for watch_id, lane in timers),
        )

    async def news_before(self, until: datetime) -> tuple[Pending, ...]:
        due = await open_news(self._engine, col(RefundNewsTable.due_at) < until)
        return tuple(map(pending_of, due))

    async def cursors(self) -> Mapping[str, str]:
        rows = await self._all(select(col(CursorTable.channel), col(CursorTable.ts)))
        return {str(channel): str(ts) for channel, ts in rows}

    async def set_cursor(self, team: str, channel: str, ts: str) -> None:
        this = col(CursorTable.team) == team, col(CursorTable.channel) == channel
        async with self._engine.begin() as connection:
            if not await inserted(connection, CURSORS, {"team": team, "channel": channel, "ts": ts}):
                await connection.execute(update(CursorTable).where(*this, col(CursorTable.ts) < ts).values(ts=ts))

    async def live_threads(self, since_ts: str) -> tuple[Address, ...]:
        statement = select(col(CaseTable.team), col(CaseTable.channel), col(CaseTable.thread_ts)).where(
            col(CaseTable.last_ts) > since_ts, col(CaseTable.thread_ts).is_not(None)
        )
        return tuple(Address(*row) for row in set(await self._all(statement)))

    async def remember(self, name: str, value: str) -> None:
        async with self._engine.begin() as connection:
            if not await inserted(connection, MEMORY, {"name": name, "value": value}):
                this = col(MemoryTable.name) == name
                await connection.execute(update(MemoryTable).where(this).values(value=value))

    async def recall(self, name: str) -> str | None:
        rows = await self._all(select(col(MemoryTable.value)).where(col(MemoryTable.name) == name))
        return rows[0][0] if rows else None

    async def ping(self) -> None:
        await self._all(select(text("1")))

    async def _all(self, statement: Any) -> list[Any]:
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            return list((await connection.execute(statement)).all())
