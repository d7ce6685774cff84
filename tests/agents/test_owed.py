"""Score updates are made beside the commits, in an order and a time that keep live scores soon."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from agents import flush as flush_module
from agents.owed import LATER, Made, Owed
from agents.transport.log import Outgoing
from stream.person import Person
from stream.score import next_change
from stream.topics import PEOPLE_EVENTS, QC_EVENTS, SCORE_UPDATES, TICKS
from tests.agents.agreement import disagreements
from tests.agents.rig import Rig
from tests.oracle.logs import HOUR, MINUTE, NOON, YIELD, Log, published, template

HOUR_OF_PANES = template(YIELD.replace("[day]", "[rolling 60m]"))


def _updates(rig: Rig) -> list[str]:
    """Whose updates are out, once for each."""
    return sorted(
        (key or b"").decode()
        for number in rig.numbers
        for _, _, key, _, _ in rig.log.read(SCORE_UPDATES, number, 0, 1_000)
    )


def _an_update() -> Made:
    return Made(Outgoing(SCORE_UPDATES, 0, NOON, b"E1", b"{}"), b"")


def test_who_is_owed_later_waits_for_who_is_owed_soon() -> None:
    """But not for ever, however many are owed soon: one turn in five is theirs."""
    owed = Owed()
    owed.soon["E1"] = None
    owed.later["E2"] = None
    assert (LATER - 1) * ["E1"] + ["E2"] == [next(iter(owed.turn()[0])) for _ in range(LATER)]
    owed.give({"E2": _an_update()})
    assert (1, True, False) == (len(owed), "E1" in owed, "E2" in owed)


def test_new_rules_take_back_what_is_an_update() -> None:
    """It shows what held before them."""
    owed = Owed()
    owed.give({"E1": _an_update()})
    owed.everybody(["E1", "E2"])
    assert ({}, 2) == (owed.take(), len(owed))


@pytest.fixture
def two(rig: Rig) -> Rig:
    """Two employees with an event each."""
    log = published(HOUR_OF_PANES)
    log.send(employee_id="E1")
    log.send(employee_id="E2", event_id="e2")
    rig.write(log)
    rig.refresh()
    rig.feed(QC_EVENTS)
    return rig


def _owed(rig: Rig, order: str = "soon") -> list[str]:
    return sorted(name for partition in rig.partitions for name in getattr(partition.owed, order))


async def test_updates_are_made_ahead_and_leave_with_the_commit(two: Rig) -> None:
    """Nothing is left to do at the commit, and nothing has left before it."""
    assert ["E1", "E2"] == _owed(two)
    two.show()
    assert ([], []) == (_owed(two), _updates(two))
    await two.drain()
    assert ["E1", "E2"] == _updates(two)
    assert [] == disagreements(two)


async def test_a_later_event_takes_the_place_of_an_update_that_has_not_left(two: Rig) -> None:
    """One update leaves, and says what the state says."""
    two.show()
    log = Log()
    log.send(employee_id="E1", event_id="e3")
    two.write(log)
    two.feed(QC_EVENTS)
    assert ["E1"] == _owed(two)
    await two.drain()
    assert ["E1", "E2"] == _updates(two)
    assert [] == disagreements(two)


async def test_without_time_nothing_is_made_and_nobody_is_forgotten(two: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their states are committed all the same, and say that an update is owed: also after a crash."""
    with monkeypatch.context() as hurry:
        hurry.setattr(flush_module, "UPDATE_BUDGET", 0.0)
        await two.commit()
    assert (["E1", "E2"], []) == (_owed(two), _updates(two))
    await two.crash()
    two.restart()
    assert ["E1", "E2"] == _owed(two, "later")
    await two.drain()
    assert ["E1", "E2"] == _updates(two)
    assert [] == disagreements(two)


async def test_whom_time_alone_changed_comes_after_whom_an_event_did(two: Rig) -> None:
    """Both had a pane that has left the window; of E1 there is news."""
    await two.drain()
    two.wall = NOON + 62 * MINUTE
    log = Log()
    log.send(sent_at=two.wall, employee_id="E1", event_id="e3", occurred_at=two.wall)
    two.write(log)
    two.tick()
    two.feed(QC_EVENTS)
    two.feed(TICKS)
    assert (["E1"], ["E2"]) == (_owed(two), _owed(two, "later"))
    await two.drain()
    assert ([], []) == (_owed(two), _owed(two, "later"))
    assert [] == disagreements(two)


async def test_a_state_made_ahead_is_not_written_when_it_has_changed_since(
    two: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without time for another update the commit writes the state as it is now, and still owes one."""
    two.show()
    log = Log()
    log.send(employee_id="E1", event_id="e3")
    two.write(log)
    two.feed(QC_EVENTS)
    with monkeypatch.context() as hurry:
        hurry.setattr(flush_module, "UPDATE_BUDGET", 0.0)
        await two.commit()
    assert ["E1", "E2"] == _updates(two)
    await two.crash()
    two.restart()
    assert ["E1"] == _owed(two, "later")
    await two.drain()
    assert [] == disagreements(two)


async def test_every_partition_and_order_gets_its_turn(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when a slice is hardly longer than an update, and more are owed all the time."""
    now = [0.0]

    def slow(person: Person, as_of: int, tick: int) -> int:
        now[0] += 0.007
        return next_change(person, as_of, tick)

    monkeypatch.setattr(flush_module, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(flush_module, "next_change", slow)
    people = {partition.number: [f"P{partition.number}.{n}" for n in range(10)] for partition in rig.partitions}
    made: dict[int, list[str]] = {number: [] for number in people}
    for _ in range(200):
        for partition in rig.partitions:
            partition.owed.soon.update(dict.fromkeys(people[partition.number][:5]))
            partition.owed.later.update(dict.fromkeys(people[partition.number][5:]))
        rig.flush._made_at = now[0] - 0.02  # a slice of 10 ms: two updates, of four partitions
        rig.flush.make_updates(rig.partitions)
        for partition in rig.partitions:
            made[partition.number] += partition.owed.take()
    assert {number: set(names) for number, names in people.items()} == {n: set(names) for n, names in made.items()}
    counts = [len(names) for names in made.values()]
    assert max(counts) < 1.2 * min(counts)


async def test_a_past_that_is_to_be_counted_anew_is_not_shown(two: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A late assignment moves an event to another unit: no update says that both have it."""
    await two.drain()
    log = Log()
    log.assign(NOON - HOUR, sent_at=NOON + 1, unit="L7")
    two.write(log)
    two.feed(PEOPLE_EVENTS)
    two.show()
    assert ["E1"] == _owed(two)
    with monkeypatch.context() as hurry:
        hurry.setattr(flush_module, "UPDATE_BUDGET", 0.0)
        await two.commit()
    await two.drain()
    pools = [[(pool.unit, pool.vectors[0][0]) for pool in u.pools] for u in two.all_updates() if u.employee_id == "E1"]
    assert [[], [("L7", 1)]] == pools
    assert [] == disagreements(two)
