"""What was published while no worker ran, or in the moment before it died, counts like everything else."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from agents.oracle.compare import differences
from agents.query import committed, rows_as_of
from agents.transport.embedded.log import Outgoing
from agents.transport.murmur2 import partition_for
from schemas.instants import HOUR, MINUTE
from schemas.rows import row_fields
from stream.topics import QC_EVENTS, SCORE_UPDATES, TEMPLATES
from tests.agents.logs import instant
from tests.agents.rig import Rig
from tests.agents.templates import template

BEGINNING = instant("2026-03-02T08:15:00Z")
PARTITIONS = 2
EMPLOYEES = ("E1", "E2")


def _inspection(employee: str, number: int, at: int) -> Outgoing:
    event = {
        "event_id": f"i-{number}", "type": "qc.inspection", "employee_id": employee, "occurred_at": at,
        "source": "aoi", "measures": {"inspected": 10, "accepted": 9}, "dims": {"stage": "a"},
    }  # fmt: skip
    key = employee.encode()
    return Outgoing(QC_EVENTS, partition_for(key, PARTITIONS), at, key, json.dumps(event).encode())


def _template(version: int, effective: int, at: int) -> Outgoing:
    key = f"op@{version}".encode()
    return Outgoing(
        TEMPLATES,
        partition_for(key, PARTITIONS),
        at,
        key,
        template("op", version, effective, 40 * (version - 1)).encode(),
    )


async def _inspected(rig: Rig) -> None:
    rig.append([_inspection(name, n, BEGINNING + n * MINUTE) for name in EMPLOYEES for n in range(5)])
    rig.wall = BEGINNING + 5 * MINUTE
    await rig.drain()


def _differences(rig: Rig) -> list[object]:
    oracle = rig.recompute()
    known = committed(rig.log)
    assert oracle.outcomes == rig.outcomes()
    rows = map(row_fields, rows_as_of(rig.log, known, oracle.last, rig.limits))
    return list(differences(oracle.rows(oracle.last), rows))


@pytest.mark.parametrize("kind", ["same", "deleted"])
async def test_a_first_version_published_while_the_worker_was_down_releases_what_is_held(
    tmp_path: Path, kind: str
) -> None:
    """Held events are scored after the start, from the state as from the log."""
    rig = Rig(tmp_path, PARTITIONS, BEGINNING)
    await _inspected(rig)
    assert {"held": 10} == rig.outcomes()
    await rig.crash()
    rig.append([_template(1, BEGINNING - HOUR, rig.wall)])
    rig.restart(kind)
    await rig.drain()
    assert {"scored": 10} == rig.outcomes()
    assert [] == _differences(rig)
    rig.close()


@pytest.mark.parametrize("kind", ["same", "deleted"])
async def test_a_version_from_the_past_taken_over_but_not_committed_is_taken_over_again(
    tmp_path: Path, kind: str
) -> None:
    """The worker dies after it restated and before the commit: the next one restates."""
    rig = Rig(tmp_path, PARTITIONS, BEGINNING)
    rig.append([_template(1, BEGINNING - HOUR, BEGINNING)])
    await _inspected(rig)
    rig.append([_template(2, BEGINNING + 8 * MINUTE, BEGINNING + 7 * MINUTE)])
    rig.append([_inspection(name, n, BEGINNING + n * MINUTE) for name in EMPLOYEES for n in range(7, 11)])
    rig.wall = BEGINNING + 11 * MINUTE
    rig.feed(QC_EVENTS)  # before the worker has seen the new version
    await rig.commit()
    rig.refresh()
    await rig.crash()
    rig.restart(kind)
    await rig.drain()
    assert [] == _differences(rig)
    rig.close()


async def test_everybody_owed_an_update_by_new_rules_gets_it_after_a_crash(tmp_path: Path) -> None:
    """A commit under a backlog shows only some the new rules; who is left is shown them after the restart."""
    rig = Rig(tmp_path, PARTITIONS, BEGINNING)
    rig.append([_template(1, BEGINNING - HOUR, BEGINNING)])
    await _inspected(rig)
    rig.wall += 10 * MINUTE  # nothing but the end of the day changes their scores from here on
    await rig.drain()
    rig.append([_template(2, rig.wall + 1, rig.wall)])
    rig.wall += MINUTE
    rig.tick()
    rig.refresh()
    rig.flush._made_at = float("inf")  # no time for updates
    await rig.flush(rig.partitions, backlog=True)
    await rig.crash()
    rig.restart()
    rig.wall += MINUTE
    await rig.drain()
    latest = {
        row[2]: msgspec.json.decode(row[3] or b"null")
        for number in rig.numbers
        for row in rig.log.read(SCORE_UPDATES, number, 0, 1_000)
    }
    assert {name.encode() for name in EMPLOYEES} == latest.keys()
    assert {2} == {row["version"] for update in latest.values() for row in update["rows"]}
    rig.close()
