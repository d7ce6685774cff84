"""Open streams are looked at again: who may no longer see a board loses it within five seconds.

Each second the store is asked whether anything changed; every stream is decided anew then, and every fourth second in
any case, for roles, tokens and sessions that end by themselves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from agents.access.directory import DirectoryStale
from agents.records.database import RecordsUnavailable
from dashboards.web.channel import Screen
from dashboards.web.gate import Gate
from dashboards.web.sse import event

PAUSE: Final = 1.0
EVERY: Final = 4  # looks
GOODBYE: Final = event("goodbye", {})  # the page loads itself again, and is told why it may not
log: Final = logging.getLogger(__name__)

Still = Callable[[], bool]


class Watch:
    """The streams of one process. `changed` is called when somebody may see more or less than before."""

    def __init__(self, gate: Gate, changed: Callable[[], None]) -> None:
        self._gate = gate
        self._changed = changed
        self._streams: dict[Screen, Still] = {}

    @contextmanager
    def over(self, screen: Screen, still: Still) -> Iterator[None]:
        """The stream is looked after while the block runs; `still` says whether it may go on, and may block."""
        self._streams[screen] = still
        try:
            yield
        finally:
            del self._streams[screen]

    async def run(self) -> None:
        """Until it is cancelled."""
        looks = 0
        while True:
            await asyncio.sleep(PAUSE)
            looks += 1
            changed = await self._look()
            if changed or looks % EVERY == 0:
                await self._decide()
            if changed:
                self._changed()

    async def _look(self) -> bool:
        try:
            return await asyncio.to_thread(self._gate.refresh)
        except RecordsUnavailable as error:
            log.warning("who may see what cannot be read: %s", error)
            return True
        except Exception:
            log.exception("looking after streams failed")
            return True

    async def _decide(self) -> None:
        streams = list(self._streams.items())
        over = await asyncio.to_thread(lambda: [screen for screen, still in streams if not _may(still)])
        for screen in over:
            screen.close(GOODBYE)


def _may(still: Still) -> bool:
    try:
        return still()
    except (DirectoryStale, RecordsUnavailable):
        return False
    except Exception:
        log.exception("a stream could not be decided")
        return False
