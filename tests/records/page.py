"""The tables in docs/records.md are written from the metadata: `python -m tests.records.page` does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Table

from agents.records import database  # noqa: F401 - it knows all modules with tables
from agents.records.tables import metadata

PAGE: Final = Path(__file__).parents[2] / "docs" / "records.md"
_HEAD: Final = "### "
_TYPES: Final = {
    "TEXT": "text",
    "BIGINT": "whole number (64 bits)",
    "INTEGER": "whole number",
    "DOUBLE": "double",
    "BLOB": "bytes",
    "BOOLEAN": "true or false",
}


def with_tables(text: str) -> str:
    """The page with all tables as they are now, below everything before the first of them."""
    return text.partition(f"\n{_HEAD}")[0].rstrip("\n") + "\n\n" + "\n".join(_tables())


def _tables() -> Iterator[str]:
    for table in sorted(metadata.tables.values(), key=lambda table: table.name):
        yield f"{_HEAD}`{table.name}`\n"
        if table.comment:
            yield f"{table.comment[0].upper()}{table.comment[1:]}.\n"
        yield f"Key: {', '.join(f'`{column.name}`' for column in table.primary_key.columns)}.\n"
        yield "| Column | Type | Meaning |\n|---|---|---|"
        yield from (_column(table, column) for column in table.columns)
        yield ""


def _column(table: Table, column: Column[object]) -> str:
    kind = _TYPES.get(str(column.type), str(column.type).lower()) + (" or null" if column.nullable else "")
    points = [f"{key.target_fullname.replace('.', '`.`')}" for key in column.foreign_keys]
    meaning = [column.comment or "", *(f"refers to `{point}`" for point in sorted(points))]
    return f"| `{column.name}` | {kind} | {'; '.join(filter(None, meaning)).replace('|', chr(92) + '|')} |"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
