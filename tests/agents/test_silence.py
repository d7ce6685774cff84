"""Silence at work raises an alert at a tick, and nothing else does: breaks, nights and restarts are no silence."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.told import alert_of, latest_alerts
from agents.transport.embedded.log import Outgoing, partition_for
from agents.transport.log import records
from schemas.alerts import AlertCommand, AlertRow
from schemas.instants import format_rfc3339
from stream.reasons import reasons
from stream.topics import ALERTS, COMMANDS, TEMPLATES
from tests.agents.rig import Rig
from tests.agents.test_exactness import PROFILE
from tests.oracle.logs import MIDNIGHT, MINUTE, TOPICS, YIELD, event, template
from tests.stream import shift_reference as by_hand
from tests.stream.test_calendars import WEEK, text

DAY: Final[by_hand.Text] = {
    "calendar": "plant", "version": 1, "effective_from": MIDNIGHT - 20 * 1440 * MINUTE, "timezone": "UTC",
    "units": "everyone", "early": 15 * MINUTE,
    "shifts": {
        "day": {"start": "06:00", "end": "14:00", "breaks": [{"start": "10:00", "end": "10:30"}]},
        "late": {"start": "14:00", "end": "20:00"},
    },
    "week": {day: ["day"] for day in WEEK} | {"tue": ["day", "late"]},
}  # fmt: skip


class Floor:
    """E1 at a rig whose template waits for silence; the clock says when it is, on Monday or `day` days later."""

    def __init__(self, rig: Rig, rule: str = "stale: 15m", applies_to: str = "everyone") -> None:
        self.rig = rig
        indicator = YIELD.rstrip("}") + f", alerts: [{{id: silent, severity: warning, {rule}}}]}}"
        self.indicator = indicator
        rig.append([Outgoing(TEMPLATES, 0, MIDNIGHT, b"op@1", template(indicator, applies_to=applies_to).encode())])
        rig.append([Outgoing(TEMPLATES, 0, MIDNIGHT, b"calendar:plant@1", text(DAY).encode())])
        self._count = 0

    def at(self, clock: str, day: int = 0) -> int:
        """Milliseconds."""
        return MIDNIGHT + (day * 1440 + int(clock[:2]) * 60 + int(clock[3:5])) * MINUTE + int(clock[6:] or 0) * 1000

    def send(self, at: int, **fields: Any) -> None:
        """A record of E1's work."""
        self._count += 1
        said = event(**{"event_id": f"e{self._count}", "occurred_at": at, **fields})
        topic = TOPICS[said["type"].split(".")[0]]
        number = partition_for(b"E1", len(self.rig.numbers))
        self.rig.append([Outgoing(topic, number, self.rig.wall, b"E1", json.dumps(said).encode())])

    def plan(self, since: int, shifts: dict[str, by_hand.Text], *days: str) -> None:
        """Another calendar for everyone takes the place of the first, from an instant on: shifts by turns."""
        said = {name: value for name, value in DAY.items() if name != "week"}
        said |= {"calendar": "another", "effective_from": since, "shifts": shifts}
        said["cycle"] = {"first": "2026-03-02", "days": [[shift] for shift in days]}
        self.rig.append([Outgoing(TEMPLATES, 0, self.rig.wall, b"calendar:another@1", text(said).encode())])

    async def tick(self, clock: str, day: int = 0, works: bool = False) -> AlertRow | None:
        """Time goes on to there, and is committed; the newest alert as it is then."""
        self.rig.wall = self.at(clock, day)
        if works:
            self.send(self.rig.wall)
        await self.rig.drain()
        return self.newest()

    def newest(self) -> AlertRow | None:
        """The alert that was raised last."""
        return max(latest_alerts(self.rig.log).values(), key=lambda row: row.raised_at, default=None)


@pytest.fixture
def floor(rig: Rig) -> Floor:
    """With a rule for a quarter of an hour."""
    rig.wall = MIDNIGHT
    return Floor(rig)


