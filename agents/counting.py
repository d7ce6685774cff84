"""A chunk's people are counted: together where nothing speaks against it, everybody else by `step`, one by one."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final

from schemas.columns import EventColumns, EventGroups
from stream.dedupe import Recall
from stream.person import Person
from stream.pipeline import Limits, step, together
from stream.state import PEOPLE
from stream.tally import Tally

SLICE: Final = 256  # employees


def count_chunk(
    groups: EventGroups,
    topic: int,
    find: Callable[[str], Person],
    limits: Limits,
    recall: Recall,
    tally: Tally,
    fewest: int,
) -> Generator[None, None, int]:
    """Counts a chunk of a topic, with pauses; the newest instant (ms) that business and qc events of its people reach.

    `fewest`: people who are counted together at least.
    """
    names, persons = groups.packed.names, list[Person]()
    many = together(groups, topic, limits, fewest) if len(names) >= fewest and topic != PEOPLE else None
    for number, employee_id in enumerate(names):
        person = find(employee_id)
        persons.append(person)
        if many is not None:
            many.take(number, person)
        if number % SLICE == SLICE - 1:
            yield
    if many is not None:
        yield from many.count(tally)
    for done, number in enumerate(range(len(names)) if many is None else many.apart):
        step(persons[number], EventColumns(groups, number), topic, limits, recall, tally)
        if done % SLICE == SLICE - 1:
            yield
    return max((person.state.measured for person in persons), default=-1)
