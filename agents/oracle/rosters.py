"""A unit's value is that of the pooled sums of all who did anything in it; its members are those who belong to it."""

from collections.abc import Iterator, Mapping

from agents.oracle.looked_at import Line, Sums, add_up, start_of
from agents.oracle.rulebook import Rulebook
from agents.oracle.score import Counts, counts_of
from agents.oracle.shares import NOTHING, Share

NO_TARGETS: Mapping[str, float] = {}  # a personal target is nobody's to compare with


class Rosters:
    """The shares of everybody as of a minute, by unit."""

    def __init__(self) -> None:
        self._shares: dict[str, Share] = {}
        self._members: dict[str, dict[str, Share]] = {}
        self._worked: dict[str, dict[str, Share]] = {}  # by the unit that their sums are of
        self._touched: set[str] = set()

    def take(self, employee: str, share: Share) -> None:
        """A share takes the place of the one before."""
        before = self._shares.get(employee, NOTHING)
        for unit in _units(before):
            self._worked[unit].pop(employee, None)
        self._members.get(before.unit, {}).pop(employee, None)
        self._shares[employee] = share
        for unit in _units(share):
            self._worked.setdefault(unit, {})[employee] = share
        if share.unit:
            self._members.setdefault(share.unit, {})[employee] = share
        self._touched |= {before.unit, share.unit, *_units(before), *_units(share)}

    def take_touched(self) -> set[str]:
        """The units in which any share became another since this was asked last."""
        touched, self._touched = self._touched, set()
        return touched

    def units(self) -> list[str]:
        """Those that anybody belongs to, in order."""
        return sorted(unit for unit, members in self._members.items() if members)

    def members(self, unit: str) -> Iterator[tuple[str, Share]]:
        """Who belongs to a unit, in order."""
        return iter(sorted(self._members.get(unit, {}).items()))

    def any_drifts(self, unit: str) -> bool:
        """Whether any member has such an alert."""
        return any(share.drifts for share in self._members.get(unit, {}).values())

    def pooled(self, unit: str, line: Line, rulebook: Rulebook, as_of: int) -> Sums:
        """What everybody did in a unit, in the window as of `as_of` (ms)."""
        shares = self._worked.get(unit, {}).values()
        found = (own_sums(share, unit, line, rulebook, as_of) for share in shares)
        return add_up(start_of(line, rulebook.calendars, unit, as_of), found, line.indicator.measures)


def own_sums(share: Share, unit: str, line: Line, rulebook: Rulebook, as_of: int) -> Sums:
    """What somebody did in a unit, in the window as of `as_of` (ms); sums of another window are none."""
    start = start_of(line, rulebook.calendars, unit, as_of)
    own = share.sums.get((line.key, unit))
    return own if own is not None and own.start == start else Sums(start, 0, dict.fromkeys(line.indicator.measures, 0))


def said_of(line: Line, sums: Sums) -> Counts:
    """What the indicator says of the sums."""
    return counts_of(line.indicator, sums.events, sums.amounts, NO_TARGETS)


def _units(share: Share) -> set[str]:
    return {unit for _, unit in share.sums}
