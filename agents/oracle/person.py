"""What holds for a person at a time: the assignment and the targets with the largest T not after it."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping

from agents.oracle.log import MICRO, Event


class Assignments:
    """The roles and units of one person over time; of equal T the later in the log holds. `times` are their T."""

    def __init__(self, events: Iterable[Event]) -> None:
        # A correction of type people.assignment is a people.assignment at the same T, later in the log: it replaces.
        found = sorted((event.at, event.offset, event) for event in events if event.kind.type == "people.assignment")
        self.times = [at for at, _, _ in found]
        self._dims = [dict(event.kind.dims) for _, _, event in found]

    def role(self, at: int) -> str | None:
        """The role in force at `at` (ms), None when there is no assignment or it names none."""
        return self._in_force(at).get("role")

    def unit(self, at: int) -> str:
        """The unit of the assignment in force at `at` (ms), "" when there is none or it names none."""
        return self._in_force(at).get("unit", "")

    def unit_of(self, event: Event) -> str:
        """The unit of an event: that of the assignment in force at its T, else its dim `line`, else none ("")."""
        return self.unit(event.at) or dict(event.kind.dims).get("line", "")

    def _in_force(self, at: int) -> Mapping[str, str]:
        position = bisect_right(self.times, at)
        return self._dims[position - 1] if position else {}


class Targets:
    """The personal targets of one person over time."""

    def __init__(self, events: Iterable[Event]) -> None:
        plain: dict[tuple[str, int], int] = {}
        corrections: dict[tuple[str, int], int] = {}
        found = [event for event in events if event.kind.type == "people.target"]
        for event in sorted(found, key=lambda event: event.offset):
            for name, amount in event.measures:
                entry = (name, event.at)
                if event.corrects is None:
                    plain[entry] = amount
                else:
                    # It belongs to the entry at its T, whichever plain event that comes from and whenever it arrives.
                    corrections[entry] = corrections.get(entry, 0) + amount
        self._entries: dict[str, list[tuple[int, float]]] = {}
        for name, at in sorted(plain.keys() | corrections.keys()):
            amount = plain.get((name, at), 0) + corrections.get((name, at), 0)
            self._entries.setdefault(name, []).append((at, amount / MICRO))

    def at(self, at: int) -> Mapping[str, float]:
        """The latest target per name as of `at` (ms), in units."""
        return {
            name: entries[position - 1][1]
            for name, entries in self._entries.items()
            if (position := bisect_right(entries, at, key=lambda entry: entry[0]))
        }
