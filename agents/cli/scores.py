"""`scorestream scores`: rows as of any moment, beside a live worker or without one."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from agents.cli.as_of import AsOf, KnownAt, demand_readable, instant, resolve
from agents.cli.errors import CommandError, UsageError
from agents.cli.flags import NO_FLAGS, Flags
from agents.cli.opening import existing_log
from agents.cli.output import FormatFlag, print_rows, time_text
from agents.cli.progress import Progress, say
from agents.limits import limits_in_force
from agents.query import committed, histories_known_at, newest_tick, rows_as_of
from agents.rules import rulebook
from agents.transport.log import Log
from schemas.rows import TOTALS, ScoreRow
from stream.history import history_rows
from stream.person import Person
from stream.pipeline import Limits
from stream.state import assignment_at

COLUMNS: Final = ScoreRow.__struct_fields__
_TABLE: Final = tuple(c for c in COLUMNS if c not in ("as_of", "sums"))


def scores(
    *,
    employee: Annotated[str | None, Parameter(help="only this employee")] = None,
    unit: Annotated[str | None, Parameter(help="only people who are in this unit at the as-of")] = None,
    indicator: Annotated[str | None, Parameter(help="only this indicator (or @total, @performance, ...)")] = None,
    window: Annotated[str | None, Parameter(help="only this window, as the template writes it")] = None,
    as_of: AsOf = "last",
    known_at: KnownAt = None,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """Print scores: one row per employee, template, indicator and window.

    For example

        scorestream scores --unit L01 --window "rolling 60m" --as-of now
        scorestream scores --employee E0261 --as-of 2026-03-02T12:00:00+08:00 --format ndjson
    """
    settings = flags.settings()
    demand_readable(as_of, known_at)
    with existing_log(settings) as log, Progress("read") as progress:
        limits = limits_in_force(log, settings)
        source = _known_at if known_at is not None else _committed
        rows = source(log, limits, employee, unit, as_of, known_at, progress)
        chosen = (row for row in rows if indicator in (None, row.indicator) and window in (None, row.window))
        printed = print_rows(map(msgspec.structs.asdict, chosen), COLUMNS, format, table=_TABLE)
        if not printed:
            _demand_known(log, indicator, window)
    if employee is not None and not printed:
        raise CommandError(
            f"employee {employee!r}: no such rows; check the id, the filters, and whether a template applies"
        )
    return 0


def _committed(
    log: Log,
    limits: Limits,
    employee: str | None,
    unit: str | None,
    as_of: str,
    _: str | None,
    progress: Progress,
) -> Iterator[ScoreRow]:
    known = committed(log, employee)
    at = resolve(as_of, known.last, known.now)
    if known.committed_at < 0 or (as_of in ("last", "now") and at <= 0):
        say(f"nothing is {'ticked' if as_of == 'now' else 'scored'} yet: start a worker, or wait for its first commit")
        return
    commit = time_text(known.committed_at) if known.committed_at >= 0 else "none"
    say(f"as of {time_text(at)} ({as_of}), commit of {commit}")
    if unit is not None:
        known.persons = [
            {name: person for name, person in persons.items() if in_unit(person, unit, at)} for persons in known.persons
        ]
    yield from rows_as_of(log, known, at, limits, progress.advance)


def _known_at(
    log: Log,
    limits: Limits,
    employee: str | None,
    unit: str | None,
    as_of: str,
    known_at: str | None,
    progress: Progress,
) -> Iterator[ScoreRow]:
    moment = instant("--known-at", known_at or "")
    everybody = histories_known_at(log, moment, limits, None if as_of == "last" else employee, progress.advance)
    last = max((history.newest() for history in everybody.values()), default=0)
    at = resolve(as_of, max(0, last), min(newest_tick(log), moment))
    say(f"as of {time_text(at)} ({as_of}), as known at {time_text(moment)}")
    for name, history in sorted(everybody.items()):
        if employee in (None, name) and (unit is None or in_unit(history.person, unit, at)):
            yield from history_rows(history, at)


def _demand_known(log: Log, indicator: str | None, window: str | None) -> None:
    """UsageError when no published template has an indicator or a window of this name."""
    indicators = [one for template in rulebook(log).templates() for one in template.indicators]
    known = {
        "indicator": (indicator, {one.id for one in indicators} | set(TOTALS)),
        "window": (window, {one.text for indicator in indicators for one in indicator.windows}),
    }
    for option, (given, names) in known.items():
        if given is not None and given not in names:
            near = difflib.get_close_matches(given, names, n=1)
            meant = f"did you mean {near[0]}? There" if near else "there"
            raise UsageError(f"--{option} {given!r}: no template has it; {meant} are {', '.join(sorted(names))}")


def in_unit(person: Person, unit: str, at: int) -> bool:
    """Whether somebody is in a unit at an instant: by assignment, without one by the lines of their events."""
    assigned = assignment_at(person.state.assignments, at)[1]
    if assigned is not None:
        return assigned == unit
    return any(segment.unit == unit for segment in person.state.segments)
