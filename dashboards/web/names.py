"""Ids that arrive in an address are text from outside: only what the contract allows goes further."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

MAX_UNIT: Final = 128
ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
CLEAR: Final = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$"  # no control characters
# As OpenAPI tells them; what is refused is said in words by those who look things up.
OF_ID: Final[dict[str, Any]] = {"pattern": f"^{ID.pattern}$"}
OF_UNIT: Final[dict[str, Any]] = {
    "minLength": 1,
    "maxLength": MAX_UNIT,
    "pattern": CLEAR,
}


def valid_employee(text: str) -> bool:
    """Whether this can be an employee's id."""
    return ID.fullmatch(text) is not None


def valid_alert(text: str) -> bool:
    """Whether this can be an alert's id."""
    return ID.fullmatch(text) is not None


def valid_unit(text: str) -> bool:
    """Whether this can be a unit's id: 1 to 128 characters without control characters or surrogates."""
    return 0 < len(text) <= MAX_UNIT and all(unicodedata.category(letter) not in ("Cc", "Cs") for letter in text)


def unit_segment(unit: str) -> str:
    """The unit as one segment of an address; a slash in it stays part of the segment."""
    return quote(unit, safe="")


def path_segments(raw_path: bytes) -> list[str]:
    """The segments of an address as it was sent, each decoded on its own; wrong UTF-8 becomes U+FFFD."""
    path = raw_path.split(b"?", 1)[0]
    return [unquote_to_bytes(segment).decode("utf-8", "replace") for segment in path.split(b"/")[1:]]
