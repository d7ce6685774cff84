"""The benchmark runs: answers equal, a table with ratios. Its figures are taken by `make bench`, not here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import environment


def test_events_by_http_are_measured() -> None:
    """A real web process takes batches whole, and the table is printed."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.bench.intake", "--smoke"]
    done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "embedded " in done.stdout


@pytest.mark.long
def test_pages_of_people_are_measured() -> None:
    """People who are signed in open their pages on a real web process, and none fails."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.bench.me_page", "--smoke"]
    done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed: 0" in done.stdout


@pytest.mark.long
def test_a_small_run_prints_its_table() -> None:
    """With small numbers every part runs to its end and the ratios are printed."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.bench", "--smoke"]
    done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for text in ("answers equal", "plain Faust agent", "of ceiling", "state per employee", "scoring again in"):
        assert text in done.stdout


def test_what_keeps_a_loop_is_named() -> None:
    """A worker under watch drains, keeps up, and counts anew; the table has a line of each."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.bench.blocks", "--smoke"]
    done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    for text in ("a backlog is drained", "live, 500 events/s", "a template reaches back", "what the loop was at"):
        assert text in done.stdout
