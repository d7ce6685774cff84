"""Acting on alerts over the JSON API: what is done is a record of the log, in the name of whoever asks."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import JSONBody, PathParameter

from dashboards.web.acting import alert_of, demand
from dashboards.web.api_examples import NO_ALERT, TOO_OFTEN, UNAVAILABLE, answers
from dashboards.web.api_types import AlertAction, AlertTold, AlertVerdict
from dashboards.web.operations import Limited
from dashboards.web.problems import Problem, RequestProblem
from dashboards.web.sight import Sight
from dashboards.web.team_routes import who
from dashboards.web.web import Web
from schemas.instants import parse_rfc3339
from stream.lifecycle import SHELVE

MOVED_ON: Final = Problem(
    "Conflict", 409, "alert 8dbc8511 is acknowledged by li.na since 08:20: there is nothing to ack", "action", "ack"
)
WRONG: Final = Problem("Bad Request", 400, "until: it is not RFC 3339 with a zone", "until", "tomorrow")
TOLD: Final = AlertTold("8dbc851137371ff246c7", "ack", "account:li.na")

AlertId = Annotated[str, PathParameter(description="The alert's id.", examples=[Example(value="8dbc851137371ff246c7")])]


@post(
    "/alerts/{alert_id:str}/actions",
    opt={"right": "act-on-alerts", "filters": True},
    status_code=202,
    tags=["alerts"],
    summary="Acknowledge, shelve, unshelve or clear an open alert",
    operation_class=Limited,
    responses=answers(TOLD, "It is in the log.", WRONG, NO_ALERT, MOVED_ON, TOO_OFTEN, UNAVAILABLE, status=202),
)
async def act_on_alert(
    request: Request[Any, Any, Any],
    web: NamedDependency[Web],
    sight: NamedDependency[Sight],
    alert_id: AlertId,
    data: JSONBody[AlertAction],
) -> AlertTold:
    """As `scorestream alerts ack` and its like: whoever acts is named at the alert from then on."""
    row = await alert_of(web.views, alert_id)
    await demand(sight, web.views, "act-on-alerts", row)
    until = None if data.until is None else parse_rfc3339(data.until)
    if (data.until is None) == (data.action == SHELVE) or (data.until is not None and until is None):
        raise RequestProblem(
            400, "shelve takes an instant, RFC 3339 with a zone; nothing else does", "until", data.until
        )
    await web.acting.act(row, data.action, who(request), data.reason, until)
    return AlertTold(alert_id, data.action, who(request))


@post(
    "/alerts/{alert_id:str}/reviews",
    opt={"right": "review-alerts", "filters": True},
    status_code=202,
    tags=["alerts"],
    summary="Say whether an open alert was right",
    operation_class=Limited,
    responses=answers(TOLD, "It is in the log.", WRONG, NO_ALERT, TOO_OFTEN, UNAVAILABLE, status=202),
)
async def review_alert(
    request: Request[Any, Any, Any],
    web: NamedDependency[Web],
    sight: NamedDependency[Sight],
    alert_id: AlertId,
    data: JSONBody[AlertVerdict],
) -> AlertTold:
    """The precision of rules is counted from it."""
    row = await alert_of(web.views, alert_id)
    await demand(sight, web.views, "review-alerts", row)
    await web.acting.review(row, data.verdict, who(request), data.reason)
    return AlertTold(alert_id, data.verdict, who(request))
