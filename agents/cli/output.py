"""Rows leave in three forms that carry the same values: a table to read, NDJSON to go on with, CSV for a spreadsheet.

Text in a cell may come from anybody who can send an event: it never moves a terminal's cursor and never becomes a
spreadsheet's formula.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal, TextIO

import orjson
from cyclopts import Parameter
from msgspec import UNSET

from agents.cli.table import print_fields, print_table
from agents.spreadsheet import guarded
from schemas.instants import format_rfc3339

Format = Literal["table", "ndjson", "csv"]
FormatFlag = Annotated[Format, Parameter(help="how rows are printed")]
Row = Mapping[str, object]


def print_rows(
    rows: Iterable[Row],
    columns: Sequence[str],
    format: Format,
    *,
    table: Sequence[str] | None = None,
    out: TextIO | None = None,
) -> int:
    """Print `rows` with these columns, in `table` form only those of `table`; the number of rows.

    Values: None (no value), UNSET (not even that; NDJSON leaves it out), bool, int, float, str, times as RFC 3339 text
    (`time_text`), nested lists and dicts.
    NDJSON and CSV are written row by row; a table is laid out from all of its rows.
    """
    stream = sys.stdout if out is None else out
    if format == "ndjson":
        return _print_ndjson(rows, columns, stream)
    if format == "csv":
        return _print_csv(rows, columns, stream)
    shown = table or columns
    values = [[row.get(column) for column in shown] for row in rows]
    print_table(shown, values, _text, stream)
    return len(values)


def print_record(row: Row, format: Format, *, out: TextIO | None = None) -> None:
    """Print one row: in `table` form a line per column."""
    stream = sys.stdout if out is None else out
    if format == "table":
        print_fields(tuple(row), list(row.values()), _text, stream)
    else:
        print_rows((row,), tuple(row), format, out=stream)


def time_text(at: int | None) -> str | None:
    """Milliseconds since 1970 UTC as RFC 3339; None stays None."""
    return None if at is None else format_rfc3339(at)


def json_text(value: object) -> str:
    """Compact JSON; NaN and infinities are null, what is no JSON type is its text."""
    return orjson.dumps(value, default=str).decode()


def _print_ndjson(rows: Iterable[Row], columns: Sequence[str], out: TextIO) -> int:
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the last one is the number of rows
        cells = ((column, row.get(column)) for column in columns)
        out.write(json_text({column: value for column, value in cells if value is not UNSET}) + "\n")
    return count


def _print_csv(rows: Iterable[Row], columns: Sequence[str], out: TextIO) -> int:
    writer = csv.writer(_LineFeeds(out), lineterminator="\r\n")
    writer.writerow(columns)
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007
        writer.writerow([_csv_cell(row.get(column)) for column in columns])
    return count


class _LineFeeds:
    """Ends rows with a line feed. The csv module is told CR LF, or it would leave a lone CR in a cell unquoted."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, row: str) -> None:
        """One row with its end."""
        self._out.write(row[:-2] + "\n")


def _csv_cell(value: object) -> str:
    """A number as itself; text that a spreadsheet would take for a formula behind an apostrophe."""
    text = _text(value)
    if isinstance(value, bool | int | float):
        return text
    return guarded(text)


def _text(value: object) -> str:
    if value is None or value is UNSET or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict | list | tuple):
        return json_text(value)
    return str(value)
