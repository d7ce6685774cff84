"""What people brought to units in closed windows, and the windows in which the units wait to be computed."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from agents.records.result_tables import result_parts, result_pending
from agents.records.results import beginning_with, pieces, where
from stream.closed import SHIFT, Closed, Sums

_MANY: Final = 500  # values in an IN


class Part(NamedTuple):
    """Which contribution: of somebody to a unit in the unit's window, under a version of the template."""

    employee: str
    closed: Closed
    unit: str
    version: int


class Brought(NamedTuple):
    """What somebody brought to a unit in a window, which a shift may end as it likes."""

    unit: str
    end: int
    version: int
    sums: Sums


class Waiting(NamedTuple):
    """Windows in which units wait: one, or of shifts all that begin together, of which it is the last to end.

    `causes`: by the ends of the windows (ms) why, with a comma between.
    """

    closed: Closed
    causes: Mapping[int, str]


def parts_of(connection: Connection, employees: Collection[str], after: int) -> dict[Part, str]:
    """What these people brought to units in windows that ended after an instant: sums as text."""
    c = result_parts.c
    found: dict[Part, str] = {}
    for some in pieces(employees, _MANY):
        rows = connection.execute(select(result_parts).where(c.employee.in_(some), c.window_end > after))
        found |= {Part(row.employee, _closed(row), row.unit, row.version): row.sums for row in rows}
    return found


def replace_parts(
    connection: Connection, before: Mapping[Part, str], now: Mapping[Part, str], cause: Callable[[str, Closed], str]
) -> None:
    """Makes the parts what they are now; the units' windows that this touches wait to be computed.

    `cause`: why somebody's part in a window is another.
    """
    changed = {part for part in before.keys() | now.keys() if before.get(part) != now.get(part)}
    gone = [{f"of_{name}": value for name, value in _part(part).items()} for part in changed if part in before]
    if gone:
        same = [result_parts.c[name] == bindparam(f"of_{name}") for name in _part(next(iter(changed)))]
        connection.execute(delete(result_parts).where(*same), gone)
    new = [{**_part(part), "sums": now[part]} for part in changed if part in now]
    if new:
        connection.execute(insert(result_parts), new)
    causes: dict[Closed, set[str]] = {}
    for part in changed:
        causes.setdefault(part.closed, set()).add(cause(part.employee, part.closed))
    pend(connection, {closed: together(own) for closed, own in causes.items()})


def parts_in(connection: Connection, closed: Closed) -> Iterator[Brought]:
    """What everybody brought to each unit in a window; in shifts that begin together, whenever they end."""
    c = result_parts.c
    wanted = select(c.unit, c.window_end, c.version, c.sums).where(*beginning_with(c, closed))
    return (Brought(unit, end, version, read_sums(text)) for unit, end, version, text in connection.execute(wanted))


def pend(connection: Connection, windows: Mapping[Closed, str]) -> None:
    """The units' results in these windows are to be computed, each for its causes."""
    known = {_closed(row): row.cause for row in connection.execute(select(result_pending))} if windows else {}
    new = [{**where(closed), "cause": windows[closed]} for closed in sorted(windows) if closed not in known]
    if new:
        connection.execute(insert(result_pending), new)
    for closed in known.keys() & windows.keys():
        if (cause := together((known[closed], windows[closed]))) != known[closed]:
            same = [result_pending.c[name] == value for name, value in where(closed).items()]
            connection.execute(update(result_pending).where(*same).values(cause=cause))


def windows_after(connection: Connection, after: int, window: str | None = None) -> set[Closed]:
    """The windows (of one kind) with parts of units that ended after an instant."""
    c = result_parts.c
    columns = (c.template, c.window_kind, c.window_start, c.window_end)
    wanted = select(*columns).where(c.window_end > after, *([] if window is None else [c.window_kind == window]))
    return {_closed(row) for row in connection.execute(wanted.distinct())}


def pending(connection: Connection) -> list[Waiting]:
    """The windows that wait, the one that ended first before the others."""
    found: dict[tuple[object, ...], Waiting] = {}
    for row in connection.execute(select(result_pending)):
        closed = _closed(row)
        key = closed[:3] if closed.window == SHIFT else closed
        known = found.get(key, Waiting(closed, {}))
        found[key] = Waiting(max(known.closed, closed), {**known.causes, closed.end: row.cause})
    return sorted(found.values(), key=lambda one: (one.closed.end, one.closed))


def done(connection: Connection, closed: Closed) -> None:
    """The units' results in a window, or in all shifts that begin with it, are computed."""
    connection.execute(delete(result_pending).where(*beginning_with(result_pending.c, closed)))


def together(causes: Iterable[str]) -> str:
    """Several causes as one."""
    return ",".join(sorted({kind for cause in causes for kind in cause.split(",") if kind}))


def sums_text(sums: Sums) -> str:
    """Sums as a part keeps them."""
    return json.dumps(sorted(sums.items()), separators=(",", ":"))


def read_sums(text: str) -> Sums:
    """Sums of such a text; whole numbers of any size."""
    return dict(json.loads(text))


def _closed(row: Any) -> Closed:
    return Closed(row.template, row.window_kind, row.window_start, row.window_end)


def _part(part: Part) -> dict[str, object]:
    return {**where(part.closed), "unit": part.unit, "employee": part.employee, "version": part.version}
