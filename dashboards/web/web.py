"""What the handlers of the web process share: one value, made once, given to each of them by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment
from litestar.connection import ASGIConnection

from agents.access.signing_in import Provider
from agents.views.port import ViewsReader
from dashboards.web.acting import Acting
from dashboards.web.assets import Assets
from dashboards.web.chain_check import ChainCheck
from dashboards.web.contacts import Contacts
from dashboards.web.desk import Desk
from dashboards.web.evidence import Evidence
from dashboards.web.follower import Follower
from dashboards.web.gate import Gate
from dashboards.web.hosts import Hosts
from dashboards.web.hub import Hub
from dashboards.web.intake import Batches
from dashboards.web.languages import Language
from dashboards.web.metrics import Metrics
from dashboards.web.past import Pasts
from dashboards.web.planning import Planning
from dashboards.web.rates import Rates
from dashboards.web.repeated import Repeats
from dashboards.web.service import Service
from dashboards.web.stencil import Stencils
from dashboards.web.view import View
from dashboards.web.watch import Watch


@dataclass(frozen=True, slots=True)
class Web:
    """`views` is asked for what no screen looks at; `view` has what screens look at.

    `batches` go into the log, `repeats` has the answers to requests that came before, `rates` says how often who may
    ask. `clock` gives wall time in ms; `language` is what boards speak unless an address says otherwise. `gate` finds
    out who asks; `public_url` is where browsers find this process, None for wherever they say they did.
    """

    views: ViewsReader
    view: View
    service: Service
    hub: Hub
    follower: Follower
    metrics: Metrics
    assets: Assets
    pages: Environment
    stencils: Stencils
    clock: Callable[[], int]
    started: int
    language: Language | None
    stale_seconds: int
    batches: Batches
    repeats: Repeats
    rates: Rates
    acting: Acting
    gate: Gate
    watch: Watch
    provider: Provider | None
    public_url: str | None
    hosts: Hosts  # the names under which requests are answered
    planning: Planning  # shift calendars in the log
    evidence: Evidence | None  # the log, where this process may read it
    desk: Desk | None  # the records
    chain: ChainCheck | None  # of the audit log in them
    pasts: Pasts  # windows that are over
    contacts: Contacts
    appeal_days: int
    counts: list[int] = field(default_factory=lambda: [0, 0])  # employees and units, as last read

    @property
    def secure(self) -> bool:
        """Whether browsers come by TLS."""
        return self.public_url is not None and self.public_url.startswith("https://")

    def origin(self, connection: ASGIConnection[Any, Any, Any, Any]) -> str:
        """What a browser says as the origin of our own pages."""
        return self.public_url or f"{connection.scope['scheme']}://{connection.headers.get('host', '')}"
