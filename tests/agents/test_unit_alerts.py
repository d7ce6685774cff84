"""Units decide at the end of a minute: the line is blamed when the line drops, and who lags behind it is told."""

from __future__ import annotations

import msgspec
import pytest

from agents.told import latest_alerts
from agents.transport.log import Outgoing, partition_for
from agents.unit_pool import UNITS_HOME, UnitPool
from schemas.alerts import AlertCommand, AlertRow
from schemas.instants import format_rfc3339
from stream.keys import TOLD
from stream.topics import COMMANDS, DEAD_LETTERS, SCORE_UPDATES, UNIT_SHARES
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig
from tests.agents.test_calendars import calendar
from tests.oracle.logs import HOUR, MIDNIGHT, MINUTE, NOON, YIELD, Log, published, template

DRIFT = "[{id: drop, drift: {good: 0.95, bad: 0.85, h: 3}}]"
GAP = "[{id: behind, window: day, below_unit: 0.1, severity: info}]"
PEOPLE = ("E1", "E2", "E3", "E4", "E5", "E6")


def watched(alerts: str, sample: int = 0) -> str:
    return template(YIELD.rstrip("}") + f", min_sample: {sample}, alerts: {alerts}}}")


def _work(log: Log, at: int, accepted: dict[str, int]) -> None:
    for employee, good in accepted.items():
        measures = {"inspected": 10, "accepted": good}
        log.send(
            event_id=f"{employee}-{at}", employee_id=employee, occurred_at=at, sent_at=at, measures=measures,
            dims={"line": "L1"},
        )  # fmt: skip


class Plant:
    """A rig with the units' home beside it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.begin()

    def begin(self) -> None:
        """The units' home is taken over as the last commit left it."""
        home = self.rig.partitions[UNITS_HOME]
        self.pool = UnitPool(self.rig.log, home.meta.handled, home.store.items(TOLD))

    async def decide(self) -> None:
        """What the units decide waits for the next commit; what they tell their members is in the log."""
        ends = self.rig.log.ends([(topic, n) for topic in (SCORE_UPDATES, UNIT_SHARES) for n in self.rig.numbers])
        await self.pool.read_on(ends)
        self.pool.decide(self.rig.rules, self.rig.partitions[UNITS_HOME])

    async def minute(self, pause: int = MINUTE) -> None:
        """A minute closes; what the unit decides reaches its members."""
        self.rig.wall += pause
        await self.rig.drain()
        await self.decide()
        await self.rig.commit()
        self.rig.wall += 1_000
        await self.rig.drain()

    def alerts(self, rule: str) -> list[AlertRow]:
        """The last word on those of a rule, by whose they are."""
        found = [row for row in latest_alerts(self.rig.log).values() if row.rule == rule]
        return sorted(found, key=lambda row: (str(row.employee_id), row.raised_at))


@pytest.fixture
def plant(rig: Rig) -> Plant:
    """Nobody works yet."""
    return Plant(rig)


async def test_when_a_third_of_a_line_drops_it_is_the_line(plant: Plant) -> None:
    """One alert for the line; those of its members stay, marked, and new ones are folded too."""
    log = published(watched(DRIFT))
    bad = {name: 2 if name in PEOPLE[:3] else 10 for name in PEOPLE}
    _work(log, NOON - MINUTE, bad)
    plant.rig.write(log)
    await plant.minute(0)
    (line,) = plant.alerts("common_cause")
    assert ("L1", "firing", 6, 3, 0.5, "warning") == (
        line.unit, line.state, line.n, line.good, line.value, line.severity
    )  # fmt: skip
    assert format_rfc3339(NOON) == line.raised_at
    assert "3 in 6 people has dropped within an hour (since 2026-03-02 11:00)" in line.message.en
    assert "6人中有3人的" in line.message.zh
    assert "在一小时内（2026-03-02 11:00起）下降" in line.message.zh
    folded = plant.alerts("drop")
    assert [("E1", line.alert_id), ("E2", line.alert_id), ("E3", line.alert_id)] == [
        (row.employee_id, row.folded_into) for row in folded
    ]
    assert {"firing"} == {row.state for row in folded}
    more = Log()
    _work(more, NOON + MINUTE, {"E4": 2})
    plant.rig.write(more)
    await plant.minute()
    assert [line] == plant.alerts("common_cause")
    assert line.alert_id == plant.alerts("drop")[-1].folded_into
    assert [] == disagreements(plant.rig)


