"""A unit's result pools what people brought to it and to the units that belonged to it at the window's last instant.

Of a shift those units count whose shift begins with the unit's own; it is written when theirs are over, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agents.records.result_parts import Brought
from agents.records.result_terms import Key
from stream.calendars import FOREVER
from stream.closed import SHIFT, Closed, Outcome, add_up, exists, outcomes, version_of, with_shift
from stream.rulebook import Rulebook
from stream.unit_tree import UnitTree


class Pooled(NamedTuple):
    """Results of units, and whose windows it is too early for."""

    found: dict[Key, Outcome]
    early: set[tuple[str, Closed]]


@dataclass(frozen=True, slots=True)
class Pool:
    """What units have in a window that is closed; of a shift in all that begin with it and ended by `until` (ms)."""

    closed: Closed
    rules: Rulebook
    tree: UnitTree
    until: int

    def __call__(self, brought: Sequence[Brought], known: Collection[str]) -> Pooled:
        """The results, from all that was brought; units that are `known` had some before."""
        pooled = Pooled({}, set())
        own = {one.unit for one in brought}
        for unit in own.union(known, *map(self._above, own)):
            window = self._window_of(unit)
            if window is None:
                continue
            below = set(self.tree.subtree(unit, window.as_of))
            if self._is_early(window, below):
                pooled.early.add((unit, window))
                continue
            version = version_of(self.rules, window, unit)
            if version is not None:
                sums = [one.sums for one in brought if one.unit in below and _counts(one, window, version.key[1])]
                if sums or window.window != SHIFT:
                    rows = with_shift(self.rules, window, unit, outcomes(unit, version, window, add_up(sums)))
                    pooled.found.update({Key(unit, window, indicator): row for indicator, row in rows.items()})
        return pooled

    def there_is(self, unit: str, closed: Closed) -> bool:
        """Whether a unit has such a window."""
        return exists(self.rules, closed, unit)

    def _above(self, unit: str) -> Iterator[str]:
        """What a unit belongs to, at whatever instant of the window that may be the last one of theirs."""
        begins = self.closed.start if self.closed.window == SHIFT else self.closed.as_of
        for at in (begins, *(edge for edge in self.tree.edges if begins < edge <= self.closed.as_of)):
            yield from self.tree.above(unit, at)

    def _window_of(self, unit: str) -> Closed | None:
        """The unit's own window; None where its shift begins at another instant, or is not over."""
        if self.closed.window != SHIFT:
            return self.closed
        shift = self.rules.calendars.shift(unit, self.closed.start)
        if shift is None or shift.begins != self.closed.start or shift.ends > self.until:
            return None
        return self.closed._replace(end=shift.ends)

    def _is_early(self, window: Closed, below: Collection[str]) -> bool:
        """Whether a shift that counts is not over yet. One without an end never is: nobody waits for it."""
        if window.window != SHIFT:
            return False
        shifts = (self.rules.calendars.shift(unit, window.as_of) for unit in below)
        return any(
            shift is not None and shift.begins == window.start and self.until < shift.ends < FOREVER for shift in shifts
        )


def _counts(one: Brought, window: Closed, version: int) -> bool:
    """A shift that ended before the last instant of the unit's own is not the one that the unit below it is in then."""
    return one.version == version and one.end >= window.end
