"""`make quality`: how often the rules alert for nothing, and how soon for a reason. Fails when a promise is broken."""

from __future__ import annotations

import argparse
import sys

from tests.quality.report import report
from tests.quality.study import SHIFTS, promises, run


def main() -> int:
    """Runs the study and prints its tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description=__doc__)
    parser.add_argument("--shifts", type=int, default=SHIFTS, help="of each simulation (default: %(default)s)")
    shifts = parser.parse_args().shifts
    study = run(shifts, shifts, lambda text: sys.stderr.write(f"{text}\n"))
    sys.stdout.write(report(study) + "\n")
    return 0 if all(promise.kept for promise in promises(study)) else 1


if __name__ == "__main__":
    sys.exit(main())
