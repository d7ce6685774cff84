"""A field of a template has one form; in another form the text is no template, and says which field it was."""

import math
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agents.oracle.event import is_plain

_MOST_DIMS = 4  # of a case mix
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def mapping(raw: object, field: str, known: frozenset[str]) -> dict[str, object]:
    """A mapping with no other fields than the known ones."""
    if not isinstance(raw, dict):
        raise ValueError(f"{field}: {raw!r} is no mapping")
    unknown = set(raw) - known
    if unknown:
        raise ValueError(f"{field}: unknown fields {sorted(map(str, unknown))}")
    return raw


def listing(raw: object) -> list[object]:
    """A list."""
    if not isinstance(raw, list):
        raise ValueError(f"{raw!r} is no list")
    return raw


def scalar(raw: object, field: str) -> str:
    """One text."""
    if not isinstance(raw, str):
        raise ValueError(f"{field}: {raw!r} is no text")
    return raw


def dim_names(raw: object, field: str) -> tuple[str, ...]:
    """The names of the one to four dims, each once, by which a case mix divides work."""
    names = tuple(scalar(name, field) for name in listing(raw))
    if not 1 <= len(names) <= _MOST_DIMS or len(set(names)) < len(names) or not all(map(is_plain, names)):
        raise ValueError(f"{field}: {names} are not one to {_MOST_DIMS} names of dims, each once")
    return names


def number(raw: object, field: str) -> float:
    """A finite decimal number."""
    text = scalar(raw, field)
    if not _DECIMAL.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError(f"{field}: {text!r} is no number")
    return float(text)


def whole(raw: object, field: str) -> int:
    """A whole number."""
    found = number(raw, field)
    if not found.is_integer():
        raise ValueError(f"{field}: {found} is no whole number")
    return int(found)


def zone(raw: object, field: str) -> str:
    """The name of an IANA zone."""
    name = scalar(raw, field)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"{field}: {name!r} is no IANA zone") from error
    return name
