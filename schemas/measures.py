"""Measures are integers of a millionth: what enters here is exact, and sums do not depend on order.

A chunk repeats few distinct `measures` and `dims`, so both are parsed once per distinct text and shared.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

import msgspec

MICRO: Final = 1_000_000
MAX_MEASURE: Final = 1_000_000_000
MAX_NAMES: Final = 32
MAX_TEXT: Final = 128
RESERVED: Final = frozenset({"min", "max", "abs", "target", "value"})
MEASURE_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")

_DIGEST_MASK: Final = (1 << 63) - 1
_SOURCE_MASK: Final = (1 << 20) - 1


def digest(domain: str, text: str) -> int:
    """Stable 63-bit digest of a text; digests of different domains are combined with xor."""
    raw = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, person=domain.encode()).digest()
    return int.from_bytes(raw, "big") & _DIGEST_MASK


def content_digest(domain: str, text: str) -> int:
    """The part of an event's content other than its source: leaves the low bits to `digest` of the source."""
    return digest(domain, text) & ~_SOURCE_MASK


def is_from(content: int, source: str) -> bool:
    """Whether an event's content digest can be one of this source (by 20 bits)."""
    return (content ^ digest("source", source)) & _SOURCE_MASK == 0


class Measures(msgspec.Struct, gc=False):
    """The measures of an event: name -> millionths. Shared between events: never change one."""

    micro: dict[str, int]
    digest: int  # their part of the content
    inspection: bool  # holds the rules of a qc.inspection
    vectors: dict[str, tuple[int, ...]] = msgspec.field(default_factory=dict)
    shares: dict[str, tuple[float, float]] = msgspec.field(default_factory=dict)

    def vector(self, names: str) -> tuple[int, ...]:
        """One (the event itself) followed by the named measures in millionths, 0 for an absent one.

        `names` stand in one text, a space between two: such a key is found faster than a tuple. `of*-1500` is that
        measure times -1,500 millionths, rounded (half of a millionth upwards).
        """
        found = self.vectors.get(names)
        if found is None:
            found = (1, *map(self._micro, names.split()))
            self.vectors[names] = found
        return found

    def _micro(self, name: str) -> int:
        measure, _, share = name.partition("*")
        micro = self.micro.get(measure, 0)
        return (micro * int(share) + MICRO // 2) // MICRO if share else micro

    def share(self, names: str) -> tuple[float, float]:
        """Two named measures in units, `good/of` in one text: (of, good)."""
        known = self.shares.get(names)
        if known is None:
            good, _, of = names.partition("/")
            known = self.shares[names] = (self.micro.get(of, 0) / MICRO, self.micro.get(good, 0) / MICRO)
        return known


class Dims(msgspec.Struct, gc=False):
    """The dims of an event: name -> text. Shared between events: never change one."""

    values: dict[str, str]
    digest: int
    content: int  # the digest's part of the content


NO_DIMS: Final = Dims({}, digest("dims", ""), content_digest("dims", ""))


def clean_text(text: object) -> bool:
    """1 to 128 characters, without control characters and surrogates."""
    return (
        isinstance(text, str)
        and 1 <= len(text) <= MAX_TEXT
        and (text.isprintable() or not any(unicodedata.category(char) in ("Cc", "Cs") for char in text))
    )


def micro_of(number: object) -> int | None:
    """A JSON number in millionths, or None when it is none, too large, or finer than six decimals."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    if isinstance(number, int):
        return number * MICRO if -MAX_MEASURE <= number <= MAX_MEASURE else None
    if not math.isfinite(number) or abs(number) > MAX_MEASURE or float(f"{number:.6f}") != number:
        return None
    return round(number * MICRO)


def measures_of(raw: Mapping[str, object]) -> Measures | str:
    """Parsed measures, or the text that says which name or number is wrong."""
    if len(raw) > MAX_NAMES:
        return f"measures: {len(raw)} names, at most {MAX_NAMES} are allowed"
    micro: dict[str, int] = {}
    for name, number in raw.items():
        if MEASURE_NAME.fullmatch(name) is None or name in RESERVED:
            return f"measures: name {name!r} is not [a-z][a-z0-9_]{{0,31}} or is reserved"
        value = micro_of(number)
        if value is None:
            return f"measures.{name}: {number!r} is not a number within +-1e9 with at most six decimals"
        micro[name] = value
    text = ";".join(f"{name}={micro[name]}" for name in sorted(micro))
    return Measures(micro, content_digest("measures", text), _inspection(micro))


def dims_of(raw: Mapping[str, object]) -> Dims | str:
    """Parsed dims, or the text that says which one is wrong."""
    if len(raw) > MAX_NAMES:
        return f"dims: {len(raw)} names, at most {MAX_NAMES} are allowed"
    values: dict[str, str] = {}
    for name, text in raw.items():
        if not clean_text(name) or not isinstance(text, str) or not clean_text(text):
            return f"dims.{name!r}: {text!r} is not text of 1 to {MAX_TEXT} characters without control characters"
        values[name] = text
    if not values:
        return NO_DIMS
    text = repr(sorted(values.items()))
    return Dims(values, digest("dims", text), content_digest("dims", text))


def _inspection(micro: Mapping[str, int]) -> bool:
    """The rules of a qc.inspection that is not a correction (contract, section 2)."""
    if "inspected" not in micro or "accepted" not in micro:
        return False
    counts = [micro.get(name, 0) for name in ("inspected", "accepted", "reworked", "scrapped")]
    inspected, accepted, reworked, scrapped = counts
    return (
        all(count >= 0 and count % MICRO == 0 for count in counts)
        and accepted <= inspected
        and reworked <= accepted
        and scrapped <= inspected - accepted
    )
