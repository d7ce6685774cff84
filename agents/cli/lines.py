"""Input is taken as it comes: whole lines, byte for byte, as many as are there, so that a pipe is never waited on."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

BLOCK_BYTES: Final = 2 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Lines without their ends, the number of each in its file (from 1), and the bytes they took there."""

    lines: list[bytes]
    numbers: Sequence[int]
    size: int


def blocks(source: io.BufferedIOBase | BinaryIO, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """The lines of `source` in blocks of what one read gives, at most about `size` bytes."""
    read = getattr(source, "read1", source.read)
    number, begin = 1, True
    pieces: list[bytes] = []  # of a line whose end has not come yet
    while data := read(size):
        if begin:
            data, begin = data.removeprefix(_BOM), False
        head, newline, rest = data.rpartition(b"\n")
        if not newline:
            pieces.append(data)
            continue
        lines = _split(b"".join([*pieces, head]))
        yield Block(lines, range(number, number + len(lines)), sum(map(len, pieces)) + len(head) + 1)
        number += len(lines)
        pieces = [rest] if rest else []
    if pieces:
        last = b"".join(pieces)
        yield Block(_split(last), (number,), len(last))


def _split(text: bytes) -> list[bytes]:
    lines = text.split(b"\n")
    return [line.removesuffix(b"\r") for line in lines] if b"\r" in text else lines


def file_size(name: str) -> int | None:
    """Bytes of the file, None for a pipe."""
    path = Path(name)
    return path.stat().st_size if name != "-" and path.is_file() else None
