"""A state at work: where events land under the rules in force, and what watches them. Nothing here is stored."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Final

from schemas.columns import EventColumns
from stream.calendars import FOREVER, Calendars
from stream.rulebook import Action, Entry, Group, Regime, Rulebook, Version
from stream.state import Calendar, Cells, Segment, State, Vector, assignment_at
from stream.watch import Watch, new_watched
from stream.watch_plan import Rule, WatchPlan, aims, watch_plans
from stream.watched import Ruled, Watched
from stream.window import calendar_bounds

NO_REGIME: Final = Regime((), 0, 0)
_KINDS: Final = 500  # kinds of events remembered per person

# Where an event lands for one person, once per group that it enters: the measures that count (as Measures.vector wants
# them), the panes with their grain (ms) and how many are kept, the calendar windows with what says where the one of an
# instant begins and ends, and what watches the group: its panes are kept by the newest of its own records, whatever
# other topics bring.
Bounds = Callable[[int], tuple[int, int] | None]
Landing = tuple[str, list[tuple[dict[int, Vector], int, int]], list[tuple[Calendar, Bounds]], Watched | None]


class Person:
    """A state at work: the state and what follows from it and the rulebook. Nothing here is stored."""

    __slots__ = (
        "_landings",
        "_watches",
        "begins",
        "bound",
        "ends",
        "entries",
        "id",
        "regime",
        "rules",
        "state",
        "unit",
        "watching",
    )

    def __init__(self, employee_id: str, state: State, rules: Rulebook) -> None:
        self.id = employee_id
        self.state = state
        self.adopt(rules)

    def adopt(self, rules: Rulebook) -> None:
        """Takes a new rulebook, or forgets what followed from assignments and segments that changed."""
        self.rules = rules
        self.begins, self.ends = 0, 0
        self.regime = NO_REGIME
        self.unit: str | None = None
        self._watches: dict[tuple[str, int, int], Watch] = {}
        self._forget()
        self._fit()

    def _fit(self) -> None:
        """What was stored before shifts were known, or under other calendars, follows the rules."""
        if self.rules.by_shift:
            for segment in self.state.segments:
                version = self.rules.version(segment.template, segment.version)
                for group in version.groups if version is not None else ():
                    if group.by_shift:
                        _fit_shift(segment.groups[group.index], group, segment.unit, self.rules.calendars)
        for watched in self.state.watched:
            version = self.rules.version(watched.template, watched.version)
            plan = _plan(version, version.groups[watched.group]) if version is not None else None
            if plan is not None and len(watched.rules) < len(plan.rules):
                watched.rules.extend(Ruled() for _ in plan.rules[len(watched.rules) :])

    def _forget(self) -> None:
        self.bound: dict[int, list[Landing]] = {}
        self.watching: dict[int, tuple[Watch, ...]] = {}  # by kind, where anything is watched
        self.entries: dict[int, tuple[Entry, ...]] = {}  # by kind, likewise
        self._landings: dict[tuple[object, ...], list[Landing]] = {}

    def resolve(self, at: int) -> Regime:
        """The regime at `at`; remembers it with the span [begins, ends) in which it holds."""
        role, unit, begins, ends = assignment_at(self.state.assignments, at)
        regime = self.rules.regime(role, at)
        if regime is not self.regime or unit != self.unit:
            self._forget()
        self.regime, self.unit = regime, unit
        self.begins, self.ends = max(begins, regime.begins), min(ends, regime.ends)
        return regime

    def bind_new(self, own: EventColumns) -> bool:
        """Finds out where kinds land that they had not had; whether all do."""
        for kind in dict.fromkeys(own.kinds):
            if kind not in self.bound:
                shape = own.shape(kind)
                action = self.regime.action(shape.type, shape.dims)
                if not action.entries:
                    return False
                self.bind(kind, action)
        return all(map(self.bound.get, own.kinds))  # who has too many kinds forgets some

    def bind(self, kind: int, action: Action) -> list[Landing]:
        """Where events of this kind (type and dims) land under the current regime; cells are made where missing.

        Kinds that land in the same cells share one list.
        """
        if len(self.bound) >= _KINDS:
            self._forget()  # who looked at `bound` before can tell
        unit = self.unit or action.line
        key = (unit, *((entry.version.key, entry.group.index, entry.key) for entry in action.entries))
        landings = self.bound[kind] = self._landings.setdefault(key, [])
        if not landings:
            landings.extend(self._landing(entry, unit) for entry in action.entries)
        watches = tuple(self.watch(plan) for entry in action.entries if (plan := _plan(entry.version, entry.group)))
        if watches:
            self.watching[kind] = watches
            self.entries[kind] = action.entries
        return landings

    def _landing(self, entry: Entry, unit: str) -> Landing:
        version, group = entry.version, entry.group
        cells = self.segment(version, unit).groups[group.index]
        panes = [(cell, grain, kept) for cell, (grain, kept) in zip(cells.panes, group.panes, strict=True)]
        plan = _plan(version, group)
        watched = self.watch(plan).watched if plan is not None else None
        calendars = [
            (cell, partial(self.rules.calendars.shift, unit) if kind == "shift" else bounds_of(kind, version.timezone))
            for cell, kind in zip(cells.calendars, group.calendars, strict=True)
        ]
        return entry.key, panes, calendars, watched

    def segment(self, version: Version, unit: str) -> Segment:
        """Where the sums of a version in a unit lie; made where it is missing."""
        template, number = version.key
        for segment in self.state.segments:
            if segment.unit == unit and segment.version == number and segment.template == template:
                return segment
        segment = Segment(*version.key, unit, [_empty(group) for group in version.groups])
        self.state.segments.append(segment)
        for (name, known, group), watch in self._watches.items():
            if (name, known) == version.key:
                watch.cells[unit] = segment.groups[group]
        return segment

    def versions_at(self, at: int) -> tuple[Version, ...]:
        """The versions that assess them at an instant."""
        role = assignment_at(self.state.assignments, at)[0]
        return self.rules.regime(role, at).versions

    def ruled(self, version: Version, rule: Rule) -> Ruled | None:
        """What is remembered of one of their rules; None of somebody for whom its group has no record."""
        group = version.group_of[version.template.indicators.index(rule.indicator)]
        key = (*version.key, group)
        watched = next((w for w in self.state.watched if (w.template, w.version, w.group) == key), None)
        return None if watched is None else watched.rules[rule.place]

    def aims(self) -> bool:
        """Whether some rule that they were ever watched by looks at their personal targets."""
        known = [v for versions in self.rules.versions.values() for v in versions if aims(v)]
        return any(v.key == (watched.template, watched.version) for v in known for watched in self.state.watched)

    def watched(self, plan: WatchPlan) -> Watched:
        """What the rules of a group remember of them; made where it is missing."""
        (template, number), group = plan.version.key, plan.group.index
        for known in self.state.watched:
            if known.group == group and known.version == number and known.template == template:
                return known
        made = new_watched(plan)
        self.state.watched.append(made)
        return made

    def watch(self, plan: WatchPlan) -> Watch:
        """The rules of a group at work; what they remember is made where it is missing."""
        key = (*plan.version.key, plan.group.index)
        watch = self._watches.get(key)
        if watch is None:
            watched = self.watched(plan)
            own = [s for s in self.state.segments if (s.template, s.version) == plan.version.key]
            cells = {s.unit: s.groups[plan.group.index] for s in own}
            watch = self._watches[key] = Watch(self.id, plan, watched, cells, self.rules.calendars)
        return watch


def _plan(version: Version, group: Group) -> WatchPlan | None:
    return watch_plans(version)[group.index]


@lru_cache(maxsize=1024)
def bounds_of(kind: str, timezone: str) -> Bounds:
    """What says where the window of an instant begins and ends."""
    return _all_time if kind == "all" else partial(calendar_bounds, kind, timezone)


def _all_time(_: int) -> tuple[int, int]:
    return -1, FOREVER


def _fit_shift(cells: Cells, group: Group, unit: str, calendars: Calendars) -> None:
    """Sums of a shift end where it does now: a calendar that was published since may have cut it short."""
    if len(cells.calendars) < len(group.calendars):
        cells.calendars.append(Calendar(-1, -1, [0] * (1 + len(group.names))))
    cell = cells.calendars[-1]
    shift = calendars.shift(unit, cell.start) if cell.start >= 0 else None
    if shift is not None:
        cell.end = shift.ends


def _empty(group: Group) -> Cells:
    width = 1 + len(group.names)
    return Cells([{} for _ in group.panes], [Calendar(-1, -1, [0] * width) for _ in group.calendars])
