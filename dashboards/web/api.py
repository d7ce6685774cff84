"""The JSON API: the latest rows as published, in the contract's own words."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from operator import attrgetter
from typing import Annotated, Any, Final

from litestar import Request, Response, Router, get
from litestar.connection import ASGIConnection
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter

from agents.access.viewer import Subject
from agents.views.port import UnitEntry as Entry
from agents.views.port import ViewsReader
from dashboards.web.api_acting import act_on_alert, get_outcome, review_alert
from dashboards.web.api_alerts import get_alert, list_alerts
from dashboards.web.api_events import send_events
from dashboards.web.api_examples import (
    BAD_PARAMETER,
    EMPLOYEE,
    NOBODY,
    SCORES,
    TOO_MANY,
    TOO_OFTEN,
    UNAVAILABLE,
    UNIT,
    UNITS,
    answers,
)
from dashboards.web.api_hr import HANDLERS as HR
from dashboards.web.api_types import EmployeeScores, ScoreList, TrendPane, UnitEntry, UnitList, UnitScores
from dashboards.web.conditional import conditional
from dashboards.web.known import employee_of, unit_of
from dashboards.web.names import OF_ID, OF_UNIT, path_segments, unit_segment
from dashboards.web.operations import EITHER, Named, Paged
from dashboards.web.paging import link_to_next
from dashboards.web.queries import refuse_unknown
from dashboards.web.remainder import seen_entries
from dashboards.web.sight import Sight
from dashboards.web.times import instant
from dashboards.web.updates import decode_scores, readable
from dashboards.web.web import Web
from schemas.instants import format_rfc3339
from schemas.rows import ScoreRow

MOST_ROWS: Final = 10_000
MOST_UNITS: Final = 10_000
AT_ONCE: Final = 100  # employees read together

AnyRequest = Request[Any, Any, Any]
EmployeeId = Annotated[
    str,
    PathParameter(
        description="The employee's id, `[A-Za-z0-9_.:-]{1,64}`.",
        examples=[Example(value="E0261")],
        schema_extra=OF_ID,
    ),
]
UnitId = Annotated[
    str,
    PathParameter(
        description="The unit's id, URL-encoded: a slash in it is %2F.",
        examples=[Example(summary="A line", value="L03")],
        schema_extra=OF_UNIT,
    ),
]
OfUnit = Annotated[str | None, QueryParameter(description="Only members of this unit.", schema_extra=OF_UNIT)]
OfEmployee = Annotated[str | None, QueryParameter(description="Only this employee.", schema_extra=OF_ID)]
OfIndicator = Annotated[
    str | None,
    QueryParameter(description="Only this indicator; totals are `@total`, `@performance`, `@ability`, `@attitude`."),
]
OfWindow = Annotated[
    str | None, QueryParameter(description="Only this window, as the template writes it: `rolling 60m`, `day`.")
]
After = Annotated[str | None, QueryParameter(description="The `next` of the page before.")]
UnitLimit = Annotated[int, QueryParameter(ge=1, le=MOST_UNITS, description="At most so many units.")]
Limit = Annotated[
    int, QueryParameter(ge=1, le=MOST_ROWS, description="How many rows are enough; whole employees are given.")
]


@get(
    "/units",
    opt={"right": "read-units", "filters": True},
    tags=["units"],
    summary="All units that have a board",
    operation_class=Paged,
    responses=answers(UNITS, "The units by id.", TOO_MANY, TOO_OFTEN, UNAVAILABLE, named=True),
)
async def list_units(
    request: AnyRequest,
    web: NamedDependency[Web],
    sight: NamedDependency[Sight],
    after: After = None,
    limit: UnitLimit = 1000,
) -> Response[UnitList]:
    """Every unit (line, team, store) that scores were published for and that you may see, by id."""
    now = instant((await web.views.standing()).now)
    entries = await seen_entries(web.views, sight)
    begin = 0 if after is None else bisect_right(entries, after, key=attrgetter("unit"))
    page = entries[begin : begin + limit]
    last = page[-1].unit if begin + limit < len(entries) else None
    found = UnitList(now, [_entry(entry) for entry in page], last)
    return conditional(request, found, link_to_next(request, last))


def _entry(entry: Entry) -> UnitEntry:
    return UnitEntry(
        unit=entry.unit,
        people=entry.people,
        as_of=entry.as_of,
        newest=entry.newest,
        href=f"/api/v1/units/{unit_segment(entry.unit)}",
        board=f"/board/{unit_segment(entry.unit)}",
    )


def _asked_unit(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The unit in the address, as sent: its parameter has lost the difference between a slash and %2F."""
    segments = path_segments(connection.scope.get("raw_path") or connection.scope["path"].encode())
    return "/".join(segments[segments.index("units") + 1 :]) or str(connection.path_params["unit"])


@get(
    "/units/{unit:path}",
    opt={"right": "read-units", "subject": lambda connection: Subject("unit", _asked_unit(connection))},
    tags=["units"],
    summary="One unit: pooled scores, members, trends",
    operation_class=Named,
    responses=answers(UNIT, "The unit as last published.", BAD_PARAMETER, NOBODY, TOO_OFTEN, UNAVAILABLE, named=True),
)
async def get_unit(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], unit: UnitId
) -> Response[UnitScores]:
    """A unit's rows pool the sums of its members at event time; they are never means of their rates.

    `members` are those whose scores you may see.
    """
    asked = _asked_unit(request)
    update = (await unit_of(web.views, asked)).update()
    members = [who for who in update.members if sight.named(who)]
    trends = _trends(update.trends)
    names = {who: name for who in members if (name := sight.name(who)) is not None}
    return conditional(request, UnitScores(asked, update.as_of, update.newest, members, update.rows, trends, names))


