"""Progress is for whoever waits: on stderr, after two seconds; a bar on a terminal, else a plain line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

QUIET_S: Final = 2.0
LINE_EVERY_S: Final = 5.0
_BAR_EVERY_S: Final = 0.1


def say(text: str) -> None:
    """One line to the person at the keyboard, beside the output."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


class Progress:
    """Counts what is done and shows it, as a context manager; call `advance` per batch.

    `total` is what `advance` adds up to in weight (records, bytes of the input); None when nobody knows.
    """

    def __init__(
        self,
        label: str,
        total: int | None = None,
        unit: str = "records",
        *,
        err: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.done = 0
        self._passed = 0
        self._total = total
        self._label = label
        self._unit = unit
        self._err = sys.stderr if err is None else err
        self._clock = clock
        self._begin = clock()
        self._next = self._begin + QUIET_S
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._begin

    def advance(self, count: int = 1, weight: int | None = None) -> None:
        """`count` more are done, which are `weight` (default: the count) of the total."""
        self.done += count
        self._passed += count if weight is None else weight
        now = self._clock()
        if now >= self._next:
            self._show(now)

    def _show(self, now: float) -> None:
        if self._err.isatty():
            self._next = now + _BAR_EVERY_S
            self._show_bar()
        else:
            self._next = now + LINE_EVERY_S
            self._err.write(self._line() + "\n")
            self._err.flush()

    def summary(self) -> str:
        """What was done so far, in how long and how fast, on one line."""
        rate = self.done / max(self.seconds, 1e-9)
        return f"{self._label} {self.done:,} {self._unit} in {self.seconds:.1f} s ({rate:,.0f}/s)"

    def _line(self) -> str:
        share = f", {min(100, 100 * self._passed // self._total)} %" if self._total else ""
        return self.summary() + share

    def _show_bar(self) -> None:
        if self._bar is None or self._task is None:
            self._bar = _bar(self._err, self._unit)
            self._task = self._bar.add_task(self._label, total=self._total, records=self.done)
            self._bar.start()
        self._bar.update(self._task, completed=self._passed, records=self.done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar(err: TextIO, unit: str) -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[records]:,} " + unit),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(file=err),
        transient=True,
    )
