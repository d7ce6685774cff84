"""Acting on alerts over the JSON API: what is done is a record of the log, in the name of whoever asks."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import JSONBody, PathParameter

from dashboards.web.acting import alert_of, demand
from dashboards.web.api_examples import NO_ALERT, TOO_OFTEN, UNAVAILABLE, answers
from dashboards.web.api_types import AlertActed, AlertAction, AlertTold, AlertVerdict, CommandOutcome
from dashboards.web.operations import Limited
from dashboards.web.outcomes import NAME, OBEYED, PENDING
from dashboards.web.problems import Problem, RequestProblem
from dashboards.web.raised import raised
from dashboards.web.sight import Sight
from dashboards.web.team_routes import who
from dashboards.web.web import Web
from schemas.instants import parse_rfc3339
from stream.lifecycle import SHELVE

MOVED_ON: Final = Problem(
    "Conflict", 409, "alert 8dbc8511 is acknowledged by li.na since 08:20: there is nothing to ack", "action", "ack"
)
WRONG: Final = Problem("Bad Request", 400, "until: it is not RFC 3339 with a zone", "until", "tomorrow")
_ALERT: Final = "8dbc851137371ff246c7"
_COMMAND: Final = "2-1907-34"
TOLD: Final = AlertTold(_ALERT, "right", "account:li.na")
ACTED: Final = AlertActed(_ALERT, "ack", "account:li.na", "obeyed", _COMMAND)
BECAME: Final = CommandOutcome(_ALERT, "ack", "account:li.na", "refused", _COMMAND, MOVED_ON.detail)
NO_COMMAND: Final = Problem("Not Found", 404, f"you gave alert {_ALERT!r} no command of this name", "command", "2-8-0")

AlertId = Annotated[str, PathParameter(description="The alert's id.", examples=[Example(value=_ALERT)])]
CommandName = Annotated[
    str,
    PathParameter(
        description="The command, as the answer to it names it.",
        examples=[Example(value=_COMMAND)],
        schema_extra={"pattern": f"^{NAME}$"},
    ),
]


@post(
    "/alerts/{alert_id:str}/actions",
    opt={"right": "act-on-alerts", "filters": True},
    status_code=202,
    tags=["alerts"],
    summary="Acknowledge, shelve, unshelve or clear an open alert",
    operation_class=Limited,
    responses=answers(ACTED, "It is in the log.", WRONG, NO_ALERT, MOVED_ON, TOO_OFTEN, UNAVAILABLE, status=202),
)
async def act_on_alert(
    request: Request[Any, Any, Any],
    web: NamedDependency[Web],
    sight: NamedDependency[Sight],
    alert_id: AlertId,
    data: JSONBody[AlertAction],
) -> Response[AlertActed]:
    """As `scorestream alerts ack` and its like: whoever acts is named at the alert from then on.

    A worker decides at its next second, by what the alert is then, and the answer waits for that, up to five seconds:
    409 where it has refused, `obeyed` where it has not. `pending` is what no worker has come to: see `Location` later.
    """
    row = await alert_of(web.views, alert_id)
    await demand(sight, web.views, "act-on-alerts", row)
    until = None if data.until is None else parse_rfc3339(data.until)
    if (data.until is None) == (data.action == SHELVE) or (data.until is not None and until is None):
        raise RequestProblem(
            400, "shelve takes an instant, RFC 3339 with a zone; nothing else does", "until", data.until
        )
    found = await web.acting.act(row, data.action, who(request), data.reason, until)
    said = AlertActed(alert_id, data.action, who(request), OBEYED if found.obeyed else PENDING, found.command)
    address = f"/api/v1/alerts/{alert_id}/commands/{found.command}"
    return Response(said, status_code=202, headers={"location": address})


@get(
    "/alerts/{alert_id:str}/commands/{command:str}",
    opt={"right": "act-on-alerts", "filters": True},
    tags=["alerts"],
    summary="What became of a command of yours about an alert",
    operation_class=Limited,
    responses=answers(BECAME, "What became of it.", NO_COMMAND, TOO_OFTEN, UNAVAILABLE),
)
async def get_outcome(
    request: Request[Any, Any, Any], web: NamedDependency[Web], alert_id: AlertId, command: CommandName
) -> CommandOutcome:
    """Of an alert that is over, too; only to whoever gave the command."""
    said, found = await web.acting.outcome(alert_id, command, who(request))
    return CommandOutcome(alert_id, said.action, said.by, found.what, command, found.why)  # type: ignore[arg-type]


@post(
    "/alerts/{alert_id:str}/reviews",
    opt={"right": "review-alerts", "filters": True},
    status_code=202,
    tags=["alerts"],
    summary="Say whether an alert was right, open or over",
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
    """The precision of rules is counted from it. The last word of each person on an alert holds."""
    row = await raised(web, alert_id)
    await demand(sight, web.views, "review-alerts", row)
    await web.acting.review(row, data.verdict, who(request), data.reason)
    return AlertTold(alert_id, data.verdict, who(request))
