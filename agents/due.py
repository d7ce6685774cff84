"""Who falls due when: a heap with the earliest instant of everybody. Waking somebody early does no harm."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from stream.state import NEVER


class Due:
    """Instants (ms) by employee; of two for the same one the earlier counts."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._earliest: dict[str, int] = {}

    def schedule(self, employee_id: str, at: int) -> None:
        """Falls due at `at`, or earlier if that was known before; who never does is not kept."""
        if at >= NEVER:
            return
        known = self._earliest.get(employee_id)
        if known is None or at < known:
            self._earliest[employee_id] = at
            heapq.heappush(self._heap, (at, employee_id))

    def by(self, now: int) -> bool:
        """Whether anybody is due at `now`."""
        return bool(self._heap) and self._heap[0][0] <= now

    def take(self, now: int) -> Iterator[str]:
        """Everybody due at `now`, each once; they are scheduled no more."""
        while self._heap and self._heap[0][0] <= now:
            at, employee_id = heapq.heappop(self._heap)
            if self._earliest.get(employee_id) == at:
                del self._earliest[employee_id]
                yield employee_id
