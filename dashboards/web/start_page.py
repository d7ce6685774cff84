"""The start of somebody for whom there is no board: what there is for them instead, by what the matrix gives them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from litestar import Response

from dashboards.web.carried import Tab
from dashboards.web.framing import AnyRequest, Frame
from dashboards.web.guard import may_ever
from dashboards.web.hr_frame import PLACES, may
from dashboards.web.sight import Sight
from dashboards.web.web import Web


def start_page(request: AnyRequest, web: Web, sight: Sight) -> Response[Any]:
    """Says that no board is shown to them, and leads on."""
    frame = Frame(request, web)
    values = {"manages": may(sight, "manage-access"), "ways": list(_ways(frame, sight))}
    return frame.page("start.html", values)


def _ways(frame: Frame, sight: Sight) -> Iterator[Tab]:
    said = frame.words
    if sight.viewer.employee is not None:
        yield Tab(said("me.heading.own"), frame.link("/me"), current=False)
        yield Tab(said("me.appeals"), frame.link("/me/appeals"), current=False)
    for place in PLACES:
        answers = place.name == "appeals" and may_ever(sight.viewer, place.right)
        if place.path != "/" and (answers or may(sight, place.right)):
            yield Tab(said(f"hr.place.{place.name}"), frame.link(place.path), current=False)
    if may(sight, "operate"):
        yield Tab(said("start.health"), "/healthz", current=False)
    yield Tab(said("start.api"), "/api", current=False)
