"""`make bench-loop`: how long a worker's loop does one thing and answers nobody, and what that thing is.

A worker drains a backlog, keeps up with what comes, and counts the past anew, while somebody scrapes its metrics every
second. Each callback of its loop is timed (tests/bench/watch.py), but for those before it scores, which only import.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Final

from agents.transport.embedded.log import EmbeddedLog
from agents.transport.log import Outgoing
from stream.topics import TEMPLATES
from tests.bench.service import ends, new_log, wait_committed
from tests.bench.watch import Block
from tests.bench.workload import TEMPLATE, fill, publish_template, records

MOST: Final = 0.1  # s
SHOWN: Final = 12
LIVE: Final = 500  # events/s
HEAD: Final = f"{'phase':<44}{'s':>7}{'> 20 ms':>9}{'> 100 ms':>10}{'longest':>9}{'by clock':>10}{'scrape':>8}"
NOTES: Final = """\
> 20 ms, > 100 ms: callbacks of the loop that took the processor for longer; in ms: longest, the processor's time of the
longest; by clock, the same with the time that other programs had; scrape, the longest answer to a scrape"""


@dataclass(slots=True)
class Phase:
    """What the worker had to do, from when to when (monotonic clock, s), and how long scrapes took meanwhile."""

    name: str
    began: float
    ended: float = 0.0
    scrapes: list[float] = field(default_factory=list)

    def line(self, blocks: list[Block]) -> str:
        """A line of the table."""
        own = [block for block in blocks if self.began <= block.at < self.ended]
        cpu, wall = (max((getattr(block, name) for block in own), default=0.0) for name in ("cpu", "wall"))
        return (
            f"{self.name:<44}{self.ended - self.began:>7.1f}{sum(b.cpu > 0.02 for b in own):>9}"
            f"{sum(b.cpu > MOST for b in own):>10}{1000 * cpu:>9.0f}{1000 * wall:>10.0f}"
            f"{1000 * max(self.scrapes, default=0.0):>8.0f}"
        )


class Watched:
    """A worker under watch, and what it is told to do."""

    def __init__(self, folder: Path, file: Path) -> None:
        self._file = file
        self._over = Event()
        self.phases: list[Phase] = []
        command = [sys.executable, "-m", "tests.bench.watch", str(file), "worker", "--broker", f"embedded://{folder}"]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        self._address = next(line.split()[-1] for line in self._process.stderr if "healthz" in line)
        self._thread = Thread(target=self._scrape, daemon=True)
        self._thread.start()

    def _scrape(self) -> None:
        while not self._over.wait(1.0):
            began = time.perf_counter()
            with urllib.request.urlopen(self._address.replace("healthz", "metrics"), timeout=60) as answer:
                answer.read()
            if self.phases:
                self.phases[-1].scrapes.append(time.perf_counter() - began)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """What happens in it counts as one line."""
        phase = Phase(name, time.perf_counter())
        self.phases.append(phase)
        yield
        phase.ended = time.perf_counter()

    def end(self) -> list[Block]:
        """Stops the worker; its long callbacks."""
        self._over.set()
        self._thread.join()
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=120)
        return [Block(**json.loads(line)) for line in self._file.read_text().splitlines()]


def main() -> int:
    """Prints the table, and what took longest."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.blocks", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--employees", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=90.0, help="of what comes live")
    parser.add_argument("--smoke", action="store_true", help="small numbers: shows that it works")
    given = parser.parse_args()
    if given.smoke:
        given.events, given.employees, given.seconds = 20_000, 500, 3.0
    with tempfile.TemporaryDirectory(prefix="scorestream-blocks-") as folder:
        phases, blocks = run(Path(folder), given)
    say(f"{given.events:,} events of {given.employees:,} people\n\n{HEAD}")
    for phase in phases:
        say(phase.line(blocks))
    say(f"{NOTES}\n\n{'ms':>5}{'clock':>7}{'gc':>5}  what the loop was at")
    counted = [b for b in blocks if any(phase.began <= b.at < phase.ended for phase in phases)]
    for block in sorted(counted, key=lambda block: -block.cpu)[:SHOWN]:
        say(f"{1000 * block.cpu:>5.0f}{1000 * block.wall:>7.0f}{1000 * block.gc:>5.0f}  {block.where[:140]}")
    return 0


def run(folder: Path, given: argparse.Namespace) -> tuple[list[Phase], list[Block]]:
    """All phases, one after the other, on one worker."""
    log, partitions = new_log(folder / "log")
    fill(log, given.events, given.employees, partitions)
    publish_template(log, TEMPLATE)
    worker = Watched(folder / "log", folder / "blocks")
    with worker.phase("a backlog is drained"):
        wait_committed(log, ends(log))
    with worker.phase(f"live, {LIVE} events/s, everybody due each minute"):
        _live(log, partitions, given)
        wait_committed(log, ends(log))
    with worker.phase("a template reaches back: all is counted anew"):
        publish_template(log, TEMPLATE.replace("template: bench", "template: again"))
        _wait_adopted(log)
    log.close()
    return worker.phases, worker.end()


def _live(log: EmbeddedLog, partitions: int, given: argparse.Namespace) -> None:
    """Events of now, in small batches; their ids are new."""
    until, batch = time.monotonic() + given.seconds, LIVE // 10
    again = records(1 << 40, given.employees, partitions, seed=2)
    number = 0
    while time.monotonic() < until:
        now = time.time_ns() // 1_000_000
        log.append([_now(next(again), now, number + n) for n in range(batch)])
        number += batch
        time.sleep(0.1)


def _now(record: Outgoing, now: int, number: int) -> Outgoing:
    event = json.loads(record.value or b"")
    event |= {"event_id": f"live-{number}", "occurred_at": now}
    return record._replace(timestamp=now, value=json.dumps(event).encode())


def _wait_adopted(log: EmbeddedLog, patience: float = 600.0) -> None:
    """Until a commit knows all templates, and scoring goes on."""
    wanted = {place: bounds[1] for place, bounds in log.bounds().items() if place[0] == TEMPLATES}
    deadline = time.monotonic() + patience
    while any(log.committed().get(place, 0) < end for place, end in wanted.items()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the template is not adopted after {patience:g} s")
        time.sleep(0.1)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
