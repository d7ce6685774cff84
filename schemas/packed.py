"""Whole numbers in eight bytes each, lowest first: a column that takes no objects until somebody looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack as _pack
from struct import unpack as _unpack
from struct import unpack_from
from typing import Final

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 8  # bytes of a number


def pack(numbers: Sequence[int]) -> bytes:
    """Numbers below 2**63 as bytes."""
    return _pack(f"<{len(numbers)}q", *numbers)


def unpack(raw: bytes) -> tuple[int, ...]:
    """The numbers in bytes that `pack` made."""
    return _unpack(f"<{len(raw) // WIDTH}q", raw)


def number_at(raw: bytes, place: int) -> int:
    """One of the numbers in bytes that `pack` made."""
    (number,) = unpack_from("<q", raw, place * WIDTH)
    return int(number)


def view(raw: bytes) -> memoryview[int]:
    """The numbers in bytes that `pack` made, each made when it is looked at: for a search."""
    return memoryview(raw).cast("q")


def column(numbers: Sequence[int]) -> NDArray[np.int64]:
    """Numbers below 2**63 as an array, faster than NumPy makes one of a list."""
    return np.frombuffer(pack(numbers), np.int64)
