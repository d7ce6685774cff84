"""Many people's events at once: what a chunk has for all of them is added up by NumPy, and each takes the result.

Only events that `step` would count in one go come here, and it gives the same (tests/stream/test_together.py): in
order, newer than all before them, under one regime, of kinds that land somewhere. Whoever is not taken has `step`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.columns import EventColumns, EventGroups
from schemas.packed import WIDTH
from stream.dedupe import extend, new_lane
from stream.entering import Entering, Kinds
from stream.person import Person
from stream.rulebook import Regime
from stream.state import Lane
from stream.tally import Tally
from stream.together_rules import watch_together
from stream.together_sums import add_together

FEWEST: Final = 48  # people under one regime, below which each has `step`
SLICE: Final = 256  # people

Numbers = NDArray[np.int64]
SeeTo = Callable[[Person, Lane, Tally], None]


class _Course:
    """People whose events go the same way."""

    def __init__(self, kinds: Kinds, fits: Sequence[bool]) -> None:
        self.kinds = kinds
        self.fits = fits  # by employee: whether all kinds of theirs land somewhere
        self.people: list[Person] = []
        self.numbers: list[int] = []


class Together:
    """A chunk of one topic (business or qc): `take` people, then `count` them; `apart` are those for `step`."""

    def __init__(self, groups: EventGroups, topic: int, late: int, see_to: SeeTo, fewest: int = FEWEST) -> None:
        """`late` (ms): a delay of log time beyond which everybody is apart; `see_to`: a lane has grown."""
        packed = groups.packed
        self._groups, self._topic, self._see_to, self._fewest = groups, topic, see_to, fewest
        self._bounds = np.array(packed.bounds, np.int64)
        self._times = np.frombuffer(packed.times, np.int64)
        self._kinds = np.frombuffer(packed.kinds, np.int32)
        self._begins: list[int] = self._times[self._bounds[:-1]].tolist()
        self._ends: list[int] = self._times[self._bounds[1:] - 1].tolist()
        self._courses: dict[Regime, _Course] = {}
        self._nobody = packed.delay > late
        self._doubtful = groups.disorderly | groups.corrected
        self.apart: list[int] = []

    def take(self, number: int, person: Person) -> None:
        """Has an employee of the chunk (by number) counted with the others, if nothing speaks against it."""
        course = self._course(number, person)
        if course is None:
            self.apart.append(number)
        else:
            course.people.append(person)
            course.numbers.append(number)

    def _course(self, number: int, person: Person) -> _Course | None:
        state, topic, first = person.state, self._topic, self._begins[number]
        if self._nobody or number in self._doubtful or self._groups.packed.first[number] < state.applied[topic]:
            return None
        lane = state.lanes[topic]
        if (lane is not None and first <= lane.latest) or state.lanes[topic + 3] is not None:
            return None
        if not person.begins <= first < person.ends:
            person.resolve(first)
        if self._ends[number] >= person.ends:
            return None
        course = self._courses.get(person.regime) or self._begun(person.regime)
        return course if course.fits[number] else None

    def _begun(self, regime: Regime) -> _Course:
        kinds = Kinds(regime, self._groups.tables)
        fits = np.logical_and.reduceat(kinds.land[self._kinds], self._bounds[:-1])
        course = self._courses[regime] = _Course(kinds, fits.tolist())
        return course

    def count(self, tally: Tally) -> Iterator[None]:
        """Counts everybody who is taken, with a pause now and then."""
        for course in self._courses.values():
            crowd = _Crowd(self._groups, course, self._bounds, self._times, self._kinds)
            entering = crowd.entering() if len(course.people) >= self._fewest else None
            if entering is None:
                self.apart += course.numbers
                continue
            yield from watch_together(entering, self._groups, course.numbers, tally)
            newest = [max(p.state.newest, self._ends[n]) for p, n in zip(course.people, course.numbers, strict=True)]
            for each in entering:
                yield from add_together(each, newest)
            yield from self._conclude(course, newest, tally)

    def _conclude(self, course: _Course, newest: Sequence[int], tally: Tally) -> Iterator[None]:
        """What is remembered of each besides sums and rules."""
        groups, topic, ends = self._groups, self._topic, self._ends
        packed, copies, bounds = groups.packed, groups.copies, groups.packed.bounds
        names, sources = self._sources()
        for count, (person, number, latest) in enumerate(zip(course.people, course.numbers, newest, strict=True)):
            if count % SLICE == SLICE - 1:
                yield
            state, begin, end, last = person.state, bounds[number], bounds[number + 1], ends[number]
            state.applied[topic] = packed.after[number]
            lane = state.lanes[topic]
            if lane is None:
                lane = state.lanes[topic] = new_lane()
            text = packed.text[packed.breaks[number] : packed.breaks[number + 1]]
            here, there = begin * WIDTH, end * WIDTH
            extend(lane, text, packed.times[here:there], packed.digests[here:there], last)
            if (source := sources[number]) >= 0:
                state.sources[topic][names[source]] = last
            else:
                EventColumns(groups, number).note_newest(state.sources[topic], 0, end - begin)
            state.newest = latest
            state.scored += end - begin
            if last > state.measured:
                state.measured = last
            tally.scored += end - begin
            tally.last = max(tally.last, last)
            if number in copies:
                tally.duplicate += len(copies[number])
            self._see_to(person, lane, tally)

    def _sources(self) -> tuple[Sequence[str], list[int]]:
        """The names of sources, and the number of each employee's, -1 where there are several."""
        sources, begins = np.frombuffer(self._groups.packed.sources, np.int32), self._bounds[:-1]
        low = np.minimum.reduceat(sources, begins)
        one: Any = low == np.maximum.reduceat(sources, begins)
        return self._groups.tables.sources, np.where(one, low, -1).tolist()


class _Crowd:
    """The events of a course's people, as columns."""

    def __init__(
        self, groups: EventGroups, course: _Course, bounds: Numbers, times: Numbers, kinds: NDArray[np.int32]
    ) -> None:
        self._groups, self._course = groups, course
        lengths = bounds[1:] - bounds[:-1]
        position = np.full(len(lengths), -1, np.int64)
        position[course.numbers] = np.arange(len(course.numbers))
        who = position.repeat(lengths)
        self._rows = (who >= 0).nonzero()[0]
        self._who = who[self._rows]
        self._times, self._kinds = times[self._rows], kinds[self._rows]

    def entering(self) -> list[Entering] | None:
        """Group by group what enters it; None when sums could be too large for NumPy's integers."""
        kinds, measures = self._course.kinds, np.frombuffer(self._groups.packed.measures, np.int32)[self._rows]
        lines = kinds.lines[self._kinds]
        found: list[Entering] = []
        for group in kinds.groups:
            inside = group.enters[self._kinds]
            own = slice(None) if inside.all() else inside.nonzero()[0]
            vectors = group.vectors(self._groups.tables.measures, self._kinds[own], measures[own])
            if vectors is None:
                return None
            people = self._course.people
            found.append(
                Entering(
                    group, kinds, people, self._rows[own], self._who[own], self._times[own], self._kinds[own],
                    measures[own], lines[own], vectors, {},
                )
            )  # fmt: skip
        return found
