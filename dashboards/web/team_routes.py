"""`/team/{unit}`: the page of whoever leads a unit, and what they do to its alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ASGIApp

from agents.views.port import ViewsUnavailable
from dashboards.web.acting import ACTIONS, SPANS, alert_of, demand
from dashboards.web.carried import KEPT
from dashboards.web.forms import texts_of
from dashboards.web.names import unit_segment, valid_unit
from dashboards.web.pages import (
    NO_STORE,
    AnyRequest,
    as_asgi,
    page,
    said_to,
    segments_of,
    unit_ids,
    unit_is_there,
    unit_of_address,
)
from dashboards.web.problems import RequestProblem
from dashboards.web.raised import raised
from dashboards.web.security import with_forms
from dashboards.web.sight import Sight
from dashboards.web.team_page import team_values
from dashboards.web.viewer import csrf_field, viewer_of
from dashboards.web.web import Web
from schemas.alerts import AlertRow
from stream.lifecycle import SHELVE

FORM_BYTES = 16_384
DONE = ("yes", "later", "no")  # what became of what somebody did


@get(
    ["/team", "/team/{address:path}"],
    include_in_schema=False,
    opt={"right": "read-units", "subject": unit_of_address},  # as the unit's board; people are asked for one by one
)
async def team(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> ASGIApp:
    """The address is read as it was sent: a unit may have a slash in its id."""
    return as_asgi(request, await _team(request, web, sight, segments_of(request)))


@post(
    "/alerts/{alert_id:str}",
    include_in_schema=False,
    opt={"right": "act-on-alerts", "filters": True},
    request_max_body_size=FORM_BYTES,
)
async def act(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], alert_id: FromPath[str]
) -> Response[Any]:
    """The form at an alert: an action, or a word on whether it was right; then the page again, and how it went."""
    form = await texts_of(request)
    action, by, done = form.get("action", ""), who(request), "yes"
    reviews = action in ("right", "wrong")
    row = await (raised(web, alert_id) if reviews else alert_of(web.views, alert_id))
    if reviews:
        await demand(sight, web.views, "review-alerts", row)
        await web.acting.review(row, action, by, form.get("reason", ""))
    elif action in ACTIONS:
        await demand(sight, web.views, "act-on-alerts", row)
        done = await _done(web, row, action, by, form)
    else:
        raise RequestProblem(400, f"it is one of {', '.join(ACTIONS)}, right or wrong", "action", action)
    kept = "".join(f"&{name}={form[name]}" for name in KEPT if form.get(name, "").isalnum())
    page = f"/alerts/{row.alert_id}" if form.get("from") == "alert" else f"/team/{unit_segment(row.unit)}"
    return Redirect(f"{page}?done={done}{kept}", status_code=303, headers=NO_STORE)


async def _done(web: Web, row: AlertRow, action: str, by: str, form: Mapping[str, str]) -> str:
    """Does it; `yes`, `later` where no worker has come to it, `no` where the alert had moved on: the page shows how."""
    until = None
    if action == SHELVE:
        span = SPANS.get(form.get("for", ""))
        if span is None:
            raise RequestProblem(400, f"it is one of {', '.join(SPANS)}", "for", form.get("for"))
        until = web.clock() + span
    try:
        acted = await web.acting.act(row, action, by, form.get("reason", ""), until)
    except RequestProblem as error:
        if error.problem.status != 409:
            raise
        return "no"
    return "yes" if acted.obeyed else "later"


def who(request: AnyRequest) -> str:
    """In whose name a command is given."""
    viewer = viewer_of(request)
    return "demo" if viewer is None else viewer.account


async def _team(request: AnyRequest, web: Web, sight: Sight, segments: list[str]) -> Response[str]:
    if len(segments) != 1 or not valid_unit(segments[0]) or not await unit_is_there(web, segments[0]):
        there = await unit_ids(web, sight) or []
        return page(request, web, "unknown.html", 404, unit="/".join(segments)[:200], units=there)
    try:
        values = await team_values(web, segments[0], request.query_params, said_to(request, web), sight)
    except ViewsUnavailable:
        return page(request, web, "waiting.html", 200, unit=segments[0], unavailable=True)
    done = request.query_params.get("done", "")
    more = {**values, "csrf": csrf_field(request), "done": done if done in DONE else ""}
    answer = page(request, web, "team.html", 200, unit=segments[0], more=more)
    answer.headers["content-security-policy"] = with_forms()
    return answer
