"""Who reads what: a partition's number goes to one worker in all topics, workers differ by one at most, few move.

A worker says which partitions it holds and of which it has the state on its disk; the leader of the group lets
everybody keep what it holds up to its share, and gives the rest to those who need not restore it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

_VERSION: Final = 0


class Claim(NamedTuple):
    """What a worker has of the partitions: holds them now, or their state on its disk."""

    held: list[int]
    stored: list[int]


class Assignor(AbstractPartitionAssignor):  # type: ignore[misc]  # aiokafka is untyped here
    """For one consumer. `stored`: the partitions whose state lies here."""

    name = "scorestream"

    def __init__(self, stored: Callable[[], Collection[int]]) -> None:
        self._stored = stored
        self._held: set[int] = set()

    def metadata(self, topics: Iterable[str]) -> Any:
        """What goes to the leader."""
        claim = msgspec.json.encode(Claim(sorted(self._held), sorted(self._stored())))
        return ConsumerProtocolMemberMetadata(_VERSION, sorted(topics), claim)

    def assign(self, cluster: Any, members: Mapping[str, Any]) -> dict[str, Any]:
        """As the leader: everybody's share."""
        topics = sorted({topic for member in members.values() for topic in member.subscription})
        partitions = min((len(cluster.partitions_for_topic(topic) or ()) for topic in topics), default=0)
        shares = share(partitions, {name: _claim(member.user_data) for name, member in members.items()})
        return {
            name: ConsumerProtocolMemberAssignment(_VERSION, [(topic, sorted(own)) for topic in topics], b"")
            for name, own in shares.items()
        }

    def on_assignment(self, assignment: Any) -> None:
        """This worker's share."""
        self._held = {number for _, numbers in assignment.assignment for number in numbers}


def share(partitions: int, claims: Mapping[str, Claim]) -> dict[str, set[int]]:
    """The partitions of each worker, by its name; every one of `partitions` has exactly one worker."""
    names = sorted(claims)
    least, more = divmod(partitions, len(names))
    shares: dict[str, set[int]] = {name: set() for name in names}
    free = set(range(partitions))

    def room(name: str) -> bool:
        if len(shares[name]) < least:
            return True
        return len(shares[name]) == least and sum(len(own) > least for own in shares.values()) < more

    def give(name: str, wanted: Iterable[int]) -> None:
        for number in wanted:
            if number in free and room(name):
                shares[name].add(number)
                free.discard(number)

    elsewhere = {n: sum(n in claim.stored for claim in claims.values()) for n in free}
    for name in names:  # what others could take over at once is let go first
        give(name, sorted(claims[name].held, key=lambda n: (elsewhere.get(n, 0), n)))
    for name in names:
        give(name, sorted(claims[name].stored))
    for number in sorted(free):
        give(min(filter(room, names), key=lambda name: len(shares[name])), [number])
    return shares


def _claim(raw: bytes) -> Claim:
    try:
        return msgspec.json.decode(raw, type=Claim)
    except msgspec.MsgspecError:
        return Claim([], [])
