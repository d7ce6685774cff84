"""Alerts are those of the oracle, whatever comes late: an assignment, a target, a version, a record that was held."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.instants import MINUTE
from tests.agents.agreement import disagreements
from tests.agents.logs import Senders, Step, few_or_many, instant
from tests.agents.rig import Rig
from tests.agents.test_exactness import MOVE, PROFILE, Move, drive

ACTS: Final = (*["inspect"] * 14, "sell", "sell", "assign", "aim", "correct", "repeat", "publish", "learn")
STEP: Final = st.builds(
    Step,
    act=st.sampled_from(ACTS),
    who=st.sampled_from((0, 0, 0, 0, 1)),
    pick=st.integers(0, 4095),
    lag=st.sampled_from((*[0] * 20, 1, MINUTE, MINUTE, 3 * MINUTE, 59 * MINUTE)),
    pause=st.sampled_from((1, 1000, 1000, 20_000, MINUTE, 5 * MINUTE)),
    ref=st.integers(0, 7),
)


@settings(PROFILE, suppress_health_check=list(HealthCheck))
@given(
    first=st.lists(st.builds(Step, act=st.just("publish"), pick=st.integers(0, 4095)), min_size=1, max_size=2),
    script=few_or_many(STEP, 60),
    moves=few_or_many(MOVE, 32),
    partitions=st.sampled_from((1, 2)),
    pace=st.integers(1, 30),
    together=st.booleans(),
)
def test_alerts_are_those_of_the_oracle(
    logs: Path, first: list[Step], script: list[Step], moves: list[Move], partitions: int, pace: int, together: bool
) -> None:
    """Which, raised and over at which record, with which numbers; scores, as everywhere, too."""
    folder = Path(tempfile.mkdtemp(dir=logs))
    shutil.copytree(logs / str(partitions), folder, dirs_exist_ok=True)
    rig = Rig(folder, partitions, together=together)
    try:
        senders = Senders(partitions, instant("2026-03-02T08:15:00Z"))
        asyncio.run(drive(rig, senders, [*first, *script], moves, pace))
        assert [] == disagreements(rig)
    finally:
        rig.close()
        shutil.rmtree(folder)
