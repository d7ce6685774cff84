"""A table is for eyes: columns stand below each other, numbers are short, and no cell leaves its place.

On a terminal a long cell is folded within its column, and rows that are wider than the screen are printed one below
the other. Off a terminal a row is a line, whatever its length: it will be searched and cut, not looked at.
"""

from __future__ import annotations

import math
import shutil
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final, TextIO

from rich.cells import cell_len

_NARROW: Final = 24  # a column up to this wide is never folded
_GAP: Final = "  "
_FOLDED: Final = 500  # rows; laying out more with folds takes seconds
_SPELLED_OUT: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))

Text = Callable[[object], str]
Cells = Sequence[Sequence[str]]


def print_table(columns: Sequence[str], values: Sequence[Sequence[object]], text: Text, out: TextIO) -> None:
    """Print rows of values below the names of their columns; `text` gives what is no number in words."""
    cells = [[_cell(value, text) for value in row] for row in values]
    widths = [max(_width(column), *_widths(cells, i)) for i, column in enumerate(columns)]
    numeric = [all(isinstance(row[i], int | float | None) for row in values) for i in range(len(columns))]
    room = shutil.get_terminal_size().columns if out.isatty() else None
    if room is None or _room(widths) <= room:
        _print_lines(columns, cells, widths, numeric, out)
    elif len(cells) > _FOLDED or _room([min(width, _NARROW) for width in widths]) > room:
        _print_blocks(columns, cells, out)
    else:
        _print_folded(columns, cells, widths, numeric, room, out)


def print_fields(columns: Sequence[str], values: Sequence[object], text: Text, out: TextIO) -> None:
    """Print one row, a line per column; columns without a value are left out."""
    _print_block(columns, [_cell(value, text) for value in values], out)


def visible(text: str) -> str:
    """The text with control, format and surrogate characters written out, so that it stays in its cell."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _SPELLED_OUT:
        return character
    return character.encode("unicode_escape").decode("ascii")


def _cell(value: object, text: Text) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return visible(text(value))


def _width(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def _widths(cells: Cells, column: int) -> list[int]:
    return [0, *(_width(row[column]) for row in cells)]


def _room(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _print_lines(
    columns: Sequence[str], cells: Cells, widths: Sequence[int], numeric: Sequence[bool], out: TextIO
) -> None:
    out.write(_line(columns, widths, numeric))
    out.write(_line(["─" * width for width in widths], widths, numeric))
    out.writelines(_line(row, widths, numeric) for row in cells)


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = (
        " " * (width - _width(cell)) + cell if number else cell + " " * (width - _width(cell))
        for cell, width, number in zip(cells, widths, numeric, strict=True)
    )
    return _GAP.join(padded).rstrip() + "\n"


def _print_folded(
    columns: Sequence[str], cells: Cells, widths: Sequence[int], numeric: Sequence[bool], room: int, out: TextIO
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text as Styled

    grid = Table(box=None, padding=(0, len(_GAP), 0, 0), pad_edge=False, header_style="bold")
    for column, width, number in zip(columns, widths, numeric, strict=True):
        keep = width <= _NARROW
        grid.add_column(
            Styled(column),
            justify="right" if number else "left",
            no_wrap=keep,
            overflow="fold",
            min_width=width if keep else None,
        )
    for row in cells:
        grid.add_row(*map(Styled, row))
    Console(file=out, width=room, highlight=False, markup=False, emoji=False).print(grid)


def _print_blocks(columns: Sequence[str], cells: Cells, out: TextIO) -> None:
    for number, row in enumerate(cells, 1):
        out.write(f"-- {number} --\n")
        _print_block(columns, row, out)


def _print_block(columns: Sequence[str], cells: Sequence[str], out: TextIO) -> None:
    label = max(map(len, columns), default=0)
    for column, cell in zip(columns, cells, strict=True):
        if cell:
            out.write(f"{column:<{label}}{_GAP}{cell}\n")
