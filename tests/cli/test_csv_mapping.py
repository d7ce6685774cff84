"""CSV through a mapping: columns become fields, and nothing is decided on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.transport.embedded.log import EmbeddedLog, partition_for
from schemas.event import Event, decode_one
from tests.cli.conftest import Run, records

MAPPING = """
event_id: "{order}-{pos}"
employee_id: operator
occurred_at: finished
measures: {inspected: qty, accepted: ok, reworked: rework}
dims: {product: sku}
constants: {type: qc.inspection, source: line-3, dims: {line: L03}}
timezone: Asia/Shanghai
"""
HEADER = "order,pos,operator,finished,qty,ok,rework,sku\n"


def sent(log: EmbeddedLog) -> list[Any]:
    """The events in the log, decoded."""
    return [json.loads(record.value or b"") for _, record in records(log, "qc-events")]


def files(table: bytes, mapping: str = MAPPING) -> tuple[str, ...]:
    """Arguments of a send of these files."""
    Path("t.csv").write_bytes(table)
    Path("m.yaml").write_text(mapping, encoding="utf-8")
    return ("send", "t.csv", "--mapping", "m.yaml")


def test_rows_become_events(run: Run, log: EmbeddedLog) -> None:
    """Each row is an event with columns, constants and texts made of columns; empty cells leave a field out."""
    table = HEADER + "88,1,E1,2026-03-02 08:15:00,10,9.50,,P12\n" + '88,2,E1,1772410500000,10,9,1,"P ""12"", big"\n'
    assert run(*files(table.encode())).code == 0
    first, second = sent(log)
    assert first == {
        "event_id": "88-1",
        "type": "qc.inspection",
        "employee_id": "E1",
        "occurred_at": "2026-03-02T08:15:00+08:00",
        "source": "line-3",
        "measures": {"inspected": 10, "accepted": 9.5},
        "dims": {"line": "L03", "product": "P12"},
    }
    assert (second["occurred_at"], second["measures"]["reworked"]) == (1_772_410_500_000, 1)
    assert second["dims"]["product"] == 'P "12", big'


def test_events_are_valid(run: Run, log: EmbeddedLog) -> None:
    """What a mapping makes of a good row is accepted by the decoder."""
    assert run(*files((HEADER + "88,1,E1,2026-03-02 08:15:00,10,9,,P12\n").encode())).code == 0
    ((partition, record),) = records(log, "qc-events")
    at = 1_772_410_500_000
    found = decode_one(record.value, record.key, "qc-events", at, lambda key: partition_for(key, 4) == partition)
    assert isinstance(found, Event)
    assert (found.event_id, found.occurred_at) == ("88-1", at)


@pytest.mark.parametrize("cell", ["ten", "1,000", "０", "007", "NaN", "0x1"])
def test_bad_numbers_are_passed_on(run: Run, log: EmbeddedLog, cell: str) -> None:
    """A cell that is no number goes on as text: the worker, not the mapping, says what is wrong with it."""
    assert run(*files((HEADER + f'88,1,E1,2026-03-02 08:15:00,"{cell}",9,,P12\n').encode())).code == 0
    assert sent(log)[0]["measures"]["inspected"] == cell


def test_encoding_and_delimiter(run: Run, log: EmbeddedLog) -> None:
    """A file in another encoding with another delimiter is read as the mapping says."""
    table = HEADER.replace(",", ";") + "88;1;E1;2026-03-02T08:15:00Z;10;9;;半成品\n"
    mapping = MAPPING + 'delimiter: ";"\nencoding: gb18030\n'
    assert run(*files(table.encode("gb18030"), mapping)).code == 0
    assert (sent(log)[0]["dims"]["product"], sent(log)[0]["occurred_at"]) == ("半成品", "2026-03-02T08:15:00Z")


def test_csv_from_a_pipe_with_event_time(run: Run, log: EmbeddedLog) -> None:
    """CSV may come from a pipe, and be sorted by its event time."""
    _, _, *options = files(b"")
    table = HEADER + "1,1,E1,2026-03-02T00:00:09Z,1,1,,P\n" + "1,2,E1,2026-03-02T00:00:01Z,1,1,,P\n"
    assert run("send", "-", "--csv", "--event-time", *options, stdin=table.encode()).code == 0
    assert [(r.timestamp, json.loads(r.value or b"")["event_id"]) for _, r in records(log, "qc-events")] == [
        (1_772_409_601_000, "1-2"),
        (1_772_409_609_000, "1-1"),
    ]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("a: [", "not YAML"),
        ("- a", "Expected `object`"),
        ("event_id: order\nmesures: {}", "mesures"),
        ("event_id: 7", "event_id"),
        ("event_id: order", "type is missing"),
        (MAPPING.replace("order", "oder"), "event_id: no column 'oder'"),
        (MAPPING.replace("ok", "okay"), "measures.accepted: no column 'okay'"),
        (MAPPING.replace("Asia/Shanghai", "Asia/Shang"), "timezone 'Asia/Shang'"),
        (MAPPING.replace("Asia/Shanghai", "../x"), "timezone '../x'"),
        (MAPPING + "encoding: utf-9", "encoding"),
        (MAPPING + "delimiter: ', '", "delimiter ', '"),
    ],
)
def test_bad_mappings(run: Run, log: EmbeddedLog, mapping: str, said: str) -> None:
    """A mapping that cannot be used is told with file, field and remedy, and nothing is sent."""
    result = run(*files((HEADER + "88,1,E1,2026-03-02 08:15:00,1,1,,P\n").encode(), mapping))
    assert result.code == 1
    assert said in result.err
    assert sent(log) == []


@pytest.mark.parametrize("table", [b"\xff\xfe\x00", HEADER.encode() + b'88,1,E1,"open'])
def test_bad_tables(run: Run, log: EmbeddedLog, table: bytes) -> None:
    """A file that is no CSV is told with its line."""
    result = run(*files(table))
    assert result.code == 1
    assert "t.csv" in result.err
