"""What a change of the organisation did, or why it was refused, as `scorestream org` prints it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from agents.cli.output import FormatFlag, Row, print_rows, time_text
from agents.cli.progress import say
from agents.records.rows import TABLES, Change
from agents.records.statement import Problem

PROBLEM: Final = ("file", "line", "subject", "at", "problem", "remedy")
_SHOWN: Final = 20  # lines of a report
_CHANGE: Final = ("table", "change", "subject", "begins", "was", "became")


def refused(problems: Sequence[Problem], format: FormatFlag) -> int:
    """Prints what is wrong with a change; the exit code."""
    if format == "table":
        for problem in problems:
            sys.stdout.write(f"error: {problem}\n")
    else:
        print_rows(map(problem_row, problems), PROBLEM, format)
    say(f"{len(problems):,} errors; nothing was changed")
    return 1


def problem_row(problem: Problem) -> Row:
    """As a row of PROBLEM."""
    file, line = problem.place or (None, None)
    return {
        "file": file, "line": line, "subject": str(problem.subject), "at": time_text(problem.at),
        "problem": problem.what, "remedy": problem.remedy,
    }  # fmt: skip


def report(changes: Sequence[Change], format: FormatFlag) -> None:
    """Every change; of many of a table a person sees the first ones."""
    if format != "table":
        print_rows(map(_changed, changes), _CHANGE, format)
        return
    shown = [one for table in TABLES for one in [one for one in changes if one.table == table][:_SHOWN]]
    print_rows(map(_changed, shown), _CHANGE, format)
    if len(changes) > len(shown):
        sys.stdout.write(f"... and {len(changes) - len(shown):,} more; --format csv has all of them\n")


def _changed(one: Change) -> Row:
    begins = one.key[-1] if isinstance(one.key[-1], int) else None
    names = [part for part in one.key if isinstance(part, str)]
    return {
        "table": one.table, "change": one.kind, "subject": " ".join(names), "begins": time_text(begins),
        "was": _words(one, one.was), "became": _words(one, one.became),
    }  # fmt: skip


def _words(one: Change, row: tuple[object, ...] | None) -> str | None:
    """What a row says besides its key."""
    if row is None:
        return None
    fields = zip(TABLES[one.table]._fields[len(one.key) :], row[len(one.key) :], strict=True)
    found = [
        f"{name} {time_text(value) if isinstance(value, int) else value}" for name, value in fields if value is not None
    ]
    return ", ".join(found) or "-"


def counts(changes: Sequence[Change]) -> str:
    """How many of each kind, in words."""
    found: dict[str, int] = {}
    for one in changes:
        name = f"{one.kind} {one.table}"
        found[name] = found.get(name, 0) + 1
    order = {kind: place for place, kind in enumerate(("added", "changed", "removed"))}
    told = sorted(found.items(), key=lambda item: (list(TABLES).index(item[0].split()[1]), order[item[0].split()[0]]))
    return "; ".join(f"{name}: {count:,}" for name, count in told) or "nothing changed"
