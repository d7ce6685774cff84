"""What the JSON API gives, as types: OpenAPI is made from them, and so are the answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from agents.intake.judge import LineAnswer
from schemas.alerts import Message
from schemas.rows import Number, ScoreRow, UnitRow


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
    """Units that have a board, by id. `next`: the `after` of the next page, null on the last. `now`: newest tick."""

    now: str | None
    units: list[UnitEntry]
    next: str | None


class UnitScores(msgspec.Struct, frozen=True):
    """A unit: pooled rows, members and trends by `template/indicator/window`.

    `names`: what members are called, by id; of those only whose unit shows names, and whom you may know by name.
    """

    unit: str
    as_of: str | None
    newest: str | None
    members: list[str]
    rows: list[UnitRow]
    trends: dict[str, list[TrendPane]]
    names: dict[str, str]


class EmployeeScores(msgspec.Struct, frozen=True):
    """An employee: rows, and trends by `template/indicator/window`.

    `name`: null unless their unit shows names, and you may know them by name.
    """

    employee_id: str
    unit: str
    as_of: str | None
    newest: str | None
    rows: list[ScoreRow]
    trends: dict[str, list[TrendPane]]
    name: str | None


class ScoreList(msgspec.Struct, frozen=True):
    """Rows by employee id. `next` is the `after` of the next page, null on the last one. `now` is the newest tick."""

    now: str | None
    rows: list[ScoreRow]
    next: str | None


class OpenAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that is not cleared. `employee_id` is null for a unit's own; times are log times.

    `value`, `n`, `good` are those that it was raised with, `low` and `high` their 95 % Wilson interval. `state`:
    firing, acknowledged or shelved (`until` then). `escalated_at`: nobody had acknowledged it by then.
    """

    alert_id: str
    rule: str
    employee_id: str | None = None
    unit: str
    indicator: str
    template: str
    version: int
    state: str
    severity: str
    raised_at: str
    changed_at: str
    cleared_at: str | None
    window: str
    window_start: str
    value: float | None
    n: Number | None
    good: Number | None
    low: float | None
    high: float | None
    threshold: float
    folded_into: str | None
    first_event: str
    last_event: str
    message: Message
    until: str | None = None
    escalated_at: str | None = None


class AlertList(msgspec.Struct, frozen=True):
    """Open alerts, oldest first. `next` is the `after` of the next page, null on the last one. `now`: newest tick."""

    now: str | None
    alerts: list[OpenAlert]
    next: str | None


class AlertAction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done about an open alert. `until`: RFC 3339 with a zone, for `shelve` only."""

    action: Literal["ack", "shelve", "unshelve", "clear"]
    reason: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    until: str | None = None


class AlertVerdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether an alert was right, and why."""

    verdict: Literal["right", "wrong"]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class AlertTold(msgspec.Struct, frozen=True):
    """A command that is in the log; the worker obeys it within about a second, which the alert shows then."""

    alert_id: str
    said: str
    by: str


class EventAnswers(msgspec.Struct, frozen=True):
    """What became of a batch: how many lines were accepted and refused, how many are in the log, and each of them."""

    accepted: int
    refused: int
    in_log: int
    lines: list[LineAnswer]


class Health(msgspec.Struct, frozen=True):
    """`status`: ok, waiting (no log yet), loading, behind (a backlog), silent (nothing comes) or failing.

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
