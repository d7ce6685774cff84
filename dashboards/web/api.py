"""The JSON API: the latest rows as published, in the contract's own words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

from litestar import Request, Router, get
from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Parameter

from dashboards.web.api_types import EmployeeScores, ScoreList, TrendPane, UnitEntry, UnitList, UnitScores
from dashboards.web.names import path_segments, unit_segment, valid_employee, valid_unit
from dashboards.web.problems import Problem, RequestProblem
from dashboards.web.updates import KnownEmployee, KnownUnit
from dashboards.web.view import View, members_of
from dashboards.web.web import Web
from schemas.instants import format_rfc3339
from schemas.rows import ScoreRow

MOST_ROWS: Final = 10_000

NOT_FOUND: Final = {404: ResponseSpec(Problem, description="Nothing is known under this id.")}
BAD: Final = {400: ResponseSpec(Problem, description="A parameter cannot be used; the problem names it.")}


@get("/units", sync_to_thread=False, tags=["units"], summary="All units that have a board")
def list_units(web: Web) -> UnitList:
    """Every unit (line, team, store) that scores were published for, by id."""
    return UnitList(
        now=_text(web.view.now),
        units=[
            UnitEntry(
                unit=unit,
                people=len(known.members),
                as_of=_text(known.as_of),
                newest=_text(known.newest),
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
    responses=NOT_FOUND,
)
def get_unit(
    request: Request[Any, Any, Any],
    web: Web,
    unit: Annotated[
        str,
        Parameter(
            description="The unit's id, URL-encoded (a slash in it as %2F).", examples=[Example("A line", value="L03")]
        ),
    ],
) -> UnitScores:
    """A unit's rows pool the sums of its members at event time; they are never means of their rates."""
    segments = path_segments(request.scope.get("raw_path") or request.scope["path"].encode())
    # As sent: `unit` has lost the difference between a slash and %2F.
    asked = "/".join(segments[segments.index("units") + 1 :]) or unit
    known = _unit(web.view, asked)
    update = known.update()
    return UnitScores(asked, update.as_of, update.newest, update.members, update.rows, _trends(update.trends))


@get(
    "/employees/{employee_id:str}",
    sync_to_thread=False,
    tags=["employees"],
    summary="One employee: scores and trends",
    responses=NOT_FOUND | BAD,
)
def get_employee(
    web: Web,
    employee_id: Annotated[
        str,
        Parameter(
            description="The employee's id, `[A-Za-z0-9_.:-]{1,64}`.", examples=[Example("A person", value="E0261")]
        ),
    ],
) -> EmployeeScores:
    """An employee's rows in every window of the templates that apply to them, as of the last publication."""
    update = _employee(web.view, employee_id).update()
    return EmployeeScores(employee_id, update.unit, update.as_of, update.newest, update.rows, _trends(update.trends))


@get(
    "/scores",
    sync_to_thread=False,
    tags=["scores"],
    summary="Rows of many employees, filtered",
    responses=NOT_FOUND | BAD,
)
def list_scores(
    web: Web,
    unit: Annotated[str | None, Parameter(description="Only members of this unit.")] = None,
    employee: Annotated[str | None, Parameter(description="Only this employee.")] = None,
    indicator: Annotated[
        str | None,
        Parameter(description="Only this indicator; totals are `@total`, `@performance`, `@ability`, `@attitude`."),
    ] = None,
    window: Annotated[
        str | None, Parameter(description="Only this window, as the template writes it: `rolling 60m`, `day`.")
    ] = None,
    after: Annotated[str | None, Parameter(description="The `next` of the page before.")] = None,
    limit: Annotated[
        int, Parameter(ge=1, le=MOST_ROWS, description="How many rows are enough; whole employees are given.")
    ] = 1000,
) -> ScoreList:
    """Rows of all employees that the filters leave, by employee id; a page ends with the last row of an employee."""
    rows: list[ScoreRow] = []
    people = _chosen(web.view, unit, employee)
    following = None
    for place, (employee_id, known) in enumerate(people):
        if after is not None and employee_id <= after:
            continue
        rows += _matching(known, indicator, window)
        if len(rows) >= limit and place + 1 < len(people):
            following = employee_id
            break
    return ScoreList(_text(web.view.now), rows, following)


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


def _text(at: int | None) -> str | None:
    return None if at is None else format_rfc3339(at)


api: Final = Router(
    "/api/v1",
    route_handlers=[list_units, get_unit, get_employee, list_scores],
    response_headers=[ResponseHeader(name="cache-control", value="no-store")],
)
