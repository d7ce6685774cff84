"""What was appended is read back, in order, at dense offsets."""

from pathlib import Path
from threading import Thread

import pytest

from agents.transport.embedded.log import EmbeddedLog, Outgoing, Part, TopicMismatch, TopicUnknown, pack_headers
from tests.transport.conftest import everything, numbered, outgoing, values


def test_record_comes_back_whole(log: EmbeddedLog) -> None:
    """Offset, timestamp, key, value and headers are what was appended."""
    headers = pack_headers([("reason", b"late")])
    log.append([Outgoing("events", 1, -5, b"\x00key", None, headers), Outgoing("events", 1, 2**62, None, b"")])
    assert [(0, -5, b"\x00key", None, headers), (1, 2**62, None, b"", None)] == log.read("events", 1, 0, 10)


def test_offsets_come_in_the_order_of_the_records(log: EmbeddedLog) -> None:
    """Records of several partitions in one append get their own partition's next offsets."""
    log.append([outgoing(partition=1)])
    assert log.append([outgoing(partition=p) for p in (0, 1, 0, 1)]) == [0, 1, 1, 2]


def test_nothing_to_append_is_nothing(log: EmbeddedLog) -> None:
    """An empty append writes nothing."""
    before = log.version()
    assert log.append([]) == []
    assert before == log.version()


def test_read_starts_and_ends_anywhere(log: EmbeddedLog) -> None:
    """Batches are invisible: any start and limit gives exactly those records."""
    log.append(numbered(range(5000)))
    for start in (0, 1, 998, 999, 1000, 1001, 2500, 4999):
        for limit in (1, 2, 999, 1000, 1001, 9999):
            expected = list(range(start, min(5000, start + limit)))
            assert expected == [int(record[3] or b"") for record in log.read("events", 0, start, limit)]


def test_single_appends_are_read_together(log: EmbeddedLog) -> None:
    """Many small batches are read like one."""
    for n in range(700):
        log.append(numbered([n]))
    for limit in (1, 100, 513, 3000):
        expected = list(range(10, min(700, 10 + limit)))
        assert expected == [int(r[3] or b"") for r in log.read("events", 0, 10, limit)]


def test_read_stops_at_max_bytes_but_gives_a_record(log: EmbeddedLog) -> None:
    """A read does not grow far beyond max_bytes, and is never empty while there is something."""
    log.append([outgoing(value=bytes(100_000)) for _ in range(50)])
    assert 1 <= len(log.read("events", 0, 0, 50, max_bytes=1)) <= 3
    assert 9 <= len(log.read("events", 0, 0, 50, max_bytes=1_000_000)) <= 12


def test_large_record(log: EmbeddedLog) -> None:
    """A record of 20 MB is a record."""
    value = bytes(20_000_000)
    log.append([outgoing(), outgoing(value=value), outgoing()])
    assert value == log.read("events", 0, 1, 1)[0][3]


def test_start_and_end(log: EmbeddedLog) -> None:
    """End is the next offset; bounds give both for every partition."""
    log.append(numbered(range(3)))
    assert (log.start("events", 0), log.end("events", 0)) == (0, 3)
    expected = {("events", 0): (0, 3), ("events", 1): (0, 0), ("ledger-state", 0): (0, 0), ("ledger-state", 1): (0, 0)}
    assert expected == log.bounds()


def test_read_beyond_the_end_is_empty(log: EmbeddedLog) -> None:
    """At the end and after it there is nothing, and no error."""
    log.append(numbered(range(3)))
    assert log.read("events", 0, 3, 10) == []
    assert log.read("events", 0, 300, 10) == []
    assert log.read("events", 0, 0, 0) == []


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    """Records, topics, committed offsets and the log's id outlive the object."""
    with EmbeddedLog.open(tmp_path) as log:
        log.create_topic("events", 2, retention_ms=5)
        log.create_topic("state", 1, ledger=True)
        log.append(numbered(range(10)))
        log.transact([Part(0, [outgoing("state")], {("events", 0): 7})])
        log_id, topics = log.log_id, log.topics()
    with EmbeddedLog.open(tmp_path, create=False) as log:
        assert (log_id, topics) == (log.log_id, log.topics())
        assert log.committed() == {("events", 0): 7}
        assert log.append(numbered([10])) == [10]
        assert [b"%d" % n for n in range(11)] == values(log)


def test_transaction_is_records_and_offsets(log: EmbeddedLog) -> None:
    """One transaction stores several topics' records and the committed offsets, replacing older ones."""
    records = [outgoing("ledger-state", 0), outgoing("ledger-state", 1)]
    assert log.transact([Part(0, records, {("events", 0): 4})]) == [[0, 0]]
    log.transact([Part(0, [], {("events", 0): 9, ("events", 1): 1})])
    assert log.committed() == {("events", 0): 9, ("events", 1): 1}


