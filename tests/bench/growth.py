"""`make bench-growth`: what an event costs with more employees and more workers, and how soon a worker is back.

Cost is CPU time of all processes of the workers, from the moment that they score to the last commit of a backlog;
a second of CPU per million events is a microsecond per event.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agents.transport.log import Outgoing
from stream.topics import QC_EVENTS
from tests.bench.peers.machine import Cpu
from tests.bench.site import BROKERS, STEP, Ground, Site, Worker, healthy, missing
from tests.bench.weights import on_disk, weigh
from tests.bench.workload import TEMPLATE, fill, publish_template, records

ROUNDS: Final = 2  # events of each employee at least
SESSION: Final = 300  # s: longer than it takes to fill the log
HEAD: Final = f"{'':<34}{'events':>11}{'events/s':>11}{'CPU s/M':>9}{'broker':>8}{'others':>8}{'memory':>10}{'x':>7}"
NOTES: Final = """\
CPU s/M, broker: CPU seconds per million events of the workers and of the broker; others: cores that something else
used meanwhile; memory: peak of the largest worker; x: CPU per event as a multiple of the first line's"""


@dataclass(frozen=True, slots=True)
class Drained:
    """A backlog, worked off."""

    events: int
    seconds: float
    spent: Cpu
    memory: int

    @property
    def cost(self) -> float:
        """CPU seconds of the workers per million events."""
        return self.spent.contender / self.events * 1e6

    @property
    def rate(self) -> float:
        """Events/s."""
        return self.events / self.seconds

    def line(self, name: str, first: Drained) -> str:
        """A line of the table."""
        return (
            f"{name:<34}{self.events:>11,}{self.rate:>11,.0f}{self.cost:>9.2f}"
            f"{self.spent.broker / self.events * 1e6:>8.2f}{self.spent.others / self.seconds:>8.2f}"
            f"{self.memory / 1e6:>7,.0f} MB{self.cost / first.cost:>7.2f}"
        )


def main() -> int:
    """Runs the parts asked for, on the brokers asked for."""
    given = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended then too
    with tempfile.TemporaryDirectory(prefix="scorestream-growth-", dir=given.folder) as folder:
        for kind in given.brokers:
            if reason := missing(kind):
                say(f"{kind}: nothing is measured: {reason}")
            else:
                with Ground(kind, Path(folder) / kind) as ground:
                    Growth(ground, given).run()
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.growth", description=__doc__)
    parser.add_argument("--brokers", type=names, default=BROKERS, help="some of them, with commas")
    parser.add_argument("--sizes", type=numbers, default=(1_000, 10_000, 100_000, 1_000_000), help="employees")
    parser.add_argument("--events", type=int, default=2_000_000, help="of each size; at least two per employee")
    parser.add_argument("--workers", type=numbers, default=(1, 2), help="on Kafka, with the second size; 0: leave out")
    parser.add_argument("--restart", type=int, default=1_000_000, help="employees of the restarts; 0: leave out")
    parser.add_argument("--folder", type=Path, help="where logs and states go (default: a temporary folder)")
    parser.add_argument("--smoke", action="store_true", help="small numbers: shows that it works, not how fast")
    if parser.parse_args().smoke:
        parser.set_defaults(sizes=(200,), events=4_000, workers=(2,), restart=1_000)
    return parser.parse_args()


