"""Once a day a worker has learned what kinds of work usually give, by a process beside it (agents/learning.py)."""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
from typing import Final

import msgspec

from agents.learning import Lesson, wanted
from agents.transport.access import Access
from schemas.instants import HOUR
from schemas.unreadable import UNREADABLE
from stream.rulebook import Rulebook

logger: Final = logging.getLogger(__name__)
DUE: Final = 22 * HOUR  # after the last model took effect, which it does an hour or two after it was learned
AGAIN: Final = HOUR  # after a try, whatever became of it
_decoder: Final = msgspec.json.Decoder(list[Lesson])


def is_due(rules: Rulebook, now: int) -> bool:
    """Whether some indicator has no model of this day, at an instant (ms)."""
    own = (rules.models.get((one.template, one.mixed.indicator)) for one in wanted(rules, now))
    return any(models is None or now - models[-1].effective_from >= DUE for models in own)


class Learner:
    """The process, when it is time; one at a time."""

    def __init__(self, broker: str, access: Access) -> None:
        self._told = pickle.dumps((broker, access))
        self._next = 0
        self._process: asyncio.subprocess.Process | None = None

    async def look(self, rules: Rulebook, now: int) -> None:
        """Learns when it is due (now in ms), and waits for it. A process that fails is no reason to fail."""
        if now < self._next or not is_due(rules, now):
            return
        self._next = now + AGAIN
        command = (sys.executable, "-P", "-m", "agents.learning_process")
        pipe = asyncio.subprocess.PIPE
        try:
            self._process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
            out, err = await self._process.communicate(self._told)
        except OSError as error:
            logger.warning("case mix was not learned: %s", error)
            return
        finally:
            await self.close()
        try:
            lessons = _decoder.decode(out)
        except UNREADABLE:
            last = err.decode(errors="replace").strip().rpartition("\n")[2]
            logger.warning("case mix was not learned: %s", last or "the process ended")
            return
        for lesson in lessons:
            logger.info(
                "case mix of %s/%s: %s, %s", lesson.template, lesson.indicator, lesson.key or "none", lesson.why
            )

    async def close(self) -> None:
        """Ends the process, if it runs."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
