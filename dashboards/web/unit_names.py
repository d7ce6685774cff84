"""What units are called on pages: as the records have it now, else as their last update says."""

from __future__ import annotations

from collections.abc import Collection

from agents.records.organisation import Tree, tree_at
from agents.views.port import ViewsUnavailable
from dashboards.web.desk import DeskClosed
from dashboards.web.languages import Language
from dashboards.web.updates import decode_unit, readable
from dashboards.web.web import Web


async def unit_names(web: Web, units: Collection[str], language: Language) -> dict[str, str]:
    """Names by id, without those units that nobody names; a list shows their ids, and goes on without its records."""
    if not units:
        return {}
    tree = await _tree(web)
    found = {unit: tree.spans[unit] for unit in units if unit in tree.spans}
    names = {unit: span.name_zh if language == "zh" else span.name_en for unit, span in found.items()}
    names |= await _published(web, set(units) - set(names), language)
    return {unit: name for unit, name in names.items() if name}


async def _tree(web: Web) -> Tree:
    now = web.clock()
    try:
        return Tree({}) if web.desk is None else await web.desk.read(lambda connection: tree_at(connection, now))
    except DeskClosed:
        return Tree({})


async def _published(web: Web, units: Collection[str], language: Language) -> dict[str, str]:
    try:
        values = await web.views.units(list(units)) if units else {}
    except ViewsUnavailable:
        return {}
    known = {unit: readable(decode_unit, unit, value) for unit, value in values.items()}
    return {unit: one.update().name.get(language, "") for unit, one in known.items() if one is not None}
