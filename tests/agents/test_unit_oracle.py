"""What units say is what the oracle finds in the inputs: who is below theirs, when it is the line, for whom it is."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents import flush
from agents.alert_commands import send_command
from agents.comparing import compared, decided
from agents.oracle.compare import Difference
from agents.oracle.units import UnitAlerts
from agents.query import committed
from agents.told import latest_alerts
from schemas.alerts import AlertCommand
from schemas.event import INPUT_TOPICS
from schemas.instants import HOUR, MINUTE, format_rfc3339
from stream.topics import TEMPLATES
from tests.agents.test_exactness import PROFILE
from tests.agents.test_unit_alert_exactness import PEOPLE, World
from tests.oracle.logs import YIELD, template

WINDOWS: Final = YIELD.rstrip("}").replace("[day]", "[rolling 5m, day]")
DROP: Final = "{id: drop, drift: {good: 0.95, bad: 0.85, h: 2.5}, severity: critical}"
RULES: Final = (  # of one version after the other
    f"{DROP}, {{id: behind, window: day, below_unit: 0.05}}, "
    "{id: lately, window: rolling 5m, below_unit: 0.1, for: 2m}",
    "{id: drop, ewma: {lambda: 0.4, L: 2}}, {id: behind, window: rolling 5m, below_unit: 0.2, for: 1m}",
    f"{DROP}, {{id: low, window: day, below: 0.4}}",
    f"{DROP}, {{id: behind, window: day, below_unit: 0.05, severity: info}}",
    "{id: low, window: rolling 5m, below: 0.75, severity: critical}, {id: poor, window: day, naive: 0.97}",
    "{id: low, window: day, below: 0.8, confidence: 0.6, for: 1m}, {id: short, window: rolling 5m, below: 0.5}",
)
FAULTS: Final = (
    "{id: faults, from: qc.inspection, value: inspected - accepted, target: 1, windows: [rolling 5m], "
    "alerts: [{id: more, ewma: {lambda: 0.4, L: 2, sigma: 1, side: above}}]}"
)
SAMPLES: Final = (0, 20, 0, 10, 0, 10)
LEVELS: Final = 4  # from here on there are no others
ACTIONS: Final = ("ack", "shelve", "unshelve", "clear", "clear")


class Step(NamedTuple):
    """A minute: whose work is how good, so long ago (ms); who goes where in which role, since when; what people do.

    `chunks`: in how many the events are read.
    """

    good: tuple[int, ...]
    lag: int
    moved: int
    role: str
    since: int
    action: str
    which: int
    version: bool
    correct: int
    pause: int
    chunks: int
    fault: str


STEP: Final = st.builds(
    Step,
    good=st.tuples(*[st.sampled_from((-1, -1, 2, 9, 10, 10))] * len(PEOPLE)),
    lag=st.sampled_from((*[0] * 6, 1, MINUTE, 3 * MINUTE, 2 * HOUR, -MINUTE, -10 * MINUTE)),
    moved=st.sampled_from((*[-1] * 4, *range(3 * len(PEOPLE)))),
    role=st.sampled_from(("operator", "operator", "guest")),
    since=st.sampled_from((0, 0, 5 * MINUTE, HOUR, -5 * MINUTE)),
    action=st.sampled_from(("", *ACTIONS)),
    which=st.integers(0, 7),
    version=st.sampled_from((*[False] * 6, True)),
    correct=st.sampled_from((*[-1] * 4, *range(len(PEOPLE)))),
    pause=st.sampled_from((*[MINUTE] * 8, 7 * MINUTE, HOUR)),
    chunks=st.sampled_from((1, 1, 3)),
    fault=st.sampled_from((*["none"] * 6, "lag", "crash", "crash after the tick", "crash after deciding", "deleted")),
)


class Factory(World):
    """A world of people in the role `operator` or another, in two lines or in none. `first`: its first rules."""

    def __init__(self, folder: Path, partitions: int, first: int = 0) -> None:
        super().__init__(folder, partitions)
        self.first = first

    def publish(self, version: int, begins: str) -> None:
        """A version of the template; each has rules of its own."""
        place = (self.first + version - 1) % len(RULES)
        rules, sample = RULES[place], SAMPLES[place]
        text = f"{WINDOWS}, min_sample: {sample}, alerts: [{rules}]}}"
        own = (text, FAULTS) if version % 2 == 0 else (text,)
        said = template(*own, version=version, effective_from=begins, applies_to="{roles: [operator]}")
        self._append(TEMPLATES, f"op@{version}".encode(), said.encode())

    def assign(self, who: str, line: int, role: str, lag: int = 0) -> None:
        """Where somebody belongs, and as what; `line` 2: nowhere."""
        dims = {"role": role} | ({"unit": f"L{line}"} if line < 2 else {})
        at = self.rig.wall - 1_000 - lag
        self._send(2, who, "people.assignment", dims=dims, occurred_at=at, event_id=f"post-{who}-{self.rig.wall}")

    def begin(self) -> None:
        """Six belong to one line, two to another."""
        self.publish(1, "2020-01-01T00:00:00Z")
        for number, who in enumerate(PEOPLE):
            self.assign(who, number // 6, "operator")

    def work(self, step: Step) -> None:
        """Records of all who work, some of them late or ahead; and a correction."""
        at = self.rig.wall - 1_000 - step.lag
        for who, good in zip(PEOPLE, step.good, strict=True):
            if good >= 0:
                measures = {"inspected": 10, "accepted": good}
                self._send(1, who, "qc.inspection", measures=measures, occurred_at=at, event_id=f"e-{self.rig.wall}")
        if step.correct >= 0 and step.good[step.correct] >= 1:
            said = {"event_id": f"c-{self.rig.wall}", "corrects": f"e-{self.rig.wall}", "occurred_at": at}
            self._send(1, PEOPLE[step.correct], "qc.inspection", measures={"accepted": -1}, **said)

    def act(self, step: Step) -> None:
        """Somebody does something to one of the open alerts, a unit's or a member's."""
        found = sorted(latest_alerts(self.rig.log).values(), key=lambda row: (row.rule != "common_cause", row.alert_id))
        rows = [row for row in found if row.cleared_at is None]
        if step.action and rows:
            until = self.rig.wall + 3 * MINUTE if step.action == "shelve" else None
            row = rows[step.which % len(rows)]
            command = AlertCommand(row.alert_id, step.action, "lee", "looked at", until)
            send_command(self.rig.log, row, command, self.rig.wall)

    async def live(self, script: Sequence[Step], patch: pytest.MonkeyPatch) -> None:
        """As the script says, then some minutes in which nothing happens."""
        patch.setattr(flush, "UPDATE_BUDGET", 0.0)
        self.begin()
        for step in script:
            self.rig.wall += step.pause - 1_000
            self.work(step)
            if step.moved >= 0:
                self.assign(PEOPLE[step.moved % len(PEOPLE)], step.moved // len(PEOPLE), step.role, step.since)
            if step.version:
                self._version += 1
                self.publish(self._version, format_rfc3339(self.rig.wall + 90_000))
            self.act(step)
            for _ in range(step.chunks - 1):
                self.rig.feed(INPUT_TOPICS[1], 1)
            await self.minute(step.fault)
        for _ in range(3):
            self.rig.wall += MINUTE - 1_000
            await self.minute("none")

    def said(self) -> UnitAlerts:
        """What the oracle says that units have said."""
        return self.rig.recompute().unit_alerts()

    def differences(self) -> list[Difference]:
        """Between the oracle and the log, of alerts."""
        log = self.rig.log
        units = decided(log, committed(log).metas)
        assert units.minute == self.rig.wall // MINUTE * MINUTE
        return list(compared(self.rig.recompute(), units, latest_alerts(log).values()))


def _live(logs: Path, script: Sequence[Step], partitions: int, first: int = 0) -> tuple[list[Difference], UnitAlerts]:
    folder = Path(tempfile.mkdtemp(dir=logs))
    shutil.copytree(logs / str(partitions), folder, dirs_exist_ok=True)
    world = Factory(folder, partitions, first)
    try:
        with pytest.MonkeyPatch.context() as patch:
            asyncio.run(world.live(script, patch))
        return world.differences(), world.said()
    finally:
        world.rig.close()
        shutil.rmtree(folder)


@settings(PROFILE, max_examples=max(12, PROFILE.max_examples // 5), suppress_health_check=list(HealthCheck))
@given(
    script=st.lists(STEP, min_size=5, max_size=12),
    partitions=st.sampled_from((1, 2)),
    first=st.sampled_from((0, 0, *range(len(RULES)))),
)
def test_units_say_what_the_oracle_says(logs: Path, script: list[Step], partitions: int, first: int) -> None:
    """Whatever comes late, is corrected or acted upon, whoever goes where, whichever rules hold, whatever dies."""
    found, _ = _live(logs, script, partitions, first)
    assert [] == found


CALM: Final = Step((-1,) * len(PEOPLE), 0, -1, "operator", 0, "", 0, False, -1, MINUTE, 1, "none")
WELL: Final = CALM._replace(good=(10,) * len(PEOPLE))
ILL: Final = CALM._replace(good=(2, 2, 2, 2, 10, 10, 10, 2))


def _day() -> list[Step]:
    """A line drops, people act on alerts, somebody changes lines, rules change; all works again, then drops again."""
    day = [WELL, ILL, ILL, CALM, *[WELL] * 8, ILL, CALM, WELL, WELL, ILL, ILL]
    day[2] = day[2]._replace(action="ack")
    day[3] = day[3]._replace(moved=7 + 8, since=-30_000)
    day[4] = day[4]._replace(action="clear", which=3)
    day[7] = day[7]._replace(moved=0, role="guest")
    day[9] = day[9]._replace(moved=0, since=5 * MINUTE)
    day[13] = day[13]._replace(action="clear", correct=1)
    day[14] = day[14]._replace(version=True)
    return day


@pytest.mark.parametrize(("partitions", "first"), [(1, 0), (2, 0), (2, LEVELS)])
def test_a_day_on_which_all_of_it_happens(logs: Path, partitions: int, first: int) -> None:
    """What the test above finds by chance is there for sure: lines, who is behind, folds, what is over."""
    found, said = _live(logs, _day(), partitions, first)
    assert [] == found
    lines = [alert for alert in said.alerts if alert.rule == "common_cause"]
    assert len(lines) > 1
    assert first == LEVELS or len(said.alerts) - len(lines) > 8
    assert {True, False} == {alert.cleared_at is None for alert in said.alerts}
    assert len(said.stood) > 4


def _good(*good: int) -> Step:
    return CALM._replace(good=(*good, *(-1,) * (len(PEOPLE) - len(good))))


EDGES: Final = {
    "a third of six is not more than a third, and a sixth is hardly anybody": [
        _good(10, 10, 10, 10, 10, 10),
        _good(2, 2, 10, 10, 10, 10),
        _good(2, 2, 2, 2, 2, 2),
        *[_good(10, 10, 10, 10, 10, 2)] * 6,
    ],
    "three of seven within an hour": [
        _good(10, 10, 10, 10, 10, 10, 10)._replace(moved=6),
        _good(2, 2, 10, 10, 10, 10, 10),
        _good(10, 10, 2, 10, 10, 10, 10)._replace(pause=40 * MINUTE),
    ],
}


@pytest.mark.parametrize("script", EDGES.values(), ids=list(EDGES))
def test_where_common_cause_begins_and_ends(logs: Path, script: list[Step]) -> None:
    """Just there, neither before nor after."""
    found, said = _live(logs, script, 1)
    assert [] == found
    assert 1 == len([alert for alert in said.alerts if alert.rule == "common_cause"])


@pytest.mark.parametrize("each", [1, 3])
def test_what_is_ahead_counts_however_it_is_read(logs: Path, each: int) -> None:
    """A clock ten minutes ahead moves on what a state holds: of a chunk at once, of single records one by one."""
    folder = Path(tempfile.mkdtemp(dir=logs))
    shutil.copytree(logs / "1", folder, dirs_exist_ok=True)
    world = Factory(folder, 1)
    try:
        asyncio.run(_ahead(world, each))
        assert [] == world.differences()
        assert {"drop", "behind"} == {row.rule for row in latest_alerts(world.rig.log).values()}  # not lately
    finally:
        world.rig.close()
        shutil.rmtree(folder)


async def _ahead(world: Factory, each: int) -> None:
    world.publish(1, "2020-01-01T00:00:00Z")
    for who in PEOPLE[:3]:
        world.assign(who, 0, "operator")
    await world.minute("none")
    world.rig.wall += MINUTE - 1_000
    at = world.rig.wall
    for who, good in zip(PEOPLE[1:3], (9, 10), strict=True):
        world._send(1, who, "qc.inspection", measures={"inspected": 10, "accepted": good}, occurred_at=at)
    for lag, good in ((4 * MINUTE, 2), (0, 2), (-10 * MINUTE, 10)):
        said = {"event_id": f"e{lag}", "occurred_at": at - lag, "measures": {"inspected": 10, "accepted": good}}
        world._send(1, PEOPLE[0], "qc.inspection", **said)
    for _ in range(5):
        world.rig.feed(INPUT_TOPICS[1], each)
    await world.minute("none")
    for _ in range(2):
        world.rig.wall += MINUTE - 1_000
        await world.minute("none")
