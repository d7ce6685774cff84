"""Open alerts over the JSON API, oldest first, to look at; what people do to them is a record of the log."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter

from agents.access.viewer import Subject
from agents.views.port import AlertKey, ViewsReader
from dashboards.web.api_examples import (
    ALERT,
    ALERTS,
    BAD_PARAMETER,
    NO_ALERT,
    NOBODY,
    TOO_MANY,
    TOO_OFTEN,
    UNAVAILABLE,
    answers,
)
from dashboards.web.api_types import AlertList, OpenAlert
from dashboards.web.conditional import conditional
from dashboards.web.known import employee_of, unit_of
from dashboards.web.names import OF_ID, OF_UNIT, valid_alert
from dashboards.web.operations import Named, Paged
from dashboards.web.paging import link_to_next
from dashboards.web.problems import RequestProblem
from dashboards.web.sight import Sight
from dashboards.web.times import instant
from dashboards.web.updates import decode_unit, readable
from dashboards.web.web import Web
from schemas.alerts import ACKNOWLEDGED, FIRING, SHELVED

MOST_ALERTS: Final = 10_000
AT_ONCE: Final = 100  # read together
OPEN: Final = [FIRING, ACKNOWLEDGED, SHELVED]
_PLACE: Final = re.compile(r"([0-9]{1,15})-([A-Za-z0-9_.:-]{1,64})")

AlertId = Annotated[
    str,
    PathParameter(
        description="The alert's id, as the list has it.",
        examples=[Example(value="8dbc851137371ff246c7")],
        schema_extra=OF_ID,
    ),
]
OfUnit = Annotated[str | None, QueryParameter(description="Only alerts of this unit.", schema_extra=OF_UNIT)]
OfEmployee = Annotated[str | None, QueryParameter(description="Only alerts about this employee.", schema_extra=OF_ID)]
OfState = Annotated[
    str | None,
    QueryParameter(
        name="state",
        description="Only alerts in this state: firing, acknowledged or shelved.",
        schema_extra={"enum": OPEN},
    ),
]
After = Annotated[str | None, QueryParameter(description="The `next` of the page before.")]
Limit = Annotated[int, QueryParameter(ge=1, le=MOST_ALERTS, description="At most so many alerts.")]


@get(
    "/alerts",
    opt={"right": "read-alerts", "filters": True},
    tags=["alerts"],
    summary="Open alerts, filtered",
    operation_class=Paged,
    responses=answers(ALERTS, "The alerts, oldest first.", NOBODY, TOO_MANY, TOO_OFTEN, UNAVAILABLE, named=True),
)
async def list_alerts(
    request: Request[Any, Any, Any],
    web: NamedDependency[Web],
    sight: NamedDependency[Sight],
    unit: OfUnit = None,
    employee: OfEmployee = None,
    in_state: OfState = None,  # the framework keeps `state` for itself
    after: After = None,
    limit: Limit = 1000,
) -> Response[AlertList]:
    """Alerts that are not cleared and that people are told of, by the time at which they were raised.

    Alerts about people whose alerts you may not see are left out.
    """
    now = instant((await web.views.standing()).now)
    if in_state not in (None, *OPEN):
        detail = f"an open alert is {', '.join(OPEN[:-1])} or {OPEN[-1]}; `scorestream alerts list` has cleared ones"
        raise RequestProblem(400, detail, "state", in_state)
    if unit is not None:
        await unit_of(web.views, unit)
    if employee is not None:
        await employee_of(web.views, employee)
    keys = await web.views.alert_keys(unit, employee)
    place = 0 if after is None else bisect_right(keys, _place(after))
    found: list[OpenAlert] = []
    while place < len(keys) and len(found) < limit:
        some = keys[place : place + min(AT_ONCE, limit - len(found))]
        place += len(some)
        seen = await _seen(await _read(web.views, some), web.views, sight)
        found += [alert for alert in seen if in_state in (None, alert.state)]
    await sight.tell(
        "read-alerts", "unit:" + unit if unit else "-", (one.employee_id for one in found if one.employee_id)
    )
    last = keys[place - 1] if place < len(keys) else None
    after = None if last is None else f"{last.raised}-{last.alert_id}"
    return conditional(request, AlertList(now, found, after), link_to_next(request, after))


@get(
    "/alerts/{alert_id:str}",
    opt={"right": "read-alerts", "filters": True},
    tags=["alerts"],
    summary="One open alert: what happened, the evidence, the next step",
    operation_class=Named,
    responses=answers(
        ALERT, "The alert in its latest state.", BAD_PARAMETER, NO_ALERT, TOO_OFTEN, UNAVAILABLE, named=True
    ),
)
async def get_alert(
    request: Request[Any, Any, Any], web: NamedDependency[Web], sight: NamedDependency[Sight], alert_id: AlertId
) -> Response[OpenAlert]:
    """An alert that is not cleared. `message` says in both languages what happened and what to do next."""
    if not valid_alert(alert_id):
        raise RequestProblem(400, "an alert's id is [A-Za-z0-9_.:-]{1,64}", "alert_id", alert_id)
    found = await _read(web.views, [AlertKey(0, alert_id)])
    if not found:
        detail = f"no alert {alert_id!r} is open; /api/v1/alerts lists those that are, `scorestream alerts` has all"
        raise RequestProblem(404, detail, "alert_id", alert_id)
    if found[0].employee_id is not None:
        await sight.demand("read-alerts", Subject("employee", found[0].employee_id))
    elif not await _seen(found, web.views, sight):
        await sight.demand("read-alerts", Subject("unit", found[0].unit, 0))
    return conditional(request, found[0])


async def _seen(alerts: Sequence[OpenAlert], views: ViewsReader, sight: Sight) -> list[OpenAlert]:
    """Those that the viewer may see."""
    if sight.open:
        return list(alerts)
    units = {alert.unit for alert in alerts if alert.employee_id is None}
    found = await views.units(sorted(units)) if units else {}
    known = {unit: readable(decode_unit, unit, found.get(unit)) for unit in units}
    sizes = {unit: 0 if update is None else update.people for unit, update in known.items()}
    return [
        alert
        for alert in alerts
        if (
            sight.named(alert.employee_id, "alerts")
            if alert.employee_id is not None
            else sight.decide("read-alerts", Subject("unit", alert.unit, sizes[alert.unit])).allowed
        )
    ]


async def _read(views: ViewsReader, keys: Sequence[AlertKey]) -> list[OpenAlert]:
    """These alerts, but for those that are over meanwhile."""
    found = await views.alerts([key.alert_id for key in keys])
    alerts = (readable(_decode, key.alert_id, found.get(key.alert_id)) for key in keys)
    return [alert for alert in alerts if alert is not None]


def _decode(_: str, value: bytes) -> OpenAlert:
    return _alerts.decode(value)


def _place(after: str) -> AlertKey:
    found = _PLACE.fullmatch(after)
    if found is None:
        raise RequestProblem(400, "give the `next` of the page before, as it is", "after", after)
    return AlertKey(int(found[1]), found[2])


_alerts: Final = msgspec.json.Decoder(OpenAlert)
