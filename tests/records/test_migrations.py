"""A store of the version before becomes one of this version with all that it held; what is new in it is made good."""

from __future__ import annotations

import json

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from agents.records.database import Records, open_records
from agents.records.result_parts import parts_of, pending
from schemas.event import INPUT_TOPICS
from stream.closed import Closed
from tests.agents.finals import run, stored
from tests.agents.rig import Rig
from tests.oracle.logs import DAY, MIDNIGHT
from tests.records.test_results import rig, settle
from tests.records.test_shift_results import WEEK_LATER, of, spans, worked

__all__ = ["rig"]
ROW = (
    "INSERT INTO results (subject_kind, subject, template, indicator, window_kind, window_start, window_end, number, "
    "version, status, value, sums, as_of, known_at, computed_at) VALUES ('employee', 'E9', 'op', 'yield', 'day', 0, "
    "86400000, :number, 1, 'ok', :value, '{}', 86399999, 1, 1)"
)
LINES = (
    "INSERT INTO result_parts VALUES ('op', 'day', 0, 86400000, 'L9', 'E9', 1, '[[0,[1]]]')",
    "INSERT INTO result_pending VALUES ('op', 'day', 0, 86400000)",
)
REACHED = "INSERT INTO result_progress VALUES (:partition, :until, :read, :rules)"


def before(url: str, revision: str, monkeypatch: pytest.MonkeyPatch) -> Records:
    """A store as an earlier version made it."""
    upgrade = command.upgrade

    def only_so_far(config: Config, _: str) -> None:
        upgrade(config, revision)

    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", only_so_far)
        patched.setattr("agents.records.migrating._comment", lambda _: None)
        return open_records(url)


async def test_results_of_the_version_before_stay_and_shifts_are_made_good(
    rig: Rig, records_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, parts and what waited are there; shifts that ended before, and were not looked at, close then."""
    log = worked()
    log.send(dims={"line": "L1"})
    await settle(rig, log, WEEK_LATER)
    old = before(records_url, "0006", monkeypatch)
    read = dict.fromkeys(INPUT_TOPICS, 100)

    def fill(connection: Connection) -> None:
        for number, value in enumerate((0.9, 0.8)):
            connection.execute(text(ROW), {"number": number, "value": value})
        for line in LINES:
            connection.execute(text(line))
        for number in rig.numbers:
            told = {"read": json.dumps(read), "rules": json.dumps(["op@1", "calendar:hall@1"])}
            connection.execute(text(REACHED), {"partition": number, "until": WEEK_LATER - 7 * DAY, **told})
        told = {"read": "{}", "rules": '["op@1"]'}
        connection.execute(text(REACHED), {"partition": 99, "until": MIDNIGHT, **told})

    old.write(fill)
    old.close()
    records = open_records(records_url)
    kept = [row for row in stored(records, latest=False) if row["subject"] == "E9"]
    assert [(0, 0.9, None, None), (1, 0.8, None, None)] == [
        (row["number"], row["value"], row["shift"], row["cause"]) for row in kept
    ]
    assert kept[1:] == stored(records)
    day = Closed("op", "day", 0, DAY)
    with records.reading() as connection:
        assert [("E9", day, "L9", 1)] == list(parts_of(connection, ["E9"], -1))
        assert [(day, {DAY: ""})] == pending(connection)
        assert [99] == list(connection.execute(text("SELECT partition FROM result_progress")).scalars())
    with pytest.raises(DBAPIError, match="results are never changed or deleted"):
        records.write(lambda connection: connection.execute(text("UPDATE results SET value = 2")))
    run(rig, records)
    assert [(0, "ok", None)] * 2 == [row[2:] for name in ("E1", "L1") for row in spans(of(records, name))]
    records.close()
