"""A chunk's people are counted: together where nothing speaks against it, everybody else by `step`, one by one."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final

from schemas.columns import EventColumns, EventGroups
from schemas.parts import parts
from stream.dedupe import Recall
from stream.person import Person
from stream.pipeline import Limits, step, together
from stream.state import PEOPLE
from stream.tally import Tally

MANY: Final = 512  # events to apply before others may have the loop
EACH: Final = 16  # employees, or what takes as long as one: as events, what a state costs besides its events
MOST: Final = 2_048  # events of somebody who is counted together with others


def count_chunk(
    groups: EventGroups,
    topic: int,
    find: Callable[[str], Person],
    limits: Limits,
    recall: Recall,
    tally: Tally,
    fewest: int,
    put_away: Callable[[], None],
) -> Generator[None, None, int]:
    """Counts a chunk of a topic, with pauses; the newest instant (ms) that business and qc events of its people reach.

    `fewest`: people who are counted together at least; `put_away` takes what stands in the tally of identities and
    alerts: by and by, as there may be very many.
    """
    names, bounds, persons = groups.packed.names, groups.packed.bounds, list[Person]()
    many = together(groups, topic, limits, fewest) if len(names) >= fewest and topic != PEOPLE else None
    for number, employee_id in enumerate(names):
        person = find(employee_id)
        persons.append(person)
        if many is not None:
            if bounds[number + 1] - bounds[number] <= MOST:
                many.take(number, person)
            else:
                many.apart.append(number)
        if number % EACH == EACH - 1:
            yield
    if many is not None:
        for _ in many.count(tally):
            put_away()
            yield
    done = 0
    for number in range(len(names)) if many is None else many.apart:
        own = EventColumns(groups, number)
        if len(own) <= MANY:
            step(persons[number], own, topic, limits, recall, tally)
            done += EACH + len(own)
        else:
            for part in parts(own, MANY):
                step(persons[number], part, topic, limits, recall, tally)
                put_away()  # the next part looks for identities there already
                yield
        if done >= MANY:
            put_away()
            done = 0
            yield
    return max((person.state.measured for person in persons), default=-1)
