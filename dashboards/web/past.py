"""What somebody's windows gave that are over, from the records: kept until windows close or are restated again.

A page does without while there are no records, or they do not answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection

from agents.records.results import Name, Past, past_of, state_of
from dashboards.web.desk import Desk, DeskClosed
from schemas.instants import DAY

Windows = Mapping[Name, Sequence[Past]]


class Told(NamedTuple):
    """Windows that are over. `name`: another one when they may be others."""

    windows: Windows
    name: str


POINTS: Final = 12  # of a trend
KEPT: Final = 10_000  # people and windows in memory
LOOK: Final = 5.0  # s: results that were restated are seen after that
PAUSE: Final = 10.0  # s that records that do not answer are left alone
NOTHING: Final[Windows] = {}
NONE: Final = Told(NOTHING, "")
_DAYS: Final = {"shift": 1, "day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


class Pasts:
    """The closed windows behind pages. `clock` in s, never back."""

    def __init__(self, desk: Desk | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._desk = desk
        self._clock = clock
        self._found: dict[tuple[str, str], Windows] = {}
        self._state = ""
        self._looked = -LOOK
        self._closed_until = 0.0

    async def of(self, employee: str, window: str, as_of: int) -> Told:
        """By indicator the last values in windows like this one, oldest first; `as_of` in ms."""
        now = self._clock()
        if self._desk is None or window not in _DAYS or now < self._closed_until:
            return NONE
        kept = self._found.get((employee, window))
        fresh = now - self._looked < LOOK
        if kept is not None and fresh:
            return Told(kept, self._state)
        after = as_of - 2 * POINTS * _DAYS[window] * DAY  # some days nobody works
        try:
            state, found = await self._desk.read(
                lambda connection: _look(connection, employee, window, after, self._state if fresh else None)
            )
        except DeskClosed:
            self._closed_until = now + PAUSE
            return NONE
        self._keep((employee, window), state, found, now)
        return Told(found, state)

    def _keep(self, key: tuple[str, str], state: str, found: Windows, now: float) -> None:
        if state != self._state:
            self._found.clear()
            self._state, self._looked = state, now
        elif now - self._looked >= LOOK:
            self._looked = now
        if len(self._found) >= KEPT:
            self._found.pop(next(iter(self._found)))
        self._found[key] = found


def _look(connection: Connection, employee: str, window: str, after: int, state: str | None) -> tuple[str, Windows]:
    """`state`: what is known to be the state of the results; None: look first, so that what is read is no older."""
    state = state_of(connection) if state is None else state
    found = past_of(connection, employee, window, after)
    return state, {name: values[-POINTS:] for name, values in found.items()}
