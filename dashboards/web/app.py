"""The web process put together: a view, screens on it, pages, API. Nothing here reads a clock or the environment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from litestar import Litestar
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Tag

from dashboards.web.api import api
from dashboards.web.assets import load_assets
from dashboards.web.feed import OpenFeed
from dashboards.web.health import healthz, metrics
from dashboards.web.hub import PACE, Hub, Pace
from dashboards.web.languages import Language
from dashboards.web.metrics import Metrics
from dashboards.web.pages import asset, board, page_templates, start
from dashboards.web.problems import RequestProblem, on_bug, on_http, on_request_problem
from dashboards.web.security import add_headers
from dashboards.web.service import Service
from dashboards.web.tail import Tail
from dashboards.web.view import View
from dashboards.web.web import Web

DESCRIPTION: Final = """The latest scores of employees and units, as ScoreStream published them.

Rows are those of the contract: `value` is the formula's number (0.93, not 93), `n` and `good` are in units, `low` and
`high` are the 95 % Wilson interval, times are RFC 3339 with a zone, `null` stands for "no value". Errors are problems
(RFC 9457) that name the field and its value. `/board/{unit}/stream` gives a unit's board as server-sent events:
`snapshot` first, then `change`, and `heartbeat` every 15 seconds."""


def wall_ms() -> int:
    """Wall time in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def create_app(
    view: View,
    *,
    open_feed: OpenFeed | None = None,
    clock: Callable[[], int] = wall_ms,
    language: Language | None = None,
    stale_seconds: int = 120,
    pace: Pace = PACE,
) -> Litestar:
    """The application over `view`. With `open_feed` it follows that log; without, whoever made the view feeds it.

    `app.state.web` is the Web of this application. `stale_seconds`: age of the newest event at which a board says
    so.
    """
    web = _web(view, open_feed is None, clock, language, stale_seconds, pace)
    app = Litestar(
        route_handlers=[start, board, asset, api, healthz, metrics],
        dependencies={"web": Provide(lambda: web, sync_to_thread=False)},
        exception_handlers={RequestProblem: on_request_problem, HTTPException: on_http, Exception: on_bug},
        before_send=[add_headers],
        lifespan=[lambda _: _running(web, open_feed)],
        openapi_config=_openapi(),
        logging_config=None,
    )
    app.state.web = web
    return app


def _web(
    view: View, fed: bool, clock: Callable[[], int], language: Language | None, stale_seconds: int, pace: Pace
) -> Web:
    service, own, assets = Service(found=fed, caught_up=fed), Metrics(), load_assets()
    hub = Hub(view, service, own, clock, assets.build, pace)
    return Web(view, service, hub, own, assets, page_templates(), clock, clock(), language, stale_seconds)


@asynccontextmanager
async def _running(web: Web, open_feed: OpenFeed | None) -> AsyncIterator[None]:
    async with web.hub.running():
        if open_feed is None:
            yield
            return
        tail = Tail(
            open_feed, web.view, web.service, web.metrics, web.clock,
            touched=lambda touched: web.hub.touch(touched.units), replaced=web.hub.touch_all,
        )  # fmt: skip
        task = asyncio.create_task(tail.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="ScoreStream",
        version="1",
        description=DESCRIPTION,
        path="/api",
        render_plugins=[JsonRenderPlugin()],
        use_handler_docstrings=True,
        tags=[
            Tag("units", "Lines, teams, stores: pooled scores and members."),
            Tag("employees", "Scores of one person, under a pseudonymous id."),
            Tag("scores", "Rows across employees."),
            Tag("operation", "For those who run the service."),
        ],
    )
