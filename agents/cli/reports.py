"""What is wrong with a file is told with line, field, value and remedy, alike for all that is checked and published."""

from __future__ import annotations

import datetime
import sys
import zoneinfo
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from agents.cli.errors import CommandError
from agents.cli.output import Format, print_rows
from stream.fields import Problem

_PROBLEM: Final = ("file", "level", "line", "field", "value", "message", "remedy", "pointer")


class Report(Protocol):
    """What a check found."""

    @property
    def errors(self) -> Sequence[Problem]:
        """What has to be mended."""

    @property
    def warnings(self) -> Sequence[Problem]:
        """What may be meant."""


def read_text(file: str) -> str:
    """A file, - for standard input; CommandError for one that is not UTF-8."""
    try:
        return (sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{file}: not UTF-8 ({error}); save it as UTF-8") from None


def print_report(report: Report, file: str, format: Format) -> None:
    """Errors, then warnings, each with its place."""
    problems = [("error", problem) for problem in report.errors] + [("warning", problem) for problem in report.warnings]
    if format == "table":
        for level, problem in problems:
            sys.stdout.write(f"{file}: {level}: {problem}\n")
    else:
        print_rows((_problem_row(file, level, problem) for level, problem in problems), _PROBLEM, format)


def _problem_row(file: str, level: str, problem: Problem) -> dict[str, object]:
    return {
        "file": file,
        "level": level,
        "line": problem.line,
        "field": problem.field,
        "value": problem.value,
        "message": problem.message,
        "remedy": problem.remedy,
        "pointer": problem.pointer or None,
    }


def local_time(at: int, timezone: str) -> str:
    """Milliseconds since 1970 UTC as RFC 3339 in a zone, seconds kept whole where they are."""
    moment = datetime.datetime.fromtimestamp(at // 1000, zoneinfo.ZoneInfo(timezone))
    return moment.replace(microsecond=at % 1000 * 1000).isoformat(timespec="milliseconds" if at % 1000 else "seconds")
