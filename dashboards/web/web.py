"""What the handlers of the web process share: one value, made once, given to each of them by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jinja2 import Environment

from dashboards.web.assets import Assets
from dashboards.web.hub import Hub
from dashboards.web.languages import Language
from dashboards.web.metrics import Metrics
from dashboards.web.service import Service
from dashboards.web.view import View


@dataclass(frozen=True, slots=True)
class Web:
    """`clock` gives wall time in ms; `language` is what boards speak unless an address says otherwise."""

    view: View
    service: Service
    hub: Hub
    metrics: Metrics
    assets: Assets
    pages: Environment
    clock: Callable[[], int]
    started: int
    language: Language | None
    stale_seconds: int
