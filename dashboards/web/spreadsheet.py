"""Rows as a file for a spreadsheet: CSV as RFC 4180 has it, in UTF-8 that says so."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agents.spreadsheet import guarded


def lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A file: the names of its columns, then rows."""
    return b"\xef\xbb\xbf" + further_lines(columns, [dict(zip(columns, columns, strict=True)), *rows])


def further_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows alone. A number stays one; a text never becomes a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    return guarded(value) if isinstance(value, str) else value
