"""Whether the audit log holds is computed beside the pages, all of it, at most once a minute, and told with its time.

A page waits for it a little; what takes longer is there for the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from agents.access.audit import Verified, verify
from dashboards.web.desk import Desk, DeskClosed

FRESH: Final = 60_000  # ms
PATIENCE: Final = 2.0  # s that a page waits


class Checked(NamedTuple):
    """What a look at the whole chain gave, and when it was begun (ms)."""

    found: Verified
    at: int


class ChainCheck:
    """The checks of one web process; `clock` gives wall time in ms."""

    def __init__(self, desk: Desk, clock: Callable[[], int], patience: float = PATIENCE) -> None:
        self._desk = desk
        self._clock = clock
        self._patience = patience
        self._last: Checked | None = None
        self._going: asyncio.Task[None] | None = None

    async def state(self, *, again: bool = False) -> Checked | None:
        """The last check; None while the first one goes on. `again`: whatever its age, a new one is begun."""
        old = self._last is None or self._clock() - self._last.at > FRESH
        if (old or again) and (self._going is None or self._going.done()):
            self._going = asyncio.create_task(self._check())
        if self._going is not None:
            await asyncio.wait([self._going], timeout=self._patience)
        return self._last

    async def close(self) -> None:
        """Begins no more; what goes on in a thread ends there."""
        if self._going is not None:
            self._going.cancel()
            await asyncio.gather(self._going, return_exceptions=True)

    async def _check(self) -> None:
        at = self._clock()
        try:
            self._last = Checked(await self._desk.read(verify), at)
        except DeskClosed:
            return  # said by the page, which asks the desk too
