"""Where a chunk's kinds of events land under one regime, found out once for all of its people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.columns import Tables
from schemas.measures import Measures
from stream.person import Person
from stream.rulebook import Entry, Group, Regime, Version
from stream.watched import Watched

_MOST: Final = 1 << 61  # no sum of a chunk is larger, so that none leaves 64 bits

Numbers = NDArray[np.int64]
Places = NDArray[np.int32]


class Kinds:
    """The kinds of a chunk under a regime: a place each in the arrays."""

    def __init__(self, regime: Regime, tables: Tables) -> None:
        actions = [regime.action(kind.type, kind.dims) for kind in tables.kinds]
        self.actions = actions
        self.land = np.array([bool(action.entries) for action in actions])
        units = {line: number for number, line in enumerate(dict.fromkeys(action.line for action in actions))}
        self.units = list(units)  # of work whose people belong to none
        self.lines = np.array([units[action.line] for action in actions], np.int64)
        found: dict[Group, dict[int, Entry]] = {}
        for place, action in enumerate(actions):
            for entry in action.entries:
                found.setdefault(entry.group, {})[place] = entry
        self.groups = [Entered(entries, len(actions)) for entries in found.values()]


class Entered:
    """A group of a version that some of the kinds enter."""

    def __init__(self, entries: dict[int, Entry], size: int) -> None:
        first = next(iter(entries.values()))
        self.version: Version = first.version
        self.group: Group = first.group
        self.entries = entries  # by kind
        self.enters = np.zeros(size, bool)
        self.enters[list(entries)] = True
        self._keys = list(dict.fromkeys(entry.key for entry in entries.values()))
        self._key_of = np.zeros(size, np.int64)
        for place, entry in entries.items():
            self._key_of[place] = self._keys.index(entry.key)

    def vectors(self, table: Sequence[Measures], kinds: Places, measures: Places) -> Numbers | None:
        """What each event adds, a row each; None when their sum might be too large."""
        known = [
            np.array([measured.vectors.get(key) or measured.vector(key) for measured in table], np.int64)
            for key in self._keys
        ]
        if max(max(int(each.max()), -int(each.min())) for each in known) * len(measures) > _MOST:
            return None
        if len(known) == 1:
            return known[0][measures]
        return np.stack(known)[self._key_of[kinds], measures]


class Entering(NamedTuple):
    """Events that enter a group, in the order of people and of the log: a place each in the columns."""

    entered: Entered
    kinds: Kinds
    people: Sequence[Person]
    rows: Numbers  # places in the chunk's columns
    who: Numbers  # places among the people
    times: Numbers
    kind: Places
    measures: Places
    line: Numbers  # places among the kinds' units
    vectors: Numbers
    watched: dict[int, Watched]  # by place among the people, where the group has rules: found when they see this
