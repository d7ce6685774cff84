"""How long the worker's loop answered nobody: a timer that is due every few milliseconds is late by that much.

By the wall clock, so a processor that others use counts too: whoever waits for an answer cannot tell one from another.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

BEAT: Final = 0.02  # s
SPAN: Final = 60.0  # s that a delay is remembered: several scrapes
PART: Final = 5.0  # s that have one figure in common


class LoopDelay:
    """The longest delays of the last minute. `run` measures, in the loop that it runs in."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._longest: deque[tuple[float, float]] = deque()  # since when, and the longest of that part

    def note(self, delay: float) -> None:
        """A timer came so much too late (s)."""
        now = self._clock()
        self._forget(now)
        if self._longest and now - self._longest[-1][0] < PART:
            since, known = self._longest[-1]
            self._longest[-1] = since, max(known, delay)
        else:
            self._longest.append((now, delay))

    def longest(self) -> float:
        """Of the last minute, in s."""
        self._forget(self._clock())
        return max((delay for _, delay in self._longest), default=0.0)

    def _forget(self, now: float) -> None:
        while self._longest and now - self._longest[0][0] >= SPAN:
            self._longest.popleft()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            due = self._clock() + BEAT
            await asyncio.sleep(BEAT)
            self.note(max(0.0, self._clock() - due))
