"""Nothing counts twice: an identity is (topic, employee, event_id, occurred_at), and the first in the log counts.

Ids are kept whole, so a stranger is never mistaken for a duplicate. An identity newer than all others of its
topic needs no look-up; the rest is looked for only in the hour where it can be: first among the unsealed
identities in the state, then in the cold blocks that `recall` reads. What lies too far behind its own source's
newest is forgotten, also while it is still kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from schemas.event import Event
from schemas.instants import HOUR
from schemas.measures import is_from
from schemas.packed import WIDTH, number_at, pack, unpack, view
from stream.state import Lane, State

TAIL: Final = 64  # unsealed identities kept in the state


class Block(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """Sealed identities of one employee, lane and hour, packed as in a Lane."""

    ids: str
    times: bytes
    digests: bytes


class Sealed(NamedTuple):
    """A block and where it belongs."""

    employee_id: str
    lane: int
    hour: int
    number: int
    block: Block


Recall = Callable[[str, int, int], Sequence[Block]]  # (employee, lane, hour) -> its blocks


def registered(event: Event, state: State, topic: int, horizon: int, correction: int, recall: Recall) -> int | None:
    """The content digest under which an event's identity is known, None when it is new or forgotten.

    `horizon` and `correction` (ms): how far behind its source's newest a plain event and a correction are remembered.
    """
    at = event.occurred_at
    for number, kept in ((topic, horizon), (topic + 3, correction)):
        lane = state.lanes[number]
        if lane is None or at > lane.latest:
            continue
        for content in _known(event, number, lane, recall):
            if content == event.digest or at >= _newest(state.sources[topic], content) - kept:
                return content
    return None


def _known(event: Event, number: int, lane: Lane, recall: Recall) -> Iterator[int]:
    """The digests under which an event's identity stands in a lane; more than one when it was forgotten before."""
    yield from _among(lane, event)
    if event.occurred_at <= lane.sealed:
        for block in recall(event.employee_id, number, event.occurred_at // HOUR):
            yield from _among(block, event)


def _among(kept: Lane | Block, event: Event) -> Iterator[int]:
    at = event.occurred_at
    if pack((at,)) not in kept.times:  # a first look that makes no numbers
        return
    times = view(kept.times)
    begin, end = bisect_left(times, at), bisect_right(times, at)
    if begin < end:
        ids = kept.ids.rsplit("\n", len(times) - begin + 1)[-1 - len(times) + begin :]
        for place in range(begin, end):
            if ids[place - begin] == event.event_id:
                yield number_at(kept.digests, place)


def _newest(sources: dict[str, int], content: int) -> int:
    """The newest instant of the source that a content is from."""
    return max(newest for source, newest in sources.items() if is_from(content, source))


def register(lane: Lane, event: Event) -> None:
    """Remembers an event's identity and content, in the order of time."""
    at = event.occurred_at
    if at >= lane.latest or not lane.times:
        extend(lane, f"{event.event_id}\n", pack((at,)), pack((event.digest,)), max(at, lane.latest))
        return
    times = view(lane.times)
    place = bisect_right(times, at)
    here, behind = place * WIDTH, len(times) - place
    if place <= behind:
        ids = lane.ids.split("\n", place)
        ids.insert(place, event.event_id)
    else:  # mostly it is one of the newest: those before it stay one piece of text
        ids = lane.ids.rsplit("\n", behind + 1)
        ids.insert(1, event.event_id)
    lane.ids = "\n".join(ids)
    lane.times = lane.times[:here] + pack((at,)) + lane.times[here:]
    lane.digests = lane.digests[:here] + pack((event.digest,)) + lane.digests[here:]


def extend(lane: Lane, ids: str, times: bytes, digests: bytes, latest: int) -> None:
    """Remembers packed identities newer than all before them, of which `latest` is the newest."""
    lane.ids += ids
    lane.times += times
    lane.digests += digests
    lane.latest = latest


def kept_identities(lane: Lane) -> int:
    """How many identities a lane holds."""
    return len(lane.times) // WIDTH


def new_lane() -> Lane:
    """An empty lane of its own."""
    return Lane()


def seal(employee_id: str, number: int, lane: Lane, keep: int) -> list[Sealed]:
    """Moves the oldest identities of a lane into blocks, one per hour; the newest `keep` stay."""
    times, ids = unpack(lane.times), lane.ids.split("\n")
    leaving = len(times) - keep
    sealed = []
    begin = 0
    while begin < leaving:
        hour = times[begin] // HOUR
        end = leaving if times[leaving - 1] // HOUR == hour else bisect_left(times, (hour + 1) * HOUR, begin, leaving)
        part = slice(begin * WIDTH, end * WIDTH)
        block = Block("\n".join([*ids[begin:end], ""]), lane.times[part], lane.digests[part])
        sealed.append(Sealed(employee_id, number, hour, lane.blocks, block))
        lane.blocks += 1
        lane.oldest = hour if lane.oldest < 0 else min(lane.oldest, hour)
        begin = end
    lane.sealed = max(lane.sealed, times[leaving - 1])
    left = leaving * WIDTH
    lane.ids, lane.times, lane.digests = "\n".join(ids[leaving:]), lane.times[left:], lane.digests[left:]
    return sealed
