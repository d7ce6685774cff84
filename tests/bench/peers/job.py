"""The peers' job: one-minute sums per employee, durable, updates out. Every contender reads the same topic.

10,000 employees, one event each per ten seconds of event time, about 274 bytes of JSON, no event twice. A record's
timestamp is its event's time, so that a contender may take either. The last record of each partition is an hour
later: windows that only the passing of time closes are closed by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from agents.transport.murmur2 import partition_for

START: Final = 1_772_409_600_000  # 2026-03-02T00:00:00Z
WINDOW: Final = 60_000  # ms
PARTITIONS: Final = 8
END: Final = "END"  # how the employees of the last records begin; no answer is asked of them
_HOUR: Final = 3_600_000

Sums = tuple[int, int]  # units inspected, units accepted
Answers = Mapping[tuple[str, int], Sums]  # by employee and the window's start, ms
Message = tuple[int, int, bytes, bytes]  # partition, timestamp (ms), key, value


@dataclass(frozen=True, slots=True)
class Job:
    """A filled topic and what comes out when it was counted rightly. `events` includes the last records."""

    bootstrap: str
    topic: str
    events: int
    employees: int
    answers: Answers


def messages(events: int, employees: int, answers: dict[tuple[str, int], Sums], seed: int = 1) -> Iterator[Message]:
    """The topic's records in the order of sending; `answers` is filled on the way."""
    dice = Random(seed)
    keys = [f"E{number:07d}" for number in range(employees)]
    places = [partition_for(key.encode(), PARTITIONS) for key in keys]
    order = list(range(employees))
    for number in range(events):
        if number % employees == 0:
            dice.shuffle(order)
        index = order[number % employees]
        at = START + number * 10_000 // employees
        accepted = 10 - (dice.random() < 0.4) - (dice.random() < 0.1)
        window = keys[index], at - at % WINDOW
        before = answers.get(window, (0, 0))
        answers[window] = before[0] + 10, before[1] + accepted
        yield places[index], at, keys[index].encode(), _value(number, keys[index], at, accepted, index)
    yield from _ends(START + events * 10_000 // employees + _HOUR)


def _ends(at: int) -> Iterator[Message]:
    missing = set(range(PARTITIONS))
    number = 0
    while missing:
        key = f"{END}{number:05d}"
        place = partition_for(key.encode(), PARTITIONS)
        if place in missing:
            missing.discard(place)
            yield place, at, key.encode(), _value(99_000_000 + number, key, at, 10, number)
        number += 1


def _value(number: int, employee: str, at: int, accepted: int, index: int) -> bytes:
    second, minute, hour = at // 1000 % 60, at // 60_000 % 60, (at - START) // 3_600_000
    return (
        f'{{"event_id":"pol-{number:09d}","type":"qc.inspection","employee_id":"{employee}",'
        f'"occurred_at":"2026-03-{2 + hour // 24:02d}T{hour % 24:02d}:{minute:02d}:{second:02d}.{at % 1000:03d}Z",'
        f'"source":"aoi-{index % 25:02d}",'
        f'"measures":{{"inspected":10,"accepted":{accepted},"reworked":0,"scrapped":0}},"dims":{{"stage":"finished",'
        f'"product":"P{index % 12:02d}","machine":"M{index % 40:02d}","line":"L{index % 25:02d}"}}}}'
    ).encode()
