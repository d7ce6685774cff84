"""A worker learns once a day, by a process beside it; one that fails is no reason to fail."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import pytest

from agents.learner import AGAIN, DUE, Learner, is_due
from agents.rules import models, rulebook
from agents.transport.access import Access
from schemas.instants import DAY
from stream.rulebook import Rulebook
from stream.template import load_published
from tests.agents.test_case_mix import NOON, TEMPLATE, model, new_rig, work


def _now() -> int:
    return round(time.time() * 1000)


def test_it_is_due_when_an_indicator_has_no_model_of_the_day(tmp_path: Path) -> None:
    """Every indicator with `case_mix`; none: never."""
    rig = new_rig(tmp_path)
    try:
        assert is_due(rulebook(rig.log), NOON)
        rig.append([model("y", 1, NOON, 0.9, [0.8])])
        assert is_due(rulebook(rig.log), NOON)
        rig.append([model("a", 1, NOON, 0.9, [0.8])])
        assert not is_due(rulebook(rig.log), NOON + DUE - 1)
        assert is_due(rulebook(rig.log), NOON + DUE)
    finally:
        rig.close()
    plain = TEMPLATE.replace("case_mix: [stage, line]", "").replace("case_mix: [line]", "")
    assert not is_due(Rulebook([load_published(plain)]), NOON)


def test_the_process_learns_and_the_log_has_the_models(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """For real; then it is not due any more."""
    caplog.set_level(logging.INFO, "agents.learner")
    rig = new_rig(tmp_path)
    try:
        work(rig, _now() - DAY, {"easy": 10, "hard": 8})
        asyncio.run(Learner(f"embedded://{tmp_path / 'log'}", Access()).look(rulebook(rig.log), _now()))
        assert {"y", "a"} == {one.model.indicator for one in models(rig.log)}
        assert not is_due(rulebook(rig.log), _now())
    finally:
        rig.close()
    assert "case mix of op/y: case-mix:op/y@1" in caplog.text


def test_a_process_that_fails_is_said_and_tried_again_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """There is no log: a warning, and an hour of rest."""
    rules = Rulebook([load_published(TEMPLATE)])
    broken = Learner(f"embedded://{tmp_path / 'nothing'}", Access())
    asyncio.run(broken.look(rules, NOON))
    assert "case mix was not learned: " in caplog.text
    assert "nothing" in caplog.text
    caplog.clear()
    asyncio.run(broken.look(rules, NOON + AGAIN - 1))
    assert "" == caplog.text
    asyncio.run(broken.look(rules, NOON + AGAIN))
    assert "case mix was not learned: " in caplog.text


def test_a_worker_that_stops_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for it is cancelled; nothing stays behind."""
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 1000\n")
    slow.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(slow))
    started = Learner("embedded:///nowhere", Access())

    async def begin_and_stop() -> int | None:
        task = asyncio.create_task(started.look(Rulebook([load_published(TEMPLATE)]), NOON))
        while (process := started._process) is None:  # noqa: ASYNC110 - nothing tells when it has begun
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert started._process is None
        return process.returncode

    assert -9 == asyncio.run(begin_and_stop())
