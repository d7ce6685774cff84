"""When a window closes, and once a day in any case, a process beside the worker writes results (agents/results.py).

That a shift is over is no reason by itself: a run reads the whole log, and those that are over come along.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
from typing import Final

import msgspec

from agents.closing import Closing, any_closed
from agents.settings import Settings
from schemas.instants import DAY, HOUR
from schemas.unreadable import UNREADABLE
from stream.rulebook import Rulebook

logger: Final = logging.getLogger(__name__)
AGAIN: Final = HOUR  # after a try, whatever became of it
_decoder: Final = msgspec.json.Decoder(Closing)


class Closer:
    """The process, when it is time; one at a time."""

    def __init__(self, settings: Settings) -> None:
        self._told = pickle.dumps(settings)
        self._next = 0
        self._done_at = 0
        self._until: int | None = None  # windows that ended by then are closed; None: nobody has looked
        self._process: asyncio.subprocess.Process | None = None

    def is_due(self, rules: Rulebook, now: int, late: int) -> bool:
        """Whether a window other than a shift has closed since, or a day is over.

        `late`: how long events are waited for (ms).
        """
        if now < self._next:
            return False
        if self._until is None or now - self._done_at >= DAY:
            return True
        return any_closed(rules, self._until, now - late, shifts=False)

    async def look(self, rules: Rulebook, now: int, late: int) -> None:
        """Writes results when it is time (now in ms), and waits for it. A process that fails is no reason to fail."""
        if not self.is_due(rules, now, late):
            return
        self._next = now + AGAIN
        command = (sys.executable, "-P", "-m", "agents.closing_process")
        pipe = asyncio.subprocess.PIPE
        try:
            self._process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
            out, err = await self._process.communicate(self._told)
        except OSError as error:
            logger.warning("results were not written: %s", error)
            return
        finally:
            await self.close()
        try:
            self._take(_decoder.decode(out), now)
        except UNREADABLE:
            last = err.decode(errors="replace").strip().rpartition("\n")[2]
            logger.warning("results were not written: %s", last or "the process ended")

    def _take(self, closing: Closing, now: int) -> None:
        if closing.why or closing.until is None:
            logger.info("results wait: %s", closing.why)
            return
        self._until, self._done_at = closing.until, now
        logger.info("results: %d new, %d restated", closing.written - closing.restated, closing.restated)

    async def close(self) -> None:
        """Ends the process, if it runs."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
