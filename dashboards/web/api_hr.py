"""The lists of HR's pages over the JSON API: everyone, closed results, the audit log.

What they ask for, read, leave out and write down is what the pages do: the same functions, and no other query.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from sqlalchemy import Row as Stored

from agents.access.audit import page_of as entries_of
from agents.records.result_pages import Row, key_of, written
from dashboards.web.api_examples import (
    AUDIT,
    BAD_FILTER,
    BAD_KEY,
    FORBIDDEN,
    HISTORY,
    NO_RECORDS,
    NO_RESULT,
    PEOPLE,
    RESULTS,
    TOO_OFTEN,
    UNAVAILABLE,
    answers,
)
from dashboards.web.api_types import (
    AuditChain,
    AuditEntry,
    AuditList,
    PeopleList,
    PersonEntry,
    ResultCause,
    ResultEntry,
    ResultHistory,
    ResultList,
    ResultStep,
    ScoreNow,
)
from dashboards.web.chain_check import Checked
from dashboards.web.conditional import conditional
from dashboards.web.desk import Desk, DeskClosed
from dashboards.web.hr_asked import (
    HERE,
    LONGEST,
    entry_number,
    result_before,
    text_of,
    wanted_entries,
    wanted_people,
    wanted_results,
)
from dashboards.web.hr_frame import AUDIT as MAY_AUDIT
from dashboards.web.hr_frame import PEOPLE as MAY_PEOPLE
from dashboards.web.hr_frame import RESULTS as MAY_RESULTS
from dashboards.web.hr_people import Person, roster
from dashboards.web.hr_results import KINDS, WINDOWS, Cause, finding, history_of, kinds_of, sums_of, tell_results
from dashboards.web.operations import Named, Paged
from dashboards.web.paging import link_to_next
from dashboards.web.sight import Sight
from dashboards.web.times import instant
from dashboards.web.web import Web
from dashboards.web.zones import zone_of
from schemas.instants import format_rfc3339

MOST: Final = 1_000  # lines of a page
USUAL: Final = 100

AnyRequest = Request[Any, Any, Any]
_INSTANT: Final = "A date, `2026-03-02` (a day of the newest template's time zone), or an instant (RFC 3339)."


def _filter(description: str, known: Sequence[str] = ()) -> QueryParameter:
    values = {"enum": list(known)} if known else None
    return QueryParameter(description=description, max_length=LONGEST, schema_extra=values)


Text = Annotated[str | None, _filter("Only who has this in their id or name.")]
InUnit = Annotated[str | None, _filter("Only people in this unit, or in a unit below it.")]
Here = Annotated[str | None, _filter("`here`: only who is here now; `left`: only who is not.", HERE)]
Kind = Annotated[str | None, _filter("Only results of people, or of units.", KINDS)]
OfSubject = Annotated[str | None, _filter("Only results of this person or unit.")]
OfUnit = Annotated[
    str | None, _filter("Only this unit and all below it, and who brought something to one of them in the window.")
]
OfWindow = Annotated[str | None, _filter("Only windows of this kind.", WINDOWS)]
OfTemplate = Annotated[str | None, _filter("Only results of this template.")]
OfIndicator = Annotated[str | None, _filter("Only this indicator; `@total` unless said, empty for all of them.")]
Key = Annotated[
    str,
    PathParameter(description="Which result: the last part of its `href` in `/api/v1/results`.", max_length=LONGEST),
]
Restated = Annotated[bool | None, QueryParameter(description="Only what was restated at least once.")]
Since = Annotated[str | None, _filter(f"Only what is of this time or later. {_INSTANT}")]
Until = Annotated[str | None, _filter(f"Only what is of this time or earlier. {_INSTANT}")]
Who = Annotated[str | None, _filter("Only what this account, token or operating system's user did.")]
Whom = Annotated[str | None, _filter("Only what is about this person, unit, account or token.")]
What = Annotated[str | None, _filter("Only this action, or this right.")]
Verify = Annotated[
    bool | None, QueryParameter(description="Checks the whole chain again, however fresh the last one is.")
]
After = Annotated[str | None, QueryParameter(description="The `next` of the page before.", max_length=2_000)]
Limit = Annotated[int, QueryParameter(ge=1, le=MOST, description="At most so many lines.")]


@get(
    "/people",
    opt=MAY_PEOPLE,
    tags=["people"],
    summary="Everyone, with the score of now",
    operation_class=Paged,
    responses=answers(PEOPLE, "People by id.", BAD_FILTER, FORBIDDEN, TOO_OFTEN, UNAVAILABLE, named=True),
)
async def list_people(
    request: AnyRequest,
    web: NamedDependency[Web],
    sight: NamedDependency[Sight],
    q: Text = None,
    unit: InUnit = None,
    here: Here = None,
    after: After = None,
    limit: Limit = USUAL,
) -> Response[PeopleList]:
    """Who is in the records, and who has scores without being there: the list of `/hr/people`."""
    now = instant((await web.views.standing()).now)
    given = _given(q=q, unit=unit, here=here, after=after)
    found = await roster(web, sight, wanted_people(given), text_of(given, "after"), limit)
    answer = PeopleList(now, [_person(one) for one in found.people], found.next)
    return conditional(request, answer, link_to_next(request, found.next))


@get(
    "/results",
    opt=MAY_RESULTS,
    tags=["results"],
    summary="Closed results as they hold now",
    operation_class=Paged,
    responses=answers(
        RESULTS, "Results by subject, window, indicator.", BAD_FILTER, FORBIDDEN, TOO_OFTEN, NO_RECORDS, named=True
    ),
)
async def list_results(
    request: AnyRequest,
    web: NamedDependency[Web],
    sight: NamedDependency[Sight],
    kind: Kind = None,
    subject: OfSubject = None,
    unit: OfUnit = None,
    window: OfWindow = None,
    template: OfTemplate = None,
    indicator: OfIndicator = None,
    since: Since = None,
    until: Until = None,
    restated: Restated = None,
    after: After = None,
    limit: Limit = USUAL,
) -> Response[ResultList]:
    """Scores of windows that are over, of people and units, totals unless an indicator is said: those of `/hr/results`.

    `since` and `until` leave windows that touch the time between them.
    """
    given = _given(
        kind=kind, subject=subject, unit=unit, window=window, template=template, indicator=indicator, since=since,
        until=until, restated="1" if restated else None, after=after,
    )  # fmt: skip
    asked = await wanted_results(web, given, await zone_of(web.views))
    found = await _desk(web).read(finding(asked, result_before(given), limit))
    await tell_results(sight, text_of(given, "unit"), found.rows)
    onward = None if found.next is None else written(found.next)
    rows = [_result(row, found.was.get(key_of(row))) for row in found.rows]
    return conditional(request, ResultList(instant(found.until), rows, onward), link_to_next(request, onward))


@get(
    "/results/{key:str}",
    opt=MAY_RESULTS,
    tags=["results"],
    summary="All that one closed result ever was",
    operation_class=Named,
    responses=answers(
        HISTORY, "Its rows, the first one first.", BAD_KEY, FORBIDDEN, NO_RESULT, TOO_OFTEN, NO_RECORDS, named=True
    ),
)
async def result_history(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], key: Key
) -> Response[ResultHistory]:
    """Each row of it, what changed from one to the next, and why: the page `/hr/result`."""
    found = await history_of(_desk(web), web.evidence, sight, key, "")
    was = [None, *(step.row for step in found.steps)]
    steps = [
        ResultStep(_result(step.row, before), list(step.changed), list(map(_cause, why)))
        for step, before, why in zip(found.steps, was[:-1], found.causes, strict=True)
    ]
    return conditional(request, ResultHistory(steps))


@get(
    "/audit",
    opt=MAY_AUDIT,
    tags=["audit"],
    summary="The audit log, the newest entry first",
    operation_class=Paged,
    responses=answers(AUDIT, "Entries, the newest first.", BAD_FILTER, FORBIDDEN, TOO_OFTEN, NO_RECORDS, named=True),
)
async def list_audit(
    request: AnyRequest,
    web: NamedDependency[Web],
    who: Who = None,
    whom: Whom = None,
    what: What = None,
    since: Since = None,
    until: Until = None,
    verify: Verify = None,
    after: After = None,
    limit: Limit = USUAL,
) -> Response[AuditList]:
    """Every refusal, every change, every read of somebody else's score: the entries of `/hr/audit`."""
    given = _given(who=who, whom=whom, what=what, since=since, until=until, after=after)
    asked, before = wanted_entries(given, await zone_of(web.views)), entry_number(given, "after")
    rows = await _desk(web).read(lambda connection: entries_of(connection, asked, before, limit + 1))
    checked = None if web.chain is None else await web.chain.state(again=bool(verify))
    page = [_entry(row) for row in rows[:limit]]
    onward = str(page[-1].number) if len(rows) > limit else None
    return conditional(request, AuditList(_chain(checked), page, onward), link_to_next(request, onward))


