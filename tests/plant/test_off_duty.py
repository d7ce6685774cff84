"""Whoever goes home is not silent: a change of shift in the demo raises no alert, as each crew has its own calendar."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from agents.plant import company
from agents.plant.factory import build
from agents.plant.model import assigned, history
from agents.plant.run import outgoing
from agents.plant.senders import Sending
from agents.publishing import publish
from agents.records.database import open_records
from agents.settings import Settings
from agents.told import latest_alerts
from agents.transport.log import partition_for
from schemas.instants import MINUTE
from tests.agents.rig import Rig

SIX = 1_790_071_200_000  # 2026-09-22 18:00 in Shanghai: the day crews go, the night crews come
BEFORE, AFTER = 40, 50  # minutes
STEP = 5


async def _silent(rig: Rig, people: list[Sending]) -> set[str]:
    """Who is alerted about as silent in the minutes around the change of shift, those before it included."""
    past = [*people, *history(build(7), SIX + AFTER * MINUTE, BEFORE + AFTER)]
    for at in range(SIX - BEFORE * MINUTE, SIX + AFTER * MINUTE + 1, STEP * MINUTE):
        due = [record for record in past if record.at < at]
        past = past[len(due) :]
        rig.append([outgoing(each, each.at, lambda key: partition_for(key, len(rig.numbers))) for each in due])
        rig.wall = at
        await rig.drain()
    return {row.employee_id or "" for row in latest_alerts(rig.log).values() if row.rule == "silent"}


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A worker on a log with the template and the calendars of the demo."""
    made = Rig(tmp_path, 2, SIX - BEFORE * MINUTE)
    publish(made.log, (files("schemas.packs") / "production-operator.yaml").read_text("utf-8"), made.wall)
    company.publish_calendars(made.log, made.wall)
    return made


@pytest.mark.long
async def test_nobody_is_silent_who_went_home(rig: Rig, tmp_path: Path) -> None:
    """Nor a trainee who is slow, nor those who only just came."""
    records = open_records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    company.found(records, rig.wall)
    company.introduce(records, rig.log, Settings.load({}), rig.wall)
    records.close()
    assert set() == await _silent(rig, [])


@pytest.mark.long
async def test_both_crews_of_a_line_in_one_unit_would_be(rig: Rig) -> None:
    """A line is at work by day and by night: of people who belong to it nobody knows when they are off."""
    silent = await _silent(rig, assigned(build(7)))
    assert silent & {person.id for person in build(7).people if person.shift == 0}
