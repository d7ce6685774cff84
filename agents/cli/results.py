"""`scorestream results`: final results of closed windows in the relational store, and how they were restated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from agents.cli.as_of import instant
from agents.cli.errors import CommandError, UsageError
from agents.cli.flags import NO_FLAGS, Flags, Switch
from agents.cli.opening import existing_log, now_ms
from agents.cli.output import FormatFlag, print_rows, time_text
from agents.cli.progress import Progress, say
from agents.limits import limits_in_force
from agents.records.database import Records, RecordsError, RecordsUnavailable
from agents.records.opening import records_of
from agents.records.result_tables import results
from agents.records.results import FIELDS, Superseded, Wanted, chosen, closed_until
from agents.results import close as close_all
from agents.settings import Settings
from stream.window import CALENDAR_KINDS

app = App(
    name="results",
    help="Final results of closed windows: compute them, list them, show how one was restated.",
    help_format="plaintext",
)

COLUMNS: Final = tuple(str(column.name) for column in results.columns)
_TIMES: Final = ("window_start", "window_end", "shift_start", "shift_end", "as_of", "known_at", "computed_at")
_TABLE: Final = (
    *("subject_kind", "subject", "template", "indicator", "window_kind", "window_start", "shift", "number"),
    *("status", "value", "points", "n", "good", "cause"),
)
_KINDS: Final = ("shift", *CALENDAR_KINDS)


@app.command
def close(*, flags: Flags = NO_FLAGS) -> int:
    """Write the results of windows that closed since, and restate those that later records change.

    A window is closed once every partition has a tick as long after its end as late events are waited for
    (late_days). A worker does this when a day closes, and once a day in any case; here it is done at once. Whatever
    ends it, it can be run again: no result is lost and none is there twice.

    For example

        scorestream results close
    """
    settings = flags.settings()
    with existing_log(settings) as log, _records(settings) as records, Progress("read") as progress:
        done = close_all(log, records, limits_in_force(log, settings), now_ms(), progress.advance)
    if done.until is None or done.why:
        raise CommandError(done.why)
    say(
        f"windows that ended by {time_text(done.until)} are closed: {done.written - done.restated:,} new results, "
        f"{done.restated:,} restated; {done.people:,} people looked at in {progress.seconds:.1f} s"
    )
    return 0


@app.command(name="list")
def list_(
    *,
    employee: Annotated[str | None, Parameter(help="only this employee")] = None,
    unit: Annotated[str | None, Parameter(help="only this unit's own results")] = None,
    window: Annotated[str | None, Parameter(help=f"only these windows: {', '.join(_KINDS)}")] = None,
    since: Annotated[str | None, Parameter(help="only windows that ended after this time (RFC 3339 with zone)")] = None,
    latest: Annotated[Switch, Parameter(help="only the row of each result that holds now")] = False,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """List results, one row per subject, window and indicator, and a further one for each restatement.

    For example

        scorestream results list --unit L01 --window month --latest
        scorestream results list --since 2026-03-01T00:00:00+08:00 --format csv
    """
    settings = flags.settings()
    if employee is not None and unit is not None:
        raise UsageError("--employee and --unit: results are an employee's or a unit's; give one of them")
    if window is not None and window not in _KINDS:
        raise UsageError(f"--window {window!r}: no such window closes; write one of {', '.join(_KINDS)}")
    kind = "employee" if employee is not None else "unit" if unit is not None else None
    after = None if since is None else instant("--since", since)
    wanted = Wanted(kind, employee if employee is not None else unit, window, after=after, latest=latest)
    with _records(settings) as records, records.reading() as connection:
        printed = print_rows(map(_row, chosen(connection, wanted)), COLUMNS, format, table=_TABLE)
        until = closed_until(connection)
    if not printed:
        say(
            "no such results; "
            + (f"closed until {time_text(until)}" if until is not None else "nothing was closed yet")
        )
    return 0


@app.command
def show(
    subject: str,
    indicator: str,
    window: str,
    /,
    *,
    at: Annotated[str, Parameter(help="a time in the window (RFC 3339 with zone)")],
    template: Annotated[str | None, Parameter(help="where several templates have such an indicator")] = None,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """Show the history of one result: as it closed, and each restatement with what changed.

    For example

        scorestream results show E0261 semi_finished_yield month --at 2026-03-02T00:00:00+08:00

    Parameters
    ----------
    subject
        an employee's or a unit's id
    indicator
        an indicator's id, or @total, @performance, @ability, @attitude
    window
        day, week, month, quarter, year or shift
    """
    settings = flags.settings()
    held = instant("--at", at)
    wanted = Wanted(None, subject, window, indicator=indicator, template=template, holds=held)
    with _records(settings) as records, records.reading() as connection:
        rows = list(chosen(connection, wanted))
    if not rows:
        raise CommandError(
            f"there is no result of {subject!r} for {indicator!r} in a {window} that holds {time_text(held)}; "
            f"`scorestream results list` shows those that are there"
        )
    columns = ("subject_kind", "subject", "template", "number", *FIELDS, "cause", "window_start", "window_end")
    table = ("template", "number", "status", "value", "points", "n", "good", "sums", "known_at", "cause", "changed")
    print_rows(_with_changes(rows), (*columns, "known_at", "computed_at", "changed"), format, table=table)
    return 0


def _with_changes(rows: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each row with the fields that are not as in the row of the number before: what was, and what is."""
    before: Mapping[str, Any] | None = None
    for row in rows:
        changed = {}
        if before is not None and row["number"]:
            changed = {name: [before[name], row[name]] for name in FIELDS if before[name] != row[name]}
        yield {**_row(row), "changed": changed}
        before = row


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **{name: time_text(row[name]) for name in _TIMES}}


@contextmanager
def _records(settings: Settings) -> Iterator[Records]:
    """The store of these settings; what is wrong with it is told in one line."""
    try:
        records = records_of(settings)
        try:
            yield records
        finally:
            records.close()
    except (RecordsError, RecordsUnavailable, Superseded) as error:
        raise CommandError(str(error)) from None