@pytest.mark.parametrize(
    ("rules", "is_line"),
    [
        ("[{id: low, window: day, below: 0.90, confidence: 0.95, severity: critical}]", True),
        ("[{id: low, window: day, below: 0.50, confidence: 0.95}]", True),
        ("[{id: low, window: day, naive: 0.90}, {id: gap, window: day, below_unit: 0.9}]", False),  # wrong too often
    ],
)
async def test_thresholds_alone_blame_the_line_as_well(plant: Plant, rules: str, is_line: bool) -> None:
    """Half of a line falls below a threshold within an hour, and no rule looks at drift; as when all are well again."""
    log = published(watched(rules))
    _work(log, NOON - MINUTE, {name: 1 if name in PEOPLE[:3] else 10 for name in PEOPLE})
    plant.rig.write(log)
    await plant.minute(0)
    lines, low = plant.alerts("common_cause"), plant.alerts("low")
    assert [("L1", "firing", 6, 3, low[0].severity)] * is_line == [
        (line.unit, line.state, line.n, line.good, line.severity) for line in lines
    ]
    assert [line.alert_id for line in lines] * 3 == [row.folded_into for row in low if row.folded_into]
    assert ["E1", "E2", "E3"] == [row.employee_id for row in low]
    better = Log()
    for number in range(1, 30):
        _work(better, NOON + number * 1_000, dict.fromkeys(PEOPLE, 10))
    plant.rig.write(better)
    await plant.minute()
    assert {"cleared"} == {row.state for row in (*plant.alerts("common_cause"), *plant.alerts("low"))}
    assert [] == disagreements(plant.rig)


async def test_it_is_over_when_few_drift(plant: Plant) -> None:
    """At most a sixth; a worker that starts meanwhile knows what is open."""
    log = published(watched(DRIFT))
    _work(log, NOON - MINUTE, dict.fromkeys(PEOPLE, 2))
    plant.rig.write(log)
    await plant.minute(0)
    plant.begin()
    better = Log()
    for number in range(1, 4):
        _work(better, NOON + number * 1_000, dict.fromkeys(PEOPLE, 10))
    plant.rig.write(better)
    await plant.minute()
    assert {"firing"} == {row.state for row in plant.alerts("common_cause")}
    for number in range(1, 40):
        _work(better, NOON + MINUTE + number * 1_000, dict.fromkeys(PEOPLE, 10))
    plant.rig.write(better)
    await plant.minute()
    (line,) = plant.alerts("common_cause")
    assert ("cleared", format_rfc3339(NOON + 2 * MINUTE)) == (line.state, line.cleared_at)


async def test_who_still_drifts_when_the_line_works_again_is_told_of(plant: Plant) -> None:
    """The others recover, the line's alert is over, and one person's stands by itself again."""
    log = published(watched(DRIFT))
    _work(log, NOON - MINUTE, dict.fromkeys(PEOPLE, 2))
    plant.rig.write(log)
    await plant.minute(0)
    await plant.minute()
    (line,) = plant.alerts("common_cause")
    assert {line.alert_id} == {row.folded_into for row in plant.alerts("drop")}
    better = Log()
    for number in range(1, 45):
        _work(better, NOON + 2 * MINUTE + number * 1_000, {name: 10 for name in PEOPLE if name != "E6"})
    plant.rig.write(better)
    await plant.minute(2 * MINUTE)
    await plant.minute()
    (line,) = plant.alerts("common_cause")
    assert "cleared" == line.state
    (left,) = [row for row in plant.alerts("drop") if row.cleared_at is None]
    assert ("E6", "firing", None) == (left.employee_id, left.state, left.folded_into)


