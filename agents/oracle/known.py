"""What is known at a tick is what it says itself: the records before the offsets that it follows, and that it knows."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from agents.oracle.case_mix import is_of_case_mix
from agents.oracle.log import Event, LogRecord
from agents.oracle.person import Assignments, Targets
from agents.oracle.rows import Person
from agents.oracle.rulebook import Rulebook, rulebook_of
from agents.oracle.ticks import AllTicks, Ticks


class Knowledge:
    """Of one partition: which of these records of `templates` are known since which of its ticks."""

    def __init__(self, ticks: Ticks, templates: Iterable[LogRecord]) -> None:
        self.ticks = ticks
        self._since = [(ticks.knowing(record), record) for record in templates]
        self.changes = sorted({since for since, _ in self._since if since < len(ticks.times)})
        self._rulebooks: dict[int, Rulebook] = {}

    @property
    def newest(self) -> int:
        """Position of the first tick that knows all of them, 0 without any; the number of ticks when none does."""
        return max((since for since, _ in self._since), default=0)

    def rulebook(self, tick: int) -> Rulebook:
        """The rules that are known at a tick, by its position."""
        change = bisect_right(self.changes, tick)
        if change not in self._rulebooks:
            self._rulebooks[change] = rulebook_of(record for since, record in self._since if since <= tick)
        return self._rulebooks[change]

    def since(self, event: Event) -> int:
        """Position of the first tick that follows an event; the number of ticks when none does."""
        return self.ticks.after(event.topic, event.offset)


class AllKnown:
    """What is known at the ticks of each partition; no model of case mix decides about a held event, or a silence."""

    def __init__(self, ticks: AllTicks, templates: list[LogRecord]) -> None:
        self._ticks, self._templates = ticks, templates
        self._known: dict[int, Knowledge] = {}

    def of(self, partition: int) -> Knowledge:
        """Of one partition."""
        if partition not in self._known:
            templates = (record for record in self._templates if not is_of_case_mix(record))
            self._known[partition] = Knowledge(self._ticks.of(partition), templates)
        return self._known[partition]


class Epoch(NamedTuple):
    """The ticks [begin, end) of a partition at which the same rules and assignments are known of somebody.

    The events of `person` are all that will be known at the last of them.
    """

    begin: int
    end: int
    person: Person
    rulebook: Rulebook


def epochs_of(person: Person, known: Knowledge) -> Iterator[Epoch]:
    """Somebody as they are known, one epoch after the other."""
    last = len(known.ticks.times)
    events = [(known.since(event), event) for event in person.events]
    told = [(since, event) for since, event in events if event.topic == "people-events"]
    borders = sorted({0, *known.changes, *(since for since, _ in told if since < last), last})
    for begin, end in pairwise(borders):
        people = [event for since, event in told if since <= begin]
        seen = [event for since, event in events if since < end]
        as_known = Person(person.employee, seen, Assignments(people), Targets(people))
        yield Epoch(begin, end, as_known, known.rulebook(begin))
