"""`python -m tests.soak`: workers, senders and brokers die again and again; whatever happens, the invariants hold.

`--kills N`: rounds on the embedded log. `--broker kafka --minutes N`: phases on a real broker.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from random import SystemRandom
from typing import Final

from tests.soak.report import Report
from tests.soak.run import soak

SEEDS: Final = 10_000
MINUTES: Final = 10.0  # on Kafka


def main() -> int:
    """Exit code 1 on any violation."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=5, help="rounds, each of which ends a worker")
    parser.add_argument("--minutes", type=float, help="no new round after so many minutes")
    parser.add_argument("--seed", type=int, help="decides everything but the exact instants; printed when not given")
    parser.add_argument("--world", type=int, help="only this folder of the seed, to repeat what was found there")
    parser.add_argument("--folder", type=Path, help="where the logs are made (default: a temporary folder)")
    parser.add_argument("--broker", choices=("embedded", "kafka"), default="embedded")
    parser.add_argument(
        "--fault", action="append", default=[], help="with --broker kafka: only this, and others so named"
    )
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who is told to end stops what was started
    seed = SystemRandom().randrange(SEEDS) if given.seed is None else given.seed
    base = given.folder or Path(tempfile.mkdtemp(prefix="scorestream-soak-"))
    worlds = None if given.world is None else [given.world]
    run = _on_kafka if given.broker == "kafka" else _embedded
    found = run(base, seed, worlds, given)
    if not found:
        base.rmdir()
    return 1 if found else 0


def _embedded(base: Path, seed: int, worlds: list[int] | None, given: argparse.Namespace) -> int:
    deadline = None if given.minutes is None else time.monotonic() + 60 * given.minutes
    report = Report(seed, sys.stdout)
    report.say(f"seed {seed}; logs in {base}")
    soak(base, seed, given.kills, report, worlds=worlds, deadline=deadline)
    report.table()
    return report.violations


def _on_kafka(base: Path, seed: int, worlds: list[int] | None, given: argparse.Namespace) -> int:
    from tests.soak.kafka.missing import missing
    from tests.soak.kafka.report import KafkaReport
    from tests.soak.kafka.run import soak as soak_on_kafka

    if reason := missing():
        raise SystemExit(f"no soak on a real broker here: {reason}")
    deadline = time.monotonic() + 60 * (given.minutes or MINUTES)
    report = KafkaReport(seed, sys.stdout)
    report.say(f"seed {seed}; data in {base}")
    soak_on_kafka(base, seed, report, deadline=deadline, only=given.fault, sites=worlds)
    report.table()
    return report.violations


if __name__ == "__main__":
    sys.exit(main())
