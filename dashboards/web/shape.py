"""A board as one viewer sees it: whom they must not see is left out, others stand under a pseudonym, or by name."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from typing import Final

import msgspec

from agents.access.viewer import Subject
from dashboards.web.alerts import Alert, banner
from dashboards.web.board import Drawn, Tile
from dashboards.web.catalogue import Catalogue
from dashboards.web.remainder import left_out
from dashboards.web.sight import Sight

SHORTEST: Final = 6  # of a pseudonym, P-XXXX: of a hundred people hardly two have the same


def shaped(drawn: Drawn, unit: str, alerts: Sequence[Alert], catalogue: Catalogue, sight: Sight) -> Drawn:
    """The board, with what this viewer sees of it. `alerts`: all that are open in the unit."""
    head = drawn.summary
    if head is not None and not sight.sees_unit(unit, head.people):
        head = None
    hidden = () if sight.open else _hidden_parts(drawn, sight)
    tiles = [shown for tile in drawn.people.values() if (shown := _tile(tile, unit, sight, hidden)) is not None]
    if not sight.open:
        tiles.sort(key=lambda tile: tile.id)  # a pseudonym must not stand where the name stood
    about = Subject("unit", unit, drawn.summary.people if drawn.summary else 0)
    seen, names = _alerts(alerts, about, sight)
    veiled = not sight.open and not _all_alerts(drawn, alerts, about, sight)
    marks = {} if sight.open else _marks(drawn, alerts, unit, sight)
    written = (_marked(tile, marks) for tile in tiles)
    told = banner(seen, catalogue, names, marks, hidden=veiled, below=drawn.alerts.below)
    return Drawn(head, {tile.id: tile for tile in written}, told)


def _all_alerts(drawn: Drawn, alerts: Sequence[Alert], unit: Subject, sight: Sight) -> bool:
    """Whether the viewer is shown every alert that there is or could be in the unit: no matter whether there is one."""
    if not sight.decide("read-alerts", unit).allowed:
        return False
    people = {tile.id for tile in drawn.people.values() if tile.board is None}
    people |= {alert.employee_id for alert in alerts if alert.employee_id is not None}
    return all(sight.sees(who, "alerts") for who in people)


def shortened(pseudonyms: Collection[str]) -> dict[str, str]:
    """Each with its beginning, all equally long and no two alike: what is read from afar is short."""
    length = SHORTEST
    while len({each[:length] for each in pseudonyms}) < len(set(pseudonyms)):
        length += 1
    return {each: each[:length] for each in pseudonyms}


def _marks(drawn: Drawn, alerts: Sequence[Alert], unit: str, sight: Sight) -> dict[str, str]:
    """What is written for the pseudonyms on a board, by pseudonym."""
    people = {tile.id for tile in drawn.people.values() if tile.board is None}
    people |= {alert.employee_id for alert in alerts if alert.employee_id is not None}
    return shortened([called for who in people if sight.marked(who) and (called := sight.called(who, unit))])


def _marked(tile: Tile, marks: Mapping[str, str]) -> Tile:
    mark = marks.get(tile.id)
    return tile if mark is None else msgspec.structs.replace(tile, mark=mark)


def _hidden_parts(drawn: Drawn, sight: Sight) -> frozenset[str]:
    """Units below whose numbers are not seen."""
    parts = ((tile.id[1:], tile.people or 0) for tile in drawn.people.values() if tile.board is not None)
    return frozenset(f"/{unit}" for unit in left_out(parts, sight.sees_unit))


def _tile(tile: Tile, unit: str, sight: Sight, hidden: Container[str]) -> Tile | None:
    if tile.board is not None:
        return None if tile.id in hidden else tile
    called = sight.called(tile.id, unit) if sight.sees(tile.id) else None
    if called is None:
        return None
    alert = tile.alert if sight.sees(tile.id, "alerts") else None
    person = sight.name(tile.id)
    if (called, alert, person) == (tile.id, tile.alert, None):
        return tile
    return msgspec.structs.replace(tile, id=called, alert=alert, person=person)


def _alerts(alerts: Sequence[Alert], unit: Subject, sight: Sight) -> tuple[list[Alert], dict[str, str]]:
    """Those that the viewer sees, with what they call people; and the names of those, by what they are called.

    One that is folded into an alert that the viewer does not see stands for itself.
    """
    found, names = [], {}
    for alert in alerts:
        who = alert.employee_id
        if who is None:
            if sight.decide("read-alerts", unit).allowed:
                found.append(alert)
        elif sight.sees(who, "alerts") and (called := sight.called(who, unit.id)):
            found.append(msgspec.structs.replace(alert, employee_id=called))
            if name := sight.name(who):
                names[called] = name
    there = {alert.alert_id for alert in found}
    return [_alone(alert) if alert.folded_into not in there else alert for alert in found], names


def _alone(alert: Alert) -> Alert:
    return alert if alert.folded_into is None else msgspec.structs.replace(alert, folded_into=None)
