"""A table that cannot be read whole says where it broke."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from agents.importers.tsv import Line, SourceError, by_key, midnight, read_table


def test_rows_keep_their_line_numbers_and_columns(tmp_path: Path) -> None:
    """Columns are named by the reader, blank lines are passed over, a byte order mark is no part of the first field."""
    (tmp_path / "t.tsv").write_bytes(b"\xef\xbb\xbfa\t1.50\r\n\r\nb\t.00\r\n")
    assert read_table(tmp_path, "t.tsv", ("id", "price")) == [
        Line("t.tsv", 1, {"id": "a", "price": "1.50"}),
        Line("t.tsv", 3, {"id": "b", "price": ".00"}),
    ]


def test_absent_file_is_named(tmp_path: Path) -> None:
    """The error of an absent file holds its whole path and what the folder must hold."""
    with pytest.raises(SourceError, match=r"hr/Gone\.tsv cannot be read.*must hold the file hr/Gone\.tsv"):
        read_table(tmp_path, "hr/Gone.tsv", ("id",))


@pytest.mark.parametrize(("row", "count"), [("a", 1), ("a\tb\tc", 3)])
def test_wrong_number_of_columns_is_named(tmp_path: Path, row: str, count: int) -> None:
    """Too few and too many columns are errors with the line and the wanted columns."""
    (tmp_path / "t.tsv").write_text(f"a\tb\n{row}\n", encoding="utf-8")
    with pytest.raises(SourceError, match=rf"t\.tsv line 2: {count} columns: 2 tab separated columns \(id, price\)"):
        read_table(tmp_path, "t.tsv", ("id", "price"))


def test_more_columns_are_passed_over_where_allowed(tmp_path: Path) -> None:
    """With `more`, columns beyond the named ones are no error, but missing ones are."""
    (tmp_path / "t.tsv").write_text("a\tb\tc\n", encoding="utf-8")
    assert read_table(tmp_path, "t.tsv", ("id",), more=True)[0].fields == {"id": "a"}
    with pytest.raises(SourceError, match="at least 4 tab"):
        read_table(tmp_path, "t.tsv", ("id", "x", "y", "z"), more=True)


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    """A file that is not UTF-8 is refused with the line that broke it."""
    (tmp_path / "t.tsv").write_bytes(b"ok\n\xe9\n")
    with pytest.raises(SourceError, match=r"t\.tsv line 2: not UTF-8"):
        read_table(tmp_path, "t.tsv", ("id",))


@pytest.mark.parametrize("text", ["-1", "1.5", "NaN", "Infinity", "x", ""])
def test_units_are_whole_and_not_negative(text: str) -> None:
    """What is no number of units names its column and value."""
    with pytest.raises(SourceError, match=f"t line 4: n: '{text}'"):
        Line("t", 4, {"n": text}).units("n")


def test_fields_are_read_exactly() -> None:
    """Units, decimals and days are read without rounding."""
    line = Line("t", 1, {"n": "550.00", "price": "45.5805", "at": "2022-04-24 00:00:00.000"})
    assert (line.units("n"), line.decimal("price")) == (550, Decimal("45.5805"))
    assert midnight(line.day("at")) == 1_650_758_400_000


def test_repeated_keys_are_named() -> None:
    """A key that occurs twice names both rows."""
    with pytest.raises(SourceError, match="t line 2: id: 'a': the key is already used in line 1"):
        by_key([Line("t", 1, {"id": "a"}), Line("t", 2, {"id": "a"})], "id")
