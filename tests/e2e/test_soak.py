"""A short soak in every change: five rounds of kills and damage, then every invariant. `make soak` goes on longer."""

from __future__ import annotations

import io
from pathlib import Path

from tests.soak.report import Report
from tests.soak.run import soak

ROUNDS = 5
SEED = 20261124


def test_five_rounds_leave_nothing_wrong(tmp_path: Path) -> None:
    """Workers die while senders send and state is damaged; scores, outcomes, outputs and log are as they must be."""
    told = io.StringIO()
    report = Report(SEED, told)
    soak(tmp_path, SEED, ROUNDS, report)
    assert report.violations == 0, told.getvalue()
    assert told.getvalue().count("round") == ROUNDS
    assert told.getvalue().count("checked") == 2
