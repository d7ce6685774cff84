"""What a browser is refused is a page: what, in its reader's words, and ways on. Everybody else gets the problem.

The status is the same for both, and so is what both are told of the inside: nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from litestar import Response

from dashboards.web.carried import Tab
from dashboards.web.csrf import FIELD
from dashboards.web.framing import AnyRequest, Frame
from dashboards.web.problems import ReasonNeeded, RequestProblem, Told, answer
from dashboards.web.reason_pages import reason_page
from dashboards.web.web import Web

SAID: Final = (400, 401, 403, 404, 405, 413, 429, 500, 503)  # each with words of its own
_OF_A_FORM: Final = (FIELD, "origin")  # fields of a problem with where a form comes from

E = TypeVar("E", bound=Exception)


def refusal(tell: Callable[[AnyRequest, E], Told]) -> Callable[[AnyRequest, E], Response[Any]]:
    """A handler of an error, of which `tell` says what may be told."""

    def handle(request: AnyRequest, error: E) -> Response[Any]:
        told = tell(request, error)
        if not _is_looked_at(request):
            return answer(told)
        if isinstance(error, ReasonNeeded) and request.method == "GET":
            return reason_page(Frame(request, request.app.state.web), error.employee, told.problem.status)
        return _page(request, error, told)

    return handle


def _is_looked_at(request: AnyRequest) -> bool:
    """Whether a page was asked for, by a browser that shows what comes."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def _page(request: AnyRequest, error: Exception, told: Told) -> Response[str]:
    web: Web = request.app.state.web
    frame, status = Frame(request, web), told.problem.status
    retry = told.headers.get("retry-after", "")
    again = int(retry) if status == 503 and retry.isdecimal() and request.method == "GET" else None
    values = {
        "detail": told.problem.detail,
        "retry": again,
        "text": _text(frame, error, told, retry),
        "title": frame.words(f"refused.{_kind(status)}.title"),
        "ways": _ways(frame, status),
    }
    return frame.page("refused.html", values, status=status, headers=told.headers)


def _kind(status: int) -> str:
    return str(status) if status in SAID else "other"


def _text(frame: Frame, error: Exception, told: Told, retry: str) -> str:
    said, status = frame.words, told.problem.status
    right = error.right if isinstance(error, RequestProblem) else None
    if status == 403 and told.problem.field in _OF_A_FORM:
        return said("refused.form")
    if right is not None:
        return said("refused.403.right", what=said(f"refused.right.{right}"))
    if status == 429 and retry.isdecimal():
        return said("refused.429.wait", n=int(retry))
    return said(f"refused.{_kind(status)}.text")


def _ways(frame: Frame, status: int) -> list[Tab]:
    """Where the reader can go from here."""
    here = frame.request.url.path
    found = []
    if status == 401:
        found.append(Tab(frame.words("refused.sign_in"), f"/sign-in?{urlencode({'next': '/'})}", current=False))
    if frame.viewer is not None and frame.viewer.employee is not None and here != "/me":
        found.append(Tab(frame.words("me.heading.own"), frame.link("/me"), current=False))
    if here != "/":
        found.append(Tab(frame.words("refused.start"), frame.link("/"), current=False))
    return found
