"""A log that takes nothing for a while: it is said once, nothing is lost, and health knows what is not committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from agents.metrics import Metrics
from agents.publishing import publish
from agents.scoring import Scoring
from agents.transport.embedded.log import EmbeddedLog, Outgoing
from agents.transport.errors import BrokerGone, LogBusy, LogFull
from schemas.event import Row
from stream.pipeline import Limits
from stream.topics import DEAD_LETTERS, QC_EVENTS
from tests.agents.rig import new_log
from tests.oracle.logs import NOON, template


@pytest.fixture
def scoring(tmp_path: Path) -> Iterator[Scoring]:
    """A worker's work over a log of one partition with three bad records, which are applied."""
    with new_log(tmp_path / "log", 1) as log:
        log.append([Outgoing(QC_EVENTS, 0, 0, b"E1", b"no event")] * 3)
        made = Scoring.open(log, tmp_path, Limits(), Metrics(), 100)
        asyncio.run(made.handle(QC_EVENTS, 0, [Row(*row) for row in log.read(QC_EVENTS, 0, 0, 10)]))
        yield made
        made.close()


@pytest.mark.parametrize("error", [LogFull("no room left on the disk"), LogBusy("somebody holds the lock")])
async def test_a_commit_that_is_put_off_is_said_once(
    scoring: Scoring, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """However often it is tried; then it is said that it goes on, and everything is there once."""

    def refuse(*_: object) -> NoReturn:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(scoring.log, "transact", refuse)
        for _ in range(5):
            await scoring.commit()
        assert (3, str(error)) == (scoring.uncommitted(), scoring.metrics.last_failure)
    await scoring.commit()
    assert (0, "") == (scoring.uncommitted(), scoring.metrics.last_failure)
    assert 3 == scoring.log.end(DEAD_LETTERS, 0)
    said = [record.getMessage() for record in caplog.records if record.name == "agents.put_off"]
    assert [
        f"commit put off, nothing is lost, tried again all the time: {error}",
        "the log takes commits again: all that was put off is in it",
    ] == said


async def test_ticks_without_room_are_passed_over(
    scoring: Scoring, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The next second has its own; the worker goes on."""

    def refuse(records: object) -> NoReturn:
        raise LogFull("no room left on the disk")

    caplog.set_level(logging.ERROR)
    with monkeypatch.context() as patched:
        patched.setattr(EmbeddedLog, "append", lambda self, records: refuse(records))
        await scoring.beat(0.0)
        await scoring.beat(0.0)
        assert "no room left on the disk" == scoring.metrics.last_failure
    assert 1 == len(caplog.records)


async def test_rules_that_are_known_before_the_log_is_looked_at_again_are_no_log_that_runs_back(
    scoring: Scoring,
) -> None:
    """A tick may ask for them between two looks: what it has seen is newer than the last look."""
    await scoring.beat(10)
    publish(scoring.log, template(), NOON)
    await scoring.refresh_rules()
    await scoring.beat(10)
    assert ["op"] == list(scoring.rules.versions)


async def test_a_log_that_runs_back_ends_the_life(scoring: Scoring, monkeypatch: pytest.MonkeyPatch) -> None:
    """An emptied broker: asked for the rules it would hold the loop up for minutes. Found by the soak."""
    await scoring.beat(10)
    monkeypatch.setattr(scoring, "_templates", [3])
    monkeypatch.setattr("agents.scoring.rulebook", lambda *_: pytest.fail("read of another log"))
    with pytest.raises(BrokerGone, match=r"templates ended at \[3\], and end at \[0\] now"):
        await scoring.beat(10)
