"""The two files are made together or not at all: `log.sqlite` gets its name last, so it never stands alone.

What is found is checked before anything is done with it: both files, of one log, of a version known here.
"""

import os
import sqlite3
from pathlib import Path
from uuid import uuid4

from agents.transport.embedded.lock import creating
from agents.transport.embedded.sqlite import PAGE_SIZE, connect, translated
from agents.transport.errors import LogIncomplete, LogMissing, LogVersionUnknown

LOG = "log.sqlite"
LEDGER = "ledger.sqlite"
SCHEMA_VERSION = 1
_APPLICATION_ID = 0x5C0E_106
_UNFINISHED = "creating"

_SCHEMA = """
CREATE TABLE identity (log_id TEXT NOT NULL);
CREATE TABLE topics (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL, compacted INTEGER NOT NULL,
    retention_ms INTEGER, retention_bytes INTEGER);
CREATE TABLE partitions (
    topic INTEGER NOT NULL, partition INTEGER NOT NULL,
    start INTEGER NOT NULL DEFAULT 0,     -- first offset kept
    next INTEGER NOT NULL DEFAULT 0,      -- next offset given out; outlives every record
    bytes INTEGER NOT NULL DEFAULT 0,     -- packed size of all batches
    cleaned INTEGER NOT NULL DEFAULT 0,   -- compacted up to here
    PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE committed (topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)) WITHOUT ROWID;
"""


def prepare(folder: Path, *, create: bool) -> str:
    """Make the log when there is none and `create` is set; check what is there. Returns the log's id."""
    if create:
        folder.mkdir(parents=True, exist_ok=True)
        if not _complete(folder) and os.access(folder, os.W_OK):
            with creating(folder):
                _create_if_absent(folder)
    if not folder.is_dir() or not _any(folder):
        raise LogMissing(folder)
    if (folder / _UNFINISHED).exists() and not _complete(folder):
        raise LogMissing(folder, "a log is just being made, or making it was cut off")
    _refuse_half(folder)
    ids = {name: _identity(folder / name) for name in (LOG, LEDGER)}
    if ids[LOG] != ids[LEDGER]:
        raise LogIncomplete(f"{folder}: {LOG} and {LEDGER} are of different logs; restore both from one backup")
    return ids[LOG]


def _complete(folder: Path) -> bool:
    return (folder / LOG).exists() and (folder / LEDGER).exists()


def _any(folder: Path) -> bool:
    return any((folder / name).exists() for name in (LOG, LEDGER, _UNFINISHED))


def _refuse_half(folder: Path) -> None:
    for name, other in ((LOG, LEDGER), (LEDGER, LOG)):
        if not (folder / name).exists():
            raise LogIncomplete(
                f"{folder / name} is missing while {other} is there; restore it from a backup, "
                f"or move the whole folder away to begin anew"
            )


def _create_if_absent(folder: Path) -> None:
    marker = folder / _UNFINISHED
    if _complete(folder) or (not marker.exists() and _any(folder)):
        marker.unlink(missing_ok=True)
        return
    marker.touch()
    _sync(folder)
    log_id = str(uuid4())
    for name in (LEDGER, LOG):
        fresh = folder / f"{name}.new"
        for leftover in (fresh, fresh.with_name(fresh.name + "-wal"), fresh.with_name(fresh.name + "-shm")):
            leftover.unlink(missing_ok=True)
        _write_schema(fresh, log_id)
    for name in (LEDGER, LOG):
        (folder / f"{name}.new").replace(folder / name)
        _sync(folder)
    marker.unlink()


def _write_schema(path: Path, log_id: str) -> None:
    with translated(path):
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute("INSERT INTO identity VALUES (?)", (log_id,))
            connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            connection.execute("COMMIT")
        finally:
            connection.close()


def _identity(path: Path) -> str:
    connection = connect(path, read_only=True)
    try:
        with translated(path):
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if application != _APPLICATION_ID:
                raise LogVersionUnknown(f"{path}: an SQLite file, but not of a log; name another folder")
            if version != SCHEMA_VERSION:
                raise LogVersionUnknown(
                    f"{path}: format version {version}, known here is {SCHEMA_VERSION}; use the program that wrote it"
                )
            row = connection.execute("SELECT log_id FROM identity").fetchone()
    finally:
        connection.close()
    return str(row[0])


def _sync(folder: Path) -> None:
    """A file's name is on disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
