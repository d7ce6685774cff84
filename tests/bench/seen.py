"""Which events an update counts, and so how long each of them took to be seen. Values in, values out.

An update tells per indicator how many events a day holds, and an employee's events of one indicator come in one order:
the n-th of a day is seen with the first update that holds n of that day, or any of a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from schemas.instants import DAY, HOUR
from tests.bench.live_reader import Days, counted
from tests.bench.live_sender import GROUPS, Sent

_CHINA: Final = 8 * HOUR  # the template's zone, which knows no summer time


class Event(NamedTuple):
    """One that was sent: `number` of its own day, from 1; `at` is its log time (ms)."""

    employee: str
    group: int
    day: int
    number: int
    at: int


Moments = Mapping[str, Sequence[tuple[int, Days]]]  # per employee: when (ms), and what the update told


@dataclass
class Seen:
    """What updates told of those who are watched, in the order in which they came."""

    watched: frozenset[str]
    moments: dict[str, list[tuple[int, Days]]] = field(default_factory=dict)
    updates: int = 0

    def take(self, key: bytes, value: bytes, at: int) -> None:
        """One update, read at a moment (ms)."""
        self.updates += 1
        if (employee := key.decode()) in self.watched:
            self.moments.setdefault(employee, []).append((at, counted(value)))


def day_of(at: int) -> int:
    """Start of the day (ms) in the template's zone."""
    return (at + _CHINA) // DAY * DAY - _CHINA


def numbered(sent: Iterable[Sent]) -> list[Event]:
    """What was sent, in its order, with numbers that begin anew with each day."""
    before: dict[tuple[str, str, int], int] = {}
    found: list[Event] = []
    for employee, group, number, at in sent:
        day = day_of(at)
        earlier = before.setdefault((employee, group, day), number - 1)
        found.append(Event(employee, GROUPS.index(group), day, number - earlier, at))
    return found


def newest(events: Iterable[Event]) -> list[Event]:
    """The last of each employee and indicator."""
    return list({(event.employee, event.group): event for event in events}.values())


def holds(days: Days, event: Event) -> bool:
    """Whether an update counts an event."""
    return any(
        counts[event.group] >= (event.number if day == event.day else 1)
        for day, counts in days.items()
        if day >= event.day
    )


def latencies(events: Iterable[Event], moments: Moments) -> tuple[list[int], int]:
    """Milliseconds from log time to the first update that counts the event, and how many events none did."""
    found: list[int] = []
    lost = 0
    places: dict[tuple[str, int], int] = {}
    for event in events:
        own = moments.get(event.employee, ())
        place = places.get((event.employee, event.group), 0)
        while place < len(own) and not holds(own[place][1], event):
            place += 1
        places[event.employee, event.group] = place
        if place < len(own):
            found.append(own[place][0] - event.at)
        else:
            lost += 1
    return found, lost


def all_seen(last: Iterable[Event], moments: Moments) -> bool:
    """Whether the newest update of everybody counts their last event."""
    return all(any(holds(days, event) for _, days in moments.get(event.employee, ())[-1:]) for event in last)
