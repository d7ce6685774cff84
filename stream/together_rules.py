"""Rules that watch many people at once: where each statistic goes is found out side by side, record by record.

Only what changes nothing but numbers is done here; whoever has an alert, or comes to one, has their records shown to
their rules one by one (stream/watch.py), as has everybody whose rules look at windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from schemas.columns import EventColumns, EventGroups
from stream.cusum import Weights
from stream.entering import Entering, Numbers
from stream.tally import Tally
from stream.together_drift import Course, Units, drifted
from stream.watch_plan import Drift, WatchPlan, watch_plans
from stream.watched import NONE, Watched
from stream.watching import show_places

SLICE: Final = 256  # people
SHOWN: Final = 512  # records that are shown one by one


def watch_together(
    all_entering: Sequence[Entering], groups: EventGroups, numbers: Sequence[int], tally: Tally
) -> Iterator[None]:
    """Shows everybody's rules what enters, before it is added to any sum; `numbers`: of the people, in the chunk."""
    for entering in all_entering:
        plan = watch_plans(entering.entered.version)[entering.entered.group.index]
        if plan is not None and len(entering.who):
            yield from _Watching(plan, entering, groups, numbers).see(tally)


class _Watching:
    """The rules of one group, and the people who have records for them: `spans` of rows, one of each."""

    def __init__(self, plan: WatchPlan, entering: Entering, groups: EventGroups, numbers: Sequence[int]) -> None:
        self.plan, self.entering, self.groups, self.numbers = plan, entering, groups, numbers
        who = entering.who
        begins = np.concatenate((np.zeros(1, np.int64), (who[1:] != who[:-1]).nonzero()[0] + 1))
        self.begins, self.ends = begins, np.append(begins[1:], len(who))
        self.who: list[int] = who[begins].tolist()

    def see(self, tally: Tally) -> Iterator[None]:
        """Everybody's records, with pauses."""
        found, people = self.entering.watched, self.entering.people
        for who in self.who:
            found[who] = people[who].watched(self.plan)
            if len(found) % SLICE == 0:
                yield
        watched = list(found.values())
        alone = self._alone(watched)
        if not all(alone):
            courses = [self._course(drift, watched) for drift in self.plan.drifts]
            alone = [apart or any(course.alarmed[place] for course in courses) for place, apart in enumerate(alone)]
            for drift, course in zip(self.plan.drifts, courses, strict=True):
                yield from self._take_over(drift, course, watched, alone)
            self._leave(watched, alone)
        shown = 0
        for who, begin, end, apart in zip(self.who, self.begins.tolist(), self.ends.tolist(), alone, strict=True):
            if apart:
                self._show(who, self.entering.rows[begin:end], tally)
                shown += end - begin
            if shown >= SHOWN:
                shown = 0
                yield

    def _alone(self, watched: Sequence[Watched]) -> list[bool]:
        """Whose records are looked at one by one from the start."""
        plan = self.plan
        if plan.levels or plan.ewmas or not all(drift.measure.share for drift in plan.drifts):
            return [True] * len(watched)
        offsets = np.frombuffer(self.groups.packed.offsets, np.int64)[self.entering.rows[self.begins]].tolist()
        times = self.entering.times[self.begins].tolist()
        alone = [at < own.newest or offset < own.after for own, offset, at in zip(watched, offsets, times, strict=True)]
        for rule in plan.drifts:
            place = rule.place
            alone = [apart or own.rules[place].open is not None for apart, own in zip(alone, watched, strict=True)]
        return alone

    def _course(self, drift: Drift, watched: Sequence[Watched]) -> Course:
        entering, tables = self.entering, self.groups.tables
        key = drift.measure.share
        shares = np.array([measured.shares.get(key) or measured.share(key) for measured in tables.measures])
        n, good = shares[entering.measures].T
        before = [own.rules[drift.place] for own in watched]
        units = Units(n, good, *self._weights(drift))
        start = np.array([(ruled.statistic, ruled.n, ruled.good) for ruled in before]).T
        return drifted(drift, units, self.begins, self.ends - self.begins, start)

    def _weights(self, drift: Drift) -> tuple[Numbers, Numbers] | tuple[float, float]:
        """What a defective and a good unit of each record adds."""
        entries = self.entering.entered.entries
        if drift.mixed < 0:
            return drift.each.defective, drift.each.good
        weights = np.zeros((2, len(self.entering.kinds.actions)))
        for kind, entry in entries.items():
            each: Weights = next(iter(drift.risks((entry,))), drift.each)
            weights[:, kind] = each
        defective, good = weights[:, self.entering.kind]
        return defective, good

    def _take_over(
        self, drift: Drift, course: Course, watched: Sequence[Watched], alone: Sequence[bool]
    ) -> Iterator[None]:
        """What a rule remembers of everybody who is not looked at one by one."""
        ids, times, rows = self.groups.ids, self.entering.times, self.entering.rows
        each = zip(watched, alone, *(column.tolist() for column in course.result), strict=True)
        for count, (own, apart, statistic, n, good, lifted) in enumerate(each):
            if count % SLICE == SLICE - 1:
                yield
            ruled = own.rules[drift.place]
            if apart or (lifted == NONE and statistic == ruled.statistic == 0.0):
                continue
            ruled.statistic, ruled.n, ruled.good = statistic, n, good
            if statistic == 0.0:
                ruled.first, ruled.begun = "", NONE
            elif lifted != NONE:
                ruled.first, ruled.begun = ids[rows[lifted]], int(times[lifted])

    def _leave(self, watched: Sequence[Watched], alone: Sequence[bool]) -> None:
        """How far the rules of these people have seen."""
        last = self.ends - 1
        offsets = np.frombuffer(self.groups.packed.offsets, np.int64)[self.entering.rows[last]].tolist()
        for own, apart, newest, offset in zip(watched, alone, self.entering.times[last].tolist(), offsets, strict=True):
            if not apart:
                own.newest, own.after = newest, offset + 1

    def _show(self, who: int, rows: Numbers, tally: Tally) -> None:
        """One by one."""
        person, number = self.entering.people[who], self.numbers[who]
        own = EventColumns(self.groups, number)
        person.bind_new(own)
        show_places(person, own, person.watch(self.plan), (rows - self.groups.packed.bounds[number]).tolist(), tally)