def test_failed_transaction_changes_nothing(log: EmbeddedLog) -> None:
    """A bad record spoils the whole transaction: neither its companions nor the offsets are stored."""
    bad = Outgoing("ledger-state", 1, 0, b"k", "text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="'text' is str"):
        log.transact([Part(0, [outgoing("ledger-state", 0), bad], {("events", 0): 4})])
    assert log.committed() == {}
    assert (log.end("ledger-state", 0), log.end("ledger-state", 1)) == (0, 0)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (Outgoing("events", 0, 1, "k", b"v"), "key 'k' is str"),  # type: ignore[arg-type]
        (Outgoing("events", 0, 1, b"k", b"v", [("a", b"1")]), "headers"),  # type: ignore[arg-type]
        (Outgoing("events", 0, 1.5, b"k", b"v"), "timestamp 1.5 is float"),  # type: ignore[arg-type]
        (Outgoing("events", 0, True, b"k", b"v"), "timestamp True is bool"),
        (Outgoing("events", 0, 2**63, b"k", b"v"), "beyond 64 bits"),
    ],
)
def test_record_that_readers_could_not_take_is_refused(log: EmbeddedLog, record: Outgoing, message: str) -> None:
    """A wrong type is an error at the writer, named, and never stored."""
    with pytest.raises((TypeError, ValueError), match=message):
        log.append([outgoing(), record])
    assert log.end("events", 0) == 0


def test_each_file_has_its_own_door(log: EmbeddedLog) -> None:
    """Ledger topics are written by transact, the others by append, and the error says so."""
    with pytest.raises(TopicMismatch, match="ledger-state is in the ledger"):
        log.append([outgoing("ledger-state")])
    with pytest.raises(TopicMismatch, match="events is not in the ledger"):
        log.transact([Part(0, [outgoing()], {})])


def test_unknown_topic_and_partition_are_named(log: EmbeddedLog) -> None:
    """The error says what there is."""
    with pytest.raises(TopicUnknown, match="no topic 'nowhere'; there are: events, ledger-state"):
        log.append([outgoing("nowhere")])
    with pytest.raises(TopicUnknown, match="no partition 2, it has 0 to 1"):
        log.read("events", 2, 0, 1)
    with pytest.raises(TopicUnknown, match="no partition -1"):
        log.append([outgoing(partition=-1)])


def test_creating_a_topic_again_is_nothing(log: EmbeddedLog) -> None:
    """The same topic again changes nothing; another shape is an error that names the field."""
    log.create_topic("events", 2)
    with pytest.raises(TopicMismatch, match="partitions is 2, asked for 3"):
        log.create_topic("events", 3)
    with pytest.raises(TopicMismatch, match="ledger is False, asked for True"):
        log.create_topic("events", 2, ledger=True)
    with pytest.raises(TopicMismatch, match="compacted is True, asked for False"):
        log.create_topic("ledger-state", 2, ledger=True)


def test_retention_may_change(log: EmbeddedLog) -> None:
    """A new limit is taken over, None leaves it, a negative one lifts it."""
    log.create_topic("events", 2, retention_ms=1000, retention_bytes=5)
    log.create_topic("events", 2, retention_bytes=-1)
    assert (log.topics()["events"].retention_ms, log.topics()["events"].retention_bytes) == (1000, None)


def test_topic_made_by_another_object_is_found(log: EmbeddedLog) -> None:
    """A topic that another process creates later can be used at once."""
    with EmbeddedLog.open(log.folder) as other:
        other.create_topic("later", 1)
    assert log.append([outgoing("later")]) == [0]


def test_version_changes_with_every_commit_only(log: EmbeddedLog) -> None:
    """Appends and transactions, by this object or another, change the version; reading does not."""
    seen = [log.version()]
    log.append([outgoing()])
    seen.append(log.version())
    log.transact([Part(0, [], {("events", 0): 1})])
    seen.append(log.version())
    with EmbeddedLog.open(log.folder) as other:
        other.append([outgoing()])
    seen.append(log.version())
    list(everything(log))
    assert seen[-1] == log.version()
    assert len(set(seen)) == 4


def test_threads_share_one_object(log: EmbeddedLog) -> None:
    """Four threads append and read through one object: offsets are dense and nothing is lost."""
    given: list[int] = []

    def work(thread: int) -> None:
        for n in range(50):
            given.extend(log.append(numbered([thread * 100 + n])))
            log.read("events", 0, 0, 100)

    threads = [Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(range(200)) == sorted(given)
    assert {b"%d" % (t * 100 + n) for t in range(4) for n in range(50)} == set(values(log))


def test_reading_does_not_wait_for_the_writer(log: EmbeddedLog) -> None:
    """While a transaction is open, readers see what was there before it; cut off, it leaves no trace."""
    log.append(numbered([1]))

    def cut_off() -> None:
        with log._log.transaction() as connection:
            connection.execute("DELETE FROM batches_1_0")
            assert values(log) == [b"1"]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert values(log) == [b"1"]


def test_closed_log_says_so(log: EmbeddedLog) -> None:
    """After close every call is an error with that text."""
    log.close()
    assert log.closed
    for call in (lambda: log.append([outgoing()]), lambda: log.read("events", 0, 0, 1), log.version):
        with pytest.raises(Exception, match="the log has been closed"):
            call()
