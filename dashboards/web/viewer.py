"""Who looks, as pages want to know it: the guard has decided that they may, and put them into the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from markupsafe import Markup

from agents.access.viewer import Subject
from agents.access.viewer import Viewer as Known
from dashboards.web.cookies import credentials_of
from dashboards.web.csrf import FIELD, token_of

KEY: Final = "viewer"  # in the request's state


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in account; `employee` when it is that of an employee, `language` when they chose one."""

    account: str
    employee: str | None = None
    language: str | None = None


def known_as(viewer: Known) -> Viewer:
    """Somebody whom the guard has let in."""
    return Viewer(viewer.actor, viewer.employee)


def viewer_of(request: ASGIConnection[Any, Any, Any, Any]) -> Viewer | None:
    """Who looks, None when nobody is signed in."""
    found = request.scope["state"].get(KEY)
    return found if isinstance(found, Viewer) else None


def oneself(connection: ASGIConnection[Any, Any, Any, Any]) -> Subject:
    """The subject of addresses that are about whoever looks."""
    viewer = viewer_of(connection)
    return Subject("employee", (viewer.employee if viewer else None) or "")


def csrf_field(request: Request[Any, Any, Any]) -> Markup:
    """What a form carries so that only a form of ours is taken, as HTML; "" for somebody without a session."""
    token = token_of(credentials_of(request).session)
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token) if token else Markup("")
