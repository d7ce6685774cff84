"""An error leaves as a problem (RFC 9457) that names the field, its value and the remedy; nothing of the inside."""

from __future__ import annotations

import http
import logging
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from agents.access.directory import DirectoryStale
from agents.records.database import RecordsUnavailable
from agents.views.port import ViewsIncomplete, ViewsUnavailable
from dashboards.web.desk import DeskClosed

CONTENT_TYPE: Final = "application/problem+json"
log: Final = logging.getLogger(__name__)


class Problem(msgspec.Struct, frozen=True):
    """What went wrong with a request. `field` and `value` say where, null when no single field is at fault."""

    title: str
    status: int
    detail: str
    field: str | None = None
    value: str | None = None
    type: str = "about:blank"


class RequestProblem(Exception):
    """A request that cannot be answered as it was asked."""

    def __init__(
        self,
        status: int,
        detail: str,
        field: str | None = None,
        value: str | None = None,
        *,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.headers = headers
        shown = value if value is None else value[:200]
        self.problem = Problem(http.HTTPStatus(status).phrase, status, detail, field, shown)


class SignInNeeded(Exception):
    """Somebody looks at a page without being signed in. `here`: the page, with its query."""

    def __init__(self, here: str) -> None:
        super().__init__(here)
        self.here = here


def answer(problem: Problem, headers: dict[str, str] | None = None) -> Response[bytes]:
    """The problem as an HTTP answer."""
    told = {"cache-control": "no-store"} | (headers or {})
    return Response(msgspec.json.encode(problem), status_code=problem.status, media_type=CONTENT_TYPE, headers=told)


def on_request_problem(_: Request[Any, Any, Any], error: RequestProblem) -> Response[bytes]:
    """Handler of RequestProblem."""
    return answer(error.problem, error.headers)


def on_sign_in_needed(request: Request[Any, Any, Any], error: SignInNeeded) -> Response[Any]:
    """Handler of SignInNeeded: to the page where one signs in, and back afterwards; in a demo, to where one chooses."""
    if request.app.state.web.gate.demo:
        return Redirect("/choose", status_code=303, headers={"cache-control": "no-store"})
    return Redirect(f"/sign-in?{urlencode({'next': error.here})}", headers={"cache-control": "no-store"})


def on_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Handler of what the framework refuses: unknown addresses, methods, parameters of the wrong type."""
    found: list[dict[str, Any]] = [item for item in error.extra or [] if isinstance(item, dict)]
    detail = "; ".join(f"{item.get('key')}: {item.get('message')}" for item in found) or error.detail
    field = str(found[0].get("key")) if found else None
    phrase = http.HTTPStatus(error.status_code).phrase
    value = request.query_params.get(field) if field else None
    problem = Problem(phrase, error.status_code, detail, field, None if value is None else value[:200])
    return answer(problem, headers=error.headers)


def on_unavailable(_: Request[Any, Any, Any], error: ViewsUnavailable) -> Response[bytes]:
    """Handler of views that cannot be read now: where they are is not told to the reader."""
    being_built = isinstance(error, ViewsIncomplete)
    detail = "the views are being built from the log" if being_built else "the views are not available at the moment"
    return answer(Problem("Service Unavailable", 503, f"{detail}; ask again in a few seconds"), {"retry-after": "3"})


def on_closed(_: Request[Any, Any, Any], error: DeskClosed) -> Response[bytes]:
    """Handler of records that cannot be read now, or that this process has none of."""
    detail = "the records are not available at the moment; ask again in a few seconds"
    return answer(Problem("Service Unavailable", 503, detail), {"retry-after": "3"})


def on_stale(_: Request[Any, Any, Any], error: DirectoryStale | RecordsUnavailable) -> Response[bytes]:
    """Handler of a store that does not answer: who may see what is not known, so nobody sees anything."""
    log.warning("refused for the time being: %s", error)
    detail = "who may see what cannot be read at the moment; ask again in a few seconds"
    return answer(Problem("Service Unavailable", 503, detail), {"retry-after": "3"})


def on_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Handler of everything else: logged here, not told to the reader."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return answer(Problem("Internal Server Error", 500, "the request failed; the log of the web process says why"))
