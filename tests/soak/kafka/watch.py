"""I5 as it happens: how long a partition with work to do had no commit, and how much memory a worker takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final

from agents.transport.errors import LogError, RecoverableError
from agents.transport.log import TopicPartition as Where
from tests.e2e.gaps import Gaps
from tests.e2e.kafka_workers import KafkaWorld
from tests.soak.kafka.feed import Witness

LOOK: Final = 0.2  # s between two looks
ASLEEP: Final = 2.0  # s that a wait may be longer than asked for, on a busy machine


class Watch:
    """Looks at a world all the time, from a thread. `peak` in bytes."""

    def __init__(self, world: KafkaWorld, feeds: Callable[[], Iterable[Witness]]) -> None:
        self._log = world.opened()
        self._world = world
        self._feeds = feeds
        self._gaps = Gaps()
        self._lock = Lock()
        self.peak = 0
        self._stop = Event()
        self._thread = Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Forgets the pauses so far."""
        with self._lock:
            self._gaps.begin()
            self._gaps.forget()

    @property
    def pause(self) -> float:
        """The longest since `begin`, in s."""
        return self._gaps.longest

    def _run(self) -> None:
        began = time.monotonic()
        while not self._stop.wait(LOOK):
            if time.monotonic() - began > LOOK + ASLEEP:
                self._gaps.forget()  # the machine stood still, and everything on it
            self._weigh()
            committed: dict[Where, int] | None
            try:
                committed = self._log.committed()
            except (RecoverableError, LogError):
                committed = None  # the pause goes on
            if committed is not None:
                self._note(committed)
            began = time.monotonic()

    def _weigh(self) -> None:
        for worker in list(self._world.workers.values()):
            try:
                status = Path(f"/proc/{worker.pid}/status").read_text()
            except OSError:
                continue
            for line in status.splitlines():
                if line.startswith("VmHWM"):
                    self.peak = max(self.peak, int(line.split()[1]) * 1024)

    def _note(self, committed: dict[Where, int]) -> None:
        ends: dict[Where, int] = {}
        for feed in self._feeds():
            for place, end in list(feed.ends.items()):
                ends[place] = max(end, ends.get(place, 0))
        with self._lock:
            self._gaps.look(committed, ends, time.monotonic())

    def close(self) -> None:
        """Looks no more."""
        self._stop.set()
        self._thread.join()
        self._log.close()
