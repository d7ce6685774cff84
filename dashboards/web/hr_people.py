"""Everyone, by id: who is in the records, and who has scores without being there; each with the score of now.

Two lists in the same order become one, page by page: neither is ever read whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from sqlalchemy import Connection

from agents.access.viewer import Subject
from agents.records.listing import Asked, Here, Listed, known_of, listed
from agents.records.organisation import tree_at
from dashboards.web.sight import Sight
from dashboards.web.updates import decode_scores, decode_unit, readable
from dashboards.web.web import Web
from dashboards.web.windows import TODAY
from schemas.rows import TOTALS, ScoreRow
from schemas.updates import ScoreUpdate

AT_ONCE: Final = 500  # ids of the views that are looked at together
State = Literal["here", "left", "unlisted"]


class Wanted(NamedTuple):
    """Which people: text in id or name, of a unit and all below it, here or gone; empty or None: any."""

    text: str = ""
    unit: str = ""
    here: Here | None = None


class Score(NamedTuple):
    """Somebody's total of now, in the window of today or the first that there is; `points` None: there is none yet."""

    template: str
    window: str
    points: float | None


class Person(NamedTuple):
    """Somebody in the list. `unlisted`: they have scores and are not in the records. `alerts`: how many are open.

    Score and alerts are None where the viewer must not see them, the score also where nothing is scored.
    """

    id: str
    name: str | None
    role: str | None
    unit: str | None
    state: State
    score: Score | None
    alerts: int | None


class Roster(NamedTuple):
    """A page of people; `next`: the id to go on behind, None on the last page."""

    people: list[Person]
    next: str | None


async def roster(web: Web, sight: Sight, wanted: Wanted, after: str, limit: int) -> Roster:
    """At most `limit` people behind the id `after`. Raises ViewsUnavailable and DeskClosed."""
    units = await units_of(web, wanted.unit) if wanted.unit else None
    stored = await _stored(web, Asked(wanted.text, units, wanted.here), after, limit + 1)
    bound = stored[-1].id if len(stored) > limit else None  # what lies behind it is of another page
    scored = [] if wanted.here == "left" else await _scored(web, wanted, after, bound, limit + 1)
    found = sorted([*stored, *(Listed(who, None) for who in scored)], key=lambda one: one.id)
    page = found[:limit]
    people = await _drawn(web, sight, page)
    shown = [one.id for one in people if one.score is not None]
    await sight.tell("read-scores", Subject("unit", wanted.unit) if wanted.unit else "-", shown)
    return Roster(people, page[-1].id if len(found) > limit else None)


async def units_of(web: Web, unit: str) -> list[str]:
    """A unit and all below it now, as the records have them; the unit alone where they do not know it."""
    if web.desk is None:
        return [unit]
    now = web.clock()
    return await web.desk.read(lambda connection: tree_at(connection, now).subtree(unit)) or [unit]


async def _stored(web: Web, asked: Asked, after: str, limit: int) -> list[Listed]:
    if web.desk is None:
        return []
    now = web.clock()
    return await web.desk.read(lambda connection: listed(connection, now, asked, after, limit))


async def _scored(web: Web, wanted: Wanted, after: str, bound: str | None, limit: int) -> list[str]:
    """People with scores whom the records do not know, behind `after` and before `bound`."""
    found: list[str] = []
    text = wanted.text.lower()
    while len(found) < limit:
        ids = await _ids(web, wanted.unit, after)
        if not ids:
            break
        after = ids[-1]
        mine = [who for who in ids if text in who.lower() and (bound is None or who < bound)]
        found += sorted(set(mine) - await _known(web, mine))
        if bound is not None and after >= bound:
            break
    return found[:limit]


async def _ids(web: Web, unit: str, after: str) -> Sequence[str]:
    if not unit:
        return await web.views.employee_ids(after, AT_ONCE)
    known = readable(decode_unit, unit, (await web.views.units([unit])).get(unit))
    return [] if known is None else [who for who in known.members if who > after][:AT_ONCE]


async def _known(web: Web, ids: Collection[str]) -> set[str]:
    if web.desk is None or not ids:
        return set()

    def ask(connection: Connection) -> set[str]:
        return known_of(connection, ids)

    return await web.desk.read(ask)


async def _drawn(web: Web, sight: Sight, page: Sequence[Listed]) -> list[Person]:
    values = await web.views.employees([one.id for one in page if sight.sees(one.id, "values")])
    alerts = await web.views.alert_counts([one.id for one in page if sight.sees(one.id, "alerts")])
    # Each update is decoded whole: not on the event loop, where screens wait.
    return await asyncio.to_thread(_people, page, values, alerts)


def _people(page: Sequence[Listed], values: Mapping[str, bytes], alerts: Mapping[str, int]) -> list[Person]:
    found: list[Person] = []
    for one in page:
        known = readable(decode_scores, one.id, values.get(one.id))
        update = None if known is None else known.update()
        state: State = "unlisted" if one.name is None else "here" if one.unit is not None else "left"
        unit = one.unit if one.name is not None else update.unit if update is not None else None
        score = None if update is None else present(update)
        found.append(Person(one.id, one.name, one.role, unit, state, score, alerts.get(one.id)))
    return found


def present(update: ScoreUpdate) -> Score | None:
    """The total of today; None for somebody whom nothing is scored for."""
    totals = [row for row in update.rows if row.indicator == TOTALS[-1]]
    if not totals:
        return None
    row = min(totals, key=_today)
    return Score(row.template, row.window, row.points)


def _today(row: ScoreRow) -> int:
    return TODAY.index(row.window) if row.window in TODAY else len(TODAY)
