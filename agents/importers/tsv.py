"""A table is read whole or not at all: what is broken is named with file, line, column, value and remedy.

Tab separated, UTF-8, no header, one row a line; the columns are named by the reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path


class SourceError(ValueError):
    """The folder to import is not what it should be; the text says where, what was found and what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: its fields by column name, and where it stands."""

    file: str
    number: int
    fields: dict[str, str]

    def text(self, column: str) -> str:
        """The field, which must not be empty."""
        found = self.fields[column].strip()
        if not found:
            raise self.error(column, "a value is required here")
        return found

    def decimal(self, column: str) -> Decimal:
        """The field as an exact decimal number, for example `201.0400`."""
        try:
            found = Decimal(self.text(column))
        except InvalidOperation:
            raise self.error(column, "a decimal number such as 12.50 is required") from None
        if not found.is_finite():
            raise self.error(column, "a finite number is required")
        return found

    def units(self, column: str) -> int:
        """The field as a number of whole units >= 0; `3.00` is 3."""
        found = self.decimal(column)
        if found < 0 or found != found.to_integral_value():
            raise self.error(column, "a whole number of units >= 0 is required")
        return int(found)

    def day(self, column: str) -> date:
        """The day of a field such as `2022-04-24` or `2022-04-24 00:00:00.000`."""
        text = self.text(column)
        try:
            return datetime.fromisoformat(text).date()
        except ValueError:
            raise self.error(column, "a date such as 2022-04-24 is required") from None

    def error(self, column: str, remedy: str) -> SourceError:
        """What is wrong in this row's column, to be raised."""
        return SourceError(f"{self.file} line {self.number}: {column}: {self.fields[column]!r}: {remedy}")


def read_table(folder: Path, file: str, columns: Sequence[str], *, more: bool = False) -> list[Line]:
    """All rows of `folder/file` in file order; with `more` a row may have columns beyond the named ones.

    Raises SourceError when the file is absent, is not UTF-8, or a row has another number of columns.
    """
    path = folder / file
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}): the folder must hold the file {file}") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise SourceError(f"{path} line {line}: not UTF-8 text: export the table as UTF-8, tab separated") from None
    return [_line(file, number, row, columns, more) for number, row in enumerate(text.splitlines(), 1) if row]


def _line(file: str, number: int, row: str, columns: Sequence[str], more: bool) -> Line:
    fields = row.split("\t")
    if len(fields) < len(columns) or (len(fields) > len(columns) and not more):
        wanted = f"{'at least ' if more else ''}{len(columns)} tab separated columns ({', '.join(columns)})"
        raise SourceError(f"{file} line {number}: {len(fields)} columns: {wanted} are required")
    return Line(file, number, dict(zip(columns, fields, strict=False)))


def by_key(lines: Sequence[Line], column: str) -> dict[str, Line]:
    """The rows by their key; a key that occurs twice is an error that names both rows."""
    found: dict[str, Line] = {}
    for line in lines:
        first = found.setdefault(line.text(column), line)
        if first is not line:
            raise line.error(column, f"the key is already used in line {first.number}; it must be unique")
    return found


def midnight(day: date) -> int:
    """The first instant of a day in UTC, in ms since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
