"""What pages of HR have in common: their places, as far as the viewer may go there, one time zone, filters as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from litestar import Response
from litestar.connection import ASGIConnection

from agents.access.matrix import Right
from agents.access.viewer import Subject
from dashboards.web.carried import Tab
from dashboards.web.figures import Figures
from dashboards.web.framing import AnyRequest, Frame
from dashboards.web.hr_asked import instant_of, text_of
from dashboards.web.names import unit_segment
from dashboards.web.sight import Sight
from dashboards.web.web import Web
from dashboards.web.zones import zone_of

EVERYBODY: Final = Subject()
PAGE: Final = 50  # lines


class _Place(NamedTuple):
    name: str
    path: str
    right: Right


PLACES: Final = (
    _Place("start", "/hr", "read-people"),
    _Place("alerts", "/hr/alerts", "read-alerts"),
    _Place("people", "/hr/people", "read-people"),
    _Place("results", "/hr/results", "read-scores"),
    _Place("appeals", "/appeals", "answer-appeals"),
    _Place("audit", "/hr/audit", "read-audit"),
    _Place("organisation", "/organisation", "read-people"),
    _Place("calendars", "/organisation/calendars", "read-templates"),
    _Place("boards", "/", "read-scores"),
)


def everybody(_: ASGIConnection[Any, Any, Any, Any]) -> Subject:
    """The subject of pages about all people: whom an address names leaves nobody out of the question."""
    return EVERYBODY


# What pages of HR and the API's lists of the same take: the right to it of everybody.
PEOPLE: Final = {"right": "read-people", "subject": everybody}
ALERTS: Final = {"right": "read-alerts", "subject": everybody}
RESULTS: Final = {"right": "read-scores", "subject": everybody}
AUDIT: Final = {"right": "read-audit"}


def may(sight: Sight, right: Right) -> bool:
    """Whether the viewer has the right towards everybody, or where it is about nobody."""
    return sight.decide(right, EVERYBODY).allowed


class HrFrame(Frame):
    """A page of HR. `place`: which of them it is."""

    def __init__(self, request: AnyRequest, web: Web, sight: Sight, place: str, zone: str) -> None:
        super().__init__(request, web)
        self.sight = sight
        self.place = place
        self.zone = zone
        self.figures = Figures(self.words, zone)

    def text(self, name: str) -> str:
        """A filter as it was given."""
        return text_of(self.query, name)

    def day(self, name: str, *, end: bool = False) -> int | None:
        """An instant (ms) of a filter that is a date: its beginning, or (`end`) the beginning of the next day."""
        return instant_of(self.query, name, self.zone, end=end)

    def draw(self, name: str, values: Mapping[str, Any], *, status: int = 200) -> Response[str]:
        """A page with its places."""
        own = {
            "figures": self.figures, "here": self.place, "places": self.places(), "segment": unit_segment,
            "zone": self.zone,
        }  # fmt: skip
        return self.page(name, {**own, **values}, status=status)

    def places(self) -> list[Tab]:
        """Where the viewer may go, and where they are."""
        return [
            Tab(self.words(f"hr.place.{one.name}"), self.link(one.path), one.name == self.place)
            for one in PLACES
            if may(self.sight, one.right)
        ]

    def onward(self, path: str, **changes: object) -> str:
        """The same address with other values of these names."""
        kept = {name: value for name, value in self.query.items() if name not in self.kept}
        return self.link(path, **{**kept, **changes})


async def hr_frame(request: AnyRequest, web: Web, sight: Sight, place: str) -> HrFrame:
    """The frame of a page."""
    return HrFrame(request, web, sight, place, await zone_of(web.views))
