"""Where a test may kill the worker: places between two writes that must be one. Off unless armed."""

from __future__ import annotations

import os
import signal
from typing import Final

_armed: Final[dict[str, int]] = {}


def arm(places: str) -> None:
    """Kill this process with SIGKILL when `PLACE` is reached for the N-th time; `places` is "PLACE:N,PLACE:N"."""
    for entry in filter(None, places.split(",")):
        place, _, times = entry.partition(":")
        _armed[place] = int(times or 1)


def reach(place: str) -> None:
    """The worker is at a place; nothing happens unless it is armed and its turn has come."""
    left = _armed.get(place)
    if left is None:
        return
    _armed[place] = left - 1
    if left <= 1:
        os.kill(os.getpid(), signal.SIGKILL)
