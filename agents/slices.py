"""Long work in the loop is done in slices, what takes long elsewhere is waited for: whole in the end, either way."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Iterator
from typing import Any, Final, TypeVar

_T = TypeVar("_T")
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


async def to_the_end(work: Coroutine[None, None, _T]) -> _T:
    """Does work that must not stop half-way: who is cancelled meanwhile waits for its end, and is cancelled then."""
    task = asyncio.ensure_future(work)
    if await ended(task):
        task.exception()  # of no interest any more
        raise asyncio.CancelledError
    return task.result()


async def ended(work: asyncio.Future[Any]) -> bool:
    """Waits for the end of what cannot be called back, as a thread's work; whether somebody tried to."""
    cancelled = False
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            cancelled = True
    return cancelled
