"""A worker has results written by a process when windows close; one that fails is no reason to fail."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from agents.closer import AGAIN, Closer
from agents.closing import Closing
from agents.records.opening import records_of
from agents.settings import Settings
from stream.rulebook import Rulebook
from stream.shift_calendar import load_calendar
from stream.template import load_published
from tests.agents.finals import stored
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, NOON, PARTITIONS, YIELD, Log, calendar, template

RULES = Rulebook([load_published(template())])
LATE = 7 * DAY


def test_it_is_due_when_a_window_closes_and_once_a_day() -> None:
    """At the start too: nobody knows what has closed. After a try there is an hour of rest."""
    closer = Closer(Settings.load({}))
    assert closer.is_due(RULES, NOON, LATE)
    closer._take(Closing(NOON - LATE, 0, 0, 0, ""), NOON)
    assert not closer.is_due(RULES, MIDNIGHT + DAY - 1, LATE)
    assert closer.is_due(RULES, MIDNIGHT + DAY, LATE)
    assert not closer.is_due(Rulebook(), NOON + DAY - 1, LATE)
    assert closer.is_due(Rulebook(), NOON + DAY, LATE)


def test_a_shift_that_is_over_waits_for_the_day() -> None:
    """A run reads the whole log: not as often as shifts end."""
    shifts = Rulebook(
        [load_published(template(YIELD.replace("[day]", "[shift, day]")))], calendars=[load_calendar(calendar())]
    )
    closer = Closer(Settings.load({}))
    closer._take(Closing(NOON - LATE, 0, 0, 0, ""), NOON)
    assert not closer.is_due(shifts, MIDNIGHT + DAY - 1, LATE)
    assert closer.is_due(shifts, MIDNIGHT + DAY, LATE)


async def test_the_process_writes_what_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """For real: the store has the results then, and it is not due any more."""
    caplog.set_level(logging.INFO, "agents.closer")
    log = Log()
    log.publish(template(), at=MIDNIGHT - DAY)
    log.send()
    rig = Rig(tmp_path, PARTITIONS)
    try:
        rig.write(log)
        rig.wall = MIDNIGHT + 9 * DAY
        await rig.drain()
    finally:
        rig.close()
    settings = Settings.load({"SCORESTREAM_BROKER": f"embedded://{tmp_path / 'log'}"})
    closer = Closer(settings)
    await closer.look(RULES, rig.wall, LATE)
    assert "results: 5 new, 0 restated" in caplog.text
    assert not closer.is_due(RULES, rig.wall + AGAIN, LATE)
    records = records_of(settings)
    assert 5 == len(stored(records))
    records.close()


def test_a_process_that_fails_is_said_and_tried_again_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """There is no log: a warning, and an hour of rest."""
    closer = Closer(Settings.load({"SCORESTREAM_BROKER": f"embedded://{tmp_path / 'nothing'}"}))
    asyncio.run(closer.look(RULES, NOON, LATE))
    assert "results were not written: " in caplog.text
    assert "nothing" in caplog.text
    assert not closer.is_due(RULES, NOON + HOUR - 1, LATE)
    assert closer.is_due(RULES, NOON + HOUR, LATE)


def test_a_worker_that_stops_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for it is cancelled; nothing stays behind."""
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 1000\n")
    slow.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(slow))
    closer = Closer(Settings.load({}))

    async def begin_and_stop() -> int | None:
        task = asyncio.create_task(closer.look(RULES, NOON, LATE))
        while (process := closer._process) is None:  # noqa: ASYNC110 - nothing tells when it has begun
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return process.returncode

    assert -9 == asyncio.run(begin_and_stop())
