"""A line's own alert: people act on it, time passes; whenever the units' home dies nothing is lost or done twice."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agents.alert_commands import send_command
from agents.dead_letters import dead_letter
from agents.meta import read_meta
from agents.metrics import Metrics
from agents.scoring import Scoring
from agents.ticks import Tick
from agents.told import alert_of
from agents.transport.log import Outgoing, records
from agents.unit_pool import UNITS_HOME
from schemas.alerts import AlertCommand, AlertRow
from schemas.event import Row
from schemas.instants import format_rfc3339
from stream.pipeline import Limits
from stream.topics import ALERTS, COMMANDS, DEAD_LETTERS, TICKS, UNIT_SHARES
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig, new_log
from tests.agents.test_unit_alerts import DRIFT, PEOPLE, Plant, watched
from tests.oracle.logs import HOUR, MINUTE, NOON, Log, published

UNITS = ("L2", "L1")  # in the partition of the units' home, and in another one
SECOND = 1_000


@pytest.fixture
def plant(rig: Rig) -> Plant:
    """Nobody works yet."""
    return Plant(rig)


def _work(log: Log, at: int, accepted: dict[str, int], unit: str = "L1") -> None:
    for employee, good in accepted.items():
        log.send(
            event_id=f"{employee}-{at}", employee_id=employee, occurred_at=at, sent_at=at,
            measures={"inspected": 10, "accepted": good}, dims={"line": unit},
        )  # fmt: skip


async def _dropped(plant: Plant, rules: str = DRIFT, unit: str = "L1") -> AlertRow:
    """The alert of a line that drops a minute before noon; E6 works as ever."""
    log = published(watched(rules))
    _work(log, NOON - MINUTE, {name: 10 if name == "E6" else 2 for name in PEOPLE}, unit)
    plant.rig.write(log)
    await plant.minute(0)
    return _line(plant)


async def _better(plant: Plant) -> None:
    """Everybody works well, until nobody drifts any more."""
    log = Log()
    for number in range(40):
        _work(log, plant.rig.wall + number, dict.fromkeys(PEOPLE, 10))
    plant.rig.write(log)
    await plant.minute()


def _line(plant: Plant) -> AlertRow:
    (row,) = plant.alerts("common_cause")
    return row


def _send(plant: Plant, row: AlertRow, action: str, by: str = "lee", until: int | None = None, reason: str = "") -> int:
    """The partition where the command is."""
    command = AlertCommand(row.alert_id, action, by, reason, until)
    return send_command(plant.rig.log, row, command, plant.rig.wall).partition


async def _restart(plant: Plant, *, unwritten_store: bool = False) -> None:
    """The worker dies and another one takes over: what was not committed is gone."""
    await plant.rig.crash(unwritten_store=unwritten_store)
    plant.rig.restart()
    plant.begin()


async def _heard(plant: Plant) -> None:
    """A tick has followed the commands, and the units' home obeys them; what that gives waits for the commit."""
    plant.rig.wall += SECOND
    await plant.rig.drain()
    await plant.decide()


def _letters(plant: Plant) -> list[tuple[int, str]]:
    """What was refused: in which partition, and why."""
    letters = [(n, dead_letter(r)) for n in plant.rig.numbers for r in records(plant.rig.log, DEAD_LETTERS, n)]
    return [(number, letter.detail) for number, letter in letters if letter.reason == "refused"]


def _states(plant: Plant) -> list[str]:
    """Of the line's alert, one after the other."""
    rows = [alert_of(record.value) for record in records(plant.rig.log, ALERTS, UNITS_HOME)]
    return [row.state for row in rows if row is not None and row.rule == "common_cause"]


@pytest.mark.parametrize("unit", UNITS)
async def test_acknowledged_by_somebody(plant: Plant, unit: str) -> None:
    """At the next commit, wherever the command lies; its members stay folded, and who joins them is folded too."""
    row = await _dropped(plant, unit=unit)
    number = _send(plant, row, "ack", reason="nozzle 3")
    assert (unit == "L2") == (number == UNITS_HOME)
    await plant.minute(SECOND)
    line = _line(plant)
    assert ("acknowledged", "lee", "nozzle 3", unit) == (line.state, line.by, line.reason, line.unit)
    assert row.raised_at < line.changed_at < format_rfc3339(NOON + MINUTE)
    log = Log()
    _work(log, NOON + MINUTE, {"E6": 2}, unit)
    plant.rig.write(log)
    await plant.minute(2 * HOUR)
    assert line == _line(plant)  # it does not escalate
    assert [row.alert_id] * 6 == [each.folded_into for each in plant.alerts("drop")]
    assert [] == _letters(plant)
    assert [] == disagreements(plant.rig)


