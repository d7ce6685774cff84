"""`make bench-peers`: what users would pick instead, on the same job, the same broker and the same machine.

Each contender's answers are checked, on a small topic, before any is timed, and again after each timed run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.peers.contender import Contender, Place
from tests.bench.peers.contenders import CONTENDERS
from tests.bench.peers.job import Job
from tests.bench.peers.measure import Measured
from tests.bench.peers.table import Line, table
from tests.bench.peers.topics import fill
from tests.e2e import kafka_broker
from tests.e2e.kafka_broker import KafkaBroker

BROKER_MEMORY = "1g"
TRIES = 3


def main() -> int:
    """Exit code 1 when answers differ; 0 otherwise, also when some contenders are not there."""
    given = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended then too
    if reason := kafka_broker.missing():
        say(f"nothing is measured: {reason}")
        return 0
    chosen = [CONTENDERS[key] for key in given.only.split(",")]
    with tempfile.TemporaryDirectory(prefix="scorestream-peers-", dir=given.folder) as folder:
        broker = KafkaBroker(Path(folder) / "kafka", heap=BROKER_MEMORY, jvm=(), settings=QUIET)
        broker.start()
        try:
            return Bench(Path(folder), broker, given).run(chosen)
        finally:
            broker.stop()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000, help="slow contenders get a part of them")
    parser.add_argument("--employees", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--patience", type=float, default=300.0, help="seconds that one run may take")
    parser.add_argument("--only", default=",".join(CONTENDERS), help="some of them, with commas (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where the broker's data goes (default: a temporary folder)")
    parser.add_argument("--smoke", action="store_true", help="small numbers: shows that it works, not how fast")
    given = parser.parse_args()
    if given.smoke:
        given.events, given.employees, given.rounds = 20_000, 500, 1
    return given


class Bench:
    """The rounds of one call, on one broker."""

    def __init__(self, folder: Path, broker: KafkaBroker, given: argparse.Namespace) -> None:
        self.folder, self.broker, self.given = folder, broker, given
        self.runs = 0

    def run(self, chosen: Sequence[Contender]) -> int:
        """Checks, then times in rounds, interleaved; prints the table."""
        there = [one for one in chosen if not self.left_out(one)]
        small = self.filled("check", min(3_000, self.given.events), min(500, self.given.employees))
        for one in there:
            self.tried(one, small)
        say(f"answers right: {', '.join(one.title for one in there)}")
        parts = {one.part for one in there}
        jobs = {part: self.filled(f"{part}", round(self.given.events * part), self.given.employees) for part in parts}
        found: dict[str, list[Measured]] = {one.key: [] for one in there}
        for number in range(self.given.rounds):
            say(f"round {number + 1} of {self.given.rounds}; load {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
            for one in there:
                found[one.key].append(self.once(one, jobs[one.part]))
        say(table([Line(one, jobs[one.part].events, found[one.key]) for one in there], self.given.employees))
        return 0

    def left_out(self, one: Contender) -> bool:
        """Says so when a contender is not there."""
        if reason := one.missing():
            say(f"left out: {one.title}: {reason}")
        return one.missing() is not None

    def filled(self, topic: str, events: int, employees: int) -> Job:
        """A topic with so many events."""
        return fill(self.broker.bootstrap, f"events-{topic}", events, employees)

    def once(self, one: Contender, job: Job) -> Measured:
        """One run, checked; again when the machine's work was stopped meanwhile, as another benchmark may do."""
        for _ in range(TRIES):
            measured = self.tried(one, job)
            if not measured.stood_still:
                break
            say(f"  {one.title}: everything stood still for {measured.stood_still:.1f} s")
        return measured

    def tried(self, one: Contender, job: Job) -> Measured:
        """One run, checked."""
        self.runs += 1
        place = Place(self.folder, f"{one.key}-{self.runs}", self.broker.pid)
        one.prepare(job, place)
        measured = one.run(job, place, self.given.patience)
        right = one.check(job, place)
        rate, others = f"{measured.rate:,.0f} events/s", f"others {measured.others:.2f} cores"
        say(f"  {one.title}: {rate}, {right:,} windows right, {others}")
        return measured


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


# The job's events are dated: nothing may be taken away because it looks old. And no session ends under full load.
QUIET = {
    "log.retention.ms": "-1",
    "log.retention.check.interval.ms": "86400000",
    "broker.session.timeout.ms": "60000",
}

if __name__ == "__main__":
    sys.exit(main())
