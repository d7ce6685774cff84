"""The soak's checker sees what it has to see: an error of each kind is planted in a good folder, and found."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace as replace_fields

from agents.store import Store
from agents.told import alert_record, latest_alerts
from agents.transport.embedded.log import EmbeddedLog, Outgoing, Part, partition_for
from schemas.instants import MINUTE
from schemas.updates import ScoreUpdate, UnitUpdate
from stream.keys import EMPLOYEE
from stream.meta import KEY, decode_meta, encode_meta
from stream.state import State, decode_state, due_of, encode_state
from stream.topics import ALERTS, CHANGELOG, DEAD_LETTERS, LATE_EVENTS, QC_EVENTS, SCORE_UPDATES, UNIT_UPDATES
from tests.soak import invariants, outputs
from tests.soak.evidence import Evidence, settings_of, whole
from tests.soak.invariants import told, violations
from tests.soak.outputs import unit_updates
from tests.soak.planted import a_millionth_more
from tests.soak.processes import Worker
from tests.soak.sender import mark_of, marked
from tests.soak.senders import SenderProcess
from tests.soak.stores import stores
from tests.soak.world import World

Plant = Callable[[EmbeddedLog], None]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A drained folder with everything in it, in which nothing is wrong."""
    world = World(tmp_path_factory.mktemp("soak"), "planted")
    then = time.time_ns() // 1_000_000 - 10 * MINUTE  # so long ago that people are silent by now
    sender = SenderProcess(world.folder, "planted.0", then, 1_500)
    world.senders.append(sender)
    sender.begin()
    worker = Worker(world.folder)
    sender.finish()
    worker.wait_scoring()
    worker.stop()
    _, found = world.check()
    assert found == []
    world.log.close()
    return world


@pytest.fixture
def found(good: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Plant], list[str]]:
    """Plants an error in a copy of the good folder; what the checker says."""
    monkeypatch.setattr(invariants, "SAMPLED", 100)
    monkeypatch.setattr(invariants, "SHOWN", 1_000)

    def found(plant: Plant) -> list[str]:
        shutil.copytree(good.base, tmp_path / "world")
        folder = tmp_path / "world" / good.folder.name
        with EmbeddedLog.open(folder) as log:
            plant(log)
            evidence = Evidence(log, settings_of(folder))
            lines = violations(evidence, [replace(s, folder=folder) for s in good.senders], Random(1))
            return [*lines, *told("store", stores(evidence, folder / "state"))]

    return found


def _kinds(lines: list[str]) -> set[str]:
    return {line.partition(":")[0] for line in lines}


def _states(log: EmbeddedLog) -> Iterator[tuple[int, bytes, list[bytes]]]:
    """(partition, key, values from the first to the last) of every employee."""
    for number in range(log.topics()[CHANGELOG].partitions):
        values: dict[bytes, list[bytes]] = {}
        for _, _, key, value, _ in whole(log, CHANGELOG, number):
            if key is not None and key[:1] == EMPLOYEE and value is not None:
                values.setdefault(key, []).append(value)
        yield from ((number, key, value) for key, value in values.items())


def _again(log: EmbeddedLog, topic: str) -> None:
    """The newest record of a topic once more."""
    number = next(n for n in range(log.topics()[topic].partitions) if log.end(topic, n))
    _, timestamp, key, value, headers = list(whole(log, topic, number))[-1]
    log.transact([Part(0, [Outgoing(topic, number, timestamp, key, value, headers)], {})])


def _lose_last(log: EmbeddedLog, topic: str) -> None:
    """The newest batch of a topic's first partition with any is gone."""
    number = next(n for n in range(log.topics()[topic].partitions) if log.end(topic, n))
    connection = sqlite3.connect(log.folder / "ledger.sqlite")
    table = f"batches_{log.topics()[topic].number}_{number}"
    with connection:
        connection.execute(f"DELETE FROM {table} WHERE last = (SELECT max(last) FROM {table})")
    connection.close()


def test_nothing_is_found_where_nothing_is_wrong(found: Callable[[Plant], list[str]]) -> None:
    """The copy of the good folder is good."""
    assert [] == found(lambda log: None)


