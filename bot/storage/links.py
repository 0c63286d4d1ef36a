"""Links between people and customers, and one-time codes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import CursorResult, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from bot.domain.audit import Entry
from bot.domain.identity import CustomerRef, Proof
from bot.domain.links import BY_ADDRESS, BY_ASKER, IN_ALL, TRIES, Code, Contact, Limit, Link
from bot.errors import NotFound
from bot.storage import codec
from bot.storage.audit import append, hold
from bot.storage.inbox import inserted
from bot.storage.tables import CodeTable, LinkContactTable, LinkTable, MemoryTable

LINKS = LinkTable.__table__  # type: ignore[attr-defined]  # SQLModel adds it
CONTACTS = LinkContactTable.__table__  # type: ignore[attr-defined]
CODES = CodeTable.__table__  # type: ignore[attr-defined]
MEMORY = MemoryTable.__table__  # type: ignore[attr-defined]
SECRET = "identity.secret"  # noqa: S105 - the name under which it is kept

_KEEP_CODES: Final = timedelta(days=2)
"""Longer than every limit looks back."""


class SqlLinks:
    """Implements `bot.ports.Links`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, link: Link, entry: Entry) -> None:
        async with self._engine.begin() as connection:
            await _add(connection, link)
            await append(connection, entry)

    async def get(self, link_id: str) -> Link:
        found = await self._links(select(LINKS).where(col(LinkTable.id) == link_id))
        if not found:
            raise NotFound("link", link_id)
        return found[0]

    async def of_person(self, team: str, user: str) -> tuple[Link, ...]:
        theirs = select(col(LinkContactTable.link_id)).where(col(LinkContactTable.user) == user)
        return await self._links(
            _newest_first(select(LINKS).where(col(LinkTable.team) == team, col(LinkTable.id).in_(theirs)))
        )

    async def all(self, team: str, *, newest: int | None = None) -> tuple[Link, ...]:
        return await self._links(_newest_first(select(LINKS).where(col(LinkTable.team) == team)).limit(newest))

    async def revoke(self, link_id: str, by: str, entry: Entry) -> bool:
        standing = col(LinkTable.id) == link_id, col(LinkTable.revoked_at).is_(None)
        return await self._change(
            update(LinkTable).where(*standing).values(revoked_at=entry.at, revoked_by=by).returning(col(LinkTable.id)),
            entry,
        )

    async def end(self, link_id: str, user: str, entry: Entry) -> bool:
        standing = (
            col(LinkContactTable.link_id) == link_id,
            col(LinkContactTable.user) == user,
            col(LinkContactTable.ended_at).is_(None),
        )
        return await self._change(
            update(LinkContactTable)
            .where(*standing)
            .values(ended_at=entry.at)
            .returning(col(LinkContactTable.link_id)),
            entry,
        )

    async def _change(self, statement: Any, entry: Entry) -> bool:
        """Whether the statement changed anything; only then the entry is kept."""
        async with self._engine.begin() as connection:
            changed: CursorResult[Any] = await connection.execute(statement)
            if changed.first() is None:
                return False
            await append(connection, entry)
        return True

    async def _links(self, statement: Any) -> tuple[Link, ...]:
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            rows = (await connection.execute(statement)).mappings().all()
            people = select(CONTACTS).where(col(LinkContactTable.link_id).in_([row["id"] for row in rows]))
            contacts = (await connection.execute(people.order_by(col(LinkContactTable.position)))).mappings().all()
        return tuple(_link(row, [one for one in contacts if one["link_id"] == row["id"]]) for row in rows)


