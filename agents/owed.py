"""Who waits for a score update, and the updates that are made and wait for the commit.

Whoever's events changed the scores comes before those whom time alone changed, as at the end of every minute in a
rolling window: ten thousand people at once, of whom most have an event soon and need no update of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from agents.transport.log import Outgoing

LATER: Final = 5  # one in so many turns begins with those whom time alone changed


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
        self._turns = 0

    def __len__(self) -> int:
        return len(self.soon) + len(self.later)

    def __contains__(self, employee_id: str) -> bool:
        return employee_id in self.soon or employee_id in self.later

    def turn(self) -> tuple[dict[str, None], dict[str, None]]:
        """The orders, in the order of this turn: as long as some wait in both, each gets its share of the turns."""
        self._turns += 1
        return (self.soon, self.later) if self._turns % LATER else (self.later, self.soon)

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