def test_a_lost_changelog_value(found: Callable[[Plant], list[str]]) -> None:
    """The last value of an employee is gone, the one from before their first score stands."""

    def plant(log: EmbeddedLog) -> None:
        for number, key, values in _states(log):
            state = decode_state(values[-1])
            if state.scored:
                state.segments, state.scored, state.newest = [], 0, -1
                log.transact([Part(0, [Outgoing(CHANGELOG, number, 0, key, encode_state(state, 0))], {})])
                return
        raise AssertionError("nobody was scored")

    assert {"I1 rows", "I6 contributions", "store"} <= _kinds(found(plant))


def test_a_sum_that_is_a_millionth_too_large(found: Callable[[Plant], list[str]]) -> None:
    """In one window of one employee."""
    assert {"I1 rows", "I6 contributions"} <= _kinds(found(lambda log: _change_one_state(log, a_millionth_more)))


def _change_one_state(log: EmbeddedLog, change: Callable[[State], bool]) -> None:
    for number, key, values in _states(log):
        state = decode_state(values[-1])
        if change(state):
            log.transact([Part(0, [Outgoing(CHANGELOG, number, 0, key, encode_state(state, due_of(values[-1])))], {})])
            return
    raise AssertionError("nothing to change")


@pytest.mark.parametrize(("topic", "kind"), [(DEAD_LETTERS, "I2 dead letters"), (LATE_EVENTS, "I2 late events")])
@pytest.mark.parametrize("plant", [_again, _lose_last])
def test_a_doubled_and_a_lost_output(
    found: Callable[[Plant], list[str]], topic: str, kind: str, plant: Callable[[EmbeddedLog, str], None]
) -> None:
    """Of what must be there once."""
    assert {kind} == _kinds(found(lambda log: plant(log, topic)))


def test_a_counter_that_counts_one_too_many(found: Callable[[Plant], list[str]]) -> None:
    """The outcomes no longer add up to the records."""

    def plant(log: EmbeddedLog) -> None:
        meta = decode_meta(next(v for _, _, k, v, _ in reversed(list(whole(log, CHANGELOG, 0))) if k == KEY) or b"")
        meta.count("duplicate", 1)
        log.transact([Part(0, [Outgoing(CHANGELOG, 0, 0, KEY, encode_meta(meta))], {})])

    lines = found(plant)
    assert {"I2 outcomes", "store"} == _kinds(lines)
    assert sum("in the log" in line for line in lines) == 1


def test_an_acknowledged_record_that_is_not_there(found: Callable[[Plant], list[str]], good: World) -> None:
    """The journal says so, the log does not."""

    def plant(log: EmbeddedLog) -> None:
        journal = replace(good.senders[0], folder=log.folder).journal
        journal.write_text(journal.read_text() + "try 1491 1501 7\nack 1491 1501 7\n")

    lines = found(plant)
    assert {"acknowledged"} == _kinds(lines)
    assert "planted.0: acknowledged and not in the log: [1491, 1492, 1493, 1494, 1495]" in lines[0]


def test_half_of_an_append(found: Callable[[Plant], list[str]], good: World) -> None:
    """An append is there or not, also one that nobody acknowledged: here the first of two records is."""

    def plant(log: EmbeddedLog) -> None:
        journal = replace(good.senders[0], folder=log.folder).journal
        journal.write_text("try 1 3 9\n" + journal.read_text())
        evidence = Evidence(log, settings_of(log.folder))
        place, record = next(entry for entry in evidence.records.items() if mark_of(entry[1][4]) == ("planted.0", 1, 0))
        again = Outgoing(place[0], place[1], record[1], record[2], record[3])
        log.append([marked(again, "planted.0", 1, 9)])

    assert any("half of an append is in the log" in line for line in found(plant))


def test_a_record_that_is_there_twice(found: Callable[[Plant], list[str]]) -> None:
    """One append, two records."""

    def plant(log: EmbeddedLog) -> None:
        record = next(iter(whole(log, QC_EVENTS, 0)))
        log.append([Outgoing(QC_EVENTS, 0, *record[1:])])

    assert any(line.startswith("acknowledged") and "2 times" in line for line in found(plant))


def test_a_record_that_was_changed(found: Callable[[Plant], list[str]]) -> None:
    """A byte of it."""

    def plant(log: EmbeddedLog) -> None:
        connection = sqlite3.connect(log.folder / "log.sqlite")
        table = f"batches_{log.topics()[QC_EVENTS].number}_0"
        ((last, packed),) = connection.execute(f"SELECT last, packed FROM {table} ORDER BY last LIMIT 1")
        with connection:
            changed = packed.replace(b'"manual"', b'"mAnual"').replace(b'"aoi"', b'"aoI"').replace(b'"erp"', b'"erP"')
            connection.execute(f"UPDATE {table} SET packed = ? WHERE last = ?", (changed, last))
        connection.close()

    assert any("not what was sent" in line for line in found(plant))


