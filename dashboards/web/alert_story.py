"""An alert as it is told: what became of it, step by step, and the picture of its evidence. Pure: no clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from dashboards.web.course import Course, course_of_panes
from dashboards.web.reading import Trends
from dashboards.web.sketch import Spark, span, spark
from schemas.alerts import CLEARED, FIRING, WITHDRAWN, AlertRow
from schemas.instants import parse_rfc3339
from stream.lifecycle import ENDED, SHELF_OVER

REASONS: Final[Mapping[str, str]] = {WITHDRAWN: "withdrawn", ENDED: "ended", SHELF_OVER: "shelf"}  # the service's own


class Step(NamedTuple):
    """What became of an alert at `at` (ms): raised, acknowledged, shelved, firing (again), folded, escalated, cleared.

    `by` and `reason` are a person's, "" where time or the data did it; `own`: the service's own reason, by its name.
    """

    what: str
    at: int
    by: str = ""
    reason: str = ""
    own: str = ""
    until: int | None = None


class Chart(NamedTuple):
    """A rate pane by pane with its interval and the limit, from `begins` to `ends` (ms).

    `marked`: where the alert's time lies, as beginning and width; None where the picture does not reach back to it.
    """

    course: Course
    spark: Spark
    marked: tuple[int, int] | None
    begins: int
    ends: int


def steps(rows: Sequence[AlertRow]) -> Iterator[Step]:
    """The steps in all that was said of one alert, oldest first; of its latest row alone, what that knows."""
    state, until, folded, escalated = FIRING, None, None, None
    if rows:
        yield Step("raised", _at(rows[0].raised_at))
    for row in rows:
        if row.escalated_at and row.escalated_at != escalated:
            yield Step("escalated", _at(row.escalated_at))
        if row.folded_into and row.folded_into != folded:
            yield Step("folded", _at(row.changed_at))
        if row.state != state or row.until != until:
            yield _moved(row)
        state, until, folded, escalated = row.state, row.until, row.folded_into, row.escalated_at


def _moved(row: AlertRow) -> Step:
    own = "" if row.by else REASONS.get(row.reason, "")
    at = _at((row.cleared_at if row.state == CLEARED else None) or row.changed_at)
    until = None if row.until is None else _at(row.until)
    return Step(row.state, at, row.by, "" if own else row.reason, own, until)


def chart(row: AlertRow, measured: Sequence[str], trends: Trends) -> Chart | None:
    """Of the rule's own window, else of the first of the indicator's windows, `measured`, that there is a trend of."""
    for window in (row.window, *measured):
        trend = trends.get(f"{row.template}/{row.indicator}/{window}", ())
        course = course_of_panes(window, trend)
        drawn = None if course is None else spark(course, row.threshold)
        if course is not None and drawn is not None:
            begins = min(start for start, n, _ in trend if n > 0)
            raised = _at(row.raised_at)
            marked = span(course, begins, min(_at(row.window_start), raised), raised)
            return Chart(course, drawn, marked, begins, begins + round(1000 * course.seconds[-1]))
    return None


def _at(text: str) -> int:
    return parse_rfc3339(text) or 0
