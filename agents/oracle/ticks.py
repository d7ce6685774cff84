"""A held event becomes late at the first tick that finds it held and over 400 days old; nothing later undoes it.

A tick is applied exactly after the offsets that it follows, so what was known at it is known here too: the assignments
before its offset of people-events and the templates published up to its time (the templates topic is not among the
input topics that a tick follows; its log time is all there is to place it by).
"""

import json
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from agents.oracle.log import Event, LogRecord
from agents.oracle.person import Assignments
from agents.oracle.rulebook import Rulebook
from agents.oracle.template import Template

_LARGEST = 2**63


class Ticks:
    """The ticks of one partition in log order.

    There is one per second, whatever happens: a time takes eight bytes, and per topic only the ticks are kept at which
    the offset moved.
    """

    def __init__(self) -> None:
        self.times = array("q")
        self._moved: dict[str, tuple[array[int], array[int]]] = {}  # topic -> (tick, offset reached there), ascending

    def add(self, at: int, follows: Mapping[str, int]) -> None:
        """Append the next tick; time and offsets never run back, whatever it says."""
        for topic, offset in follows.items():
            ticks, reached = self._moved.setdefault(topic, (array("q"), array("q")))
            if not reached or offset > reached[-1]:
                ticks.append(len(self.times))
                reached.append(offset)
        self.times.append(max(at, self.times[-1]) if self.times else at)

    def after(self, topic: str, offset: int) -> int:
        """Position of the first tick that follows the record at `offset`; the number of ticks when none does."""
        ticks, reached = self._moved.get(topic, ((), ()))
        position = bisect_right(reached, offset)
        return ticks[position] if position < len(ticks) else len(self.times)


class AllTicks:
    """The ticks per partition of the input topics, which is the tick's key; what is no tick is passed over."""

    def __init__(self) -> None:
        self._partitions: dict[int, Ticks] = {}

    def read(self, record: LogRecord) -> None:
        """Take in the next record of the topic."""
        try:
            raw = json.loads(record.value or b"")
            at, follows, partition = raw["at"], raw["follows"], int(record.key or b"")
            numbers = [at, *follows.values()]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return
        if all(isinstance(number, int) and 0 <= number < _LARGEST for number in numbers):
            self.of(partition).add(at, follows)

    def of(self, partition: int) -> Ticks:
        """The ticks of a partition, none when it has none."""
        return self._partitions.setdefault(partition, Ticks())

    def newest(self) -> int:
        """The newest time of any tick in ms, 0 when there is none."""
        return max((ticks.times[-1] for ticks in self._partitions.values() if ticks.times), default=0)


class Expiry:
    """Decides for the events of one employee whether they were found held and too old at some tick."""

    def __init__(
        self, ticks: Ticks, people: Sequence[Event], published: Sequence[tuple[int, Template]], held_ms: int
    ) -> None:
        self._ticks = ticks
        self._held_ms = held_ms
        self._assignments = [
            (ticks.after(event.topic, event.offset), event)
            for event in people
            if event.kind.type == "people.assignment"
        ]
        self._published = [(bisect_left(ticks.times, at), template) for at, template in published]
        self._changes = sorted({tick for tick, _ in (*self._assignments, *self._published) if tick < len(ticks.times)})
        self._known: dict[int, tuple[Assignments, Rulebook]] = {}

    def is_late(self, event: Event) -> bool:
        """True when a tick after the event, more than `held_ms` after its T, found no version applying to it."""
        times = self._ticks.times
        first = max(self._ticks.after(event.topic, event.offset), bisect_right(times, event.at + self._held_ms))
        if first >= len(times):
            return False
        later = self._changes[bisect_right(self._changes, first) :]
        return any(self._is_held(event.at, tick) for tick in (first, *later))

    def _is_held(self, at: int, tick: int) -> bool:
        known = self._changes[: bisect_right(self._changes, tick)]
        assignments, rulebook = self._as_of(known[-1] if known else -1)
        return not rulebook.applying(at, assignments.role(at))

    def _as_of(self, tick: int) -> tuple[Assignments, Rulebook]:
        found = self._known.get(tick)
        if found is None:
            assignments = Assignments(event for since, event in self._assignments if since <= tick)
            found = assignments, Rulebook(template for since, template in self._published if since <= tick)
            self._known[tick] = found
        return found
