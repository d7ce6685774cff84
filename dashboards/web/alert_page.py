"""`/alerts/ID`: where the link in a message leads: one alert, its evidence as a chart and in numbers, what comes next.

The id names nobody; whom it is about is said here, to who may know it. An alert that is over is read from the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from agents.views.port import ViewsReader, ViewsUnavailable
from dashboards.web.acting import demand, may
from dashboards.web.alert_story import Chart, chart, steps
from dashboards.web.catalogue import Facts, Guide
from dashboards.web.evidence import EvidenceAbsent, EvidenceBusy, EvidenceSlow
from dashboards.web.figures import Figures
from dashboards.web.framing import AnyRequest, Frame
from dashboards.web.me_pages import RETRY, catalogue_of
from dashboards.web.my_words import Telling
from dashboards.web.names import unit_segment
from dashboards.web.raised import history_of
from dashboards.web.reading import Trends
from dashboards.web.sight import Sight
from dashboards.web.sketch import Whisker, whisker
from dashboards.web.updates import decode_scores, decode_unit, readable
from dashboards.web.web import Web
from schemas.alerts import CLEARED, AlertRow
from schemas.instants import parse_rfc3339


class _Read(NamedTuple):
    """`rows`: all that was said of the alert, the latest last; `whole`: whether that is from the log."""

    rows: Sequence[AlertRow]
    whole: bool
    guide: Guide | None
    facts: Facts
    measured: Sequence[str]
    chart: Chart | None

    @property
    def row(self) -> AlertRow:
        return self.rows[-1]


@get("/alerts/{alert_id:str}", include_in_schema=False, opt={"right": "read-alerts", "filters": True})
async def alert_page(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], alert_id: FromPath[str]
) -> Response[Any]:
    """The evidence of an alert, open or over."""
    frame = Frame(request, web)
    try:
        found = await history_of(web, alert_id)
        if found is None:
            return frame.notice("noalert", 404, alert=alert_id[:64])
        await demand(sight, web.views, "read-alerts", found[-1])
        read = await _read(web, found)
        may_review = web.acting.possible and await may(sight, web.views, "review-alerts", found[-1])
    except ViewsUnavailable:
        return frame.notice("unavailable", 503, retry=RETRY)
    except EvidenceBusy as error:
        return frame.notice("busy", 503, retry=error.seconds)
    except EvidenceSlow:
        return frame.notice("slow", 503)
    more = {"may_review": may_review, "done": request.query_params.get("done") == "yes"}
    return frame.page("alert.html", _values(frame, read) | more)


async def _read(web: Web, found: Sequence[AlertRow]) -> _Read:
    row = found[-1]
    guide = (await catalogue_of(web, {(row.template, row.version)})).guide(row.template, row.version)
    facts = (None if guide is None else guide.indicators.get(row.indicator)) or Facts({})
    measured = [] if facts.indicator is None else [window.text for window in facts.indicator.windows]
    rows, whole = (found, True) if row.cleared_at is not None else await _history(web, row)
    return _Read(rows, whole, guide, facts, measured, await _drawn(web, row, measured))


async def _history(web: Web, row: AlertRow) -> tuple[Sequence[AlertRow], bool]:
    """What was said of an open alert until now; without the log the page does with what it is now."""
    if web.evidence is None:
        return [row], False
    try:
        told = await web.evidence.told(row.alert_id, row.employee_id if isinstance(row.employee_id, str) else None)
    except (EvidenceAbsent, EvidenceBusy, EvidenceSlow):
        return [row], False
    return [*told, row], True  # the views may know it later than the log


async def _drawn(web: Web, row: AlertRow, measured: Sequence[str]) -> Chart | None:
    """From the newest trend where it reaches back to the alert, else as it was when the alert was raised."""
    now = chart(row, measured, await _trends(web.views, row))
    if (now is not None and now.marked) or web.evidence is None or not isinstance(row.employee_id, str):
        return now
    try:
        then = await web.evidence.trends(row.employee_id, parse_rfc3339(row.raised_at) or 0)
    except (EvidenceAbsent, EvidenceBusy, EvidenceSlow):
        return now
    return chart(row, measured, then) or now


async def _trends(views: ViewsReader, row: AlertRow) -> Trends:
    """The trends of whom it is about, as they were published last."""
    if isinstance(row.employee_id, str):
        value = (await views.employees([row.employee_id])).get(row.employee_id)
        person = readable(decode_scores, row.employee_id, value)
        return {} if person is None else person.update().trends
    unit = readable(decode_unit, row.unit, (await views.units([row.unit])).get(row.unit))
    return {} if unit is None else unit.update().trends


def _values(frame: Frame, read: _Read) -> dict[str, Any]:
    row, facts, language = read.row, read.facts, frame.words.language
    figures = Figures(frame.words, "UTC" if read.guide is None else read.guide.timezone)
    tell = Telling(frame.words, figures)
    own = frame.viewer is not None and frame.viewer.employee == row.employee_id
    happened, step = _said(row, facts, language)
    return {
        "alert": row,
        "chart": read.chart,
        "figures": figures,
        "happened": happened,
        "links": _links(frame, row, read.measured, own=own),
        "name": facts.name.get(language) or row.indicator,
        "next": step,
        "own": own,
        "raised": parse_rfc3339(row.raised_at),
        "cleared": parse_rfc3339(row.cleared_at or ""),
        "since": parse_rfc3339(row.window_start),
        "shown": lambda value: figures.value(value, facts.unit, row.low is not None),
        "steps": list(steps(read.rows)),
        "whisker": _whisker(row),
        "whole": read.whole,
        "window": tell.window(row.window) if row.window else "",
    }


def _said(row: AlertRow, facts: Facts, language: str) -> tuple[str, str]:
    """What happened, and what to do: the template's own next step is the last sentence of the alert's words."""
    text = row.message.zh if language == "zh" else row.message.en
    step = "" if facts.indicator is None else facts.indicator.next_step.get(language) or ""
    begins = text.rfind(step.rstrip(".。!！")) if step else -1
    return (text[:begins].rstrip(), text[begins:]) if begins > 0 else (text, "")


def _whisker(row: AlertRow) -> Whisker | None:
    """The value that it was raised with, how sure that was, beside the limit."""
    if row.value is None or row.low is None or row.high is None:
        return None
    return whisker(row.value, row.low, row.high, row.threshold)


def _links(frame: Frame, row: AlertRow, measured: Sequence[str], *, own: bool) -> dict[str, str]:
    """Where one goes on: to the person with their events as of then, to an appeal, or to the unit; "" for nowhere."""
    unit = unit_segment(row.unit) if row.unit else ""
    here = "" if row.state == CLEARED else f"#alert-{row.alert_id}"
    links = dict.fromkeys(("person", "events", "appeal", "team", "funnel"), "")
    if unit and not own:
        links["team"] = frame.link(f"/team/{unit}") + here
    if not isinstance(row.employee_id, str):
        return links | {"funnel": frame.link(f"/board/{unit}/funnel")}
    path = "/me" if own else f"/people/{row.employee_id}"
    links["person"] = frame.link(path)
    window = row.window or next(iter(measured), "")
    if window:
        asked = {"indicator": row.indicator, "window": window, "template": row.template, "as_of": row.raised_at}
        links["events"] = frame.link(f"{path}/events", **asked)
        links["appeal"] = frame.link("/me/appeal", **asked) if own else ""
    return links