@pytest.mark.parametrize("severity", ["warning", "critical", "info"])
async def test_nobody_acknowledges(plant: Plant, severity: str) -> None:
    """It escalates after an hour, once; what is for information does not."""
    await _dropped(plant, DRIFT.replace("}]", f", severity: {severity}}}]"))
    await plant.minute(HOUR - MINUTE)
    assert _line(plant).escalated_at is None
    await plant.minute()
    escalated = None if severity == "info" else format_rfc3339(NOON + HOUR)
    assert (severity, escalated, "firing") == (_line(plant).severity, _line(plant).escalated_at, _line(plant).state)
    await plant.minute()
    assert (1 if severity == "info" else 2) == len(_states(plant))


@pytest.mark.parametrize(
    ("rules", "minutes"),
    [
        ("[{id: drop, drift: {good: 0.95, bad: 0.85, h: 3}, escalate: 20m}]", 20),
        ("[{id: drop, drift: {good: 0.95, bad: 0.85, h: 3}, severity: info, escalate: 20m}]", 20),
        ("[{id: drop, drift: {good: 0.95, bad: 0.85, h: 3}, escalate: never}]", None),
        (
            "[{id: drop, drift: {good: 0.95, bad: 0.85, h: 3}, escalate: never},"
            " {id: other, drift: {good: 0.95, bad: 0.85, h: 9}, escalate: 2h},"
            " {id: slow, ewma: {lambda: 0.2, L: 3}, escalate: 15m}]",
            15,
        ),
    ],
    ids=["soon", "for information", "never", "of several"],
)
async def test_it_waits_as_long_as_its_rules_say(plant: Plant, rules: str, minutes: int | None) -> None:
    """As an alert of a member would, of the rules for drift the one that waits least; all `never`: never."""
    await _dropped(plant, rules)
    await plant.minute((minutes or 180) * MINUTE - MINUTE)
    assert _line(plant).escalated_at is None
    await plant.minute()
    expected = None if minutes is None else format_rfc3339(NOON + minutes * MINUTE)
    assert expected == _line(plant).escalated_at


async def test_shelved_for_a_time(plant: Plant) -> None:
    """It fires again when that is over, also when the worker died meanwhile."""
    row = await _dropped(plant)
    _send(plant, row, "shelve", until=NOON + 10 * MINUTE, reason="trial")
    await plant.minute(SECOND)
    assert ("shelved", format_rfc3339(NOON + 10 * MINUTE)) == (_line(plant).state, _line(plant).until)
    await _restart(plant)
    await plant.minute(5 * MINUTE)
    assert "shelved" == _line(plant).state
    await plant.minute(5 * MINUTE)
    line = _line(plant)
    assert ("firing", None, "", format_rfc3339(NOON + 10 * MINUTE)) == (
        line.state, line.until, line.by, line.changed_at
    )  # fmt: skip
    assert "the time it was shelved for is over" == line.reason
    _send(plant, row, "shelve", until=NOON + HOUR)
    _send(plant, row, "unshelve", by="kim")
    await plant.minute(SECOND)
    assert ("firing", None, "kim") == (_line(plant).state, _line(plant).until, _line(plant).by)


async def test_what_was_shelved_and_fires_again_waits_anew(plant: Plant) -> None:
    """It escalates an hour after it fires again, not after it was raised."""
    row = await _dropped(plant)
    _send(plant, row, "shelve", until=NOON + 2 * HOUR)
    await plant.minute(59 * MINUTE)
    _send(plant, row, "unshelve")
    await plant.minute(5 * MINUTE)
    await plant.minute()
    assert ("firing", None) == (_line(plant).state, _line(plant).escalated_at)
    await plant.minute(HOUR)
    assert _line(plant).escalated_at is not None


async def test_cleared_by_hand_it_stays_cleared_until_it_was_over_once(plant: Plant) -> None:
    """Whoever has the units' home: the next episode is another alert."""
    row = await _dropped(plant)
    _send(plant, row, "clear", reason="camera was dirty")
    await plant.minute(SECOND)
    cleared = _line(plant)
    assert ("cleared", "lee", "camera was dirty") == (cleared.state, cleared.by, cleared.reason)
    assert cleared.changed_at == cleared.cleared_at
    await plant.minute()
    await _restart(plant)
    await plant.minute()
    assert cleared == _line(plant)
    await _better(plant)
    assert cleared == _line(plant)
    await _restart(plant)
    log = Log()
    _work(log, plant.rig.wall, dict.fromkeys(PEOPLE, 2))
    plant.rig.write(log)
    await plant.minute()
    first, second = plant.alerts("common_cause")
    assert (cleared, "firing") == (first, second.state)
    assert row.alert_id != second.alert_id


