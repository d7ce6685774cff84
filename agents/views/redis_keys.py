"""Names in Redis. All but the head carry the epoch, so that keys of views that were lost can never be taken for new.

An id stands percent-encoded in a key: it may hold a colon, a slash, a star, or any letter.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

import msgspec


class Head(msgspec.Struct, frozen=True):
    """Which views there are: the value of the one key that is always the same."""

    epoch: str
    log: str
    format: int
    partitions: int


class Keys:
    """The keys of one installation."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.head = f"{prefix}:views"
        self.alive = f"{prefix}:alive"  # the log of who writes here, until nothing was written for a while
        self.left = f"{prefix}:left"  # set of epochs whose keys are to be removed
        self.changes = f"{prefix}:changes"

    def epoch(self, epoch: str) -> EpochKeys:
        """The keys of these views."""
        return EpochKeys(f"{self._prefix}:{epoch}")


class EpochKeys:
    """The keys of one life of the views."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.units = f"{prefix}:units"
        self.employees = f"{prefix}:employees"
        self.templates = f"{prefix}:templates"
        self.alerts = f"{prefix}:alerts"
        self.raised = f"{prefix}:raised"
        self.all = f"{prefix}:*"  # a pattern: prefix and epoch have no letter that means something in one

    def place(self, partition: int) -> str:
        """How far a partition is in the views."""
        return f"{self._prefix}:place:{partition}"

    def places(self, partitions: Iterable[int]) -> list[str]:
        """The same of several."""
        return [self.place(partition) for partition in partitions]

    def unit(self, unit: str) -> str:
        """A unit's hash."""
        return f"{self._prefix}:unit:{escaped(unit)}"

    def board(self, unit: str) -> str:
        """The sorted set of a unit's people."""
        return f"{self._prefix}:board:{escaped(unit)}"

    def employee(self, employee: str) -> str:
        """An employee's update."""
        return f"{self._prefix}:employee:{escaped(employee)}"

    def unit_alerts(self, unit: str) -> str:
        """The sorted set of a unit's open alerts."""
        return f"{self._prefix}:unit-alerts:{escaped(unit)}"

    def employee_alerts(self, employee: str) -> str:
        """The sorted set of an employee's open alerts."""
        return f"{self._prefix}:employee-alerts:{escaped(employee)}"


def escaped(text: str) -> str:
    """Percent-encoded but for letters, digits and `_.-~`: two ids are never one key, and no key has a part more."""
    return quote(text, safe="")
