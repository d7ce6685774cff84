"""How soon an event is seen: one employee of each partition at a time is timed until their update is in a commit."""

from __future__ import annotations

from collections.abc import Mapping

from agents.decoded import DecodedChunk
from agents.metrics import Metrics
from agents.partition import Partition


class Awaited:
    """Whose update is timed, and from which log time (ms) on, by partition."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._since: dict[int, tuple[str, int]] = {}

    def begin(self, partition: int, chunk: DecodedChunk) -> None:
        """A chunk was applied: somebody of it is timed, if nobody else is."""
        if chunk.groups.packed.names:
            self._since.setdefault(partition, (chunk.groups.packed.names[0], chunk.since))

    def forget(self, partition: int) -> None:
        """The partition goes."""
        self._since.pop(partition, None)

    def committed(self, partitions: Mapping[int, Partition]) -> None:
        """A commit ended: who is owed nothing any more is seen."""
        for number, (employee_id, logged) in list(self._since.items()):
            owed = partitions[number].owed
            if employee_id not in owed and employee_id not in owed.made:
                del self._since[number]
                self._metrics.visible(logged)