async def test_what_the_data_end_was_moved_by_nobody(plant: Plant) -> None:
    """Also when somebody had it in hand."""
    row = await _dropped(plant)
    _send(plant, row, "shelve", until=NOON + HOUR, reason="trial")
    await plant.minute(SECOND)
    await _better(plant)
    line = _line(plant)
    assert ("cleared", "", "", None) == (line.state, line.by, line.reason, line.until)
    assert format_rfc3339(NOON + MINUTE) == line.cleared_at
    assert ["firing", "shelved", "cleared"] == _states(plant)


@pytest.mark.parametrize("unit", UNITS)
async def test_what_has_moved_on_is_a_clear_error(plant: Plant, unit: str) -> None:
    """Once, where the command is, in the words that people's alerts have; nothing stands for a unit's alert."""
    row = await _dropped(plant, unit=unit)
    number = _send(plant, row, "ack")
    _send(plant, row, "ack", by="kim")
    _send(plant, row, "fold")
    _send(plant, row, "clear")
    _send(plant, row, "unshelve")
    await plant.minute(SECOND)
    await plant.minute()
    twice, folded, over = _letters(plant)
    assert {number} == {twice[0], folded[0], over[0]}
    assert f"alert {row.alert_id} is acknowledged by lee since" in twice[1]
    assert f"alert {row.alert_id} is a unit's own: nothing stands for it" == folded[1]
    assert f"alert {row.alert_id} is not open: it is over, or was never raised" == over[1]
    assert ["firing", "acknowledged", "cleared"] == _states(plant)


@pytest.mark.parametrize("unit", UNITS)
async def test_who_dies_before_the_commit_does_it_again(plant: Plant, unit: str) -> None:
    """Neither the command's row nor how far commands are read was there; now both are."""
    row = await _dropped(plant, unit=unit)
    _send(plant, row, "ack")
    _send(plant, row, "ack")
    await _heard(plant)
    assert plant.rig.partitions[UNITS_HOME].outputs
    await _restart(plant)
    assert ["firing"] == _states(plant)
    await plant.minute(SECOND)
    assert (["firing", "acknowledged"], 1) == (_states(plant), len(_letters(plant)))


@pytest.mark.parametrize("unit", UNITS)
async def test_who_dies_after_the_commit_does_nothing_twice(plant: Plant, unit: str) -> None:
    """A shelved alert is not acknowledged anew by the command before; a refusal is not told twice."""
    row = await _dropped(plant, unit=unit)
    _send(plant, row, "ack")
    _send(plant, row, "ack")
    _send(plant, row, "shelve", until=NOON + HOUR)
    await _heard(plant)
    await _restart(plant, unwritten_store=True)
    expected = ["firing", "acknowledged", "shelved"]
    assert (expected, 1) == (_states(plant), len(_letters(plant)))
    await plant.minute(SECOND)
    await plant.minute()
    assert (expected, 1) == (_states(plant), len(_letters(plant)))


async def test_how_far_commands_are_obeyed_leaves_with_what_they_did(folder: Path) -> None:
    """Also where nothing else is to be committed; and whoever has the units' home next, goes on there."""
    with new_log(folder / "log", 1) as log:
        scoring = Scoring.open(log, folder, Limits(), Metrics(), 100)
        log.append([Outgoing(TICKS, 0, NOON, b"0", msgspec.json.encode(Tick(NOON, {})))])
        await scoring.handle(TICKS, 0, [Row(*row) for row in log.read(TICKS, 0, 0, 1)])
        await scoring.commit()
        command = msgspec.json.encode(AlertCommand("gone", "ack", "lee", unit="L1"))
        log.append([Outgoing(COMMANDS, 0, NOON, b"L1", command)])
        log.append([Outgoing(TICKS, 0, NOON + 1, b"0", msgspec.json.encode(Tick(NOON + 1, {COMMANDS: 1})))])
        await scoring.handle(TICKS, 0, [Row(*row) for row in log.read(TICKS, 0, 1, 1)])
        await scoring.commit()
        scoring.ends[UNIT_SHARES, 0] = 1
        await scoring.pool()
        await scoring.commit()
        assert (1, {0: 1}) == (log.end(DEAD_LETTERS, 0), read_meta(log)[0].handled.obeyed)
        await scoring.rest()
        scoring.take_over([])
        assert scoring.units is None
        scoring.take_over([0])
        scoring.resume()
        await scoring.pool()
        await scoring.commit()
        assert 1 == log.end(DEAD_LETTERS, 0)
        scoring.close()
