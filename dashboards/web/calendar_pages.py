"""`/organisation/calendars`: the versions that there are, the shifts of a unit in a week, and a new version.

What is wrong with a text stands at its lines. A check shows the shifts that it would come to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from agents.access.audit import Entry, Outcome
from agents.access.editing import RIGHT
from agents.publishing import CalendarRefused
from agents.shift_lists import Listed, shifts_of, state_of, succession, with_draft
from dashboards.web.figures import Figures
from dashboards.web.forms import texts_of
from dashboards.web.framing import AnyRequest
from dashboards.web.hr_frame import HrFrame, hr_frame, may
from dashboards.web.me_pages import RETRY
from dashboards.web.names import valid_unit
from dashboards.web.planning import PlanningAbsent
from dashboards.web.problems import RequestProblem
from dashboards.web.sight import Sight
from dashboards.web.team_routes import who
from dashboards.web.web import Web
from dashboards.web.zones import MIDNIGHT, date_of, instant_at, local_of
from schemas.instants import DAY
from stream.calendars import Calendars
from stream.fields import Problem
from stream.shift_calendar import CalendarReport, ShiftCalendar

MOST_BYTES: Final = 60_000  # of a text: a record has 65,536
FORM_BYTES: Final = 262_144
WEEK: Final = 7  # days
PATH: Final = "/organisation/calendars"


class Line(NamedTuple):
    """A line of a text, and what is wrong with it."""

    number: int
    text: str
    problems: list[Problem]


class Shown(NamedTuple):
    """A shift as it is shown, in its calendar's zone."""

    starts: str
    ends: str
    counts: str
    calendar: str


@get(PATH, include_in_schema=False, opt={"right": "read-templates"})
async def calendars(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """All versions, and the shifts of a unit in a week."""
    frame = await hr_frame(request, web, sight, "calendars")
    return await _page(frame, frame.query)


@post(PATH, include_in_schema=False, opt={"right": RIGHT}, request_max_body_size=FORM_BYTES)
async def new_version(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> Response[Any]:
    """Checks a text, or publishes it."""
    frame = await hr_frame(request, web, sight, "calendars")
    given = await texts_of(request)
    text = given.get("text", "").replace("\r\n", "\n")
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise RequestProblem(413, f"a calendar has at most {MOST_BYTES:,} bytes", "text")
    try:
        report = await web.planning.check(text)
        if given.get("action") != "publish" or report.calendar is None:
            return await _page(frame, given, text=text, report=report)
        try:
            await _note(frame, report.calendar, text, "allowed")
            await web.planning.publish(text)
        except CalendarRefused as refused:  # somebody else published meanwhile
            return await _page(frame, given, text=text, report=refused.report)
    except PlanningAbsent:
        return frame.notice("unavailable", 503, retry=RETRY)
    await _note(frame, report.calendar, text, "done")
    path = frame.link(PATH, done="publish", unit=given.get("unit") or None)
    return Redirect(path, status_code=303, headers={"cache-control": "no-store"})


HANDLERS: Final = (calendars, new_version)


async def _note(frame: HrFrame, calendar: ShiftCalendar, text: str, outcome: Outcome) -> None:
    """Before it is published that somebody does it, and afterwards that it is: the log and the audit are two stores."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    detail = {"effective_from": calendar.effective_from, "sha256": digest, "text": text}
    subject = calendar.key  # calendar:ID@VERSION
    entry = Entry(frame.web.clock(), who(frame.request), "publish-calendar", subject, outcome, RIGHT, "none", detail)
    await frame.web.gate.write(entry)


async def _page(frame: HrFrame, given: Any, *, text: str = "", report: CalendarReport | None = None) -> Response[Any]:
    unit, day = str(given.get("unit", "")).strip(), _week(frame, str(given.get("week", "")))
    if unit and not valid_unit(unit):
        raise RequestProblem(400, "a unit's id is 1 to 128 characters without control characters", "unit", unit[:200])
    try:
        found = await frame.web.planning.known()
    except PlanningAbsent:
        return frame.notice("unavailable", 503, retry=RETRY)
    every = [entry.calendar for entry in found]
    draft = None if report is None else report.calendar
    since = instant_at(day, MIDNIGHT, frame.zone) or 0
    shifts = list(shifts_of(Calendars(with_draft(every, draft)), unit, since, since + WEEK * DAY))
    shown, now = str(given.get("show", "")), frame.web.clock()
    values = {
        "days": _days(frame, shifts), "done": given.get("done") == "publish", "draft": draft,
        "last": frame.onward(PATH, week=_moved(day, -WEEK), unit=unit), "lines": _lines(text, report),
        "may_edit": may(frame.sight, RIGHT), "next": frame.onward(PATH, week=_moved(day, WEEK), unit=unit),
        "published": [
            (entry.calendar, entry.published_at, state_of(entry.calendar, every, now))
            for entry in sorted(found, key=lambda one: (one.calendar.calendar, succession(one.calendar)), reverse=True)
        ],
        "report": report, "show": next((one for one in every if one.key == f"calendar:{shown}"), None),
        "text": text, "unit": unit, "units": sorted({each for one in every for each in one.units or ()}),
        "week": day.isoformat(),
    }  # fmt: skip
    wrong = report is not None and report.calendar is None
    return frame.draw("calendars.html", values, status=400 if wrong else 200)


def _week(frame: HrFrame, text: str) -> date:
    """The Monday of the week that is asked for, else of this one."""
    day = date_of(text) if text else local_of(frame.web.clock(), frame.zone).date()
    if day is None or not 2000 <= day.year < 2100:
        raise RequestProblem(400, "it is no date from 2000 to 2100: write YYYY-MM-DD", "week", text)
    return day - timedelta(days=day.weekday())


def _moved(day: date, days: int) -> str:
    return (day + timedelta(days=days)).isoformat()


def _days(frame: HrFrame, shifts: Sequence[Listed]) -> list[tuple[str, list[Shown]]]:
    """Shifts by the date on which they start."""

    def day(one: Listed) -> str:
        return Figures(frame.words, one.calendar.timezone).weekday(one.starts)

    return [(name, [_shown(frame, one) for one in own]) for name, own in groupby(shifts, key=day)]


def _shown(frame: HrFrame, one: Listed) -> Shown:
    """With the date where it is not that of the start."""
    figures = Figures(frame.words, one.calendar.timezone)

    def clock(at: int | None) -> str:
        if at is None:
            return "…"
        same = figures.date(at) == figures.date(one.starts)
        return figures.clock(at) if same else figures.time(at)

    counts = f"{clock(one.counts_from)} – {clock(one.counts_until)}"
    return Shown(figures.clock(one.starts), clock(one.ends), counts, one.calendar.key.partition(":")[2])


def _lines(text: str, report: CalendarReport | None) -> list[Line]:
    """Each line of the text with what was found there; nothing where all is fine."""
    if report is None or not (report.errors or report.warnings):
        return []
    texts = text.split("\n") or [""]
    found = [Line(number, line, []) for number, line in enumerate(texts, 1)]
    for problem in (*report.errors, *report.warnings):
        found[min(max(problem.line, 1), len(found)) - 1].problems.append(problem)
    return found
