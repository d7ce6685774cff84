"""The window `shift` is what a reckoning by hand says: transfers, lateness, calendars that come later, restarts."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agents.oracle.compare import differences
from agents.query import committed, histories_known_at, rows_as_of
from agents.told import latest_alerts
from agents.transport.embedded.log import Outgoing
from agents.transport.murmur2 import partition_for
from schemas.alerts import WITHDRAWN
from schemas.event import INPUT_TOPICS
from schemas.instants import DAY, HOUR, MINUTE, format_rfc3339
from schemas.rows import row_fields
from stream.history import history_rows
from stream.lifecycle import ENDED
from stream.pool import Units
from stream.topics import TEMPLATES, TICKS
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig, plain
from tests.agents.shifted import Find, Naive, finder, naive_alerts, person_rows, unit_rows
from tests.agents.test_exactness import PROFILE
from tests.oracle.logs import NOON, template
from tests.stream import shift_reference as by_hand
from tests.stream.test_calendars import WEEK, text

LIMIT: Final = 0.8
RATE: Final = (
    "{id: yield, from: qc.inspection, value: accepted / inspected, rate: {good: accepted, of: inspected}, target: 0.9,"
    f" windows: [rolling 60m, shift, day], alerts: [{{id: low, naive: {LIMIT}, window: shift}},"
    f" {{id: hour, naive: 0.7, window: rolling 60m}}]}}"
)
OTHER: Final = "{id: scrap, from: qc.inspection, where: {line: L2}, value: inspected - accepted, windows: [shift]}"
EMPLOYEES: Final = ("E1", "E2")
KINDS: Final = ("plant", "line")
START: Final = NOON - 2 * DAY


class Act(NamedTuple):
    """What happens next; `size`, `pick` and `back` (ms) say more of it."""

    what: str
    size: int = 1
    pick: int = 0
    back: int = 0


ACTS: Final = (
    *["inspect"] * 20,
    "assign",
    "assign",
    "calendar",
    "version",
    "feed",
    "feed",
    "tick",
    "commit",
    "restart",
    "evict",
)
ACT: Final = st.builds(
    Act,
    what=st.sampled_from(ACTS),
    size=st.integers(1, 12),
    pick=st.integers(0, 4095),
    back=st.sampled_from((*[0] * 8, 1, HOUR, 9 * HOUR, 30 * HOUR)),
)


class World:
    """Senders and publishers of a log, and what a reckoning by hand has to know of them."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.now = START
        self.calendars: list[by_hand.Text] = []
        self._count = 0
        self._templates = 1
        self._append(TEMPLATES, b"op@1", template(RATE, OTHER).encode())

    def _append(self, topic: str, key: bytes, value: bytes) -> None:
        number = partition_for(key, len(self.rig.numbers))
        self.rig.append([Outgoing(topic, number, self.now, key, value)])

    def send(self, kind: str, back: int, **fields: Any) -> None:
        """An event of one of two people, now or a while ago."""
        self._count += 1
        who = EMPLOYEES[self._count % 5 == 0]
        said = {
            "event_id": f"e{self._count}", "type": kind, "employee_id": who, "occurred_at": self.now - back,
            "source": "aoi", "measures": {}, **fields,
        }  # fmt: skip
        topic = INPUT_TOPICS[2] if kind.startswith("people") else INPUT_TOPICS[1]
        self._append(topic, who.encode(), json.dumps(said).encode())

    def inspect(self, act: Act) -> None:
        """A record of some units, of a line or of none; a correction now and then would change nothing here."""
        self.now += (1, 10 * MINUTE, 10 * MINUTE, HOUR, 3 * HOUR, 7 * HOUR)[act.pick // 7 % 6]
        dims = {} if act.pick % 3 == 0 else {"line": f"L{1 + act.pick % 2}"}
        self.send(
            "qc.inspection",
            act.back,
            dims=dims,
            measures={"inspected": act.size, "accepted": act.size if act.pick % 3 else act.pick % (act.size + 1)},
        )

    def assign(self, act: Act) -> None:
        """To a unit, or to none; now or for a time that has passed."""
        units: tuple[dict[str, str], ...] = ({"unit": "L1"}, {"unit": "L2"}, {"unit": "L3"}, {})
        self.send("people.assignment", act.back * 3, dims=units[act.pick % 4])

    def publish_calendar(self, act: Act) -> None:
        """A first version may begin in the past, a later one only after now."""
        name = KINDS[act.pick % 2]
        own = [c for c in self.calendars if c["calendar"] == name]
        start = ("06:00", "08:20", "22:00")[act.pick // 2 % 3]
        middle, end = ("14:00", "20:00") if start != "22:00" else ("06:00", "13:00")
        said: by_hand.Text = {
            "calendar": name,
            "version": len(own) + 1,
            "effective_from": self.now + MINUTE + act.back if own else self.now - act.back * 2,
            "timezone": ("UTC", "America/New_York")[act.pick // 6 % 2],
            "units": ("everyone", ["L1"], ["L1", "L2"])[act.pick // 12 % 3],
            "early": (0, HOUR)[act.pick // 36 % 2],
            "shifts": {"a": {"start": start, "end": middle}, "b": {"start": middle, "end": end}},
        }
        if act.pick // 72 % 2:
            said["week"] = {day: ["a", "b"] for day in WEEK}
        else:
            said["cycle"] = {"first": date(2026, 3, 9), "days": [["a"], ["b"], [], ["a", "b"]]}
        self.calendars.append(said)
        self._append(TEMPLATES, f"calendar:{name}@{said['version']}".encode(), text(said).encode())

    def publish_version(self) -> None:
        """Of the template, from soon on."""
        self._templates += 1
        self.now += 1
        key = f"op@{self._templates}"
        since = format_rfc3339(self.now + HOUR)
        said = template(RATE, OTHER, version=self._templates, effective_from=since)
        self._append(TEMPLATES, key.encode(), said.encode())


async def drive(world: World, script: list[Act]) -> None:
    """As the script says; then everything is read and committed, and a tick follows."""
    rig = world.rig
    world.publish_calendar(script[0])
    for act in script:
        rig.wall = world.now
        match act.what:
            case "inspect":
                world.inspect(act)
            case "assign":
                world.assign(act)
            case "calendar":
                world.publish_calendar(act)
            case "version":
                world.publish_version()
            case "feed":
                rig.refresh()
                rig.feed(INPUT_TOPICS[act.pick % 3], act.size)
            case "tick":
                rig.refresh()
                rig.tick()
                rig.feed(TICKS)
            case "commit":
                await rig.commit()
            case "restart":
                await rig.crash()
                rig.restart(("same", "deleted")[act.pick % 2])
            case "evict":
                rig.evict()
    rig.wall = world.now
    await rig.drain()
    rig.wall += HOUR
    await rig.drain()


def wrong_rows(world: World, find: Find) -> Iterator[object]:
    """Where rows of shifts differ: as of the last event, later, earlier, from states and the log; of units, too."""
    rig = world.rig
    oracle, known = rig.recompute(), committed(rig.log)
    for at in (
        oracle.last,
        oracle.last + 5 * HOUR,
        oracle.last + 30 * HOUR,
        oracle.last - HOUR,
        oracle.last - 20 * HOUR,
    ):
        expected = list(person_rows(oracle, find, at))
        given = [row for row in plain(rows_as_of(rig.log, known, at, rig.limits)) if row["window"] == "shift"]
        yield from ((at, found) for found in differences(expected, given))
    histories = histories_known_at(rig.log, None, rig.limits).values()
    given = [r for h in histories for r in plain(history_rows(h, oracle.last)) if r["window"] == "shift"]
    yield from differences(person_rows(oracle, find, oracle.last), given)
    units = Units()
    for update in rig.all_updates():
        units.take(update)
    for unit in ("L1", "L2", "L3"):
        pooled = [row_fields(row) for row in units.update(unit, rig.rules, oracle.now).rows if row.window == "shift"]
        rows = [row for row in unit_rows(oracle, find, unit, oracle.now) if row["status"] != "no_data"]
        shown = [{"employee_id": unit, **row} for row in pooled if row["status"] != "no_data"]
        yield from ((unit, found) for found in differences(rows, shown))


def wrong_alerts(world: World, find: Find) -> Iterator[object]:
    """Where alerts of the rule that looks at the shift differ."""
    oracle = world.rig.recompute()
    told = [a for a in latest_alerts(world.rig.log).values() if a.rule == "low" and a.reason != WITHDRAWN]
    for who in oracle.employees:
        own = [a for a in told if a.employee_id == who]
        given = [Naive(a.last_event, a.window_start, a.value or 0.0, a.cleared_at) for a in own]
        expected = naive_alerts(oracle, find, who, "yield", LIMIT)
        # A tick has cleared these because their version had ended: what the data say of their end is told nobody.
        ended = {a.last_event for a in own if a.reason == ENDED}
        given, expected = (sorted(_without_end(a) if a.raising in ended else a for a in s) for s in (given, expected))
        if given != expected:
            yield who, expected, given


def _without_end(alert: Naive) -> Naive:
    return alert._replace(cleared_at=None)


# One record raises an alert of the shift and one of the hour; the data end the first, a new version ends the other.
TWO_ENDS: Final = [
    Act("inspect"), Act("assign"), Act("inspect"), Act("inspect"), Act("assign"), Act("inspect", pick=28),
    Act("assign"), Act("inspect", size=10, pick=1), Act("inspect", size=11, pick=1), Act("inspect"),
    Act("inspect", size=7, pick=24), Act("inspect", size=10, pick=1), Act("version"), Act("inspect", pick=7),
]  # fmt: skip


@settings(PROFILE, max_examples=25, suppress_health_check=list(HealthCheck))
@example(script=TWO_ENDS, partitions=1)
@given(script=st.lists(ACT, min_size=40, max_size=70), partitions=st.sampled_from((1, 2)))
def test_rows_and_rules_of_a_shift(logs: Path, script: list[Act], partitions: int) -> None:
    """People, units, explanations of the past, and a level rule: no difference, by hand and by the oracle."""
    folder = Path(tempfile.mkdtemp(dir=logs))
    shutil.copytree(logs / str(partitions), folder, dirs_exist_ok=True)
    world = World(Rig(folder, partitions))
    try:
        asyncio.run(drive(world, script))
        find = finder(world.calendars)
        assert [] == list(wrong_rows(world, find))
        assert [] == list(wrong_alerts(world, find))
        assert [] == disagreements(world.rig)
    finally:
        world.rig.close()
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _few_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shifts are worked every other day at least: by hand a few days are enough."""
    monkeypatch.setattr(by_hand, "SPAN", 8)


RED: Final[by_hand.Text] = {
    "calendar": "red", "version": 1, "effective_from": START, "timezone": "UTC", "units": ["L1"], "early": 0,
    "shifts": {"a": {"start": "06:00", "end": "14:00"}, "b": {"start": "14:00", "end": "22:00"}},
    "week": {day: ["a", "b"] for day in WEEK},
}  # fmt: skip


async def _worked(rig: Rig, unit: str | None, *, published: bool = True) -> World:
    """E1 has made two bad units on line L1 at noon, at home in a unit or in none."""
    world = World(rig)
    if published:
        rig.append([Outgoing(TEMPLATES, 0, world.now, b"calendar:red@1", text(RED).encode())])
    world.now = NOON
    if unit is not None:
        world.send("people.assignment", DAY, dims={"unit": unit})
    world.send("qc.inspection", 0, dims={"line": "L1"}, measures={"inspected": 2, "accepted": 0})
    rig.wall = NOON
    await rig.drain()
    return world


def _shifts(rig: Rig, at: int) -> list[tuple[str, str, object]]:
    found = rows_as_of(rig.log, committed(rig.log), at, rig.limits)
    return [(row.window_start, row.status, row.n) for row in found if (row.window, row.indicator) == ("shift", "yield")]


async def test_a_screen_goes_on_to_the_next_shift(rig: Rig) -> None:
    """By time alone: to one without a record, and to those after it, when no other window has anything to lose."""
    await _worked(rig, "L1")
    seen = []
    for hours in (0, 3, 20, 27):
        rig.wall = NOON + hours * HOUR
        await rig.drain()
        await rig.drain()
        rows = rig.updates()["E1"].rows
        seen += [(r.window_start[5:16], r.status) for r in rows if (r.window, r.indicator) == ("shift", "yield")]
    assert [
        ("03-02T06:00", "ok"),
        ("03-02T14:00", "no_data"),
        ("03-03T06:00", "no_data"),
        ("03-03T14:00", "no_data"),
    ] == seen


@pytest.mark.parametrize(("unit", "shown"), [("L1", 1), (None, 0), ("L2", 0)])
async def test_who_is_at_home_where_no_calendar_is_in_force_has_no_shift(
    rig: Rig, unit: str | None, shown: int
) -> None:
    """Neither rows nor alerts, although the line where they worked has one."""
    await _worked(rig, unit)
    assert shown == len(_shifts(rig, NOON))
    assert shown == len([a for a in latest_alerts(rig.log).values() if a.rule == "low"])


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_later_version_cuts_the_shift_that_is_on(rig: Rig, restarts: bool) -> None:
    """What was counted before it begins stays in the part before; the part after begins anew."""
    world = await _worked(rig, "L1")
    later = {**RED, "version": 2, "effective_from": NOON + HOUR}
    rig.append([Outgoing(TEMPLATES, 0, NOON + 1, b"calendar:red@2", text(later).encode())])
    if restarts:
        await rig.crash()
        rig.restart()
    world.now = rig.wall = NOON + 2 * HOUR
    await rig.drain()
    assert [(format_rfc3339(NOON - 6 * HOUR), "ok", 2)] == _shifts(rig, NOON + HOUR - 1)
    assert [(format_rfc3339(NOON + HOUR), "no_data", 0)] == _shifts(rig, NOON + HOUR)
    assert [(format_rfc3339(NOON + HOUR), "no_data", 0)] == _shifts(rig, NOON + HOUR + 1)


async def test_a_calendar_that_comes_later_counts_for_what_was_before(rig: Rig) -> None:
    """Its first version may begin in the past: people are counted anew."""
    await _worked(rig, "L1", published=False)
    assert [] == _shifts(rig, NOON)
    rig.append([Outgoing(TEMPLATES, 0, NOON + 1, b"calendar:red@1", text(RED).encode())])
    rig.wall = NOON + MINUTE
    await rig.drain()
    assert [(format_rfc3339(NOON - 6 * HOUR), "ok", 2)] == _shifts(rig, NOON)
    assert ["firing"] == [a.state for a in latest_alerts(rig.log).values() if a.rule == "low"]