HANDLERS: Final = (list_people, list_results, result_history, list_audit)


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _desk(web: Web) -> Desk:
    if web.desk is None:
        raise DeskClosed("this process has no records")
    return web.desk


def _person(one: Person) -> PersonEntry:
    return PersonEntry(
        employee_id=one.id,
        name=one.name,
        role=one.role,
        unit=one.unit,
        state=one.state,
        score=None if one.score is None else ScoreNow(*one.score),
        alerts=one.alerts,
        href=f"/api/v1/employees/{one.id}",
        page=f"/people/{one.id}",
    )


_TIMES: Final = ("window_start", "window_end", "shift_start", "shift_end", "as_of", "known_at", "computed_at")
_AS_THEY_ARE: Final = frozenset(ResultEntry.__struct_fields__) - {
    "cause",
    "href",
    "page",
    "sums",
    "was_points",
    "was_value",
}


def _result(row: Row, was: Row | None) -> ResultEntry:
    times = {name: instant(row[name]) for name in _TIMES}
    kept = {name: row[name] for name in _AS_THEY_ARE}
    return ResultEntry(
        **{**kept, **times},
        sums=sums_of(row),
        was_value=None if was is None else was["value"],
        was_points=None if was is None else was["points"],
        cause=kinds_of(row),
        href=f"/api/v1/results/{written(key_of(row))}",
        page=f"/hr/result?key={written(key_of(row))}",
    )


def _cause(cause: Cause) -> ResultCause:
    text = cause.text or None
    return ResultCause(
        kind=cause.kind,
        at=instant(cause.at),
        about=cause.about,
        by=cause.by,
        since=instant(cause.since),
        corrects=text if cause.kind == "correction" else None,
        role=text if cause.kind == "assignment" else None,
        place=text if cause.kind == "edit" else None,
        times=cause.times,
    )


def _entry(row: Stored[Any]) -> AuditEntry:
    return AuditEntry(
        row.number, format_rfc3339(row.at), row.actor, row.action, row.subject, row.outcome, row.right, row.relation,
        json.loads(row.detail),
    )  # fmt: skip


def _chain(checked: Checked | None) -> AuditChain | None:
    if checked is None:
        return None
    head, broken = checked.found
    return AuditChain(format_rfc3339(checked.at), head.entries, str(head), broken)
