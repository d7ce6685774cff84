"""The web process put together: views, screens on them, pages, API. Nothing here reads a clock or the environment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from litestar import Litestar, Request, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Tag

from agents.access.directory import DirectoryStale
from agents.access.signing_in import Provider
from agents.intake.intake import Intake
from agents.records.database import Records, RecordsUnavailable
from agents.views.port import ViewsReader, ViewsUnavailable
from dashboards.web.acting import Acting
from dashboards.web.alert_page import alert_page
from dashboards.web.api import api
from dashboards.web.appeal_pages import all_appeals, answer_appeal, appeal_form, make_appeal, my_appeals, withdraw
from dashboards.web.assets import load_assets
from dashboards.web.calendar_pages import HANDLERS as CALENDARS
from dashboards.web.chain_check import ChainCheck
from dashboards.web.choose import HANDLERS as CHOOSE
from dashboards.web.contacts import Contacts
from dashboards.web.desk import Desk, DeskClosed
from dashboards.web.edit_pages import HANDLERS as EDIT
from dashboards.web.events_pages import events_of, my_events
from dashboards.web.evidence import Evidence
from dashboards.web.follower import Follower
from dashboards.web.gate import Closed, Gate
from dashboards.web.guard import guard
from dashboards.web.head import Application
from dashboards.web.health import healthz, metrics
from dashboards.web.hosts import ANY, Hosts
from dashboards.web.hr_pages import HANDLERS as HR
from dashboards.web.hub import PACE, Hub, Pace
from dashboards.web.import_pages import HANDLERS as IMPORT
from dashboards.web.intake import Batches
from dashboards.web.languages import Language
from dashboards.web.me_pages import me, person
from dashboards.web.metrics import Metrics
from dashboards.web.my_data import my_data
from dashboards.web.operations import SCHEMES, Described
from dashboards.web.organisation_pages import HANDLERS as ORGANISATION
from dashboards.web.pages import asset, board, page_templates, start
from dashboards.web.past import Pasts
from dashboards.web.planning import Planning
from dashboards.web.problems import (
    RequestProblem,
    SignInNeeded,
    on_bug,
    on_closed,
    on_http,
    on_request_problem,
    on_sign_in_needed,
    on_stale,
    on_unavailable,
)
from dashboards.web.rates import Rates, add_rates
from dashboards.web.reason_pages import give_reason
from dashboards.web.refused import refusal
from dashboards.web.repeated import Repeats
from dashboards.web.runbook import runbook
from dashboards.web.security import add_headers
from dashboards.web.service import STILL_AFTER, Service
from dashboards.web.sight import Sight
from dashboards.web.sign_in import HANDLERS as SIGN_IN
from dashboards.web.stencil import Stencils
from dashboards.web.team_routes import act, team
from dashboards.web.view import View
from dashboards.web.watch import Watch
from dashboards.web.web import Web

DESCRIPTION: Final = """The latest scores of employees and units, as ScoreStream published them.

