"""`views.sqlite`, beside the embedded log: made whole or not there, and taken away when it is damaged, never repaired.

What is committed survives the end of the process. After a power cut the last moments may be missing; the projection
then goes on from what is there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from agents.transport.embedded.sqlite import can_write, connect, translated
from agents.transport.errors import LogCorrupt
from agents.views.port import FORMAT

NAME: Final = "views.sqlite"
_AT_ONCE: Final = 500  # ids in one statement
PATIENCE: Final = 2.0  # s for a lock on the file, which nobody holds for long
_SCHEMA: Final = f"""
PRAGMA journal_mode = WAL;
PRAGMA user_version = {FORMAT};
CREATE TABLE views (epoch TEXT NOT NULL, log TEXT NOT NULL, partitions INTEGER NOT NULL,
    change INTEGER NOT NULL);   -- number of the newest change; rows carry the one that wrote them
CREATE TABLE places (partition INTEGER PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE units (id TEXT PRIMARY KEY, value BLOB, as_of TEXT, newest TEXT, people INTEGER NOT NULL,
    change INTEGER NOT NULL);   -- a value of NULL: it is gone
CREATE INDEX units_by_change ON units (change);
CREATE INDEX units_there ON units (id) WHERE value IS NOT NULL;
CREATE TABLE boards (unit TEXT NOT NULL, employee TEXT NOT NULL, PRIMARY KEY (unit, employee)) WITHOUT ROWID;
CREATE TABLE employees (id TEXT PRIMARY KEY, value BLOB, change INTEGER NOT NULL);
CREATE INDEX employees_by_change ON employees (change);
CREATE INDEX employees_there ON employees (id) WHERE value IS NOT NULL;
CREATE TABLE templates (id TEXT PRIMARY KEY, value BLOB NOT NULL, change INTEGER NOT NULL);
CREATE TABLE alerts (id TEXT PRIMARY KEY, unit TEXT NOT NULL, employee TEXT NOT NULL, raised INTEGER NOT NULL,
    value BLOB NOT NULL);       -- open ones alone
CREATE INDEX alerts_by_unit ON alerts (unit, raised, id);
CREATE INDEX alerts_by_employee ON alerts (employee, raised, id);
CREATE TABLE alerted (id TEXT PRIMARY KEY, change INTEGER NOT NULL);  -- units, and what changed their alerts last
CREATE INDEX alerted_by_change ON alerted (change);
INSERT INTO views VALUES ('', '', 0, 0);
"""
TABLES: Final = ("places", "units", "boards", "employees", "templates", "alerts", "alerted")


def open_file(path: Path, *, write: bool) -> sqlite3.Connection:
    """A connection to what is there. FileNotFoundError when there is nothing, LogCorrupt when it is of no use."""
    path.stat()
    connection = connect(path, read_only=not write and not can_write(path.parent), patience_s=PATIENCE)
    with translated(path):
        # A view that a power cut takes is read again from the log, which is durable: nothing waits for the disk here.
        connection.execute("PRAGMA synchronous = NORMAL" if write else "PRAGMA query_only = ON")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != FORMAT:
        connection.close()
        raise LogCorrupt(f"{path}: views of format {version}, this process knows {FORMAT}; a worker makes them anew")
    return connection


def looked_up(sql: str, ids: Sequence[str], views: sqlite3.Connection) -> dict[str, Any]:
    """Pairs by id; `{}` in the question stands where the ids do, of which one statement takes some hundreds."""
    found: dict[str, Any] = {}
    for some in (ids[begin : begin + _AT_ONCE] for begin in range(0, len(ids), _AT_ONCE)):
        found.update(views.execute(sql.format(",".join("?" * len(some))), some).fetchall())
    return found


def create_file(path: Path) -> None:
    """Views of no log, with nothing in them, in place of what was there; the file gets its name last."""
    fresh = path.with_name(f"{path.name}.{token_hex(4)}")
    try:
        with translated(path), closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            connection.executescript(_SCHEMA)
        unlink(path)
        fresh.replace(path)
    finally:
        unlink(fresh)


def identity(path: Path) -> int | None:
    """Another file under this name is another number; None when there is none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def unlink(path: Path) -> None:
    """Takes the file away. SQLite notices that it was moved, and leaves alone what comes in its place."""
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
