"""A write that a cookie lets in comes from a page of ours: its Origin is ours, and it has the session's own token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litestar import Request
from litestar.connection import ASGIConnection

from agents.access.secrets import derived, same
from dashboards.web.forms import texts_of
from dashboards.web.gate import Credentials
from dashboards.web.problems import RequestProblem

if TYPE_CHECKING:
    from dashboards.web.web import Web

FIELD: Final = "csrf"
HEADER: Final = "x-csrf-token"
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


def token_of(session: str | None) -> str:
    """What forms of this session carry; of nobody's, nothing."""
    return "" if session is None else derived(session, "csrf")


async def check_origin(connection: ASGIConnection[Any, Any, Any, Any], credentials: Credentials, web: Web) -> None:
    """Goes on for a token in a header, which no browser sends by itself. RequestProblem for another site's form."""
    if credentials.token is not None:
        return
    origin = connection.headers.get("origin")
    fetched = connection.headers.get("sec-fetch-site")
    # Of a page without a referrer a browser says "null", and says itself whether it is the same site.
    ours = fetched == "same-origin" if origin in (None, "null") else origin == web.origin(connection)
    if origin is None and fetched is None and credentials.session is None:
        return  # no browser, and nothing that a browser would have sent along
    if not ours:
        raise RequestProblem(403, "this was sent from another site", "origin", origin or fetched or "")
    if credentials.session is not None and not same(await _sent(connection), token_of(credentials.session)):
        raise RequestProblem(403, f"the form is of another sign-in; load the page again (field {FIELD})", FIELD)


async def _sent(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    if (header := connection.headers.get(HEADER)) is not None:
        return header
    if connection.headers.get("content-type", "").startswith(_FORMS) and isinstance(connection, Request):
        return (await texts_of(connection)).get(FIELD, "")
    return ""
