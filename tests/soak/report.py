"""What a soak says: a line per round and check, at the end how often what was done, how soon and how large."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Any, TextIO

from tests.soak.world import Round


class Report:
    """Prints as it goes; `violations` counts what was found."""

    def __init__(self, seed: int, output: TextIO) -> None:
        self.violations = 0
        self._seed = seed
        self._output = output
        self._rounds: list[Round] = []
        self._done: Counter[str] = Counter()
        self._heard: Counter[str] = Counter()
        self._checks = 0
        self._checked = 0
        self._peak = 0

    def say(self, line: str) -> None:
        """At once, also into a pipe."""
        self._output.write(line + "\n")
        self._output.flush()

    def round(self, world: str, made: Round) -> None:
        """A round that is over."""
        self._rounds.append(made)
        self._done.update(filter(None, [made.fault, made.damage, *made.done]))
        what = "; ".join(filter(None, [made.fault, made.damage, *made.done]))
        self.say(f"round {len(self._rounds):4}  {world:>8}  {made.records:5} records  {what}  {made.seconds:.1f} s")

    def check(self, records: int, employees: int, seconds: float) -> None:
        """Everything was looked at."""
        self._checks += 1
        self._checked = max(self._checked, records)
        self.say(f"      checked {records:,} records of {employees} employees  {seconds:.1f} s")

    def world(self, peak: int, heard: Mapping[str, int]) -> None:
        """A folder is done with: the most memory any of its workers took, and what they said of damage."""
        self._peak = max(self._peak, peak)
        self._heard.update(heard)

    def violation(self, world: str, found: list[str]) -> None:
        """What does not hold, and how to see it again."""
        self.violations += len(found)
        for line in found:
            self.say(f"VIOLATION {line}")
        number = world.rpartition(".")[2]
        self.say(f"  again: python -m tests.soak --kills 10 --seed {self._seed} --world {number}; its folder is kept")

    def table(self) -> None:
        """How often what was done, how soon a worker scored again, how large it became."""
        restarts = sorted(made.restart for made in self._rounds if made.restart is not None)
        rows: list[tuple[str, Any]] = [
            ("rounds", len(self._rounds)),
            ("records sent", f"{sum(made.records for made in self._rounds):,}"),
            ("checks", f"{self._checks}, of up to {self._checked:,} records"),
            *((f"  {what}", number) for what, number in sorted(self._done.items(), key=lambda entry: -entry[1])),
            *sorted(self._heard.items()),
            ("seconds per round, median", f"{median([made.seconds for made in self._rounds] or [0]):.1f}"),
            ("seconds until scoring, median", f"{median(restarts or [0]):.1f}"),
            ("seconds until scoring, most", f"{max(restarts, default=0):.1f}"),
            ("resident memory, most", f"{self._peak >> 20} MB"),
            ("violations", self.violations),
        ]
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            self.say(f"{name:<{width}}  {value}")
