"""Who looks is decided before a page is made: pages read it from the request and decide nothing themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from litestar import Request
from markupsafe import Markup

from dashboards.web.problems import RequestProblem

KEY: Final = "viewer"  # in the request's state
_OWN: Final = ("same-origin", "none")


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in account; `employee` when it is that of an employee, `language` when they chose one."""

    account: str
    employee: str | None = None
    language: str | None = None


def viewer_of(request: Request[Any, Any, Any]) -> Viewer | None:
    """Who looks, None when nobody is signed in."""
    found = request.scope["state"].get(KEY)
    return found if isinstance(found, Viewer) else None


def demand_viewer(request: Request[Any, Any, Any]) -> Viewer:
    """As `viewer_of`; RequestProblem when nobody is signed in."""
    viewer = viewer_of(request)
    if viewer is None:
        raise RequestProblem(401, "nobody is signed in; sign in and ask again")
    return viewer


def sign_in_address(request: Request[Any, Any, Any]) -> str | None:
    """Where somebody who is not signed in is sent to; None where there is no such page."""
    return None


def csrf_field(request: Request[Any, Any, Any]) -> Markup:
    """What a form carries so that only a form of ours is taken, as HTML; "" where nobody asks for it."""
    return Markup("")


async def refuse_foreign(request: Request[Any, Any, Any]) -> None:
    """Hook before a handler that changes something: a form of another site is refused, whatever it carries."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in _OWN:
        raise RequestProblem(403, "this came from a page of another site; use the form here", "sec-fetch-site", site)
