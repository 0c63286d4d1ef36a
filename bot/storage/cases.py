"""Cases, transcripts and handoffs: reading. Writing is `bot.storage.changes`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from bot.domain.articles import Citation, Priority
from bot.domain.cases import HUMAN_HAS_IT, Case, Handoff, Reason, Status
from bot.domain.incoming import Place
from bot.domain.outbox import Changes, Watch
from bot.domain.redaction import Redacted
from bot.domain.replies import Choice, Line, Speaker
from bot.errors import NotFound
from bot.ports import Clock, Pending
from bot.storage import codec
from bot.storage.changes import apply_changes
from bot.storage.tables import CaseTable, HandoffTable, LineTable, WatchTable

CASES = CaseTable.__table__  # type: ignore[attr-defined]  # SQLModel adds it
LINES = LineTable.__table__  # type: ignore[attr-defined]
HANDOFFS = HandoffTable.__table__  # type: ignore[attr-defined]
WATCHES = WatchTable.__table__  # type: ignore[attr-defined]


class SqlCases:
    """Implements `bot.ports.Cases`."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def get(self, case_id: str) -> Case:
        rows = await self._read(select(CASES).where(col(CaseTable.id) == case_id))
        if not rows:
            raise NotFound("case", case_id)
        return _case(rows[0])

    async def in_conversation(self, conversation: str) -> tuple[Case, ...]:
        statement = select(CASES).where(col(CaseTable.conversation) == conversation).order_by(col(CaseTable.created_at))
        return tuple(_case(row) for row in await self._read(statement))

    async def latest_in_dm(self, team: str, channel: str) -> Case | None:
        rows = await self._read(
            select(CASES)
            .where(
                col(CaseTable.team) == team,
                col(CaseTable.channel) == channel,
                col(CaseTable.place) == str(Place.DM),
                col(CaseTable.thread_ts).is_(None),
            )
            # One that a person has goes before a newer one of the bot's: docs/decisions/0009.
            .order_by(col(CaseTable.status).in_([str(status) for status in HUMAN_HAS_IT]).desc())
            .order_by(col(CaseTable.last_ts).desc())
            .limit(1)
        )
        return _case(rows[0]) if rows else None

    async def by_message(self, channel: str, ts: str) -> Case | None:
        rows = await self._read(
            select(CASES)
            .join(LINES, col(LineTable.case_id) == col(CaseTable.id))
            .where(col(LineTable.channel) == channel, col(LineTable.ts) == ts)
            .limit(1)
        )
        return _case(rows[0]) if rows else None

    async def lines(self, case_id: str, *, newest: int | None = None) -> tuple[Line, ...]:
        statement = (
            select(LINES)
            .where(col(LineTable.case_id) == case_id, col(LineTable.deleted).is_(False))
            .order_by(col(LineTable.id).desc())
            .limit(newest)
        )
        return tuple(_line(row) for row in reversed(list(await self._read(statement))))

    async def handoff(self, handoff_id: str) -> Handoff:
        rows = await self._read(select(HANDOFFS).where(col(HandoffTable.id) == handoff_id))
        if not rows:
            raise NotFound("handoff", handoff_id)
        return _handoff(rows[0])

    async def open_handoff(self, case_id: str) -> Handoff | None:
        return await self._open_handoff(col(HandoffTable.case_id) == case_id)

    async def open_handoff_on(self, customer: str, topic: str, channel: str | None = None) -> Handoff | None:
        private_enough = (
            ()
            if channel is None
            else (or_(col(HandoffTable.channel) == channel, col(HandoffTable.channel).startswith("D")),)
        )
        return await self._open_handoff(
            col(HandoffTable.customer) == customer, col(HandoffTable.topic) == topic, *private_enough
        )

    async def _open_handoff(self, *conditions: Any) -> Handoff | None:
        statement = select(HANDOFFS).where(col(HandoffTable.closed_at).is_(None), *conditions).limit(1)
        rows = await self._read(statement)
        return _handoff(rows[0]) if rows else None

    async def open_cases(self, customer: str) -> tuple[Case, ...]:
        statement = (
            select(CASES)
            .where(
                col(CaseTable.customer) == customer, col(CaseTable.status).in_([str(status) for status in HUMAN_HAS_IT])
            )
            .order_by(col(CaseTable.last_ts).desc())
        )
        return tuple(_case(row) for row in await self._read(statement))

    async def watch(self, watch_id: str) -> Watch | None:
        rows = await self._read(select(WATCHES).where(col(WatchTable.id) == watch_id, col(WatchTable.done).is_(False)))
        if not rows:
            return None
        row = rows[0]
        return Watch(row["id"], row["case_id"], row["inbox_key"], row["lane"], row["due_at"])

    async def apply(self, changes: Changes) -> tuple[Pending, ...]:
        return await apply_changes(self._engine, self._clock, changes)

    async def _read(self, statement: Any) -> Sequence[Any]:
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            return (await connection.execute(statement)).mappings().all()


def _case(row: Any) -> Case:
    return Case(
        id=row["id"],
        conversation=row["conversation"],
        team=row["team"],
        channel=row["channel"],
        place=Place(row["place"]),
        thread_ts=row["thread_ts"],
        customer=row["customer"],
        status=Status(row["status"]),
        owner=row["owner"],
        version=row["version"],
        last_ts=row["last_ts"],
        unsure=row["unsure"],
        human_joined=row["human_joined"],
        silenced=row["silenced"],
        spoken=row["spoken"],
        answered=tuple(row["answered"]),
    )


def _line(row: Any) -> Line:
    citations = codec.from_json(row["citations"], tuple[Citation, ...])
    # Lines of before migration 0002 have none.
    choices = codec.from_json(row["choices"] or [], tuple[Choice, ...])
    # Lines of before migration 0004 have none.
    facts = codec.from_json(row["facts"] or [], tuple[Redacted, ...])
    return Line(Speaker(row["speaker"]), row["user"], row["text"], row["ts"], row["at"], citations, choices, facts)


def _handoff(row: Any) -> Handoff:
    return Handoff(
        id=row["id"],
        case=row["case_id"],
        customer=row["customer"],
        topic=row["topic"],
        question=row["question"],
        reason=Reason[row["reason"]],
        priority=Priority(row["priority"]),
        created_at=row["created_at"],
        card_channel=row["card_channel"],
        card_ts=row["card_ts"],
        closed_at=row["closed_at"],
        channel=row["channel"],
    )
