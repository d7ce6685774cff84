"""The arithmetic of gaps, and that the measuring runs. Figures: `make bench-moves`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.bench.moves import QUIET, table
from tests.bench.site import missing
from tests.e2e.gaps import Gaps
from tests.e2e.processes import ROOT, environment

ONE = ("qc-events", 0)
OTHER = ("qc-events", 1)


def test_a_partition_with_nothing_to_do_does_not_stand_still() -> None:
    """A gap lasts from the last look at which it moved, or had nothing to do, to the one at which it moves again."""
    gaps = Gaps()
    for now, done in ((0.0, 5), (1.0, 5), (2.0, 5)):
        gaps.look({ONE: done}, {ONE: 5}, now)
    gaps.look({ONE: 5}, {ONE: 6}, 2.5)
    gaps.look({ONE: 6}, {ONE: 9}, 3.0)
    assert gaps.longest == 1.0


def test_the_longest_of_all_partitions_counts() -> None:
    """And one that is under way is part of the next measuring, too."""
    gaps = Gaps()
    for now in (0.0, 1.0, 2.0):
        gaps.look({ONE: int(now), OTHER: 0}, {ONE: 9, OTHER: 9}, now)
    assert gaps.longest == 2.0
    gaps.begin()
    gaps.look({ONE: 9, OTHER: 3}, {ONE: 9, OTHER: 9}, 3.0)
    assert gaps.longest == 3.0


def test_what_is_usual_is_taken_off() -> None:
    """The commits of quiet times are no gap."""
    told = table({QUIET: [0.5, 0.6, 0.5], "moved": [0.4, 1.5, 0.9]})
    assert told.splitlines()[-1].split() == ["moved", "0.90", "1.50", "0.40", "1.00"]


@pytest.mark.long
def test_measuring_runs() -> None:
    """A worker comes and goes, and a table is printed."""
    if reason := missing("kafka"):
        pytest.skip(reason)
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.moves", "--smoke", "--rate", "200"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "it is stopped (SIGTERM)" in done.stdout
