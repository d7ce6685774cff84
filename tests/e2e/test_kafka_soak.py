"""A short soak on a real broker in every change; what is planted there is found. `make soak BROKER=kafka` goes on."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.transport.kafka.log import KafkaLog
from agents.transport.log import Outgoing, Part
from stream.keys import EMPLOYEE
from stream.state import State, decode_state, due_of, encode_state
from stream.topics import CHANGELOG, DEAD_LETTERS
from tests.soak.evidence import whole
from tests.soak.kafka.missing import missing
from tests.soak.kafka.report import KafkaReport
from tests.soak.kafka.run import soak
from tests.soak.kafka.site import ALWAYS, Site
from tests.soak.planted import a_millionth_more

SEED = 20261124
FAULTS = ("worker killed between two writes",)


@pytest.fixture(autouse=True)
def _there() -> None:
    if reason := missing():
        pytest.skip(reason)


def test_some_phases_leave_nothing_wrong(tmp_path: Path) -> None:
    """A worker dies where it hurts most while senders send; all is exact afterwards."""
    told = io.StringIO()
    report = KafkaReport(SEED, told)
    soak(tmp_path, SEED, report, deadline=time.monotonic() + 600, phases=len(FAULTS), only=FAULTS, quick=True)
    assert report.violations == 0, told.getvalue()
    assert list(FAULTS) == sorted((phase.fault.name for phase in report.phases), key=FAULTS.index)
    assert all(phase.checked > 500 for phase in report.phases)


@pytest.fixture
def drained(tmp_path: Path) -> Iterator[Site]:
    """A site in which all is well and nobody works any more, its log owned by the test."""
    site = Site(tmp_path / "site", "planted", quick=True)
    try:
        site.send()
        site.wait_sent(1_000)
        site.drain()
        assert site.check()[1] == []  # units too, which follow their people's updates a commit later
        for name in ALWAYS:
            site.worker(name).stop()
        site.world.log.own(0)
        yield site
    finally:
        site.close(keep=False)


def _write(log: KafkaLog, *records: Outgoing) -> None:
    (offsets,) = log.transact([Part(0, records, {})])
    deadline = time.monotonic() + 10
    while log.end(*records[-1][:2]) <= offsets[-1]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _change_a_state(log: KafkaLog, change: Callable[[State], bool]) -> Outgoing:
    """Writes the first state that `change` could change; the record that undoes it."""
    for number in range(log.topics()[CHANGELOG].partitions):
        latest = {row[2]: row[3] for row in whole(log, CHANGELOG, number) if (row[2] or b"")[:1] == EMPLOYEE}
        for key, value in latest.items():
            state = decode_state(value or b"")
            if change(state):
                _write(log, Outgoing(CHANGELOG, number, 1, key, encode_state(state, due_of(value or b""))))
                return Outgoing(CHANGELOG, number, 1, key, value)
    raise AssertionError("nothing to change")


def _kinds(site: Site) -> set[str]:
    return {line.partition(":")[0] for line in site.check()[1]}


@pytest.mark.long
def test_what_is_planted_is_found(drained: Site) -> None:
    """A sum that is a millionth off, an output that is there twice, a record that is missing; and nothing else is."""
    log = drained.world.log
    undo = _change_a_state(log, a_millionth_more)
    assert "I1 rows" in _kinds(drained)
    _write(log, undo)
    number, row = next((n, row) for n in range(4) for row in whole(log, DEAD_LETTERS, n))
    _write(log, Outgoing(DEAD_LETTERS, number, *row[1:]))
    feed = drained.sending[0]
    (topic, partition, _), record = next(iter(feed.known.items()))
    feed.known[topic, partition, log.end(topic, partition)] = record
    assert {"I2 dead letters", "acknowledged"} == _kinds(drained)
