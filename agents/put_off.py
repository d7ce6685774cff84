"""The log takes nothing at the moment: it is said once, and again while it lasts; nothing is lost meanwhile."""

from __future__ import annotations

import logging
import time
from typing import Final

from agents.metrics import Metrics
from agents.transport.errors import RecoverableError

logger: Final = logging.getLogger(__name__)
TELL_AGAIN: Final = 30.0  # s between two messages about one trouble


class PutOff:
    """What could not be committed, as operators hear of it."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._tell_at = 0.0  # monotonic

    def again(self, error: RecoverableError) -> None:
        """A try has failed."""
        if time.monotonic() >= self._tell_at:
            logger.error("commit put off, nothing is lost, tried again all the time: %s", error)
            self._tell_at = time.monotonic() + TELL_AGAIN
        self._metrics.commit_failed(str(error))

    def over(self) -> None:
        """A try has succeeded."""
        if self._metrics.last_failure:
            logger.warning("the log takes commits again: all that was put off is in it")
            self._metrics.last_failure = ""
            self._tell_at = 0.0
