"""The inbox: every event, stored before it is acknowledged."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from bot.domain.incoming import CONVERSATIONAL, Attachment, Click, Incoming, Kind, Place, Source
from bot.domain.redaction import Finding
from bot.ports import Clock, InboxRow
from bot.storage import codec
from bot.storage.tables import InboxTable

INBOX = InboxTable.__table__  # type: ignore[attr-defined]  # SQLModel adds it


def insert_ignoring(connection: AsyncConnection, table: Any) -> Any:
    """An INSERT that leaves an existing row as it is, in the database's own dialect."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()


async def inserted(connection: AsyncConnection, table: Any, values: dict[str, Any]) -> bool:
    """Insert a row; False when there is one already. By RETURNING: Postgres' driver counts no rows here."""
    key = next(iter(table.primary_key))
    return (
        await connection.execute(insert_ignoring(connection, table).values(**values).returning(key))
    ).first() is not None


class SqlInbox:
    """Implements `bot.ports.Inbox`."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def insert(self, incoming: Incoming) -> bool:
        async with self._engine.begin() as connection:
            return await inserted(connection, INBOX, _columns(incoming) | {"received_at": self._clock.now()})

    async def next(self, lane: str) -> InboxRow | None:
        return await self._one(
            select(INBOX)
            .where(
                col(InboxTable.lane) == lane,
                col(InboxTable.processed_at).is_(None),
                col(InboxTable.kind).in_([str(kind) for kind in CONVERSATIONAL]),
            )
            .order_by(col(InboxTable.ts), col(InboxTable.key))
            .limit(1)
        )

    async def get(self, key: str) -> InboxRow | None:
        return await self._one(select(INBOX).where(col(InboxTable.key) == key, col(InboxTable.processed_at).is_(None)))

    async def after(self, lane: str, ts: str) -> tuple[InboxRow, ...]:
        statement = (
            select(INBOX)
            .where(
                col(InboxTable.lane) == lane,
                col(InboxTable.processed_at).is_(None),
                col(InboxTable.kind) == str(Kind.MESSAGE),
                col(InboxTable.ts) > ts,
            )
            .order_by(col(InboxTable.ts))
            .limit(10)
        )
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            rows = (await connection.execute(statement)).mappings()
            return tuple(InboxRow(_incoming(row), row["attempts"]) for row in rows)

    async def stored(self, key: str) -> Incoming | None:
        row = await self._one(select(INBOX).where(col(InboxTable.key) == key))
        return row.incoming if row is not None else None

    async def amendments(self, lane: str, target_ts: str) -> tuple[Incoming, ...]:
        return await self._about(target_ts, col(InboxTable.lane) == lane, col(InboxTable.processed_at).is_(None))

    async def amended_before(self, channel: str, target_ts: str) -> tuple[Incoming, ...]:
        return await self._about(
            target_ts, col(InboxTable.channel) == channel, col(InboxTable.processed_at).is_not(None)
        )

    async def _about(self, target_ts: str, *conditions: Any) -> tuple[Incoming, ...]:
        statement = (
            select(INBOX)
            .where(
                col(InboxTable.target_ts) == target_ts,
                col(InboxTable.kind).in_([str(Kind.EDIT), str(Kind.DELETE)]),
                *conditions,
            )
            .order_by(col(InboxTable.ts))
        )
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            return tuple(_incoming(row) for row in (await connection.execute(statement)).mappings())

    async def dm_of(self, team: str, user: str) -> str | None:
        statement = (
            select(col(InboxTable.channel))
            .where(
                col(InboxTable.team) == team,
                col(InboxTable.user) == user,
                col(InboxTable.place) == str(Place.DM),
                # A click on Home is kept under the person's own id: that is no conversation.
                col(InboxTable.channel).startswith("D"),
            )
            .order_by(col(InboxTable.ts).desc())
            .limit(1)
        )
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            return (await connection.execute(statement)).scalar_one_or_none()

    async def note_failure(self, key: str) -> int:
        statement = (
            update(INBOX)
            .where(col(InboxTable.key) == key)
            .values(attempts=InboxTable.attempts + 1)
            .returning(col(InboxTable.attempts))
        )
        async with self._engine.begin() as connection:
            return int((await connection.execute(statement)).scalar_one())

    async def _one(self, statement: Any) -> InboxRow | None:
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            row = (await connection.execute(statement)).mappings().first()
        return None if row is None else InboxRow(_incoming(row), row["attempts"])


def _columns(incoming: Incoming) -> dict[str, Any]:
    return {
        "key": incoming.key,
        "lane": incoming.lane,
        "team": incoming.team,
        "channel": incoming.channel,
        "place": str(incoming.place),
        "user": incoming.user,
        "kind": str(incoming.kind),
        "ts": incoming.ts,
        "thread_ts": incoming.thread_ts,
        "target_ts": incoming.target_ts,
        "text": incoming.text,
        "mention": incoming.mention,
        "found": sorted(str(finding) for finding in incoming.found),
        "files": codec.to_json(incoming.files, tuple[Attachment, ...]),
        "click": codec.to_json(incoming.click, Click | None),
        "source": str(incoming.source),
        "attempts": 0,
    }


def _incoming(row: Any) -> Incoming:
    return Incoming(
        team=row["team"],
        channel=row["channel"],
        place=Place(row["place"]),
        user=row["user"],
        kind=Kind(row["kind"]),
        ts=row["ts"],
        thread_ts=row["thread_ts"],
        target_ts=row["target_ts"],
        text=row["text"],
        mention=row["mention"],
        found=frozenset(Finding(name) for name in row["found"]),
        files=codec.from_json(row["files"], tuple[Attachment, ...]),
        click=None if row["click"] is None else codec.from_json(row["click"], Click),
        source=Source(row["source"]),
    )
