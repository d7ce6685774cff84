"""A field of a published text has one form; in another form the text is none, and says which field it was.

ARCHITECTURE.md, How published texts are read, 3.
"""

import re
from functools import lru_cache
from zoneinfo import available_timezones

from agents.oracle.event import is_plain
from agents.oracle.instants import EARLIEST, LATEST, parse_instant
from agents.oracle.yaml_text import Plain, is_empty

LARGEST = 1e9

_MOST_DIMS = 4  # of a case mix
_LONGEST_PROSE = 2_000
_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
_WHOLE = re.compile(r"[0-9]{1,9}")


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


def entries(raw: object, field: str) -> list[object]:
    """A list with entries."""
    if not listing(raw):
        raise ValueError(f"{field}: the list is empty")
    return listing(raw)


def string(raw: object, field: str) -> str:
    """One text, whatever it says."""
    if not isinstance(raw, str):
        raise ValueError(f"{field}: {raw!r} is no text")
    return raw


def scalar(raw: object, field: str) -> str:
    """One text that says something."""
    text = string(raw, field)
    if is_empty(text):
        raise ValueError(f"{field}: {raw!r} says nothing")
    return str(text)  # how it was written matters to nobody who is given it


def matching(raw: object, field: str, pattern: re.Pattern[str]) -> str:
    """A text that the pattern covers whole."""
    text = scalar(raw, field)
    if not pattern.fullmatch(text):
        raise ValueError(f"{field}: {text!r} is not {pattern.pattern}")
    return text


def label(raw: object, field: str) -> str:
    """A text as dims have it."""
    text = scalar(raw, field)
    if not is_plain(text):
        raise ValueError(f"{field}: {text!r} is too long, or has control characters")
    return text


def prose(raw: object, field: str) -> None:
    """What people read, in Chinese and English or in one text for both; no score depends on it."""
    texts = [raw]
    if not isinstance(raw, str):
        languages = mapping(raw, field, frozenset({"zh", "en"}))
        texts = [languages["zh"], languages["en"]]
    if any(len(scalar(text, field)) > _LONGEST_PROSE for text in texts):
        raise ValueError(f"{field}: more than {_LONGEST_PROSE} characters")


def dim_names(raw: object, field: str) -> tuple[str, ...]:
    """The names of the one to four dims, each once, by which a case mix divides work."""
    names = tuple(string(name, field) for name in listing(raw))
    if not 1 <= len(names) <= _MOST_DIMS or len(set(names)) < len(names) or not all(map(is_plain, names)):
        raise ValueError(f"{field}: {names} are not one to {_MOST_DIMS} names of dims, each once")
    return names


def number(raw: object, field: str, low: float = -LARGEST, high: float = LARGEST, ends: str = "[]") -> float:
    """A plain decimal number from low to high; a round bracket in `ends` excludes that end."""
    text = matching(raw, field, _DECIMAL)
    found = float(text)
    excluded = (ends[0] == "(" and found == low) or (ends[1] == ")" and found == high)
    if not isinstance(raw, Plain) or not low <= found <= high or excluded:
        raise ValueError(f"{field}: {raw!r} is in quotes, or not in {ends[0]}{low}, {high}{ends[1]}")
    return found


def whole(raw: object, field: str, low: int = 0) -> int:
    """A whole number of at most nine digits, from low on."""
    found = int(matching(raw, field, _WHOLE))
    if not isinstance(raw, Plain) or found < low:
        raise ValueError(f"{field}: {raw!r} is in quotes, or below {low}")
    return found


def instant(raw: object, field: str) -> int:
    """An instant from 2000 to 2100, in ms."""
    found = parse_instant(scalar(raw, field))
    if found is None or not EARLIEST <= found <= LATEST:
        raise ValueError(f"{field}: {raw!r} is not RFC 3339 with a zone, from 2000 to 2100")
    return found


def zone(raw: object, field: str) -> str:
    """The name of an IANA zone."""
    name = scalar(raw, field)
    if name not in _zones():
        raise ValueError(f"{field}: {name!r} is no IANA zone")
    return name


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
