"""What is told before a late change is what the next closing restates: compared with a real run over a real log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from agents.records.database import Records, open_records
from agents.records.edits import Edit, hire, leave, move_unit, remove_assignment, set_manager, transfer
from agents.records.organisation import change, edited, read
from agents.records.outbox import Sender
from agents.records.restated import Reached, reached
from agents.records.tree import OrganisationError
from tests.agents.finals import run, stored
from tests.agents.rig import LIMITS, Rig
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, NOON, PARTITIONS, YIELD, Log, template
from tests.records.people import ANN, BO, unit

FIRST = MIDNIGHT - 40 * DAY
CLOSED = MIDNIGHT + 60 * DAY
MONTHLY = YIELD.replace("[day]", "[day, month]")
Place = tuple[str, str, str, int]


class World:
    """Acme with two departments, Ann in L01 of the first and Bo in L02 of the second, three days of work, closed."""

    def __init__(self, rig: Rig, records: Records, indicator: str = MONTHLY) -> None:
        self.rig, self.records, self.indicator = rig, records, indicator
        self.log = Log()

    async def work(self) -> None:
        """Ten units each, each day; then all windows are over."""
        text = template(self.indicator, applies_to="{roles: [operator]}")
        self.log.publish(text, at=FIRST)
        begun = [
            unit("acme", "company", None, FIRST), unit("D1", "department", "acme", FIRST),
            unit("D2", "department", "acme", FIRST), unit("L01", "team", "D1", FIRST), unit("L02", "team", "D2", FIRST),
            hire(ANN, "operator", "L01", FIRST), hire(BO, "operator", "L02", FIRST),
        ]  # fmt: skip
        self.edit(*begun)
        for day in range(3):
            for who, accepted in (("E1", 9), ("E2", 6)):
                at, measures = NOON + day * DAY, {"inspected": 10, "accepted": accepted}
                self.log.send(employee_id=who, event_id=f"{who}-{day}", occurred_at=at, measures=measures)
        await self.close(CLOSED)

    def edit(self, *edits: Edit) -> None:
        """One change each."""
        for one in edits:
            change(self.records, one, by="hr", now=self.rig.wall)

    def told(self, edit: Edit) -> tuple[Reached, ...]:
        """What an edit would reach."""
        with self.records.reading() as connection:
            now = read(connection)
            return reached(connection, now, *edited(now, edit))

    async def close(self, wall: int) -> None:
        """What waits is sent and scored, and the windows that are over are closed."""
        self.rig.wall = wall
        Sender(self.records, self.rig.log, PARTITIONS, LIMITS, "test").send(lambda: wall)
        self.rig.write(self.log)
        self.log.records.clear()
        await self.rig.drain()
        run(self.rig, self.records)

    async def restated(self, edit: Edit) -> set[Place]:
        """Which results become others when the edit is made."""
        before = len(stored(self.records, latest=False))
        self.edit(edit)
        await self.close(self.rig.wall + HOUR)
        rows = stored(self.records, latest=False)
        assert len(rows) >= before
        return {place(row) for row in rows if row["computed_at"] == self.rig.wall}


def place(row: dict[str, object]) -> Place:
    """Whose result in which window."""
    return str(row["subject_kind"]), str(row["subject"]), str(row["window_kind"]), int(str(row["window_start"]))


def places(found: Sequence[Reached]) -> set[Place]:
    """As `place`."""
    return {(one.kind, one.subject, one.closed.window, one.closed.start) for one in found}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A world over an empty log and an empty store."""
    rig, records = (
        Rig(tmp_path / "rig", PARTITIONS, FIRST, LIMITS),
        open_records(f"sqlite:///{tmp_path}/records.sqlite"),
    )
    made = World(rig, records)
    await made.work()
    yield made
    records.close()
    rig.close()


