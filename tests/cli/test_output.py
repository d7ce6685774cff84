"""Rows in three forms with the same values, none of which can be turned against its reader."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agents.cli.output import Format, print_record, print_rows, time_text
from agents.cli.table import visible

COLUMNS = ("id", "value", "sums")
ROW = {"id": "E1", "value": 0.1 + 0.2, "sums": {"a": 1.5, "b": None}}


class Terminal(io.StringIO):
    """A terminal that remembers what was written."""

    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        """What was written, without the colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.getvalue())


def printed(
    rows: list[dict[str, object]], format: Format, columns: tuple[str, ...] = COLUMNS, **more: tuple[str, ...]
) -> str:
    """What is written for these rows."""
    out = io.StringIO()
    assert len(rows) == print_rows(rows, columns, format, out=out, **more)
    return out.getvalue()


def test_ndjson() -> None:
    """NDJSON has one object per line with every column, numbers in full, null for no value."""
    lines = printed([ROW, {"id": "E2", "value": math.nan}], "ndjson").splitlines()
    assert [json.loads(line) for line in lines] == [ROW, {"id": "E2", "value": None, "sums": None}]


def test_csv() -> None:
    """CSV has a header, numbers in full, nested values as JSON, nothing for no value."""
    rows = list(csv.reader(io.StringIO(printed([ROW, {"id": "E2", "value": math.inf}], "csv"))))
    assert rows == [list(COLUMNS), ["E1", "0.30000000000000004", '{"a":1.5,"b":null}'], ["E2", "", ""]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "－1", "＋1", "＠x"])
def test_csv_is_no_formula(text: str) -> None:
    """Text that a spreadsheet would evaluate stands behind an apostrophe; a negative number stays a number."""
    rows = list(csv.reader(io.StringIO(printed([{"id": text, "value": -1.5}], "csv"), newline="")))
    assert rows[1] == ["'" + text, "-1.5", ""]


@given(st.lists(st.text(), min_size=1))
@example(["\r", "\n", "a\r\nb", '"', "\x00", ","])
def test_csv_keeps_text(texts: list[str]) -> None:
    """Any text comes back from CSV as it was, but for the apostrophe."""
    out = printed([{"id": text, "value": 1} for text in texts], "csv", ("id", "value"))
    back = [row[0] for row in csv.reader(io.StringIO(out, newline=""))][1:]
    assert [text.removeprefix("'") for text in back] == [text.removeprefix("'") for text in texts]


def test_table_off_a_terminal() -> None:
    """Off a terminal every row is one line, whatever its length."""
    out = printed([{"id": "x" * 500, "value": 0.5, "sums": {"a": 1}}], "table")
    assert [line.split()[0] for line in out.splitlines() if "─" not in line] == ["id", "x" * 500]


def test_table_numbers_are_short() -> None:
    """A table shows six decimals at most; the other forms have the rest."""
    out = printed([{"id": 1, "value": 0.1 + 0.2}], "table", ("id", "value"))
    assert out.splitlines()[-1].split() == ["1", "0.3"]


def test_table_of_some_columns() -> None:
    """A table may leave columns out that NDJSON has."""
    assert "sums" not in printed([ROW], "table", table=("id", "value"))


def test_empty_table() -> None:
    """Without rows there is still the header."""
    assert printed([], "table").split()[:3] == list(COLUMNS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb", "a\\nb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\ud800b", "a\\ud800b"),
        ("良品率 ü", "良品率 ü"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
    ],
)
def test_table_is_harmless(text: str, shown: str) -> None:
    """Control characters and markup in a cell are shown, not obeyed."""
    assert visible(text) == shown
    assert shown in printed([{"id": text}], "table", ("id",))


@pytest.mark.parametrize("width", [30, 60, 100, 200])
def test_table_on_a_terminal_fits(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal no line is wider than the screen, and every value can be read in full."""
    monkeypatch.setattr("agents.cli.table.shutil.get_terminal_size", lambda: os.terminal_size((width, 24)))
    columns = tuple(f"column_{number}" for number in range(8))
    rows: list[dict[str, object]] = [{column: f"value-{i}-{column}" for column in columns} for i in range(3)]
    out = Terminal()
    print_rows(rows, columns, "table", out=out)
    written = out.shown()
    assert max(map(len, written.splitlines())) <= width
    assert [value for row in rows for value in row.values() if str(value) not in written] == []


def test_long_cells_are_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long cell beside short ones is folded within its column."""
    monkeypatch.setattr("agents.cli.table.shutil.get_terminal_size", lambda: os.terminal_size((60, 24)))
    out = Terminal()
    print_rows([{"id": "E1", "value": "word " * 40}], ("id", "value"), "table", out=out)
    assert max(map(len, out.shown().splitlines())) <= 60
    assert out.shown().count("word") == 40


def test_record() -> None:
    """One row is printed with a line per column, or as a row."""
    out = io.StringIO()
    print_record({"id": "E1", "none": None, "value": 2}, "table", out=out)
    assert out.getvalue() == "id     E1\nvalue  2\n"
    out = io.StringIO()
    print_record({"id": "E1", "none": None}, "ndjson", out=out)
    assert json.loads(out.getvalue()) == {"id": "E1", "none": None}


def test_time_text() -> None:
    """A time is RFC 3339 with zone and milliseconds; none is none."""
    assert (time_text(1_772_410_500_123), time_text(None)) == ("2026-03-02T00:15:00.123Z", None)
