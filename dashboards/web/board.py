"""What a screen shows of a unit, drawn from the view: one reading large, its people beside it, sorted by id.

People are never ranked, and a person whose update did not change is not drawn again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from dashboards.web.alerts import Banner, Flag, banner, flags
from dashboards.web.catalogue import Catalogue
from dashboards.web.names import unit_segment
from dashboards.web.reading import Band, Reading, Trend, band, facts_of, reading, trend
from dashboards.web.times import instant
from dashboards.web.updates import Key, KnownEmployee, Row, Subject, is_empty, is_total, key, subject
from dashboards.web.view import View, members_of
from schemas.updates import UnitPart

TOTAL: Final = "@total"
MOST_OTHERS: Final = 6


class Tile(msgspec.Struct, frozen=True):
    """One person, or a unit that belongs to this one, whose id begins with a slash then, as no person's does.

    `score` is the total in the window of the reading; `newest` is None when no window holds data. `alert` is None for
    a person without an open alert in this unit. `name` by language, `people` and `board` are those of a unit. `person`
    is what somebody is called, where the viewer may know it; `mark` what a board writes for an id that is a pseudonym.
    """

    id: str
    newest: str | None
    reading: Reading | None
    score: float | None
    trend: Trend
    alert: Flag | None = None
    name: Mapping[str, str] = {}
    people: int | None = None
    board: str | None = None
    person: str | None = None
    mark: str | None = None


class Summary(msgspec.Struct, frozen=True):
    """The unit itself. `people` counts who belongs to it, shown or not; `timezone` is its template's.

    `name` by language, nothing where the organisation says none.
    """

    unit: str
    name: Mapping[str, str]
    as_of: str | None
    newest: str | None
    timezone: str | None
    title: Mapping[str, str]
    people: int
    reading: Reading | None
    trend: Trend
    band: Band
    others: tuple[Reading, ...]


def flagship(rows: Sequence[Row], catalogue: Catalogue) -> Row | None:
    """The reading to show large: the first rate in a rolling window, else the first rate, indicator, row."""
    own = [row for row in rows if not is_total(row)]
    rates = [row for row in own if row.n is not None or facts_of(row, catalogue).is_rate]
    rolling = [row for row in rates if row.window.startswith("rolling ")]
    return next(iter([*rolling, *rates, *own, *rows]), None)


def summary(view: View, unit: str) -> Summary | None:
    """The unit's part of its board, None for a unit that nothing was published of."""
    known = view.units.get(unit)
    if known is None:
        return None
    update = known.update()
    row = flagship(update.rows, view.catalogue)
    guide = None if row is None else view.catalogue.guide(row.template, row.version)
    return Summary(
        unit=unit,
        name=update.name,
        as_of=instant(known.as_of),
        newest=None if is_empty(update.rows) else instant(known.newest),
        timezone=guide.timezone if guide else None,
        title=guide.title if guide else {},
        people=known.people,
        reading=None if row is None else reading(row, view.catalogue),
        trend=Trend() if row is None else trend(update.trends, key(row)),
        band=Band() if row is None else band(update.trends, key(row)),
        others=tuple(reading(other, view.catalogue) for other in _others(update.rows, row)),
    )


def tile(
    employee: str, known: KnownEmployee, catalogue: Catalogue, main: Key | None, alert: Flag | None = None
) -> Tile:
    """A person's part of a board: the reading that the unit shows, or their own when they have another template."""
    update = known.update()
    row = next((row for row in update.rows if key(row) == main), None) or flagship(update.rows, catalogue)
    if row is None:
        return Tile(employee, instant(known.newest), None, None, Trend(), alert)
    return Tile(
        id=employee,
        newest=None if is_empty(update.rows) else instant(known.newest),
        reading=reading(row, catalogue),
        score=_score(update.rows, row),
        trend=trend(update.trends, key(row)),
        alert=alert,
    )


def part_tile(part: UnitPart, catalogue: Catalogue, main: Key | None) -> Tile:
    """The part of a board that shows a unit which belongs to it."""
    row = next((row for row in part.rows if key(row) == main), None) or flagship(part.rows, catalogue)
    return Tile(
        id=f"/{part.unit}",
        newest=None if is_empty(part.rows) else part.newest,
        reading=None if row is None else reading(row, catalogue),
        score=None if row is None else _score(part.rows, row),
        trend=Trend() if row is None else trend(part.trends, key(row)),
        name=part.name,
        people=part.people,
        board=f"/board/{unit_segment(part.unit)}",
    )


class Drawn(msgspec.Struct, frozen=True):
    """A whole board; `people` by id, the units that belong to it first. `summary` is None for an unknown unit."""

    summary: Summary | None
    people: dict[str, Tile]
    alerts: Banner = Banner()


class Drawing:
    """Draws one unit again and again; a person whose update and alert did not change is not drawn anew."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._seen: dict[str, tuple[KnownEmployee, Tile]] = {}  # a tile has the alert
        self._basis: tuple[Key | None, int] = (None, 0)

    def draw(self, view: View) -> Drawn:
        """The board as of the view."""
        head = summary(view, self._unit)
        main = head.reading if head else None
        shown = (main.template, main.indicator, main.window) if main else None
        basis = (shown, view.catalogue.size)
        before = self._seen if basis == self._basis else {}
        self._basis, self._seen = basis, {}
        alerts = view.alerts.get(self._unit, ())
        flag = flags(alerts)
        for employee, known in members_of(view, self._unit).items():
            seen = before.get(employee)
            if seen is None or seen[0] is not known or seen[1].alert != flag.get(employee):
                seen = (known, tile(employee, known, view.catalogue, shown, flag.get(employee)))
            self._seen[employee] = seen
        parts = [part_tile(part, view.catalogue, shown) for part in self._parts(view)]
        people = {one.id: one for one in parts} | {employee: drawn for employee, (_, drawn) in self._seen.items()}
        return Drawn(head, people, banner(alerts, view.catalogue, below=bool(parts)))

    def _parts(self, view: View) -> list[UnitPart]:
        known = view.units.get(self._unit)
        return [] if known is None else known.update().parts


def _others(rows: Sequence[Row], main: Row | None) -> list[Row]:
    """The total, the same indicator in its next window, each other indicator in one window, then what is left."""
    if main is None:
        return []
    totals = [row for row in rows if _is_total_of(row, main)]
    windows = [row for row in rows if subject(row) == subject(main) and row.window != main.window]
    further: dict[Subject, Row] = {}
    for row in rows:
        new = subject(row) not in further or row.window == main.window
        if new and not is_total(row) and subject(row) != subject(main):
            further[subject(row)] = row
    return [*totals, *windows[:1], *further.values(), *windows[1:]][:MOST_OTHERS]


def _is_total_of(row: Row, main: Row) -> bool:
    return row.indicator == TOTAL and (row.template, row.window) == (main.template, main.window)


def _score(rows: Sequence[Row], main: Row) -> float | None:
    for row in rows:
        if _is_total_of(row, main):
            return row.value
    return None
