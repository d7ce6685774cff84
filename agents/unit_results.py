"""A unit's result pools what people brought to it, and to the units that belonged to it at the window's last instant."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agents.records.results import Brought, Key
from stream.closed import SHIFT, Closed, Outcome, add_up, outcomes, version_of, with_shift
from stream.rulebook import Rulebook
from stream.unit_tree import UnitTree


def unit_results(
    closed: Closed, brought: Sequence[Brought], known: Collection[str], rules: Rulebook, tree: UnitTree
) -> dict[Key, Outcome]:
    """The results of all units in a window, of a shift in those that begin with it.

    `brought` is what there is of them; units that are `known` had some before.
    """
    found: dict[Key, Outcome] = {}
    own = {one.unit for one in brought}
    for unit in own.union(known, *(tree.above(name, closed.as_of) for name in own)):
        window = _window_of(closed, unit, rules)
        version = None if window is None else version_of(rules, window, unit)
        if window is None or version is None:
            continue
        below = set(tree.subtree(unit, window.as_of))
        sums = [one.sums for one in brought if one.unit in below and _counts(one, window, version.key[1])]
        if sums or window.window != SHIFT:
            rows = with_shift(rules, window, unit, outcomes(unit, version, window, add_up(sums)))
            found |= {Key(unit, window, indicator): row for indicator, row in rows.items()}
    return found


def _window_of(closed: Closed, unit: str, rules: Rulebook) -> Closed | None:
    """The unit's own window; None where its shift begins at another instant."""
    if closed.window != SHIFT:
        return closed
    shift = rules.calendars.shift(unit, closed.start)
    return None if shift is None or shift.begins != closed.start else closed._replace(end=shift.ends)


def _counts(one: Brought, window: Closed, version: int) -> bool:
    """A shift that ended before the last instant of the unit's own is not the one that the unit below it is in then."""
    return one.version == version and one.end >= window.end
