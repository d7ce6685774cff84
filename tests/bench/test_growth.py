"""The growth's table, and that the measuring runs. Figures: `make bench-growth`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.bench.growth import Drained
from tests.bench.peers.machine import Cpu
from tests.bench.site import missing
from tests.e2e.processes import ROOT, environment


def test_cost_is_cpu_of_the_workers_per_event() -> None:
    """Four CPU seconds for two million events are two per million, three times what 1.3 seconds are; in two seconds."""
    first = Drained(2_000_000, 2.0, Cpu(4.0 / 3, 0.0, 0.0, 2.0), 1_000_000)
    more = Drained(2_000_000, 2.0, Cpu(4.0, 1.0, 0.5, 6.5), 50_000_000)
    assert more.cost == pytest.approx(2.0)
    assert more.rate == pytest.approx(1_000_000)
    assert more.line("more", first).split() == [
        "more",
        "2,000,000",
        "1,000,000",
        "2.00",
        "0.50",
        "0.50",
        "50",
        "MB",
        "3.00",
    ]


@pytest.mark.long
def test_a_small_run_prints_its_table() -> None:
    """With small numbers; what latency measures has the other broker."""
    told = _smoke("--workers", "0", "--restart", "0")
    assert [] == [text for text in ("200 employees", "a state") if text not in told]


@pytest.mark.long
def test_a_small_run_of_everything_prints_its_table() -> None:
    """Every part runs to its end, with two workers."""
    told = _smoke()
    parts = ("200 employees", "a state", "with its local state", "without local state", "2 workers")
    assert [] == [text for text in parts if text not in told]


def _smoke(*options: str) -> str:
    if reason := missing("kafka"):
        pytest.skip(reason)
    command = [sys.executable, "-m", "tests.bench.growth", "--smoke", "--brokers", "kafka", *options]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
