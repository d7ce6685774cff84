"""Every connection is made here, and every SQLite error leaves in the words of `errors`, naming the file.

WAL with synchronous=FULL: a commit that returned has been fsynced, readers never wait for the writer.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage
from threading import Lock
from urllib.parse import quote

from agents.transport.errors import LogBusy, LogCorrupt, LogError, LogFull, LogReadOnly

PAGE_SIZE = 4096  # most commits touch a page per partition
PATIENCE_S = 30.0
_PRAGMAS = (
    "synchronous=FULL",
    "fullfsync=1",
    "secure_delete=OFF",
    "temp_store=MEMORY",
    "cache_size=-16384",  # 16 MB
    "wal_autocheckpoint=2000",  # pages: every 8 MB, so that the pause is some milliseconds
    "journal_size_limit=16777216",
)
_RETRY_S = 0.001
_LEFT = 1 << 20  # bytes free below which a failed write counts as a full disk


def connect(path: Path, *, read_only: bool = False, patience_s: float = PATIENCE_S) -> sqlite3.Connection:
    """Open an existing database, usable from any one thread at a time; `patience_s` is SQLite's own waiting."""
    with translated(path):
        try:
            return _connect(path, "ro" if read_only else "rw", patience_s)
        except sqlite3.OperationalError:
            if not read_only or path.with_name(path.name + "-wal").exists():
                raise
            return _connect(path, "ro&immutable=1", patience_s)  # nobody writes: there is no WAL and no way to make one


def _connect(path: Path, mode: str, patience_s: float) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=patience_s, isolation_level=None, check_same_thread=False)
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about `path` into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translation(path, error) from error


def _translation(path: Path, error: sqlite3.Error) -> Exception:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and _no_room(path)):
        return LogFull(f"{path}: no room left on the disk ({error}); nothing was written, make room and go on")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LogBusy(
            f"{path}: another process kept the write lock all the time ({error}); nothing was written, see what hangs"
        )
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return LogCorrupt(f"{path}: damaged or not a log file ({error}); restore the folder from a backup")
    if primary == sqlite3.SQLITE_READONLY:
        return LogReadOnly(f"{path}: this process may only read the folder ({error}); give it write permission")
    return LogError(f"{path}: {error}")


def _no_room(path: Path) -> bool:
    return disk_usage(path.parent).free < _LEFT


@contextmanager
def transaction(path: Path, connection: sqlite3.Connection, patience_s: float) -> Iterator[None]:
    """One write transaction: all or nothing, on disk when it returns."""
    with translated(path):
        execute_in_turn(connection, "BEGIN IMMEDIATE", patience_s)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def execute_in_turn(connection: sqlite3.Connection, statement: str, patience_s: float) -> None:
    """A statement that takes a lock, tried again in short steps until it is free, or the sqlite3 error after so long.

    SQLite's own waiting backs off until a busy log leaves it no turn, and where both would wait there is none at all.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
        time.sleep(_RETRY_S)


class Readers:
    """Idle read connections to one file; each thread that reads holds one for the moment."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self._path = path
        self._read_only = read_only
        self._idle: list[sqlite3.Connection] = []
        self._lock = Lock()
        self._closed = False

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a read transaction: all its queries see one moment."""
        connection = self._take()
        with translated(self._path):
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
        self._give_back(connection)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise LogError(f"{self._path}: the log has been closed")
            if self._idle:
                return self._idle.pop()
        return connect(self._path, read_only=self._read_only)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close what is idle now and what is still out when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def can_write(folder: Path) -> bool:
    """Whether this process may write in `folder`, so whether it may take part in a WAL."""
    return os.access(folder, os.W_OK)
