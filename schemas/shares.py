"""What partitions tell the units' home once a minute: topic unit-shares.

Key of a share: the employee's id. Keys of the other records begin with `@`, which no id does.
"""

from __future__ import annotations

from typing import Final

import msgspec

from schemas.updates import OpenAlert, Pool

MINUTE_KEY: Final = b"@minute"
ORDER_KEY: Final = b"@order:"  # + alert id


class Share(msgspec.Struct, array_like=True, gc=False):
    """What an employee brings to units: where they belong, sums by version, alerts that units look at.

    Of sums only those of windows that rules of units look at are there; the vectors of the others are empty. `left`:
    versions in force that do not assess them any more, for they are in another role.
    """

    unit: str
    pools: list[Pool]
    alerts: list[OpenAlert]
    left: list[tuple[str, int]]


class MinuteClosed(msgspec.Struct, frozen=True, gc=False):
    """All shares as of minute `at` (ms) are written; `knows`: the rules of the tick that closed it, as ticks say it."""

    at: int
    knows: list[int] | None = None


class UnitOrder(msgspec.Struct, frozen=True, gc=False):
    """A command about a unit's own alert, which the tick `at` (ms) follows: the record as it lies in `commands`."""

    at: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: bytes | None = None