@get(
    "/employees/{employee_id:str}",
    opt={"right": "read-scores"},
    tags=["employees"],
    summary="One employee: scores and trends",
    operation_class=Named,
    responses=answers(
        EMPLOYEE, "The employee as last published.", BAD_PARAMETER, NOBODY, TOO_OFTEN, UNAVAILABLE, named=True
    ),
)
async def get_employee(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], employee_id: EmployeeId
) -> Response[EmployeeScores]:
    """An employee's rows in every window of the templates that apply to them, as of the last publication."""
    update = (await employee_of(web.views, employee_id)).update()
    trends = _trends(update.trends)
    found = EmployeeScores(
        employee_id, update.unit, update.as_of, update.newest, update.rows, trends, sight.name(employee_id)
    )
    return conditional(request, found)


@get(
    "/scores",
    opt={"right": "read-scores", "filters": True},
    tags=["scores"],
    summary="Rows of many employees, filtered",
    operation_class=Paged,
    responses=answers(SCORES, "Rows by employee id.", NOBODY, TOO_MANY, TOO_OFTEN, UNAVAILABLE, named=True),
)
async def list_scores(
    request: AnyRequest,
    web: NamedDependency[Web],
    sight: NamedDependency[Sight],
    unit: OfUnit = None,
    employee: OfEmployee = None,
    indicator: OfIndicator = None,
    window: OfWindow = None,
    after: After = None,
    limit: Limit = 1000,
) -> Response[ScoreList]:
    """Rows of all employees that the filters leave, by employee id; a page ends with the last row of an employee.

    Employees whose scores you may not see are left out.
    """
    now = instant((await web.views.standing()).now)
    rows: list[ScoreRow] = []
    last, further = after or "", None
    async with aclosing(_slices(web.views, unit, employee, last)) as slices:
        async for some, more in slices:
            ids = [who for who in some if sight.named(who)]
            if not ids:
                continue
            found = await web.views.employees(ids)
            # Hundreds of updates are decoded: not on the event loop, where screens wait.
            page, last = await asyncio.to_thread(_page, ids, found, (indicator, window), limit - len(rows))
            rows += page
            if len(rows) >= limit:
                further = last if more or last != ids[-1] else None
                break
    await sight.tell("read-scores", f"unit:{unit}" if unit else "-", (row.employee_id for row in rows))
    # Thousands of rows are encoded and named: beside the event loop as well.
    return await asyncio.to_thread(conditional, request, ScoreList(now, rows, further), link_to_next(request, further))


async def _slices(
    views: ViewsReader, unit: str | None, employee: str | None, after: str
) -> AsyncGenerator[tuple[list[str], bool], None]:
    """Ids of the employees that the filters leave, in order, some at a time; with each whether more follow."""
    if unit is None and employee is None:
        while ids := await views.employee_ids(after, AT_ONCE + 1):
            after = ids[min(len(ids), AT_ONCE) - 1]
            yield ids[:AT_ONCE], len(ids) > AT_ONCE
        return
    chosen = [who for who in await _named(views, unit, employee) if who > after]
    for begin in range(0, len(chosen), AT_ONCE):
        yield chosen[begin : begin + AT_ONCE], begin + AT_ONCE < len(chosen)


async def _named(views: ViewsReader, unit: str | None, employee: str | None) -> list[str]:
    """People by unit, or the one of that name, or nobody; a problem when there is no such unit or employee."""
    if employee is not None:
        await employee_of(views, employee)
    if unit is not None:
        members = (await unit_of(views, unit)).members
        return [who for who in members if employee is None or who == employee]
    return [] if employee is None else [employee]


def _page(
    ids: Sequence[str], found: Mapping[str, bytes], wanted: tuple[str | None, str | None], enough: int
) -> tuple[list[ScoreRow], str]:
    """Rows of whole employees until they are enough, and the last employee that was looked at."""
    rows: list[ScoreRow] = []
    for employee_id in ids:
        rows += _matching(employee_id, found.get(employee_id), *wanted)
        if len(rows) >= enough:
            return rows, employee_id
    return rows, ids[-1]


def _matching(employee_id: str, value: bytes | None, indicator: str | None, window: str | None) -> Iterator[ScoreRow]:
    known = readable(decode_scores, employee_id, value)
    for row in [] if known is None else known.update().rows:
        if (indicator is None or row.indicator == indicator) and (window is None or row.window == window):
            yield row


def _trends(trends: dict[str, list[tuple[int, float, float]]]) -> dict[str, list[TrendPane]]:
    return {name: [TrendPane(format_rfc3339(at), n, good) for at, n, good in panes] for name, panes in trends.items()}


async def _admitted(request: AnyRequest) -> None:
    """Hook before a handler: RequestProblem for a client that asks too often, and for a parameter that is not known."""
    web: Web = request.app.state.web
    web.rates.admit(request)
    await refuse_unknown(request)


api: Final = Router(
    "/api/v1",
    route_handlers=[
        send_events,
        list_units,
        get_unit,
        get_employee,
        list_scores,
        list_alerts,
        get_alert,
        act_on_alert,
        get_outcome,
        review_alert,
        *HR,
    ],
    before_request=_admitted,
    response_headers=[ResponseHeader(name="cache-control", value="no-store")],
    security=EITHER,
)
