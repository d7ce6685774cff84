"""A score leaves as one row per employee (or unit), template, indicator and window: the contract's section 4."""

from __future__ import annotations

from typing import Final

import msgspec

NO_DATA: Final = "no_data"
INSUFFICIENT: Final = "insufficient"
OK: Final = "ok"
DIMENSIONS: Final = ("performance", "ability", "attitude")
TOTALS: Final = ("@performance", "@ability", "@attitude", "@total")

Number = int | float


def whole(number: float | None) -> Number | None:
    """A number as it leaves: an integer where it is one."""
    return int(number) if number is not None and float(number).is_integer() else number


class ScoreRow(msgspec.Struct, gc=False):
    """One value. `window_start` and `as_of` are RFC 3339 in UTC; `value` is the formula's number (0.93, not 93);
    `n`, `good` and `sums` are in units; `low`/`high` the 95 % Wilson interval. null means: no value.

    `allowance` (units) and `adjusted` only where the indicator has `case_mix`: ARCHITECTURE.md, Case mix."""

    employee_id: str
    template: str
    version: int
    indicator: str
    window: str
    window_start: str
    as_of: str
    status: str
    value: Number | None
    points: Number | None
    n: Number | None
    good: Number | None
    low: float | None
    high: float | None
    sums: dict[str, Number]
    allowance: Number | msgspec.UnsetType = msgspec.UNSET
    adjusted: float | msgspec.UnsetType | None = msgspec.UNSET


class UnitRow(msgspec.Struct, gc=False):
    """The same for a unit: sums of its members' events at event time, pooled; never a mean of rates."""

    unit: str
    template: str
    version: int
    indicator: str
    window: str
    window_start: str
    as_of: str
    status: str
    value: Number | None
    points: Number | None
    n: Number | None
    good: Number | None
    low: float | None
    high: float | None
    sums: dict[str, Number]
    allowance: Number | msgspec.UnsetType = msgspec.UNSET
    adjusted: float | msgspec.UnsetType | None = msgspec.UNSET


def row_fields(row: ScoreRow | UnitRow) -> dict[str, object]:
    """The fields that a row has, by name."""
    return {name: value for name, value in msgspec.structs.asdict(row).items() if value is not msgspec.UNSET}
