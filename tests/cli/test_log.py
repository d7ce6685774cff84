"""log and send --raw-records: a log can be moved byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.cli.raw_records import BadRecord, from_line, to_line
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog, Outgoing, Record, pack_headers, partition_for
from tests.cli.conftest import Run, records, values
from tests.oracle.logs import template

BYTES = st.none() | st.binary() | st.text().map(str.encode)
HEADERS = st.lists(st.tuples(st.text(), BYTES), max_size=4)
TIMES = st.integers(-(2**63), 2**63 - 1)


@given(st.integers(0, 3), TIMES, BYTES, BYTES, HEADERS)
def test_any_record_comes_back(
    partition: int, timestamp: int, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    """Key, value, headers, timestamp and partition come back exactly, whatever the bytes."""
    packed = pack_headers(headers)
    record = to_line(Record(17, timestamp, key, value, packed), partition)
    assert b"\n" not in record
    assert from_line(record, "qc-events", 4) == Outgoing("qc-events", partition, timestamp, key, value, packed)


def test_a_log_is_moved(run: Run, log: EmbeddedLog) -> None:
    """What `log` prints, `send --raw-records` puts into another log with the same partitions and offsets."""
    nasty = [b"", b"\xff\x00", b"\n\r", "良".encode(), b'{"a":"\\ud800"}', None]
    outgoing = [
        Outgoing("qc-events", n % 4, n * 7 % 5, key, value, pack_headers([("a", key), ("a", b"\xff"), ("b", None)]))
        for n, (key, value) in enumerate((key, value) for key in nasty for value in nasty)
    ]
    log.append(outgoing)
    moved = run("log", "qc-events").out.encode()
    assert run("send", "-", "--raw-records", "--topic", "qc-events", "--data", "copy", stdin=moved).code == 0
    with EmbeddedLog.open(Path("copy"), create=False) as copy:
        assert records(copy, "qc-events") == records(log, "qc-events")


def test_what_came_since_is_moved_by_partition(run: Run, log: EmbeddedLog) -> None:
    """Whatever was moved before, and however far each partition was."""
    log.append([Outgoing("qc-events", number % 3 and 1, 1, b"E", b"old") for number in range(7)])
    moved = run("log", "qc-events").out
    Path("moved.log").write_text(moved)
    assert [] == run("log", "qc-events", "--after", "moved.log").rows()
    log.append([Outgoing("qc-events", number, 2, b"E", b"new") for number in (0, 1, 3, 3)])
    found = [(row["partition"], row["offset"]) for row in run("log", "qc-events", "--after", "moved.log").rows()]
    assert [(0, 3), (1, 4), (3, 0), (3, 1)] == sorted(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "--after since.log: No such file"),
        ("{}\n", "line 1 is no record"),
        ('{"partition":0,"offset":1}\nx', "line 2"),
    ],
)
def test_a_file_that_tells_no_places_is_refused(run: Run, log: EmbeddedLog, text: str | None, said: str) -> None:
    """Named, with the line; and with --from beside it nobody could tell what is meant."""
    if text is not None:
        Path("since.log").write_text(text)
    result = run("log", "qc-events", "--after", "since.log")
    assert (result.code, said in result.err) == (2, True), result.err
    assert run("log", "qc-events", "--after", "since.log", "--from", "3").code == 2


def test_form(run: Run, log: EmbeddedLog) -> None:
    """A record is one object: text as text, other bytes as base64, headers as an object where that holds them."""
    log.append([Outgoing("qc-events", 1, 5, b"E1", b"{}", pack_headers([("who", b"me")]))])
    log.append([Outgoing("qc-events", 1, 6, b"\xff", None)])
    assert run("log", "qc-events").rows() == [
        {"key": "E1", "timestamp": 5, "value": "{}", "headers": {"who": "me"}, "partition": 1, "offset": 0},
        {"key_base64": "/w==", "timestamp": 6, "value": None, "headers": {}, "partition": 1, "offset": 1},
    ]


def test_merged_by_time(run: Run, log: EmbeddedLog) -> None:
    """Partitions are merged by timestamp; within a partition the log's order holds."""
    log.append([Outgoing("qc-events", p, t, b"E", b"") for p, t in [(0, 30), (0, 10), (1, 20), (1, 40)]])
    found = [(row["partition"], row["offset"]) for row in run("log", "qc-events").rows()]
    assert found == [(1, 0), (0, 0), (0, 1), (1, 1)]


@pytest.mark.parametrize(
    ("options", "offsets"),
    [
        ([], [0, 1, 2, 3]),
        (["--from", "2"], [2, 3]),
        (["--limit", "2"], [0, 1]),
        (["--limit", "0"], []),
        (["--from", "1", "--limit", "1", "--partition", "0"], [1]),
        (["--partition", "1"], []),
        (["--from", "99"], []),
    ],
)
def test_parts(run: Run, log: EmbeddedLog, options: list[str], offsets: list[int]) -> None:
    """--from, --limit and --partition choose a part."""
    log.append([Outgoing("qc-events", 0, n, b"E", b"") for n in range(4)])
    assert [row["offset"] for row in run("log", "qc-events", *options).rows()] == offsets