async def test_silence_is_raised_at_the_tick_at_which_it_is_long_enough(floor: Floor) -> None:
    """Its row says since which shift, and after how long; the tick that finds a newer entry ends it."""
    assert await floor.tick("07:00", works=True) is None
    assert await floor.tick("07:14:59") is None
    row = await floor.tick("07:15:01")
    assert row is not None
    assert ("firing", True, format_rfc3339(floor.at("07:15:01"))) == (row.state, row.notify, row.raised_at)
    assert (format_rfc3339(floor.at("06:00")), "", 900.0) == (row.window_start, row.window, row.threshold)
    assert (None, None, None, "", "") == (row.value, row.n, row.good, row.first_event, row.last_event)
    assert "nothing was recorded for 15 minutes at work in the shift that started 2026-03-02 06:00" in row.message.en
    assert "在岗15分钟没有任何记录" in row.message.zh
    floor.rig.wall = floor.at("07:20")
    floor.send(floor.at("07:19"))
    over = await floor.tick("07:21")
    assert over is not None
    assert (row.alert_id, "cleared", "") == (over.alert_id, over.state, over.reason)
    assert format_rfc3339(floor.at("07:21")) == over.cleared_at
    again = await floor.tick("07:40")
    assert again is not None
    assert again.alert_id != row.alert_id
    assert 2 == len(latest_alerts(floor.rig.log))


async def test_a_break_is_no_silence(floor: Floor) -> None:
    """It begins where the break ends; an alert stays open during one."""
    await floor.tick("09:50", works=True)
    assert await floor.tick("10:34:59") is None
    row = await floor.tick("10:35")
    assert row is not None
    assert format_rfc3339(floor.at("10:35")) == row.raised_at


async def test_nobody_is_silent_after_the_shift(floor: Floor) -> None:
    """An alert is over with its shift, at the first tick after it; the next morning counts from its start."""
    await floor.tick("13:30", works=True)
    row = await floor.tick("13:50")
    assert row is not None
    over = await floor.tick("14:00")
    assert over is not None
    assert (row.alert_id, "shift-over", format_rfc3339(floor.at("14:00"))) == (
        over.alert_id,
        over.reason,
        over.cleared_at,
    )
    assert over == await floor.tick("23:00")
    assert over == await floor.tick("06:14:59", day=1)
    next_day = await floor.tick("06:15", day=1)
    assert next_day is not None
    assert format_rfc3339(floor.at("06:00", 1)) == next_day.window_start


async def test_one_shift_after_the_other_ends_it_too(floor: Floor) -> None:
    """The late shift of a Tuesday follows at once."""
    await floor.tick("13:30", day=1, works=True)
    await floor.tick("13:50", day=1)
    over = await floor.tick("14:10", day=1)
    assert over is not None
    assert "shift-over" == over.reason
    late = await floor.tick("14:15", day=1)
    assert late is not None
    assert ("firing", format_rfc3339(floor.at("14:00", 1))) == (late.state, late.window_start)


async def test_it_may_have_to_last(rig: Rig) -> None:
    """With `for` so much longer."""
    rig.wall = MIDNIGHT
    floor = Floor(rig, "stale: 15m, for: 10m")
    await floor.tick("07:00", works=True)
    assert await floor.tick("07:24:59") is None
    row = await floor.tick("07:25")
    assert row is not None
    assert 900.0 == row.threshold
    assert "for 25 minutes" in row.message.en


async def test_an_older_record_ends_no_silence(floor: Floor) -> None:
    """Only a newest one does; nor does it put it off."""
    await floor.tick("07:00", works=True)
    floor.send(floor.at("06:50"))
    row = await floor.tick("07:15")
    assert row is not None
    floor.send(floor.at("06:59"))
    still = await floor.tick("07:16")
    assert still is not None
    assert (row.alert_id, "firing") == (still.alert_id, still.state)


async def test_who_never_did_anything_is_not_silent(floor: Floor) -> None:
    """Without an entry there is nothing to wait for; an assignment is none."""
    floor.send(floor.at("05:00"), type="people.assignment", measures={}, dims={"unit": "L1"})
    assert await floor.tick("07:00") is None
    assert await floor.tick("08:00") is None


@pytest.mark.parametrize("kind", ["same", "deleted"])
async def test_a_restart_changes_nothing(floor: Floor, kind: str) -> None:
    """Neither before it is raised, nor while it is open."""
    await floor.tick("07:00", works=True)
    await floor.rig.crash()
    floor.rig.restart(kind)
    row = await floor.tick("07:16")
    assert row is not None
    await floor.rig.crash()
    floor.rig.restart(kind)
    assert row == await floor.tick("07:17")
    over = await floor.tick("07:18", works=True)
    assert over is not None
    assert (row.alert_id, format_rfc3339(floor.at("07:18"))) == (over.alert_id, over.cleared_at)


