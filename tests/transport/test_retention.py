"""Retention drops the oldest, by the moment of the append and by size, and offsets go on."""

from pathlib import Path

from agents.transport.embedded.log import EmbeddedLog, Outgoing, Part
from tests.transport.conftest import Clock, numbered, values

HOUR = 3_600_000


def test_nothing_is_dropped_without_limits(log: EmbeddedLog, clock: Clock) -> None:
    """Unlimited is the default, for ever."""
    log.append(numbered(range(100)))
    assert log.retain(clock.now_ms + 10_000 * HOUR) == 0
    assert len(values(log)) == 100


def test_age_counts_from_the_append(log: EmbeddedLog, clock: Clock) -> None:
    """A record is dropped when its append is longer ago than the limit, whatever its timestamp says."""
    log.create_topic("events", 2, retention_ms=HOUR)
    log.append([Outgoing("events", 0, 0, b"k", b"of 1970"), Outgoing("events", 1, 2**50, b"k", b"of the future")])
    clock.now_ms += 1
    log.append(numbered([2]))
    assert log.retain(clock.now_ms - 1 + HOUR) == 0
    assert log.retain(clock.now_ms + HOUR) == 2
    assert values(log) == [b"2"]
    assert values(log, partition=1) == []
    assert (log.start("events", 0), log.end("events", 0)) == (1, 2)


def test_offsets_are_never_given_again(log: EmbeddedLog, tmp_path: Path, clock: Clock) -> None:
    """When retention has taken everything, the next record still gets the next offset, also after reopening."""
    log.create_topic("events", 2, retention_ms=HOUR)
    log.append(numbered(range(2500)))
    assert log.retain(clock.now_ms + 2 * HOUR) == 2500
    assert (log.start("events", 0), log.end("events", 0)) == (2500, 2500)
    log.close()
    with EmbeddedLog.open(log.folder) as reopened:
        assert reopened.append(numbered([1])) == [2500]
        assert [(r[0], r[3]) for r in reopened.read("events", 0, 0, 10)] == [(2500, b"1")]


def test_size_keeps_the_newest(log: EmbeddedLog, clock: Clock) -> None:
    """By size the oldest batches go until the rest fits the limit, partition by partition."""
    log.create_topic("events", 2, retention_bytes=100_000)
    for n in range(30):
        log.append([Outgoing("events", 0, 0, b"k", b"%d" % n + bytes(10_000))])
    log.append(numbered([1], partition=1))
    assert log.retain(clock.now_ms) == 21
    assert [b"%d" % n for n in range(21, 30)] == [(v or b"").rstrip(b"\0") for v in values(log)]
    assert values(log, partition=1) == [b"1"]
    assert log.retain(clock.now_ms) == 0


def test_many_batches_go_in_slices(log: EmbeddedLog, clock: Clock) -> None:
    """More batches than one transaction takes are dropped all the same."""
    log.create_topic("events", 2, retention_ms=HOUR)
    for n in range(600):
        log.append(numbered([n]))
    clock.now_ms += 2 * HOUR
    log.append(numbered([600]))
    assert log.retain(clock.now_ms) == 600
    assert values(log) == [b"600"]


def test_ledger_topics_are_retained_too(log: EmbeddedLog, clock: Clock) -> None:
    """A limit works in the ledger as well."""
    log.create_topic("alerts", 1, ledger=True, retention_ms=HOUR)
    log.transact([Part(0, numbered(range(10), "alerts"), {})])
    assert log.retain(clock.now_ms + HOUR + 1) == 10
