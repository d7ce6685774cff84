"""send: the bytes go in as they are, to the right place, and what has no place is told."""

from __future__ import annotations

import errno
import json
import signal
from functools import partial
from pathlib import Path

import pytest

from agents.cli.lines import blocks
from agents.cli.routing import REPORTED
from agents.transport.embedded.log import EmbeddedLog, LogFull, Outgoing, partition_for
from stream.topics import INPUTS
from tests.cli.conftest import Run, line, records, values


def test_original_bytes(run: Run, log: EmbeddedLog) -> None:
    """A line is stored byte for byte: spaces, escapes, number forms and unknown fields stay."""
    odd = b' {"type" : "qc.inspection","employee_id":"E1", "n":1.50e1, "x":"\\u00fc\xc3\xbc" } '
    assert run("send", "-", stdin=odd + b"\n").code == 0
    assert values(log, "qc-events") == [odd]


def test_topic_key_and_partition(run: Run, log: EmbeddedLog) -> None:
    """The topic follows from the type, the key is the employee, the partition is the key's."""
    kinds = {"qc.inspection": "qc-events", "business.sale": "business-events", "people.target": "people-events"}
    lines = [line(n, type=kind, employee_id=f"E{n}") for n, kind in enumerate([*kinds] * 20)]
    assert run("send", "-", stdin=b"".join(lines)).code == 0
    found = [(topic, partition, record) for topic in INPUTS for partition, record in records(log, topic)]
    assert len(found) == len(lines)
    for topic, partition, record in found:
        sent = json.loads(record.value or b"")
        key = sent["employee_id"].encode()
        assert (kinds[sent["type"]], key, partition_for(key, 4)) == (topic, record.key, partition)


