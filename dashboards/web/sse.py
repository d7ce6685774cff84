"""An event of a stream in bytes: data is one line of JSON, so nothing in it can end the event early."""

from __future__ import annotations

from typing import Any, Final

import msgspec

_encode: Final = msgspec.json.Encoder().encode


def event(name: str, data: Any, *, comment: str | None = None) -> bytes:
    """One event; JSON escapes line breaks, so `data` is a single line. A comment stands before it."""
    before = f": {comment}\n" if comment else ""
    return f"{before}event: {name}\ndata: ".encode() + _encode(data) + b"\n\n"


def retry(milliseconds: int) -> bytes:
    """Tells the browser how long to wait before it connects again by itself."""
    return f"retry: {milliseconds}\n\n".encode()
