"""Long work in the loop is done in slices: whole in the end, but others have the loop between them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from typing import Final

BLOCKS: Final = 0.03  # s that the loop is kept from everybody else


async def whole(slices: Iterator[None]) -> float:
    """Goes through all slices, whatever comes, and looks elsewhere now and then; the seconds that took.

    Who is cancelled meanwhile has the rest done at once.
    """
    away, until = 0.0, time.perf_counter() + BLOCKS
    try:
        for _ in slices:
            left = time.perf_counter()
            if left >= until:
                await asyncio.sleep(0)
                back = time.perf_counter()
                away, until = away + back - left, back + BLOCKS
    finally:
        deque(slices, maxlen=0)
    return away
