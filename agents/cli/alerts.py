"""`scorestream alerts`: what was raised, for whom and why; a person's answer to it is a record like everything else."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
from cyclopts import App, Parameter

from agents.alert_commands import Answer, answer_to, reviews_of, send_command, send_review
from agents.cli.errors import CommandError, UsageError
from agents.cli.flags import NO_FLAGS, Flags, Switch
from agents.cli.opening import existing_log, now_ms
from agents.cli.output import FormatFlag, print_record, print_rows, time_text
from agents.cli.progress import say
from agents.dead_letters import this_user
from agents.query import committed
from agents.told import latest_alerts
from agents.transport.log import Log
from schemas.alerts import CLEARED, AlertCommand, AlertReview, AlertRow
from schemas.instants import parse_rfc3339
from stream.lifecycle import ACK, CLEAR, SHELVE, UNSHELVE, objection
from stream.reasons import Reason, reasons

app = App(name="alerts", help="List alerts, and say what is done about them.", help_format="plaintext")

For = Annotated[str, Parameter(name="--for", help="how long: 30m, 4h, 2d; or until when, RFC 3339")]
State = Literal["firing", "acknowledged", "shelved", "cleared"]
_REVIEW: Final = ("review", "reviewed_by", "review_reason")
_COLUMNS: Final = (*(field.name for field in msgspec.structs.fields(AlertRow)), *_REVIEW)
_TABLE: Final = (
    "alert_id", "state", "severity", "employee_id", "unit", "indicator", "rule", "value", "n", "raised_at",
    "folded_into",
)  # fmt: skip
_REASON: Final = tuple(field.name for field in msgspec.structs.fields(Reason))
_REASON_TABLE: Final = ("employee_id", "indicator", "rule", "window", "state", "value", "n", "why")
_UNITS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_POLL_S: Final = 0.1
_LONGEST_REASON: Final = 2_000


@app.command(name="list")
def list_(
    *,
    all_: Annotated[Switch, Parameter(name="--all")] = False,
    state: State | None = None,
    employee: str | None = None,
    unit: str | None = None,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """List alerts, one row each in its latest state: those that are not cleared.

    For example

        scorestream alerts list --unit L03
        scorestream alerts list --all --format csv

    Parameters
    ----------
    all_
        everything that was ever raised
    state
        only those in this state
    employee
        only those of this employee
    unit
        only those of this unit
    """
    with existing_log(flags.settings()) as log:
        reviews = reviews_of(log)
        rows = sorted(latest_alerts(log).values(), key=lambda row: (row.raised_at, row.alert_id))
    chosen = [
        _fields(row, reviews)
        for row in rows
        if (row.state == state if state else all_ or row.state != CLEARED)
        and employee in (None, row.employee_id)
        and unit in (None, row.unit)
    ]
    print_rows(chosen, _COLUMNS, format, table=_TABLE)
    return 0


@app.command
def show(id: str, /, *, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """Show one alert whole: what happened, the evidence, the next step in both languages.

    For example

        scorestream alerts show 8dbc851137371ff246c7

    Parameters
    ----------
    id
        id of the alert, as `list` prints it; its first characters do where they are the only ones
    """
    with existing_log(flags.settings()) as log:
        print_record(_fields(_find(log, id), reviews_of(log)), format)
    return 0


@app.command
def rules(
    *,
    employee: str | None = None,
    indicator: str | None = None,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """Print every rule in force for people, with the numbers that it compares now: why it alerts, or why not.

    For example

        scorestream alerts rules --employee E0261

    Parameters
    ----------
    employee
        only those of this employee
    indicator
        only those of this indicator
    """
    with existing_log(flags.settings()) as log:
        known = committed(log, employee)
        people = sorted((person for persons in known.persons for person in persons.values()), key=lambda one: one.id)
        found = [r for one in people for r in reasons(one, max(one.state.newest, known.last))]
    rows = [msgspec.structs.asdict(each) for each in found if indicator in (None, each.indicator)]
    if employee is not None and not people:
        raise CommandError(f"--employee {employee!r}: nobody of this id has a score; `scorestream scores` lists them")
    print_rows(rows, _REASON, format, table=_REASON_TABLE)
    return 0


@Parameter(name="*")
@dataclass(frozen=True)
class Words:
    """What goes with an answer to an alert."""

    reason: Annotated[str, Parameter(help="why, or what is done about it; it stays with the alert")] = ""
    by: Annotated[str, Parameter(help="who does so (default: the account that runs this)")] = ""
    timeout: Annotated[float, Parameter(help="seconds to wait for the worker to take it; it is kept either way")] = 10


NO_WORDS: Final = Words()
Id = Annotated[str, Parameter(help="id of the alert, or its first characters")]


@app.command
def ack(id: Id, /, *, words: Words = NO_WORDS, flags: Flags = NO_FLAGS) -> int:
    """Acknowledge an alert: somebody is at it. It is not escalated then.

    For example

        scorestream alerts ack 8dbc8511 --reason "nozzle 3 is being changed"
    """
    return _act(flags, id, ACK, words)


@app.command
def shelve(id: Id, /, *, for_: For, words: Words = NO_WORDS, flags: Flags = NO_FLAGS) -> int:
    """Put an alert aside for a time; then it fires again, unless it is over by then.

    For example

        scorestream alerts shelve 8dbc8511 --for 4h --reason "new material on trial"
    """
    return _act(flags, id, SHELVE, words, _until(for_))


@app.command
def unshelve(id: Id, /, *, words: Words = NO_WORDS, flags: Flags = NO_FLAGS) -> int:
    """Take an alert off the shelf before its time."""
    return _act(flags, id, UNSHELVE, words)


@app.command
def clear(id: Id, /, *, words: Words = NO_WORDS, flags: Flags = NO_FLAGS) -> int:
    """End an alert by hand. Its rule raises the next one only after its condition was over once."""
    return _act(flags, id, CLEAR, words)


@app.command
def review(
    id: str, verdict: Literal["right", "wrong"], /, *, reason: str, by: str = "", flags: Flags = NO_FLAGS
) -> int:
    """Say whether an alert was right, open or over: the precision of rules is counted from it.

    For example

        scorestream alerts review 8dbc8511 wrong --reason "the camera was dirty"

    Parameters
    ----------
    id
        id of the alert, or its first characters
    verdict
        right: there was something to do; wrong: there was not
    reason
        what made you think so; it stays with the alert
    by
        who says so (default: the account that runs this)
    """
    if not 1 <= len(reason.strip()) <= _LONGEST_REASON:
        raise UsageError(f"--reason: has {len(reason.strip())} characters; say in 1 to {_LONGEST_REASON:,} why")
    with existing_log(flags.settings()) as log:
        row = _find(log, id)
        found = AlertReview(row.alert_id, verdict, by or this_user(), reason, row.rule, row.unit)
        send_review(log, row, found, now_ms())
    say(f"alert {row.alert_id}: noted as {verdict}")
    return 0


def _act(flags: Flags, id: str, action: str, words: Words, until: int | None = None) -> int:
    with existing_log(flags.settings()) as log:
        row = _find(log, id)
        command = AlertCommand(row.alert_id, action, words.by or this_user(), words.reason, until)
        refused = objection(row.alert_id, row.state, row.by, row.changed_at, command, now_ms())
        if refused:
            raise CommandError(refused)
        place = send_command(log, row, command, now_ms())
        answer = _waited(lambda: answer_to(log, place, row.alert_id), words.timeout)
    if answer is None:
        say(f"alert {row.alert_id}: kept, and done when a worker runs; none took it within {words.timeout:g} s")
        return 0
    if answer.refused:
        raise CommandError(answer.refused)
    said = answer.row or row
    say(f"alert {said.alert_id} is {said.state}" + (f" until {said.until}" if said.until else ""))
    return 0


def _waited(ask: Callable[[], Answer | None], timeout: float) -> Answer | None:
    until = time.monotonic() + timeout
    while (answer := ask()) is None and time.monotonic() < until:
        time.sleep(_POLL_S)
    return answer


def _find(log: Log, id: str) -> AlertRow:
    alerts = latest_alerts(log)
    found = [alerts[id]] if id in alerts else [row for name, row in alerts.items() if id and name.startswith(id)]
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandError(f"alert {id!r}: {_listed(row.alert_id for row in found)} begin so; give more of it")
    raise CommandError(f"there is no alert {id!r}; `scorestream alerts list --all` has the ids")


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")


def _until(text: str) -> int:
    if (span := re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", text)) is not None:
        return now_ms() + int(span[1]) * _UNITS[span[2]]
    moment = parse_rfc3339(text)
    if moment is None:
        raise UsageError(f"--for {text!r}: write 30m, 4h or 2d, or an instant in RFC 3339")
    if moment <= now_ms():
        raise UsageError(f"--for {text!r}: {time_text(moment)} is not in the future")
    return moment


def _fields(row: AlertRow, reviews: Mapping[str, AlertReview]) -> dict[str, object]:
    """A row, and what somebody found of it last."""
    given = msgspec.to_builtins(row)
    found = reviews.get(row.alert_id)
    said = (None, None, None) if found is None else (found.verdict, found.by, found.reason)
    return {name: given.get(name) for name in _COLUMNS[: -len(_REVIEW)]} | dict(zip(_REVIEW, said, strict=True))
