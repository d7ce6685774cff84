"""Nothing is timed before the answers are equal: ours, the plain agent's and the oracle's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from agents.cli.main import main
from agents.query import committed
from stream.person import Person
from tests.bench import plain_faust
from tests.bench.service import ends, new_log, wait_committed, worker
from tests.bench.workload import TEMPLATE, fill, publish_template


def check(folder: Path, events: int, employees: int) -> int:
    """Runs all three on one log; the number of employees compared. AssertionError when an answer differs."""
    log, partitions = new_log(folder)
    fill(log, events, employees, partitions)
    publish_template(log, TEMPLATE)
    with worker(folder):
        wait_committed(log, ends(log))
    ours = {name: sums(person) for persons in committed(log).persons for name, person in persons.items()}
    *_, plain = asyncio.run(plain_faust.run(folder, sum(ends(log).values())))
    assert ours == plain, next((k, ours.get(k), plain.get(k)) for k in plain if ours.get(k) != plain.get(k))
    assert main(["verify", "--broker", f"embedded://{folder}"]) == 0
    log.close()
    return len(ours)


def sums(person: Person) -> dict[str, Any]:
    """An employee's sums in the form of the plain agent: the panes and the day of each indicator, in units."""
    segment = {s.template: s for s in person.state.segments}["bench"]
    version = person.rules.versions["bench"][0]
    found: dict[str, Any] = {}
    for group in version.groups:
        name = dict(group.where)["stage"] if group.where else frozenset({"output"})
        cells = segment.groups[group.index]
        rate = len(group.names) == 2
        panes = [_pair(vector, rate) for vector in cells.panes[0].values()]
        found[next(iter(name))] = [
            sum(p[0] for p in panes),
            sum(p[1] for p in panes),
            _pair(cells.calendars[0].vector, rate),
        ]
    return found


def _pair(vector: list[int], rate: bool) -> list[int]:
    return [vector[1] // 1_000_000, vector[2] // 1_000_000 if rate else vector[0]]
