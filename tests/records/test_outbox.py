"""What waits reaches the log: once whatever dies, in order, when it is due, and never so that the log calls it late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from agents import failpoints
from agents.records.database import Records
from agents.records.edits import Edit, correct_assignment, hire, move_unit, remove_assignment, transfer
from agents.records.organisation import change
from agents.records.outbox import LEASE_MS, Sender, waiting
from agents.records.rows import Employee
from agents.records.tables import leases, outbox
from agents.rules import rulebook
from agents.transport.errors import LogFull
from agents.transport.log import Outgoing
from schemas.event import Event, decode_one
from stream.pipeline import Limits
from stream.topics import ORGANISATION, PEOPLE_EVENTS, TEMPLATES
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig
from tests.oracle.logs import NOON, PARTITIONS, YIELD, published, template
from tests.records.people import BO, COMPANY, DAY, NOW, T0

YEAR = 366 * DAY


class Killed(BaseException):
    """The process is gone at this place."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A worker without its shell, over an empty log."""
    made = Rig(tmp_path / "rig", PARTITIONS, NOW)
    yield made
    made.close()


def sender(records: Records, rig: Rig, holder: str = "one") -> Sender:
    """A process that sends."""
    return Sender(records, rig.log, PARTITIONS, Limits(), holder)


def at(now: int) -> Callable[[], int]:
    """A clock that stands still."""
    return lambda: now


def do(records: Records, *edits: Edit, now: int = NOW) -> None:
    """One change per edit."""
    for edit in edits:
        change(records, edit, by="hr", now=now)


def sent(rig: Rig) -> list[tuple[str, int, int]]:
    """Employee, T and log time of the people-events, partition by partition."""
    return [
        (str(r.key, "ascii"), found.occurred_at, r.timestamp)
        for r in rig.records()
        if r.topic == PEOPLE_EVENTS and r.key and r.value
        for found in [decode_one(r.value, r.key, r.topic, r.timestamp, lambda key: True)]
        if isinstance(found, Event)
    ]


def left(records: Records) -> int:
    """How many records wait."""
    with records.reading() as connection:
        return waiting(connection)


async def outcomes(rig: Rig) -> dict[str, int]:
    """How records ended, for the worker and for the oracle alike."""
    await rig.drain()
    assert [] == disagreements(rig)
    return rig.outcomes()


async def test_what_waits_is_sent_once(records: Records, rig: Rig) -> None:
    """In the order of instants; a second look finds nothing."""
    do(records, COMPANY, transfer("E1", "lead", "L02", T0 + 50 * DAY), transfer("E1", "tester", "L02", T0 + 9 * DAY))
    one = sender(records, rig)
    assert (4, 0) == (one.send(at(NOW)), one.send(at(NOW)))
    assert [("E1", T0, NOW), ("E1", T0 + 9 * DAY, NOW), ("E1", T0 + 50 * DAY, NOW)] == sent(rig)
    assert (0, {"scored": 3}) == (left(records), await outcomes(rig))


