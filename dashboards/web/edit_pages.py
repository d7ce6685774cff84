"""An edit of the organisation by a form: first it is shown what would become of what, then it is made; plain HTML.

What is wrong stands at its field, and what was entered stays. Who looked before somebody else changed the same is shown
that change, and decides anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import Connection

from agents.access.editing import RIGHT, ChangedMeanwhile, Meanwhile, Seen, Tried, doing, newest, trying
from agents.records.causes import Edited, decoded
from agents.records.charts import person_card, roles_of
from agents.records.organisation import tree_at
from agents.records.rows import assignment_at
from agents.records.tables import KINDS
from agents.records.tree import Breach, OrganisationError
from dashboards.web.desk import Desk, DeskClosed
from dashboards.web.edit_forms import FORMS, INSTANTS, Filled, Form, Wrong, cleaned, filled
from dashboards.web.edit_words import edited, periods, told
from dashboards.web.forms import texts_of
from dashboards.web.framing import AnyRequest
from dashboards.web.hr_frame import HrFrame, hr_frame
from dashboards.web.me_pages import RETRY
from dashboards.web.names import unit_segment
from dashboards.web.problems import RequestProblem
from dashboards.web.sight import Sight
from dashboards.web.team_routes import who
from dashboards.web.web import Web
from dashboards.web.zones import local_of

FORM_BYTES: Final = 65_536
MOST_UNITS: Final = 2_000  # that are offered
_EDIT: Final = {"right": RIGHT}


@get("/organisation/edit/{name:str}", include_in_schema=False, opt=_EDIT)
async def edit_form(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], name: FromPath[str]
) -> Response[Any]:
    """The form, with what holds now where that is known."""
    form, frame = _form(name), await hr_frame(request, web, sight, "organisation")
    if web.desk is None:
        return frame.notice("unavailable", 503)
    try:
        values = await web.desk.read(lambda connection: _begun(connection, form, frame))
        return await _page(frame, web.desk, form, values)
    except DeskClosed:
        return frame.notice("unavailable", 503, retry=RETRY)


@post("/organisation/edit/{name:str}", include_in_schema=False, opt=_EDIT, request_max_body_size=FORM_BYTES)
async def make_edit(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], name: FromPath[str]
) -> Response[Any]:
    """Tries the edit, or makes it; back to whom it is about."""
    form, frame = _form(name), await hr_frame(request, web, sight, "organisation")
    if web.desk is None:
        return frame.notice("unavailable", 503)
    given = await texts_of(request)
    values = cleaned(form, given)
    found = filled(form, values)
    try:
        if found.edit is None:
            return await _page(frame, web.desk, form, values, wrong=found.wrong, number=_number(given), status=400)
        return await _made(frame, web.desk, form, values, found, given)
    except DeskClosed:
        return frame.notice("unavailable", 503, retry=RETRY)


HANDLERS: Final = (edit_form, make_edit)


def way_to(frame: HrFrame, about: str, id: str, **query: object) -> str:
    """The page of a unit or a person in the organisation."""
    room = "units" if about == "unit" else "people"
    return frame.link(f"/organisation/{room}/{unit_segment(id)}", **query)


async def _made(
    frame: HrFrame, desk: Desk, form: Form, values: Mapping[str, str], found: Filled, given: Mapping[str, str]
) -> Response[Any]:
    assert found.edit is not None
    seen = Seen(_number(given), found.subjects)
    try:
        if given.get("confirm") != "1":
            tried = await desk.read(trying(found.edit, seen))
            return await _page(frame, desk, form, values, tried=tried, number=seen.number)
        work = doing(found.edit, seen, form.name, who(frame.request), frame.web.clock())
        await desk.write(work)
    except OrganisationError as error:
        return await _page(frame, desk, form, values, breaches=error.breaches, number=seen.number, status=400)
    except ChangedMeanwhile as error:
        return await _page(frame, desk, form, values, meanwhile=error.found, status=409)
    subject = found.subjects[0]
    path = way_to(frame, subject.kind, subject.id, done=form.name)
    return Redirect(path, status_code=303, headers={"cache-control": "no-store"})


async def _page(
    frame: HrFrame,
    desk: Desk,
    form: Form,
    values: Mapping[str, str],
    *,
    wrong: Sequence[Wrong] = (),
    breaches: Sequence[Breach] = (),
    meanwhile: Sequence[Meanwhile] = (),
    tried: Tried | None = None,
    number: int | None = None,
    status: int = 200,
) -> Response[str]:
    """The form; `number`: of the newest change that its user has seen, None for the newest that there is."""
    now = frame.web.clock()

    def offered(connection: Connection) -> tuple[list[tuple[str, str]], list[str], int]:
        spans = tree_at(connection, now).spans
        names = [(unit, _name(frame, spans[unit])) for unit in sorted(spans)[:MOST_UNITS]]
        return names, roles_of(connection), newest(connection)

    units, roles, last = await desk.read(offered)
    edits = [Edited(one.made_at, one.made_by, one.table, one.subject, *map(decoded, one[4:])) for one in meanwhile]
    subject = values.get(form.about, "")
    at = filled(form, values).times.get("at")
    shown = {
        "back": way_to(frame, form.about, subject) if subject else frame.link("/organisation"),
        "errors": _errors(frame, form, wrong, breaches), "form": form, "instants": INSTANTS, "kinds": KINDS,
        "late": at is not None and at < now, "meanwhile": edited(frame, edits), "roles": roles,
        "number": last if number is None else number, "tried": tried, "units": units, "values": values,
        "changes": told(frame, tried.changes) if tried else (),
        "reached": periods(frame, tried.reached) if tried else (),
    }  # fmt: skip
    return frame.draw("edit_check.html" if tried else "edit.html", shown, status=status)


def _errors(frame: HrFrame, form: Form, wrong: Sequence[Wrong], breaches: Sequence[Breach]) -> dict[str, list[str]]:
    """What is wrong, by field; under "" what none of the form's fields can mend."""
    found: dict[str, list[str]] = {}
    for one in wrong:
        found.setdefault(one.field, []).append(frame.words(f"organisation.wrong.{one.word}"))
    for breach in breaches:
        field = breach.said.field if breach.said.field in form.fields and breach.said.field != "begins" else ""
        text = breach.told(frame.words.language, frame.figures.moment)
        if text not in found.setdefault(field, []):
            found[field].append(text)
    return found


