"""A worker under watch: each callback of its loop that takes long is written down, with what the loop was at.

`python -m tests.bench.watch FILE worker ...` is `scorestream worker ...` that leaves FILE behind, a JSON line for each
such callback. The processor's time of the loop's thread is told from time that others had: Python's lock, other
programs of the machine, the disk. A thread beside the loop looks at what it is at; another machine changes what is
seen there, never what is measured.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple

LONG: Final = 0.02  # s of wall clock; shorter callbacks are only counted
LOOK: Final = 0.003  # s between two looks at a callback that is long already
DEPTH: Final = 6  # functions named, innermost first
ROOT: Final = str(Path(__file__).parents[2]) + "/"


class Block(NamedTuple):
    """A callback that took long. Seconds: `at` of the monotonic clock, `cpu` of the thread, `gc` of that in Python's
    collector, `queued` ready and without a processor; `where`: what the looks saw most often.
    """

    at: float
    wall: float
    cpu: float
    gc: float
    queued: float
    where: str


class Watch:
    """Of the loops in this thread, from `install` to `remove`. `blocks` are those found until now."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.calls = 0
        self._thread = threading.get_ident()
        self._began = 0.0  # of the callback under way, 0 when none is
        self._seen: Counter[str] = Counter()
        self._collecting = self._collected = 0.0
        self._schedule = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
        self._over = threading.Event()
        self._run = asyncio.events.Handle._run
        self._looking = threading.Thread(target=self._look, name="watch", daemon=True)

    def install(self) -> None:
        """Each callback is timed from now on."""
        watch, run = self, self._run

        def watched(handle: asyncio.Handle) -> None:
            watch._seen.clear()
            queued, spent, collected = watch._queued(), time.thread_time(), watch._collected
            watch._began = began = time.perf_counter()
            try:
                run(handle)
            finally:
                wall, watch._began = time.perf_counter() - began, 0.0
                watch.calls += 1
                if wall > LONG:
                    spent, queued = time.thread_time() - spent, watch._queued() - queued
                    watch._note(Block(began, wall, spent, watch._collected - collected, queued, _name(handle)))

        asyncio.events.Handle._run = watched  # type: ignore[method-assign, assignment]
        gc.callbacks.append(self._gc)
        self._looking.start()

    def remove(self) -> None:
        """None is, as before."""
        asyncio.events.Handle._run = self._run  # type: ignore[method-assign]
        gc.callbacks.remove(self._gc)
        self._over.set()
        self._looking.join()
        os.close(self._schedule)

    def _queued(self) -> float:
        return int(os.pread(self._schedule, 64, 0).split()[1]) / 1e9

    def _gc(self, phase: str, info: dict[str, Any]) -> None:
        if threading.get_ident() != self._thread:
            return
        if phase == "start":
            self._collecting = time.thread_time()
        else:
            self._collected += time.thread_time() - self._collecting

    def _look(self) -> None:
        while not self._over.wait(LOOK):
            began = self._began
            if began and time.perf_counter() - began > LONG / 2:
                frame = sys._current_frames().get(self._thread)
                if frame is not None and began == self._began:
                    self._seen[_place(frame)] += 1

    def _note(self, block: Block) -> None:
        seen = self._seen.most_common(1)
        self.blocks.append(block._replace(where=f"{seen[0][0]} <- {block.where}" if seen else block.where))


def _place(frame: FrameType | None) -> str:
    """The innermost functions of ours, and what they were in."""
    names: list[str] = []
    while frame is not None and len(names) < DEPTH:
        code = frame.f_code
        if code.co_filename.startswith(ROOT) and "tests/bench/watch" not in code.co_filename:
            names.append(f"{code.co_filename.removeprefix(ROOT)}:{frame.f_lineno} {code.co_qualname}")
        elif not names:
            names.append(f"{Path(code.co_filename).name}:{frame.f_lineno} {code.co_qualname}")
        frame = frame.f_back
    return " < ".join(names)


def _name(handle: asyncio.Handle) -> str:
    call: Any = getattr(handle, "_callback", None)
    owner = getattr(call, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return str(getattr(owner.get_coro(), "__qualname__", owner.get_name()))
    return str(getattr(call, "__qualname__", call))


def main() -> int:
    """Watches the command that follows."""
    file = Path(sys.argv.pop(1))
    watch = Watch()
    watch.install()

    def leave() -> None:
        file.write_text("".join(json.dumps(block._asdict()) + "\n" for block in watch.blocks))

    atexit.register(leave)
    from agents.cli.main import main as command

    return command() or 0


if __name__ == "__main__":
    sys.exit(main())
