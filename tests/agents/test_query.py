"""Questions are answered from the log alone, as of the last commit, and each says what it says it knows."""

from __future__ import annotations

from agents.meta import read_meta
from agents.query import committed, histories_known_at, newest_tick, rows_as_of
from schemas.rows import ScoreRow
from stream.history import history_rows
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, HOUR, NOON, Log, published, template


def _value(rows: list[ScoreRow]) -> object:
    (row,) = [row for row in rows if not row.indicator.startswith("@")]
    return row.value


def test_an_empty_log_has_no_answers(rig: Rig) -> None:
    """No commit, no employee, no instant; and no failure."""
    known = committed(rig.log)
    assert (0, 0, -1) == (known.last, known.now, known.committed_at)
    assert [] == list(rows_as_of(rig.log, known, NOON, rig.limits))
    assert {} == histories_known_at(rig.log, None, rig.limits)
    assert 0 == newest_tick(rig.log)


async def test_what_is_not_committed_is_not_known(rig: Rig) -> None:
    """The states, the counters and the instants are of one commit."""
    log = published()
    log.send()
    rig.write(log)
    await rig.drain()
    log.send(event_id="e2", occurred_at=NOON + HOUR, measures={"inspected": 1, "accepted": 0})
    rig.write(log)
    rig.feed("qc-events")
    known = committed(rig.log)
    assert NOON == known.last
    assert 1 == _value(list(rows_as_of(rig.log, known, NOON, rig.limits)))
    assert [1] == [meta.outcomes["scored"] for meta in read_meta(rig.log) if meta.outcomes]


async def test_rules_that_no_commit_knows_do_not_count_yet(rig: Rig) -> None:
    """A version published while no worker runs changes no row before a worker has taken it over."""
    log = published()
    log.send()
    rig.write(log)
    await rig.drain()
    log.publish(template(version=2, effective_from="2026-03-02T11:00:00Z"), at=NOON - 2 * HOUR)
    log.publish(template(name="other"), at=NOON)
    rig.write(log)
    rows = list(rows_as_of(rig.log, committed(rig.log), NOON, rig.limits))
    assert {("op", 1)} == {(row.template, row.version) for row in rows}
    assert 1 == _value(rows)
    await rig.drain()
    rows = list(rows_as_of(rig.log, committed(rig.log), NOON, rig.limits))
    assert {("op", 2), ("other", 1)} == {(row.template, row.version) for row in rows}
    assert [] == disagreements(rig)


async def test_the_past_is_recomputed_and_the_present_is_read(rig: Rig) -> None:
    """As of yesterday there is yesterday's value, though the state holds today's."""
    log = published()
    log.send(measures={"inspected": 4, "accepted": 1})
    log.send(occurred_at=NOON + DAY)
    rig.write(log)
    await rig.drain()
    known = committed(rig.log)
    assert 0.25 == _value(list(rows_as_of(rig.log, known, NOON, rig.limits)))
    assert 1 == _value(list(rows_as_of(rig.log, known, NOON + DAY, rig.limits)))
    assert [] == disagreements(rig)


async def test_as_known_then_leaves_out_what_was_logged_later(rig: Rig) -> None:
    """A correction and a template of tomorrow do not count as known today."""
    log = published()
    log.send(measures={"inspected": 4, "accepted": 1})
    log.send(NOON + HOUR, event_id="c1", corrects="e1", measures={"accepted": 1})
    log.publish(template(name="other"), at=NOON + 2 * HOUR)
    rig.write(log)
    await rig.drain()
    values = []
    for moment in (NOON, NOON + HOUR, NOON + 2 * HOUR, None):
        history = histories_known_at(rig.log, moment, rig.limits, "E1")["E1"]
        values.append(sorted((r.template, r.value) for r in history_rows(history, NOON) if r.indicator == "yield"))
    assert [[("op", 0.25)], [("op", 0.5)], [("op", 0.5), ("other", 0.5)], [("op", 0.5), ("other", 0.5)]] == values


async def test_as_known_then_what_became_late_later_still_waits(rig: Rig) -> None:
    """Before the tick that found it too old a record was held, so it counts as soon as rules apply."""
    log = Log()
    log.send()
    rig.write(log)
    await rig.drain()
    rig.wall = NOON + 400 * DAY + 1_000
    rig.tick()
    log.publish(template(), at=rig.wall + 1)
    rig.write(log)
    await rig.drain()
    assert {"late": 1} == rig.outcomes()
    assert {} == {name: h for name, h in histories_known_at(rig.log, None, rig.limits).items() if h.events}
    (history,) = histories_known_at(rig.log, NOON + DAY, rig.limits).values()
    assert 1 == len(history.events)
    assert [] == disagreements(rig)


async def test_one_employee_is_answered_for_alone(rig: Rig) -> None:
    """The same rows as among everybody."""
    log = published()
    log.send()
    log.send(employee_id="E2")
    rig.write(log)
    await rig.drain()
    alone = list(rows_as_of(rig.log, committed(rig.log, "E2"), NOON, rig.limits))
    everybody = list(rows_as_of(rig.log, committed(rig.log), NOON, rig.limits))
    assert alone == [row for row in everybody if row.employee_id == "E2"]
    assert alone