async def test_it_lasts_as_long_as_people_drift(plant: Plant) -> None:
    """Two hours later nobody has begun to drift within the hour, and the line is as bad: who joins is folded, too."""
    log = published(watched(DRIFT))
    _work(log, NOON - MINUTE, {name: 2 if name != "E6" else 10 for name in PEOPLE})
    plant.rig.write(log)
    await plant.minute(0)
    later = Log()
    _work(later, NOON + 2 * HOUR, dict.fromkeys(PEOPLE, 2))
    plant.rig.write(later)
    await plant.minute(2 * HOUR + MINUTE)
    await plant.minute()
    (line,) = plant.alerts("common_cause")
    assert "firing" == line.state
    assert {line.alert_id} == {row.folded_into for row in plant.alerts("drop")}
    assert 6 == len(plant.alerts("drop"))


@pytest.mark.parametrize("people", [4, 6])
async def test_few_people_or_few_alerts_are_no_line(plant: Plant, people: int) -> None:
    """Of less than five with data nobody can tell; of six it takes more than two."""
    log = published(watched(DRIFT))
    _work(log, NOON - MINUTE, {name: 2 if name in PEOPLE[:2] else 10 for name in PEOPLE[:people]})
    plant.rig.write(log)
    await plant.minute(0)
    assert [] == plant.alerts("common_cause")
    assert 2 == len(plant.alerts("drop"))
    assert {None} == {row.folded_into for row in plant.alerts("drop")}


async def test_who_has_nothing_in_the_window_is_not_counted(plant: Plant) -> None:
    """Of six with data this day only two drift; three who drifted just before midnight have none."""
    midnight = NOON + 12 * HOUR
    log = published(watched(DRIFT))
    _work(log, midnight - MINUTE, {"E7": 2, "E8": 2, "E9": 2})
    _work(log, midnight + MINUTE, {name: 2 if name in PEOPLE[:2] else 10 for name in PEOPLE})
    plant.rig.write(log)
    await plant.minute(12 * HOUR + 2 * MINUTE)
    assert 5 == len(plant.alerts("drop"))
    assert [] == plant.alerts("common_cause")


async def test_alerts_of_long_ago_are_no_common_cause(plant: Plant) -> None:
    """Raised more than an hour apart they have nothing in common."""
    log = published(watched(DRIFT))
    _work(log, NOON - 2 * HOUR, {"E1": 2, "E2": 2})
    _work(log, NOON - MINUTE, {name: 2 if name == "E3" else 10 for name in PEOPLE})
    plant.rig.write(log)
    await plant.minute(0)
    assert [] == plant.alerts("common_cause")


async def test_what_the_unit_said_stays_when_the_past_is_counted_anew(plant: Plant) -> None:
    """No record of the person raised it, so none can take it back; a person who was never there has it withdrawn."""
    log = published(watched(GAP).replace("applies_to: everyone", "applies_to: {roles: [operator]}"))
    for name in PEOPLE[:4]:
        log.send(
            event_id="post", type="people.assignment", employee_id=name, occurred_at=NOON - HOUR, measures={},
            dims={"role": "operator"},
        )  # fmt: skip
    _work(log, NOON - MINUTE, {"E1": 6, "E2": 9, "E3": 10, "E4": 10})
    plant.rig.write(log)
    await plant.minute(0)
    late = Log()
    late.assign(NOON - 2 * HOUR, sent_at=NOON, role="operator")
    plant.rig.write(late)
    await plant.minute()
    (row,) = plant.alerts("behind")
    assert ("firing", "") == (row.state, row.reason)
    late.assign(NOON - HOUR + 1, sent_at=NOON, role="guest")
    plant.rig.write(late)
    await plant.minute()
    (row,) = plant.alerts("behind")
    assert ("cleared", "its template version is not in force any more") == (row.state, row.reason)