Rows are those of the contract: `value` is the formula's number (0.93, not 93), `n` and `good` are in units, `low` and
`high` are the 95 % Wilson interval, times are RFC 3339 with a zone, `null` stands for "no value". Errors are problems
(RFC 9457) that name the field and its value. `/board/{unit}/stream` gives a unit's board as server-sent events:
`snapshot` first, then `change`, `heartbeat` every 15 seconds, and `pulse` when nothing else was said for 4."""


PERSONAL: Final = (
    me, person, my_events, events_of, my_data, appeal_form, make_appeal, my_appeals, withdraw, all_appeals,
    answer_appeal, alert_page, give_reason,
)  # fmt: skip


def wall_ms() -> int:
    """Wall time in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def create_app(
    views: ViewsReader,
    *,
    clock: Callable[[], int] = wall_ms,
    language: Language | None = None,
    stale_seconds: int = 120,
    still_after: int = STILL_AFTER,
    pace: Pace = PACE,
    intake: Intake | None = None,
    records: Callable[[], Records] | None = None,
    rates: Rates | None = None,
    evidence: Evidence | None = None,
    desk: Desk | None = None,
    appeal_days: int = 7,
    acting: Acting | None = None,
    planning: Planning | None = None,
    access: Gate | None = None,
    provider: Provider | None = None,
    public_url: str | None = None,
    hosts: Hosts = ANY,
) -> Litestar:
    """The application over these views; they are let go of when it stops.

    `app.state.web` is the Web of this application. `stale_seconds`: age of the newest event at which a board says
    so; `still_after` (ms): without news, at which it says that of the service; `appeal_days`: within which an appeal is
    answered. `intake`: where events go, None: nowhere. `records` opens the relational store, when it is first asked
    for. `rates`: None for no limits. `evidence` and `desk`: the log and the records, where pages may look into them;
    `acting`: the way of commands about alerts; `planning`: of shift calendars. `access`: who may see what (gate.py);
    without it nobody sees anything. `provider`: where people sign in. `hosts`: under which names
    requests are answered.
    """
    own, view, service = Metrics(public_url), View(), Service(still_after=still_after)
    assets, pages, gate = load_assets(), page_templates(), access or Closed(clock)
    hub = Hub(view, service, own, clock, assets.build, pace)
    web = Web(
        views=views, view=view, service=service, hub=hub, metrics=own, assets=assets, pages=pages, clock=clock,
        follower=Follower(views, view, service, own, clock, hub.touch), stencils=Stencils(pages), started=clock(),
        language=language, stale_seconds=stale_seconds, batches=Batches(intake, own), repeats=Repeats(records, clock),
        rates=rates or Rates(), acting=acting or Acting(None, clock), gate=gate, watch=Watch(gate, hub.touch_all),
        evidence=evidence, desk=desk, chain=None if desk is None else ChainCheck(desk, clock),
        planning=planning or Planning(None, clock), pasts=Pasts(desk), contacts=Contacts(gate, desk),
        appeal_days=appeal_days, provider=provider, public_url=public_url, hosts=hosts,
    )  # fmt: skip
    return _application(web)


def _application(web: Web) -> Litestar:
    editors = (*HR, *ORGANISATION, *EDIT, *IMPORT, *CALENDARS)
    handlers: list[Any] = [
        start,
        board,
        team,
        act,
        asset,
        api,
        healthz,
        metrics,
        runbook,
        *PERSONAL,
        *editors,
        *SIGN_IN,
    ]
    app = Application(
        route_handlers=[*handlers, *(CHOOSE if web.gate.demo else ())],
        guards=[guard],
        dependencies={
            "web": Provide(lambda: web, sync_to_thread=False),
            "sight": Provide(_sight, sync_to_thread=False),
        },
        exception_handlers={
            SignInNeeded: on_sign_in_needed,
            RequestProblem: refusal(on_request_problem),
            DeskClosed: refusal(on_closed),
            DirectoryStale: refusal(on_stale),
            RecordsUnavailable: refusal(on_stale),
            ViewsUnavailable: refusal(on_unavailable),
            HTTPException: refusal(on_http),
            Exception: refusal(on_bug),
        },
        before_send=[add_headers, add_rates],
        lifespan=[lambda _: _running(web)],
        openapi_config=_openapi(),
        logging_config=None,
    )
    app.state.web = web
    return app


def _sight(request: Request[Any, Any, Any]) -> Sight:
    """What the guard found out about the one who asks."""
    found: Sight = request.scope["state"]["sight"]
    return found


@asynccontextmanager
async def _running(web: Web) -> AsyncIterator[None]:
    async with web.hub.running():
        tasks = [asyncio.create_task(web.follower.run()), asyncio.create_task(web.watch.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            web.batches.close()
            web.repeats.close()
            web.acting.close()
            web.planning.close()
            if web.chain is not None:
                await web.chain.close()
            for behind in (web.evidence, web.desk):
                if behind is not None:
                    behind.close()
            await asyncio.to_thread(web.gate.close)
            with suppress(ViewsUnavailable):
                await web.views.close()


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="ScoreStream",
        version="1",
        description=DESCRIPTION,
        openapi_router=Router("/api", route_handlers=[], include_in_schema=False, opt={"right": "open"}),
        components=Components(security_schemes=SCHEMES),
        render_plugins=[Described()],
        use_handler_docstrings=True,
        tags=[
            Tag("units", "Lines, teams, stores: pooled scores and members."),
            Tag("employees", "Scores of one person, under a pseudonymous id."),
            Tag("scores", "Rows across employees."),
            Tag("alerts", "What was raised and is not over: for whom, since when, how sure, what to do."),
            Tag("people", "Everyone in the records, and whoever has scores."),
            Tag("results", "Scores of periods that are over, and what was restated."),
            Tag("audit", "Who saw, did and was refused what."),
            Tag("events", "What happened, on its way into the log."),
            Tag("operation", "For those who run the service."),
        ],
    )
