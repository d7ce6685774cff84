"""Rows leave in three forms that carry the same values: a table to read, NDJSON to go on with, CSV for a spreadsheet.

Text in a cell may come from anybody who can send an event: it never moves a terminal's cursor and never becomes a
spreadsheet's formula.
"""

from __future__ import annotations

import csv
import math
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TextIO

import orjson
from cyclopts import Parameter

from schemas.instants import format_rfc3339

Format = Literal["table", "ndjson", "csv"]
FormatFlag = Annotated[Format, Parameter(help="how rows are printed")]
Row = Mapping[str, object]

_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")
_NARROW: Final = 24  # a column up to this wide is never wrapped
_GAP: Final = 2


def print_rows(
    rows: Iterable[Row],
    columns: Sequence[str],
    format: Format,
    *,
    table: Sequence[str] | None = None,
    out: TextIO | None = None,
) -> int:
    """Print `rows` with these columns, in `table` form only those of `table`; the number of rows.

    Values: None (no value), bool, int, float, str, times as RFC 3339 text (`time_text`), nested lists and dicts.
    NDJSON and CSV are written row by row; a table is laid out from all of its rows.
    """
    stream = sys.stdout if out is None else out
    if format == "ndjson":
        return _print_ndjson(rows, columns, stream)
    if format == "csv":
        return _print_csv(rows, columns, stream)
    return _print_table(rows, table or columns, stream)


def print_record(row: Row, format: Format, *, out: TextIO | None = None) -> None:
    """Print one row: in `table` form a line per column."""
    stream = sys.stdout if out is None else out
    if format == "table":
        _print_fields(tuple(row), [_table_cell(value) for value in row.values()], stream)
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
        out.write(json_text({column: row.get(column) for column in columns}) + "\n")
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
    return "'" + text if text.startswith(_FORMULA) else text


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
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


# ---------------------------------------------------------------- tables


def visible(text: str) -> str:
    """The text with control, format and surrogate characters written out, so that it stays in its cell."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _table_cell(value: object) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return visible(_text(value))


def _print_table(rows: Iterable[Row], columns: Sequence[str], out: TextIO) -> int:
    from rich.cells import cell_len

    values = [[row.get(column) for column in columns] for row in rows]
    cells = [[_table_cell(value) for value in row] for row in values]
    widths = [
        max([cell_len(column), *(cell_len(row[i]) for row in cells)], default=0) for i, column in enumerate(columns)
    ]
    room = shutil.get_terminal_size().columns if out.isatty() else None
    if room is not None and sum(min(width, _NARROW) + _GAP for width in widths) > room:
        _print_blocks(columns, cells, out)
    else:
        numeric = [all(isinstance(row[i], int | float | None) for row in values) for i in range(len(columns))]
        _print_grid(columns, cells, widths, numeric, room, out)
    return len(cells)


def _print_grid(
    columns: Sequence[str],
    cells: list[list[str]],
    widths: list[int],
    numeric: list[bool],
    room: int | None,
    out: TextIO,
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column, width, number in zip(columns, widths, numeric, strict=True):
        keep = room is None or width <= _NARROW
        side: Any = "right" if number else "left"
        grid.add_column(Text(column), justify=side, no_wrap=keep, overflow="fold", min_width=width if keep else None)
    for row in cells:
        grid.add_row(*map(Text, row))
    # Not on a terminal a row is a line, whatever its length: it will be searched and cut, not looked at.
    width = room or sum(widths) + 3 * len(widths) + 1
    Console(file=out, width=width, highlight=False, markup=False, emoji=False).print(grid)


def _print_blocks(columns: Sequence[str], cells: list[list[str]], out: TextIO) -> None:
    """Rows wider than the screen are printed below each other."""
    for number, row in enumerate(cells, 1):
        out.write(f"-- {number} --\n")
        _print_fields(columns, row, out)


def _print_fields(columns: Sequence[str], cells: Sequence[str], out: TextIO) -> None:
    label = max(map(len, columns), default=0)
    for column, cell in zip(columns, cells, strict=True):
        if cell:
            out.write(f"{column:<{label}}  {cell}\n")
