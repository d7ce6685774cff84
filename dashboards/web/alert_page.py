"""`/alerts/ID`: where the link in a message leads: one alert, its evidence as a chart and in numbers, what comes next.

The id names nobody; whom it is about is said here, to who may know it. An alert that is over is read from the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from agents.views.port import ViewsUnavailable
from dashboards.web.acting import alert_of, demand
from dashboards.web.catalogue import Facts, Guide
from dashboards.web.evidence import EvidenceAbsent, EvidenceBusy, EvidenceSlow
from dashboards.web.figures import Figures
from dashboards.web.framing import AnyRequest, Frame
from dashboards.web.me_pages import RETRY, catalogue_of
from dashboards.web.my_words import Telling
from dashboards.web.names import unit_segment, valid_alert
from dashboards.web.problems import RequestProblem
from dashboards.web.reading import Band, Trend, Trends, band, trend
from dashboards.web.sight import Sight
from dashboards.web.sketch import Spark, Whisker, span, spark, whisker
from dashboards.web.updates import Key, decode_scores, decode_unit, readable
from dashboards.web.web import Web
from schemas.alerts import AlertRow
from schemas.instants import parse_rfc3339


class Chart(NamedTuple):
    """A rate pane by pane with its interval, the limit that the alert is about, and where the alert's window lies.

    `window` (where it begins, how wide, in the picture's units) is None where it lies before all of it.
    """

    spark: Spark
    window: tuple[float, float] | None
    begins: int
    ends: int


@get("/alerts/{alert_id:str}", include_in_schema=False, opt={"right": "read-alerts", "filters": True})
async def alert_page(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], alert_id: FromPath[str]
) -> Response[Any]:
    """The evidence of an alert, open or over."""
    frame = Frame(request, web)
    try:
        row = await _found(web, alert_id)
        if row is None:
            return frame.notice("noalert", 404, alert=alert_id[:64])
        await demand(sight, web.views, "read-alerts", row)
        trends = await _trends(web, row)
    except ViewsUnavailable:
        return frame.notice("unavailable", 503, retry=RETRY)
    except EvidenceBusy as error:
        return frame.notice("busy", 503, retry=error.seconds)
    except EvidenceSlow:
        return frame.notice("slow", 503)
    guide = (await catalogue_of(web, {(row.template, row.version)})).guide(row.template, row.version)
    return frame.page("alert.html", _values(frame, row, guide, trends))


async def _found(web: Web, alert_id: str) -> AlertRow | None:
    """As it stands, or, where it is over and there is a log to look into, as it was said last."""
    if not valid_alert(alert_id):
        return None
    try:
        return await alert_of(web.views, alert_id)
    except RequestProblem:
        try:
            return None if web.evidence is None else await web.evidence.alert(alert_id)
        except EvidenceAbsent:
            return None


async def _trends(web: Web, row: AlertRow) -> Trends:
    """The trends of whom it is about, as they were published last."""
    if isinstance(row.employee_id, str):
        value = (await web.views.employees([row.employee_id])).get(row.employee_id)
        person = readable(decode_scores, row.employee_id, value)
        return {} if person is None else person.update().trends
    unit = readable(decode_unit, row.unit, (await web.views.units([row.unit])).get(row.unit))
    return {} if unit is None else unit.update().trends


def _values(frame: Frame, row: AlertRow, guide: Guide | None, trends: Trends) -> dict[str, Any]:
    facts = (None if guide is None else guide.indicators.get(row.indicator)) or Facts({})
    figures = Figures(frame.words, "UTC" if guide is None else guide.timezone)
    at = {name: parse_rfc3339(getattr(row, name) or "") for name in ("raised_at", "cleared_at", "window_start")}
    tell = Telling(frame.words, figures)
    measured = [] if facts.indicator is None else [window.text for window in facts.indicator.windows]
    return {
        "alert": row,
        "chart": _chart(row, measured, trends, at["window_start"], at["raised_at"]),
        "figures": figures,
        "links": _links(frame, row, measured),
        "message": row.message.zh if frame.words.language == "zh" else row.message.en,
        "name": facts.name.get(frame.words.language) or row.indicator,
        "raised": at["raised_at"],
        "cleared": at["cleared_at"],
        "since": at["window_start"],
        "shown": lambda value: figures.value(value, facts.unit, row.low is not None),
        "whisker": _whisker(row),
        "window": tell.window(row.window) if row.window else "",
    }


def _whisker(row: AlertRow) -> Whisker | None:
    """The value that it was raised with, how sure that was, beside the limit."""
    if row.value is None or row.low is None or row.high is None:
        return None
    return whisker(row.value, row.low, row.high, row.threshold)


def _chart(
    row: AlertRow, measured: Sequence[str], trends: Trends, since: int | None, raised: int | None
) -> Chart | None:
    for window in (row.window, *measured):
        key: Key = (row.template, row.indicator, window)
        found: Trend = trend(trends, key)
        sure: Band = band(trends, key)
        drawn = spark(found, sure, row.threshold)
        begins = None if found.start is None else parse_rfc3339(found.start)
        if drawn is not None and begins is not None:
            marked = None if since is None or raised is None else span(found, begins, since, raised)
            return Chart(drawn, marked, begins, begins + round(1000 * found.seconds[-1]))
    return None


def _links(frame: Frame, row: AlertRow, measured: Sequence[str]) -> dict[str, str]:
    """Where one goes on: to the person with their events as of then, or to the unit."""
    unit = unit_segment(row.unit) if row.unit else ""
    if not isinstance(row.employee_id, str):
        return {"team": frame.link(f"/team/{unit}"), "funnel": frame.link(f"/board/{unit}/funnel")}
    own = frame.viewer is not None and frame.viewer.employee == row.employee_id
    path = "/me" if own else f"/people/{row.employee_id}"
    window = row.window or next(iter(measured), "day")
    asked = {"indicator": row.indicator, "window": window, "template": row.template, "as_of": row.raised_at}
    links = {"person": frame.link(path), "events": frame.link(f"{path}/events", **asked)}
    return links if own or not unit else {**links, "team": frame.link(f"/team/{unit}")}
