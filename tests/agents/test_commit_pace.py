"""In a backlog commits are few and large, but never larger than memory is meant to hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import flush, pace
from agents.metrics import Metrics
from agents.pace import Pace
from agents.scoring import Scoring
from agents.transport.embedded.log import Outgoing
from schemas.event import Row
from stream.pipeline import Limits
from stream.topics import QC_EVENTS
from tests.agents.rig import new_log

NOW = 1_772_439_300_000
PATIENCE = 10.0  # s


@pytest.fixture
def scoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scoring]:
    """Four people's events, three of them applied: one record is a backlog here."""
    monkeypatch.setattr(pace, "BACKLOG", 0)
    monkeypatch.setattr(pace, "BEHIND", 0.0)
    with new_log(tmp_path / "log", 1) as log:
        log.append([Outgoing(QC_EVENTS, 0, NOW, f"E{n}".encode(), _inspection(n)) for n in range(4)])
        made = Scoring.open(log, tmp_path, Limits(), Metrics(), 100)
        asyncio.run(made.handle(QC_EVENTS, 0, [Row(*row) for row in log.read(QC_EVENTS, 0, 0, 3)]))
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
    assert scoring.pace.backlog
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
    await scoring.handle(QC_EVENTS, 0, [Row(*row) for row in scoring.log.read(QC_EVENTS, 0, 3, 3)])
    await scoring.beat(60.0)
    assert (False, 0) == (scoring.pace.backlog, scoring.flush.transactions)
    await scoring.beat(0.0)
    assert scoring.flush.transactions == 1


async def test_what_a_backlog_leaves_is_committed_before_it_is_told(
    scoring: Scoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Score updates of its last records come with the commit after theirs."""
    monkeypatch.setattr(flush, "BACKLOG_SHARE", 0.0)
    owed = scoring.partitions[0].owed
    await scoring.beat(60.0)
    await scoring.handle(QC_EVENTS, 0, [Row(*row) for row in scoring.log.read(QC_EVENTS, 0, 3, 3)])
    await scoring.beat(60.0)
    await scoring.beat(0.0)
    assert (False, 1, 4) == (scoring.pace.backlog, scoring.flush.transactions, len(owed))
    async with asyncio.timeout(PATIENCE):
        while scoring.flush.transactions < 2:  # after as long as the first one took
            await scoring.beat(0.0)
    assert not owed


async def test_latency_is_told_of_updates_that_are_out(scoring: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of states that are committed while their update is still owed: nobody has seen anything then."""
    await scoring.handle(QC_EVENTS, 0, [Row(*row) for row in scoring.log.read(QC_EVENTS, 0, 3, 3)])
    seen: list[int] = []
    monkeypatch.setattr(scoring.metrics, "visible", seen.append)
    with monkeypatch.context() as hurry:
        hurry.setattr(flush, "UPDATE_BUDGET", 0.0)
        await scoring.commit()
    assert (1, []) == (scoring.flush.transactions, seen)
    await scoring.commit()
    assert (2, [NOW]) == (scoring.flush.transactions, seen)
    await scoring.commit()
    assert [NOW] == seen


@pytest.fixture
def now() -> list[float]:
    """A clock that moves when told to."""
    return [100.0]


@pytest.fixture
def own(now: list[float]) -> Pace:
    """A pace on that clock, of a worker that does 20,000 records a second."""
    made = Pace(lambda: now[0])
    for _ in range(200):
        made.applied(2_000, 0.1)
    return made


def _seen(own: Pace, lag: int) -> bool:
    own.look(lag)
    return own.backlog


def test_a_backlog_is_a_second_of_work(own: Pace) -> None:
    """Not a number of records: who is fast keeps up with many. It is over when hardly anything is left."""
    lags = (19_000, 21_000, 6_000, 4_000, 4_000)  # the last records of one come before the next commit
    assert [False, True, True, True, False] == [_seen(own, lag) for lag in lags]
    assert own.late  # until then their updates wait


def test_a_commit_leaves_as_much_time_to_events_as_it_took(own: Pace, now: list[float]) -> None:
    """Else a worker with many people would do nothing but commit, and fall behind."""
    own.committed(2.0)
    now[0] += 1.9
    assert not own.due(0.5, 10, put_off=False)
    now[0] += 0.1
    assert own.due(0.5, 10, put_off=False)
    own.committed(0.1)
    now[0] += 0.39
    assert not own.due(0.5, 10, put_off=False)
    now[0] += 0.02  # half a second since it began
    assert own.due(0.5, 10, put_off=False)
