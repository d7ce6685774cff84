"""How Python's collector and threads are set for work that makes millions of objects a second and no cycles."""

from __future__ import annotations

import gc
import sys


def tune_collector() -> None:
    """Events and states hold no cycles: Python's collector looks rarely, and never at what was there at the start."""
    gc.unfreeze()  # what a life before this one left
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000_000, 50, 1000)
    sys.setswitchinterval(0.0005)  # the thread that reads ahead waits less for the loop
