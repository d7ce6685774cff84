"""After a start, some at a time: who is stored learns when time changes their scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from agents.partition import Partition

MANY: Final = 1_000  # stored employees looked at per step


class Waking:
    """Partitions that are not looked through yet, and from where on."""

    def __init__(self) -> None:
        self._left: dict[int, bytes | None] = {}

    def begin(self, partitions: Iterable[int]) -> None:
        """They were taken over."""
        self._left |= dict.fromkeys(partitions)

    def forget(self, partition: int) -> None:
        """It goes."""
        self._left.pop(partition, None)

    def step(self, partitions: Mapping[int, Partition]) -> None:
        """Looks at some of the first that is left."""
        for number, start in self._left.items():
            following = partitions[number].wake(start, MANY)
            if following is None:
                del self._left[number]
            else:
                self._left[number] = following
            return
