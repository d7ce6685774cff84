"""The plant's records in the order in which they are sent, a function of seed and start alone.

`history` is what was there before the start, each record sent at its event's own time; `live` is the plant at work,
with all its senders' habits, without end. Neither reads a clock: `agents/plant/run.py` does the waiting.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from operator import attrgetter

from agents.plant.factory import Plant
from agents.plant.senders import Sending, branch, deliveries, laboratory, sent
from agents.plant.work import Happening, assignment, minute_of
from schemas.instants import MINUTE


def assigned(plant: Plant) -> list[Sending]:
    """Everyone's assignment to their line: for a log that no records speak to (agents/plant/company.py)."""
    return [sent(assignment(person), assignment(person).at) for person in plant.people]


def history(plant: Plant, start: int, minutes: int = 90) -> list[Sending]:
    """The work of the last `minutes` before `start` (ms), by time; nothing repeated, late or wrong.

    Who starts the plant again on the same log asks for the minutes since its last event only: of what an earlier run
    has sent the same events are duplicates, but those of its drops would be conflicts.
    """
    records: list[Sending] = []
    begin = start - minutes * MINUTE
    for minute in range(begin // MINUTE, start // MINUTE + 1):
        records += [sent(done, done.at) for done in _work(plant, minute, start) if begin <= done.at < start]
    records.sort(key=attrgetter("at"))
    return records


def live(plant: Plant, start: int) -> Iterator[Sending]:
    """Every record from `start` (ms) on in the order of sending; the first drop of quality begins a minute later."""
    waiting: list[tuple[int, int, Sending]] = []
    number = 0
    minute = start // MINUTE
    while True:
        for record in _sendings(plant, minute, start):
            heappush(waiting, (record.at, number, record))
            number += 1
        minute += 1
        while waiting and waiting[0][0] < minute * MINUTE:
            yield heappop(waiting)[2]


def _sendings(plant: Plant, minute: int, start: int) -> Iterator[Sending]:
    """What is handed over in a minute, for now or a few seconds later."""
    for done in _work(plant, minute, start):
        if done.at >= start:
            yield from deliveries(plant.random("delivery", done.person, done.at), done)
    late = [laboratory(plant, minute, start), *branch(plant, minute, start)]
    yield from (record for record in late if record.at >= start)


def _work(plant: Plant, minute: int, start: int) -> Iterator[Happening]:
    """What everyone on shift does in a minute."""
    for person in plant.on_shift(minute * MINUTE):
        yield from minute_of(plant, person, minute, start)
