"""Whom a page is about: whoever looks, or somebody whom the address names."""

from __future__ import annotations

from typing import Any, NamedTuple

from litestar import Response
from litestar.response import Redirect

from dashboards.web.cast import Cast
from dashboards.web.framing import Frame
from dashboards.web.names import valid_employee


class Subject(NamedTuple):
    """Whom a page is about, and where it is: `/me` or `/people/ID`."""

    employee: str
    path: str
    own: bool


def subject_of(frame: Frame, employee: str | None) -> Subject | Response[Any]:
    """Whom an address is about (None: the viewer), or the page that says why it is about nobody."""
    if employee is not None:
        if not valid_employee(employee):
            return frame.notice("unknown", 404, employee=employee[:64])
        return Subject(employee, f"/people/{employee}", own=False)
    viewer = frame.viewer
    if viewer is None:
        return nobody(frame)
    if viewer.employee is None:
        return frame.notice("noemployee", 404, account=viewer.account)
    return Subject(viewer.employee, "/me", own=True)


def nobody(frame: Frame) -> Response[Any]:
    """Somebody whom nobody knows wants what is their own. In a demo they choose whom to be."""
    if isinstance(frame.web.gate, Cast):
        return Redirect("/choose", status_code=303, headers={"cache-control": "no-store"})
    return frame.notice("nobody", 401)
