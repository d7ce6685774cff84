"""Open alerts as HR looks at them: the gravest first, then the oldest, each with the way to its evidence.

One that the unit's alert stands for is left out: the unit's is there. Whose alerts are shown is written down before.
"""

from __future__ import annotations

from typing import Any, Final

from agents.access.viewer import Subject
from agents.told import alert_of
from dashboards.web.alerts import gravity
from dashboards.web.hr_frame import HrFrame
from dashboards.web.me_pages import catalogue_of
from dashboards.web.sight import Sight
from dashboards.web.web import Web
from schemas.alerts import AlertRow
from schemas.instants import parse_rfc3339

MOST: Final = 12  # that are shown
READ: Final = 500  # oldest ones that are looked at


async def alert_lines(web: Web, sight: Sight, frame: HrFrame) -> tuple[int, list[dict[str, Any]]]:
    """How many alerts are open, and lines of those that matter most. Raises ViewsUnavailable."""
    keys = await web.views.alert_keys()
    values = await web.views.alerts([key.alert_id for key in keys[:READ]])
    rows = [row for value in values.values() if (row := alert_of(value)) is not None and _shown(row, sight)]
    rows = sorted(rows, key=lambda row: (gravity(row.severity), row.raised_at, row.alert_id))[:MOST]
    await sight.tell("read-alerts", "-", [row.employee_id for row in rows if isinstance(row.employee_id, str)])
    catalogue = await catalogue_of(web, {(row.template, row.version) for row in rows})
    lines = []
    for row in rows:
        facts = catalogue.facts(row.template, row.version, row.indicator)
        lines.append({
            "href": frame.link(f"/alerts/{row.alert_id}"),
            "indicator": (facts.name.get(frame.words.language) if facts else None) or row.indicator,
            "row": row,
            "since": frame.figures.time(parse_rfc3339(row.raised_at) or 0),
            "who": row.employee_id if isinstance(row.employee_id, str) else row.unit,
        })  # fmt: skip
    return len(keys), lines


def _shown(row: AlertRow, sight: Sight) -> bool:
    if row.folded_into is not None:
        return False
    if isinstance(row.employee_id, str):
        return sight.named(row.employee_id, "alerts")
    return sight.decide("read-alerts", Subject("unit", row.unit)).allowed