async def test_an_end_that_was_not_committed_is_the_same_again(floor: Floor) -> None:
    """The entry was durable, the tick that saw it only written: the next life decides at that tick."""
    await floor.tick("07:00", works=True)
    row = await floor.tick("07:16")
    assert row is not None
    floor.rig.wall = floor.at("07:17")
    floor.send(floor.rig.wall)
    floor.rig.feed(TOPICS["qc"])
    await floor.rig.commit()
    floor.rig.wall = floor.at("07:18")
    floor.rig.tick()
    await floor.rig.crash()
    floor.rig.restart()
    over = await floor.tick("07:19")
    assert (row.alert_id, format_rfc3339(floor.at("07:18"))) == (over and over.alert_id, over and over.cleared_at)


async def test_a_calendar_that_was_taken_over_wakes_everybody_again(floor: Floor) -> None:
    """Killed between the commit that knows it and the update of who has another shift by it."""
    await floor.tick("13:30", works=True)
    await floor.tick("14:10")
    floor.rig.wall = floor.at("14:11")
    floor.rig.tick()
    floor.plan(floor.at("13:40"), {"late": {"start": "14:00", "end": "22:00"}}, "late")
    floor.rig.refresh()
    await floor.rig.commit(updates=False)
    await floor.rig.crash()
    floor.rig.restart()
    row = await floor.tick("14:20")
    assert format_rfc3339(floor.at("14:20")) == (row and row.raised_at)


async def test_a_shift_within_another_ends_and_the_longer_one_goes_on(floor: Floor) -> None:
    """Silence in the longer one counts from its own start, and nothing but that end says so."""
    shifts = {"night": {"start": "20:00", "end": "10:00"}, "early": {"start": "04:00", "end": "04:10"}}
    floor.plan(floor.at("00:00"), shifts, "night", "early")
    await floor.tick("03:58", day=1, works=True)
    for clock in ("04:01", "04:12"):
        assert await floor.tick(clock, day=1) is None
    row = await floor.tick("04:14", day=1)
    assert row is not None
    assert format_rfc3339(floor.at("20:00")) == row.window_start


async def test_after_a_long_gap_only_the_present_shift_is_looked_at(floor: Floor) -> None:
    """A worker was down for days: one alert, of today."""
    await floor.tick("07:00", works=True)
    row = await floor.tick("09:00", day=3)
    assert row is not None
    assert 1 == len(latest_alerts(floor.rig.log))
    assert (format_rfc3339(floor.at("06:00", 3)), format_rfc3339(floor.at("09:00", 3))) == (
        row.window_start,
        row.raised_at,
    )


async def test_what_is_counted_anew_keeps_its_silence(floor: Floor) -> None:
    """An assignment that comes late restates; nothing of the silence has changed."""
    await floor.tick("07:00", works=True)
    row = await floor.tick("07:16")
    assert row is not None
    floor.send(floor.at("05:00"), type="people.assignment", measures={}, dims={"unit": "L1"})
    still = await floor.tick("07:17")
    assert still is not None
    assert (row.alert_id, "firing") == (still.alert_id, still.state)


async def test_a_past_with_a_newer_entry_ends_it(rig: Rig) -> None:
    """A record that counted elsewhere turns out to be the newest one here: silence begins there."""
    rig.wall = MIDNIGHT
    floor = Floor(rig, applies_to="{roles: [operator]}")
    guests = template(name="guests", applies_to="{roles: [guest]}")
    rig.append([Outgoing(TEMPLATES, 0, MIDNIGHT, b"guests@1", guests.encode())])
    rig.wall = floor.at("06:39")
    for clock, role in (("05:00", "operator"), ("06:15", "guest"), ("06:30", "operator")):
        dims = {"role": role}
        floor.send(floor.at(clock), type="people.assignment", measures={}, dims=dims)
    floor.send(floor.at("06:10"))
    floor.send(floor.at("06:20"))
    row = await floor.tick("06:40")
    assert row is not None
    floor.send(floor.at("06:15"), type="people.assignment", measures={}, dims={"role": "operator"})
    await floor.tick("06:41")
    first, second = sorted(latest_alerts(rig.log).values(), key=lambda found: found.raised_at)
    assert (row.alert_id, "cleared", "") == (first.alert_id, first.state, first.reason)
    assert ("firing", format_rfc3339(floor.at("06:41"))) == (second.state, second.raised_at)


