"""What any log promises (`agents/transport/log.py`), as tests that run over each kind: records, parts, owners, ends.

A kind gives the fixture `log`: a Log with the topics `names.events` (two partitions) and `names.state` (two, compacted,
a ledger), all empty, whose partitions this process owns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

import pytest

from agents.transport.errors import LogError, TopicMismatch, TopicUnknown
from agents.transport.log import Log, Outgoing, Part, Record, TopicPartition, pack_headers

AT = 1_700_000_000_000
_KEYS = count()


class Names(NamedTuple):
    """Of the suite's topics."""

    events: str
    state: str


def record(topic: str, partition: int = 0, *, value: bytes | None = b"v") -> Outgoing:
    """One record, at a timestamp that means nothing, with a key of its own.

    Records of one key a broker may compact at any moment: the marker that ends a transaction has the time of today,
    so a segment that begins with a record of long ago is closed by it, and may be cleaned then.
    """
    return Outgoing(topic, partition, AT, b"k%d" % next(_KEYS), value)


def numbered(numbers: range, topic: str, partition: int = 0) -> list[Outgoing]:
    """Records whose value is their number."""
    return [record(topic, partition, value=b"%d" % n) for n in numbers]


def everything(log: Log, topic: str, partition: int = 0, limit: int = 700) -> Iterator[Record]:
    """All records of a partition, read piece by piece until nothing is there."""
    position = 0
    while found := log.read(topic, partition, position, limit):
        yield from found
        position = found[-1][0] + 1


def values(log: Log, topic: str, partition: int = 0) -> list[bytes | None]:
    """The values of `everything`."""
    return [found[3] for found in everything(log, topic, partition)]


def committed(log: Log, place: TopicPartition, offset: int) -> None:
    """Waits until a committed offset is seen: a broker may take some milliseconds to tell the group's coordinator."""
    _soon(offset, lambda: log.committed().get(place))


def seen(expected: Sequence[bytes], log: Log, topic: str, partition: int = 0) -> None:
    """Waits until exactly these values are seen: commits hold some milliseconds before readers see them."""
    _soon(list(expected), lambda: values(log, topic, partition))


