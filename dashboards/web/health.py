"""How the web process is, for those who watch it: it is well as long as it can serve what it knows."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency

from dashboards.web.api_types import Health
from dashboards.web.metrics import CONTENT_TYPE
from dashboards.web.times import instant
from dashboards.web.web import Web


@get("/healthz", sync_to_thread=False, tags=["operation"], summary="Process and age of the last commit")
def healthz(web: NamedDependency[Web]) -> Response[Health]:
    """200 while the process does its work, also while it waits for the service; 503 when it cannot read the log."""
    at, view = web.clock(), web.view
    state, _ = web.service.state(view, at)
    failing = web.service.found and web.service.trouble is not None
    status = "failing" if failing else "ok" if state == "live" else state
    health = Health(
        status=status,
        process_uptime_seconds=(at - web.started) / 1000,
        last_commit_at=instant(view.last_commit),
        last_commit_age_seconds=None if view.last_commit is None else (at - view.last_commit) / 1000,
        newest_tick_at=instant(view.now),
        employees=len(view.employees),
        units=len(view.units),
        screens=web.hub.screens,
        build=web.assets.build,
        detail=web.service.trouble,
    )
    return Response(health, status_code=503 if failing else 200, headers={"cache-control": "no-store"})


@get("/metrics", include_in_schema=False, sync_to_thread=False)
def metrics(web: NamedDependency[Web]) -> Response[bytes]:
    """The metrics of this process in Prometheus' text format."""
    view, own = web.view, web.metrics
    own.newest_tick.set((view.now or 0) / 1000)
    own.last_commit.set((view.last_commit or 0) / 1000)
    own.entities.labels("employee").set(len(view.employees))
    own.entities.labels("unit").set(len(view.units))
    return Response(own.exposition(), media_type=CONTENT_TYPE)