class Growth:
    """The parts, on one kind of broker."""

    def __init__(self, ground: Ground, given: argparse.Namespace) -> None:
        self.ground, self.given = ground, given

    def run(self) -> None:
        """All that was asked for."""
        given = self.given
        say(f"\n{self.ground.kind}: 3 indicators x 2 windows; load {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
        say(f"{NOTES}\n{HEAD}")
        self.sizes(given.sizes)
        if self.ground.kind == "kafka" and any(given.workers):
            self.workers(given.sizes[min(1, len(given.sizes) - 1)])
        if given.restart:
            with self.ground.site() as at:
                restarts(at, given.restart)

    def sizes(self, sizes: Sequence[int]) -> None:
        """Cost per event as the number of employees grows."""
        first: Drained | None = None
        for employees in sizes:
            with self.ground.site() as at:
                drained = drain(at, max(self.given.events, ROUNDS * employees), employees)
                first = first or drained
                say(drained.line(f"{employees:,} employees", first))
                weights = f"{weigh(at.log).told()}; {on_disk(self.ground, at)}"
            say(f"  {weights}")

    def workers(self, employees: int) -> None:
        """Rate and cost as the number of workers grows: the group has shared out its partitions before the clock."""
        first: Drained | None = None
        for count in self.given.workers:
            with self.ground.site() as at:
                drained = drain(at, self.given.events, employees, workers=count)
                first = first or drained
                name = f"{count} worker{'s' * (count > 1)}"
                say(f"{drained.line(name, first)}, rate x {drained.rate / first.rate:.2f}")


def drain(at: Site, events: int, employees: int, workers: int = 1) -> Drained:
    """Works off a log of so many events.

    Several workers have shared out the partitions before: each is killed, and takes its own again when it is back.
    """
    publish_template(at.log, TEMPLATE)
    settings = {"kafka_session_timeout": SESSION} if workers > 1 else {}
    team = [Worker(at, f"worker{number}", settings) for number in range(workers)]
    with ExitStack() as stack:
        for worker in team:
            stack.callback(worker.end, signal.SIGTERM)
        if workers > 1:
            share_out(team)
        fill(at.log, events, employees, at.partitions)
        return drained(at, team, events)


def share_out(team: Sequence[Worker]) -> None:
    """The workers join, and are killed once each has its partitions: those wait for it as long as its session lasts."""
    for worker in team:
        worker.start()
    for worker in team:
        worker.wait_scoring()
    for worker in team:
        worker.end(signal.SIGKILL)


def drained(at: Site, team: Sequence[Worker], events: int) -> Drained:
    """Starts the workers on a backlog; the clock runs from the first that scores."""
    for worker in team:
        worker.start()
    while not any(healthy(worker.data) for worker in team):
        time.sleep(STEP)
    began, before = time.perf_counter(), [worker.cpu() for worker in team]
    seconds = at.wait_committed() - began
    spent = [worker.cpu() - earlier for worker, earlier in zip(team, before, strict=True)]
    memory = max(worker.memory() for worker in team)
    whole = Cpu(sum(one.contender for one in spent), spent[0].broker, spent[0].own, spent[0].machine)
    return Drained(events, seconds, whole, memory)


def restarts(at: Site, employees: int) -> None:
    """Seconds from the start of a process to the commit of a new event in every partition, after SIGKILL."""
    publish_template(at.log, TEMPLATE)
    fill(at.log, ROUNDS * employees, employees, at.partitions)
    worker = Worker(at)
    try:
        worker.start()
        at.wait_committed()
        for name, local in (("with its local state", True), ("without local state", False)):
            worker.end(signal.SIGKILL)
            if not local:
                shutil.rmtree(worker.data / "state")
            append_one_each(at)
            began = time.perf_counter()
            worker.start()
            ready = worker.wait_scoring() - began
            scored = at.wait_committed() - began
            memory = f"peak memory {worker.memory() / 1e9:.2f} GB"
            say(f"after SIGKILL, {name}, {employees:,} employees: ready {ready:.1f} s, scored {scored:.1f} s, {memory}")
    finally:
        worker.end(signal.SIGTERM)


def append_one_each(at: Site) -> None:
    """One new event in every partition."""
    wanted = set(range(at.partitions))
    found: list[Outgoing] = []
    for record in records(10_000, 1_000, at.partitions, seed=time.time_ns()):
        if record.topic == QC_EVENTS and record.partition in wanted:
            wanted.discard(record.partition)
            found.append(record)
    assert not wanted, f"no event for partitions {sorted(wanted)}"
    at.log.append(found)


def names(text: str) -> tuple[str, ...]:
    """Kinds of brokers, with commas."""
    found = tuple(text.split(","))
    if unknown := set(found) - set(BROKERS):
        raise argparse.ArgumentTypeError(f"{min(unknown)!r} is no broker; there are {', '.join(BROKERS)}")
    return found


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers, with commas."""
    return tuple(int(part.replace("_", "")) for part in text.split(","))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
