"""The JSON API: the latest rows as published, in the contract's own words."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

from litestar import Request, Router, get
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter

from dashboards.web.api_examples import EMPLOYEE, NOBODY, SCORES, TOO_MANY, UNIT, UNITS, answers
from dashboards.web.api_types import EmployeeScores, ScoreList, TrendPane, UnitEntry, UnitList, UnitScores
from dashboards.web.names import path_segments, unit_segment, valid_employee, valid_unit
from dashboards.web.problems import RequestProblem
from dashboards.web.times import instant
from dashboards.web.updates import KnownEmployee, KnownUnit
from dashboards.web.view import View, members_of
from dashboards.web.web import Web
from schemas.instants import format_rfc3339
from schemas.rows import ScoreRow

MOST_ROWS: Final = 10_000

EmployeeId = Annotated[
    str,
    PathParameter(description="The employee's id, `[A-Za-z0-9_.:-]{1,64}`.", examples=[Example(value="E0261")]),
]
UnitId = Annotated[
    str,
    PathParameter(
        description="The unit's id, URL-encoded: a slash in it is %2F.",
        examples=[Example(summary="A line", value="L03")],
    ),
]
OfUnit = Annotated[str | None, QueryParameter(description="Only members of this unit.")]
OfEmployee = Annotated[str | None, QueryParameter(description="Only this employee.")]
OfIndicator = Annotated[
    str | None,
    QueryParameter(description="Only this indicator; totals are `@total`, `@performance`, `@ability`, `@attitude`."),
]
OfWindow = Annotated[
    str | None, QueryParameter(description="Only this window, as the template writes it: `rolling 60m`, `day`.")
]
After = Annotated[str | None, QueryParameter(description="The `next` of the page before.")]
Limit = Annotated[
    int, QueryParameter(ge=1, le=MOST_ROWS, description="How many rows are enough; whole employees are given.")
]


@get(
    "/units",
    sync_to_thread=False,
    tags=["units"],
    summary="All units that have a board",
    responses=answers(UNITS, "The units by id."),
)
def list_units(web: NamedDependency[Web]) -> UnitList:
    """Every unit (line, team, store) that scores were published for, by id."""
    return UnitList(
        now=instant(web.view.now),
        units=[
            UnitEntry(
                unit=unit,
                people=len(known.members),
                as_of=instant(known.as_of),
                newest=instant(known.newest),
                href=f"/api/v1/units/{unit_segment(unit)}",
                board=f"/board/{unit_segment(unit)}",
            )
            for unit, known in sorted(web.view.units.items())
        ],
    )


@get(
    "/units/{unit:path}",
    sync_to_thread=False,
    tags=["units"],
    summary="One unit: pooled scores, members, trends",
    responses=answers(UNIT, "The unit as last published.", NOBODY),
)
def get_unit(request: Request[Any, Any, Any], web: NamedDependency[Web], unit: UnitId) -> UnitScores:
    """A unit's rows pool the sums of its members at event time; they are never means of their rates."""
    segments = path_segments(request.scope.get("raw_path") or request.scope["path"].encode())
    # As sent: `unit` has lost the difference between a slash and %2F.
    asked = "/".join(segments[segments.index("units") + 1 :]) or unit
    update = _unit(web.view, asked).update()
    return UnitScores(asked, update.as_of, update.newest, update.members, update.rows, _trends(update.trends))


@get(
    "/employees/{employee_id:str}",
    sync_to_thread=False,
    tags=["employees"],
    summary="One employee: scores and trends",
    responses=answers(EMPLOYEE, "The employee as last published.", NOBODY),
)
def get_employee(web: NamedDependency[Web], employee_id: EmployeeId) -> EmployeeScores:
    """An employee's rows in every window of the templates that apply to them, as of the last publication."""
    update = _employee(web.view, employee_id).update()
    return EmployeeScores(employee_id, update.unit, update.as_of, update.newest, update.rows, _trends(update.trends))


@get(
    "/scores",
    tags=["scores"],
    summary="Rows of many employees, filtered",
    responses=answers(SCORES, "Rows by employee id.", NOBODY, TOO_MANY),
)
async def list_scores(
    web: NamedDependency[Web],
    unit: OfUnit = None,
    employee: OfEmployee = None,
    indicator: OfIndicator = None,
    window: OfWindow = None,
    after: After = None,
    limit: Limit = 1000,
) -> ScoreList:
    """Rows of all employees that the filters leave, by employee id; a page ends with the last row of an employee."""
    people = [(id, known) for id, known in _chosen(web.view, unit, employee) if after is None or id > after]
    # Ten thousand employees are decoded: not on the event loop, where screens wait. Updates never change.
    rows, following = await asyncio.to_thread(_page, people, indicator, window, limit)
    return ScoreList(instant(web.view.now), rows, following)


def _page(
    people: Sequence[tuple[str, KnownEmployee]], indicator: str | None, window: str | None, limit: int
) -> tuple[list[ScoreRow], str | None]:
    """Rows of whole employees until they are enough, and the last employee when there are more."""
    rows: list[ScoreRow] = []
    for place, (employee_id, known) in enumerate(people, 1):
        rows += _matching(known, indicator, window)
        if len(rows) >= limit and place < len(people):
            return rows, employee_id
    return rows, None


def _chosen(view: View, unit: str | None, employee: str | None) -> Sequence[tuple[str, KnownEmployee]]:
    if employee is not None:
        known = _employee(view, employee)
        if unit is not None and employee not in _unit(view, unit).members:
            return []
        return [(employee, known)]
    if unit is not None:
        _unit(view, unit)
        return list(members_of(view, unit).items())
    return sorted(view.employees.items())


def _matching(known: KnownEmployee, indicator: str | None, window: str | None) -> Iterator[ScoreRow]:
    for row in known.update().rows:
        if (indicator is None or row.indicator == indicator) and (window is None or row.window == window):
            yield row


def _unit(view: View, unit: str) -> KnownUnit:
    if not valid_unit(unit):
        detail = "a unit's id is 1 to 128 characters without control characters"
        raise RequestProblem(400, detail, "unit", unit)
    known = view.units.get(unit)
    if known is None:
        detail = f"nothing was published for unit {unit!r}; /api/v1/units lists the units that there are"
        raise RequestProblem(404, detail, "unit", unit)
    return known


def _employee(view: View, employee: str) -> KnownEmployee:
    if not valid_employee(employee):
        raise RequestProblem(400, "an employee's id is [A-Za-z0-9_.:-]{1,64}", "employee", employee)
    known = view.employees.get(employee)
    if known is None:
        detail = f"nothing was published for employee {employee!r}; /api/v1/units/UNIT lists the members of a unit"
        raise RequestProblem(404, detail, "employee", employee)
    return known


def _trends(trends: dict[str, list[tuple[int, float, float]]]) -> dict[str, list[TrendPane]]:
    return {name: [TrendPane(format_rfc3339(at), n, good) for at, n, good in panes] for name, panes in trends.items()}


api: Final = Router(
    "/api/v1",
    route_handlers=[list_units, get_unit, get_employee, list_scores],
    response_headers=[ResponseHeader(name="cache-control", value="no-store")],
)
