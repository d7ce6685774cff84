"""In a backlog commits are few and large, but never larger than memory is meant to hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import flush
from agents import scoring as pace
from agents.metrics import Metrics
from agents.scoring import Scoring
from agents.transport.embedded.log import Outgoing
from schemas.event import Row
from stream.pipeline import Limits
from stream.topics import QC_EVENTS
from tests.agents.rig import new_log

NOW = 1_772_439_300_000


@pytest.fixture
def scoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scoring]:
    """Four people's events, three of them applied: one record is a backlog here."""
    monkeypatch.setattr(pace, "BACKLOG", 0)
    with new_log(tmp_path / "log", 1) as log:
        log.append([Outgoing(QC_EVENTS, 0, NOW, f"E{n}".encode(), _inspection(n)) for n in range(4)])
        made = Scoring.open(log, tmp_path, Limits(), Metrics(), 100)
        made.handle(QC_EVENTS, 0, [Row(*row) for row in log.read(QC_EVENTS, 0, 0, 3)])
        yield made
        made.close()


def _inspection(number: int) -> bytes:
    event = {"event_id": f"e{number}", "type": "qc.inspection", "employee_id": f"E{number}", "occurred_at": NOW}
    return json.dumps({**event, "source": "aoi", "measures": {"inspected": 1, "accepted": 1}}).encode()


@pytest.mark.parametrize(("most", "seconds", "commits"), [(4, 60.0, 0), (3, 60.0, 1), (4, 0.0, 1)])
async def test_a_commit_comes_by_time_or_by_states(
    scoring: Scoring, monkeypatch: pytest.MonkeyPatch, most: int, seconds: float, commits: int
) -> None:
    """Whichever is first; the interval of quiet times says nothing then."""
    monkeypatch.setattr(pace, "BACKLOG_STATES", most)
    monkeypatch.setattr(pace, "BACKLOG_COMMIT", seconds)
    await scoring.beat(0.0)
    assert scoring.backlog
    assert commits == scoring.flush.transactions


async def test_a_commit_that_was_put_off_waits_its_time(scoring: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many states wait: a log without room is not asked at every beat."""
    monkeypatch.setattr(pace, "BACKLOG_STATES", 1)
    scoring.metrics.commit_failed("no room left on the disk")
    await scoring.beat(0.0)
    assert scoring.flush.transactions == 0
    monkeypatch.setattr(pace, "BACKLOG_COMMIT", 0.0)
    await scoring.beat(0.0)
    assert scoring.flush.transactions == 1


async def test_without_a_backlog_the_interval_counts(scoring: Scoring) -> None:
    """As soon as nothing waits."""
    scoring.handle(QC_EVENTS, 0, [Row(*row) for row in scoring.log.read(QC_EVENTS, 0, 3, 3)])
    await scoring.beat(60.0)
    assert (False, 0) == (scoring.backlog, scoring.flush.transactions)
    await scoring.beat(0.0)
    assert scoring.flush.transactions == 1


async def test_what_a_backlog_leaves_is_committed_before_it_is_told(
    scoring: Scoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Score updates of its last records come with the commit after theirs."""
    monkeypatch.setattr(flush, "UPDATE_SHARE", 0.0)
    owed = scoring.partitions[0].owed
    await scoring.beat(60.0)
    scoring.handle(QC_EVENTS, 0, [Row(*row) for row in scoring.log.read(QC_EVENTS, 0, 3, 3)])
    await scoring.beat(60.0)
    await scoring.beat(0.0)
    assert (False, 1, 4) == (scoring.backlog, scoring.flush.transactions, len(owed))
    await scoring.beat(0.0)
    assert (2, 0) == (scoring.flush.transactions, len(owed))
