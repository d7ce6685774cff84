"""An error leaves as a problem (RFC 9457) that names the field, its value and the remedy; nothing of the inside."""

from __future__ import annotations

import http
import logging
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from agents.access.directory import DirectoryStale
from agents.access.matrix import Right
from agents.records.database import RecordsUnavailable
from agents.views.port import ViewsIncomplete, ViewsUnavailable
from dashboards.web.desk import DeskClosed

CONTENT_TYPE: Final = "application/problem+json"
log: Final = logging.getLogger(__name__)

AnyRequest = Request[Any, Any, Any]


class Problem(msgspec.Struct, frozen=True):
    """What went wrong with a request. `field` and `value` say where, null when no single field is at fault."""

    title: str
    status: int
    detail: str
    field: str | None = None
    value: str | None = None
    type: str = "about:blank"


class RequestProblem(Exception):
    """A request that cannot be answered as it was asked. `right`: the one that is missing, where that is why."""

    def __init__(
        self,
        status: int,
        detail: str,
        field: str | None = None,
        value: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        right: Right | None = None,
    ) -> None:
        super().__init__(detail)
        self.headers = headers
        self.right = right
        shown = value if value is None else value[:200]
        self.problem = Problem(http.HTTPStatus(status).phrase, status, detail, field, shown)


class ReasonNeeded(RequestProblem):
    """Nothing is missing but a reason to look at what is somebody's: `employee`."""

    def __init__(self, detail: str, right: Right, employee: str) -> None:
        super().__init__(403, detail, right=right)
        self.employee = employee


class SignInNeeded(Exception):
    """Somebody looks at a page without being signed in. `here`: the page, with its query."""

    def __init__(self, here: str) -> None:
        super().__init__(here)
        self.here = here


class Told(NamedTuple):
    """What is told of an error, with the headers that go with it; refused.py makes an answer of it."""

    problem: Problem
    headers: dict[str, str]


def answer(told: Told) -> Response[bytes]:
    """The problem as an HTTP answer."""
    problem, headers = told
    sent = {"cache-control": "no-store"} | headers
    return Response(msgspec.json.encode(problem), status_code=problem.status, media_type=CONTENT_TYPE, headers=sent)


def on_request_problem(_: AnyRequest, error: RequestProblem) -> Told:
    """Of RequestProblem."""
    return Told(error.problem, error.headers or {})


def on_sign_in_needed(request: AnyRequest, error: SignInNeeded) -> Response[Any]:
    """Handler of SignInNeeded: to the page where one signs in, and back afterwards; in a demo, to where one chooses."""
    if request.app.state.web.gate.demo:
        return Redirect("/choose", status_code=303, headers={"cache-control": "no-store"})
    return Redirect(f"/sign-in?{urlencode({'next': error.here})}", headers={"cache-control": "no-store"})


def on_http(request: AnyRequest, error: HTTPException) -> Told:
    """Of what the framework refuses: unknown addresses, methods, parameters of the wrong type."""
    found: list[dict[str, Any]] = [item for item in error.extra or [] if isinstance(item, dict)]
    detail = "; ".join(f"{item.get('key')}: {item.get('message')}" for item in found) or error.detail
    field = str(found[0].get("key")) if found else None
    phrase = http.HTTPStatus(error.status_code).phrase
    value = request.query_params.get(field) if field else None
    problem = Problem(phrase, error.status_code, detail, field, None if value is None else value[:200])
    return Told(problem, error.headers or {})


def on_unavailable(_: AnyRequest, error: ViewsUnavailable) -> Told:
    """Of views that cannot be read now: where they are is not told to the reader."""
    being_built = isinstance(error, ViewsIncomplete)
    detail = "the views are being built from the log" if being_built else "the views are not available at the moment"
    return Told(Problem("Service Unavailable", 503, f"{detail}; ask again in a few seconds"), {"retry-after": "3"})


def on_closed(_: AnyRequest, error: DeskClosed) -> Told:
    """Of records that cannot be read now, or that this process has none of."""
    detail = "the records are not available at the moment; ask again in a few seconds"
    return Told(Problem("Service Unavailable", 503, detail), {"retry-after": "3"})


def on_stale(_: AnyRequest, error: DirectoryStale | RecordsUnavailable) -> Told:
    """Of a store that does not answer: who may see what is not known, so nobody sees anything."""
    log.warning("refused for the time being: %s", error)
    detail = "who may see what cannot be read at the moment; ask again in a few seconds"
    return Told(Problem("Service Unavailable", 503, detail), {"retry-after": "3"})


def on_bug(request: AnyRequest, error: Exception) -> Told:
    """Of everything else: logged here, not told to the reader."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return Told(Problem("Internal Server Error", 500, "the request failed; the log of the web process says why"), {})
