"""What is to end ends: up to Python 3.11 `asyncio.wait_for`, which the Redis client uses, may swallow a cancellation.

Without this a worker that is told to stop would now and then wait for its views for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

AGAIN: Final = 0.05  # s


async def ended(task: asyncio.Task[None]) -> None:
    """Cancels a task until it has ended, however it does."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN)
    if not task.cancelled():
        task.exception()  # looked at


async def cancellable(work: Coroutine[Any, Any, None]) -> None:
    """As the work itself, and whoever cancels this has ended it."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    finally:
        await ended(task)
