"""Whom a request names is looked up in the views: there, or a problem that says where the ids are."""

from __future__ import annotations

from agents.views.port import ViewsReader
from dashboards.web.names import valid_employee, valid_unit
from dashboards.web.problems import RequestProblem
from dashboards.web.updates import KnownEmployee, KnownUnit, decode_scores, decode_unit, readable


async def unit_of(views: ViewsReader, unit: str) -> KnownUnit:
    """The unit as last published; a problem when its id is none, or nothing was."""
    if not valid_unit(unit):
        detail = "a unit's id is 1 to 128 characters without control characters"
        raise RequestProblem(400, detail, "unit", unit)
    known = readable(decode_unit, unit, (await views.units([unit])).get(unit))
    if known is None:
        detail = f"nothing was published for unit {unit!r}; /api/v1/units lists the units that there are"
        raise RequestProblem(404, detail, "unit", unit)
    return known


async def employee_of(views: ViewsReader, employee: str) -> KnownEmployee:
    """The employee as last published; a problem when the id is none, or nothing was."""
    if not valid_employee(employee):
        raise RequestProblem(400, "an employee's id is [A-Za-z0-9_.:-]{1,64}", "employee", employee)
    known = readable(decode_scores, employee, (await views.employees([employee])).get(employee))
    if known is None:
        detail = f"nothing was published for employee {employee!r}; /api/v1/units/UNIT lists the members of a unit"
        raise RequestProblem(404, detail, "employee", employee)
    return known
