"""A partition is whole when what was there at its takeover is applied."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from agents.metrics import Metrics
from agents.publishing import publish
from agents.scoring import Scoring
from agents.ticks import Tick
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.log import Outgoing, Record
from stream.pipeline import Limits
from stream.topics import PEOPLE_EVENTS, TEMPLATES, TICKS
from tests.agents.rig import new_log
from tests.oracle.logs import YIELD, template

NOW = 1_772_439_300_000
MOST = 20  # records that come while it is at it


def _assignment(number: int) -> Outgoing:
    event = {"event_id": f"a{number}", "type": "people.assignment", "employee_id": "E1", "occurred_at": NOW + number}
    value = json.dumps({**event, "source": "hr", "measures": {}, "dims": {"role": "operator", "unit": "L01"}})
    return Outgoing(PEOPLE_EVENTS, 0, NOW + number, b"E1", value.encode())


def test_a_takeover_ends_though_assignments_keep_coming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them may take longer to apply than it takes the next to come; what comes later is read as usual."""
    with new_log(tmp_path / "log", 1) as log:
        log.append([_assignment(0)])
        came, read = [0], EmbeddedLog.read

        def busy(self: EmbeddedLog, topic: str, partition: int, start: int, limit: int, *rest: int) -> list[Record]:
            rows = read(self, topic, partition, start, limit, *rest)
            if topic == PEOPLE_EVENTS and came[0] < MOST:
                came[0] += 1
                self.append([_assignment(came[0])])
            return rows

        monkeypatch.setattr(EmbeddedLog, "read", busy)
        scoring = Scoring.open(log, tmp_path, Limits(), Metrics(), 100)
        assert 1 <= scoring.partitions[0].meta.applied[PEOPLE_EVENTS] < MOST
        scoring.close()


def test_the_owner_before_may_have_known_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was published while the partition was still another's is known at the ticks that the other wrote."""
    with new_log(tmp_path / "log", 1) as log:
        own = log.own

        def late(number: int) -> None:
            publish(log, template(YIELD), NOW)
            value = msgspec.json.encode(Tick(NOW, {}, [log.end(TEMPLATES, 0)]))
            log.append_owned([Outgoing(TICKS, number, NOW, b"0", value)])
            own(number)

        monkeypatch.setattr(log, "own", late)
        scoring = Scoring.open(log, tmp_path, Limits(), Metrics(), 100)
        (partition,) = scoring.partitions.values()
        assert (NOW, ["op@1"]) == (partition.meta.now, partition.meta.rules)
        assert partition.rules.version("op", 1) is not None
        scoring.close()


def test_each_takeover_counts_from_its_own_beginning(tmp_path: Path) -> None:
    """Else what a worker restores would be told as slow as the worker is old."""
    told: list[int] = []
    with new_log(tmp_path / "log", 2) as log:
        scoring = Scoring(log, tmp_path, Limits(), Metrics(), 100, lambda done, _: told.append(done))
        scoring.take_over([0])
        scoring.take_over([0, 1])
        scoring.close()
    assert told[0] == 0
    assert told.count(0) >= 2
