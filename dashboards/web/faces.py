"""Whom one may be in a demo, by what they have to do with scores; where each of them begins. Pure: no store, no clock.

Who is at work comes first: their pages have something to show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, get_args

from agents.access.viewer import Rules, Viewer
from agents.records.organisation import Tree
from dashboards.web.names import unit_segment

Kind = Literal["employee", "lead", "head", "hr", "auditor", "admin", "screen"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_ALONE: Final[tuple[Kind, ...]] = ("screen", "admin", "auditor", "hr")  # kinds that a role of this name makes
_AT_DESK: Final = ("hr", "auditor", "admin")


class Company(NamedTuple):
    """The demo's records at an instant: units, people's names by id. `working`: who is at work, with open alerts."""

    tree: Tree
    names: Mapping[str, str]
    working: Mapping[str, int] = {}

    def called(self, unit: str | None, language: str) -> str:
        """A unit's name, its id where it has none."""
        span = self.tree.spans.get(unit or "")
        return unit or "" if span is None else span.name_zh if language == "zh" else span.name_en

    @property
    def root(self) -> str | None:
        """What all units belong to."""
        return next(iter(self.tree.children().get(None, ())), None)


class Player(NamedTuple):
    """Somebody whom one may be. `unit`: where they work, what they are in charge of, or what a screen shows.

    `alerts`: how many are open of them, or of those in the unit. `pages`: what there is for them, by name, the page
    where they begin first.
    """

    who: str
    kind: Kind
    employee: str | None
    unit: str | None
    at_work: bool
    alerts: int
    pages: Mapping[str, str]


def cast_of(players: Mapping[str, Viewer], company: Company, rules: Rules) -> dict[Kind, list[Player]]:
    """Everybody by kind; of each kind those at work before others, of these those with the most open alerts first."""
    active: dict[str, int] = {}
    for employee, alerts in company.working.items():
        unit = rules.organisation.unit_of(employee, rules.at) or ""
        active[unit] = active.get(unit, 0) + alerts
    found: dict[Kind, list[Player]] = {}
    for who, viewer in players.items():
        if (kind := _kind(viewer, company, rules)) is not None:
            found.setdefault(kind, []).append(_player(who, kind, viewer, company, rules, active))

    def turn(one: Player) -> tuple[bool, int, str, str]:
        return not one.at_work, -one.alerts, one.unit or "", one.who

    return {kind: sorted(found[kind], key=turn) for kind in KINDS if kind in found}


def _kind(viewer: Viewer, company: Company, rules: Rules) -> Kind | None:
    """None for somebody for whom there is no page."""
    alone = next((kind for kind in _ALONE if kind in viewer.roles), None)
    if alone is not None:
        return alone
    led = rules.organisation.in_charge(viewer.employee, rules.at) if "supervisor" in viewer.roles else ()
    if led:
        return "head" if any(unit in company.tree.children() for unit in led) else "lead"
    return "employee" if viewer.employee is not None else None


def _player(who: str, kind: Kind, viewer: Viewer, company: Company, rules: Rules, active: Mapping[str, int]) -> Player:
    unit = viewer.unit or rules.organisation.unit_of(viewer.employee or "", rules.at)
    if kind in ("lead", "head"):
        unit = min(rules.organisation.in_charge(viewer.employee, rules.at))
    busy = {part: active[part] for part in company.tree.subtree(unit or "") if part in active}
    at_work, alerts = bool(busy) or kind in _AT_DESK, sum(busy.values())
    if kind == "employee":
        at_work, alerts = viewer.employee in company.working, company.working.get(viewer.employee or "", 0)
    return Player(who, kind, viewer.employee, unit, at_work, alerts, _pages(kind, unit, list(busy), company.root))


def _pages(kind: Kind, unit: str | None, busy: list[str], root: str | None) -> dict[str, str]:
    own, whole = (f"/board/{unit_segment(place)}" if place else "/" for place in (unit, root))
    if kind == "employee":
        return {"me": "/me", "crew": own, "mine": "/me/appeals"}
    if kind == "lead":
        return {"team": f"/team/{unit_segment(unit or '')}", "crew": own, "appeals": "/appeals"}
    if kind == "head":
        return {"board": own, "appeals": "/appeals"}
    if kind == "hr":
        return {"hr": "/hr", "organisation": "/organisation", "appeals": "/appeals", "board": whole}
    if kind == "auditor":
        return {"audit": "/hr/audit", "hr": "/hr", "board": whole}
    if kind == "admin":
        return {"start": "/", "api": "/api"}
    return {"crew": f"/board/{unit_segment(busy[0])}" if busy else own, "board": own}
