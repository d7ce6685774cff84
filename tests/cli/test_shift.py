"""What commands say of a shift: its rows, the events in it, and where there is none."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from agents.cli.main import main
from agents.transport.embedded.log import Outgoing
from agents.views.conflate import Published, conflate
from stream.topics import TEMPLATES
from tests.agents.rig import Rig
from tests.oracle.logs import HOUR, MIDNIGHT, NOON, PARTITIONS, YIELD, Log, template
from tests.stream.test_calendars import SIMPLE, text

Output = pytest.CaptureFixture[str]


@pytest.fixture
def broker(tmp_path: Path) -> str:
    """E1 works on a line with shifts of twelve hours, two records in the present one; E2 belongs to no line."""
    rig, log = Rig(tmp_path, PARTITIONS, NOON), Log()
    try:
        log.publish(template(YIELD.replace("[day]", "[day, shift]")))
        log.assign(MIDNIGHT, unit="L1")
        for number, at in enumerate((NOON - 3 * HOUR, NOON - HOUR, NOON - 1)):  # in Shanghai 17:00, 19:00, 20:00
            log.send(event_id=f"e{number}", occurred_at=at, sent_at=at)
        log.send(employee_id="E2", occurred_at=NOON - 1, sent_at=NOON - 1)
        rig.write(log)
        rig.append([Outgoing(TEMPLATES, 0, NOON, b"calendar:plant@1", text({**SIMPLE, "units": ["L1"]}).encode())])
        asyncio.run(rig.drain())
    finally:
        rig.close()
    return f"embedded://{tmp_path / 'log'}"


def test_rows_and_explanation_of_a_shift(broker: str, capsys: Output) -> None:
    """From 18:00 in Shanghai on: two of the three records."""
    assert 0 == main(["scores", "--window", "shift", "--indicator", "yield", "--format", "ndjson", "--broker", broker])
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert ("E1", "2026-03-02T10:00:00.000Z", 2) == (row["employee_id"], row["window_start"], row["n"])
    assert 0 == main(["explain", "E1", "yield", "shift", "--format", "ndjson", "--broker", broker])
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ["e1", "e2"] == [one["event_id"] for one in said if "event_id" in one]
    assert 2 == said[-1]["score"]["n"]


def test_where_there_is_no_shift_it_is_said(broker: str, capsys: Output) -> None:
    """Whose, when, and what is missing."""
    assert 1 == main(["explain", "E2", "yield", "shift", "--broker", broker])
    said = capsys.readouterr().err
    assert "window 'shift': there is no shift of E2 at 2026-03-02T11:59:59" in said
    assert "no shift calendar is in force for who has no unit" in said


def test_boards_take_no_calendar_for_a_template() -> None:
    """Views keep templates; what else lies in their topic is none."""
    records = [
        Published(TEMPLATES, 0, NOON, key, b"text") for key in (b"op@1", b"calendar:plant@1", b"case-mix:op/yield@1")
    ]
    assert ["op@1"] == list(conflate(records).templates)
