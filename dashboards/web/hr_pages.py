"""`/hr`: what waits, everyone, closed results and the audit log, for those who look after all people.

Whose scores are shown is written down before they are, as everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Stream

from agents.access.audit import page_of as entries_of
from agents.records.overview import overview
from agents.records.result_pages import Row, Step, key_of, written
from agents.views.port import ViewsUnavailable
from dashboards.web.catalogue import Catalogue
from dashboards.web.desk import DeskClosed
from dashboards.web.figures import Figures
from dashboards.web.framing import AnyRequest
from dashboards.web.funnel_page import window_words
from dashboards.web.hr_alerts import Open, alert_lines, open_alerts
from dashboards.web.hr_asked import entry_number, result_before, wanted_entries, wanted_people, wanted_results
from dashboards.web.hr_frame import ALERTS, AUDIT, PAGE, PEOPLE, RESULTS, HrFrame, hr_frame, may
from dashboards.web.hr_people import roster
from dashboards.web.hr_results import (
    KINDS,
    SLICE,
    TOTAL,
    WINDOWS,
    as_csv,
    finding,
    history_of,
    kinds_of,
    sums_of,
    tell_results,
)
from dashboards.web.me_pages import RETRY, catalogue_of
from dashboards.web.names import unit_segment
from dashboards.web.sight import Sight
from dashboards.web.unit_names import unit_names
from dashboards.web.web import Web

GRAVEST: Final = 12  # alerts on the first page


@get("/hr", include_in_schema=False, opt=PEOPLE)
async def start(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """How many people, what waits for somebody, what is planned."""
    frame = await hr_frame(request, web, sight, "start")
    scored: int | None = None
    is_open: Open | None = None
    lines: list[dict[str, Any]] = []
    try:
        scored, is_open = (await web.views.counts())[0], await open_alerts(web, sight)
        lines = await alert_lines(web, sight, frame, is_open.gravest[:GRAVEST])
    except ViewsUnavailable:
        scored = is_open = None
    now, desk = web.clock(), web.desk
    try:
        found = None if desk is None else await desk.read(lambda connection: overview(connection, now))
    except DeskClosed:
        return frame.notice("unavailable", 503, retry=RETRY)
    checked = await web.chain.state() if web.chain is not None and may(sight, "read-audit") else None
    values = {"alerts": is_open, "checked": checked, "found": found, "lines": lines, "scored": scored}
    return frame.draw("hr.html", values)


@get("/hr/alerts", include_in_schema=False, opt=ALERTS)
async def alerts(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """All that is open, the gravest first."""
    frame = await hr_frame(request, web, sight, "alerts")
    after = frame.text("after")
    try:
        found = await open_alerts(web, sight)
        page, following = found.behind(after, PAGE)
        lines = await alert_lines(web, sight, frame, page)
    except ViewsUnavailable:
        return frame.notice("unavailable", 503, retry=RETRY)
    values = {
        "alerts": found, "lines": lines,
        "first": frame.onward("/hr/alerts", after=None) if after else None,
        "next": None if following is None else frame.onward("/hr/alerts", after=following),
    }  # fmt: skip
    return frame.draw("hr_alerts.html", values)


@get("/hr/people", include_in_schema=False, opt=PEOPLE)
async def people(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """Everyone, with the score of now."""
    frame = await hr_frame(request, web, sight, "people")
    wanted = wanted_people(frame.query)
    try:
        found = await roster(web, sight, wanted, frame.text("after"), PAGE)
        units = await unit_names(web, {one.unit for one in found.people if one.unit}, frame.words.language)
    except (ViewsUnavailable, DeskClosed):
        return frame.notice("unavailable", 503, retry=RETRY)
    following = None if found.next is None else frame.onward("/hr/people", after=found.next)
    first = frame.onward("/hr/people", after=None) if "after" in frame.query else None
    values = {"found": found, "wanted": wanted, "next": following, "first": first, "units": units}
    return frame.draw("hr_people.html", values | {"window": lambda name: window_words(name, frame.words)})


@get(["/hr/results", "/hr/results.csv"], include_in_schema=False, opt=RESULTS)
async def results(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """What is closed, and what was restated; all that is asked for as a file, through the same right."""
    frame = await hr_frame(request, web, sight, "results")
    desk = web.desk
    if desk is None:
        return frame.notice("unavailable", 503)
    as_file = request.url.path.endswith(".csv")
    try:
        asked = await wanted_results(web, frame.query, frame.zone)
        after = None if as_file else result_before(frame.query)
        found = await desk.read(finding(asked, after, SLICE if as_file else PAGE))
        if as_file:
            sent = {"content-disposition": 'attachment; filename="results.csv"', "cache-control": "no-store"}
            rows = as_csv(desk, asked, found, lambda some: tell_results(sight, frame.text("unit"), some, "export"))
            return Stream(rows, media_type="text/csv; charset=utf-8", headers=sent)
        await tell_results(sight, frame.text("unit"), found.rows)
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


@get("/hr/result", include_in_schema=False, opt=RESULTS)
async def result(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """All that one result ever was, and why it was restated."""
    frame = await hr_frame(request, web, sight, "results")
    if web.desk is None:
        return frame.notice("unavailable", 503)
    try:
        found = await history_of(web.desk, web.evidence, sight, frame.query.get("key"), frame.text("unit"))
        catalogue = await _catalogue(web, [step.row for step in found.steps])
    except (DeskClosed, ViewsUnavailable):
        return frame.notice("unavailable", 503, retry=RETRY)
    rows = [
        {"causes": cause, "changed": _changed(frame, step, catalogue), "line": _line(frame, step.row, None, catalogue)}
        for step, cause in zip(found.steps, found.causes, strict=True)
    ]
    return frame.draw("hr_result.html", {"key": found.key, "steps": rows[::-1], "title": rows[-1]["line"]})


@get("/hr/audit", include_in_schema=False, opt=AUDIT)
async def audit(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """Who saw, did and was refused what, the newest first; and whether the chain of it holds."""
    frame = await hr_frame(request, web, sight, "audit")
    asked, before = wanted_entries(frame.query, frame.zone), entry_number(frame.query, "before")
    if web.desk is None or web.chain is None:
        return frame.notice("unavailable", 503)
    try:
        rows = await web.desk.read(lambda connection: entries_of(connection, asked, before, PAGE + 1))
        checked = await web.chain.state(again="verify" in frame.query)
    except DeskClosed:
        return frame.notice("unavailable", 503, retry=RETRY)
    page = rows[:PAGE]
    values = {
        "again": frame.onward("/hr/audit", verify=1), "asked": asked, "checked": checked,
        "entries": [(row, json.loads(row.detail)) for row in page],
        "first": frame.onward("/hr/audit", before=None, verify=None) if before is not None else None,
        "next": frame.onward("/hr/audit", before=page[-1].number, verify=None) if len(rows) > PAGE else None,
    }  # fmt: skip
    return frame.draw("hr_audit.html", values)


HANDLERS: Final = (start, alerts, people, results, result, audit)


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
