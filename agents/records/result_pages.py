"""Closed results for whoever looks: the row of each that holds now, in pages, and of one result all that it ever was.

Rows come in the order of subjects, windows and indicators; where a page ends is said by that row's own key.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, exists, select, tuple_

from agents.records.result_tables import latest_results, result_parts, results
from agents.records.results import FIELDS

Kind = Literal["employee", "unit"]
Row = Mapping[str, Any]


class ResultKey(NamedTuple):
    """Which result, as the table's key has it but for the number."""

    subject_kind: str
    subject: str
    window_end: int
    window_start: int
    window_kind: str
    template: str
    indicator: str


class Asked(NamedTuple):
    """Which results; None: any. Windows that ended after `since` and began before `until` (ms).

    `units`: of units these, of people who brought something to one of these in the window. `restated`: only those that
    were restated at least once.
    """

    kind: Kind | None = None
    subject: str | None = None
    units: Collection[str] | None = None
    window: str | None = None
    template: str | None = None
    indicator: str | None = None
    since: int | None = None
    until: int | None = None
    restated: bool = False


class Step(NamedTuple):
    """One row of a result's history; `changed`: fields that are not as in the row before, what they were and are."""

    row: Row
    changed: Mapping[str, tuple[Any, Any]]


_KEY: Final = ResultKey._fields
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1
_decoder: Final = msgspec.json.Decoder(tuple[str, str, int, int, str, str, str])


def page_of(connection: Connection, asked: Asked, after: ResultKey | None, limit: int) -> list[Row]:
    """At most `limit` rows that hold now, behind `after`."""
    rows = latest_results.c
    query = select(latest_results).where(*_wanted(asked))
    if after is not None:
        query = query.where(tuple_(*(rows[name] for name in _KEY)) > tuple(after))
    ordered = query.order_by(*(rows[name] for name in _KEY)).limit(limit)
    return [_plain(row) for row in connection.execute(ordered).mappings()]


def before(connection: Connection, found: Sequence[Row]) -> dict[ResultKey, Row]:
    """Of those rows that restate something what they replaced."""
    wanted = [(*key_of(row), row["number"] - 1) for row in found if row["number"]]
    if not wanted:
        return {}
    columns = tuple_(*(results.c[name] for name in (*_KEY, "number")))
    rows = connection.execute(select(results).where(columns.in_(wanted))).mappings()
    return {key_of(row): _plain(row) for row in rows}


def history(connection: Connection, key: ResultKey) -> list[Step]:
    """All that a result ever was, as it closed first."""
    same = (results.c[name] == value for name, value in zip(_KEY, key, strict=True))
    rows = connection.execute(select(results).where(*same).order_by(results.c.number)).mappings()
    found: list[Step] = []
    for row in map(_plain, rows):
        last = found[-1].row if found else row
        found.append(Step(row, {name: (last[name], row[name]) for name in FIELDS if last[name] != row[name]}))
    return found


def key_of(row: Mapping[Any, Any]) -> ResultKey:
    """The key of a row."""
    return ResultKey(*(row[name] for name in _KEY))


def written(key: ResultKey) -> str:
    """A key as an address has it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def read_key(text: str) -> ResultKey:
    """A key of such a text; ValueError when it is none."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = ResultKey(*_decoder.decode(packed))
    except (ValueError, msgspec.MsgspecError) as error:  # of base64 and of texts that are no ASCII, too
        raise ValueError(f"{text[:80]!r} is no key of a result") from error
    if not all(_storable(part) for part in found):
        raise ValueError(f"{text[:80]!r} is no key of a result")
    return found


def _storable(part: str | int) -> bool:
    """Whether a store can be asked for it at all."""
    return "\0" not in part if isinstance(part, str) else _LEAST <= part <= _MOST


def _wanted(asked: Asked) -> list[ColumnElement[bool]]:
    rows = latest_results.c
    equal = {
        "subject_kind": asked.kind,
        "subject": asked.subject,
        "window_kind": asked.window,
        "template": asked.template,
        "indicator": asked.indicator,
    }
    found: list[ColumnElement[bool]] = [rows[name] == value for name, value in equal.items() if value is not None]
    if asked.since is not None:
        found.append(rows.window_end > asked.since)
    if asked.until is not None:
        found.append(rows.window_start < asked.until)
    if asked.restated:
        found.append(rows.number > 0)
    if asked.units is not None:
        found.append(_in_units(asked.units))
    return found


def _in_units(units: Collection[str]) -> ColumnElement[bool]:
    """A unit's shift may begin and end at other times than that of who helped there: what touches it counts."""
    rows, parts = latest_results.c, result_parts.c
    same = [rows[name] == parts[name] for name in ("template", "window_kind")]
    touch = (parts.window_end > rows.window_start, parts.window_start < rows.window_end)
    brought = exists().where(parts.employee == rows.subject, parts.unit.in_(units), *same, *touch)
    people = and_(rows.subject_kind == "employee", brought)
    return people | and_(rows.subject_kind == "unit", rows.subject.in_(units))


def _plain(row: Mapping[Any, Any]) -> Row:
    return {str(name): value for name, value in row.items()}
