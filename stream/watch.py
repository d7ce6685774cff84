"""Rules at work: a fold over the records that enter one group of a version, in the order of their topic.

Whether the log is read live, again, in large chunks or record by record: the same alerts at the same records
(ARCHITECTURE.md, Alerts: what follows from the log). Most records change nothing but a few numbers; the loops over
them are written for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from schemas.alerts import CLEARED, AlertRow
from schemas.measures import MICRO, Measures
from stream.calendars import NO_SHIFT, Calendars
from stream.cusum import advance, advance_evenly
from stream.episode import opened, row_of
from stream.interval import wilson
from stream.plan import Counted, counted
from stream.rulebook import Entry, Group
from stream.shift_sums import ShiftSums
from stream.state import Cells
from stream.watch_plan import Drift, Ewma, Level, Rule, WatchPlan
from stream.watched import NONE, Open, Ruled, Watched
from stream.window import Window
from stream.window_sums import WindowSums

NO_TARGETS: Final[Mapping[str, float]] = {}
_NO_UNITS: Final = (0.0, 0.0)
_NOTHING: Final = Counted(None, None, None)


class Records(Protocol):
    """The records that enter, in log order: what is asked only when something happens is asked by place."""

    @property
    def measures(self) -> Sequence[Measures]:
        """Of each."""

    @property
    def times(self) -> Sequence[int]:
        """T of each, in ms."""

    @property
    def span(self) -> tuple[int, int]:
        """The first T and the last."""

    @property
    def correction(self) -> bool:
        """Whether it is a correction, which comes alone."""

    @property
    def home(self) -> str:
        """The unit that the person belongs to; "" without one."""

    def event_id(self, place: int) -> str:
        """Its event id."""

    def stamp(self, place: int) -> int:
        """Its log time, in ms."""

    def unit(self, place: int) -> str:
        """The unit in which it happened."""

    def entry(self, place: int, group: Group) -> Entry:
        """How it enters a group: its vector, allowances included, and its case mix."""

    def targets(self, place: int) -> Mapping[str, float]:
        """The personal targets as of its T."""


class Watch:
    """One person's rules on one group of a version. `cells` are all that the group's sums lie in, by unit."""

    __slots__ = ("_calendars", "_owner", "_sums", "cells", "plan", "watched")

    def __init__(
        self, owner: str, plan: WatchPlan, watched: Watched, cells: dict[str, Cells], calendars: Calendars
    ) -> None:
        self._owner = owner
        self._calendars = calendars
        self.plan = plan
        self.watched = watched
        self.cells = cells
        self._sums: list[WindowSums | ShiftSums] | None = None

    def see(self, records: Records, told: list[AlertRow]) -> None:
        """Takes records before they enter the cells; what changes is told."""
        plan, watched = self.plan, self.watched
        entries = self._entries(records)
        for drift in plan.drifts:
            self._drift(drift, watched.rules[drift.place], records, entries, told)
        first, last = records.span
        if first < watched.newest:  # alone, then
            self._sums = None  # it enters an older pane, or an older window
            return
        if plan.levels or plan.ewmas:
            keys = [entry.key for entry in entries] or [plan.group.key] * len(records.measures)
            vectors = [measured.vector(key) for measured, key in zip(records.measures, keys, strict=True)]
            if plan.levels:
                self._levels(records, vectors, told)
            for ewma in plan.ewmas:
                self._ewma(ewma, watched.rules[ewma.place], records, vectors, told)
        watched.newest = last

    def _entries(self, records: Records) -> Sequence[Entry]:
        """How each record enters where kinds of work differ; none where they do not."""
        group = self.plan.group
        return [records.entry(place, group) for place in range(len(records.measures))] if group.mixed else ()

    # Drift

    def _drift(
        self, rule: Drift, ruled: Ruled, records: Records, entries: Sequence[Entry], told: list[AlertRow]
    ) -> None:
        """ARCHITECTURE.md, Alerts 4. Good units of a person whose statistic is 0 cost a comparison or two."""
        statistic, h, each = ruled.statistic, rule.h, rule.each
        move, risks = advance_evenly if rule.evenly else advance, rule.risks(entries)
        units, accepted, lifted = ruled.n, ruled.good, NONE  # since it left 0; the place in this run where it did
        for place, (n, good) in enumerate(self._units(rule, records)):
            if n == good:
                if statistic == 0.0 or n <= 0:
                    continue
                if risks:
                    each = risks[place]
                high = statistic
                statistic = moved if (moved := statistic + good * each.good) > 0.0 else 0.0
            elif n > good >= 0:
                if risks:
                    each = risks[place]
                if statistic == 0.0:
                    units, accepted, lifted = 0.0, 0.0, place
                high, statistic = move(statistic, n - good, good, each, h)
            else:
                continue
            units += n
            accepted += good
            if high >= h and ruled.open is None:
                if lifted != NONE:
                    ruled.first, ruled.begun = records.event_id(lifted), records.times[lifted]
                # An older record may raise it, too; with `for` it is time that has to pass.
                if not rule.pending or records.times[place] - ruled.begun >= rule.pending:
                    self._raise(rule, ruled, (accepted / units, units, accepted, h), records, place, told)
            if statistic == 0.0 and ruled.open is not None:
                self._clear(rule, ruled, ruled.open, records, place, told)
        ruled.statistic, ruled.n, ruled.good = statistic, units, accepted
        if statistic == 0.0:
            ruled.first, ruled.begun = "", NONE
        elif lifted != NONE:
            ruled.first, ruled.begun = records.event_id(lifted), records.times[lifted]

    def _units(self, rule: Drift | Ewma, records: Records) -> Iterable[tuple[float, float]]:
        """n and good of each record by itself, in units; (0, 0) where it has none to look at."""
        if records.correction:
            return (_NO_UNITS,)
        measure, key = rule.measure, rule.measure.share
        if key:
            return [measured.shares.get(key) or measured.share(key) for measured in records.measures]
        found = (
            counted(measure, measured.vector(self.plan.group.key), self._targets(records, place))
            for place, measured in enumerate(records.measures)
        )
        return [_NO_UNITS if n is None or good is None else (n, good) for _, n, good in found]

    def _targets(self, records: Records, place: int) -> Mapping[str, float]:
        return records.targets(place) if self.plan.aims else NO_TARGETS

    # Levels

    def _levels(self, records: Records, vectors: Sequence[Sequence[int]], told: list[AlertRow]) -> None:
        if self._sums is None:
            self._sums = [self._begun(window) for window, _ in self.plan.levels]
        for sums, (_, rules) in zip(self._sums, self.plan.levels, strict=True):
            if isinstance(sums, ShiftSums):
                self._shift(sums, rules, records, vectors, told)
            else:
                self._window(sums, rules, records, vectors, told)

    def _begun(self, window: Window) -> WindowSums | ShiftSums:
        plan, newest = self.plan, self.watched.newest
        if window.kind == "shift":
            return ShiftSums(plan.group, self.cells, newest, self._calendars)
        return WindowSums(plan.version, plan.group, window, self.cells.values(), newest)

    def _window(
        self,
        sums: WindowSums,
        rules: Sequence[Level],
        records: Records,
        vectors: Sequence[Sequence[int]],
        told: list[AlertRow],
    ) -> None:
        """Record by record; where all is well the value alone is looked at."""
        simple, alarming = _simple(rules)
        states = [self.watched.rules[rule.place] for rule in rules]
        calm = _calm(states)
        total = sums.total
        sums.begin(records.times)
        for place, (at, vector) in enumerate(zip(records.times, vectors, strict=True)):
            if at >= sums.until:
                sums.move(at, self.cells.values())
            for index, number in enumerate(vector):
                total[index] += number
            if simple is not None and calm:
                n = total[simple[0]]
                if n and (total[simple[1]] / MICRO) / (n / MICRO) >= alarming:
                    continue
            targets = self._targets(records, place)
            for rule, ruled in zip(rules, states, strict=True):
                self._level(rule, ruled, counted(rule.measure, total, targets), records, place, told)
            calm = _calm(states)

    def _shift(
        self,
        sums: ShiftSums,
        rules: Sequence[Level],
        records: Records,
        vectors: Sequence[Sequence[int]],
        told: list[AlertRow],
    ) -> None:
        """ARCHITECTURE.md, Shift calendars, 7: likewise, and each record may be another unit's."""
        simple, alarming = _simple(rules)
        states = [self.watched.rules[rule.place] for rule in rules]
        calm = _calm(states)
        total, home, on_shift = sums.total, records.home, self._calendars.shift
        for place, (at, vector) in enumerate(zip(records.times, vectors, strict=True)):
            sums.enter(at, records.unit(place), vector)
            if simple is not None and calm:
                n = total[simple[0]]
                if n and (total[simple[1]] / MICRO) / (n / MICRO) >= alarming:
                    continue
            targets, there_is = self._targets(records, place), on_shift(home, at) is not None
            for rule, ruled in zip(rules, states, strict=True):
                found = counted(rule.measure, total, targets) if there_is else _NOTHING
                self._level(rule, ruled, found, records, place, told)
            calm = _calm(states)

    def _level(
        self,
        rule: Level,
        ruled: Ruled,
        found: Counted,
        records: Records,
        place: int,
        told: list[AlertRow],
    ) -> None:
        """ARCHITECTURE.md, Alerts 3."""
        value, n, good = found
        at = records.times[place]
        enough = not rule.min_sample or (n is not None and n >= rule.min_sample)
        low = value is not None and value < rule.below
        if not low:
            ruled.first, ruled.begun = "", NONE
        elif not ruled.first:
            ruled.first, ruled.begun = records.event_id(place), at
        if rule.z is None:
            holds = low and enough
        else:
            interval = wilson(good, n, rule.z) if enough and n is not None and good is not None else None
            holds = value is not None and interval is not None and interval[1] < rule.below
        over = value is None or not enough or value >= rule.clear_above
        self._judge(rule, ruled, holds, over, (*found, rule.below), records, place, told)

    # Moving average

    def _ewma(
        self, rule: Ewma, ruled: Ruled, records: Records, vectors: Sequence[Sequence[int]], told: list[AlertRow]
    ) -> None:
        """ARCHITECTURE.md, Alerts 4."""
        smoothing, target = rule.smoothing, rule.target
        for place, (x, variance, n, good) in self._averaged(rule, records, vectors):
            before = target if ruled.spread == 0.0 else ruled.statistic
            ruled.statistic = average = smoothing * x + (1 - smoothing) * before
            ruled.spread = variance + (1 - smoothing) ** 2 * ruled.spread
            limit, off = rule.limit(ruled.spread), rule.off(average, target)
            if not off:
                ruled.first, ruled.begun = "", NONE
            elif not ruled.first:
                ruled.first, ruled.begun = records.event_id(place), records.times[place]
            self._judge(rule, ruled, rule.off(average, limit), not off, (average, n, good, limit), records, place, told)

    def _averaged(
        self, rule: Ewma, records: Records, vectors: Sequence[Sequence[int]]
    ) -> Iterator[tuple[int, tuple[float, float, float | None, float | None]]]:
        """Of each record that counts: its place, x, what it adds to the variance, n and good (None without a rate)."""
        target, allowance, weight = rule.target, rule.measure.allowance, rule.smoothing**2
        if rule.sigma is not None:
            added = weight * rule.sigma**2
            for place, value in enumerate(self._values(rule, records)):
                if value is not None:
                    yield place, (value, added, None, None)
            return
        for place, (n, good) in enumerate(self._units(rule, records)):
            if n > 0 and 0 <= good <= n:
                x = (good + vectors[place][allowance] / MICRO) / n if allowance else good / n
                yield place, (x, weight * target * (1 - target) / n, n, good)

    def _values(self, rule: Ewma, records: Records) -> Iterator[float | None]:
        """The value of each record by itself; none of a correction."""
        for place, measured in enumerate(records.measures):
            vector = measured.vector(self.plan.group.key)
            yield None if records.correction else counted(rule.measure, vector, self._targets(records, place)).value

    # Episodes

    def _judge(
        self,
        rule: Rule,
        ruled: Ruled,
        holds: bool,
        over: bool,
        found: tuple[float | None, float | None, float | None, float],
        records: Records,
        place: int,
        told: list[AlertRow],
    ) -> None:
        """Raises when a condition has held for long enough, in T; clears what was open before and is over."""
        at = records.times[place]
        if not holds:
            ruled.held = NONE
        elif ruled.held == NONE:
            ruled.held = at
        if ruled.open is not None:
            if over:
                self._clear(rule, ruled, ruled.open, records, place, told)
        elif holds and at - ruled.held >= rule.pending:
            self._raise(rule, ruled, found, records, place, told)

    def _raise(
        self,
        rule: Rule,
        ruled: Ruled,
        found: tuple[float | None, float | None, float | None, float],
        records: Records,
        place: int,
        told: list[AlertRow],
    ) -> None:
        at, shift = records.times[place], NO_SHIFT
        if isinstance(rule, Level) and rule.window.kind == "shift":
            shift = self._calendars.begins(records.home, at)
        record = (records.event_id(place), at, records.stamp(place), records.unit(place))
        ruled.open = opened(self.plan.version, rule, self._owner, ruled, found, record, shift)
        told.append(row_of(self._owner, self.plan.version, rule, ruled.open))

    def _clear(self, rule: Rule, ruled: Ruled, alert: Open, records: Records, place: int, told: list[AlertRow]) -> None:
        """The data say that it is over; of one that was cleared otherwise nothing is told any more."""
        ruled.open = None
        if alert.state != CLEARED:
            alert.by = alert.reason = ""
            told.append(row_of(self._owner, self.plan.version, rule, alert, records.stamp(place)))


def _simple(rules: Sequence[Level]) -> tuple[tuple[int, int] | None, float]:
    """(places of n and good where one value serves all of these rules, the share below which any looks closer)."""
    plain = rules[0].measure.plain
    simple = plain if plain is not None and all(rule.measure.plain == plain for rule in rules) else None
    return simple, max(rule.below for rule in rules)


def _calm(states: Sequence[Ruled]) -> bool:
    """Whether no rule has an alert, or is on its way to one."""
    return all(ruled.open is None and not ruled.first and ruled.held == NONE for ruled in states)


def new_watched(plan: WatchPlan) -> Watched:
    """Rules that have seen nothing."""
    return Watched(*plan.version.key, plan.group.index, [Ruled() for _ in plan.rules])
