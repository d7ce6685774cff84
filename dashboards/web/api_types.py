"""What the JSON API gives, as types: OpenAPI is made from them, and so are the answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

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


class AlertActed(AlertTold, frozen=True):
    """Likewise; `obeyed`, or `pending` where no worker has decided within seconds. `command` names it from then on."""

    outcome: Literal["obeyed", "pending"]
    command: str


class CommandOutcome(AlertTold, frozen=True):
    """What became of a command; `why` says it where it was refused: the alert had moved on when a worker came to it."""

    outcome: Literal["obeyed", "pending", "refused"]
    command: str
    why: str


class ScoreNow(msgspec.Struct, frozen=True):
    """Somebody's total of now, in the window of today or the first that there is; null points: there are none yet."""

    template: str
    window: str
    points: float | None


class PersonEntry(msgspec.Struct, frozen=True):
    """Somebody in the list of everyone. `here`, `left`, or `unlisted`: they have scores and are not in the records.

    `role` and `unit` are those of now, null for who is not here. `score` and `alerts` (how many are open about them)
    are null where you must not see them, `score` also where nothing is scored.
    """

    employee_id: str
    name: str | None
    role: str | None
    unit: str | None
    state: Literal["here", "left", "unlisted"]
    score: ScoreNow | None
    alerts: int | None
    href: str
    page: str


class PeopleList(msgspec.Struct, frozen=True):
    """Everyone, by id. `next` is the `after` of the next page, null on the last one. `now` is the newest tick."""

    now: str | None
    people: list[PersonEntry]
    next: str | None


class ResultEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A closed result as it holds now, as the table `results` of the records has it (docs/records.md).

    `number`: how often it was restated; `cause`: why it was, or why it came late, kind by kind. `was_value` and
    `was_points` are those of the row that it restates. `shift`, its calendar, start and end: of a shift. `href` tells
    all that it ever was; `page` is where people see that.
    """

    subject_kind: Literal["employee", "unit"]
    subject: str
    template: str
    version: int
    indicator: str
    window_kind: str
    window_start: str
    window_end: str
    number: int
    status: str
    value: float | None
    points: float | None
    n: float | None
    good: float | None
    low: float | None
    high: float | None
    allowance: float | None
    adjusted: float | None
    target: float | None
    sums: dict[str, float]
    was_value: float | None
    was_points: float | None
    shift: str | None
    calendar: str | None
    shift_start: str | None
    shift_end: str | None
    cause: list[str]
    as_of: str
    known_at: str
    computed_at: str
    href: str
    page: str


CauseKind = Literal["event", "correction", "assignment", "target", "edit", "person", "version"]


class ResultCause(msgspec.Struct, frozen=True, kw_only=True):
    """Why a result was restated, as far as it is known and may be told.

    event, correction, assignment, target: a record of the log about the person; edit: of the organisation; person:
    somebody whose own result was restated with it; version: the template's. `at`: when it was said; `about`: the id of
    the event or target, the unit, the employee, or the version; `by`: the source or account; `since`: from when on it
    holds; `corrects`: the event that a correction is of; `role`: of an assignment; `place`: the unit that an edit put
    somebody or something into. Who may not read single events is told in `times` how many there were.
    """

    kind: CauseKind
    at: str | None
    about: str
    by: str
    since: str | None
    corrects: str | None
    role: str | None
    place: str | None
    times: int


class ResultStep(msgspec.Struct, frozen=True):
    """A result as it was once; `changed`: fields that are not as in the step before; `causes`: why."""

    result: ResultEntry
    changed: list[str]
    causes: list[ResultCause]


class ResultHistory(msgspec.Struct, frozen=True):
    """All that one result ever was, as it closed first; the last step holds now."""

    steps: list[ResultStep]


class ResultList(msgspec.Struct, frozen=True):
    """Closed results by subject, window and indicator. `closed_until`: windows that ended by then are closed.

    `next` is the `after` of the next page, null on the last one.
    """

    closed_until: str | None
    results: list[ResultEntry]
    next: str | None


class AuditEntry(msgspec.Struct, frozen=True):
    """Who did what to whom, and whether they were let. `detail` is what else there is to say of it."""

    number: int
    at: str
    actor: str
    action: str
    subject: str
    outcome: Literal["allowed", "refused", "done"]
    right: str
    relation: str
    detail: dict[str, Any]


class AuditChain(msgspec.Struct, frozen=True):
    """A look at the whole log: `broken` says which entry is wrong and how, null: each follows from the one before.

    `head`, the end of what holds, is what `scorestream audit verify --head` takes.
    """

    checked_at: str
    entries: int
    head: str
    broken: str | None


class AuditList(msgspec.Struct, frozen=True):
    """Entries of the audit log, the newest first. `chain` is null while the first check of it goes on.

    `next` is the `after` of the next page, null on the last one.
    """

    chain: AuditChain | None
    entries: list[AuditEntry]
    next: str | None


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
