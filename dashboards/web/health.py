"""How the web process is, for those who watch it: it is well as long as it can serve what it knows."""

from __future__ import annotations

from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency

from agents.views.port import ViewsUnavailable
from dashboards.web.api_types import Health
from dashboards.web.metrics import CONTENT_TYPE
from dashboards.web.times import instant
from dashboards.web.web import Web

# Containers' health checks and Prometheus come without a name and by address; neither answer names anybody or has a
# score.
_OPEN: Final = {"right": "open", "any_host": True}


@get("/healthz", opt=_OPEN, tags=["operation"], summary="Process and age of the last commit")
async def healthz(web: NamedDependency[Web]) -> Response[Health]:
    """200 while the process does its work, also while it waits for the service; 503 when it cannot read the views."""
    at, view = web.clock(), web.view
    state, _ = web.service.state(view, at)
    failing = state == "unavailable"
    status = "failing" if failing else "ok" if state == "live" else state
    employees, units = await _counts(web)
    health = Health(
        status=status,
        process_uptime_seconds=(at - web.started) / 1000,
        last_commit_at=instant(view.last_commit),
        last_commit_age_seconds=None if view.last_commit is None else (at - view.last_commit) / 1000,
        newest_tick_at=instant(view.now),
        employees=employees,
        units=units,
        screens=web.hub.screens,
        build=web.assets.build,
        detail=web.service.trouble,
    )
    return Response(health, status_code=503 if failing else 200, headers={"cache-control": "no-store"})


@get("/metrics", opt=_OPEN, include_in_schema=False)
async def metrics(web: NamedDependency[Web]) -> Response[bytes]:
    """The metrics of this process in Prometheus' text format."""
    view, own = web.view, web.metrics
    employees, units = await _counts(web)
    state, _ = web.service.state(view, web.clock())
    own.views_up.set(state != "unavailable")
    own.views_contact.set((web.service.contact or 0) / 1000)
    own.newest_tick.set((view.now or 0) / 1000)
    own.last_commit.set((view.last_commit or 0) / 1000)
    own.entities.labels("employee").set(employees)
    own.entities.labels("unit").set(units)
    return Response(own.exposition(), media_type=CONTENT_TYPE)


async def _counts(web: Web) -> tuple[int, int]:
    """Employees and units in the views; as last known while they cannot be read."""
    try:
        if web.service.trouble is None:
            web.counts[:] = await web.views.counts()
    except ViewsUnavailable:
        pass  # the follower tells it
    return web.counts[0], web.counts[1]
