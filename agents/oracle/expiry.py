"""A held event becomes late at the first tick that finds it held and over 400 days old; nothing later undoes it."""

from bisect import bisect_right
from collections.abc import Sequence

from agents.oracle.known import Knowledge
from agents.oracle.log import Event
from agents.oracle.person import Assignments


class Expiry:
    """Decides for the events of one employee whether they were found held and too old at some tick."""

    def __init__(self, known: Knowledge, people: Sequence[Event], held_ms: int) -> None:
        self._known, self._ticks = known, known.ticks
        self._held_ms = held_ms
        self._assignments = [
            (self._ticks.after(event.topic, event.offset), event)
            for event in people
            if event.kind.type == "people.assignment"
        ]
        told = (tick for tick, _ in self._assignments if tick < len(self._ticks.times))
        self._changes = sorted({*told, *known.changes})
        self._in_force: dict[int, Assignments] = {}

    def is_late(self, event: Event) -> bool:
        """True when a tick after the event, more than `held_ms` after its T, found no version applying to it."""
        times = self._ticks.times
        first = max(self._ticks.after(event.topic, event.offset), bisect_right(times, event.at + self._held_ms))
        if first >= len(times):
            return False
        later = self._changes[bisect_right(self._changes, first) :]
        return any(self._is_held(event.at, tick) for tick in (first, *later))

    def _is_held(self, at: int, tick: int) -> bool:
        return not self._known.rulebook(tick).applying(at, self._as_of(tick).role(at))

    def _as_of(self, tick: int) -> Assignments:
        change = bisect_right(self._changes, tick)
        if change not in self._in_force:
            self._in_force[change] = Assignments(event for since, event in self._assignments if since <= tick)
        return self._in_force[change]
