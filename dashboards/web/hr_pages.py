"""`/hr`: what waits, everyone, closed results and the audit log, for those who look after all people.

Whose scores are shown is written down before they are, as everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, cast

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Stream

from agents.access.audit import Asked as AskedEntries
from agents.access.audit import page_of as entries_of
from agents.access.viewer import Subject
from agents.records.listing import Here
from agents.records.overview import overview
from agents.records.result_pages import Asked, Kind, ResultKey, Row, Step, history, key_of, read_key, written
from agents.views.port import ViewsUnavailable
from dashboards.web.catalogue import Catalogue
from dashboards.web.desk import DeskClosed
from dashboards.web.figures import Figures
from dashboards.web.framing import AnyRequest
from dashboards.web.funnel_page import window_words
from dashboards.web.hr_alerts import alert_lines
from dashboards.web.hr_frame import PAGE, HrFrame, everybody, hr_frame, may
from dashboards.web.hr_people import Wanted, roster, units_of
from dashboards.web.hr_results import KINDS, SLICE, TOTAL, WINDOWS, as_csv, causes, finding, kinds_of, sums_of, veiled
from dashboards.web.me_pages import RETRY, catalogue_of
from dashboards.web.names import unit_segment
from dashboards.web.problems import RequestProblem
from dashboards.web.sight import Sight
from dashboards.web.web import Web

HERE: Final = ("here", "left")
_PEOPLE: Final = {"right": "read-people", "subject": everybody}
_SCORES: Final = {"right": "read-scores", "subject": everybody}


@get("/hr", include_in_schema=False, opt=_PEOPLE)
async def start(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """How many people, what waits for somebody, what is planned."""
    frame = await hr_frame(request, web, sight, "start")
    try:
        scored, (alerts, lines) = (await web.views.counts())[0], await alert_lines(web, sight, frame)
    except ViewsUnavailable:
        scored, alerts, lines = None, None, []
    now, desk = web.clock(), web.desk
    try:
        found = None if desk is None else await desk.read(lambda connection: overview(connection, now))
    except DeskClosed:
        return frame.notice("unavailable", 503, retry=RETRY)
    checked = await web.chain.state() if web.chain is not None and may(sight, "read-audit") else None
    values = {"alerts": alerts, "checked": checked, "found": found, "lines": lines, "scored": scored}
    return frame.draw("hr.html", values)


@get("/hr/people", include_in_schema=False, opt=_PEOPLE)
async def people(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """Everyone, with the score of now."""
    frame = await hr_frame(request, web, sight, "people")
    here = frame.text("here")
    wanted = Wanted(frame.text("q"), frame.text("unit"), cast(Here, here) if here in HERE else None)
    try:
        found = await roster(web, sight, wanted, frame.text("after"), PAGE)
    except (ViewsUnavailable, DeskClosed):
        return frame.notice("unavailable", 503, retry=RETRY)
    following = None if found.next is None else frame.onward("/hr/people", after=found.next)
    first = frame.onward("/hr/people", after=None) if "after" in frame.query else None
    values = {"found": found, "wanted": wanted, "next": following, "first": first}
    return frame.draw("hr_people.html", values | {"window": lambda name: window_words(name, frame.words)})


@get(["/hr/results", "/hr/results.csv"], include_in_schema=False, opt=_SCORES)
async def results(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """What is closed, and what was restated; all that is asked for as a file, through the same right."""
    frame = await hr_frame(request, web, sight, "results")
    desk = web.desk
    if desk is None:
        return frame.notice("unavailable", 503)
    as_file = request.url.path.endswith(".csv")
    try:
        asked = await _asked(frame, web)
        found = await desk.read(finding(asked, None if as_file else _after(frame), SLICE if as_file else PAGE))
        if as_file:
            sent = {"content-disposition": 'attachment; filename="results.csv"', "cache-control": "no-store"}
            rows = as_csv(desk, asked, found, lambda some: _tell(sight, frame, some, "export"))
            return Stream(rows, media_type="text/csv; charset=utf-8", headers=sent)
        await _tell(sight, frame, found.rows, "read")
        catalogue = await _catalogue(web, found.rows)
    except (DeskClosed, ViewsUnavailable):
        return frame.notice("unavailable", 503, retry=RETRY)
    values = {
        "asked": asked, "found": found, "indicator": frame.query.get("indicator", TOTAL), "kinds": KINDS,
        "file": frame.onward("/hr/results.csv", after=None), "unit": frame.text("unit"), "windows": WINDOWS,
        "first": frame.onward("/hr/results", after=None) if "after" in frame.query else None,
        "lines": [_line(frame, row, found.was.get(key_of(row)), catalogue) for row in found.rows],
        "next": None if found.next is None else frame.onward("/hr/results", after=written(found.next)),
    }  # fmt: skip
    return frame.draw("hr_results.html", values)


@get("/hr/result", include_in_schema=False, opt=_SCORES)
async def result(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """All that one result ever was, and why it was restated."""
    frame = await hr_frame(request, web, sight, "results")
    try:
        key = read_key(frame.query.get("key", ""))
    except ValueError as error:
        raise RequestProblem(400, str(error), "key", frame.query.get("key")) from None
    if web.desk is None:
        return frame.notice("unavailable", 503)
    try:
        steps = await web.desk.read(lambda connection: history(connection, key))
        if not steps:
            raise RequestProblem(404, "there is no such result; /hr/results lists those that there are", "key")
        await _tell(sight, frame, [steps[-1].row], "read")
        why = await causes(web.desk, web.evidence, key, steps)
        catalogue = await _catalogue(web, [step.row for step in steps])
    except (DeskClosed, ViewsUnavailable):
        return frame.notice("unavailable", 503, retry=RETRY)
    about = Subject("employee", key.subject)
    if key.subject_kind == "employee" and not sight.decide("read-events", about).allowed:
        why = [veiled(found) for found in why]
    elif any(why):
        await sight.tell("read-events", about, [key.subject])
    rows = [
        {"causes": cause, "changed": _changed(frame, step, catalogue), "line": _line(frame, step.row, None, catalogue)}
        for step, cause in zip(steps, [[], *why], strict=True)
    ]
    return frame.draw("hr_result.html", {"key": key, "steps": rows[::-1], "title": rows[-1]["line"]})


@get("/hr/audit", include_in_schema=False, opt={"right": "read-audit"})
async def audit(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """Who saw, did and was refused what, the newest first; and whether the chain of it holds."""
    frame = await hr_frame(request, web, sight, "audit")
    asked = AskedEntries(
        frame.text("who"), frame.text("whom"), frame.text("what"), frame.day("since"), frame.day("until", end=True)
    )
    before = frame.text("before")
    if before and not (before.isascii() and before.isdecimal() and len(before) < 19):
        raise RequestProblem(400, "it is the number of an entry", "before", before)
    if web.desk is None or web.chain is None:
        return frame.notice("unavailable", 503)
    try:
        number = int(before) if before else None
        rows = await web.desk.read(lambda connection: entries_of(connection, asked, number, PAGE + 1))
        checked = await web.chain.state(again="verify" in frame.query)
    except DeskClosed:
        return frame.notice("unavailable", 503, retry=RETRY)
    page = rows[:PAGE]
    values = {
        "again": frame.onward("/hr/audit", verify=1), "asked": asked, "checked": checked,
        "entries": [(row, json.loads(row.detail)) for row in page],
        "first": frame.onward("/hr/audit", before=None, verify=None) if before else None,
        "next": frame.onward("/hr/audit", before=page[-1].number, verify=None) if len(rows) > PAGE else None,
    }  # fmt: skip
    return frame.draw("hr_audit.html", values)


HANDLERS: Final = (start, people, results, result, audit)


async def _asked(frame: HrFrame, web: Web) -> Asked:
    """The filters; without one for the indicator, totals."""
    kind, window, unit = frame.text("kind"), frame.text("window"), frame.text("unit")
    for name, value, known in (("kind", kind, KINDS), ("window", window, WINDOWS)):
        if value and value not in known:
            raise RequestProblem(400, f"it is one of {', '.join(known)}, or nothing", name, value)
    return Asked(
        kind=cast(Kind, kind) if kind else None,
        subject=frame.text("subject") or None,
        units=await units_of(web, unit) if unit else None,
        window=window or None,
        template=frame.text("template") or None,
        indicator=frame.query.get("indicator", TOTAL).strip() or None,
        since=frame.day("since"),
        until=frame.day("until", end=True),
        restated=frame.text("restated") == "1",
    )


def _after(frame: HrFrame) -> ResultKey | None:
    text = frame.text("after") if len(frame.query.get("after", "")) <= 200 else frame.query["after"]
    try:
        return read_key(text) if text else None
    except ValueError as error:
        raise RequestProblem(400, str(error), "after", text) from None


async def _tell(sight: Sight, frame: HrFrame, rows: Sequence[Row], action: str) -> None:
    """Writes down whose results are seen."""
    unit = frame.text("unit")
    people = (row["subject"] for row in rows if row["subject_kind"] == "employee")
    await sight.tell("read-scores", Subject("unit", unit) if unit else "-", people, action)


async def _catalogue(web: Web, rows: Sequence[Row]) -> Catalogue:
    return await catalogue_of(web, {(row["template"], row["version"]) for row in rows})


def _line(frame: HrFrame, row: Row, was: Row | None, catalogue: Catalogue) -> dict[str, Any]:
    """A result as it is shown."""
    guide = catalogue.guide(row["template"], row["version"])
    facts = catalogue.facts(row["template"], row["version"], row["indicator"])
    total = row["indicator"].startswith("@")
    name = frame.words(f"total.{row['indicator']}") if total else facts.name.get(frame.words.language) if facts else ""
    person = row["subject_kind"] == "employee"
    path = f"/people/{row['subject']}" if person else f"/team/{unit_segment(row['subject'])}"
    return {
        "row": row,
        "href": frame.link("/hr/result", key=written(key_of(row))),
        "name": name or row["indicator"],
        "period": _period(row, guide.timezone if guide else frame.zone, frame),
        "subject": frame.link(path),
        "sums": sums_of(row),
        "template": guide.title.get(frame.words.language) if guide else row["template"],
        "value": _value(frame, row, catalogue),
        "was": None if was is None else _value(frame, was, catalogue),
        "was_points": None if was is None else was["points"],
        "why": [frame.words(f"hr.why.{kind}") for kind in kinds_of(row)],
    }


def _period(row: Row, zone: str, frame: HrFrame) -> str:
    """A window as people say it: its month, its day, the days from and to; a shift as its calendar has it."""
    figures = Figures(frame.words, zone)
    if row["shift"] is None:
        return figures.period(row["window_kind"], row["window_start"], row["window_end"])
    return f"{row['shift']} · {figures.period('shift', row['shift_start'], row['shift_end'])}"


def _value(frame: HrFrame, row: Row, catalogue: Catalogue) -> str:
    if row["indicator"].startswith("@"):
        return "–" if row["points"] is None else frame.figures.points(row["points"])
    facts = catalogue.facts(row["template"], row["version"], row["indicator"])
    return frame.figures.value(row["value"], facts.unit if facts else "", bool(facts and facts.is_rate))


def _changed(frame: HrFrame, step: Step, catalogue: Catalogue) -> list[tuple[str, str, str]]:
    """Field, what it was, what it is."""
    return [
        (name, _shown(frame, name, was, step.row, catalogue), _shown(frame, name, now, step.row, catalogue))
        for name, (was, now) in step.changed.items()
    ]


def _shown(frame: HrFrame, name: str, value: Any, row: Row, catalogue: Catalogue) -> str:
    if name == "value":
        return _value(frame, {**row, "value": value, "points": value}, catalogue)
    if name == "status":
        return frame.words(f"hr.status.{value}")
    if name == "sums":
        return ", ".join(f"{measure} {amount}" for measure, amount in json.loads(value).items()) or "–"
    if value is None or isinstance(value, str):
        return value or "–"
    if name in ("shift_start", "shift_end"):
        return frame.figures.moment(value)
    return frame.figures.number(value, 4)
