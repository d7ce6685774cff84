"""The faults that a phase may inject: each a function of a site and dice that says what it did.

A fault leaves the mending to `Site.heal`, but for what belongs to the fault itself. `number` is the one that the table
in the reliability plan has; `last` ones leave nothing that could be healed: the site ends with them. So it does, healed
and looked at, with `large` ones: every assignment that comes late reads the log again, and theirs is long.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

from tests.soak.kafka.site import Site

Inject = Callable[[Site, Random], str]


class Skipped(Exception):
    """This fault cannot be had on this machine; the text says why."""


class Fault(NamedTuple):
    """One kind."""

    number: int
    name: str
    inject: Inject
    last: bool = False
    large: bool = False


FAULTS: Final[dict[str, Fault]] = {}


def fault(number: int, name: str, *, last: bool = False, large: bool = False) -> Callable[[Inject], Inject]:
    """Registers a fault under its name."""

    def register(inject: Inject) -> Inject:
        FAULTS[name] = Fault(number, name, inject, last, large)
        return inject

    return register
