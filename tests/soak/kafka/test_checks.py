"""What the soak on a broker checks by itself, and how it draws and tells: an error of each kind is found."""

from __future__ import annotations

import io
from itertools import islice
from types import SimpleNamespace
from typing import Any, cast

from agents.transport.log import Outgoing
from stream.meta import KEY, Meta, encode_meta
from tests.soak.evidence import Evidence
from tests.soak.kafka.faults import FAULTS
from tests.soak.kafka.feed import HOT, Witness, _hot, witnessed
from tests.soak.kafka.report import KafkaReport, Phase
from tests.soak.kafka.run import PHASES, plan
from tests.soak.kafka.site import owners
from tests.soak.workload import PARTITIONS, Sender

SENT = [Outgoing("qc-events", 0, number, b"E001", b'{"event_id": "%d"}' % number) for number in range(1, 4)]


def _feed() -> Witness:
    feed = SimpleNamespace(attempts=set(SENT), known={}, ends={})
    Witness.acknowledged(cast("Witness", feed), SENT[:2], [0, 1])
    return cast("Witness", feed)


def _log(*sent: Outgoing) -> dict[Any, Any]:
    return {(s.topic, s.partition, n): (n, s.timestamp, s.key, s.value, None) for n, s in enumerate(sent)}


def test_all_that_was_acknowledged_is_there() -> None:
    """What was tried without an answer may be there too, even twice; first assignments are nobody's."""
    first = Outgoing("people-events", 1, 1, b"E", b'{"event_id": "first-E"}')
    assert [] == list(witnessed(_log(*SENT[:2]), [_feed()]))
    assert [] == list(witnessed(_log(*SENT, SENT[2], first), [_feed()]))
    assert {("qc-events", 0): 2} == _feed().ends


def test_a_record_that_is_lost_changed_or_invented() -> None:
    """Each is named with its place."""
    assert ["('qc-events', 0, 1): acknowledged and not in the log"] == list(witnessed(_log(SENT[0]), [_feed()]))
    changed = SENT[1]._replace(value=b"{}")
    assert [
        "('qc-events', 0, 1): not what was sent",
        "('qc-events', 0, 1): in the log and never sent",
    ] == list(witnessed(_log(SENT[0], changed), [_feed()]))


def test_half_of_all_events_can_be_one_employees() -> None:
    """Under the partition that they belong to; what has no employee stays as it is."""
    record = Outgoing("qc-events", 1, 5, b"E017", b'{"employee_id": "E017"}')
    hot = _hot(record)
    assert (HOT.encode(), b'{"employee_id": "E001"}') == (hot.key, hot.value)
    assert record._replace(key=None) == _hot(record._replace(key=None))
    sent = list(islice(Sender("hot", 1_800_000_000_000).records(), 300))
    assert {0, 1, 2, 3} >= {_hot(record).partition for record in sent}


def _evidence(*metas: Meta) -> Evidence:
    rows = [(n, 0, KEY, encode_meta(meta), None) for n, meta in enumerate(metas)]
    log = SimpleNamespace(read=lambda topic, number, start, limit: rows[start:] if number == 0 else [])
    return cast("Evidence", SimpleNamespace(log=log, partitions=PARTITIONS))


def test_an_owner_that_writes_after_its_successor() -> None:
    """What was applied, or counted, runs back along the changelog."""
    first, second = Meta(applied={"ticks": 4}, outcomes={"scored": 9}), Meta(applied={"ticks": 7}, outcomes={"late": 9})
    assert [] == list(owners(_evidence(first, second)))
    assert ["partition 0 at 1: ticks goes back from 7 to 4"] == list(owners(_evidence(second, first)))
    fewer = Meta(applied={"ticks": 8}, outcomes={"scored": 8})
    assert ["partition 0 at 1: 9 counted, then 8"] == list(owners(_evidence(second, fewer)))


def test_a_seed_draws_every_fault_and_always_the_same() -> None:
    """All of them before any comes again; what cannot be healed, or leaves a long log, ends its site."""
    sites = list(islice(plan(7), 20))
    assert sites == list(islice(plan(7), 20))
    assert sites != list(islice(plan(8), 20))
    drawn = [fault.name for site in sites for fault in site]
    assert set(FAULTS) == set(drawn[: len(FAULTS)])
    assert all(not (fault.last or fault.large) for site in sites for fault in site[:-1])
    assert all(len(site) == PHASES or site[-1].last or site[-1].large for site in sites)
    assert {1, 2, 3, 4, 5, 6, 7, 8, 13, 15} == {fault.number for fault in FAULTS.values()}


def test_a_violation_is_told_with_what_repeats_it() -> None:
    """And counted in the table, beside how often its fault was there; what was skipped says why."""
    told = io.StringIO()
    report = KafkaReport(7, told)
    outcomes = {"rejected:conflict": 2, "rejected:schema": 3, "scored": 9}
    report.phase(Phase("7.3", 1, FAULTS["zombie"], "near", outcomes=outcomes, violations=["I1 rows: off"], pause=8.5))
    report.phase(Phase("7.3", 2, FAULTS["disk full"], skipped="no root"))
    report.site(100 << 20)
    report.table()
    assert 1 == report.violations
    lines = told.getvalue().splitlines()
    assert "VIOLATION I1 rows: off" in lines
    assert any("--broker kafka" in line and "--seed 7 --world 3" in line for line in lines)
    assert any(line.split() == ["2", "zombie", "1", "1", "8.5"] for line in lines)
    assert any("disk full" in line and "skipped: no root" in line for line in lines[4:])
    assert " 9 bad input: 5 records, all through the run" in lines
    assert "10 other content under the same identity: 2 records, all through the run" in lines
