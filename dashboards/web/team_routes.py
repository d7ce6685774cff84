"""`/team/{unit}`: the page of whoever leads a unit."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.types import ASGIApp

from agents.views.port import ViewsUnavailable
from dashboards.web.names import valid_unit
from dashboards.web.pages import (
    AnyRequest,
    as_asgi,
    page,
    said_to,
    segments_of,
    unit_ids,
    unit_is_there,
    unit_of_address,
)
from dashboards.web.sight import Sight
from dashboards.web.team_page import team_values
from dashboards.web.web import Web


@get(
    ["/team", "/team/{address:path}"],
    include_in_schema=False,
    opt={"right": "read-scores", "filters": True, "subject": unit_of_address},
)
async def team(request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight]) -> ASGIApp:
    """The address is read as it was sent: a unit may have a slash in its id."""
    return as_asgi(request, await _team(request, web, sight, segments_of(request)))


async def _team(request: AnyRequest, web: Web, sight: Sight, segments: list[str]) -> Response[str]:
    if len(segments) != 1 or not valid_unit(segments[0]) or not await unit_is_there(web, segments[0]):
        there = await unit_ids(web, sight) or []
        return page(request, web, "unknown.html", 404, unit="/".join(segments)[:200], units=there)
    try:
        values = await team_values(web, segments[0], request.query_params, said_to(request, web), sight)
    except ViewsUnavailable:
        return page(request, web, "waiting.html", 200, unit=segments[0], unavailable=True)
    more = {**values, "may_act": False, "csrf": "", "done": "done" in request.query_params}
    return page(request, web, "team.html", 200, unit=segments[0], more=more)
