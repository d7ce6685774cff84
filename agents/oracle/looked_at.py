"""Rules of units look at an indicator in a window; sums of it are kept by the unit in which each event happened."""

from collections.abc import Iterable
from typing import NamedTuple

from agents.oracle.log import Event
from agents.oracle.rows import span
from agents.oracle.rulebook import Version
from agents.oracle.rules import BelowUnit, Drift, Ewma, Level, Rule
from agents.oracle.shifts import Calendars
from agents.oracle.template import Indicator
from agents.oracle.windows import Window, pane_length

_NEVER = 1 << 62


class Line(NamedTuple):
    """An indicator of a version in a window."""

    version: Version
    indicator: Indicator
    window: Window

    @property
    def key(self) -> tuple[str, int, str, str]:
        """Template, version, indicator and window."""
        return *self.version.key, self.indicator.id, self.window.text


class Sums(NamedTuple):
    """What is in a window: how many events, and the measures that the indicator names, in millionths.

    `start` says which window (ms): 0 for one that slides or never ends, None for the shift where there is none.
    """

    start: int | None
    events: int
    amounts: dict[str, int]


def drifting(indicator: Indicator) -> list[Rule]:
    """The rules of an indicator whose alerts say that somebody drifts."""
    return [rule for rule in indicator.rules if _drifts(indicator, rule)]


def _drifts(indicator: Indicator, rule: Rule) -> bool:
    match rule.condition:
        case Drift(bad=bad):
            return 1 - bad < 1
        case Ewma(sigma=None):
            return indicator.target is not None and 0 < indicator.target < 1
        case Ewma() | Level():
            return True
    return False


def lines_of(version: Version) -> list[Line]:
    """All that rules of units look at in a version, each once."""
    found: dict[tuple[str, int, str, str], Line] = {}
    for indicator in version.template.indicators:
        windows = [rule.condition.window for rule in indicator.rules if isinstance(rule.condition, BelowUnit)]
        if drifting(indicator):
            windows += [window for there_is in (True, False) for window in first_window(indicator, there_is)]
        lines = (Line(version, indicator, window) for window in windows)
        found.update((line.key, line) for line in lines)
    return list(found.values())


def first_window(indicator: Indicator, there_is_a_shift: bool) -> list[Window]:
    """The window in which common cause is looked at; none where the shift is the only one, and there is no shift."""
    return [window for window in indicator.windows if there_is_a_shift or window.kind != "shift"][:1]


def start_of(line: Line, calendars: Calendars, unit: str, as_of: int) -> int | None:
    """Which window of a unit it is as of `as_of` (ms): see Sums."""
    if line.window.kind in ("rolling", "all"):
        return 0
    if line.window.kind == "shift":
        shift = calendars.shift(unit, as_of)
        return None if shift is None else shift[0]
    return span(line.version, line.window, as_of)[0]


class Shelf:
    """The sums of one line, by unit: by pane of a rolling window, of any other by where it starts."""

    def __init__(self, line: Line, calendars: Calendars) -> None:
        self._line, self._calendars = line, calendars
        self._pane = pane_length(line.window.minutes) if line.window.kind == "rolling" else 0
        self._units: dict[str, dict[int, Sums]] = {}

    def add(self, event: Event, unit: str) -> None:
        """An event that enters, and the unit in which it happened."""
        at = event.at
        place = at // self._pane * self._pane if self._pane else start_of(self._line, self._calendars, unit, at)
        if place is None:
            return  # it lies in no shift
        own = self._units.setdefault(unit, {})
        before = [own[place]] if place in own else []
        event_alone = Sums(place, 1, dict(event.measures))
        own[place] = add_up(place, [*before, event_alone], self._line.indicator.measures)

    def sums(self, as_of: int) -> dict[str, Sums]:
        """By unit what is in the window as of `as_of` (ms), which never runs back; units without anything left out."""
        found: dict[str, Sums] = {}
        for unit, places in self._units.items():
            start = start_of(self._line, self._calendars, unit, as_of)
            if self._pane:
                first, end = span(self._line.version, self._line.window, as_of)
                for gone in [place for place in places if place < first]:
                    del places[gone]
                inside = [own for place, own in places.items() if place < end]
            else:
                inside = [places[start]] if start is not None and start in places else []
            if inside:
                found[unit] = add_up(start, inside, self._line.indicator.measures)
        return found

    def changes(self, as_of: int) -> int:
        """When after `as_of` (ms) time alone may next change them."""
        if not self._units or self._line.window.kind == "all":
            return _NEVER
        if self._pane:
            return (as_of // self._pane + 1) * self._pane
        if self._line.window.kind != "shift":
            return int(span(self._line.version, self._line.window, as_of)[1])
        shifts = (self._calendars.shift(unit, as_of) for unit in self._units)
        # Without a shift it is looked at every minute whether one has begun.
        return min(as_of + 1 if shift is None else int(min(shift[1], _NEVER)) for shift in shifts)


def add_up(start: int | None, sums: Iterable[Sums], measures: Iterable[str]) -> Sums:
    """Sums together, of these measures."""
    found = list(sums)
    amounts = {name: sum(own.amounts.get(name, 0) for own in found) for name in measures}
    return Sums(start, sum(own.events for own in found), amounts)
