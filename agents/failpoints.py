"""Where a test may kill the worker: places between two writes that must be one. Off unless armed."""

from __future__ import annotations

import os
import signal
from typing import Final

from agents.settings import SettingError

PLACES: Final = (
    "set-aside",  # a damaged store is out of the way, the new one is not there
    "restoring",  # a piece of the changelog is in the store
    "after-people",  # at the start, assignments that waited are applied
    "after-chunk",  # applied, not committed
    "rules-adopted",  # restated and released under new rules, not committed
    "after-ticks",  # in the log, not applied
    "before-transaction",
    "inside-transaction",  # records and offsets are written, the transaction is not committed
    "after-transaction",  # changelog, outputs and offsets are durable, no store has them
    "before-store",  # of each partition
    "after-store",  # of all partitions
    "after-outbox-append",  # what waited in the relational store is in the log, not marked there
)
_armed: Final[dict[str, int]] = {}


def arm(places: str) -> None:
    """Kill this process with SIGKILL when `PLACE` is reached for the N-th time; `places` is "PLACE:N,PLACE:N"."""
    for entry in filter(None, places.split(",")):
        place, _, times = entry.partition(":")
        if place not in PLACES:
            raise SettingError(f"fail_points={places!r}: there is no place {place!r}; there are {', '.join(PLACES)}")
        _armed[place] = int(times or 1)


def reach(place: str) -> None:
    """The worker is at a place; nothing happens unless it is armed and its turn has come."""
    left = _armed.get(place)
    if left is None:
        return
    _armed[place] = left - 1
    if left <= 1:
        os.kill(os.getpid(), signal.SIGKILL)