async def test_who_lags_behind_the_unit_is_told(plant: Plant) -> None:
    """By more than the gap, once; it is over when the gap is closed. Too few units are no reason."""
    log = published(watched(GAP, sample=10))
    _work(log, NOON - MINUTE, {"E1": 6, "E2": 9, "E3": 10, "E4": 10})
    log.send(
        event_id="few", employee_id="E5", occurred_at=NOON - MINUTE, sent_at=NOON - MINUTE, dims={"line": "L1"},
        measures={"inspected": 2, "accepted": 0},
    )  # fmt: skip
    plant.rig.write(log)
    await plant.minute(0)
    (row,) = plant.alerts("behind")
    assert ("E1", "L1", "firing", 0.6, 10, "day", "info") == (
        row.employee_id, row.unit, row.state, row.value, row.n, row.window, row.severity
    )  # fmt: skip
    assert pytest.approx(35 / 42) == row.threshold
    assert "well below the unit's 83.3 %" in row.message.en
    await plant.minute()
    assert row.alert_id == plant.alerts("behind")[0].alert_id
    better = Log()
    _work(better, NOON + MINUTE, {"E1": 10})
    _work(better, NOON + MINUTE + 1_000, {"E1": 10})
    plant.rig.write(better)
    await plant.minute()
    (row,) = plant.alerts("behind")
    assert "cleared" == row.state
    assert [] == disagreements(plant.rig)


async def test_a_fold_that_comes_too_late_is_no_fault(plant: Plant) -> None:
    """The member's alert was over when the unit's word arrived: nobody is told of a refusal. Found by the soak."""
    log = published(watched(DRIFT))
    _work(log, NOON - MINUTE, dict.fromkeys(PEOPLE, 2))
    plant.rig.write(log)
    await plant.minute(0)
    (row,) = [row for row in plant.alerts("drop") if row.employee_id == "E1"]
    late = AlertCommand(row.alert_id + "0", "fold", "@unit", into="x")
    number = partition_for(b"E1", len(plant.rig.numbers))
    plant.rig.append([Outgoing(COMMANDS, number, plant.rig.wall, b"E1", msgspec.json.encode(late))])
    await plant.minute()
    assert [] == [r for n in plant.rig.numbers for r in plant.rig.log.read(DEAD_LETTERS, n, 0, 10)]


async def test_the_gap_may_be_that_of_the_shift(plant: Plant) -> None:
    """By the unit's shift; when the next one begins there is nothing to compare, and it is over."""
    text = watched("[{id: behind, window: shift, below_unit: 0.1, severity: info}]").replace("[day]", "[day, shift]")
    log = published(text)
    plant.rig.append([Outgoing("templates", 0, MIDNIGHT, b"calendar:plant@1", calendar().encode())])
    _work(log, NOON - MINUTE, {"E1": 2, "E2": 10, "E3": 10})
    log.send(event_id="a", type="people.assignment", occurred_at=NOON - HOUR, measures={}, dims={"unit": "L1"})
    plant.rig.write(log)
    await plant.minute(0)
    (behind,) = plant.alerts("behind")
    assert ("E1", "firing", "shift", 0.2) == (behind.employee_id, behind.state, behind.window, behind.value)
    assert format_rfc3339(NOON - 2 * HOUR) == behind.window_start  # 18:00 in Shanghai
    await plant.minute(12 * HOUR)
    await plant.minute()
    (behind,) = plant.alerts("behind")
    assert "cleared" == behind.state


async def test_who_goes_where_nothing_is_looked_at_stands_alone(plant: Plant) -> None:
    """Their new unit has no shifts, and the indicator no other window: no unit says anything of them any more."""
    text = watched(DRIFT).replace("[day]", "[shift]")
    log = published(text)
    plant.rig.append([Outgoing("templates", 0, MIDNIGHT, b"calendar:plant@1", calendar(units=["L1"]).encode())])
    _work(log, NOON - MINUTE, dict.fromkeys(PEOPLE, 2))
    plant.rig.write(log)
    await plant.minute(0)
    (line,) = plant.alerts("common_cause")
    assert {line.alert_id} == {row.folded_into for row in plant.alerts("drop")}
    log.send(event_id="a", type="people.assignment", occurred_at=NOON, measures={}, dims={"unit": "L9"})
    plant.rig.write(log)
    await plant.minute()
    assert [None, *[line.alert_id] * 5] == [row.folded_into for row in plant.alerts("drop")]
    assert [] == disagreements(plant.rig)
