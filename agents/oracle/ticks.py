"""A tick is applied exactly after the offsets that it follows, and by the rules that it knows; time never runs back."""

import json
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from agents.oracle.log import LogRecord

_LARGEST = 2**63


class Ticks:
    """The ticks of one partition in log order.

    There is one per second, whatever happens: a time takes eight bytes, and per topic only the ticks are kept at which
    the offset moved.
    """

    def __init__(self) -> None:
        self.times = array("q")
        # Topic, or partition of `templates` -> (tick, offset reached there), ascending.
        self._moved: dict[str | int, tuple[array[int], array[int]]] = {}
        self._blind = 0  # so many ticks, the first ones, do not say what they know

    def add(self, at: int, follows: Mapping[str, int], knows: Sequence[int] | None = None) -> None:
        """Append the next tick; time and offsets never run back, whatever it says."""
        if knows is None and self._blind == len(self.times):
            self._blind += 1
        places: list[tuple[str | int, int]] = [*follows.items(), *enumerate(knows or ())]
        for place, offset in places:
            ticks, reached = self._moved.setdefault(place, (array("q"), array("q")))
            if not reached or offset > reached[-1]:
                ticks.append(len(self.times))
                reached.append(offset)
        self.times.append(max(at, self.times[-1]) if self.times else at)

    def after(self, topic: str, offset: int) -> int:
        """Position of the first tick that follows the record at `offset`; the number of ticks when none does."""
        return self._after(topic, offset)

    def knowing(self, record: LogRecord) -> int:
        """Position of the first tick that knows a record of `templates`; the number of ticks when none does."""
        blind = bisect_left(self.times, record.timestamp)
        return blind if blind < self._blind else max(self._blind, self._after(record.partition, record.offset))

    def _after(self, place: str | int, offset: int) -> int:
        ticks, reached = self._moved.get(place, ((), ()))
        position = bisect_right(reached, offset)
        return ticks[position] if position < len(ticks) else len(self.times)


class AllTicks:
    """The ticks per partition of the input topics, which is the tick's key; what is no tick is passed over."""

    def __init__(self) -> None:
        self._partitions: dict[int, Ticks] = {}

    def read(self, record: LogRecord) -> None:
        """Take in the next record of the topic."""
        try:
            raw = json.loads(record.value or b"")
            at, follows, partition = raw["at"], raw["follows"], int(record.key or b"")
            knows = raw.get("knows")
            if not isinstance(knows, list | None):
                return
            numbers = [at, *follows.values(), *(knows or ())]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return
        if all(isinstance(number, int) and 0 <= number < _LARGEST for number in numbers):
            self.of(partition).add(at, follows, knows)

    def of(self, partition: int) -> Ticks:
        """The ticks of a partition, none when it has none."""
        return self._partitions.setdefault(partition, Ticks())

    def newest(self) -> int:
        """The newest time of any tick in ms, 0 when there is none."""
        return max((ticks.times[-1] for ticks in self._partitions.values() if ticks.times), default=0)
