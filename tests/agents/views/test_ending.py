"""A task that swallows cancellations ends all the same."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from agents.views.ending import cancellable, ended


async def deaf(times: int, ends: list[str]) -> None:
    """Swallows so many cancellations."""
    for _ in range(times):
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    try:
        await asyncio.Event().wait()
    finally:
        ends.append("ended")


@pytest.mark.parametrize("swallowed", [0, 1, 3])
async def test_a_swallowed_cancellation_comes_again(swallowed: int) -> None:
    """Until it is heard."""
    ends: list[str] = []
    task = asyncio.create_task(cancellable(deaf(swallowed, ends)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(5):
        with suppress(asyncio.CancelledError):
            await task
    assert (["ended"], True) == (ends, task.cancelled())


async def test_what_went_wrong_is_raised() -> None:
    """Nothing is hidden by it."""

    async def broken() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        await cancellable(broken())


async def test_what_has_ended_is_left_alone() -> None:
    """Whatever it ended with."""

    async def broken() -> None:
        raise KeyError("a bug")

    task = asyncio.create_task(broken())
    await asyncio.wait([task])
    await ended(task)
    assert isinstance(task.exception(), KeyError)