def test_empty_and_unknown_topics(run: Run, log: EmbeddedLog) -> None:
    """A topic without records prints nothing; one that does not exist is a usage error."""
    assert run("log", "alerts") == (0, "", "")
    result = run("log", "alert")
    assert (result.code, "did you mean alerts?" in result.err) == (2, True)
    assert run("log", "alerts", "--partition", "4").code == 2


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("x", "not a record"),
        ('{"value":"x"}', "timestamp"),
        ('{"timestamp":1}', "no value"),
        ('{"timestamp":1.5,"value":"x"}', "timestamp"),
        ('{"timestamp":99999999999999999999,"value":"x"}', "timestamp 99999999999999999999"),
        ('{"timestamp":1,"value_base64":"?"}', "value_base64 '?'"),
        ('{"timestamp":1,"value":"x","value_base64":"eA=="}', "both value and value_base64"),
        ('{"timestamp":1,"key":"x","key_base64":"eA==","value":"x"}', "both key and key_base64"),
        ('{"timestamp":1,"value":"x","partition":4}', "partition 4: this log has 0 to 3"),
        ('{"timestamp":1,"value":"x","partition":-1}', "partition -1"),
        ('{"timestamp":1,"value":"x","headers":{"a":1}}', "headers"),
        ('{"timestamp":1,"value":"x","headers":[["a",{"base64":"?"}]]}', "header 'a' '?'"),
        ('{"timestamp":1,"value":"\\ud800"}', "not a record"),
        ('{"timestamp":1,"value":"\\udc00"}', "not a record"),
    ],
)
def test_bad_raw_records(record: str, said: str) -> None:
    """A line that is no record is refused with the field, the value and what is wrong."""
    with pytest.raises(BadRecord) as caught:
        from_line(record.encode(), "qc-events", 4)
    assert said in str(caught.value)


def test_other_raw_records_go_on(run: Run, log: EmbeddedLog) -> None:
    """A line that is no record is told with its number; the others are sent, and the exit code is 1."""
    good = json.dumps({"timestamp": 1, "key": None, "value": "not json"})
    result = run("send", "-", "--raw-records", "--topic", "qc-events", stdin=f"x\n{good}\n".encode())
    assert result.code == 1
    assert "line 1: not a record" in result.err
    assert values(log, "qc-events") == [b"not json"]


def test_raw_records_by_their_type(run: Run, log: EmbeddedLog) -> None:
    """Without --topic a raw record goes where the type in its value says; one that says nothing stays out."""
    good = {"timestamp": 7, "key": "E1", "value": '{"type":"people.target"}'}
    lines = [good, {"timestamp": 7, "key": "E1", "value": "{}"}]
    result = run("send", "-", "--raw-records", stdin="\n".join(map(json.dumps, lines)).encode())
    assert (result.code, "line 2: its value names no topic" in result.err) == (1, True)
    assert [(r.timestamp, r.key, r.value) for _, r in records(log, "people-events")] == [
        (7, b"E1", b'{"type":"people.target"}')
    ]


def test_moving_to_fewer_partitions(run: Run) -> None:
    """A record of a partition that the other log lacks is told, not put somewhere else."""
    with EmbeddedLog.open(Path("small")) as small:
        ensure_topics(small, Settings.load({}, {"partitions": 1}))
    record = json.dumps({"timestamp": 1, "key": "E1", "value": "{}", "partition": 3}).encode()
    result = run("send", "-", "--raw-records", "--topic", "qc-events", "--data", "small", stdin=record)
    assert (result.code, "partition 3: this log has 0 to 0" in result.err) == (1, True)


def test_records_in_a_strange_partition_are_told_once(run: Run, log: EmbeddedLog) -> None:
    """They go in as they say, and will be rejected: how many there are, and which is the first."""
    right = partition_for(b"E1", 4)
    lines = [{"key": "E1", "timestamp": 1, "value": "{}", "partition": n % 4} for n in range(40)]
    lines = [*lines[right:], {"key": "E1", "timestamp": 1, "value": "{}"}, {"timestamp": 1, "value": "{}"}]
    sent = b"".join(json.dumps(each).encode() + b"\n" for each in lines)
    result = run("send", "-", "--raw-records", "--topic", "qc-events", stdin=sent)
    strange = sum(each.get("partition", right) != right for each in lines[:-1])
    assert (result.code, result.err.count("warning")) == (0, 1)
    assert f"warning: {strange} records are in a partition that is not their key's" in result.err
    assert f"first: line 2, key 'E1' in qc-events/{(right + 1) % 4}, which belongs in {right}" in result.err
    assert len(values(log, "qc-events")) == len(lines)


@pytest.mark.parametrize("topic", ["ticks", "templates", "commands"])
def test_other_topics_place_their_records_themselves(run: Run, log: EmbeddedLog, topic: str) -> None:
    """A tick's key is no employee: nothing is said of where it is."""
    sent = b"".join(b'{"key":"1","timestamp":1,"value":"{}","partition":%d}\n' % n for n in range(4))
    assert "warning" not in run("send", "-", "--raw-records", "--topic", topic, stdin=sent).err


def test_a_published_version_is_not_replaced_by_a_record(run: Run, log: EmbeddedLog) -> None:
    """Compaction would keep the later one: another text, another time and no value are refused; the same is moved."""
    Path("t.yaml").write_text(template())
    assert run("templates", "publish", "t.yaml").code == 0
    (line,) = run("log", "templates").rows()
    published = records(log, "templates")
    for other in ({"value": line["value"] + "\n"}, {"timestamp": line["timestamp"] + 1}, {"value": None}):
        sent = json.dumps(line | other).encode()
        result = run("send", "-", "--raw-records", "--topic", "templates", stdin=sent)
        assert (1, True) == (result.code, line["key"] in result.err), result.err
        assert published == records(log, "templates")
    assert run("send", "-", "--raw-records", "--topic", "templates", stdin=json.dumps(line).encode()).code == 0
    moved = run("send", "-", "--raw-records", "--topic", "templates", "--data", "copy", stdin=json.dumps(line).encode())
    assert 0 == moved.code
    with EmbeddedLog.open(Path("copy"), create=False) as copy:
        assert published == records(copy, "templates")
