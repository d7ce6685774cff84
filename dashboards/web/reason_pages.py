"""Single events of somebody are shown to HR for a reason: a page asks for it, and leads on to what was asked for."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, post
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from agents.access.audit import Entry
from agents.access.viewer import Subject
from dashboards.web.cookies import credentials_of
from dashboards.web.forms import texts_of
from dashboards.web.framing import AnyRequest, Frame
from dashboards.web.names import valid_employee
from dashboards.web.problems import RequestProblem
from dashboards.web.reasons import HEADER, LASTS, LONGEST, kept
from dashboards.web.sight import Sight
from dashboards.web.web import Web

FORM_BYTES: Final = 8_192
GIVEN: Final = "reason-given"  # in the audit log


def reason_page(frame: Frame, employee: str, status: int, *, said: str = "", wrong: bool = False) -> Response[str]:
    """The form; it is sent to the address that it stands at. `said`: what was entered, `wrong`: it is no reason."""
    values = {
        "back": frame.link(f"/people/{employee}"),
        "employee": employee,
        "longest": LONGEST,
        "minutes": LASTS // 60,
        "said": said,
        "send_to": _here(frame),
        "wrong": wrong,
    }
    return frame.page("reason.html", values, status=status)


def _of_nobody_yet(_: ASGIConnection[Any, Any, Any, Any]) -> Subject | None:
    """Whether the viewer may is decided below, by the reason that is in the form."""
    return None


@post(
    "/people/{employee_id:str}/events",
    include_in_schema=False,
    opt={"right": "read-events", "filters": True, "subject": _of_nobody_yet},
    status_code=303,
    request_max_body_size=FORM_BYTES,
)
async def give_reason(
    request: AnyRequest, web: NamedDependency[Web], sight: NamedDependency[Sight], employee_id: FromPath[str]
) -> Response[Any]:
    """The reason is written down and remembered, and the events are opened."""
    frame = Frame(request, web)
    if not valid_employee(employee_id):
        return frame.notice("unknown", 404, employee=employee_id[:64])
    reason = (await texts_of(request)).get("reason", "").strip()
    if not 0 < len(reason) <= LONGEST:
        return reason_page(frame, employee_id, 400, said=reason[:LONGEST], wrong=True)
    about, session = Subject("employee", employee_id), credentials_of(request).session
    sight.reason = reason
    decision = sight.decide("read-events", about)
    if not decision.allowed:
        await sight.demand("read-events", about)
    if session is None:
        raise RequestProblem(400, f"without a sign-in a reason stands in the header {HEADER}", "reason", reason)
    entry = Entry(
        web.clock(), sight.viewer.actor, GIVEN, str(about), "done", "read-events", decision.relation, {"reason": reason}
    )
    await web.gate.write(entry)
    sent = kept(session, employee_id, reason, web.clock(), web.secure)
    return Redirect(_here(frame), status_code=303, headers={"cache-control": "no-store"}, cookies=[sent])


def _here(frame: Frame) -> str:
    """The address as it was asked for."""
    query = frame.request.scope["query_string"].decode("latin-1")
    return frame.request.url.path + (f"?{query}" if query else "")