def _soon(expected: object, found: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while (given := found()) != expected:
        assert time.monotonic() < deadline, f"{given} is not {expected}"


class LogSuite:
    """The tests; a kind of log is a subclass."""

    def test_records_come_back_whole(self, log: Log, names: Names) -> None:
        """Offset, timestamp, key, value and headers are what was appended; nothing and empty are two things."""
        headers = pack_headers([("reason", b"late"), ("reason", b""), ("why", None)])
        sent = [
            Outgoing(names.events, 1, 1, b"\x00key", None, headers),
            Outgoing(names.events, 1, 2**42, None, b""),
            Outgoing(names.events, 1, AT, b"", b"\xff"),
        ]
        assert [0, 1, 2] == log.append(sent)
        assert [(n, *row[2:]) for n, row in enumerate(sent)] == log.read(names.events, 1, 0, 10)

    def test_offsets_come_in_the_order_of_the_records(self, log: Log, names: Names) -> None:
        """Records of several partitions in one append get their own partition's next offsets."""
        log.append([record(names.events, 1)])
        assert [0, 1, 1, 2] == log.append([record(names.events, p) for p in (0, 1, 0, 1)])

    def test_reads_begin_and_end_anywhere(self, log: Log, names: Names) -> None:
        """Any start gives the records from there on, one at least while there is one, never more than asked for."""
        log.append(numbered(range(2_000), names.events))
        for start in (0, 1_999, 1, 999, 1_500):
            for limit in (1, 2, 999, 5_000):
                found = [int(row[3] or b"") for row in log.read(names.events, 0, start, limit)]
                assert 1 <= len(found) <= limit
                assert list(range(start, start + len(found))) == found
        assert [b"%d" % n for n in range(2_000)] == values(log, names.events)

    def test_at_the_end_and_behind_it_there_is_nothing(self, log: Log, names: Names) -> None:
        """And no error; what comes later is found there."""
        log.append(numbered(range(3), names.events))
        assert [] == log.read(names.events, 0, 3, 10)
        assert [] == log.read(names.events, 0, 300, 10)
        assert [] == log.read(names.events, 0, 0, 0)
        log.append(numbered(range(3, 4), names.events))
        assert [b"3"] == [row[3] for row in log.read(names.events, 0, 3, 10)]

    def test_a_read_is_not_much_larger_than_asked_for(self, log: Log, names: Names) -> None:
        """It ends soon behind max_bytes."""
        log.append([record(names.events, value=bytes(10_000)) for _ in range(3_000)])
        assert 1 <= len(log.read(names.events, 0, 0, 3_000, 1)) <= 550
        assert len(log.read(names.events, 0, 0, 3_000, 1_000_000)) <= 650

    def test_bounds_are_told_in_every_way(self, log: Log, names: Names) -> None:
        """Of one partition, of some, of all."""
        log.append(numbered(range(3), names.events))
        places = [(names.events, 0), (names.events, 1)]
        assert (0, 3) == (log.start(names.events, 0), log.end(names.events, 0))
        assert [0, 0] == [log.starts(places)[place] for place in places]
        assert [3, 0] == [log.ends(places)[place] for place in places]
        assert {(names.events, 0): (0, 3), (names.events, 1): (0, 0)}.items() <= log.bounds().items()

    def test_a_part_is_records_and_offsets(self, log: Log, names: Names) -> None:
        """Records of the ledger and committed offsets become true together; newer offsets take the place of older."""
        first, second = record(names.state, value=b"1"), record(names.state, value=b"2")
        assert [[0, 1]] == log.transact([Part(0, [first, second], {(names.events, 0): 4})])
        committed(log, (names.events, 0), 4)
        log.transact([Part(0, [], {(names.events, 0): 9})])
        committed(log, (names.events, 0), 9)
        seen([b"1", b"2"], log, names.state)

    def test_parts_of_several_owners(self, log: Log, names: Names) -> None:
        """Each part's records have their own offsets, wherever they lie."""
        parts = [Part(number, numbered(range(number + 2), names.state, number), {}) for number in (1, 0)]
        assert [[0, 1, 2], [0, 1]] == log.transact(parts)
        (again,) = log.transact([Part(1, numbered(range(2), names.state, 1), {})])
        seen([b"0", b"1", b"2", b"0", b"1"], log, names.state, 1)
        assert again == [row[0] for row in everything(log, names.state, 1)][3:]

    def test_readers_of_commits_miss_nothing(self, log: Log, names: Names) -> None:
        """Offsets may have gaps between parts; who reads on from the last record finds the next."""
        for n in range(20):
            log.transact([Part(0, numbered(range(n, n + 1), names.state), {})])
        seen([b"%d" % n for n in range(20)], log, names.state)
        position, found = 0, []
        while rows := log.read(names.state, 0, position, 1):
            found.append(rows[0][3])
            position = rows[0][0] + 1
        assert values(log, names.state) == found
        assert position <= log.end(names.state, 0)

    def test_the_owner_appends(self, log: Log, names: Names) -> None:
        """To topics that others may append to as well."""
        sent = [record(names.events, p, value=b"%d" % n) for n, p in enumerate((0, 1, 0))]
        first = log.append_owned(sent)
        assert [0, 0, 1] == first
        log.append([record(names.events, 0, value=b"other")])
        seen([b"0", b"2", b"other"], log, names.events)

    def test_what_is_appended_alone_is_whole(self, log: Log, names: Names) -> None:
        """All of it is there, in order."""
        with log.alone("a-test") as append:
            append(numbered(range(3), names.events))
        assert [b"0", b"1", b"2"] == values(log, names.events)

    def test_the_wrong_door(self, log: Log, names: Names) -> None:
        """A ledger is not appended to; a topic or partition that is not there is named."""
        with pytest.raises(TopicMismatch, match="ledger"):
            log.append([record(names.state)])
        with pytest.raises(TopicUnknown, match="no-such-topic"):
            log.append([record("no-such-topic")])
        with pytest.raises(TopicUnknown, match="no partition 2"):
            log.append([record(names.events, 2)])
        with pytest.raises(TopicUnknown, match="no-such-topic"):
            log.read("no-such-topic", 0, 0, 1)

    def test_records_that_no_log_takes(self, log: Log, names: Names) -> None:
        """Too large a record is refused with its size."""
        with pytest.raises(ValueError, match="send it in parts"):
            log.append([record(names.events, value=bytes(65 << 20))])

    def test_a_topic_is_made_once(self, log: Log, names: Names) -> None:
        """Making it again changes nothing; another number of partitions is refused."""
        log.create_topic(names.events, 2)
        with pytest.raises(TopicMismatch, match="partitions is 2, asked for 3"):
            log.create_topic(names.events, 3)
        assert 2 == log.topics()[names.events].partitions
        with pytest.raises(ValueError, match="give 1 or more"):
            log.create_topic(names.events, 0)

    def test_a_topic_has_an_id(self, log: Log, names: Names) -> None:
        """The same as long as it is the same topic; one that is not there has none."""
        found = log.topic_ids([names.events, names.state, "no-such-topic"])
        assert {names.events, names.state} == found.keys()
        assert found == log.topic_ids([names.events, names.state])

    def test_writing_is_seen(self, log: Log, names: Names) -> None:
        """The version is another one soon after anything was written."""
        before = log.version()
        log.append([record(names.events)])
        while log.version() == before:
            """The look is at most some milliseconds old."""
        before = log.version()
        log.transact([Part(0, [record(names.state)], {})])
        while log.version() == before:
            """The same for commits."""

    def test_nothing_is_read_from_a_closed_log(self, log: Log, names: Names) -> None:
        """Closing ends it; that is said."""
        log.append([record(names.events)])
        log.close()
        assert log.closed
        with pytest.raises(LogError, match="closed"):
            log.read(names.events, 0, 0, 1)