async def test_it_ends_with_its_version(floor: Floor) -> None:
    """A later version has entries of its own to wait for."""
    await floor.tick("07:00", works=True)
    since = format_rfc3339(floor.at("07:30"))
    later = template(floor.indicator, version=2, effective_from=since)
    floor.rig.append([Outgoing(TEMPLATES, 0, floor.rig.wall, b"op@2", later.encode())])
    row = await floor.tick("07:16")
    assert row is not None
    over = await floor.tick("07:30")
    assert over is not None
    assert (row.alert_id, "cleared") == (over.alert_id, over.state)
    assert "not in force" in over.reason
    assert over == await floor.tick("09:00")


async def test_cleared_by_hand_it_is_not_raised_again(floor: Floor) -> None:
    """Before an entry came, or another shift."""
    await floor.tick("07:00", works=True)
    row = await floor.tick("07:16")
    assert row is not None
    command = msgspec.json.encode(AlertCommand(row.alert_id, "clear", "lee", "on a course"))
    floor.rig.append([Outgoing(COMMANDS, partition_for(b"E1", 4), floor.rig.wall, b"E1", command)])
    over = await floor.tick("07:17")
    assert over is not None
    assert ("cleared", "lee") == (over.state, over.by)
    assert over == await floor.tick("13:00")
    next_day = await floor.tick("07:00", day=1)
    assert next_day is not None
    assert over.alert_id != next_day.alert_id


async def test_why_it_is_told_or_not(floor: Floor) -> None:
    """How long the unit has been at work without a record."""
    await floor.tick("07:00", works=True)
    await floor.tick("07:10")
    partition = floor.rig.partitions[partition_for(b"E1", 4)]
    (reason,) = reasons(partition.person("E1"), floor.at("07:10"))
    assert (600.0, 900.0, "ok") == (reason.bound, reason.threshold, reason.state)
    assert "at work for 10 minutes without a record, told after 15" == reason.why


class Act(NamedTuple):
    """So many minutes later; then a record of so many minutes ago, or none, and maybe a restart."""

    pause: int
    back: int | None
    restart: bool


ACT: Final = st.builds(
    Act,
    pause=st.sampled_from((1, 5, 9, 20, 31, 60, 200, 700)),
    back=st.sampled_from((None, None, 0, 0, 3, 40, 900)),
    restart=st.sampled_from((False, False, False, True)),
)


@settings(PROFILE, max_examples=25, suppress_health_check=list(HealthCheck))
@given(script=st.lists(ACT, min_size=10, max_size=40))
def test_silence_is_what_a_reckoning_by_hand_says(logs: Path, script: list[Act]) -> None:
    """When it was raised, and how it ended: minute by minute, with every entry so far."""
    folder = Path(tempfile.mkdtemp(dir=logs))
    shutil.copytree(logs / "1", folder, dirs_exist_ok=True)
    rig = Rig(folder, 1, MIDNIGHT)
    try:
        floor = Floor(rig)
        expected = asyncio.run(_drive(floor, script))
        rows = [row for record in records(rig.log, ALERTS, 0) if (row := alert_of(record.value)) is not None]
        seen = {(row.state, row.changed_at, row.reason) for row in rows if row.state == "cleared"}
        seen |= {("raised", row.raised_at, row.window_start) for row in rows}
        assert expected == seen
    finally:
        rig.close()
        shutil.rmtree(folder)


async def _drive(floor: Floor, script: Sequence[Act]) -> set[tuple[str, str, str]]:
    rig, newest, raised = floor.rig, -1, -1
    expected: set[tuple[str, str, str]] = set()
    for act in script:
        now = rig.wall = rig.wall + act.pause * MINUTE
        if act.back is not None:
            at = now - act.back * MINUTE
            floor.send(at)
            if at >= newest and raised >= 0:
                expected.add(("cleared", format_rfc3339(now), ""))
                raised = -1
            newest = max(newest, at)
        if act.restart:
            await rig.crash()
            rig.restart("same")
        await rig.drain()
        start = _start(now)
        if raised >= 0 and (start is None or start > raised):
            expected.add(("cleared", format_rfc3339(now), "shift-over"))
            raised = -1
        if raised < 0 and newest >= 0 and start is not None and _silent(newest, start, now):
            raised = now
            expected.add(("raised", format_rfc3339(now), format_rfc3339(start)))
    return expected


def _silent(newest: int, start: int, now: int) -> bool:
    return by_hand.minutes_at_work([DAY], "", max(newest, start), now) >= 15 * MINUTE


def _start(now: int) -> int | None:
    return max((start for start, end, _ in by_hand.works(DAY, now) if start <= now < end), default=None)
