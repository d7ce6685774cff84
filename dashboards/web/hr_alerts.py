"""Open alerts as HR looks at them: the gravest first, then the oldest, each with the way to its evidence.

All of them are counted, however many there are. One that the unit's alert stands for is left out: the unit's is there.
Whose alerts are shown is written down before.
"""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec

from agents.access.viewer import Subject
from agents.told import alert_of
from dashboards.web.alerts import SEVERITIES, gravity
from dashboards.web.hr_frame import HrFrame
from dashboards.web.me_pages import catalogue_of
from dashboards.web.problems import RequestProblem
from dashboards.web.sight import Sight
from dashboards.web.unit_names import unit_names
from dashboards.web.web import Web
from schemas.instants import parse_rfc3339
from schemas.unreadable import UNREADABLE

AT_ONCE: Final = 500  # that are read together
_PLACE: Final = re.compile(r"([0-9])-([0-9]{1,15})-([A-Za-z0-9_.:-]{1,64})")


class _Head(msgspec.Struct, gc=False):
    """Of an alert what says where it stands in the list and who may see it."""

    alert_id: str
    unit: str
    severity: str
    raised_at: str
    employee_id: str | None = None
    folded_into: str | None = None


class Place(NamedTuple):
    """Where an alert stands: how grave it is, since when (ms)."""

    gravity: int
    raised: int
    alert_id: str

    def __str__(self) -> str:
        return f"{self.gravity}-{self.raised}-{self.alert_id}"


class Open(NamedTuple):
    """All that is open and may be seen: `gravest` in their order, and how many a unit's alert stands for."""

    gravest: Sequence[Place]
    folded: int

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many there are of each severity that there is, the gravest first; of what is not known they are last."""
        found = Counter(place.gravity for place in self.gravest)
        return [(severity, found[number]) for number, severity in enumerate(SEVERITIES) if found[number]]

    def behind(self, after: str, limit: int) -> tuple[Sequence[Place], str | None]:
        """At most `limit` behind `after` ("": the first), and what the next ones are behind; None: there are none."""
        begin = bisect_right(self.gravest, _place(after)) if after else 0
        page = self.gravest[begin : begin + limit]
        return page, str(page[-1]) if begin + limit < len(self.gravest) else None


async def open_alerts(web: Web, sight: Sight) -> Open:
    """Where each of them stands. Raises ViewsUnavailable."""
    keys = await web.views.alert_keys()
    heads: list[_Head] = []
    for begin in range(0, len(keys), AT_ONCE):
        values = await web.views.alerts([key.alert_id for key in keys[begin : begin + AT_ONCE]])
        # Thousands are decoded and asked about: not on the event loop, where screens wait.
        heads += await asyncio.to_thread(_heads, values.values())
    return await asyncio.to_thread(_sorted, heads, sight)


async def alert_lines(web: Web, sight: Sight, frame: HrFrame, places: Sequence[Place]) -> list[dict[str, Any]]:
    """These alerts as lines of a page, but for those that are over meanwhile. Raises ViewsUnavailable."""
    values = await web.views.alerts([place.alert_id for place in places])
    found = [row for place in places if (row := alert_of(values.get(place.alert_id))) is not None]
    await sight.tell("read-alerts", "-", [row.employee_id for row in found if isinstance(row.employee_id, str)])
    catalogue = await catalogue_of(web, {(row.template, row.version) for row in found})
    units = await unit_names(web, {row.unit for row in found}, frame.words.language)
    lines = []
    for row in found:
        who = row.employee_id if isinstance(row.employee_id, str) else None
        facts = catalogue.facts(row.template, row.version, row.indicator)
        lines.append({
            "href": frame.link(f"/alerts/{row.alert_id}"),
            "indicator": (facts.name.get(frame.words.language) if facts else None) or row.indicator,
            "row": row,
            "since": frame.figures.time(parse_rfc3339(row.raised_at) or 0),
            "unit": units.get(row.unit, row.unit),
            "who": None if who is None else sight.knows_as(who) or who,
        })  # fmt: skip
    return lines


def _heads(values: Iterable[bytes]) -> list[_Head]:
    found = []
    for value in values:
        try:
            found.append(_decoder.decode(value))
        except UNREADABLE:
            continue
    return found


def _sorted(heads: Iterable[_Head], sight: Sight) -> Open:
    @cache
    def of_person(employee: str) -> bool:
        return sight.named(employee, "alerts")

    @cache
    def of_unit(unit: str) -> bool:
        return sight.decide("read-alerts", Subject("unit", unit)).allowed

    seen = [one for one in heads if (of_unit(one.unit) if one.employee_id is None else of_person(one.employee_id))]
    own = [one for one in seen if one.folded_into is None]
    places = (Place(gravity(one.severity), parse_rfc3339(one.raised_at) or 0, one.alert_id) for one in own)
    return Open(sorted(places), len(seen) - len(own))


def _place(after: str) -> Place:
    found = _PLACE.fullmatch(after)
    if found is None:
        raise RequestProblem(400, "follow the link to the next page, as it is", "after", after)
    return Place(int(found[1]), int(found[2]), found[3])


_decoder: Final = msgspec.json.Decoder(_Head)
