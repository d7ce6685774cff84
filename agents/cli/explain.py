"""`scorestream explain`: which events made this score, one by one, recomputed from the log."""

from __future__ import annotations

from typing import Annotated, Any, Final

from cyclopts import Parameter

from agents.cli.as_of import AsOf, demand_readable, resolve
from agents.cli.errors import CommandError
from agents.cli.flags import NO_FLAGS, Flags
from agents.cli.opening import existing_log
from agents.cli.output import Format, FormatFlag, print_record, print_rows, time_text
from agents.cli.progress import Progress, say
from agents.explaining import Explanation, NotExplained, Part, Question, event_fields, score_fields, what_is_gone
from agents.explaining import explain as explained
from agents.limits import limits_in_force
from agents.meta import read_meta

COLUMNS: Final = (
    "event_id", "type", "occurred_at", "logged_at", "source", "corrects", "contribution", "dims", "topic", "offset",
)  # fmt: skip
_TABLE: Final = ("event_id", "occurred_at", "source", "corrects", "contribution", "dims")
_MIX: Final = ("expected", "base", "allowance")


def explain(
    employee: str,
    indicator: str,
    window: str,
    /,
    *,
    as_of: AsOf = "last",
    template: Annotated[str | None, Parameter(help="which template, when the indicator is in several")] = None,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """Print every event that counts in a score, what each adds, the sums, the formula with its numbers, the version.

    Recomputed from the log and the template version alone. For a total (@total, @performance, ...) the
    indicators and their weights. Where kinds of work differ (`case_mix`), also what each event's kind usually gives,
    what all work gives on average, and the good units that are allowed for the difference. As NDJSON the last line
    is the score, as CSV only the events are printed.

    For example

        scorestream explain E0261 semi_finished_yield "rolling 60m"
        scorestream explain E0261 @total day --as-of 2026-03-02T12:00:00+08:00
    """
    settings = flags.settings()
    demand_readable(as_of)
    with existing_log(settings) as log, Progress("read") as progress:
        metas = read_meta(log)
        at = resolve(as_of, max([0, *(m.last for m in metas)]), max([0, *(m.now for m in metas)]))
        asked = Question(employee, indicator, window, at, template)
        try:
            found = explained(log, limits_in_force(log, settings), asked, progress.advance)
        except NotExplained as error:
            raise CommandError(str(error)) from None
        for topic, number, first, low in what_is_gone(log, found, window, at):
            say(f"{topic}/{number} begins at {time_text(first)}, its window at {time_text(low)}: the rest is gone")
        _print(found, format)
    return 0


def _print(found: Explanation, format: Format) -> None:
    if found.line is None:
        print_rows([part._asdict() for part in found.parts], Part._fields, format)
    else:
        more = _MIX if found.mixed >= 0 else ()
        events = (event_fields(found, each) for each in found.events)
        print_rows(events, (*COLUMNS, *more), format, table=(*_TABLE, *more))
    _print_score(score_fields(found), format)


def _print_score(score: dict[str, Any], format: Format) -> None:
    if format == "table":
        print_record({name: value for name, value in score.items() if value not in (None, {})}, format)
    elif format == "ndjson":
        print_record({"score": score}, format)