def test_order_is_kept(run: Run, log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events of one employee keep their order over all batches."""
    monkeypatch.setattr("agents.cli.send.blocks", partial(blocks, size=1_000))
    numbers = list(range(300))
    assert run("send", "-", stdin=b"".join(line(n) for n in numbers)).code == 0
    assert [json.loads(value or b"")["event_id"] for value in values(log, "qc-events")] == [f"pol-{n}" for n in numbers]


def test_log_is_made(run: Run) -> None:
    """Sending makes the log, with all topics and the partitions asked for."""
    assert run("send", "-", "--data", "new", "--partitions", "2", stdin=line()).code == 0
    with EmbeddedLog.open(Path("new"), create=False) as made:
        assert {info.partitions for info in made.topics().values()} == {2}
        assert values(made, "qc-events") == [line().rstrip(b"\n")]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"{", "not JSON"),
        (b"hello", "not JSON"),
        (b'{"employee_id":"\xff"}', "not JSON"),
        (b'{"employee_id":"E1","type":"qc.x","n":NaN}', "not JSON"),
        (b"[1]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"type":"qc.x"}', "no employee_id"),
        (b'{"type":"qc.x","employee_id":7}', "no employee_id"),
        (b'{"employee_id":"E1"}', "no type"),
        (b'{"employee_id":"E1","type":"sales.x"}', "no topic for the type 'sales.x'"),
        (b'{"employee_id":"E1","type":null}', "no type"),
    ],
)
def test_lines_without_a_place(run: Run, log: EmbeddedLog, bad: bytes, reason: str) -> None:
    """A line without a place is told with number and text; the others are sent and the exit code is 1."""
    result = run("send", "-", stdin=line(1) + b"\n" + bad + b"\n" + line(2))
    assert result.code == 1
    assert f"line 3: {reason}" in result.err
    assert bad[:8].decode("utf-8", "replace") in result.err
    assert "sent 2 records" in result.err
    assert len(values(log, "qc-events")) == 2


def test_with_a_topic_everything_goes(run: Run, log: EmbeddedLog) -> None:
    """With --topic every line goes in as it is, so that it becomes a dead letter; a key only where there is one."""
    bad = [b"{", b"[1]", b'{"employee_id":7}', b'{"employee_id":"E1"}', b'{"employee_id":"E1","type":"sales.x"}']
    result = run("send", "-", "--topic", "qc-events", stdin=b"\n".join(bad) + b"\n\n")
    assert (result.code, "sent 5 records" in result.err) == (0, True)
    found = {record.value: (partition, record.key) for partition, record in records(log, "qc-events")}
    assert set(bad) == set(found)
    assert [found[value][1] for value in bad] == [None, None, None, b"E1", b"E1"]
    assert found[bad[3]][0] == partition_for(b"E1", 4)


def test_many_problems_are_counted(run: Run, log: EmbeddedLog) -> None:
    """Of very many bad lines the first are shown, and all are counted."""
    result = run("send", "-", stdin=b"x\n" * (REPORTED + 50))
    assert result.err.count("not JSON") == REPORTED
    assert f"{REPORTED + 50} lines left out" in result.err


def test_terminal_is_left_alone(run: Run, log: EmbeddedLog) -> None:
    """A bad line cannot send control sequences to the terminal."""
    assert "\x1b" not in run("send", "-", stdin=b"\x1b]0;title\x07\n").err


@pytest.mark.parametrize("topic", ["alerts", "score-updates", "dead-letters"])
def test_ledger_topics_are_the_workers(run: Run, log: EmbeddedLog, topic: str) -> None:
    """What only the worker writes cannot be sent to."""
    result = run("send", "-", "--topic", topic, stdin=line())
    assert (result.code, f"--topic {topic}: only the worker writes it" in result.err) == (2, True)


def test_unknown_topic(run: Run, log: EmbeddedLog) -> None:
    """An unknown topic is an error with the nearest name."""
    result = run("send", "-", "--topic", "qc_events", stdin=line())
    assert (result.code, "did you mean qc-events?" in result.err) == (2, True)


def test_event_time(run: Run, log: EmbeddedLog) -> None:
    """With --event-time the log time is occurred_at, in that order; equal times keep the order of the file."""
    times = ["2026-03-02T08:00:02+08:00", 1_772_409_601_000, "2026-03-02T00:00:02Z", "2026-03-02t00:00:00.5z"]
    lines = [line(n, occurred_at=at) for n, at in enumerate(times)]
    assert run("send", "-", "--event-time", stdin=b"".join(lines)).code == 0
    found = [(record.timestamp, json.loads(record.value or b"")["event_id"]) for _, record in records(log, "qc-events")]
    assert found == [
        (1_772_409_600_500, "pol-3"),
        (1_772_409_601_000, "pol-1"),
        (1_772_409_602_000, "pol-0"),
        (1_772_409_602_000, "pol-2"),
    ]


@pytest.mark.parametrize("bad", ["yesterday", "1999-01-01T00:00:00Z", None, "2026-03-02T24:00:00Z", 5])
def test_event_time_of_a_bad_line(run: Run, log: EmbeddedLog, bad: object) -> None:
    """A line whose time cannot be read keeps its place behind the line before it."""
    at = ["2026-03-02T00:00:05Z", bad, "2026-03-02T00:00:01Z"]
    assert run("send", "-", "--event-time", stdin=b"".join(line(n, occurred_at=t) for n, t in enumerate(at))).code == 0
    found = [(record.timestamp, json.loads(record.value or b"")["event_id"]) for _, record in records(log, "qc-events")]
    assert found == [(1_772_409_601_000, "pol-2"), (1_772_409_605_000, "pol-0"), (1_772_409_605_000, "pol-1")]


def test_full_disk(run: Run, log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full, it says so and how many records are durable."""
    taken: list[Outgoing] = []

    def append(_: EmbeddedLog, outgoing: list[Outgoing]) -> list[int]:
        if taken:
            raise LogFull("log.sqlite: no room left on the disk")
        taken.extend(outgoing)
        return list(range(len(outgoing)))

    monkeypatch.setattr("agents.cli.send.blocks", partial(blocks, size=200))
    monkeypatch.setattr(EmbeddedLog, "append", append)
    result = run("send", "-", stdin=b"".join(line(n) for n in range(20)))
    assert result.code == 1
    assert f"sent {len(taken)} records" in result.err
    assert "no room left on the disk" in result.err


def test_interrupt_within_an_append(run: Run, log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt just after records became durable ends the command with 130, and they are in the count."""
    append = EmbeddedLog.append

    def interrupted(opened: EmbeddedLog, outgoing: list[Outgoing]) -> list[int]:
        offsets = append(opened, outgoing)
        signal.raise_signal(signal.SIGINT)
        return offsets

    monkeypatch.setattr(EmbeddedLog, "append", interrupted)
    result = run("send", "-", stdin=line(1) + line(2))
    assert (result.code, "sent 2 records" in result.err) == (130, True)
    assert len(values(log, "qc-events")) == 2


def test_other_errors_are_told(run: Run, log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the operating system is one line that names what failed."""

    def append(_: EmbeddedLog, __: list[Outgoing]) -> list[int]:
        raise OSError(errno.EIO, "Input/output error", "log.sqlite")

    monkeypatch.setattr(EmbeddedLog, "append", append)
    result = run("send", "-", stdin=line())
    assert (result.code, "log.sqlite: Input/output error" in result.err) == (1, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--csv"], "--mapping is missing"),
        (["--mapping", "m.yaml"], "only CSV has columns to map"),
        (["--raw-records", "--event-time"], "--raw-records"),
    ],
)
def test_options_that_contradict(run: Run, options: list[str], said: str) -> None:
    """Options that do not go together are a usage error that names them."""
    result = run("send", "-", *options, stdin=line())
    assert (result.code, said in result.err) == (2, True)
