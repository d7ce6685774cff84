"""What spreadsheets take for a formula goes out behind an apostrophe, wherever a file for them is written."""

from __future__ import annotations

from typing import Final

FORMULA: Final = "=+-@\t\r\n＝＋－＠"  # what a formula begins with; the wide ones where people write Chinese
_BEGINS: Final = tuple(FORMULA)


def guarded(text: str) -> str:
    """The text, behind an apostrophe where it would be computed instead of shown."""
    return f"'{text}" if text.startswith(_BEGINS) else text
