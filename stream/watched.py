"""What is remembered between two records for rules: one entry per group of a version that has any; packed, no names.

Instants are ms since 1970 UTC, counts are units. Rules stand in the order of the group's plan (stream/watch_plan.py).
"""

from __future__ import annotations

import msgspec

from schemas.instants import HOUR

NONE = -1


class Open(msgspec.Struct, array_like=True, gc=False):
    """An alert that is not cleared: what it was raised with, and what people and time did with it since."""

    alert_id: str
    state: str
    raised_at: int
    changed_at: int
    unit: str
    window_start: int
    value: float | None
    n: float | None
    good: float | None
    threshold: float
    first: str  # event ids
    last: str
    escalates: bool  # when nobody acknowledges it
    by: str = ""
    reason: str = ""
    until: int = NONE  # shelved so long
    escalated_at: int = NONE
    notify: bool | None = None
    folded_into: str = ""  # the unit's alert that stands for it
    escalates_after: int = HOUR  # ms since it fires


class Ruled(msgspec.Struct, array_like=True, gc=False):
    """One rule. `statistic` is the CUSUM or the EWMA, `spread` the variance of the latter.

    `first`, `begun`: event id and T of the record from which on the value lies too low, or the CUSUM above 0; `n` and
    `good` of the CUSUM since. `held`: T from which on the condition holds, where it has to hold for some time.
    """

    statistic: float = 0.0
    spread: float = 0.0
    first: str = ""
    begun: int = NONE
    held: int = NONE
    n: float = 0.0
    good: float = 0.0
    open: Open | None = None


class Watched(msgspec.Struct, array_like=True, gc=False):
    """The rules of one group of a version. `newest`: the largest T that entered; `after`: behind the last offset."""

    template: str
    version: int
    group: int
    rules: list[Ruled]
    newest: int = NONE
    after: int = 0
