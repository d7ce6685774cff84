"""Final results are what the oracle says of each closed window; what comes later is one more row."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.records.database import Records, open_records
from schemas.instants import DAY, HOUR, MINUTE
from stream.pipeline import Limits
from tests.agents.finals import run, stored, wrong
from tests.agents.logs import BEGINNINGS, Senders, Step, instant, scripts
from tests.agents.rig import Rig
from tests.agents.test_exactness import PROFILE, drive


@pytest.fixture(scope="module")
def empty(logs: Path) -> Path:
    """A store with all tables and nothing in them, to be copied."""
    open_records(f"sqlite:///{logs / 'empty.sqlite'}").close()
    return logs / "empty.sqlite"


def _copy(empty: Path, folder: Path) -> Records:
    shutil.copy(empty, folder / "records.sqlite")
    return open_records(f"sqlite:///{folder / 'records.sqlite'}")


LATER: Final = st.builds(
    Step,
    act=st.sampled_from(("correct", "correct", "correct", "assign", "aim", "inspect", "sell", "publish")),
    who=st.sampled_from((0, 0, 1)),
    pick=st.integers(0, 4095),
    lag=st.sampled_from((0, HOUR, DAY, 8 * DAY, 9 * DAY, 40 * DAY, 41 * DAY)),
    pause=st.sampled_from((0, MINUTE, HOUR)),
    ref=st.integers(0, 7),
    stamped=st.booleans(),
)
ROUND: Final = st.tuples(st.sampled_from((1, 8, 8, 40, 120)), st.lists(LATER, max_size=8))


@settings(PROFILE, max_examples=PROFILE.max_examples // 8, suppress_health_check=list(HealthCheck))
@given(
    script=scripts(),
    beginning=st.sampled_from(BEGINNINGS),
    partitions=st.sampled_from((1, 2)),
    rounds=st.lists(ROUND, min_size=2, max_size=4),
)
def test_results_are_what_the_oracle_says(
    logs: Path, empty: Path, script: list[Step], beginning: str, partitions: int, rounds: list[tuple[int, list[Step]]]
) -> None:
    """After each run, of every closed window, for people and units, however it came about; a second run adds none."""
    folder = Path(tempfile.mkdtemp(dir=logs))
    shutil.copytree(logs / str(partitions), folder, dirs_exist_ok=True)
    rig, records = Rig(folder, partitions, limits=Limits(tail=3)), _copy(empty, folder)
    senders = Senders(partitions, instant(beginning))
    try:
        for days, later in rounds:
            asyncio.run(drive(rig, senders, script, [], 9))
            script = later
            senders.wall = rig.wall = senders.wall + days * DAY
            asyncio.run(rig.drain())
            closing = run(rig, records)
            assert closing.until is not None
            assert [] == wrong(rig, records, closing.until)
            again = run(rig, records)
            assert (0, closing.until) == (again.written, again.until)
        _demand_numbers_in_a_row(records)
    finally:
        records.close()
        rig.close()
        shutil.rmtree(folder)


def _demand_numbers_in_a_row(records: Records) -> None:
    """0, 1, 2, ... of each result, each different from the one before."""
    meta = {"number", "known_at", "computed_at"}
    last: dict[str, object] = {}
    number = -1
    for row in stored(records, latest=False):
        key = {name: row[name] for name in ("subject_kind", "subject", "window_kind", "window_start", "indicator")}
        key["template"], key["window_end"] = row["template"], row["window_end"]
        values = {name: value for name, value in row.items() if name not in meta}
        number = number + 1 if last and key.items() <= last.items() else 0
        assert number == row["number"]
        assert last != values
        last = values
