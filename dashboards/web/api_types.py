"""What the JSON API gives, as types: OpenAPI is made from them, and so are the answers."""

from __future__ import annotations

import msgspec

from schemas.rows import ScoreRow, UnitRow


class TrendPane(msgspec.Struct, frozen=True):
    """One pane of a trend: its start, and the sums of the rate in it."""

    start: str
    n: float | None
    good: float | None


class UnitEntry(msgspec.Struct, frozen=True):
    """A unit in the list. `newest` is the occurred_at of its newest scored event, null when there is none."""

    unit: str
    people: int
    as_of: str | None
    newest: str | None
    href: str
    board: str


class UnitList(msgspec.Struct, frozen=True):
    """All units that have a board, by id. `now` is the newest tick."""

    now: str | None
    units: list[UnitEntry]


class UnitScores(msgspec.Struct, frozen=True):
    """A unit: pooled rows, members and trends by `template/indicator/window`."""

    unit: str
    as_of: str | None
    newest: str | None
    members: list[str]
    rows: list[UnitRow]
    trends: dict[str, list[TrendPane]]


class EmployeeScores(msgspec.Struct, frozen=True):
    """An employee: rows, and trends by `template/indicator/window`."""

    employee_id: str
    unit: str
    as_of: str | None
    newest: str | None
    rows: list[ScoreRow]
    trends: dict[str, list[TrendPane]]


class ScoreList(msgspec.Struct, frozen=True):
    """Rows by employee id. `next` is the `after` of the next page, null on the last one. `now` is the newest tick."""

    now: str | None
    rows: list[ScoreRow]
    next: str | None


class Health(msgspec.Struct, frozen=True):
    """`status`: ok, waiting (no log yet), loading, silent (no tick for half a minute) or failing.

    Ages are in seconds, null when nothing was heard of the service yet.
    """

    status: str
    process_uptime_seconds: float
    last_commit_at: str | None
    last_commit_age_seconds: float | None
    newest_tick_at: str | None
    employees: int
    units: int
    screens: int
    build: str
    detail: str | None