def _begun(connection: Connection, form: Form, frame: HrFrame) -> dict[str, str]:
    """What a form begins with: what the address says, what holds now, today."""
    now = frame.web.clock()
    values = {"zone": frame.zone} | cleaned(form, frame.query)
    if "at" in form.fields and form.name != "correct":
        values.setdefault("at", local_of(now, frame.zone).date().isoformat())
    if form.about == "unit" and form.name in ("rename-unit", "move-unit"):
        span = tree_at(connection, now).spans.get(values.get("unit", ""))
        held = {} if span is None else {"name_zh": span.name_zh, "name_en": span.name_en, "parent": span.parent or ""}
        values = {**{name: held[name] for name in form.fields if name in held}, **values}
    if form.about == "employee" and form.name != "hire":
        values = {**_person(connection, form, values, now, frame.zone), **values}
    return values


def _person(connection: Connection, form: Form, values: Mapping[str, str], now: int, zone: str) -> dict[str, str]:
    """What is known of somebody: for a correction of the assignment that it is about."""
    card = person_card(connection, values.get("employee", ""))
    if card is None:
        return {}
    own = card.employee
    held = {"name": own.name, "email": own.email or "", "language": own.language or ""}
    row = assignment_at(card.history, now)
    if "begins" in form.fields and values.get("begins", "").isdecimal():
        row = next((one for one in card.history if str(one.begins) == values["begins"]), row)
    if row is not None:
        held |= {"role": row.role or "", "unit": row.unit or ""}
    found = {name: held[name] for name in form.fields if name in held}
    if form.name == "correct" and row is not None:
        local = local_of(row.begins, zone)
        found |= {"at": local.date().isoformat(), "at_time": local.time().isoformat("seconds")}
    return found


def _name(frame: HrFrame, span: Any) -> str:
    return str(span.name_zh if frame.words.language == "zh" else span.name_en)


def _number(given: Mapping[str, str]) -> int:
    """Of the newest change that the form's user has seen."""
    text = given.get("seen", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise RequestProblem(400, "load the form again: it has no number of what was seen", "seen", text)
    return int(text)


def _form(name: str) -> Form:
    form = FORMS.get(name)
    if form is None:
        raise RequestProblem(404, f"there are forms for {', '.join(FORMS)}", "name", name[:80])
    return form
