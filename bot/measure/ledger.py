"""Reading the bot's own tables while it runs and afterwards, beside it: nothing is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, func, inspect, select, text
from sqlmodel import col

from bot.errors import UsageError
from bot.storage import database
from bot.storage.tables import HandoffTable, InboxTable, LineTable, MemoryTable, OutboxTable

Row = Mapping[str, Any]
_STARTS = "SELECT queue_partition_key, started_at_epoch_ms FROM {table} WHERE queue_name = 'conversations'"


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that the verdict reads. Rows by id; `starts`: by lane, when turns were started, ascending, rounded
    down by `rounding`. `serial`: rows were committed in the order of their times, since one writes at a time."""

    inbox: Sequence[Row]
    outbox: Sequence[Row]
    lines: Sequence[Row]
    handoffs: Sequence[Row]
    starts: Mapping[str, Sequence[datetime]]
    rounding: timedelta
    serial: bool


class Ledger:
    """The tables of one bot. Blocking."""

    def __init__(self, database_url: str | None, data_dir: Path) -> None:
        self._app = create_engine(database.sync_url(database.app_url(database_url, data_dir)))
        self._engine = create_engine(database.engine_url(database_url, data_dir))
        self._is_sqlite = self._app.dialect.name == "sqlite"

    def close(self) -> None:
        """Close every connection."""
        self._app.dispose()
        self._engine.dispose()

    def require_empty(self) -> None:
        """Refuse a database that somebody uses: a chaos run fills it. Raises UsageError."""
        if inspect(self._app).has_table(InboxTable.__tablename__):
            raise UsageError("DATABASE_URL names a database in use. Give chaos an empty one of its own.")

    def unprocessed(self) -> int:
        """Events whose turn has not come."""
        return self._count(select(func.count()).select_from(InboxTable).where(col(InboxTable.processed_at).is_(None)))

    def unsent(self) -> int:
        """Posts that are not settled."""
        return self._count(select(func.count()).select_from(OutboxTable).where(col(OutboxTable.status) == "pending"))

    def stored(self) -> set[tuple[str, str]]:
        """(channel, ts) of every message in the inbox."""
        statement = select(col(InboxTable.channel), col(InboxTable.ts)).where(col(InboxTable.kind) == "message")
        with self._app.connect() as connection:
            return {(channel, ts) for channel, ts in connection.execute(statement)}

    def outcomes(self) -> dict[tuple[str, str], str | None]:
        """What was decided on each message, by (channel, ts)."""
        return {(row["channel"], row["ts"]): row["outcome"] for row in self._rows(InboxTable, InboxTable.key)}

    def caught_up_at(self) -> str | None:
        """When the last whole catch-up began."""
        with self._app.connect() as connection:
            statement = select(col(MemoryTable.value)).where(col(MemoryTable.name) == "last_alive")
            return connection.execute(statement).scalar_one_or_none()

    def read(self) -> Records:
        """Everything."""
        return Records(
            inbox=self._rows(InboxTable, InboxTable.key),
            outbox=self._rows(OutboxTable, OutboxTable.id),
            lines=self._rows(LineTable, LineTable.id),
            handoffs=self._rows(HandoffTable, HandoffTable.id),
            starts=self._starts(),
            rounding=timedelta(seconds=1 if self._is_sqlite else 0.001),
            serial=self._is_sqlite,
        )

    def _starts(self) -> Mapping[str, Sequence[datetime]]:
        table = "workflow_status" if self._is_sqlite else "dbos.workflow_status"
        found: defaultdict[str, list[datetime]] = defaultdict(list)
        with self._engine.connect() as connection:
            for lane, started in connection.execute(text(_STARTS.format(table=table))):
                if started is not None:
                    found[lane].append(datetime.fromtimestamp(started / 1000, UTC))
        return {lane: sorted(starts) for lane, starts in found.items()}

    def _rows(self, table: Any, order: Any) -> Sequence[Row]:
        with self._app.connect() as connection:
            return [dict(row) for row in connection.execute(select(table.__table__).order_by(col(order))).mappings()]

    def _count(self, statement: Any) -> int:
        with self._app.connect() as connection:
            return int(connection.execute(statement).scalar_one())