def _change_update(log: EmbeddedLog, topic: str, kind: Any) -> None:
    """The newest update with a sum is a millionth off."""
    for number in range(log.topics()[topic].partitions):
        latest = {record[2]: record for record in whole(log, topic, number)}
        for _, timestamp, key, value, _ in latest.values():
            update = msgspec.json.decode(value or b"", type=kind)
            for row in update.rows:
                if any(row.sums.values()):
                    row.sums = {name: amount + 1e-6 for name, amount in row.sums.items()}
                    log.transact([Part(0, [Outgoing(topic, number, timestamp, key, msgspec.json.encode(update))], {})])
                    return
    raise AssertionError("no update with a sum")


def test_an_alert_that_nobody_heard_of(found: Callable[[Plant], list[str]]) -> None:
    """The records of one partition are gone."""

    def plant(log: EmbeddedLog) -> None:
        row = next(row for row in latest_alerts(log).values() if row.first_event)
        place = partition_for(str(row.employee_id).encode(), log.topics()[ALERTS].partitions)
        connection = sqlite3.connect(log.folder / "ledger.sqlite")
        with connection:
            connection.execute(f"DELETE FROM batches_{log.topics()[ALERTS].number}_{place}")
        connection.close()

    assert any(line.startswith("I3 alerts") for line in found(plant))


def test_an_alert_that_is_said_twice(found: Callable[[Plant], list[str]]) -> None:
    """Somebody is called twice."""
    assert {"I3 alerts"} == _kinds(found(lambda log: _again(log, ALERTS)))


def test_an_alert_of_another_number(found: Callable[[Plant], list[str]]) -> None:
    """A millionth more than it was raised with."""

    def plant(log: EmbeddedLog) -> None:
        row = next(row for row in latest_alerts(log).values() if row.value is not None and row.first_event)
        number = partition_for(str(row.employee_id).encode(), log.topics()[ALERTS].partitions)
        log.transact([Part(0, [alert_record(number, replace_fields(row, value=(row.value or 0.0) + 1e-6))], {})])

    assert {"I3 alerts"} == _kinds(found(plant))


def test_a_silence_of_another_length(found: Callable[[Plant], list[str]]) -> None:
    """What ticks decide is looked at as what records do."""

    def plant(log: EmbeddedLog) -> None:
        row = next(row for row in latest_alerts(log).values() if row.rule == "silent")
        number = partition_for(str(row.employee_id).encode(), log.topics()[ALERTS].partitions)
        log.transact([Part(0, [alert_record(number, replace_fields(row, threshold=row.threshold + 1))], {})])

    assert {"I3 alerts"} == _kinds(found(plant))


@pytest.mark.parametrize(
    ("topic", "kind", "said"),
    [(SCORE_UPDATES, ScoreUpdate, "I4 score updates"), (UNIT_UPDATES, UnitUpdate, "I4 unit updates")],
)
def test_an_update_that_shows_something_else(
    found: Callable[[Plant], list[str]], topic: str, kind: Any, said: str
) -> None:
    """A screen would show a millionth more than the state has."""
    assert {said} == _kinds(found(lambda log: _change_update(log, topic, kind)))


def test_a_unit_of_which_nothing_is_said(good: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor before the first tick: a drained log has no such unit."""
    with EmbeddedLog.open(good.folder) as log:
        evidence = Evidence(log, settings_of(good.folder))
        assert [] == list(unit_updates(evidence))
        monkeypatch.setattr(outputs, "latest_units", lambda _: {})
        for meta in evidence.known.metas:
            meta.now = -1
        assert any("L01" in str(line) for line in unit_updates(evidence))


def test_a_store_that_is_not_its_changelog(found: Callable[[Plant], list[str]]) -> None:
    """A value of an employee is another, the position is right."""

    def plant(log: EmbeddedLog) -> None:
        store = Store(log.folder / "state" / "2")
        position = store.position()
        assert position is not None
        key, value = next(store.items(EMPLOYEE))
        store.write([(key, value + b"x")], position)
        store.close()

    lines = found(plant)
    assert {"store"} == _kinds(lines)
    assert len(lines) == 1
