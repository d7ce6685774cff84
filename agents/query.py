"""Questions to a log beside a live worker: the state as of the last commit, and the past from the events.

Nothing here needs the worker or its RocksDB: the changelog has every state, the log has every event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from agents.meta import read_meta
from agents.replay import Progress, replay
from agents.rules import only, rulebook
from agents.transport.log import Log
from agents.transport.murmur2 import partition_for
from schemas.event import INPUT_TOPICS
from schemas.rows import ScoreRow
from stream.history import History, history_rows
from stream.keys import EMPLOYEE, employee_key
from stream.meta import Meta
from stream.person import Person
from stream.pipeline import Limits
from stream.rulebook import Rulebook
from stream.score import score_rows
from stream.state import State, decode_state
from stream.topics import CHANGELOG


@dataclass(slots=True)
class Committed:
    """The states and metas of one instant: `applied` per partition says which records are in them."""

    rules: list[Rulebook]  # per partition
    metas: list[Meta]
    persons: list[dict[str, Person]] = field(default_factory=list)  # per partition

    @property
    def last(self) -> int:
        """Newest occurred_at of any scored event, 0 when there is none."""
        return max(0, *(meta.last for meta in self.metas)) if self.metas else 0

    @property
    def now(self) -> int:
        """Newest tick, 0 when there is none."""
        return max(0, *(meta.now for meta in self.metas)) if self.metas else 0

    @property
    def committed_at(self) -> int:
        """Wall clock of the newest commit in ms, -1 before the first."""
        return max((meta.committed_at for meta in self.metas), default=-1)


def committed(log: Log, employee: str | None = None) -> Committed:
    """Every state (or one employee's) as of each partition's last commit, under the rules known to that commit."""
    published = rulebook(log)
    partitions = log.topics()[CHANGELOG].partitions
    metas = read_meta(log)
    rules = [only(published, meta.rules) for meta in metas]
    found = Committed(rules, metas, [{} for _ in range(partitions)])
    numbers = range(partitions) if employee is None else [partition_for(employee.encode(), partitions)]
    for number in numbers:
        found.persons[number] = {
            name: Person(name, state, rules[number]) for name, state in states_of(log, number, employee)
        }
    return found


def states_of(log: Log, partition: int, employee: str | None = None) -> Iterator[tuple[str, State]]:
    """The states of a partition (or one employee's), by employee, as of its last commit."""
    wanted = None if employee is None else employee_key(employee)
    latest: dict[bytes, bytes] = {}
    offset = 0
    while rows := log.read(CHANGELOG, partition, offset, 20_000):
        offset = rows[-1][0] + 1
        latest.update(
            (key, value)
            for _, _, key, value, _ in rows
            if key is not None and value is not None and key[:1] == EMPLOYEE and (wanted is None or key == wanted)
        )
    for key, value in sorted(latest.items()):
        yield key[1:].decode(), decode_state(value)


def rows_as_of(
    log: Log, known: Committed, as_of: int, limits: Limits, progress: Progress | None = None
) -> Iterator[ScoreRow]:
    """Rows of everybody in `known`: from the state at or after its newest event, from the log before that."""
    found: dict[str, list[ScoreRow]] = {}
    for number, persons in enumerate(known.persons):
        early = [name for name, person in persons.items() if person.state.newest > as_of]
        histories: dict[str, History] = {}
        if early:
            histories = replay(
                log,
                known.rules[number],
                number,
                limits,
                employees=early,
                until=known.metas[number].applied,
                expired={name: persons[name].state.expired for name in early},
                progress=progress,
            )
        for name, person in persons.items():
            history = histories.get(name)
            found[name] = score_rows(person, as_of) if history is None else history_rows(history, as_of)
    for name in sorted(found):
        yield from found.pop(name)


def histories_known_at(
    log: Log,
    known_at: int | None,
    limits: Limits,
    employee: str | None = None,
    progress: Progress | None = None,
) -> dict[str, History]:
    """Histories from the log alone, of everybody or one employee; `known_at` (ms) leaves out what was logged later."""
    rules = rulebook(log, known_at)
    partitions = log.topics()[INPUT_TOPICS[0]].partitions
    numbers = range(partitions) if employee is None else [partition_for(employee.encode(), partitions)]
    found: dict[str, History] = {}
    for number in numbers:
        expired = {
            name: [late for late in state.expired if known_at is None or late.since <= known_at]
            for name, state in states_of(log, number, employee)
        }
        chosen = None if employee is None else [employee]
        found |= replay(
            log, rules, number, limits, employees=chosen, known_at=known_at, expired=expired, progress=progress
        )
    return found


def newest_tick(log: Log) -> int:
    """The newest tick that some commit holds, 0 when there is none."""
    return max([0, *(meta.now for meta in read_meta(log))])
