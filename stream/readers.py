"""From a field to a value: each reader takes exactly one form, and names the right one when it sees another."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import available_timezones

from schemas.instants import DAY, FIRST, HOUR, LAST, MINUTE, parse_rfc3339
from schemas.measures import MAX_TEXT, clean_text
from stream.bilingual import NO_TEXT, Text
from stream.fields import Field
from stream.formula import Formula, FormulaError, parse
from stream.plain_number import plain
from stream.window import Window, WindowError, parse_window
from stream.yaml_tree import Mapping, Scalar

MAX_PROSE = 2_000  # characters of a name, definition or next step
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_DURATION = re.compile(r"([1-9][0-9]{0,5})([mhd])")
_UNITS = {"m": MINUTE, "h": HOUR, "d": DAY}
MAX_DURATION = 366 * DAY


def read_matching(field: Field, pattern: str, remedy: str) -> str:
    """A text that the pattern covers whole; empty after an error."""
    scalar = field.scalar(remedy)
    if scalar is None:
        return ""
    if re.fullmatch(pattern, scalar.text) is None:
        field.fail("has another form", remedy)
        return ""
    return scalar.text


def read_choice(field: Field, options: Sequence[str], default: str | None = None) -> str:
    """One of the options; the default when the field is absent."""
    if not field.present and default is not None:
        return default
    remedy = f"write one of {', '.join(options)}"
    scalar = field.scalar(remedy)
    if scalar is None or scalar.text in options:
        return scalar.text if scalar else options[0]
    close = get_close_matches(scalar.text.lower(), options, n=1)
    field.fail("is not known", f"did you mean {close[0]}? {remedy}" if close else remedy)
    return options[0]


def read_label(field: Field, what: str) -> str:
    """A value of a dim: 1 to 128 characters without control characters, as events carry it."""
    remedy = f"write {what}: 1 to {MAX_TEXT} characters on one line"
    scalar = field.scalar(remedy)
    if scalar is None:
        return ""
    if not clean_text(scalar.text):
        field.fail("has control characters or is too long", remedy)
    return scalar.text


def read_number(
    field: Field, remedy: str, *, low: float = -1e9, high: float = 1e9, above: bool = False, below: bool = False
) -> float:
    """A plain decimal within [low, high]; `above` and `below` exclude the ends themselves."""
    scalar = field.scalar(remedy)
    if scalar is None:
        return low
    if not scalar.plain or _NUMBER.fullmatch(scalar.text) is None:
        field.fail("is not a plain decimal number", f"{remedy}; no quotes, no exponent, no unit")
        return low
    number = float(scalar.text)
    if number < low or number > high or (above and number == low) or (below and number == high):
        low_end, high_end = "above" if above else "at least", "below" if below else "at most"
        field.fail(f"is not {low_end} {plain(low)} and {high_end} {plain(high)}", remedy)
        return low
    return number + 0.0


def read_whole(field: Field, remedy: str, *, low: int = 0) -> int:
    """A whole number of at most nine digits."""
    scalar = field.scalar(remedy)
    if scalar is None:
        return low
    if not scalar.plain or _WHOLE.fullmatch(scalar.text) is None or int(scalar.text) < low:
        field.fail(f"is not a whole number from {low} to 999999999", remedy)
        return low
    return int(scalar.text)


def read_duration(field: Field, remedy: str) -> int:
    """Milliseconds of `15m`, `24h` or `7d`, at most 366 days; 0 after an error."""
    scalar = field.scalar(remedy)
    if scalar is None:
        return 0
    match = _DURATION.fullmatch(scalar.text)
    length = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < length <= MAX_DURATION:
        field.fail("is not a duration of at most 366 days", f"{remedy}, such as 15m, 24h or 7d")
    return length


def read_instant(field: Field) -> int:
    """Milliseconds of an RFC 3339 instant with zone; -1 after an error."""
    remedy = "write an instant with its zone, such as 2026-03-01T00:00:00+08:00, from 2000 to 2100"
    scalar = field.scalar(remedy)
    if scalar is None:
        return -1
    instant = parse_rfc3339(scalar.text)
    if instant is None or not FIRST <= instant <= LAST:
        field.fail("is not an instant with a zone" if instant is None else "lies outside 2000 to 2100", remedy)
        return -1
    return instant


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def read_timezone(field: Field) -> str:
    """A zone of the IANA database; UTC after an error."""
    remedy = "write a zone of the IANA database, such as Asia/Shanghai"
    scalar = field.scalar(remedy)
    if scalar is None or scalar.text in _zones():
        return scalar.text if scalar else "UTC"
    close = get_close_matches(scalar.text, sorted(_zones()), n=1)
    field.fail("is no known time zone", f"did you mean {close[0]}? {remedy}" if close else remedy)
    return "UTC"


def read_text(field: Field, remedy: str) -> Text:
    """`{zh: ..., en: ...}` with both languages, or one plain text that stands for both; absent: no text."""
    if not field.present:
        return NO_TEXT
    if not isinstance(field.node, Mapping):
        prose = _prose(field, f"{remedy}: {{zh: ..., en: ...}} or one text for both")
        return Text(prose, prose)
    languages = field.fields(("zh", "en"), remedy)
    if languages is None:
        return NO_TEXT
    return Text(*(_prose(languages[name], f"write {remedy} in both languages") for name in ("zh", "en")))


def _prose(field: Field, remedy: str) -> str:
    scalar = field.scalar(remedy)
    if scalar is None:
        return ""
    if len(scalar.text) > MAX_PROSE:
        field.fail(f"has {len(scalar.text)} characters", f"write at most {MAX_PROSE}")
    return scalar.text.strip()


def read_formula(field: Field, remedy: str, *, names: Container[str] | None = None) -> Formula:
    """A formula over these names; `0` after an error, with a pointer to the character."""
    scalar = field.scalar(remedy)
    if scalar is None:
        return PLACEHOLDER
    try:
        return parse(scalar.text.strip(), names=names)
    except FormulaError as error:
        field.fail(f"{error.message} at character {error.position + 1}", error.remedy or remedy, error.pointer())
        return PLACEHOLDER


PLACEHOLDER = parse("0")


def read_window(field: Field) -> Window | None:
    """A window, or None after an error."""
    scalar: Scalar | None = field.scalar("write a window, such as rolling 60m or day")
    if scalar is None:
        return None
    try:
        return parse_window(scalar.text)
    except WindowError as error:
        field.fail(error.message, error.remedy)
        return None
