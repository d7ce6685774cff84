"""Nothing counts twice: an identity is (topic, employee, event_id, occurred_at), and the first in the log counts.

Ids are kept whole, so a stranger is never mistaken for a duplicate. An identity newer than all others of its
topic needs no look-up; the rest is looked for only in the hour where it can be: first among the unsealed
identities in the state, then in the cold blocks that `recall` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from schemas.event import Event
from schemas.instants import HOUR
from stream.state import Lane, State

TAIL: Final = 32  # unsealed identities kept in the state
SEAL: Final = 24  # sealed at once


class Block(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """Sealed identities of one employee, lane and hour: parallel lists."""

    ids: list[str]
    times: list[int]
    digests: list[int]


class Sealed(NamedTuple):
    """A block and where it belongs."""

    employee_id: str
    lane: int
    hour: int
    number: int
    block: Block


Recall = Callable[[str, int, int], Sequence[Block]]  # (employee, lane, hour) -> its blocks


def registered(employee_id: str, state: State, topic: int, event_id: str, at: int, recall: Recall) -> int | None:
    """The content digest under which an identity is known, None when it is new."""
    for number in (topic, topic + 3):
        lane = state.lanes[number]
        if lane is None or at > lane.latest:
            continue
        found = _among(lane.ids, lane.times, lane.digests, event_id, at)
        if found is None and at <= lane.sealed:
            for block in recall(employee_id, number, at // HOUR):
                found = _among(block.ids, block.times, block.digests, event_id, at)
                if found is not None:
                    break
        if found is not None:
            return found
    return None


def _among(ids: list[str], times: list[int], digests: list[int], event_id: str, at: int) -> int | None:
    if event_id not in ids:
        return None
    for index, known in enumerate(ids):
        if known == event_id and times[index] == at:
            return digests[index]
    return None


def register(lane: Lane, event: Event) -> None:
    """Remembers an event's identity and content."""
    lane.ids.append(event.event_id)
    lane.times.append(event.occurred_at)
    lane.digests.append(event.digest)
    if event.occurred_at > lane.latest:
        lane.latest = event.occurred_at


def new_lane() -> Lane:
    """An empty lane of its own."""
    return Lane([], [], [])


def seal(employee_id: str, number: int, lane: Lane, keep: int = TAIL - SEAL) -> list[Sealed]:
    """Moves the oldest identities of a lane into blocks, one per hour; the newest `keep` stay."""
    order = sorted(range(len(lane.times)), key=lane.times.__getitem__)
    leaving, staying = order[: len(order) - keep], sorted(order[len(order) - keep :])
    by_hour: dict[int, list[int]] = {}
    for index in leaving:
        by_hour.setdefault(lane.times[index] // HOUR, []).append(index)
    sealed = []
    for hour, indexes in by_hour.items():
        block = Block(*([column[i] for i in indexes] for column in (lane.ids, lane.times, lane.digests)))  # type: ignore[arg-type]
        sealed.append(Sealed(employee_id, number, hour, lane.blocks, block))
        lane.blocks += 1
        lane.oldest = hour if lane.oldest < 0 else min(lane.oldest, hour)
    lane.sealed = max(lane.sealed, lane.times[leaving[-1]])
    lane.ids = [lane.ids[i] for i in staying]
    lane.times = [lane.times[i] for i in staying]
    lane.digests = [lane.digests[i] for i in staying]
    return sealed
