"""What people do to an organisation: each edit takes one and gives another, or says why it makes no sense.

Whether the result is an organisation is told by agents/records/tree.py, for all edits alike. Several edits may be one
change: agents/records/organisation.py makes a transaction of it. All instants are ms since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from agents.records.rows import (
    Assignment,
    Charge,
    Employee,
    Key,
    Organisation,
    Span,
    Unit,
    assignment_at,
    of,
    span_at,
    until,
)
from agents.records.sayings import Instants, Kinds, Said, Spans, said
from agents.records.tree import Breach, OrganisationError

Edit = Callable[[Organisation], Organisation]
R = TypeVar("R")


def all_of(*edits: Edit) -> Edit:
    """Edits one after the other, as one."""

    def edit(now: Organisation) -> Organisation:
        for one in edits:
            now = one(now)
        return now

    return edit


def add_unit(
    unit: str, kind: str, parent: str | None, name_zh: str, name_en: str, at: int, ends: int | None = None
) -> Edit:
    """A unit that exists from `at`; also one that was closed and opens again."""

    def edit(now: Organisation) -> Organisation:
        known = now.units.get((unit,))
        if known is not None and known.kind != kind:
            raise _refused("units", (unit,), at, said("other-kind", kind=Kinds((known.kind,))))
        _free(now.unit_spans, "unit_spans", (unit, at), "begins-already")
        units = {**now.units, (unit,): known or Unit(unit, kind)}
        return now._replace(
            units=units, unit_spans=_with(now.unit_spans, Span(unit, at, ends, parent, name_zh, name_en))
        )

    return edit


def rename_unit(unit: str, name_zh: str, name_en: str, at: int) -> Edit:
    """Other names from `at` on, until others were said already."""
    return _reshape(unit, at, {"name_zh": name_zh, "name_en": name_en}, "called-so")


def move_unit(unit: str, parent: str | None, at: int) -> Edit:
    """Another parent from `at` on, until another one was said already."""
    return _reshape(unit, at, {"parent": parent}, "there-already")


def _reshape(unit: str, at: int, fields: Mapping[str, Any], same: str) -> Edit:
    def edit(now: Organisation) -> Organisation:
        spans = of(now.unit_spans, unit)
        current = _holding(spans, unit, at)
        old = [getattr(current, name) for name in fields]
        if old == list(fields.values()):
            raise _refused("unit_spans", (unit, current.begins), at, said(same))
        later = [span for span in spans if span.begins > at]
        rows = dict(now.unit_spans)
        if current.begins < at:
            rows[unit, current.begins] = current._replace(ends=at)
        rows[unit, at] = current._replace(begins=at, **fields)
        for span in later:
            if [getattr(span, name) for name in fields] != old:
                break
            rows[unit, span.begins] = span._replace(**fields)
        return now._replace(unit_spans=rows)

    return edit


def show_names(unit: str, names: str | None) -> Edit:
    """Boards show the people of the unit, and of those below that say nothing else, by name, or not: from now on."""

    def edit(now: Organisation) -> Organisation:
        known = now.units.get((unit,))
        if known is None:
            raise _refused("units", (unit,), None, said("unit-named"))
        return now._replace(units={**now.units, (unit,): known._replace(names=names)})

    return edit


def close_unit(unit: str, at: int) -> Edit:
    """From `at` on it does not exist, and nobody is in charge of it; its people and subunits must be elsewhere."""

    def edit(now: Organisation) -> Organisation:
        current = _holding(of(now.unit_spans, unit), unit, at)
        rows = {key: span for key, span in now.unit_spans.items() if key[0] != unit or span.begins < at}
        if current.begins < at:
            rows[unit, current.begins] = current._replace(ends=at)
        units = now.units
        if not any(key[0] == unit for key in rows):
            units = {key: row for key, row in now.units.items() if key != (unit,)}
        return _uncharged(now._replace(units=units, unit_spans=rows), at, unit=unit)

    return edit


def hire(employee: Employee, role: str, unit: str, at: int) -> Edit:
    """Somebody who was never here begins."""

    def edit(now: Organisation) -> Organisation:
        if history := of(now.assignments, employee.id):
            raise _refused("employees", (employee.id,), at, said("here-since", since=history[0].begins))
        now = now._replace(employees={**now.employees, (employee.id,): employee})
        return _assigned(now, Assignment(employee.id, at, role, unit))

    return edit


def describe(employee: Employee) -> Edit:
    """Another name, address or language; it has no history."""

    def edit(now: Organisation) -> Organisation:
        if (employee.id,) not in now.employees:
            raise _refused("employees", (employee.id,), None, said("no-employee"))
        return now._replace(employees={**now.employees, (employee.id,): employee})

    return edit


def transfer(employee: str, role: str, unit: str, at: int) -> Edit:
    """Another role or unit from `at` on, until the next assignment."""

    def edit(now: Organisation) -> Organisation:
        current = _here(now, employee, at)
        if (current.role, current.unit) == (role, unit):
            raise _refused("assignments", current[:2], at, said("same-place", role=role, unit=unit))
        return _assigned(now, Assignment(employee, at, role, unit))

    return edit


def leave(employee: str, at: int) -> Edit:
    """They are not here from `at` on, and in charge of nothing."""

    def edit(now: Organisation) -> Organisation:
        _here(now, employee, at)
        return _uncharged(_assigned(now, Assignment(employee, at, None, None)), at, employee=employee)

    return edit


def rehire(employee: str, role: str, unit: str, at: int) -> Edit:
    """Somebody who left comes back."""

    def edit(now: Organisation) -> Organisation:
        current = assignment_at(of(now.assignments, employee), at)
        if current is None:
            raise _refused("assignments", (employee, at), at, said("never-here"))
        if current.unit is not None:
            there = said("still-here", role=current.role, unit=current.unit, since=current.begins)
            raise _refused("assignments", current[:2], at, there)
        return _assigned(now, Assignment(employee, at, role, unit))

    return edit


def correct_assignment(
    employee: str, begins: int, role: str | None, unit: str | None, new_begins: int | None = None
) -> Edit:
    """What was said of an assignment was wrong: its role and unit, and where given its instant."""

    def edit(now: Organisation) -> Organisation:
        now = remove_assignment(employee, begins)(now)
        return _assigned(now, Assignment(employee, begins if new_begins is None else new_begins, role, unit))

    return edit


def remove_assignment(employee: str, begins: int) -> Edit:
    """It never was: what held before holds on."""

    def edit(now: Organisation) -> Organisation:
        if (employee, begins) not in now.assignments:
            there = Instants(row.begins for row in of(now.assignments, employee))
            raise _refused("assignments", (employee, begins), begins, said("no-assignment", begins=there))
        return now._replace(assignments=_without(now.assignments, (employee, begins)))

    return edit


def set_manager(unit: str, employee: str, at: int, ends: int | None = None) -> Edit:
    """They are in charge of a unit from `at` on; it may have several."""

    def edit(now: Organisation) -> Organisation:
        key = (unit, employee, at)
        _free(now.managers, "managers", key, "charge-already")
        return now._replace(managers=_with(now.managers, Charge(unit, employee, at, ends), 3))

    return edit


def unset_manager(unit: str, employee: str, at: int) -> Edit:
    """They are not in charge of it from `at` on."""

    def edit(now: Organisation) -> Organisation:
        own = [row for row in of(now.managers, unit) if row.employee == employee]
        if not any(row.begins <= at < until(row.ends) for row in own):
            spans = Spans((row.begins, row.ends) for row in own)
            raise _refused("managers", (unit, employee, at), at, said("not-in-charge", spans=spans))
        return _uncharged(now, at, unit=unit, employee=employee)

    return edit


def _uncharged(now: Organisation, at: int, *, unit: str | None = None, employee: str | None = None) -> Organisation:
    """Nobody (or not this employee) is in charge of it (or of anything) from an instant on."""
    rows = {}
    for key, row in now.managers.items():
        if unit in (None, row.unit) and employee in (None, row.employee) and until(row.ends) > at:
            if row.begins < at:
                rows[key] = row._replace(ends=at)
        else:
            rows[key] = row
    return now._replace(managers=rows)


def _assigned(now: Organisation, row: Assignment) -> Organisation:
    _free(now.assignments, "assignments", row[:2], "assignment-already")
    return now._replace(assignments=_with(now.assignments, row))


def _here(now: Organisation, employee: str, at: int) -> Assignment:
    current = assignment_at(of(now.assignments, employee), at)
    if current is None:
        raise _refused("assignments", (employee, at), at, said("not-here-yet"))
    if current.unit is None:
        raise _refused("assignments", current[:2], at, said("left", at=current.begins))
    return current


def _holding(spans: list[Span], unit: str, at: int) -> Span:
    current = span_at(spans, at)
    if current is None:
        exists = Spans((span.begins, span.ends) for span in spans)
        raise _refused("unit_spans", (unit, at), at, said("not-then", spans=exists))
    return current


def _free(rows: Mapping[Key, R], table: str, key: Key, taken: str) -> None:
    if key in rows:
        raise _refused(table, key, key[-1], said(taken))


def _with(rows: Mapping[Key, Any], row: tuple[Any, ...], width: int = 2) -> dict[Key, Any]:
    return {**rows, tuple(row[:width]): row}


def _without(rows: Mapping[Key, R], gone: Key) -> dict[Key, R]:
    return {key: row for key, row in rows.items() if key != gone}


def _refused(table: str, key: Key, at: int | None, why: Said) -> OrganisationError:
    return OrganisationError([Breach(table, tuple(key), at, why)])
