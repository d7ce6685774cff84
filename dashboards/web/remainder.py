"""What is left of a unit when the units below it that are seen are taken away is of nobody, or of enough people.

So where a unit is too small to be seen, others beside it are not seen either: on the board of the unit above, on boards
of their own, in lists and in the API, and with all that is below them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import pairwise

from agents.access.matrix import LEAST, cell
from agents.access.viewer import Subject
from agents.views.port import UnitEntry, ViewsReader
from dashboards.web.sight import Sight
from dashboards.web.updates import KnownUnit, decode_unit, readable


def left_out(parts: Iterable[tuple[str, int]], sees: Callable[[str, int], bool]) -> frozenset[str]:
    """Of the units (each with its people) that belong to one that is seen, those that are not: the small ones, and the
    smallest of the others until all of them have enough people together.
    """
    known = sorted(parts, key=lambda part: (part[1], part[0]))
    hidden = [part for part in known if not sees(*part)]
    shown = [part for part in known if part not in hidden]
    while shown and 0 < sum(people for _, people in hidden) < LEAST:
        hidden.append(shown.pop(0))
    return frozenset(unit for unit, _ in hidden)


def is_counted(sight: Sight, unit: str) -> bool:
    """Whether this viewer sees the unit only where its people are enough."""
    relation = sight.rules().relation(sight.viewer, "read-units", Subject("unit", unit))
    return not sight.open and any(cell(role, relation, "read-units") == "five" for role in sight.viewer.roles)


async def beside_few(views: ViewsReader, sight: Sight, units: Collection[str]) -> frozenset[str]:
    """Which of these units are left out, or belong to one that is, as others beside it have too few people."""
    rules = sight.rules()
    lines = {unit: list(rules.organisation.line(unit, rules.at)) for unit in units if is_counted(sight, unit)}
    above = sorted({place for line in lines.values() for place in line[1:]})
    if not above:
        return frozenset()
    found = await views.units(above)
    known = {unit: readable(decode_unit, unit, found.get(unit)) for unit in above}
    hidden = {unit: _hidden(unit, one, sight) for unit, one in known.items() if one is not None}
    return frozenset(unit for unit, line in lines.items() if _is_hidden(line, hidden))


async def seen_entries(views: ViewsReader, sight: Sight) -> list[UnitEntry]:
    """All units whose own numbers the viewer sees, by id."""
    entries = [entry for entry in await views.unit_entries() if sight.sees_unit(entry.unit, entry.people)]
    hidden = await beside_few(views, sight, [entry.unit for entry in entries])
    return [entry for entry in entries if entry.unit not in hidden]


def _hidden(unit: str, known: KnownUnit, sight: Sight) -> frozenset[str]:
    if not sight.sees_unit(unit, known.people):
        return frozenset()  # nothing can be taken away from what is not seen
    return left_out(((part.unit, part.people) for part in known.update().parts), sight.sees_unit)


def _is_hidden(line: Iterable[str], hidden: Mapping[str, frozenset[str]]) -> bool:
    return any(below in hidden.get(unit, ()) for below, unit in pairwise(line))
