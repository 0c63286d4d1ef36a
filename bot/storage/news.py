"""Refund news: reading. Writing is `bot.storage.changes`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from bot.domain.identity import CustomerRef
from bot.domain.refund_news import Ended, RefundNews, Told
from bot.domain.transactions import RefundState
from bot.ports import Pending, WakeKind
from bot.storage import codec
from bot.storage.tables import RefundNewsTable

NEWS = RefundNewsTable.__table__  # type: ignore[attr-defined]  # SQLModel adds it


class SqlNews:
    """Implements `bot.ports.News`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, news_id: str) -> RefundNews | None:
        found = await self._open(col(RefundNewsTable.id) == news_id)
        return found[0] if found else None

    async def of_refund(self, team: str, user: str, refund: str) -> RefundNews | None:
        theirs = col(RefundNewsTable.team) == team, col(RefundNewsTable.user) == user
        found = await self._open(*theirs, col(RefundNewsTable.refund) == refund)
        return found[0] if found else None

    async def of_person(self, team: str, user: str) -> tuple[RefundNews, ...]:
        return await self._open(col(RefundNewsTable.team) == team, col(RefundNewsTable.user) == user)

    async def _open(self, *conditions: Any) -> tuple[RefundNews, ...]:
        return await open_news(self._engine, *conditions)


async def open_news(engine: AsyncEngine, *conditions: Any) -> tuple[RefundNews, ...]:
    """The open ones that fit, the oldest first."""
    statement = select(NEWS).where(col(RefundNewsTable.ended).is_(None), *conditions)
    oldest_first = statement.order_by(col(RefundNewsTable.ends_at), col(RefundNewsTable.id))
    async with engine.connect() as connection:
        await connection.execution_options(read_only=True)
        rows = (await connection.execute(oldest_first)).mappings().all()
    return tuple(_news(row) for row in rows)


def pending_of(news: RefundNews) -> Pending:
    """Its next look."""
    return Pending(WakeKind.NEWS, news.subject, news.lane, news.due_at)


def columns_of(news: RefundNews) -> dict[str, Any]:
    """What of the row a look may change. The next one has the next number."""
    told = news.told
    return {
        "customer": codec.to_json(news.customer, CustomerRef),
        "label": news.label,
        "state": str(told.state),
        "trace_told": told.trace,
        "window_asked": told.window,
        "sent_at": told.sent_at,
        "tick": news.tick + 1,
        "due_at": news.due_at,
        "ended": None if news.ended is None else str(news.ended),
    }


def _news(row: Any) -> RefundNews:
    told = Told(RefundState(row["state"]), row["trace_told"], row["window_asked"], row["sent_at"])
    return RefundNews(
        id=row["id"],
        team=row["team"],
        user=row["user"],
        channel=row["channel"],
        case=row["case_id"],
        refund=row["refund"],
        customer=codec.from_json(row["customer"], CustomerRef),
        article=row["article"],
        label=row["label"],
        told=told,
        tick=row["tick"],
        due_at=row["due_at"],
        ends_at=row["ends_at"],
        ended=None if row["ended"] is None else Ended(row["ended"]),
    )