@pytest.mark.parametrize("place", ["before", "after"])
async def test_who_dies_at_the_append_loses_and_doubles_nothing(
    records: Records, rig: Rig, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Killed before it, or after it and before the rows are marked: each assignment counts once."""
    do(records, COMPANY, hire(BO, "lead", "L02", T0), transfer("E1", "tester", "L02", T0 + DAY))

    def dies(_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        target: Any = failpoints if place == "after" else rig.log
        patched.setattr(target, "reach" if place == "after" else "append", dies)
        with pytest.raises(Killed):
            sender(records, rig, "dead").send(at(NOW))
    assert 4 == left(records)
    assert 0 == sender(records, rig).send(at(NOW + 1_000))
    assert 4 == sender(records, rig).send(at(NOW + LEASE_MS))
    repeats = {"duplicate": 3} if place == "after" else {}
    assert {**repeats, "scored": 3} == await outcomes(rig)
    assert 0 == left(records)


async def test_two_that_send_at_once_do_no_harm(records: Records, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sleeps between its look and its append, beyond its lease; the other sends that and what came after it."""
    do(records, COMPANY, transfer("E1", "tester", "L02", T0 + DAY))
    append = rig.log.append
    sleeping: list[bool] = []

    def sleeps(batch: list[Outgoing]) -> list[int]:
        if not sleeping:
            sleeping.append(True)
            do(records, correct_assignment("E1", T0 + DAY, "lead", "L02"))
            assert 4 == sender(records, rig, "two").send(at(NOW + LEASE_MS))
        return append(batch)

    monkeypatch.setattr(rig.log, "append", sleeps)
    sender(records, rig, "one").send(at(NOW))
    assert {"duplicate": 2, "scored": 3} == await outcomes(rig)
    person = next(p for partition in rig.partitions for p in partition.persons.values() if p.id == "E1")
    assert ["operator", "lead"] == [one.role for one in person.state.assignments]


def test_one_sends_at_a_time(records: Records, rig: Rig) -> None:
    """The others wait until it lets go, or is silent for longer than its lease."""
    one, two = sender(records, rig), sender(records, rig, "two")
    assert (True, True, False) == (one.take_lease(NOW), one.take_lease(NOW + 5), two.take_lease(NOW + LEASE_MS))
    assert (True, False) == (two.take_lease(NOW + 5 + LEASE_MS), one.take_lease(NOW + 5 + LEASE_MS))
    one.release()
    assert not one.take_lease(NOW + 5 + LEASE_MS)
    two.release()
    assert one.take_lease(NOW + 5 + LEASE_MS)


def test_a_look_that_finds_nothing_writes_nothing(records: Records, rig: Rig) -> None:
    """Nobody needs a lease to do nothing."""
    sender(records, rig).send(at(NOW))
    with records.reading() as connection:
        assert [] == connection.execute(select(leases)).all()


async def test_what_is_of_tomorrow_waits_until_it_is_due(records: Records, rig: Rig) -> None:
    """The log would refuse it today. What was said of one instant stays in its order."""
    do(records, COMPANY, transfer("E1", "tester", "L02", NOW + DAY), remove_assignment("E1", NOW + DAY))
    do(records, transfer("E1", "lead", "L02", NOW + DAY))
    one = sender(records, rig)
    assert (2, 0, 3) == (one.send(at(NOW)), one.send(at(NOW + DAY - 1)), one.send(at(NOW + DAY)))
    assert {"scored": 4} == await outcomes(rig)


@pytest.mark.parametrize("down", [0, 8 * DAY, 40 * DAY, 2 * YEAR])
async def test_nothing_is_late_however_long_the_log_was_down(records: Records, rig: Rig, down: int) -> None:
    """Hired long ago, transferred since, corrected far back, planned ahead: all of it counts."""
    do(
        records,
        COMPANY,
        transfer("E1", "lead", "L01", NOW - 1),
        transfer("E1", "lead", "L02", NOW + 1),
    )
    do(records, transfer("E1", "tester", "L02", NOW + 39 * DAY), correct_assignment("E1", T0, "tester", "L01"))
    one = sender(records, rig)
    one.send(at(NOW + 40 * DAY + down))
    do(records, correct_assignment("E1", T0, "operator", "L02"), now=NOW + YEAR + down)
    one.send(at(NOW + YEAR + down))
    do(records, transfer("E1", "operator", "L02", NOW + 2 * YEAR + down), now=NOW + YEAR + down)
    one.send(at(NOW + 2 * YEAR + down))
    do(records, correct_assignment("E1", T0, "operator", "L01"), now=NOW + 2 * YEAR + down)
    one.send(at(NOW + 2 * YEAR + down))
    assert {"scored": 8} == await outcomes(rig)


async def test_a_transfer_that_is_recorded_late_restates_both_units(records: Records, rig: Rig) -> None:
    """What was scored in the one line since then is in the other afterwards."""
    units = published(template(YIELD.replace("[day]", "[all]")))
    for number in range(3):
        units.send(event_id=f"q{number}", occurred_at=NOON - (2 - number) * DAY)
    do(records, COMPANY, now=NOON)
    one = sender(records, rig)
    one.send(at(NOON))
    rig.write(units)
    await rig.drain()
    assert {"L01": 3} == pools(rig)
    do(records, transfer("E1", "operator", "L02", NOON - DAY), now=NOON + 1)
    one.send(at(NOON + 1))
    assert {"scored": 5} == await outcomes(rig)
    assert {"L01": 1, "L02": 2} == pools(rig)


def pools(rig: Rig) -> dict[str, int]:
    """How many events count in each unit, as Ann's last update says it."""
    return {pool.unit: pool.vectors[0][0] for pool in rig.updates()["E1"].pools if pool.vectors[0][0]}


def test_a_record_of_another_kind_goes_at_once(records: Records, rig: Rig) -> None:
    """It has no instant of its own: log time is the moment of sending."""
    row = {"topic": "commands", "key": b"k", "value": b"not JSON", "made_at": NOW}
    with records.writing() as connection:
        connection.execute(insert(outbox), [row])
    assert 1 == sender(records, rig).send(at(NOW))


def test_many_are_sent_in_batches(records: Records, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is full in between keeps what it has; the rest goes when there is room."""
    monkeypatch.setattr("agents.records.outbox.BATCH", 2)
    do(records, COMPANY, *(hire(Employee(f"P{n}", "New"), "operator", "L01", T0 + n) for n in range(4)))
    append, room = rig.log.append, [True, False, True, True]

    def full_once(batch: list[Outgoing]) -> list[int]:
        if not room.pop(0):
            raise LogFull("no room left on the disk")
        return append(batch)

    monkeypatch.setattr(rig.log, "append", full_once)
    with pytest.raises(LogFull):
        sender(records, rig).send(at(NOW))
    assert 4 == left(records)
    assert 4 == sender(records, rig).send(at(NOW))
    assert 5 == len(sent(rig))


async def test_the_log_is_told_the_tree_of_units(records: Records, rig: Rig) -> None:
    """Before the people in it, whole after each change of it, and a late sender of an old one undoes nothing."""
    do(records, COMPANY, move_unit("L02", "north", NOW), transfer("E1", "lead", "L02", NOW))
    with records.reading() as connection:
        query = select(outbox.c.value).where(outbox.c.topic == TEMPLATES).order_by(outbox.c.number)
        first, second = connection.execute(query).scalars()
    sender(records, rig).send(at(NOW))
    tree = rulebook(rig.log).tree
    assert ["D1", "north"] == [tree.parent("L02", at) for at in (NOW - 1, NOW)]
    assert ({"zh": "L02 名", "en": "L02"}, "team") == (tree.units["L02"].name, tree.units["L02"].kind)
    rig.log.append([Outgoing(TEMPLATES, 0, NOW, ORGANISATION.encode(), first)])
    assert "north" == rulebook(rig.log).tree.parent("L02", NOW)
    rig.log.append([Outgoing(TEMPLATES, 0, NOW, ORGANISATION.encode(), second)])
    assert "north" == rulebook(rig.log).tree.parent("L02", NOW)