class SqlCodes:
    """Implements `bot.ports.Codes`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def secret(self, fresh: str) -> str:
        this = select(col(MemoryTable.value)).where(col(MemoryTable.name) == SECRET)
        async with self._engine.begin() as connection:
            await inserted(connection, MEMORY, {"name": SECRET, "value": fresh})
            return str((await connection.execute(this)).scalar_one())

    async def ask(self, code: Code, entry: Entry) -> bool:
        by_asker = col(CodeTable.team) == code.team, col(CodeTable.user) == code.user
        async with self._engine.begin() as connection:
            await hold(connection)  # two that ask at once must not both be the last one allowed
            for limit, whose in (
                (BY_ASKER, by_asker),
                (BY_ADDRESS, (col(CodeTable.address) == code.address,)),
                (IN_ALL, ()),
            ):
                if await _reached(connection, limit, code, whose):
                    return False
            old = col(CodeTable.asked_at) < code.asked_at - _KEEP_CODES
            await connection.execute(delete(CodeTable).where(old))
            still_open = col(CodeTable.closed_at).is_(None)
            await connection.execute(update(CodeTable).where(*by_asker, still_open).values(closed_at=code.asked_at))
            await connection.execute(insert(CodeTable).values(**_code_columns(code)))
            await append(connection, entry)
        return True

    async def name(self, code_id: str, customers: tuple[CustomerRef, ...]) -> None:
        theirs = codec.to_json(customers, tuple[CustomerRef, ...])
        async with self._engine.begin() as connection:
            await connection.execute(update(CodeTable).where(col(CodeTable.id) == code_id).values(customers=theirs))

    async def newest(self, team: str, user: str) -> Code | None:
        statement = select(CODES).where(
            col(CodeTable.team) == team, col(CodeTable.user) == user, col(CodeTable.closed_at).is_(None)
        )
        async with self._engine.connect() as connection:
            await connection.execution_options(read_only=True)
            row = (await connection.execute(statement)).mappings().first()
        return None if row is None else _code(row)

    async def attempt(self, code_id: str, offered: str, link: Link, proved: Entry, refused: Entry) -> bool:
        this = col(CodeTable.id) == code_id
        now = link.made_at
        async with self._engine.begin() as connection:
            await hold(connection)  # as `ask` does, and in the same order: tries come one after the other
            standing = select(CODES).where(this, col(CodeTable.closed_at).is_(None))
            row = (await connection.execute(standing)).mappings().first()
            if row is None:
                return False
            code = _code(row)
            fits = code.fits(offered, now)
            # One that is too old is closed for good, should the clock be turned back.
            done = fits or not code.open(now) or code.tries + 1 >= TRIES
            await connection.execute(
                update(CodeTable).where(this).values(tries=code.tries + 1, closed_at=now if done else None)
            )
            if fits:
                await _add(connection, link)
            await append(connection, proved if fits else refused)
        return fits


async def _reached(connection: AsyncConnection, limit: Limit, code: Code, whose: tuple[Any, ...]) -> bool:
    """Whether so many were asked for already. Both ways in time, so that a clock that was turned back neither frees
    everybody nor, having been far ahead, locks them out for as long."""
    near = (
        col(CodeTable.asked_at) > code.asked_at - limit.within,
        col(CodeTable.asked_at) < code.asked_at + limit.within,
    )
    asked = select(func.count()).select_from(CODES).where(*near, *whose)
    return int((await connection.execute(asked)).scalar_one()) >= limit.most


async def _add(connection: AsyncConnection, link: Link) -> None:
    await connection.execute(
        insert(LinkTable).values(
            id=link.id,
            team=link.team,
            channel=link.channel,
            customers=codec.to_json(link.customers, tuple[CustomerRef, ...]),
            proof=str(link.proof),
            made_by=link.made_by,
            reason=link.reason,
            made_at=link.made_at,
            expires_at=link.expires_at,
        )
    )
    contacts = [
        {"link_id": link.id, "user": one.user, "position": position, "fingerprint": one.fingerprint}
        for position, one in enumerate(link.contacts)
    ]
    await connection.execute(insert(LinkContactTable), contacts)


def _newest_first(statement: Any) -> Any:
    return statement.order_by(col(LinkTable.made_at).desc(), col(LinkTable.id).desc())


def _link(row: Any, contacts: list[Any]) -> Link:
    return Link(
        id=row["id"],
        team=row["team"],
        channel=row["channel"],
        contacts=tuple(Contact(one["user"], one["fingerprint"], one["ended_at"]) for one in contacts),
        customers=codec.from_json(row["customers"], tuple[CustomerRef, ...]),
        proof=Proof(row["proof"]),
        made_by=row["made_by"],
        reason=row["reason"],
        made_at=row["made_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        revoked_by=row["revoked_by"],
    )


def _code(row: Any) -> Code:
    return Code(**{**row, "customers": codec.from_json(row["customers"], tuple[CustomerRef, ...])})


def _code_columns(code: Code) -> dict[str, Any]:
    return {
        "id": code.id,
        "team": code.team,
        "user": code.user,
        "address": code.address,
        "digest": code.digest,
        "customers": codec.to_json(code.customers, tuple[CustomerRef, ...]),
        "asked_at": code.asked_at,
        "expires_at": code.expires_at,
        "tries": code.tries,
        "closed_at": code.closed_at,
    }
