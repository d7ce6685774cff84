"""Lines are taken whole and byte for byte, whatever pieces they come in."""

from __future__ import annotations

import io
import os

from hypothesis import given
from hypothesis import strategies as st

from agents.cli.lines import blocks

LINES = st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line and not line.endswith(b"\r")))


@given(
    LINES.filter(lambda lines: not (lines and lines[0].startswith(b"\xef\xbb\xbf"))), st.integers(1, 40), st.booleans()
)
def test_lines_come_back(lines: list[bytes], size: int, windows: bool) -> None:
    """Every line comes back with its number, whatever the size of a read and the kind of line end."""
    text = (b"\r\n" if windows else b"\n").join(lines)
    found = list(blocks(io.BytesIO(text), size))
    back = [line for block in found for line in block.lines]
    if lines and lines[-1] == b"":
        lines = lines[:-1]  # the end of the last line, not one more
    assert back == lines
    assert [number for block in found for number in block.numbers] == list(range(1, len(lines) + 1))
    assert sum(block.size for block in found) in (len(text), len(text) + 1)


def test_byte_order_mark() -> None:
    """A byte order mark belongs to the file, not to the first line."""
    assert [block.lines for block in blocks(io.BytesIO(b"\xef\xbb\xbf{}\n"))] == [[b"{}"]]


def test_a_pipe_is_not_waited_on() -> None:
    """A line in a pipe is given out before the next one comes."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source, os.fdopen(writer, "wb", buffering=0) as sink:
        sink.write(b"one\ntw")
        found = blocks(source)
        assert next(found).lines == [b"one"]
        sink.write(b"o\n")
        sink.close()
        assert [line for block in found for line in block.lines] == [b"two"]
