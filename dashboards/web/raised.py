"""An alert that was ever raised: as it stands in the views, or, where it is over, by all that the log has of it."""

from __future__ import annotations

from collections.abc import Sequence

from agents.told import alert_of
from dashboards.web.evidence import EvidenceAbsent, EvidenceBusy, EvidenceSlow
from dashboards.web.names import valid_alert
from dashboards.web.problems import RequestProblem
from dashboards.web.web import Web
from schemas.alerts import AlertRow


async def history_of(web: Web, alert_id: str) -> Sequence[AlertRow] | None:
    """Its latest row alone while it is open, else all that was said of it; None where nothing is known of it.

    Raises EvidenceBusy, EvidenceSlow.
    """
    if not valid_alert(alert_id):
        return None
    row = alert_of((await web.views.alerts([alert_id])).get(alert_id))
    if row is not None:
        return [row]
    try:
        return (None if web.evidence is None else await web.evidence.told(alert_id)) or None
    except EvidenceAbsent:
        return None


async def raised(web: Web, alert_id: str) -> AlertRow:
    """Its latest row, open or over; RequestProblem where there is none, or nobody can say now."""
    if not valid_alert(alert_id):
        raise RequestProblem(400, "an alert's id is [A-Za-z0-9_.:-]{1,64}", "alert_id", alert_id)
    try:
        found = await history_of(web, alert_id)
    except EvidenceBusy as error:
        detail = "others look into the log at the moment"
        raise RequestProblem(503, detail, headers={"retry-after": str(error.seconds)}) from error
    except EvidenceSlow as error:
        raise RequestProblem(503, "the log is too long to look for an alert that is over") from error
    if found is None:
        where = "" if web.evidence is not None else " open, and this process cannot look into the log"
        raise RequestProblem(404, f"there is no alert {alert_id!r}{where}", "alert_id", alert_id)
    return found[-1]
