"""How Python's collector and threads are set for work that makes millions of objects a second and no cycles."""

from __future__ import annotations

import gc
import sys
from typing import Final

YOUNG: Final = 10_000  # objects that the collector looks at, at a time: some milliseconds
NEVER: Final = 2**31 - 1


def tune_collector() -> None:
    """Events and states hold no cycles: Python's collector looks at what is new, and never again at what stays.

    To look at all that a worker holds takes a second, in which it would answer nobody, and to look at a million new
    objects at once a third of one. What becomes a cycle only later is collected when the life ends (agents/lives.py).
    """
    gc.unfreeze()  # what a life before this one left
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, NEVER, NEVER)
    sys.setswitchinterval(0.0005)  # the thread that reads ahead waits less for the loop
