"""`scorestream appeals`: which scores people contest, by when that is due, and what somebody else answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from agents.access.appealing import refused, settling
from agents.cli.access_store import actor
from agents.cli.errors import CommandError, UsageError
from agents.cli.flags import NO_FLAGS, Flags, Switch
from agents.cli.opening import now_ms
from agents.cli.output import FormatFlag, print_record, print_rows, time_text
from agents.cli.progress import say
from agents.dead_letters import this_user
from agents.records.appeals import Action, Appeal, AppealError, Who, appeal_of, listed
from agents.records.database import Records, RecordsError, RecordsUnavailable
from agents.records.opening import records_of

app = App(name="appeals", help="List appeals against scores, and answer them.", help_format="plaintext")

_MOST: Final = 100_000
_COLUMNS: Final = (
    "appeal", "state", "overdue", "due_at", "made_at", "employee", "indicator", "window", "window_start", "as_of",
    "value", "n", "template", "version", "event_id", "topic", "partition", "offset", "text", "answered_by",
    "answered_at", "answer",
)  # fmt: skip
_TABLE: Final = ("appeal", "state", "overdue", "due_at", "employee", "indicator", "window", "value", "event_id")


@app.command(name="list")
def list_(
    *,
    all_: Annotated[Switch, Parameter(name="--all")] = False,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """List the appeals that wait for an answer, overdue ones first.

    For example

        scorestream appeals list
        scorestream appeals list --all --format csv

    Parameters
    ----------
    all_
        also those that were answered or withdrawn
    """
    now = now_ms()
    with _records(flags) as records, records.reading() as connection:
        found = listed(connection, now, closed=all_, limit=_MOST)
    print_rows([_fields(appeal, now) for appeal in found], _COLUMNS, format, table=_TABLE)
    return 0


@app.command
def show(number: int, /, *, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """Print one appeal: the score as it was, what the person says, and the answer.

    For example

        scorestream appeals show 3
    """
    with _records(flags) as records, records.reading() as connection:
        print_record(_fields(appeal_of(connection, number), now_ms()), format)
    return 0


@app.command
def answer(
    number: int,
    text: str,
    /,
    *,
    uphold: Annotated[Switch, Parameter(negative=())] = False,
    reject: Annotated[Switch, Parameter(negative=())] = False,
    by: str | None = None,
    flags: Flags = NO_FLAGS,
) -> int:
    """Answer an appeal for good. Whoever is scored cannot answer it.

    For example

        scorestream appeals answer 3 "Counted twice at the tester; corrected today." --uphold --by m.lee

    Parameters
    ----------
    text
        what the person is told, 1 to 2,000 characters
    uphold
        the person is right
    reject
        the score stands
    by
        whose answer it is: an account that may answer it (default: the user who runs this)
    """
    if uphold == reject:
        raise UsageError("say --uphold (the person is right) or --reject (the score stands)")
    action: Action = "uphold" if uphold else "reject"
    with _records(flags) as records:
        done = _answered(records, number, action, text, by)
    say(f"appeal {done.number} is {done.state}")
    return 0


def _answered(records: Records, number: int, action: Action, text: str, by: str | None) -> Appeal:
    """In the audit log, also when it was refused because of who answers."""
    who, now = Who(by or this_user()), now_ms()
    try:
        return records.write(settling(number, action, text, who, now, actor=actor(), named=by is not None))
    except AppealError as error:
        if error.field == "by":
            records.write(refused(number, who, actor(), now, str(error)))
        raise


@contextmanager
def _records(flags: Flags) -> Iterator[Records]:
    try:
        records = records_of(flags.settings())
        try:
            yield records
        finally:
            records.close()
    except (AppealError, RecordsError, RecordsUnavailable) as error:
        raise CommandError(str(error)) from None


def _fields(appeal: Appeal, now: int) -> dict[str, Any]:
    score, event = appeal.score, appeal.score.event
    return {
        "appeal": appeal.number,
        "state": appeal.state,
        "overdue": appeal.overdue(now),
        "due_at": time_text(appeal.due_at),
        "made_at": time_text(appeal.made_at),
        "employee": appeal.employee,
        "indicator": score.indicator,
        "window": score.window,
        "window_start": time_text(score.window_start),
        "as_of": time_text(score.as_of),
        "value": score.value,
        "n": score.n,
        "template": score.template,
        "version": score.version,
        "event_id": event.event_id if event else None,
        "topic": event.topic if event else None,
        "partition": event.partition if event else None,
        "offset": event.offset if event else None,
        "text": appeal.text,
        "answered_by": appeal.answered_by,
        "answered_at": time_text(appeal.answered_at),
        "answer": appeal.answer,
    }
