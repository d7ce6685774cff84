"""Many instants at once: texts of one form and day differ in their digits only, and NumPy reads those.

A machine's clock gives milliseconds, so nearly every text is a new one: reading them one by one took a third of the
time of decoding. Whatever is not sure here is left to `parse_rfc3339`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import compress
from typing import Any, Final, NamedTuple, Self, cast

import numpy as np
from numpy.typing import NDArray

from schemas.instants import FIRST, LAST, parse_rfc3339
from schemas.packed import column

FEW: Final = 16  # texts that are read faster one by one
_FORMS: Final = 4  # forms or days that are told apart among texts of one length
_CLOCK: Final = re.compile(r".{11}([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?![0-9])", re.DOTALL)
_WORTH: Final = (36_000_000, 3_600_000, 600_000, 60_000, 10_000, 1_000, 100, 10, 1)  # ms of a digit of HH MM SS mmm
_MOST: Final = (2, 9, 5, 9, 5, 9)  # of a digit of HH MM SS; HH is looked at again
_LAST_HOUR: Final = 23 * _WORTH[1]
_ZERO: Final = ord("0")


def instants(raw: Sequence[str | int]) -> NDArray[np.int64]:
    """occurred_at in ms, of texts or of numbers; 0 where it is not sure, or not from 2000 to 2100."""
    found = np.zeros(len(raw), np.int64)
    kinds = set(map(type, raw)) if len(raw) >= FEW else None
    if kinds == {str}:
        texts = cast("Sequence[str]", raw)
        lengths = list(map(len, texts))
        for length in dict.fromkeys(lengths):
            if lengths.count(length) == len(texts):
                found = _of_one_length(texts, length)
            else:
                same = [each == length for each in lengths]
                found[same] = _of_one_length(list(compress(texts, same)), length)
    elif kinds == {int}:
        numbers = cast("Sequence[int]", raw)
        if min(numbers) >= FIRST and max(numbers) <= LAST:
            return column(numbers)
    found[(found < FIRST) | (found > LAST)] = 0
    return found


class _Form(NamedTuple):
    """A day and a way to write instants: the text's letters at midnight, and how far above them each may be."""

    letters: NDArray[np.uint8]
    above: NDArray[np.uint8]  # 0 where nothing but the letter itself may stand
    worth: NDArray[np.float64]  # ms of one more, per letter: below 2**53, so exact
    hours: NDArray[np.float64]  # the same of the hours alone
    midnight: int  # in ms

    @classmethod
    def of(cls, text: str) -> Self | None:
        """That of a text; None when it is no instant."""
        clock = _CLOCK.match(text)
        if clock is None:
            return None
        digits = [place for group in range(1, 5) for place in range(*clock.span(group))]
        letters = np.frombuffer(text.encode("ascii", "replace"), np.uint8).copy()
        letters[digits] = _ZERO
        midnight = parse_rfc3339(letters.tobytes().decode())
        if midnight is None:
            return None
        above, worth = np.zeros(len(text), np.uint8), np.zeros(len(text))
        above[digits] = 9
        above[digits[: len(_MOST)]] = _MOST
        worth[digits[: len(_WORTH)]] = _WORTH[: len(digits)]
        hours = np.zeros(len(text))
        hours[digits[:2]] = _WORTH[:2]
        return cls(letters, above, worth, hours, midnight)

    def read(self, letters: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Instants of texts, a row each; 0 where one is written in another way."""
        digits = letters - self.letters  # below the letter it becomes a large number
        fits: Any = digits <= self.above
        found = (digits @ self.worth).astype(np.int64) + self.midnight
        if not fits.all():
            found[~fits.all(1)] = 0
        found[digits @ self.hours > _LAST_HOUR] = 0
        return found


def _of_one_length(texts: Sequence[str], length: int) -> NDArray[np.int64]:
    """Instants of texts of this length, 0 where it is not sure."""
    letters = np.frombuffer("".join(texts).encode("ascii", "replace"), np.uint8).reshape(len(texts), length)
    found = np.zeros(len(texts), np.int64)
    left = np.arange(len(texts))
    for _ in range(_FORMS):
        form = _Form.of(texts[left[0]])
        if form is None:
            break
        found[left] = form.read(letters if len(left) == len(letters) else letters[left])
        left = left[found[left] == 0]
        if not len(left):
            break
    return found
