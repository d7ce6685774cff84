"""`python -m tests.soak --kills N`: worker and senders die again and again; whatever happens, the invariants hold."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from random import SystemRandom
from typing import Final

from tests.soak.report import Report
from tests.soak.run import soak

SEEDS: Final = 10_000


def main() -> int:
    """Exit code 1 on any violation."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=5, help="rounds, each of which ends a worker")
    parser.add_argument("--minutes", type=float, help="no new round after so many minutes")
    parser.add_argument("--seed", type=int, help="decides everything but the exact instants; printed when not given")
    parser.add_argument("--world", type=int, help="only this folder of the seed, to repeat what was found there")
    parser.add_argument("--folder", type=Path, help="where the logs are made (default: a temporary folder)")
    given = parser.parse_args()
    seed = SystemRandom().randrange(SEEDS) if given.seed is None else given.seed
    deadline = None if given.minutes is None else time.monotonic() + 60 * given.minutes
    base = given.folder or Path(tempfile.mkdtemp(prefix="scorestream-soak-"))
    report = Report(seed, sys.stdout)
    report.say(f"seed {seed}; logs in {base}")
    soak(base, seed, given.kills, report, worlds=None if given.world is None else [given.world], deadline=deadline)
    report.table()
    if not report.violations:
        base.rmdir()
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
