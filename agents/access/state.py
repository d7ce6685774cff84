"""All that effective rights follow from, in a file: tree, assignments, who is in charge, roles, policies, matrix.

Two such files are compared viewer by viewer and person by person: what somebody may do in one and not in the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from agents.access.identities import ACCOUNT_ROLES
from agents.access.matrix import MATRIX
from agents.access.relations import SHOWN, Organisation, Span
from agents.records.access_tables import account_roles, accounts, policies
from agents.records.tables import assignments, managers, unit_spans, units

FORMAT: Final = 1
POOLED: Final = "read-units"  # a right to a unit's numbers, not to its people
NAMED: Final = "read-people"  # what it takes to see somebody's name, where their unit shows names
NAMES: Final = "names"  # how that is told

Table = dict[str, dict[str, dict[str, str]]]  # right, role, relation: cell


class State(msgspec.Struct, frozen=True, kw_only=True):
    """As of `at` (ms since 1970 UTC). Of an account: its employee and the roles that it has.

    `names`: whether people are shown by name, of the units that say so.
    """

    format: int
    at: int
    parents: dict[str, str | None]
    works: dict[str, str | None]
    charge: dict[str, list[str]]
    accounts: dict[str, tuple[str | None, list[str]]]
    policies: list[str]
    matrix: Table
    names: dict[str, str] = {}


class Difference(NamedTuple):
    """What a viewer may do to these people in one state only. `gained`: in the second one.

    `people` is one empty name where it is about the unit's pooled numbers, or (without a unit) about nobody.
    """

    viewer: str
    right: str
    gained: bool
    unit: str
    people: list[str]


def export(connection: Connection, at: int) -> State:
    """The state of the store at an instant."""

    def holding(query: Any) -> Iterator[Any]:
        return (row for row in connection.execute(query) if row.begins <= at and (row.ends is None or at < row.ends))

    works: dict[str, str | None] = {}
    for row in connection.execute(select(assignments).order_by(assignments.c.begins)):
        if row.begins <= at:
            works[row.employee] = row.unit
    charge: dict[str, list[str]] = defaultdict(list)
    for row in holding(select(managers)):
        charge[row.employee].append(row.unit)
    roles: dict[str, list[str]] = defaultdict(list)
    for row in holding(select(account_roles)):
        roles[row.account].append(row.role)
    return State(
        format=FORMAT,
        at=at,
        parents={row.unit: row.parent for row in holding(select(unit_spans))},
        works=works,
        charge={who: sorted(units) for who, units in sorted(charge.items())},
        accounts={
            row.name: (row.employee, sorted(roles[row.name]))
            for row in connection.execute(select(accounts).order_by(accounts.c.name))
            if row.disabled_at is None
        },
        policies=sorted(row.name for row in connection.execute(select(policies)) if row.value == "on"),
        matrix=table(),
        names={
            row.id: row.names
            for row in connection.execute(select(units.c.id, units.c.names).order_by(units.c.id))
            if row.names is not None
        },
    )


def table() -> Table:
    """The matrix as plain text."""
    return {
        str(right): {
            str(role): {str(relation): str(cell) for relation, cell in cells.items()} for role, cells in roles.items()
        }
        for right, roles in MATRIX.items()
    }


def read(text: bytes) -> State:
    """A state that `export` wrote; ValueError when it is none, with where it is wrong."""
    try:
        state = msgspec.json.decode(text, type=State)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    if state.format != FORMAT:
        raise ValueError(f"format {state.format}: this version reads {FORMAT}")
    return state


def differences(before: State, after: State) -> Iterator[Difference]:
    """Whose effective rights differ, by viewer, right and the unit in which people work (in `after`, else `before`)."""
    one, other = _Side(before), _Side(after)
    groups: dict[tuple[str | None, str | None], list[str]] = defaultdict(list)
    for who in sorted({*before.works, *after.works}):
        groups[before.works.get(who), after.works.get(who)].append(who)
    places = {was for was, _ in groups}, {now for _, now in groups}
    for viewer in sorted({*before.accounts, *after.accounts}):
        yield from _of_viewer(viewer, one, other, groups, places)


def _of_viewer(
    viewer: str,
    one: _Side,
    other: _Side,
    groups: Mapping[tuple[str | None, str | None], list[str]],
    places: tuple[Iterable[str | None], Iterable[str | None]],
) -> Iterator[Difference]:
    # What one may do to somebody depends on their unit, but for oneself: whole units are decided at once.
    selves = {one.employee(viewer), other.employee(viewer)} - {None}
    before, after = (
        {unit: side.to_unit(viewer, unit) for unit in units} for side, units in zip((one, other), places, strict=True)
    )
    for (was, now), people in groups.items():
        lost, gained = before[was], after[now]
        if lost != gained:
            yield from _told(viewer, (lost, gained), now or was or "", [who for who in people if who not in selves])
    for who in sorted(str(who) for who in selves):
        was, now = one.unit_of(who), other.unit_of(who)
        yield from _told(
            viewer, (one.to_person(viewer, who, was), other.to_person(viewer, who, now)), now or was or "", [who]
        )
    for unit in sorted({*one.units, *other.units}):
        yield from _told(viewer, (one.to_pooled(viewer, unit), other.to_pooled(viewer, unit)), unit, [""])
    yield from _told(viewer, (one.of_nobody(viewer), other.of_nobody(viewer)), "", [""])


def _told(
    viewer: str, rights: tuple[frozenset[str], frozenset[str]], unit: str, people: list[str]
) -> Iterator[Difference]:
    if people and rights[0] != rights[1]:
        for right in sorted(rights[0] ^ rights[1]):
            yield Difference(viewer, right, right in rights[1], unit, people)


class _Side:
    """One state at work."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._organisation = Organisation(
            {unit: [Span(0, None, parent)] for unit, parent in state.parents.items()}, {}, {},
            {unit: said == SHOWN for unit, said in state.names.items()},
        )  # fmt: skip
        self._lines: dict[str, list[str]] = {}
        self._rights: dict[tuple[frozenset[str], str], frozenset[str]] = {}

    def employee(self, viewer: str) -> str | None:
        """Who the account is."""
        return self._state.accounts.get(viewer, (None, []))[0]

    def to_unit(self, viewer: str, unit: str | None) -> frozenset[str]:
        """Rights to the people of a unit who are not the viewer."""
        found = frozenset(
            right for right in self._of(viewer, self._relation(viewer, unit)) if not right.startswith(POOLED)
        )
        return found | {NAMES} if NAMED in found and self._organisation.shows_names(unit, 0) else found

    def to_person(self, viewer: str, who: str | None, unit: str | None) -> frozenset[str]:
        """Rights to somebody who may be the viewer."""
        if who != self.employee(viewer):
            return self.to_unit(viewer, unit)
        return frozenset(right for right in self._of(viewer, "own") if not right.startswith(POOLED))

    def unit_of(self, who: str) -> str | None:
        """Where somebody works."""
        return self._state.works.get(who)

    @property
    def units(self) -> Iterable[str]:
        """All units of the tree."""
        return self._state.parents

    def to_pooled(self, viewer: str, unit: str) -> frozenset[str]:
        """Rights to the pooled numbers of a unit."""
        who = self.employee(viewer)
        relation = self._relation(viewer, unit)
        if relation == "others" and who is not None and self._state.works.get(who) == unit:
            relation = "own"
        return frozenset(right for right in self._of(viewer, relation) if right.startswith(POOLED))

    def of_nobody(self, viewer: str) -> frozenset[str]:
        """Rights that are about nobody in particular."""
        return self._of(viewer, "none")

    def _relation(self, viewer: str, unit: str | None) -> str:
        who, roles = self._state.accounts.get(viewer, (None, []))
        charge = self._state.charge.get(who or "", ()) if "supervisor" in roles else ()
        line = self._line(unit)
        if line and line[0] in charge:
            return "team"
        return "subtree" if charge and set(charge).intersection(line) else "others"

    def _line(self, unit: str | None) -> list[str]:
        if unit is None:
            return []
        if unit not in self._lines:
            self._lines[unit] = list(self._organisation.line(unit, 0))
        return self._lines[unit]

    def _of(self, viewer: str, relation: str) -> frozenset[str]:
        roles = frozenset(self._state.accounts.get(viewer, (None, []))[1]).intersection(ACCOUNT_ROLES)
        key = (roles, relation)
        if key not in self._rights:
            self._rights[key] = frozenset(self._said(roles, relation))
        return self._rights[key]

    def _said(self, roles: Iterable[str], relation: str) -> Iterator[str]:
        """Rights by name; one that takes a reason, or five people, is another than one that takes nothing."""
        for right, by_role in self._state.matrix.items():
            cells = {by_role.get(role, {}).get(relation, "no") for role in roles}
            if "yes" in cells or ("policy" in cells and "subtree" in self._state.policies):
                yield right
            else:
                yield from (f"{right} ({cell})" for cell in ("reason", "five") if cell in cells)
