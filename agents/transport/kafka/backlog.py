"""Partitions with much to read are read by the application's reader, beside the member, a chunk at a time and in turn.

The member still says which partitions these are, and reads on where a backlog ends.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Set

from agents.transport.hooks import AHEAD, Hooks, Span, Wanted
from agents.transport.kafka.light import Chunk
from agents.transport.log import READ_BYTES, TopicPartition


class Backlog:
    """Which partitions they are and where each ends, as was known when it came here; `most` records a chunk."""

    def __init__(self, hooks: Hooks, most: int) -> None:
        self._hooks = hooks
        self._most = most
        self._ends: dict[TopicPartition, int] = {}  # in the order of turns
        self._uneven: set[TopicPartition] = set()  # whose last chunk ended early: what follows it cannot be told

    @property
    def places(self) -> Set[TopicPartition]:
        """The partitions that are read here."""
        return self._ends.keys()

    def clear(self) -> None:
        """After a rebalance nothing is known."""
        self._ends.clear()
        self._uneven.clear()

    def takes(self, place: TopicPartition, position: int, end: int) -> bool:
        """Whether this partition is read here from now on, given where it stands and ends."""
        if self._hooks.reader is None or not self._hooks.worth(place[0], end - position):
            return False
        self._ends[place] = end
        return True

    async def read(self, positions: Mapping[TopicPartition, int]) -> tuple[Chunk | None, TopicPartition | None]:
        """The next chunk, if there is any, and a partition that is the member's again."""
        if not self._ends:
            return None, None
        assert self._hooks.reader is not None
        place, end = next(iter(self._ends.items()))
        wanted, *following = self._wanted(positions)
        found = await asyncio.to_thread(self._hooks.reader, wanted, following)
        if self._ends.pop(place, None) is None:
            return None, None  # a rebalance came between
        if found is None:
            return None, place
        (self._uneven.discard if found.after == wanted.start + wanted.records else self._uneven.add)(place)
        chunk = Chunk(place, found, Span(wanted.start, found.after))
        if not self._hooks.worth(place[0], end - found.after):
            return chunk, place
        self._ends[place] = end
        return chunk, None

    def _wanted(self, positions: Mapping[TopicPartition, int]) -> list[Wanted]:
        """What is wanted now, and will be next, as far as that can be told."""
        waiting = deque((place, positions[place]) for place in self._ends)
        wanted: list[Wanted] = []
        while waiting and len(wanted) <= AHEAD:
            place, start = waiting.popleft()
            end = self._ends[place]
            wanted.append(Wanted(*place, start, end, self._most, READ_BYTES))
            if start + self._most < end and place not in self._uneven:
                waiting.append((place, start + self._most))
        return wanted
