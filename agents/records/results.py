"""Results on their way into the store and out of it: each function is part of one transaction of its caller."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Connection, Select, func, insert, select, text, update

from agents.records.database import RecordsError
from agents.records.result_tables import latest_results, result_progress, result_run, results
from agents.records.result_terms import Begun, Key, Known, Progress, Row, Stamp
from stream.closed import SHIFT, Closed, Outcome

FIELDS: Final = Outcome.__struct_fields__
_VALUES: Final = [results.c[name] for name in FIELDS]
_MANY: Final = 500  # values in an IN

Item = TypeVar("Item")


class Superseded(Exception):
    """Another run has begun since; it does what is left, and this one writes nothing more."""


def begin(connection: Connection, log_id: str, run: str) -> Begun:
    """From here on this run writes and earlier ones do not. RecordsError when the results are of another log."""
    known = connection.execute(select(result_run)).one_or_none()
    if known is None:
        connection.execute(insert(result_run).values(id=1, log_id=log_id, run=run, tree=""))
    elif known.log_id != log_id:
        raise RecordsError(
            f"records: the results in it are of log {known.log_id}, this is log {log_id}; "
            "name the store of this log (setting records), or an empty one"
        )
    else:
        connection.execute(update(result_run).values(run=run))
    rows = connection.execute(select(result_progress))
    progress = {r.partition: Progress(r.closed_until, json.loads(r.read), json.loads(r.rules)) for r in rows}
    return Begun(progress, known.tree.encode() if known is not None and known.tree else None)


def demand_turn(connection: Connection, run: str) -> None:
    """Superseded when another run has begun since."""
    if connection.execute(select(result_run.c.run).with_for_update()).scalar_one() != run:
        raise Superseded("another run has begun since; it does what is left")


def latest_of(connection: Connection, employees: Collection[str], after: int) -> dict[Key, Known]:
    """The latest row of each result of these people in windows that ended after an instant."""
    found: dict[Key, Known] = {}
    for some in pieces(employees, _MANY):
        found |= _latest(
            connection,
            select(results).where(
                results.c.subject_kind == "employee", results.c.subject.in_(some), results.c.window_end > after
            ),
        )
    return found


def latest_of_units(connection: Connection, closed: Closed) -> dict[Key, Known]:
    """The latest row of each result of units in a window; in shifts that begin together, whenever they end."""
    return _latest(
        connection, select(results).where(results.c.subject_kind == "unit", *beginning_with(results.c, closed))
    )


def _latest(connection: Connection, wanted: Select[Any]) -> dict[Key, Known]:
    window = (results.c.template, results.c.window_kind, results.c.window_start, results.c.window_end)
    order = wanted.order_by(results.c.number).with_only_columns(
        results.c.subject, *window, results.c.indicator, results.c.number, *_VALUES
    )
    return {
        Key(row[0], Closed(row[1], row[2], row[3], row[4]), row[5]): Known(row[6], Outcome(*row[7:]))
        for row in connection.execute(order)
    }


def write(connection: Connection, kind: str, rows: Iterable[Row], stamp: Stamp) -> int:
    """Appends rows, each with its number; how many."""
    values = [
        {
            "subject_kind": kind,
            "subject": key.subject,
            **where(key.closed),
            "indicator": key.indicator,
            "number": number,
            **{name: getattr(outcome, name) for name in FIELDS},
            "cause": cause,
            "as_of": key.closed.as_of,
            "known_at": stamp.known_at,
            "computed_at": stamp.computed_at,
        }
        for key, number, outcome, cause in rows
    ]
    if values:
        connection.execute(insert(results), values)
    return len(values)


class Wanted(NamedTuple):
    """Which rows somebody asks for; None: any. `after`: of windows that ended later; `holds`: an instant in them."""

    kind: str | None = None
    subject: str | None = None
    window: str | None = None
    indicator: str | None = None
    template: str | None = None
    after: int | None = None
    holds: int | None = None
    latest: bool = False


def chosen(connection: Connection, wanted: Wanted) -> Iterator[Mapping[str, Any]]:
    """The rows, by subject, window, indicator and number."""
    rows = latest_results if wanted.latest else results
    equal = {
        "subject_kind": wanted.kind,
        "subject": wanted.subject,
        "window_kind": wanted.window,
        "indicator": wanted.indicator,
        "template": wanted.template,
    }
    query = select(rows).where(*(rows.c[name] == value for name, value in equal.items() if value is not None))
    if wanted.after is not None:
        query = query.where(rows.c.window_end > wanted.after)
    if wanted.holds is not None:
        query = query.where(rows.c.window_start <= wanted.holds, rows.c.window_end > wanted.holds)
    order = (column for column in results.primary_key.columns)
    ordered = query.order_by(*(rows.c[column.name] for column in order))
    for row in connection.execution_options(yield_per=1_000).execute(ordered).mappings():
        yield {str(name): value for name, value in row.items()}


class Past(NamedTuple):
    """A value of a window that is over, as it holds now. `start` in ms; `low` and `high` of rates only."""

    start: int
    value: float
    low: float | None
    high: float | None


Name = tuple[str, int, str]  # template, version, indicator
# As text: a page waits for it, and columns that are looked up by name and type cost as much again.
_PAST: Final = text(
    "SELECT template, version, indicator, window_end, window_start, value, low, high FROM results "
    "WHERE subject_kind = 'employee' AND subject = :employee AND window_end > :after AND window_kind = :kind "
    "AND indicator NOT LIKE '@%' ORDER BY window_end, window_start, number"
)


def past_of(connection: Connection, employee: str, window: str, after: int) -> dict[Name, list[Past]]:
    """By indicator a person's values in closed windows of a kind that ended after an instant, oldest first."""
    found: dict[Name, list[Past]] = {}
    asked = {"employee": employee, "after": after, "kind": window}
    ends: dict[Name, int] = {}
    for template, version, indicator, end, *values in connection.execute(_PAST, asked):
        name = (template, version, indicator)
        own = found.setdefault(name, [])
        if own and (own[-1].start, ends[name]) == (values[0], end):
            own.pop()  # restated
        own.append(Past(*values))
        ends[name] = end
    return {name: known for name, own in found.items() if (known := [one for one in own if one.value is not None])}


