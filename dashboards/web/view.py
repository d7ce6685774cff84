"""What screens look at, as last read from the views; values in, touched units out, no clock and no I/O.

Only units that somebody watches are here, with their people: a company may be larger than this process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from agents.views.port import Standing
from dashboards.web.alerts import Alert, decode_alert
from dashboards.web.catalogue import Catalogue, Reader, read_template
from dashboards.web.updates import KnownEmployee, KnownUnit, decode_scores, decode_unit
from schemas.unreadable import UNREADABLE


class Touched(NamedTuple):
    """What new values changed: units to draw anew, and how many values could not be read."""

    units: frozenset[str]
    unreadable: int


class View:
    """Employees, units, templates and time as last read. Times in ms since 1970 UTC."""

    def __init__(self, reader: Reader = read_template) -> None:
        self._reader = reader
        self.now: int | None = None  # the newest tick
        self.last_commit: int | None = None  # when the service was last heard of
        self.clear()

    def clear(self) -> None:
        """Forgets everything but the time: the views are others."""
        self.employees: dict[str, KnownEmployee] = {}
        self.units: dict[str, KnownUnit] = {}
        self.alerts: dict[str, tuple[Alert, ...]] = {}  # open ones by unit
        self.catalogue = Catalogue(self._reader)
        self._boards: dict[str, set[str]] = {}
        self._texts: set[bytes] = set()

    def tell(self, standing: Standing) -> None:
        """The time as the views have it."""
        self.now, self.last_commit = standing.now, standing.heard

    def shown(self, employees: Iterable[str]) -> set[str]:
        """Those of these people who are on a board here."""
        return {employee for employee in employees if employee in self._boards}

    def missing(self) -> set[str]:
        """People who belong to a unit here and have not been read."""
        return self._boards.keys() - self.employees.keys()

    def put(
        self,
        units: Mapping[str, bytes | None] = {},
        employees: Mapping[str, bytes | None] = {},
        templates: Iterable[bytes] = (),
        alerts: Mapping[str, Sequence[bytes]] = {},
    ) -> Touched:
        """Takes values, None for what is gone. One that cannot be read is counted and leaves the view as it was.

        `alerts`: all that are open, by unit.
        """
        touched: set[str] = set()
        unreadable = 0
        for text in set(templates) - self._texts:
            self._texts.add(text)
            if self.catalogue.publish(text.decode("utf-8", "replace")):
                touched.update(self.units)
        for take, values in ((self._unit, units), (self._employee, employees)):
            for key, value in values.items():
                try:
                    touched.update(take(key, value))
                except UNREADABLE:
                    unreadable += 1
        for unit, rows in alerts.items():
            unreadable += self._alerts(unit, rows)
            touched.add(unit)
        return Touched(frozenset(touched), unreadable)

    def prune(self) -> None:
        """Forgets people who are on no board here."""
        for employee in self.employees.keys() - self._boards.keys():
            del self.employees[employee]

    def forget(self, unit: str) -> None:
        """Nobody watches the unit any longer, nor those who are on no other board."""
        self._unit(unit, None)
        self.alerts.pop(unit, None)

    def _employee(self, employee: str, value: bytes | None) -> Collection[str]:
        if value is None:
            self.employees.pop(employee, None)
        else:
            self.employees[employee] = decode_scores(employee, value)
        return self._boards.get(employee, ())

    def _unit(self, unit: str, value: bytes | None) -> Collection[str]:
        known = None if value is None else decode_unit(unit, value)
        before = self.units.get(unit)
        members = set(known.members if known else ())
        for employee in set(before.members if before else ()) - members:
            self._leave(employee, unit)
        for employee in members:
            self._boards.setdefault(employee, set()).add(unit)
        if known is None:
            self.units.pop(unit, None)
        else:
            self.units[unit] = known
        return (unit,)

    def _alerts(self, unit: str, values: Iterable[bytes]) -> int:
        """Takes a unit's alerts; how many could not be read."""
        found: list[Alert] = []
        unreadable = 0
        for value in values:
            try:
                found.append(decode_alert(value))
            except UNREADABLE:
                unreadable += 1
        self.alerts[unit] = tuple(found)
        return unreadable

    def _leave(self, employee: str, unit: str) -> None:
        boards = self._boards.get(employee, set())
        boards.discard(unit)
        if not boards:
            self._boards.pop(employee, None)
            self.employees.pop(employee, None)


def members_of(view: View, unit: str) -> Mapping[str, KnownEmployee]:
    """The people of a unit that have published scores, by id."""
    known = view.units.get(unit)
    found = {} if known is None else {employee: view.employees.get(employee) for employee in known.members}
    return {employee: update for employee, update in found.items() if update is not None}
