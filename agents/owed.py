"""Who waits for a score update, and the updates that are made and wait for the commit.

Whoever's events changed the scores comes before those whom time alone changed, as at the end of every minute in a
rolling window: ten thousand people at once, of whom most have an event soon and need no update of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from agents.transport.log import Outgoing

SOON: Final = 0.8  # of the time there is, for whose events changed the scores, as long as others wait


class Made(NamedTuple):
    """What a commit writes of an employee who has not changed since: made at once, as all of it is at hand then."""

    update: Outgoing | None  # None: there is nothing to show
    state: bytes


class Owed:
    """Of one partition. In each order whoever has waited longest is first."""

    def __init__(self) -> None:
        self.soon: dict[str, None] = {}
        self.later: dict[str, None] = {}  # time alone changed their scores, or rules did
        self.made: dict[str, Made] = {}

    def __len__(self) -> int:
        return len(self.soon) + len(self.later)

    def __contains__(self, employee_id: str) -> bool:
        return employee_id in self.soon or employee_id in self.later

    def orders(self) -> tuple[tuple[dict[str, None], float], ...]:
        """Who waits, and which share of the time is used up when that order has had its turn."""
        return (self.soon, SOON if self.later else 1.0), (self.later, 1.0)

    def give(self, made: Mapping[str, Made]) -> None:
        """Updates are made: whoever waited for one waits no longer."""
        for employee_id in made:
            self.soon.pop(employee_id, None)
            self.later.pop(employee_id, None)
        self.made.update(made)

    def everybody(self, employees: Iterable[str]) -> None:
        """Rules have changed: what is made says what held before."""
        self.made.clear()
        self.later.update(dict.fromkeys(employees))

    def take(self) -> dict[str, Made]:
        """What is made, for a commit."""
        made, self.made = self.made, {}
        return made
