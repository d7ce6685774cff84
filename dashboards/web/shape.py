"""A board as one viewer sees it: people whom they must not see are left out, others stand under a pseudonym."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from agents.access.viewer import Subject
from dashboards.web.alerts import Alert, banner
from dashboards.web.board import Drawn, Tile
from dashboards.web.catalogue import Catalogue
from dashboards.web.sight import Sight


def shaped(drawn: Drawn, unit: str, alerts: Sequence[Alert], catalogue: Catalogue, sight: Sight) -> Drawn:
    """The board, with what this viewer sees of it. `alerts`: all that are open in the unit."""
    if sight.open:
        return drawn
    head = drawn.summary
    if head is not None and not sight.sees_unit(unit, head.people):
        head = None
    tiles = [tile for employee in drawn.people if (tile := _tile(drawn.people[employee], unit, sight)) is not None]
    tiles.sort(key=lambda tile: tile.id)  # a pseudonym must not stand where the name stood
    people = {tile.id: tile for tile in tiles}
    size = drawn.summary.people if drawn.summary else 0
    return Drawn(head, people, banner(_alerts(alerts, unit, size, sight), catalogue))


def _tile(tile: Tile, unit: str, sight: Sight) -> Tile | None:
    if tile.people is not None:  # a unit, not a person
        return tile if sight.sees_unit(tile.id.removeprefix("/"), tile.people) else None
    called = sight.called(tile.id, unit) if sight.sees(tile.id) else None
    if called is None:
        return None
    return msgspec.structs.replace(tile, id=called, alert=tile.alert if sight.sees(tile.id, "alerts") else None)


def _alerts(alerts: Sequence[Alert], unit: str, people: int, sight: Sight) -> list[Alert]:
    found = []
    for alert in alerts:
        if alert.employee_id is None:
            if sight.decide("read-alerts", Subject("unit", unit, people)).allowed:
                found.append(alert)
        elif sight.sees(alert.employee_id, "alerts") and (called := sight.called(alert.employee_id, unit)):
            found.append(msgspec.structs.replace(alert, employee_id=called))
    return found
