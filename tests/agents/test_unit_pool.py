"""What boards see of units after a start: nothing half-read, and nothing of people who have left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from agents.rules import rulebook
from agents.transport.embedded.log import EmbeddedLog, Outgoing, Part, Record
from agents.unit_pool import UnitPool
from schemas.updates import Contribution, Pool, ScoreUpdate, UnitUpdate
from stream.meta import Handled
from stream.rulebook import Rulebook
from stream.template import load_published
from stream.topics import ORGANISATION, SCORE_UPDATES, TEMPLATES, UNIT_UPDATES
from stream.unit_tree import FOREVER, Place, Unit, write_tree
from tests.agents.rig import new_log
from tests.oracle.logs import NOON, template

RULES = Rulebook([load_published(template())])
AT = "2026-03-02T12:00:00.000Z"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    """A log of two partitions."""
    with new_log(tmp_path, 2) as made:
        yield made


def _score(employee: str, unit: str, partition: int) -> Outgoing:
    midnight = NOON - 12 * 3_600_000
    pool = Pool(unit, "op", 1, [midnight], [[1, 9_000_000, 10_000_000]])
    update = ScoreUpdate(employee, unit, AT, "2026-03-02T11:58:00.000Z", {}, [pool])
    return Outgoing(SCORE_UPDATES, partition, NOON, employee.encode(), msgspec.json.encode(update))


def _rows(log: EmbeddedLog, partition: int) -> list[Record]:
    return log.read(SCORE_UPDATES, partition, 0, 100)


def _said(updates: list[Outgoing]) -> dict[str, tuple[list[str], list[object]]]:
    decoded = [msgspec.json.decode(update.value or b"", type=UnitUpdate) for update in updates]
    return {
        update.unit: (update.members, [row.n for row in update.rows if row.indicator == "yield"]) for update in decoded
    }


def test_nothing_leaves_before_everything_is_read_again(log: EmbeddedLog) -> None:
    """With one of two partitions read a unit would seem to have lost half of its people."""
    log.transact([Part(0, [_score("E1", "L1", 0), _score("E2", "L1", 1)], {})])
    pool = UnitPool(log, Handled())
    assert [] == pool.changed(RULES, NOON, NOON)
    pool.take(0, _rows(log, 0), 0)
    assert [] == pool.changed(RULES, NOON, NOON)
    pool.take(1, _rows(log, 1), 0)
    assert {"L1": (["E1", "E2"], [20])} == _said(pool.changed(RULES, NOON, NOON))
    assert [] == pool.changed(RULES, NOON, NOON)


def test_updates_that_come_while_it_reads_belong_to_it(log: EmbeddedLog) -> None:
    """The end that has to be reached is that of the start."""
    log.transact([Part(0, [_score("E1", "L1", 0)], {})])
    pool = UnitPool(log, Handled())
    log.transact([Part(0, [_score("E1", "L2", 0)], {})])
    pool.take(0, _rows(log, 0), 0)
    assert {"L1": ([], []), "L2": (["E1"], [10])} == _said(pool.changed(RULES, NOON, NOON))


def test_what_was_said_of_a_unit_that_everybody_left_is_taken_back(log: EmbeddedLog) -> None:
    """The worker died after the member's update and before the unit's, and the older update is compacted away."""
    log.transact(
        [Part(0, [_score("E1", "L1", 0), Outgoing(UNIT_UPDATES, 1, NOON, b"L1", b"{}"), _score("E1", "L2", 0)], {})]
    )
    log.compact()
    pool = UnitPool(log, Handled())
    pool.take(0, _rows(log, 0), 0)
    assert {"L1": ([], []), "L2": (["E1"], [10])} == _said(pool.changed(RULES, NOON, NOON))


def test_without_anything_to_read_again_it_says_what_comes(log: EmbeddedLog) -> None:
    """A new log."""
    pool = UnitPool(log, Handled())
    log.transact([Part(0, [_score("E1", "L1", 0)], {})])
    pool.take(0, _rows(log, 0), 0)
    assert {"L1"} == _said(pool.changed(RULES, NOON, NOON)).keys()


def test_units_are_as_of_the_newest_tick_that_a_member_is_of(log: EmbeddedLog) -> None:
    """Another worker's partitions may tick ahead: sums of a minute are not said to be of the minute before."""
    pool = UnitPool(log, Handled())
    log.transact([Part(0, [_score("E1", "L1", 0)], {})])
    pool.take(0, _rows(log, 0), 0)
    (said,) = pool.changed(RULES, NOON - 60_000, NOON)
    assert "2026-03-02T11:59:00.000Z" != AT == msgspec.json.decode(said.value or b"", type=UnitUpdate).as_of


def test_before_the_first_tick_nothing_is_said(log: EmbeddedLog) -> None:
    """Windows as of no instant are empty: a board would show a unit without scores until its next change."""
    pool = UnitPool(log, Handled())
    log.transact([Part(0, [_score("E1", "L1", 0)], {})])
    pool.units.take(msgspec.json.decode(_rows(log, 0)[0][3] or b"", type=Contribution))
    assert [] == pool.changed(RULES, -1, NOON)
    assert {"L1": (["E1"], [10])} == _said(pool.changed(RULES, NOON, NOON))


def test_units_above_are_told_of_once_the_log_says_that_they_are_there(log: EmbeddedLog) -> None:
    """The tree is a record of the log; a later one that is none changes nothing."""
    log.transact([Part(0, [_score("E1", "L1", 0), _score("E2", "L2", 1)], {})])
    pool = UnitPool(log, Handled())
    for number in range(2):
        pool.take(number, _rows(log, number), 0)
    assert {"L1": (["E1"], [10]), "L2": (["E2"], [10])} == _said(pool.changed(RULES, NOON, NOON))
    place = Place("plant", NOON, FOREVER)
    units = {"plant": Unit("company", {}, (Place(None, NOON, FOREVER),))} | {
        name: Unit("team", {}, (place,)) for name in ("L1", "L2")
    }
    log.append([Outgoing(TEMPLATES, 0, NOON, b"op@1", template().encode())])
    log.append([Outgoing(TEMPLATES, 0, NOON, ORGANISATION.encode(), write_tree(units))])
    log.append([Outgoing(TEMPLATES, 0, NOON, ORGANISATION.encode(), b"{}")])
    said = _said(pool.changed(rulebook(log), NOON, NOON))
    assert {"L1": (["E1"], [10]), "L2": (["E2"], [10]), "plant": ([], [20])} == said
