"""An alert between records: people act on it, time passes; at ticks, and after every restart the same."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import asdict

from agents.dead_letters import dead_letter
from agents.oracle.compare import alert_differences
from agents.told import latest_alerts
from agents.transport.embedded.log import Outgoing, Record, partition_for
from schemas.alerts import AlertCommand, AlertRow
from schemas.event import INPUT_TOPICS
from schemas.instants import format_rfc3339
from stream.topics import ALERTS, COMMANDS, DEAD_LETTERS, TICKS
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig
from tests.oracle.logs import HOUR, MINUTE, NOON, YIELD, Log, published, template

RULES = "[{id: drop, drift: {good: 0.95, bad: 0.85, h: 3}, severity: %s}]"


def _watched(severity: str) -> str:
    return template(YIELD.rstrip("}") + f", alerts: {RULES % severity}}}")


def _bad(log: Log, at: int, number: int, accepted: int = 0) -> None:
    log.send(event_id=f"e{number}", occurred_at=at, sent_at=at, measures={"inspected": 10, "accepted": accepted})


async def _fired(rig: Rig, severity: str = "warning") -> AlertRow:
    """An alert of E1, raised a minute before noon; the tick at noon has seen it."""
    log = published(_watched(severity))
    _bad(log, NOON - MINUTE, 1)
    rig.write(log)
    await rig.drain()
    (row,) = latest_alerts(rig.log).values()
    return row


def _command(rig: Rig, row: AlertRow, action: str, by: str = "lee", until: int | None = None, reason: str = "") -> None:
    key = str(row.employee_id).encode()
    value = msgspec.json.encode(AlertCommand(row.alert_id, action, by, reason, until))
    rig.append([Outgoing(COMMANDS, partition_for(key, len(rig.numbers)), rig.wall, key, value)])


async def _later(rig: Rig, pause: int) -> AlertRow:
    rig.wall += pause
    await rig.drain()
    (row,) = latest_alerts(rig.log).values()
    return row


def _letters(rig: Rig) -> list[str]:
    return [
        dead_letter(record).detail
        for number in rig.numbers
        for record in rig.log.read(DEAD_LETTERS, number, 0, 1_000)
        if dead_letter(record).reason == "refused"
    ]


async def test_a_live_alert_is_told(rig: Rig) -> None:
    """The tick that follows says so."""
    row = await _fired(rig)
    assert ("firing", True, format_rfc3339(NOON - MINUTE)) == (row.state, row.notify, row.raised_at)


async def test_an_imported_one_is_not(rig: Rig) -> None:
    """It is of more than an hour before the tick."""
    log = published(_watched("warning"))
    _bad(log, NOON - HOUR - 1, 1)
    rig.write(log)
    await rig.drain()
    (row,) = latest_alerts(rig.log).values()
    assert row.notify is False


async def test_acknowledged_by_somebody(rig: Rig) -> None:
    """Who, when and why stay with it; it is not acknowledged twice, and it does not escalate any more."""
    row = await _fired(rig)
    _command(rig, row, "ack", reason="nozzle 3")
    row = await _later(rig, 1_000)
    assert ("acknowledged", "lee", "nozzle 3") == (row.state, row.by, row.reason)
    assert format_rfc3339(rig.wall) == row.changed_at
    _command(rig, row, "ack", by="kim")
    row = await _later(rig, 2 * HOUR)
    assert ("acknowledged", "lee", None) == (row.state, row.by, row.escalated_at)
    (said,) = _letters(rig)
    assert "is acknowledged by lee since" in said


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("warning", HOUR),
        ("info", None),
        ("warning, escalate: 10m", 10 * MINUTE),
        ("info, escalate: 2h", 2 * HOUR),
        ("critical, escalate: never", None),
    ],
)
async def test_nobody_acknowledges(rig: Rig, said: str, after: int | None) -> None:
    """It escalates, once: after an hour, or as its rule says; what is for information does not of itself."""
    await _fired(rig, said)
    row = await _later(rig, (after or HOUR) - MINUTE - 1)
    assert row.escalated_at is None
    row = await _later(rig, 1_000)
    escalated = None if after is None else format_rfc3339(rig.wall // 1000 * 1000)
    assert escalated == row.escalated_at
    assert [] == disagreements(rig)
    assert escalated == (await _later(rig, HOUR)).escalated_at


@pytest.mark.parametrize(("severity", "said"), [("warning", None), ("warning", -1_000), ("info", 0)])
async def test_verify_knows_when_it_escalates(rig: Rig, severity: str, said: int | None) -> None:
    """Another instant is a difference, as is one that is missing, or one too many."""
    await _fired(rig, severity)
    row = await _later(rig, HOUR)
    other = None if said is None else format_rfc3339(rig.wall + said)
    oracle, told = list(rig.recompute().alerts()), {**asdict(row), "employee_id": "E1"}
    assert [] == alert_differences(oracle, [told])
    (found,) = alert_differences(oracle, [{**told, "escalated_at": other}])
    assert f"alert {row.alert_id} escalated_at" == found.field


async def test_what_was_acknowledged_and_fires_again_waits_anew(rig: Rig) -> None:
    """It escalates an hour after it fires again, not after it was raised."""
    row = await _fired(rig)
    _command(rig, row, "ack")
    await _later(rig, 59 * MINUTE)
    _command(rig, row, "shelve", until=rig.wall + HOUR)
    await _later(rig, 1_000)
    _command(rig, row, "unshelve")
    again = await _later(rig, 10 * MINUTE)
    assert ("firing", None) == (again.state, again.escalated_at)
    assert (await _later(rig, HOUR - 1_000)).escalated_at is None
    assert (await _later(rig, 2_000)).escalated_at is not None


async def test_a_folded_one_does_not_escalate(rig: Rig) -> None:
    """Its line's does."""
    row = await _fired(rig)
    key = str(row.employee_id).encode()
    value = msgspec.json.encode(AlertCommand(row.alert_id, "fold", "@unit", "the line", into="f" * 20))
    rig.append([Outgoing(COMMANDS, partition_for(key, len(rig.numbers)), rig.wall, key, value)])
    await _later(rig, 1_000)
    assert (await _later(rig, 2 * HOUR)).escalated_at is None


