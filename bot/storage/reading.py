"""Reading the database without a trace: for commands that may run beside a bot, or before the first one.

Imports stay inside the functions: `ask` comes through here, also where there is no database, and must start fast.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never
from urllib.parse import quote

from bot.domain.articles import Publication
from bot.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL
    from sqlalchemy.ext.asyncio import AsyncEngine

    from bot.storage.articles import SqlArticles

CONNECT_SECONDS = 5


class Schema(StrEnum):
    """The shape of a database, seen from this version; the value is the sentence for it."""

    NONE = "without tables: the next start makes them"
    OLDER = "of an older shape: the next start brings it up to date"
    CURRENT = "of this version's shape"
    NEWER = "made by a newer Handrail. Run that version, or restore a backup from before it"


@asynccontextmanager
async def reading(database_url: str | None, data_dir: Path) -> AsyncIterator[AsyncEngine | None]:
    """The database, opened so that nothing in it or beside it changes; None while there is none.

    Raises UsageError when it cannot be read, here or in the block.
    """
    if _never_started(database_url, data_dir):
        yield None
        return
    from sqlalchemy.exc import SQLAlchemyError

    with ExitStack() as stack:
        try:
            engine = _open(database_url, data_dir, stack)
        except (SQLAlchemyError, OSError, ValueError) as error:
            _unreadable(error)
        try:
            yield engine
        except SQLAlchemyError as error:
            _unreadable(error)
        finally:
            if engine is not None:
                await engine.dispose()


async def publication_in(engine: AsyncEngine | None) -> Publication:
    """The newest publication; number 0 where none is, also in a database without tables. Raises UsageError."""
    if engine is None:
        return Publication(0, ())
    from cattrs import BaseValidationError
    from sqlalchemy import inspect

    from bot.storage.tables import PublicationTable

    async with engine.connect() as connection:
        if not await connection.run_sync(lambda sync: inspect(sync).has_table(str(PublicationTable.__tablename__))):
            return Publication(0, ())
    try:
        return await articles_in(engine).publication()
    except (BaseValidationError, KeyError) as error:
        _unreadable(error)


async def schema_in(engine: AsyncEngine) -> Schema:
    """What shape the database has. Raises UsageError inside of `reading`."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    from bot.storage import database

    scripts = ScriptDirectory(str(Path(database.__file__).parent / "migrations"))
    known = {one.revision for one in scripts.walk_revisions()}
    async with engine.connect() as connection:
        found = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    if found is None:
        return Schema.NONE
    if found not in known:
        return Schema.NEWER
    return Schema.CURRENT if found == scripts.get_current_head() else Schema.OLDER


def store_errors() -> tuple[type[Exception], ...]:
    """What the stores raise when the database is down, full or damaged."""
    from sqlalchemy.exc import SQLAlchemyError

    return (SQLAlchemyError,)


def articles_in(engine: AsyncEngine) -> SqlArticles:
    """The store over a database that is only read."""
    from bot.storage.articles import SqlArticles

    return SqlArticles(engine, _NoClock())


class _NoClock:
    """Fulfils `bot.ports.Clock` for a store that only reads: to ask it for anything is to write."""

    def now(self) -> Never:
        raise UsageError("This database is opened for reading only.")

    def new_id(self, prefix: str) -> Never:
        raise UsageError("This database is opened for reading only.")


def _unreadable(error: Exception) -> Never:
    raise UsageError(
        f"The database cannot be read ({type(error).__name__}). `python -m bot doctor` says what is wrong with it."
    ) from None


def _never_started(database_url: str | None, data_dir: Path) -> bool:
    return database_url is None and not data_dir.is_dir()


def _open(database_url: str | None, data_dir: Path, stack: ExitStack) -> AsyncEngine | None:
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    from bot.storage import database

    url = database.app_url(database_url, data_dir)
    if not url.drivername.startswith("sqlite"):
        only_read: dict[str, Any] = {
            "connect_timeout": CONNECT_SECONDS,
            "options": "-c default_transaction_read_only=on",
        }
        return create_async_engine(url, poolclass=NullPool, connect_args=only_read)
    path = Path(url.database or "")
    return _of_moments(create_async_engine(_untouched(path, stack), poolclass=NullPool)) if path.exists() else None


def _of_moments(engine: AsyncEngine) -> AsyncEngine:
    """Each connection sees one moment of the database, however many statements it makes while a bot writes: pysqlite
    by itself begins nothing before it reads."""
    from sqlalchemy import event

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    def begun(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)
    return engine


def _untouched(path: Path, stack: ExitStack) -> URL:
    """An address under which SQLite changes no byte of the file, its log and its log's index.

    A plain mode=ro makes the last two where they are absent, and writes into the index
    (https://sqlite.org/wal.html#read_only_databases). A log without its index comes from copying a folder: it can
    only be read by making one, so that is done to a copy.
    """
    from sqlalchemy.engine import URL

    log, index = path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")
    how = {"immutable": "1"}
    if log.exists() and index.exists():
        how = {"mode": "ro", "readonly_shm": "1"}
    elif log.exists() and log.stat().st_size:
        copies = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handrail-")))
        for one in (path, log):
            shutil.copyfile(one, copies / one.name)
        path, how = copies / path.name, {}
    return URL.create("sqlite+aiosqlite", database=f"file:{quote(str(path.absolute()))}", query={**how, "uri": "true"})
