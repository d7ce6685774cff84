"""How often a worker commits: soon while it keeps up, rarely while it catches up, and never most of the time.

It keeps up while what waits is less than a second's work, however many records that is. A commit takes as long as
there are people whose scores changed; as much time as the last one took belongs to events before the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

BACKLOG: Final = 5_000  # records behind, below which there is none
BEHIND: Final = 1.0  # s of work behind, from which on there is one
BACKLOG_COMMIT: Final = 15.0  # seconds between commits while there is a backlog: fewer, larger writes
BACKLOG_STATES: Final = 100_000  # states that wait for one then; beyond that it comes at once, for memory's sake
_AT_FIRST: Final = 100_000.0  # records a second, before any were applied
_KEPT: Final = 0.9  # of what is known of the speed, with each chunk


class Pace:
    """`backlog`: whether there is one; its last records come before the next commit.

    `late`: what waits for the next commit is of a backlog, and its score updates come with the one after.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.backlog = False
        self.late = False
        self._behind = False
        self._records = _AT_FIRST
        self._seconds = 1.0
        self._committed = clock()
        self._took = 0.0

    def applied(self, records: int, seconds: float) -> None:
        """So many were applied in so much time."""
        self._records = self._records * _KEPT + records
        self._seconds = self._seconds * _KEPT + seconds

    def look(self, lag: int) -> None:
        """So many records wait."""
        speed = self._records / max(self._seconds, 1e-6)
        behind = lag > (BACKLOG if self._behind else max(BACKLOG, speed * BEHIND))
        self.backlog, self._behind = behind or self._behind, behind
        self.late = self.late or self.backlog

    def due(self, interval: float, states: int, *, put_off: bool) -> bool:
        """Whether a commit is due, in quiet times `interval` seconds after the last began; `states` wait for it.

        `put_off`: the last one was not taken; then states alone would have it tried all the time.
        """
        since = self._clock() - self._committed
        if self.backlog:
            return since >= BACKLOG_COMMIT or (states >= BACKLOG_STATES and not put_off)
        return since >= max(interval - self._took, self._took)

    def tried(self) -> None:
        """A commit was put off."""
        self._committed = self._clock()

    def committed(self, seconds: float) -> None:
        """A commit is done, and took so long."""
        self.tried()
        self.late = False
        self._took = seconds