async def test_shelved_for_a_time(rig: Rig) -> None:
    """It fires again when that is over, also when the worker died meanwhile."""
    row = await _fired(rig)
    _command(rig, row, "shelve", until=rig.wall + 10 * MINUTE, reason="trial")
    row = await _later(rig, 1_000)
    assert ("shelved", format_rfc3339(NOON + 10 * MINUTE)) == (row.state, row.until)
    await rig.crash()
    rig.restart()
    assert "shelved" == (await _later(rig, 5 * MINUTE)).state
    row = await _later(rig, 5 * MINUTE)
    assert ("firing", None, "") == (row.state, row.until, row.by)


async def test_cleared_by_hand_it_stays_cleared_until_it_was_over_once(rig: Rig) -> None:
    """The rule looks on: the next episode is another alert."""
    row = await _fired(rig)
    _command(rig, row, "clear", reason="camera was dirty")
    row = await _later(rig, 1_000)
    assert ("cleared", "lee", "camera was dirty") == (row.state, row.by, row.reason)
    log = Log()
    _bad(log, NOON + MINUTE, 2)
    rig.write(log)
    assert row == await _later(rig, MINUTE)
    for number in range(3, 40):
        _bad(log, NOON + number * MINUTE, number, 10)
    _bad(log, NOON + HOUR, 50)
    rig.write(log)
    rig.wall += HOUR
    await rig.drain()
    first, second = latest_alerts(rig.log).values()
    assert (row, "firing") == (first, second.state)


