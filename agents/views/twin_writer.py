"""Views in a file beside the embedded log, written: the twin of `redis_writer`, one transaction a batch."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Final, TypeVar

import msgspec

from agents.transport.embedded.sqlite import transaction, translated
from agents.transport.errors import LogCorrupt, LogError, RecoverableError
from agents.views.port import Batch, Place, UnitView, ViewsMoved, ViewsUnavailable
from agents.views.twin_alerts import write_alerts
from agents.views.twin_file import NAME, PATIENCE, TABLES, create_file, identity, open_file, unlink
from schemas.unreadable import UNREADABLE

_EMPLOYEE: Final = """INSERT INTO employees VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET value = excluded.value, change = excluded.change"""
_UNIT: Final = """INSERT INTO units VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET value = excluded.value, as_of = excluded.as_of, newest = excluded.newest,
    people = excluded.people, change = excluded.change"""

T = TypeVar("T")


class TwinWriter:
    """The writing side of one worker's projection. All of it happens in one thread of its own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._file: int | None = None
        self._boards: dict[str, int] = {}  # of each unit a digest of the members written last

    async def begin(self, log_id: str, partitions: int, owned: Collection[int]) -> dict[int, Place]:
        """See ViewsWriter."""
        return await self._run(lambda: self._begin(log_id, partitions, owned))

    async def put(self, batch: Batch) -> None:
        """See ViewsWriter."""
        await self._run(lambda: self._put(batch))

    async def complain(self, trouble: str) -> None:
        """See ViewsWriter. A file that takes nothing tells nobody: screens see the data grow old."""

    async def doubt(self) -> str | None:
        """See ViewsWriter."""
        return None

    async def close(self) -> None:
        """See ViewsWriter."""
        await self._run(self._let_go)
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="views")
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(self._told, work))

    def _told(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (ViewsMoved, ViewsUnavailable):
            raise
        except (LogError, RecoverableError, OSError) as error:
            self._let_go()
            if isinstance(error, LogCorrupt):
                unlink(self._path)
            raise ViewsUnavailable(str(error)) from error

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _begin(self, log_id: str, partitions: int, owned: Collection[int]) -> dict[int, Place]:
        self._boards.clear()
        connection = self._opened()
        with translated(self._path):
            found = connection.execute("SELECT log, partitions FROM views").fetchone()
        if found != (log_id, partitions):
            with transaction(self._path, connection, PATIENCE):
                for table in TABLES:
                    connection.execute(f"DELETE FROM {table}")
                connection.execute(
                    "UPDATE views SET epoch = ?, log = ?, partitions = ?, change = change + 1",
                    (token_hex(6), log_id, partitions),
                )
        with translated(self._path):
            return {number: _place_of(connection, number) for number in owned}

    def _opened(self) -> sqlite3.Connection:
        self._let_go()
        if identity(self._path) is None:
            create_file(self._path)
        self._file = identity(self._path)
        self._connection = open_file(self._path, write=True)
        return self._connection

    def _put(self, batch: Batch) -> None:
        connection = self._connection
        if connection is None or identity(self._path) != self._file:
            raise ViewsMoved("the views were taken away")
        with transaction(self._path, connection, PATIENCE):
            if any(_place_of(connection, number) != place for number, place in batch.before.items()):
                raise ViewsMoved("the views are not where this worker left them")
            self._write(connection, batch)
        self._boards.update((unit, hash(view.members)) for unit, view in batch.units.items() if view is not None)

    def _write(self, connection: sqlite3.Connection, batch: Batch) -> None:
        (change,) = connection.execute("UPDATE views SET change = change + 1 RETURNING change").fetchone()
        connection.executemany(_EMPLOYEE, ((who, value, change) for who, value in batch.employees.items()))
        connection.executemany(_UNIT, (_unit_row(unit, view, change) for unit, view in batch.units.items()))
        for unit, view in batch.units.items():
            self._write_board(connection, unit, () if view is None else view.members)
        connection.executemany(
            "INSERT OR IGNORE INTO templates VALUES (?, ?, ?)", ((*each, change) for each in batch.templates.items())
        )
        write_alerts(connection, batch.alerts, change)
        connection.executemany(
            "REPLACE INTO places VALUES (?, ?)", ((number, _encode(place)) for number, place in batch.after.items())
        )

    def _write_board(self, connection: sqlite3.Connection, unit: str, members: Iterable[str]) -> None:
        if self._boards.pop(unit, None) == hash(members):  # who belongs to a unit changes seldom
            return
        connection.execute("DELETE FROM boards WHERE unit = ?", (unit,))
        connection.executemany("INSERT INTO boards VALUES (?, ?)", ((unit, employee) for employee in members))


def _unit_row(unit: str, view: UnitView | None, change: int) -> tuple[object, ...]:
    if view is None:
        return (unit, None, None, None, 0, change)
    return (unit, view.value, view.as_of, view.newest, view.people, change)


def _place_of(connection: sqlite3.Connection, partition: int) -> Place:
    found = connection.execute("SELECT value FROM places WHERE partition = ?", (partition,)).fetchone()
    try:
        return Place() if found is None else _places.decode(found[0])
    except UNREADABLE:
        return Place()


_encode: Final = msgspec.json.Encoder().encode
_places: Final = msgspec.json.Decoder(Place)
