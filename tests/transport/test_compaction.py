"""Compaction keeps the newest record of every key, at its offset; readers see gaps and go on."""

import random

import pytest

from agents.transport.embedded import compaction
from agents.transport.embedded.compaction import TOMBSTONE_GRACE_MS, compact_file
from agents.transport.embedded.log import EmbeddedLog, Outgoing, Part
from tests.transport.conftest import Clock, everything

TOPIC = "ledger-state"


def state(key: int, value: int | None) -> Outgoing:
    """A key's new value, None for a tombstone."""
    return Outgoing(TOPIC, 0, value or 0, b"%d" % key, None if value is None else b"%d" % value)


def kept(log: EmbeddedLog) -> list[tuple[int, bytes | None, bytes | None]]:
    """Offset, key and value of all that is there."""
    return [(record[0], record[2], record[3]) for record in everything(log, TOPIC)]


def test_newest_of_each_key_stays(log: EmbeddedLog) -> None:
    """Older values go, the newest stay where they are, and the next offset is untouched."""
    log.transact([Part(0, [state(1, 10), state(2, 20), state(1, 11), state(3, 30), state(2, 21)], {})])
    assert log.compact() == 2
    assert kept(log) == [(2, b"1", b"11"), (3, b"3", b"30"), (4, b"2", b"21")]
    assert log.transact([Part(0, [state(1, 12)], {})]) == [[5]]
    assert log.compact() == 1
    assert kept(log) == [(3, b"3", b"30"), (4, b"2", b"21"), (5, b"1", b"12")]
    assert log.compact() == 0


def test_reading_goes_on_over_gaps(log: EmbeddedLog) -> None:
    """Any start and limit gives the records that are left from there on."""
    log.transact([Part(0, [state(n % 50, n) for n in range(5000)], {})])
    log.compact()
    left = [offset for offset, _, _ in kept(log)]
    assert list(range(4950, 5000)) == left
    for start in (0, 1, 4949, 4950, 4951, 4999):
        assert [o for o in left if o >= start][:7] == [r[0] for r in log.read(TOPIC, 0, start, 7)]
    assert log.read(TOPIC, 0, 5000, 7) == []


def test_other_topics_are_left_alone(log: EmbeddedLog) -> None:
    """A topic that is not compacted keeps every record."""
    log.append([Outgoing("events", 0, 0, b"k", b"v")] * 10)
    assert log.compact() == 0
    assert 10 == log.end("events", 0) == len(list(everything(log)))


def test_topics_that_many_append_to_can_be_compacted(log: EmbeddedLog) -> None:
    """Compaction works in the log's file as in the ledger's."""
    log.create_topic("templates", 1, compacted=True)
    log.append([Outgoing("templates", 0, n, b"k", b"%d" % n) for n in range(3)])
    assert log.compact() == 2
    assert [record[3] for record in everything(log, "templates")] == [b"2"]


def test_tombstone_hides_the_older_and_goes_itself_later(log: EmbeddedLog, clock: Clock) -> None:
    """A deletion is kept a day for readers that are behind, then it is gone too, unless it is the very last record."""
    log.transact([Part(0, [state(1, 10), state(1, None), state(2, 20)], {})])
    assert log.compact() == 1
    assert kept(log) == [(1, b"1", None), (2, b"2", b"20")]
    clock.now_ms += TOMBSTONE_GRACE_MS + 1
    log.transact([Part(0, [state(3, 30), state(2, None)], {})])
    assert log.compact() == 2
    assert kept(log) == [(3, b"3", b"30"), (4, b"2", None)]
    clock.now_ms += TOMBSTONE_GRACE_MS + 1
    assert log.compact() == 0
    assert [offset for offset, _, _ in kept(log)] == [3, 4]


def test_records_without_key_stay(log: EmbeddedLog) -> None:
    """What has no key has no newer version."""
    log.transact([Part(0, [Outgoing(TOPIC, 0, 0, None, b"%d" % n) for n in range(3)], {})])
    assert log.compact() == 0
    assert len(kept(log)) == 3


def test_little_that_is_new_can_wait(log: EmbeddedLog) -> None:
    """With `min_dirty` a partition is left alone until that share of its records is new."""
    log.transact([Part(0, [state(n, n) for n in range(100)], {})])
    log.compact()
    log.transact([Part(0, [state(n, -n) for n in range(50)], {})])
    assert log.compact(min_dirty=0.5) == 0
    log.transact([Part(0, [state(n, -n) for n in range(50, 100)], {})])
    assert log.compact(min_dirty=0.5) == 100


@pytest.mark.parametrize("map_keys", [1, 10, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_any_history_ends_like_a_dict(
    log: EmbeddedLog, clock: Clock, monkeypatch: pytest.MonkeyPatch, map_keys: int, seed: int
) -> None:
    """After any mix of writes, deletions and compactions, in slices of any size, reading gives a dict's content."""
    monkeypatch.setattr(compaction, "_SLICE_BATCHES", 3)
    dice = random.Random(seed)
    expected: dict[bytes | None, bytes | None] = {}
    for _ in range(30):
        changes = [
            state(dice.randrange(40), dice.choice([None, dice.randrange(999)])) for _ in range(dice.randrange(60))
        ]
        if changes:
            log.transact([Part(0, changes, {})])
        expected.update({change.key: change.value for change in changes})
        if dice.random() < 0.5:
            clock.now_ms += dice.choice([0, TOMBSTONE_GRACE_MS * 2])
            compact_file(log._ledger, 0.0, clock.now_ms, map_keys)
        seen = {record[2]: record[3] for record in everything(log, TOPIC, limit=dice.randrange(1, 50))}
        assert {k: v for k, v in expected.items() if v is not None} == {k: v for k, v in seen.items() if v is not None}
    compact_file(log._ledger, 0.0, clock.now_ms, map_keys)
    assert len(kept(log)) <= len(expected)
    offsets = [offset for offset, _, _ in kept(log)]
    assert sorted(set(offsets)) == offsets


def test_size_stays_known(log: EmbeddedLog) -> None:
    """Retention by size works on what compaction has left."""
    log.create_topic(TOPIC, 2, ledger=True, compacted=True, retention_bytes=50_000)
    log.transact([Part(0, [Outgoing(TOPIC, 0, 0, b"%d" % (n % 10), bytes(1000)) for n in range(1000)], {})])
    assert log.compact() == 990
    assert log.retain(0) == 0
    assert len(kept(log)) == 10
