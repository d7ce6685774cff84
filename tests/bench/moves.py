"""`make bench-moves`: how long a partition stands still while workers come, go, die and come back, under load.

A partition stands still while it has events to score and commits none of them. In quiet times that is the time between
two commits, the first line of the table; what a move adds to it is the gap in scoring.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from threading import Event, Lock, Thread
from typing import Final

from agents.cli.opening import NAMES
from agents.transport.access import Access
from agents.transport.kafka.cluster import Cluster, servers_of
from agents.transport.kafka.log import KafkaLog
from agents.transport.log import TopicPartition
from tests.bench.growth import say
from tests.bench.live_sender import BEAT, Plant
from tests.bench.site import Ground, Site, Worker, missing
from tests.bench.workload import TEMPLATE, publish_template
from tests.e2e.gaps import Gaps

PARTITIONS: Final = 8
SESSION: Final = 6.0  # s, the least that brokers take by default
LOOK: Final = 0.01  # s between two looks at what is committed
AFTERWARDS: Final = 3.0  # s that are watched after a move
QUIET: Final = "nothing happens"

Move = Callable[["Cast"], None]


def main() -> int:
    """Prints the table; 0 also where there is no broker, which is said."""
    given = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended then too
    if reason := missing("kafka"):
        say(f"nothing is measured: {reason}")
        return 0
    moves = dict(list(MOVES.items())[:3]) if given.smoke else MOVES
    with (
        tempfile.TemporaryDirectory(prefix="scorestream-moves-", dir=given.folder) as folder,
        Ground("kafka", Path(folder) / "kafka") as ground,
        ground.site(PARTITIONS) as at,
        cast(at, given.rate, given.employees) as those,
    ):
        say(table(measure(those, moves, 1 if given.smoke else given.rounds)))
    say(f"{PARTITIONS} partitions, {given.rate:,} events/s of {given.employees:,} employees, session {SESSION:g} s")
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.moves", description=__doc__)
    parser.add_argument("--rate", type=int, default=500, help="events/s")
    parser.add_argument("--employees", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where broker and states go (default: a temporary folder)")
    parser.add_argument("--smoke", action="store_true", help="one round of the first moves: shows that it works")
    return parser.parse_args()


class Cast:
    """Workers on a site, a sender, and who watches both."""

    def __init__(self, at: Site, rate: int, employees: int) -> None:
        self.gaps = Gaps()
        self.workers: dict[str, Worker] = {}
        self._at, self._rate, self._employees = at, rate, employees
        self._ends: dict[TopicPartition, int] = {}
        self._lock, self._over = Lock(), Event()

    def worker(self, name: str) -> Worker:
        """Made on first use."""
        return self.workers.setdefault(name, Worker(self._at, name, {"kafka_session_timeout": SESSION}))

    def comes(self, name: str) -> None:
        """Until it scores."""
        self.worker(name).start()
        self.worker(name).wait_scoring()

    def send(self) -> None:
        """Until it is over; a thread's work."""
        plant, log = Plant(self._employees, self._employees, PARTITIONS), self._own_log()
        while not self._over.wait(BEAT):
            records = plant.events(max(1, round(self._rate * BEAT)), time.time_ns() // 1_000_000)
            offsets = log.append(records)
            with self._lock:
                for record, offset in zip(records, offsets, strict=True):
                    self._ends[record[:2]] = offset + 1
        log.close()

    def watch(self) -> None:
        """Until it is over; a thread's work."""
        log = self._own_log()
        while not self._over.wait(LOOK):
            with self._lock:
                ends = dict(self._ends)
            if ends:
                self.gaps.look(log.committed(), ends, time.monotonic())
        log.close()

    def _own_log(self) -> KafkaLog:
        return KafkaLog(Cluster(servers_of(self._at.url), Access(group=self._at.group)), NAMES)

    def end(self) -> None:
        """Everything ends."""
        self._over.set()
        for worker in self.workers.values():
            worker.end(signal.SIGKILL)


@contextmanager
def cast(at: Site, rate: int, employees: int) -> Iterator[Cast]:
    """One worker scores what comes."""
    publish_template(at.log, TEMPLATE)
    made = Cast(at, rate, employees)
    threads = [Thread(target=made.send, name="sender"), Thread(target=made.watch, name="watch")]
    with ExitStack() as stack:
        made.comes("first")
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        stack.callback(made.end)
        yield made


def _killed_and_back(those: Cast) -> None:
    those.worker("second").end(signal.SIGKILL)
    those.comes("second")


MOVES: Final[Mapping[str, Move]] = {
    QUIET: lambda those: None,
    "a second worker comes": lambda those: those.comes("second"),
    "it is stopped (SIGTERM)": lambda those: those.worker("second").end(signal.SIGTERM),
    "it comes back": lambda those: those.comes("second"),
    "a third comes": lambda those: those.comes("third"),
    "the third is stopped": lambda those: those.worker("third").end(signal.SIGTERM),
    "the second is killed and comes back at once": _killed_and_back,
    "it is killed and stays away": lambda those: those.worker("second").end(signal.SIGKILL),
}


def measure(those: Cast, moves: Mapping[str, Move], rounds: int) -> dict[str, list[float]]:
    """The longest gap of each move, of all rounds, in s."""
    found: dict[str, list[float]] = {name: [] for name in moves}
    for _ in range(rounds):
        for name, move in moves.items():
            those.gaps.begin()
            move(those)
            time.sleep(AFTERWARDS + (2 * SESSION if "stays away" in name else 0))
            found[name].append(those.gaps.longest)
    return found


def table(found: Mapping[str, list[float]]) -> str:
    """Medians and the longest, and what they add to quiet times."""
    usual = median(found[QUIET])
    lines = [
        f"{'longest time without a commit, s':<46} {'median':>8} {'longest':>8} {'gap, median':>12} {'longest':>8}"
    ]
    for name, gaps in found.items():
        added = [max(0.0, gap - usual) for gap in gaps]
        lines.append(f"{name:<46} {median(gaps):>8.2f} {max(gaps):>8.2f} {median(added):>12.2f} {max(added):>8.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
