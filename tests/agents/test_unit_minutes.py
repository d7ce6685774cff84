"""A minute is decided when every partition has closed it, from what each had written by then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from agents.transport.embedded.log import EmbeddedLog
from agents.transport.log import Outgoing, Part
from agents.unit_minutes import Ordered, UnitMinutes
from schemas.shares import MINUTE_KEY, ORDER_KEY, MinuteClosed, Share, UnitOrder
from stream.meta import Handled
from stream.topics import UNIT_SHARES
from tests.agents.rig import new_log
from tests.oracle.logs import MINUTE, NOON


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    """A log of two partitions."""
    with new_log(tmp_path, 2) as made:
        yield made


def _write(log: EmbeddedLog, partition: int, *said: str | int) -> None:
    """Texts: employees who come to L1, or `!` and a command; numbers: minutes after noon that are closed."""
    records = [
        (MINUTE_KEY, MinuteClosed(NOON + one * MINUTE))
        if isinstance(one, int)
        else (ORDER_KEY + b"a", UnitOrder(NOON, 7, NOON, b"L1", one.encode()))
        if one.startswith("!")
        else (one.encode(), Share("L1", [], [], []))
        for one in said
    ]
    encoded = [Outgoing(UNIT_SHARES, partition, NOON, key, msgspec.json.encode(value)) for key, value in records]
    log.transact([Part(partition, encoded, {})])


def _read(log: EmbeddedLog, minutes: UnitMinutes) -> list[tuple[object, list[str]]]:
    """What is done, and who was in the units then."""
    for number, start in _behind(log, minutes):
        minutes.take(number, log.read(UNIT_SHARES, number, start, 100), log.end(UNIT_SHARES, number))
    done: list[tuple[object, list[str]]] = []
    for step in minutes.steps():
        what = step.order.value if isinstance(step, Ordered) else (step.at - NOON) // MINUTE
        names = minutes.units.names()
        done.append((what, [m.employee_id for name in names for m in minutes.units.members(name)]))
    return done


def _behind(log: EmbeddedLog, minutes: UnitMinutes) -> list[tuple[int, int]]:
    return list(minutes.behind(log.ends([(UNIT_SHARES, number) for number in range(2)])))


def test_it_waits_for_all(log: EmbeddedLog) -> None:
    """What comes after a minute waits with it."""
    minutes = UnitMinutes(log, handled := Handled())
    _write(log, 0, "E1", 1, "E2", 2, "E3")
    assert [] == _read(log, minutes)
    _write(log, 1, "E8", 1)
    assert [(1, ["E1", "E8"])] == _read(log, minutes)
    assert NOON + MINUTE == handled.minute
    _write(log, 1, "E9", 2, "E7")
    assert [(2, ["E1", "E2", "E8", "E9"])] == _read(log, minutes)


def test_a_minute_that_somebody_passed_over_is_decided_by_nobody(log: EmbeddedLog) -> None:
    """Its shares count in the next one that all have."""
    minutes = UnitMinutes(log, Handled())
    _write(log, 0, "E1", 1, "E2", 2, "E3", 4)
    _write(log, 1, "E8", 1, 3, "E9", 4)
    assert [(1, ["E1", "E8"]), (4, ["E1", "E2", "E3", "E8", "E9"])] == _read(log, minutes)


def test_commands_have_their_place_among_minutes(log: EmbeddedLog) -> None:
    """One that came after a minute is not obeyed before it is decided, whoever reads it when; others do not wait."""
    minutes = UnitMinutes(log, Handled())
    _write(log, 0, 1)
    _write(log, 1, "!first", 1, "!second")
    assert [(b"!first", []), (1, []), (b"!second", [])] == _read(log, minutes)
    _write(log, 1, "!third", 2, "!fourth")
    assert [(b"!third", [])] == _read(log, minutes)
    _write(log, 0, 2)
    assert [(2, []), (b"!fourth", [])] == _read(log, minutes)


def test_whoever_takes_over_goes_on_behind_the_last_minute(log: EmbeddedLog) -> None:
    """What was decided is not decided again; what members brought by then is known."""
    _write(log, 0, "E1", 1, "E2", 2)
    _write(log, 1, 1, 2)
    assert [1, 2] == [what for what, _ in _read(log, UnitMinutes(log, Handled()))]
    assert [(2, ["E1", "E2"])] == _read(log, UnitMinutes(log, Handled(minute=NOON + MINUTE)))
