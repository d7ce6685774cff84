"""Long work in the loop is done in slices: whole in the end, but others have the loop between them.

Work is a generator. Where it yields nothing others may have the loop; where it yields a call, that is done in a thread,
and its result is what the generator goes on with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from typing import Any, Final, TypeVar

BLOCKS: Final = 0.03  # s that the loop is kept from everybody else
PART: Final = 64  # of what takes some microseconds each
_END: Final = object()
T = TypeVar("T")
Slices = Generator[Any, Any, None]  # yields None, or a call without arguments, and is given what that returns


async def whole(slices: Slices) -> float:
    """Goes through all slices, whatever comes, and looks elsewhere now and then; the seconds that took.

    Who is cancelled meanwhile has the rest done at once, but for what a thread does, which is waited for.
    """
    away, until = 0.0, time.perf_counter() + BLOCKS
    cancelled, found = False, None
    try:
        while (work := _next(slices, found)) is not _END:
            found = None
            if work is not None:
                doing = asyncio.get_running_loop().run_in_executor(None, work)
                cancelled |= await cancelled_before(doing)
                found, until = doing.result(), time.perf_counter() + BLOCKS
            elif not cancelled and (left := time.perf_counter()) >= until:
                cancelled = await _looks_elsewhere()
                back = time.perf_counter()
                away, until = away + back - left, back + BLOCKS
    finally:
        slices.close()
    if cancelled:
        raise asyncio.CancelledError
    return away


def batched(all_of_it: Sequence[T]) -> Iterator[Sequence[T]]:
    """Parts between which others may have the loop."""
    return (all_of_it[begin : begin + PART] for begin in range(0, len(all_of_it), PART))


def at_once(slices: Slices) -> None:
    """The same where nobody waits for the loop: in a thread, say."""
    found = None
    while (work := _next(slices, found)) is not _END:
        found = None if work is None else work()


def _next(slices: Slices, found: Any) -> Any:
    try:
        return slices.send(found)
    except StopIteration:
        return _END


async def _looks_elsewhere() -> bool:
    """Whether somebody cancels it meanwhile."""
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        return True
    return False


async def in_thread(work: Callable[[], T]) -> T:
    """What a thread finds. It cannot be called back: who is cancelled meanwhile waits for its end all the same."""
    doing = asyncio.get_running_loop().run_in_executor(None, work)
    if await cancelled_before(doing):
        raise asyncio.CancelledError
    return doing.result()


async def cancelled_within(work: Coroutine[Any, Any, object]) -> bool:
    """Does work that ends even when it is cancelled; whether it was: what it took out has to be written."""
    try:
        await work
    except asyncio.CancelledError:
        return True
    return False


async def cancelled_before(end: asyncio.Future[Any]) -> bool:
    """Waits for the end of a thread's work, which cannot be called back; whether somebody tried to."""
    cancelled = False
    while not end.done():
        try:
            await asyncio.wait([end])
        except asyncio.CancelledError:
            cancelled = True
    return cancelled
