"""Opening the database: SQLite in DATA_DIR, or Postgres."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

log = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 10_000


def app_url(database_url: str | None, data_dir: Path) -> URL:
    """Where our own tables live, with an async driver."""
    if database_url is None:
        return URL.create("sqlite+aiosqlite", database=str(data_dir / "handrail.db"))
    url = make_url(database_url)
    driver = "sqlite+aiosqlite" if url.drivername.startswith("sqlite") else "postgresql+psycopg"
    return url.set(drivername=driver)


def engine_url(database_url: str | None, data_dir: Path) -> str:
    """Where the engine's tables live: never in the app's SQLite file, which deadlocks (facts/engine.md, trap 3)."""
    if database_url is None or database_url.startswith("sqlite"):
        return f"sqlite:///{data_dir / 'engine.db'}"
    return make_url(database_url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def connect(url: URL) -> AsyncEngine:
    """An engine with the settings that durability needs. Nothing is opened yet."""
    if not url.drivername.startswith("sqlite"):
        return create_async_engine(
            # Errors must not quote rows: they are logged.
            url,
            hide_parameters=True,
            pool_size=10,
            max_overflow=10,
            pool_pre_ping=True,
            connect_args={"keepalives_idle": 30},
        )
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(engine.sync_engine, "connect", _on_sqlite_connect)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    # SQLAlchemy's documented recipe: pysqlite must not begin by itself, or BEGIN IMMEDIATE below comes too late.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    # A deferred transaction that reads first and writes later fails at once when another one wrote between.
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def migrate(url: URL) -> None:
    """Bring our tables to this version's shape. Blocking; call it before the event loop matters."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = sync_url(url)
    command.upgrade(config, "head")
    log.info("database is at this version's shape: %s", url.render_as_string(hide_password=True))


def sync_url(url: URL) -> URL:
    """The same database through a blocking driver, for migrations."""
    return url.set(drivername="sqlite") if url.drivername.startswith("sqlite") else url


def prepare_engine_file(url: str) -> None:
    """Set WAL on the engine's SQLite file: DBOS does not, and runs 20 instead of 44 workflows/s without."""
    if not url.startswith("sqlite:///"):
        return
    import sqlite3

    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
