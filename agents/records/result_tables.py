"""Final results of windows that are over, as tables: a row that is written stays as it is, what changes is one more.

`results` is for everybody who asks; the other tables are what agents/results.py needs to go on where it was.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    column,
    table,
)

from agents.records.tables import metadata

SUBJECTS: Final = ("employee", "unit")
results: Final = Table(
    "results",
    metadata,
    Column("subject_kind", Text, CheckConstraint(f"subject_kind IN {SUBJECTS!r}", "subject_kind"), nullable=False),
    Column("subject", Text, nullable=False, comment="the employee's or the unit's id"),
    Column("template", Text, nullable=False),
    Column("indicator", Text, nullable=False, comment="as the template names it; @total, @performance, ...: totals"),
    Column("window_kind", Text, nullable=False, comment="day, week, month, quarter, year, shift"),
    Column("window_start", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("window_end", BigInteger, nullable=False, comment="ms since 1970 UTC; the first instant after the window"),
    Column("number", Integer, nullable=False, comment="0: as it closed; 1, 2, ...: restated by what came later"),
    Column("version", Integer, nullable=False, comment="of the template"),
    Column(
        "status",
        Text,
        nullable=False,
        comment="ok, insufficient, no_data (the contract, section 4); withdrawn: there is no such shift any more",
    ),
    Column("value", Double, comment="the formula's number (0.93, not 93)"),
    Column("points", Double),
    Column("n", Double, comment="of a rate: units; null of other indicators"),
    Column("good", Double, comment="of a rate: good units"),
    Column("low", Double, comment="lower end of the rate's 95 % interval (Wilson)"),
    Column("high", Double, comment="upper end of it"),
    Column("allowance", Double, comment="good units allowed for hard work; null without case_mix"),
    Column("adjusted", Double, comment="(good + allowance) / n; null without case_mix"),
    Column("target", Double, comment="the indicator's target in the template"),
    Column("sums", Text, nullable=False, comment="JSON: exact sums by measure, in units"),
    Column("shift", Text, comment="of a shift: its id in the calendar; null before the first of a calendar"),
    Column("calendar", Text, comment="of a shift: the calendar and its version, ID@VERSION"),
    Column("shift_start", BigInteger, comment="ms; when the shift starts by the calendar, with no time before it"),
    Column("shift_end", BigInteger, comment="ms; when it ends by the calendar"),
    Column("cause", Text, comment="why it was restated, or is new in a window that was closed; null: as it closed"),
    Column("as_of", BigInteger, nullable=False, comment="ms; the window's last millisecond"),
    Column("known_at", BigInteger, nullable=False, comment="ms of log time: records up to then were known"),
    Column("computed_at", BigInteger, nullable=False, comment="ms; when the row was written"),
    PrimaryKeyConstraint(
        *("subject_kind", "subject", "window_end", "window_start", "window_kind", "template", "indicator", "number")
    ),
    CheckConstraint("number >= 0", "number"),
    comment="final results of closed windows; rows are never changed: the highest number holds (view latest_results)",
)
Index(None, results.c.window_kind, results.c.window_start, results.c.subject_kind)

# A view, made by the migration: the rows of `results` that no later number has replaced. It is no table of `metadata`.
latest_results: Final = table("latest_results", *(column(name, own.type) for name, own in results.c.items()))

result_parts: Final = Table(
    "result_parts",
    metadata,
    Column("template", Text, nullable=False),
    Column("window_kind", Text, nullable=False),
    Column("window_start", BigInteger, nullable=False),
    Column("window_end", BigInteger, nullable=False),
    Column("unit", Text, nullable=False, comment="where the events happened"),
    Column("employee", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sums", Text, nullable=False, comment="JSON: per group of the version its sums, in millionths"),
    PrimaryKeyConstraint("template", "window_kind", "window_start", "window_end", "unit", "employee", "version"),
    comment="what each person brought to each unit in closed windows, as of now: units are pooled from it; internal",
)
Index(None, result_parts.c.employee, result_parts.c.window_end)

result_pending: Final = Table(
    "result_pending",
    metadata,
    Column("template", Text, nullable=False),
    Column("window_kind", Text, nullable=False),
    Column("window_start", BigInteger, nullable=False),
    Column("window_end", BigInteger, nullable=False),
    Column("cause", Text, nullable=False, server_default="", comment="as in results; closed: it has just closed"),
    PrimaryKeyConstraint("template", "window_kind", "window_start", "window_end"),
    comment="closed windows in which the units' results have to be computed (again); internal",
)

result_progress: Final = Table(
    "result_progress",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("closed_until", BigInteger, nullable=False, comment="ms: windows that ended by then are closed"),
    Column("read", Text, nullable=False, comment="JSON: per input topic the next offset"),
    Column("rules", Text, nullable=False, comment="JSON: the versions, models and calendars that were known"),
    comment="how far the log is in `results`, by partition; internal",
)

result_run: Final = Table(
    "result_run",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", "one"), primary_key=True, autoincrement=False),
    Column("log_id", Text, nullable=False, comment="the log that the results are of"),
    Column("run", Text, nullable=False, comment="who writes: a run that began earlier writes no more"),
    Column("tree", Text, nullable=False, comment="the tree of units by which units were pooled"),
    comment="one row: which log, whose turn, which tree; internal",
)
