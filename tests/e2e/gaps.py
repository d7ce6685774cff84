"""For how long a partition with work to do has had no commit."""

from __future__ import annotations

from collections.abc import Mapping

from agents.transport.log import TopicPartition


class Gaps:
    """Told now and then what is committed; `longest` since `begin`, in s."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._since: dict[int, tuple[int, float]] = {}  # what was committed, and when that was new

    def begin(self) -> None:
        """Forgets the gaps so far, but not that one may be under way."""
        self.longest = 0.0

    def forget(self) -> None:
        """Nothing is under way as far as is known."""
        self._since = {}

    def look(self, committed: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int], now: float) -> None:
        """What is committed at a moment of which `ends` is an earlier one's, of the partitions' inputs.

        A partition is at work when it has committed more, or has no more to do.
        """
        for number in {number for _, number in ends}:
            done = sum(committed.get(place, 0) for place in ends if place[1] == number)
            level = all(committed.get(place, 0) >= end for place, end in ends.items() if place[1] == number)
            known, since = self._since.get(number, (-1, now))
            self.longest = max(self.longest, now - since)
            if level or done != known:
                self._since[number] = (done, now)