async def test_what_has_moved_on_is_a_clear_error(rig: Rig) -> None:
    """Of an alert that is over, or never was; of a record that is no command."""
    row = await _fired(rig)
    log = Log()
    for number in range(2, 40):
        _bad(log, NOON + number * 1_000, number, 10)
    rig.write(log)
    assert "cleared" == (await _later(rig, MINUTE)).state
    _command(rig, row, "ack")
    _command(rig, msgspec.structs.replace(row, alert_id="feed"), "ack")
    for value in (b"{", b'{"command":"\xff"}'):
        rig.append([Outgoing(COMMANDS, 0, rig.wall, b"E1", value)])
    await _later(rig, 1_000)
    over, never, broken, no_text = sorted(_letters(rig))
    assert f"alert {row.alert_id} is not open: it is over, or was never raised" in (over, never)
    assert "alert feed is not open: it is over, or was never raised" in (over, never)
    assert broken.startswith("no command: ")
    assert no_text.startswith("no command: ")


async def test_a_version_that_ends_takes_its_alerts_with_it(rig: Rig) -> None:
    """At the first tick after it; the reason is told."""
    await _fired(rig)
    log = Log()
    log.publish(template(version=2, effective_from=format_rfc3339(NOON + HOUR)), at=NOON)
    rig.write(log)
    rig.refresh()
    assert "firing" == (await _later(rig, MINUTE)).state
    row = await _later(rig, HOUR)
    assert ("cleared", "its template version is not in force any more") == (row.state, row.reason)


async def test_commands_are_read_ahead_of_their_tick(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick that follows what is read already asks the log for nothing: a broker may be far, and the loop waits."""
    row = await _fired(rig)
    _command(rig, row, "ack")
    number = partition_for(b"E1", len(rig.numbers))
    (partition,) = (each for each in rig.partitions if each.number == number)
    applied, end = partition.meta.applied.get(COMMANDS, 0), rig.log.end(COMMANDS, number)
    await partition.alerting.read_ahead(applied, end)
    read = rig.log.read

    def other_topics(topic: str, number: int, start: int, limit: int) -> list[Record]:
        assert topic != COMMANDS
        return read(topic, number, start, limit)

    monkeypatch.setattr(rig.log, "read", other_topics)
    assert "acknowledged" == (await _later(rig, 1_000)).state
    monkeypatch.undo()
    _command(rig, row, "clear")  # one that is not read ahead is read at its tick
    assert "cleared" == (await _later(rig, 1_000)).state


async def test_commands_after_a_crash_are_obeyed_once(rig: Rig) -> None:
    """What the commit did not hold is done again at the same tick."""
    row = await _fired(rig)
    _command(rig, row, "ack")
    rig.wall += 1_000
    rig.tick()
    await rig.crash()
    rig.restart()
    await rig.drain()
    rows = [r for n in rig.numbers for r in rig.log.read(ALERTS, n, 0, 100)]
    states = [msgspec.json.decode(r[3] or b"")["state"] for r in rows]
    assert 1 == states.count("acknowledged")


async def test_whose_version_is_over_before_a_commit_is_told(rig: Rig) -> None:
    """Raised, seen by a tick, and in another role at the next one; nothing is committed meanwhile."""
    log = published(_watched("warning").replace("applies_to: everyone", "applies_to: {roles: [operator]}"))
    log.assign(NOON - HOUR, role="operator")
    rig.write(log)
    await rig.drain()
    _bad(log, NOON, 1)
    for second in (1_000, 2_000):
        rig.wall = NOON + second
        rig.write(log)
        for topic in (*INPUT_TOPICS, TICKS):
            rig.feed(topic)
        rig.tick()
        rig.feed(TICKS)
        log.assign(NOON + 1, sent_at=NOON + second, role="guest")
    row = await _later(rig, 1_000)
    assert ("cleared", format_rfc3339(NOON + 2_000)) == (row.state, row.cleared_at)
