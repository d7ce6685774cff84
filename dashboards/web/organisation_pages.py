"""`/organisation`: the tree as of a date, a unit and its people, a person's way through it; and all of it as files.

Who may not edit sees the same without the ways to change it.
"""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp

from agents.access.editing import RIGHT
from agents.records.charts import chart, last_edits, names_of, people_of, person_card, unit_card
from agents.records.files import table_rows, yaml_text
from agents.records.organisation import charges_at, read
from agents.records.rows import assignment_at, span_at, until
from agents.records.statement import COLUMNS
from dashboards.web.desk import DeskClosed
from dashboards.web.edit_forms import FORMS
from dashboards.web.edit_words import edited
from dashboards.web.framing import AnyRequest
from dashboards.web.hr_frame import PAGE, HrFrame, everybody, hr_frame, may
from dashboards.web.me_pages import RETRY
from dashboards.web.names import valid_employee, valid_unit
from dashboards.web.pages import as_asgi, segments_of
from dashboards.web.problems import RequestProblem
from dashboards.web.sight import Sight
from dashboards.web.spreadsheet import lines
from dashboards.web.web import Web
from dashboards.web.zones import local_of

_SEE: Final = {"right": "read-people", "subject": everybody}
OPEN_LEVELS: Final = 2  # of the tree that are shown unfolded


@get("/organisation", include_in_schema=False, opt=_SEE)
async def organisation(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """The tree as of a date."""
    frame = await hr_frame(request, web, sight, "organisation")
    at = _at(frame)
    if web.desk is None:
        return frame.notice("unavailable", 503)
    try:
        found = await web.desk.read(lambda connection: chart(connection, at))
        called = await web.desk.read(lambda connection: names_of(connection, charges_at(connection, at)))
    except DeskClosed:
        return frame.notice("unavailable", 503, retry=RETRY)
    values = {"called": called, "depth": OPEN_LEVELS, "roots": found, "tables": tuple(COLUMNS)}
    return frame.draw("organisation.html", {**_common(frame, at), **values})


@get("/organisation/units/{address:path}", include_in_schema=False, opt=_SEE)
async def unit_page(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> ASGIApp:
    """A unit as of a date, with its people. The address is read as it was sent: a unit may have a slash in its id."""
    frame = await hr_frame(request, web, sight, "organisation")
    return as_asgi(request, await _unit(frame, "/".join(segments_of(request)[1:])))


async def _unit(frame: HrFrame, unit: str) -> Response[Any]:
    at, desk, after = _at(frame), frame.web.desk, frame.text("after")
    if desk is None:
        return frame.notice("unavailable", 503)
    try:
        card = await desk.read(lambda connection: unit_card(connection, unit, at)) if valid_unit(unit) else None
        if card is None:
            return _absent(frame, unit)
        people = await desk.read(lambda connection: people_of(connection, unit, at, after, PAGE + 1))
        called = await desk.read(lambda connection: names_of(connection, card.charges))
        edits = await desk.read(lambda connection: last_edits(connection, "unit", unit))
    except DeskClosed:
        return frame.notice("unavailable", 503, retry=RETRY)
    span = span_at(card.spans, at)
    page = people[:PAGE]
    path = frame.request.url.path
    values = {
        "called": called, "card": card, "edits": edited(frame, edits), "people": page, "span": span,
        "above": card.tree.ancestors(unit)[::-1], "parts": card.tree.children().get(unit, []),
        "charges": [(one, one.begins <= at < until(one.ends)) for one in card.charges],
        "first": frame.onward(path, after=None) if after else None,
        "next": frame.onward(path, after=page[-1].id) if len(people) > PAGE else None,
    }  # fmt: skip
    return frame.draw("organisation_unit.html", {**_common(frame, at), **values})


@get("/organisation/people/{employee_id:str}", include_in_schema=False, opt=_SEE)
async def person_page(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], employee_id: FromPath[str]
) -> Response[Any]:
    """Where somebody was, is and will be."""
    frame = await hr_frame(request, web, sight, "organisation")
    if web.desk is None:
        return frame.notice("unavailable", 503)
    try:
        known = valid_employee(employee_id)
        card = await web.desk.read(lambda connection: person_card(connection, employee_id)) if known else None
        if card is None:
            return _absent(frame, employee_id)
        edits = await web.desk.read(lambda connection: last_edits(connection, "employee", employee_id))
    except DeskClosed:
        return frame.notice("unavailable", 503, retry=RETRY)
    at = _at(frame)
    current = assignment_at(card.history, at)
    values = {
        "card": card, "current": current, "edits": edited(frame, edits),
        "contact": sight.sees(employee_id, "contact"),
        "charges": [(one, one.begins <= at < until(one.ends)) for one in card.charges],
    }  # fmt: skip
    return frame.draw("organisation_person.html", {**_common(frame, at), **values})


@get("/organisation/export/{name:str}", include_in_schema=False, opt={"right": RIGHT})
async def export(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], name: FromPath[str]
) -> Response[Any]:
    """The organisation over all time as a file; importing it again changes nothing."""
    frame = await hr_frame(request, web, sight, "organisation")
    table = name.removesuffix(".csv")
    if name != "organisation.yaml" and (table == name or table not in COLUMNS):
        known = ", ".join(("organisation.yaml", *(f"{one}.csv" for one in COLUMNS)))
        raise RequestProblem(404, f"there are {known}", "name", name[:80])
    if web.desk is None:
        return frame.notice("unavailable", 503)
    try:
        whole = await web.desk.read(read)
    except DeskClosed:
        return frame.notice("unavailable", 503, retry=RETRY)
    is_yaml = name == "organisation.yaml"
    content = yaml_text(whole).encode() if is_yaml else lines(COLUMNS[table], table_rows(whole, table))
    sent = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type="application/yaml" if is_yaml else "text/csv; charset=utf-8", headers=sent)


HANDLERS: Final = (organisation, unit_page, person_page, export)


def _common(frame: HrFrame, at: int) -> dict[str, Any]:
    """What these pages share: the date, who may edit, what was just done."""
    done = frame.query.get("done", "")
    return {
        "at": at, "date": local_of(at, frame.zone).date().isoformat(), "may_edit": may(frame.sight, RIGHT),
        "day": frame.query.get("at"), "done": done if done in (*FORMS, "import") else "",
        "today": "at" not in frame.query,
    }  # fmt: skip


def _at(frame: HrFrame) -> int:
    """The instant of the date that was asked for, its last millisecond; else now."""
    end = frame.day("at", end=True)
    return frame.web.clock() if end is None else end - 1


def _absent(frame: HrFrame, id: str) -> Response[Any]:
    title, text = frame.words("organisation.absent.title"), frame.words("organisation.absent.text", id=id[:128])
    return frame.said(title, text, 404, back=frame.link("/organisation"))
