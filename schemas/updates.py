"""What leaves the scoring agent for screens and the unit pool: the latest values, conflated."""

from __future__ import annotations

import msgspec

from schemas.rows import ScoreRow, UnitRow


class Pool(msgspec.Struct, array_like=True, gc=False):
    """What one employee contributes to one unit under one template version.

    `starts[i]` and `vectors[i]` belong to the version's i-th (group, window) slot: the window's start (ms; 0 for
    rolling windows, whose panes slide with the as-of) and the sums (events, then measures in millionths).
    """

    unit: str
    template: str
    version: int
    starts: list[int]
    vectors: list[list[int]]


class OpenAlert(msgspec.Struct, array_like=True, gc=False):
    """What a unit needs of a member's open alert. `raised_at`: log time in ms.

    `drifts`: its rule says that their work has got worse, which more than a third of a line have in common with it.
    """

    alert_id: str
    template: str
    version: int
    indicator: str
    rule: str
    drifts: bool
    raised_at: int
    folded_into: str


class Contribution(msgspec.Struct, gc=False):
    """What the pools of units need of a score update; everything else in it is passed over unread."""

    employee_id: str
    unit: str
    as_of: str
    newest: str | None
    trends: dict[str, list[tuple[int, float, float]]]
    pools: list[Pool]
    drifts: dict[str, float] = {}  # "template/indicator" -> statistic / h of its drift rules, from a half on
    alerts: list[OpenAlert] = []


class ScoreUpdate(Contribution, gc=False):
    """Topic score-updates: everything a screen needs of one employee.

    `targets`: the personal ones that formulas of the rows name, as of `as_of`; a row without value tells none.
    """

    rows: list[ScoreRow] = []
    targets: dict[str, float] = {}


class UnitPart(msgspec.Struct, gc=False):
    """A unit that belongs to another one, as the board of that one shows it. `people`: all that belong to it."""

    unit: str
    name: dict[str, str]
    people: int
    newest: str | None
    rows: list[UnitRow]
    trends: dict[str, list[tuple[int, float, float]]]


class UnitUpdate(msgspec.Struct, gc=False):
    """Topic unit-updates: the same of a unit, pooled."""

    unit: str
    as_of: str
    newest: str | None
    members: list[str]
    rows: list[UnitRow]
    trends: dict[str, list[tuple[int, float, float]]]
    name: dict[str, str] = {}  # by language, where the organisation says it
    parents: list[str] = []  # what it belongs to, the nearest first
    parts: list[UnitPart] = []
