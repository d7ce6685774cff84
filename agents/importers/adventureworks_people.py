"""The AdventureWorks company as an organisation: departments within their groups, 290 people, every transfer as it is.

The company is the root and begins with its first employee, as do all departments; a group of departments is a
department, `group-...`, for one of them has a department's name. Ids, roles, units and times are those of the events
that agents/importers/adventureworks.py makes, so both say the same assignments. The source has no names: an employee's
is the login.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from agents.importers.adventureworks import DEPARTMENT, EMPLOYEE, HISTORY, slug
from agents.importers.tsv import Line, by_key, read_table
from agents.records.statement import Place, Statement

COMPANY: Final = "adventureworks"
_DEPARTMENTS: Final = "hr/Department.tsv"
_EMPLOYEES: Final = "hr/Employee.tsv"
_HISTORY: Final = "hr/EmployeeDepartmentHistory.tsv"


def load(folder: Path) -> Statement:
    """Reads `folder` (with hr/) whole; SourceError names file, line and remedy."""
    departments = by_key(read_table(folder, _DEPARTMENTS, DEPARTMENT), "department")
    employees = by_key(read_table(folder, _EMPLOYEES, EMPLOYEE), "employee")
    history = read_table(folder, _HISTORY, HISTORY)
    statement = Statement()
    began = _instant(min((line.day("start") for line in history), default=date(2000, 1, 1)))
    for fields, place in _units(list(departments.values())):
        statement.add("units", {**fields, "begins": began}, place)
    for line in employees.values():
        login = line.text("login").rpartition("\\")[2]
        statement.add("employees", {"employee": _person(line), "name": login}, _place(line))
    for fields, place in _assignments(history, departments, employees):
        statement.add("assignments", fields, place)
    return statement


def _units(departments: list[Line]) -> Iterator[tuple[dict[str, str], Place]]:
    """Parents first; a group stands where it is named first."""
    name = {"name_en": "Adventure Works", "name_zh": "Adventure Works"}
    yield {"unit": COMPANY, "kind": "company", **name}, Place(_DEPARTMENTS, 1)
    groups: set[str] = set()
    for line in departments:
        group = f"group-{slug(line.text('group'))}"
        if group not in groups:
            groups.add(group)
            yield {"unit": group, "kind": "department", "parent": COMPANY, "name_en": line.text("group")}, _place(line)
        unit = slug(line.text("name"))
        yield {"unit": unit, "kind": "department", "parent": group, "name_en": line.text("name")}, _place(line)


def _assignments(
    history: list[Line], departments: dict[str, Line], employees: dict[str, Line]
) -> Iterator[tuple[dict[str, str], Place]]:
    starts = {(line.text("employee"), line.day("start")) for line in history}
    for line in history:
        person = line.text("employee")
        for column, known in (("employee", employees), ("department", departments)):
            if line.text(column) not in known:
                raise line.error(column, f"no table of the folder has this {column}: export all tables together")
        role = slug(employees[person].text("title"))
        unit = slug(departments[line.text("department")].text("name"))
        fields = {"employee": _person(line), "begins": _instant(line.day("start"))}
        yield {**fields, "role": role, "unit": unit}, _place(line)
        if line.fields["end"].strip():
            after = line.day("end") + timedelta(days=1)
            if (person, after) not in starts:
                yield {**fields, "begins": _instant(after)}, _place(line)


def _person(line: Line) -> str:
    return f"AW-{line.text('employee')}"


def _instant(day: date) -> str:
    return f"{day}T00:00:00Z"


def _place(line: Line) -> Place:
    return Place(line.file, line.number)
