"""The relational store: SQLite in the data folder, or PostgreSQL. Opening it brings it to this version's tables.

A transaction is whole or not there. On SQLite writers take turns (BEGIN IMMEDIATE) and wait for each other; on
PostgreSQL transactions are serializable: whoever was in another's way is told so, and `Records.write` tries again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, RootTransaction, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from agents.records.stand import newest, stand_of
from agents.transport.embedded.sqlite import execute_in_turn

BUSY_MS: Final = 10_000  # how long a writer waits for another one
TRIES: Final = 10
_LOCK: Final = 7_203_411  # of migrations, among PostgreSQL's advisory locks
_SERIALIZATION: Final = ("40001", "40P01")

T = TypeVar("T")


class RecordsError(Exception):
    """The store cannot be used as it is; a person acts. The text says what to do."""


class RecordsUnavailable(Exception):
    """The store does not answer, or is busy; time heals it."""


class Records:
    """An open store. `url` is without the password."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.url = engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to look things up with, of one instant."""
        with translated(self.url), self.engine.connect().execution_options(reads=True) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: whole when the block ends well, not there when it raises."""
        with translated(self.url), self.engine.begin() as connection:
            yield connection

    def write(self, work: Callable[[Connection], T], tries: int = TRIES) -> T:
        """The result of `work` in one transaction, tried again when another one was in the way."""
        while True:
            tries -= 1
            try:
                with self.writing() as connection:
                    return work(connection)
            except RecordsUnavailable as error:
                if tries <= 0 or not _is_conflict(error.__cause__):
                    raise

    def close(self) -> None:
        """Lets go of its connections."""
        self.engine.dispose()


def open_records(url: str, password: str | None = None) -> Records:
    """The store at `sqlite:///FILE` or `postgresql://USER@HOST/DATABASE`, with this version's tables.

    Raises RecordsError when it is of a newer version or no such store, RecordsUnavailable when it does not answer.
    """
    parsed = _parsed(url, password)
    engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    records = Records(engine)
    try:
        with translated(records.url):
            _migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return records


def _parsed(url: str, password: str | None) -> URL:
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise RecordsError(f"records {url!r}: write sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    if backend == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed if password is None else parsed.set(password=password)


def _sqlite(url: URL) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        use_wal(connection)
        for line in ("synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
            connection.execute(f"PRAGMA {line}")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def use_wal(connection: sqlite3.Connection, patience: float = BUSY_MS / 1000) -> None:
    """Readers and the writer are out of each other's way; of many who open an empty store each wants that first."""
    execute_in_turn(connection, "PRAGMA journal_mode=WAL", patience)


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url,
        isolation_level="SERIALIZABLE",
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "options": "-c lock_timeout=10s -c statement_timeout=60s"},
    )


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection, _migrating(connection):
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        current = stand_of(connection)
        if current == newest():
            return
        from agents.records.migrating import migrate  # not for a store that is as it should be

        if not migrate(connection, current):
            raise RecordsError(
                f"records {engine.url.render_as_string()}: they are of a newer version (migration {current}); "
                "install the version that wrote them"
            )


def _migrating(connection: Connection) -> RootTransaction:
    """A transaction that sees what others have done while it waited for its turn."""
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="READ COMMITTED")
    return connection.begin()


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Errors of the driver as ours."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error, OperationalError) or error.connection_invalidated or _is_conflict(error):
            raise RecordsUnavailable(f"records {url}: {error.orig}") from error
        raise
    except SQLAlchemyError as error:
        raise RecordsUnavailable(f"records {url}: {error}") from error


def _is_conflict(error: BaseException | None) -> bool:
    """Whether another transaction was in the way, and trying again is all that it takes."""
    if not isinstance(error, DBAPIError):
        return False
    if getattr(error.orig, "sqlstate", None) in _SERIALIZATION:
        return True
    return "database is locked" in str(error.orig)
