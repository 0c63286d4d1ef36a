"""The outbox: everything to be done in Slack, until it is settled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from bot.domain.outbox import OutboxRow, Post
from bot.domain.replies import Address
from bot.ports import Begun, Clock, Forbidden, Pending
from bot.storage import codec
from bot.storage.changes import add_post
from bot.storage.tables import CaseTable, HandoffTable, LineTable, OutboxTable

OUTBOX = OutboxTable.__table__  # type: ignore[attr-defined]  # SQLModel adds it


class SqlOutbox:
    """Implements `bot.ports.Outbox`."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def next(self, lane: str) -> OutboxRow | None:
        statement = (
            select(OUTBOX)
            .where(col(OutboxTable.lane) == lane, col(OutboxTable.status) == "pending")
            .order_by(col(OutboxTable.id))
            .limit(1)
        )
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            row = (await connection.execute(statement)).mappings().first()
        return None if row is None else _row(row)

    async def begin(self, row_id: int) -> Begun | Forbidden | None:
        owned = exists().where(col(CaseTable.id) == col(OutboxTable.case_id), col(CaseTable.owner).is_not(None))
        pending = col(OutboxTable.id) == row_id, col(OutboxTable.status) == "pending"
        begin = (
            update(OutboxTable)
            # Withdrawn by a claim: not sent again even when that claim has ended by now.
            .where(
                *pending, or_(col(OutboxTable.voice).is_(False), and_(~owned, col(OutboxTable.withdrawn).is_(False)))
            )
            .values(attempt=OutboxTable.attempt + 1)
            .returning(col(OutboxTable.attempt))
        )
        # A claim that is being committed is waited for, and the other way round (SQLite writes one at a time anyway).
        of_case = select(col(OutboxTable.case_id)).where(*pending, col(OutboxTable.voice).is_(True)).scalar_subquery()
        held = select(col(CaseTable.id)).where(col(CaseTable.id) == of_case).with_for_update(read=True)
        async with self._engine.begin() as connection:
            await connection.execute(held)
            attempt = (await connection.execute(begin)).scalar_one_or_none()
            if attempt is not None:
                return Begun(attempt)
            before = (await connection.execute(select(col(OutboxTable.attempt)).where(*pending))).scalar_one_or_none()
        return None if before is None else Forbidden(before)

    async def sent(self, row_id: int, ts: str | None) -> None:
        async with self._engine.begin() as connection:
            row = await self._settle(connection, row_id, "sent", ts=ts)
            if row is None or ts is None:
                return
            if row["line_id"] is not None:
                line = col(LineTable.id) == row["line_id"]
                await connection.execute(update(LineTable).where(line).values(ts=ts))
            if row["deed"]["do"] == "ShowCard":
                card = col(HandoffTable.id) == row["deed"]["handoff"]
                await connection.execute(
                    update(HandoffTable).where(card).values(card_channel=row["channel"], card_ts=ts)
                )

    async def cancelled(self, row_id: int) -> None:
        async with self._engine.begin() as connection:
            await self._settle(connection, row_id, "cancelled")

    async def deferred(self, row_id: int, code: str, until: datetime) -> None:
        pending = col(OutboxTable.id) == row_id, col(OutboxTable.status) == "pending"
        async with self._engine.begin() as connection:
            await connection.execute(update(OutboxTable).where(*pending).values(error=code, not_before=until))

    async def refused(self, row_id: int, code: str, report: Post | None) -> tuple[Pending, ...]:
        async with self._engine.begin() as connection:
            row = await self._settle(connection, row_id, "refused", error=code)
            if row is None or report is None:
                return ()
            return (await add_post(connection, self._clock, report),)

    async def in_flight(self, case_id: str) -> bool:
        begun = (
            col(OutboxTable.case_id) == case_id,
            col(OutboxTable.voice).is_(True),
            col(OutboxTable.status) == "pending",
            col(OutboxTable.attempt) > 0,
        )
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            return bool((await connection.execute(select(exists().where(*begun)))).scalar_one())

    async def _settle(self, connection: AsyncConnection, row_id: int, status: str, **values: Any) -> Any:
        """The row, if it was pending until now."""
        statement = (
            update(OutboxTable)
            .where(col(OutboxTable.id) == row_id, col(OutboxTable.status) == "pending")
            .values(status=status, settled_at=self._clock.now(), **values)
            .returning(OUTBOX)
        )
        result: CursorResult[Any] = await connection.execute(statement)
        row = result.mappings().first()
        if row is not None and row["line_id"] is not None and status != "sent":
            # The transcript shows what was said, and this was not.
            unsaid = col(LineTable.id) == row["line_id"]
            await connection.execute(update(LineTable).where(unsaid).values(deleted=True))
        return row


def _row(row: Any) -> OutboxRow:
    return OutboxRow(
        id=row["id"],
        mark=row["mark"],
        lane=row["lane"],
        to=Address(row["team"], row["channel"], row["thread_ts"]),
        deed=codec.deed_from_json(row["deed"]),
        case=row["case_id"],
        voice=row["voice"],
        attempt=row["attempt"],
        internal_of=row["internal_of"],
        created_at=row["created_at"],
        not_before=row["not_before"],
    )