def state_of(connection: Connection) -> str:
    """A text that is another one after any run that may have written results."""
    rows = connection.execute(select(result_progress).order_by(result_progress.c.partition))
    return repr([tuple(row) for row in rows])


def reach(connection: Connection, partition: int, progress: Progress) -> None:
    """A partition is so far."""
    values = {
        "closed_until": progress.until,
        "read": json.dumps(progress.read, sort_keys=True),
        "rules": json.dumps(progress.rules),
    }
    changed = connection.execute(
        update(result_progress).where(result_progress.c.partition == partition).values(**values)
    )
    if not changed.rowcount:
        connection.execute(insert(result_progress).values(partition=partition, **values))


def adopt_tree(connection: Connection, tree: bytes) -> None:
    """Units are pooled by this tree from now on."""
    connection.execute(update(result_run).values(tree=tree.decode()))


def closed_until(connection: Connection) -> int | None:
    """Up to when windows are closed in every partition that was looked at (ms); None before the first run."""
    found: int | None = connection.execute(select(func.min(result_progress.c.closed_until))).scalar_one_or_none()
    return found


def pieces(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items, at most so many at a time."""
    left = iter(items)
    while some := list(islice(left, size)):
        yield some


def where(closed: Closed) -> dict[str, object]:
    """The columns that say which window."""
    return {
        "template": closed.template,
        "window_kind": closed.window,
        "window_start": closed.start,
        "window_end": closed.end,
    }


def beginning_with(columns: Any, closed: Closed) -> Sequence[Any]:
    """What holds in a window; of shifts in all that begin together."""
    asked = where(closed)
    if closed.window == SHIFT:
        del asked["window_end"]
    return [columns[name] == value for name, value in asked.items()]
