"""An organisation as a value: the rows of its five tables, by their keys. Two of them differ in rows, and nothing else.

The first fields of a row are its key. Nothing here reads a clock or a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeVar

from schemas.instants import format_rfc3339

FOREVER: Final = 1 << 62
INHERIT: Final = "inherit"  # how a unit's `names` is written that is as the unit above it


class Unit(NamedTuple):
    """What people belong to. `names`: whether boards show its people by name; None: as the unit above it."""

    id: str
    kind: str
    names: str | None = None


class Span(NamedTuple):
    """What a unit is called and where it belongs during [begins, ends); ends None: still so; parent None: the root."""

    unit: str
    begins: int
    ends: int | None
    parent: str | None
    name_zh: str
    name_en: str


class Employee(NamedTuple):
    """A person."""

    id: str
    name: str
    email: str | None = None
    language: str | None = None


class Assignment(NamedTuple):
    """Role and unit of an employee from an instant until the next assignment; both None: not here."""

    employee: str
    begins: int
    role: str | None
    unit: str | None


class Charge(NamedTuple):
    """Who is in charge of a unit during [begins, ends)."""

    unit: str
    employee: str
    begins: int
    ends: int | None = None


Key = tuple[Any, ...]
Row = Unit | Span | Employee | Assignment | Charge
R = TypeVar("R", bound=tuple[Any, ...])


class Organisation(NamedTuple):
    """All rows, by key."""

    units: Mapping[Key, Unit]
    unit_spans: Mapping[Key, Span]
    employees: Mapping[Key, Employee]
    assignments: Mapping[Key, Assignment]
    managers: Mapping[Key, Charge]


TABLES: Final[Mapping[str, type[Row]]] = {
    "units": Unit,
    "unit_spans": Span,
    "employees": Employee,
    "assignments": Assignment,
    "managers": Charge,
}
KEY_FIELDS: Final = {"units": 1, "unit_spans": 2, "employees": 1, "assignments": 2, "managers": 3}
NOBODY: Final = Organisation({}, {}, {}, {}, {})


class Change(NamedTuple):
    """A row that was added (was None), removed (became None) or changed."""

    table: str
    key: Key
    was: Row | None
    became: Row | None

    @property
    def kind(self) -> str:
        """added, removed or changed."""
        return "added" if self.was is None else "removed" if self.became is None else "changed"


def keyed(table: str, rows: Iterable[R]) -> dict[Key, R]:
    """Rows of a table by their keys."""
    width = KEY_FIELDS[table]
    return {row[:width]: row for row in rows}


def differences(old: Organisation, new: Organisation) -> list[Change]:
    """What has to be done to get from one to the other, table by table in the order of keys."""
    return [change for table in TABLES for change in _differences(table, getattr(old, table), getattr(new, table))]


def _differences(table: str, old: Mapping[Key, Row], new: Mapping[Key, Row]) -> Iterator[Change]:
    if old is new:
        return
    gone = [key for key in old if key not in new]
    for key in sorted([*gone, *(key for key, row in new.items() if old.get(key) != row)]):
        yield Change(table, key, old.get(key), new.get(key))


def by_first(rows: Mapping[Key, R]) -> dict[str, list[R]]:
    """Rows by the first part of their key (a unit, an employee), in the order of keys."""
    ordered = (rows[key] for key in sorted(rows))
    return {name: list(group) for name, group in groupby(ordered, key=itemgetter(0))}


def of(rows: Mapping[Key, R], name: str) -> list[R]:
    """The rows whose key begins with `name`, in the order of keys."""
    return [rows[key] for key in sorted(key for key in rows if key[0] == name)]


def assignment_at(history: Iterable[Assignment], at: int) -> Assignment | None:
    """The assignment in force at an instant, of one employee's in the order of time."""
    found = None
    for assignment in history:
        if assignment.begins > at:
            break
        found = assignment
    return found


def span_at(spans: Iterable[Span], at: int) -> Span | None:
    """The span that holds at an instant, of one unit's."""
    return next((span for span in spans if span.begins <= at < until(span.ends)), None)


def until(ends: int | None) -> int:
    """The end of a span as a number."""
    return FOREVER if ends is None else ends


def when(at: int | None) -> str:
    """An instant in words; an end that is none is `still`."""
    return "still" if at is None else format_rfc3339(at)
