"""The latest of everything that was published, in memory; records in, touched units out, no clock and no I/O.

The view is a pure function of the records applied so far: whoever reads the compacted topics from their start
gets the same view, so it is never stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from dashboards.web.catalogue import Catalogue, Reader, read_template
from dashboards.web.names import valid_employee, valid_unit
from dashboards.web.updates import KnownEmployee, KnownUnit, decode_scores, decode_tick, decode_unit
from stream.topics import SCORE_UPDATES, TEMPLATES, TICKS, UNIT_UPDATES


class Published(NamedTuple):
    """A record of an output topic. `timestamp` in ms; a `value` of None removes the key."""

    topic: str
    partition: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Touched(NamedTuple):
    """What a batch of records changed: units to draw anew, and how many records could not be read."""

    units: frozenset[str]
    unreadable: int


class View:
    """Employees, units, templates and time as last published. Times in ms since 1970 UTC."""

    def __init__(self, reader: Reader = read_template) -> None:
        self._reader = reader
        self.clear()

    def clear(self) -> None:
        """Forgets everything: the log is another one."""
        self.employees: dict[str, KnownEmployee] = {}
        self.units: dict[str, KnownUnit] = {}
        self.catalogue = Catalogue(self._reader)
        self.last_record: int | None = None
        self._ticks: dict[int, int] = {}
        self._boards: dict[str, set[str]] = {}

    @property
    def now(self) -> int | None:
        """The newest tick over all partitions, None before the first."""
        return max(self._ticks.values(), default=None)

    @property
    def last_commit(self) -> int | None:
        """When the service was last heard of: the newest tick or record."""
        return max((at for at in (self.now, self.last_record) if at is not None), default=None)

    def unit_ids(self) -> list[str]:
        """The units that have a board, by id."""
        return sorted(self.units)

    def apply(self, records: Iterable[Published]) -> Touched:
        """Takes records in log order. One that cannot be read is counted and leaves the view as it was."""
        units: set[str] = set()
        unreadable = 0
        for record in records:
            try:
                units.update(self._apply(record))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                unreadable += 1
        return Touched(frozenset(units), unreadable)

    def _apply(self, record: Published) -> Iterable[str]:
        if record.topic == TICKS:
            return self._tick(record)
        if record.topic == TEMPLATES:
            return self._template(record)
        touched = self._score(record) if record.topic == SCORE_UPDATES else self._unit(record)
        self.last_record = max(self.last_record or 0, record.timestamp)
        return touched

    def _tick(self, record: Published) -> Iterable[str]:
        if record.value is not None:
            at = decode_tick(record.value).at
            self._ticks[record.partition] = max(at, self._ticks.get(record.partition, at))
        return ()

    def _template(self, record: Published) -> Iterable[str]:
        if record.value is not None and self.catalogue.publish(record.value.decode()):
            return self.unit_ids()
        return ()

    def _score(self, record: Published) -> Iterable[str]:
        employee = _key(record)
        if not valid_employee(employee):
            raise msgspec.ValidationError(f"key {employee!r} is no employee id")
        if record.value is None:
            self.employees.pop(employee, None)
        else:
            self.employees[employee] = decode_scores(employee, record.value)
        return self._boards.get(employee, ())

    def _unit(self, record: Published) -> Iterable[str]:
        unit = _key(record)
        if not valid_unit(unit):
            raise msgspec.ValidationError(f"key {unit!r} is no unit id")
        known = None if record.value is None else decode_unit(unit, record.value)
        before = self.units.get(unit)
        members = set(known.members if known else ())
        for employee in set(before.members if before else ()) - members:
            self._boards.get(employee, set()).discard(unit)
        for employee in members:
            self._boards.setdefault(employee, set()).add(unit)
        if known is None:
            self.units.pop(unit, None)
        else:
            self.units[unit] = known
        return (unit,)


def _key(record: Published) -> str:
    if record.topic not in (SCORE_UPDATES, UNIT_UPDATES):
        raise msgspec.ValidationError(f"topic {record.topic!r} is not one that the web reads")
    return (record.key or b"").decode()


def members_of(view: View, unit: str) -> Mapping[str, KnownEmployee]:
    """The people of a unit that have published scores, by id."""
    known = view.units.get(unit)
    found = {} if known is None else {employee: view.employees.get(employee) for employee in known.members}
    return {employee: update for employee, update in found.items() if update is not None}
