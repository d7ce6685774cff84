"""Simulated shifts through what a worker counts a chunk with: one employee each, and the units after which alerts
were raised.

A unit every 72 s: 400 make a shift of eight hours, and some 50 of them lie in `rolling 60m`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agents.counting import count_chunk
from schemas.alerts import FIRING
from schemas.columns import EventGroups
from schemas.event import INSPECTION
from schemas.gathering import Gathering, Slice
from schemas.memo import Memo
from stream.dedupe import Block
from stream.person import Person
from stream.pipeline import Limits
from stream.rulebook import Rulebook
from stream.state import QC, State
from stream.tally import Tally
from stream.together import FEWEST
from stream.topics import QC_EVENTS

SEED: Final = 20260302
UNITS: Final = 400
SPACING: Final = 72_000  # ms from unit to unit
BEGIN: Final = 1_772_409_600_000  # 2026-03-02T00:00:00Z
_TEAM: Final = 1_000  # people whose events come together
_CHUNK: Final = 50  # units of each of them in a chunk: an hour
_LIMITS: Final = Limits()

Chances = NDArray[np.float64]  # that the first, second, ... unit is good
Counts = NDArray[np.int64]  # accepted units, a line for each shift, a column for each record


@dataclass(frozen=True, slots=True)
class Raised:
    """Per shift, and by rule: the number of units worked when an alert was raised, ascending."""

    shifts: Sequence[Mapping[str, Sequence[int]]]

    def firsts(self, ids: Sequence[str], after: int = 0) -> list[int | None]:
        """Per shift, the first alert of any of these rules after so many units."""
        return [
            min((unit for id in ids for unit in shift.get(id, ()) if unit > after), default=None)
            for shift in self.shifts
        ]


def work(chances: Chances, record: int, shifts: int, number: int) -> Counts:
    """What people make: accepted units of each record of so many units. `number` tells one simulation from another."""
    good = np.random.default_rng((SEED, number)).random((shifts, len(chances))) < chances
    accepted: Counts = good.reshape(shifts, -1, record).sum(axis=2)
    return accepted


def simulate(rules: Rulebook, accepted: Counts, record: int, products: Counts | None = None) -> Raised:
    """What the rules raise over these records; `products`: the number of what was made, as `accepted` is laid out."""
    if products is None:
        products = np.zeros_like(accepted)
    found: list[Mapping[str, Sequence[int]]] = []
    for begin in range(0, len(accepted), _TEAM):
        found += _team(rules, accepted[begin : begin + _TEAM], record, products[begin : begin + _TEAM])
    return Raised(found)


def _team(rules: Rulebook, accepted: Counts, record: int, products: Counts) -> list[dict[str, list[int]]]:
    people = {name: Person(name, State(), rules) for name in (f"E{number}" for number in range(len(accepted)))}
    raised: dict[str, dict[str, list[int]]] = {name: {} for name in people}
    for groups in _chunks(list(people), accepted, record, products):
        tally = Tally()
        counting = count_chunk(groups, QC, people.__getitem__, _LIMITS, _recall, tally, FEWEST, _put_nothing_away)
        deque(counting, maxlen=0)
        assert tally.scored == len(groups.times), "every record is scored, or the simulation is wrong"
        for row in tally.alerts:
            if row.state == FIRING:
                assert isinstance(row.employee_id, str)
                raised[row.employee_id].setdefault(row.rule, []).append(int(row.last_event))
    return list(raised.values())


def _chunks(names: Sequence[str], accepted: Counts, record: int, products: Counts) -> Iterator[EventGroups]:
    """Everybody's events hour by hour; an event's id is the number of units worked when it was written."""
    memo = Memo(QC_EVENTS, lambda key: True)
    employees = np.array([memo.employee(name) for name in names])
    measures = np.array([memo.measured(b'{"inspected":%d,"accepted":%d}' % (record, n)) for n in range(record + 1)])
    source = memo.source("station")
    assert source is not None
    kinds = [memo.kind(INSPECTION, b'{"line":"L1","product":"P%d"}' % number) for number in range(products.max() + 1)]
    numbers = np.array([kind for kind in kinds if kind is not None])
    width, offset = max(1, _CHUNK // record), 0
    for begin in range(0, accepted.shape[1], width):
        some = accepted[:, begin : begin + width]
        worked = record * np.arange(begin + 1, begin + some.shape[1] + 1)
        times = np.tile(BEGIN + SPACING * worked, len(names))
        gathering = Gathering(memo)
        gathering.add(
            Slice(
                employees.repeat(some.shape[1]).tolist(),
                [str(number) for number in worked.tolist()] * len(names),
                times,
                numbers[products[:, begin : begin + width]].ravel().tolist(),
                measures[some].ravel().tolist(),
                [source] * some.size,
                range(offset, offset + some.size),
                times,
            )
        )
        offset += some.size
        yield gathering.groups()


def _recall(employee_id: str, lane: int, hour: int) -> Sequence[Block]:
    raise AssertionError("nothing is sent twice here, so nobody looks for old identities")


def _put_nothing_away() -> None:
    """A tally is looked at when its chunk is counted."""