async def test_a_late_transfer_reaches_both_units_since_then(world: World) -> None:
    """From the day on, not before; the company above both stays as it is, and so does the person's own result."""
    late = transfer("E1", "operator", "L02", MIDNIGHT + DAY)
    told = world.told(late)
    days = [MIDNIGHT + DAY, MIDNIGHT + 2 * DAY]
    march = min(one.closed.start for one in told)
    units = ("L01", "D1", "L02", "D2")
    assert places(told) == {
        *(("unit", name, "day", day) for name in units for day in days),
        *(("unit", name, "month", march) for name in units),
    }
    assert {0} == {one.number for one in told}
    assert places(told) == await world.restated(late)
    assert {1} == {one.number for one in world.told(remove_assignment("E1", MIDNIGHT + DAY))}


async def test_in_a_window_that_is_cut_nothing_may_change(world: World) -> None:
    """From noon on, a millisecond after the day's only event: told all the same, as nobody looked into the log."""
    late = transfer("E1", "operator", "L02", NOON + 2 * DAY + 1)
    told = places(world.told(late))
    assert 8 == len(told)
    assert set() == await world.restated(late)


async def test_another_role_reaches_the_persons_own_results(world: World) -> None:
    """Templates are for roles; who left has none."""
    told = world.told(leave("E1", MIDNIGHT + 2 * DAY))
    own = {one for one in places(told) if one[0] == "employee"}
    assert {("employee", "E1", "day", MIDNIGHT + 2 * DAY)} == {one for one in own if one[2] == "day"}
    assert {"acme", "D1", "L01", "E1"} == {one.subject for one in told}


async def test_a_move_of_a_unit_takes_its_results_along(world: World) -> None:
    """The unit's own stay as they are."""
    late = move_unit("L01", "D2", MIDNIGHT + DAY)
    told = world.told(late)
    assert {"D1", "D2"} == {one.subject for one in told}
    assert places(told) == await world.restated(late)


async def test_a_unit_that_had_none_gets_results(world: World) -> None:
    """Which is told, too."""
    world.edit(unit("D3", "department", "acme", FIRST))
    found = world.told(move_unit("L01", "D3", MIDNIGHT))
    assert {("D1", 0), ("D3", None)} == {(one.subject, one.number) for one in found}


async def test_what_is_said_of_today_or_of_no_place_reaches_nothing(world: World) -> None:
    """Nor does what is refused."""
    assert () == world.told(transfer("E1", "operator", "L02", CLOSED))
    assert () == world.told(set_manager("D1", "E1", MIDNIGHT))
    with pytest.raises(OrganisationError):
        world.told(transfer("E1", "operator", "L9", MIDNIGHT))


async def test_a_late_transfer_reaches_shifts(tmp_path: Path) -> None:
    """The person's own, which may be others now, and those of both units and above, each as the unit has it."""
    rig = Rig(tmp_path / "rig", PARTITIONS, FIRST, LIMITS)
    records = open_records(f"sqlite:///{tmp_path}/records.sqlite")
    world = World(rig, records, YIELD.replace("[day]", "[shift]"))
    cycle = "{first: 2026-03-02, days: [[early]]}"
    halves = "{early: {start: '06:00', end: '12:00'}, late: {start: '12:00', end: '18:00'}}"
    world.log.calendar(FIRST, cycle=cycle)
    world.log.calendar(
        FIRST, calendar="halves", units="[L02]", shifts=halves, cycle=cycle.replace("early", "early, late")
    )
    await world.work()
    late = transfer("E1", "operator", "L02", MIDNIGHT + DAY)
    told = places(world.told(late))
    assert await world.restated(late) - told <= {("employee", "E1", "shift", NOON + day * DAY) for day in range(3)}
    day = {(subject, (start - MIDNIGHT) // HOUR - 24) for _, subject, _, start in told if start < MIDNIGHT + 2 * DAY}
    assert {(name, 6) for name in ("E1", "L01", "D1", "D2", "acme")} | {("L02", 12)} <= day
    records.close()
    rig.close()


def test_nothing_is_reached_before_anything_is_closed(tmp_path: Path) -> None:
    """Also by a change of long ago."""
    records = open_records(f"sqlite:///{tmp_path}/records.sqlite")
    with records.reading() as connection:
        now = read(connection)
        assert () == reached(connection, now, *edited(now, unit("acme", "company", None)))
    records.close()
