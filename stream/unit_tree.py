"""Which unit belongs to which, and when: one record of the log says all of it, and the last one holds.

A unit's score pools the events of all units that belong to it at the as-of (ARCHITECTURE.md, The tree of units).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from schemas.instants import instant_of
from schemas.measures import clean_text

FOREVER: Final = 1 << 62


class PlaceText(msgspec.Struct, forbid_unknown_fields=False):
    """Where a unit belongs in [begins, ends), as the record says it; `ends` None: still so."""

    begins: str | int
    parent: str | None = None
    ends: str | int | None = None


class UnitText(msgspec.Struct, forbid_unknown_fields=False):
    """A unit as the record says it."""

    unit: str
    kind: str
    name: dict[str, str]
    places: list[PlaceText]


class TreeText(msgspec.Struct, forbid_unknown_fields=False):
    """The record."""

    units: list[UnitText]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Below `parent` (None: nothing is above it) from `begins` until `ends`, in ms."""

    parent: str | None
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit. `kind`: company, branch, store, department or team; `name` by language; places in order of time."""

    kind: str
    name: Mapping[str, str]
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, eq=False)
class UnitTree:
    """All units over all time. Frozen: what is asked for one instant is remembered until the next edge."""

    units: Mapping[str, Unit] = field(default_factory=dict)
    edges: tuple[int, ...] = ()  # instants at which anything changes, in order
    number: int = 0  # of two records the larger holds
    _below: dict[int, dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def parent(self, unit: str, at: int) -> str | None:
        """What a unit belongs to at an instant; None for the root, and for one that is not there."""
        known = self.units.get(unit)
        place = None if known is None else _place(known.places, at)
        return None if place is None else place.parent

    def above(self, unit: str, at: int) -> list[str]:
        """What a unit belongs to, the nearest first, up to the root."""
        found: list[str] = []
        while (parent := self.parent(found[-1] if found else unit, at)) is not None:
            found.append(parent)
        return found

    def children(self, unit: str, at: int) -> tuple[str, ...]:
        """The units that belong to a unit directly, by id."""
        return self._children(at).get(unit, ())

    def subtree(self, unit: str, at: int) -> list[str]:
        """A unit and all that belong to it."""
        below = self._children(at)
        found = [unit]
        for one in found:  # grows as it goes
            found.extend(below.get(one, ()))
        return found

    def _children(self, at: int) -> dict[str, tuple[str, ...]]:
        since = bisect_right(self.edges, at)
        if since not in self._below:
            if len(self._below) > 64:
                self._below.clear()
            found: dict[str, list[str]] = {}
            for unit in sorted(self.units):
                if (parent := self.parent(unit, at)) is not None:
                    found.setdefault(parent, []).append(unit)
            self._below[since] = {parent: tuple(units) for parent, units in found.items()}
        return self._below[since]


NO_TREE: Final = UnitTree()


def read_tree(value: bytes | None) -> UnitTree:
    """The tree in a record; ValueError (of msgspec, too) with what is wrong when it holds none."""
    text = _decoder.decode(value or b"")
    units = {unit.unit: Unit(unit.kind, unit.name, tuple(_places(unit))) for unit in text.units}
    if len(units) < len(text.units):
        raise ValueError("a unit is there twice")
    edges = {edge for unit in units.values() for place in unit.places for edge in (place.begins, place.ends)}
    tree = UnitTree(units, tuple(sorted(edges - {FOREVER})), text.number)
    _demand_no_cycle(tree)
    return tree


def write_tree(units: Mapping[str, Unit], number: int = 0) -> bytes:
    """The record that says this."""
    texts = [
        UnitText(
            name,
            unit.kind,
            dict(unit.name),
            [PlaceText(p.begins, p.parent, None if p.ends == FOREVER else p.ends) for p in unit.places],
        )
        for name, unit in sorted(units.items())
    ]
    return msgspec.json.encode(TreeText(texts, number))


def _places(unit: UnitText) -> Iterable[Place]:
    if not clean_text(unit.unit):
        raise ValueError(f"unit {unit.unit!r} is not 1 to 128 characters without control characters")
    after = -FOREVER
    for text in unit.places:
        begins, ends = instant_of(text.begins), FOREVER if text.ends is None else instant_of(text.ends)
        if begins is None or ends is None or not after <= begins < ends:
            raise ValueError(f"unit {unit.unit!r}: places are spans of time, one after the other: {text.begins!r}")
        after = ends
        yield Place(text.parent, begins, ends)


def _place(places: Sequence[Place], at: int) -> Place | None:
    return next((place for place in places if place.begins <= at < place.ends), None)


def _demand_no_cycle(tree: UnitTree) -> None:
    """Whoever begins to belong somewhere does not belong to itself from then on, nor later without a change."""
    for unit, known in tree.units.items():
        for place in known.places:
            seen, one = {unit}, place.parent
            while one is not None:
                if one in seen:
                    raise ValueError(f"unit {unit!r} belongs to itself at {place.begins}")
                seen.add(one)
                one = tree.parent(one, place.begins)


_decoder: Final = msgspec.json.Decoder(TreeText)
