"""Views in a file beside the embedded log, read: the twin of `redis_reader`. It may start before there is a file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from agents.transport.embedded.sqlite import translated
from agents.transport.errors import LogError, RecoverableError
from agents.views.port import (
    AlertKey,
    Boards,
    Change,
    PersonView,
    Place,
    Standing,
    UnitEntry,
    ViewsIncomplete,
    ViewsUnavailable,
    standing_of,
    unit_in,
)
from agents.views.twin_alerts import alert_counts, alert_keys, employee_alerts, unit_alerts
from agents.views.twin_file import NAME, identity, looked_up, open_file

IDLE: Final = 0.05  # s between looks at a file that nobody writes
QUIET: Final = 1.0  # s after which a reader hears that nothing changed

T = TypeVar("T")
Ask = Callable[[sqlite3.Connection], T]


class TwinReader:
    """The reading side of one web process: one connection, used by one thread."""

    def __init__(self, folder: Path, idle: float = IDLE) -> None:
        self._path = folder / NAME
        self._idle = idle
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._file: int | None = None
        self._seen = False

    async def standing(self) -> Standing:
        """See ViewsReader."""
        return await self._run(self._standing)

    async def unit_entries(self) -> list[UnitEntry]:
        """See ViewsReader."""
        sql = "SELECT id, people, as_of, newest FROM units WHERE value IS NOT NULL ORDER BY id"
        return await self._ask(lambda views: [UnitEntry(*row) for row in views.execute(sql)], [])

    async def unit_ids(self) -> list[str]:
        """See ViewsReader."""
        sql = "SELECT id FROM units WHERE value IS NOT NULL ORDER BY id"
        return await self._ask(lambda views: [unit for (unit,) in views.execute(sql)], [])

    async def units(self, ids: Collection[str]) -> dict[str, bytes]:
        """See ViewsReader."""
        return await self._ask(partial(_values, "units", list(ids)), {})

    async def board(self, unit: str) -> list[str]:
        """See ViewsReader."""
        return await self._ask(partial(_board, unit), [])

    async def boards(self, units: Collection[str]) -> Boards:
        """See ViewsReader."""
        return await self._ask(partial(_boards, list(units)), Boards({}, {}, {}))

    async def employees(self, ids: Collection[str]) -> dict[str, bytes]:
        """See ViewsReader."""
        return await self._ask(partial(_values, "employees", list(ids)), {})

    async def person(self, employee: str, most: int) -> PersonView:
        """See ViewsReader."""
        return await self._ask(partial(_person, employee, most), PersonView())

    async def employee_ids(self, after: str, limit: int) -> list[str]:
        """See ViewsReader."""
        sql = "SELECT id FROM employees WHERE id > ? AND value IS NOT NULL ORDER BY id LIMIT ?"
        return await self._ask(lambda views: [who for (who,) in views.execute(sql, (after, limit))], [])

    async def alert_keys(self, unit: str | None = None, employee: str | None = None) -> list[AlertKey]:
        """See ViewsReader."""
        return await self._ask(partial(alert_keys, unit, employee), [])

    async def alert_counts(self, employees: Collection[str]) -> dict[str, int]:
        """See ViewsReader."""
        none = dict.fromkeys(employees, 0)
        nothing: dict[str, int] = {}
        return none | await self._ask(partial(alert_counts, list(none)), nothing)

    async def alerts(self, ids: Collection[str]) -> dict[str, bytes]:
        """See ViewsReader."""
        return await self._ask(partial(_values, "alerts", list(ids)), {})

    async def unit_alerts(self, units: Collection[str]) -> dict[str, list[bytes]]:
        """See ViewsReader."""
        return await self._ask(partial(unit_alerts, list(units)), {})

    async def templates(self) -> list[bytes]:
        """See ViewsReader."""
        return await self._ask(lambda views: [text for (text,) in views.execute("SELECT value FROM templates")], [])

    async def counts(self) -> tuple[int, int]:
        """See ViewsReader."""
        return await self._ask(_counts, (0, 0))

    async def changes(self) -> AsyncGenerator[Change, None]:
        """See ViewsReader."""
        loop = asyncio.get_running_loop()
        look = _Look()
        told = loop.time()
        yield await self._run(partial(self._change, look))
        while True:
            await asyncio.sleep(self._idle)
            if await self._run(partial(self._differs, look)) or loop.time() - told >= QUIET:
                told = loop.time()
                yield await self._run(partial(self._change, look))

    async def close(self) -> None:
        """See ViewsReader."""
        await self._run(self._let_go)
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False)

    async def _ask(self, ask: Ask[T], nothing: T) -> T:
        return await self._run(lambda: self._answer(ask, nothing))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="views")
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(self._told, work))

    def _told(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except ViewsUnavailable:
            raise
        except (LogError, RecoverableError, OSError) as error:
            self._let_go()
            raise ViewsUnavailable(str(error)) from error

    def _answer(self, ask: Ask[T], nothing: T) -> T:
        """The answer, of one moment; `nothing` where nobody has written views yet."""
        views = self._views()
        if views is None:
            if self._seen:
                raise ViewsIncomplete
            return nothing
        with translated(self._path), _moment(views):
            if not _standing_of(views).complete:
                raise ViewsIncomplete
            return ask(views)

    def _standing(self) -> Standing:
        views = self._views()
        if views is None:
            return Standing()
        with translated(self._path), _moment(views):
            return _standing_of(views)

    def _views(self) -> sqlite3.Connection | None:
        """The connection to the file that is there now, None when there is none."""
        file = identity(self._path)
        if file != self._file:
            self._let_go()
        if file is not None and self._connection is None:
            self._file, self._connection = file, open_file(self._path, write=False)
            self._seen = True
        return self._connection

    def _let_go(self) -> None:
        connection, self._connection, self._file = self._connection, None, None
        if connection is not None:
            connection.close()

    def _differs(self, look: _Look) -> bool:
        """Whether anything was written, or the file is another: costs some microseconds."""
        views = self._views()
        return look.file != self._file or (views is not None and look.version != _version(self._path, views))

    def _change(self, look: _Look) -> Change:
        views = self._views()
        file, look.file = look.file, self._file
        if views is None:
            return Change(Standing(), anew=file is not None or look.first())
        look.version = _version(self._path, views)
        with translated(self._path), _moment(views):
            return look.change(views)


class _Look:
    """What of the file was told already."""

    def __init__(self) -> None:
        self.file: int | None = None
        self.version = -1
        self._epoch: str | None = None
        self._number = -1
        self._began = False

    def first(self) -> bool:
        """Whether nothing was told yet; True once."""
        began, self._began = self._began, True
        return not began

    def change(self, views: sqlite3.Connection) -> Change:
        """What came since the last time."""
        standing = _standing_of(views)
        (number,) = views.execute("SELECT change FROM views").fetchone()
        before, self._number = self._number, number
        # Only what is written here: changes since, or everything when it is another file or epoch.
        anew = self.first() or standing.epoch != self._epoch or number < before
        self._epoch = standing.epoch
        if anew:
            return Change(standing, anew=True)
        tables = ("units", "employees", "templates", "alerted")
        found = {table: _changed(views, table, before) for table in tables}
        return Change(standing, found["units"], found["employees"], bool(found["templates"]), found["alerted"])


class _moment:
    """A read transaction: all questions in it see one moment."""

    def __init__(self, views: sqlite3.Connection) -> None:
        self._views = views

    def __enter__(self) -> None:
        self._views.execute("BEGIN")

    def __exit__(self, *_: object) -> None:
        self._views.execute("COMMIT")


def _version(path: Path, views: sqlite3.Connection) -> int:
    """A number that differs after every commit of another connection."""
    with translated(path):
        return int(views.execute("PRAGMA data_version").fetchone()[0])


def _standing_of(views: sqlite3.Connection) -> Standing:
    epoch, partitions = views.execute("SELECT epoch, partitions FROM views").fetchone()
    places = [_places.decode(value) for (value,) in views.execute("SELECT value FROM places")]
    return standing_of(epoch, partitions, places) if epoch else Standing()


def _values(table: str, ids: list[str], views: sqlite3.Connection) -> dict[str, bytes]:
    return looked_up(f"SELECT id, value FROM {table} WHERE id IN ({{}}) AND value IS NOT NULL", ids, views)


def _person(employee: str, most: int, views: sqlite3.Connection) -> PersonView:
    scores = _values("employees", [employee], views).get(employee)
    unit = unit_in(scores)
    pooled = _values("units", [unit], views).get(unit) if unit else None
    return PersonView(scores, pooled, employee_alerts(employee, most, views))


def _board(unit: str, views: sqlite3.Connection) -> list[str]:
    sql = "SELECT employee FROM boards WHERE unit = ? ORDER BY employee"
    return [employee for (employee,) in views.execute(sql, (unit,))]


def _boards(units: list[str], views: sqlite3.Connection) -> Boards:
    found = _values("units", units, views)
    people = {employee for unit in found for employee in _board(unit, views)}
    return Boards(found, _values("employees", list(people), views), unit_alerts(units, views))


def _counts(views: sqlite3.Connection) -> tuple[int, int]:
    employees, units = (
        views.execute(f"SELECT count(*) FROM {table} WHERE value IS NOT NULL").fetchone()[0]
        for table in ("employees", "units")
    )
    return employees, units


def _changed(views: sqlite3.Connection, table: str, since: int) -> frozenset[str]:
    return frozenset(key for (key,) in views.execute(f"SELECT id FROM {table} WHERE change > ?", (since,)))


_places: Final = msgspec.json.Decoder(Place)
