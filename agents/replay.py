"""The log again: what it says about some employees, with all rules and assignments known from the start.

People events come first, so nothing needs restating: the end state does not depend on the order of topics.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, cast

from agents.transport.log import Log
from agents.transport.murmur2 import partition_for
from schemas.alerts import AlertRow
from schemas.chunk import decode_groups
from schemas.columns import EventColumns, EventGroups
from schemas.event import INPUT_TOPICS, Event, Row
from schemas.gathering import columns_of
from schemas.memo import Memo
from stream.dedupe import Block
from stream.history import History
from stream.person import Person
from stream.pipeline import Limits, pass_over, step
from stream.rulebook import Rulebook
from stream.state import BUSINESS, PEOPLE, QC, Expired, State
from stream.tally import Tally

_CHUNK = 20_000
_FOREVER = 1 << 62
NOTHING: Final[Mapping[str, Collection[Expired]]] = {}
Progress = Callable[[int], None]
Keep = Callable[[Person, Sequence[Event]], None]


def replay(
    log: Log,
    rules: Rulebook,
    partition: int,
    limits: Limits,
    *,
    employees: Collection[str] | None = None,
    until: Mapping[str, int] | None = None,
    known_at: int | None = None,
    expired: Mapping[str, Collection[Expired]] = NOTHING,
    progress: Progress | None = None,
    keep: Keep | None = None,
) -> dict[str, History]:
    """The histories of employees (None: all) of a partition.

    `until`: per topic the first offset not to read (absent: to the end); `known_at`: only records logged by then
    (ms); `expired`: what became late at ticks, by employee; `progress` is told the number of records read; `keep` is
    given the events, piece by piece, and histories hold none, nor alerts: then memory does not grow with them.
    """
    replayer = _Replayer(rules, limits, expired, keep)
    partitions = log.topics()[INPUT_TOPICS[PEOPLE]].partitions
    keys = None if employees is None else {employee.encode() for employee in employees}
    for topic in (PEOPLE, BUSINESS, QC):
        name = INPUT_TOPICS[topic]
        memo = Memo(name, lambda key: partition_for(key, partitions) == partition)
        last = _FOREVER if until is None else until.get(name, 0)
        for rows in chunks(log, name, partition, 0, last):
            if progress is not None:
                progress(len(rows))
            wanted = [
                row for row in rows if (keys is None or row[2] in keys) and (known_at is None or row[1] <= known_at)
            ]
            if wanted:
                replayer.apply(topic, decode_groups([wanted], memo)[0])
    return replayer.histories()


class _Replayer:
    """Persons built up from nothing, with all their identities in memory."""

    def __init__(
        self, rules: Rulebook, limits: Limits, expired: Mapping[str, Collection[Expired]], keep: Keep | None = None
    ) -> None:
        self.rules = rules
        self.limits = limits
        self.keep = self._collect if keep is None else keep
        self.quiet = keep is not None
        self.passed = {name: {(late.topic, late.offset) for late in own} for name, own in expired.items() if own}
        self.blocks: dict[tuple[str, int], dict[int, list[Block]]] = {}  # by employee and lane, then hour
        self.persons: dict[str, Person] = {}
        self.events: dict[str, list[Event]] = {}
        self.alerts: dict[str, list[AlertRow]] = {}

    def apply(self, topic: int, groups: EventGroups) -> None:
        for employee_id, own in groups:
            person = self.persons.get(employee_id)
            if person is None:
                person = self.persons[employee_id] = Person(employee_id, State(), self.rules)
            tally = Tally()
            tally.kept = []
            for events in self._without_passed(person, own, topic):
                step(person, events, topic, self.limits, self._recall, tally)
                self._put_away(tally)  # the next step looks for them already
            if tally.alerts and not self.quiet:
                self.alerts.setdefault(employee_id, []).extend(tally.alerts)
            if topic != PEOPLE:
                self.keep(person, tally.kept)

    def _collect(self, person: Person, events: Sequence[Event]) -> None:
        self.events.setdefault(person.id, []).extend(events)

    def _put_away(self, tally: Tally) -> None:
        for sealed in tally.sealed:
            hours = self.blocks.setdefault((sealed.employee_id, sealed.lane), {})
            hours.setdefault(sealed.hour, []).append(sealed.block)
        for order in tally.forget:
            hours = self.blocks.get((order.employee_id, order.lane), {})
            for hour in [hour for hour in hours if hour < order.before]:
                del hours[hour]
        tally.sealed.clear()
        tally.forget.clear()

    def _without_passed(self, person: Person, own: EventColumns, topic: int) -> Iterator[EventColumns]:
        """The events in runs between those that became late at a tick, which are registered at their place."""
        passed = self.passed.get(person.id)
        if passed is None:
            yield own
            return
        for event in own.events(person.id):
            if (topic, event.offset) in passed:
                pass_over(person, event, topic)
            else:
                yield columns_of([event])

    def _recall(self, employee_id: str, lane: int, hour: int) -> Sequence[Block]:
        return self.blocks.get((employee_id, lane), {}).get(hour, ())

    def histories(self) -> dict[str, History]:
        """Of everybody with a record that ended held, unused or scored."""
        known = (
            name
            for name, person in self.persons.items()
            if any(lane and lane.latest >= 0 for lane in person.state.lanes)
        )
        return {
            name: History(self.persons[name], self.events.get(name, ()), self.alerts.get(name, ())) for name in known
        }


def chunks(log: Log, topic: str, partition: int, offset: int, until: int) -> Iterator[list[Row]]:
    """A topic's records from an offset to before another one, many at a time."""
    while offset < until:
        rows = cast("list[Row]", log.read(topic, partition, offset, _CHUNK))  # the same shape
        if not rows:
            return
        offset = rows[-1][0] + 1
        yield rows if offset <= until else [row for row in rows if row[0] < until]
