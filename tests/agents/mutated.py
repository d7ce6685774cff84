"""Published texts with small changes: words, characters and lines replaced, dropped, doubled and moved."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from hypothesis import strategies as st

from tests.stream.templates import EXAMPLE

TEMPLATES: Final = (
    EXAMPLE,
    """\
template: all-parts
version: 3
effective_from: "2026-03-01 00:00:00.5z"
timezone: America/New_York
applies_to: {roles: [operator, "lead hand"]}
title: one text
indicators:
  - id: y
    from: qc.inspection
    where: {stage: [a, b], "line x": L1}
    value: (accepted + 0.5) / max(inspected, 1, -abs(reworked))
    rate: {good: accepted, of: (inspected)}
    target: 0.95
    points: 100 * min(value / target, target("quota"))
    windows: [rolling 60m, shift, day, week, month, quarter, year, all]
    case_mix: [stage, product]
    alerts:
      - {id: low, window: day, below: 0.9, confidence: 0.99, for: 0, escalate: never}
      - {drift: {good: 0.95, bad: 0.85, h: 5.5}, for: 15m, escalate: 2h}
      - {window: shift, below_unit: 0.05, severity: critical}
      - {stale: 15m}
      - {ewma: {lambda: 0.2, L: 3}}
      - {naive: 0.9}
  - {id: z, from: business.output, value: units, windows: [day], alerts: [{below: 10, window: day}]}
  - {id: v, from: business.output, value: minutes / units, windows: [day], target: 12.5,
     alerts: [{ewma: {lambda: 0.2, L: 3, sigma: 2.5, side: above}}, {id: low, ewma: {lambda: 1, L: 2.7, sigma: 2}}]}
  - {id: w, from: business.output, value: 'units / target("quota")', windows: [all], rate: {good: a, of: b},
     alerts: default, dimension: ability}
""",
)
CALENDARS: Final = (
    """\
calendar: hall
version: 1
effective_from: 2020-01-01T00:00:00Z
timezone: Pacific/Apia
units: [L1, L2]
early: 15m
shifts:
  early: {start: "06:00", end: 14:00, breaks: [{start: "10:00", end: "10:15"}, {start: "12:00", end: "12:30"}]}
  late: {start: "14:00", end: "22:00"}
  night: {start: "22:00", end: "06:00", breaks: [{start: "23:50", end: "00:10"}, {start: "01:00", end: "01:20"}]}
cycle: {first: 2026-03-02, days: [[early, late], [late], [night], []]}
holidays: [2026-05-01, 2024-02-29]
overrides:
  - {date: 2026-05-02, shifts: [early]}
  - {date: 2026-05-03, shifts: []}
""",
    """\
calendar: hall-2
version: 12
effective_from: "2026-03-01T00:00:00+08:00"
timezone: UTC
units: everyone
shifts: {a: {start: "06:00", end: "18:00"}, b: {start: "18:00", end: "06:00", breaks: []}}
week: {mon: [a, b], tue: [a], sun: []}
""",
)
WORDS: Final = (
    *(
        "",
        "~",
        "null",
        "'null'",
        "yes",
        "no",
        "0",
        "1",
        "00",
        "-1",
        "+1",
        "1.5",
        "1e3",
        ".5",
        "5.",
        "0.95",
        "0x1",
        "1_0",
    ),
    *("'1'", "1000000000", "1000000001", "22:00", "24:00", "6:00", "06:00:00", "0m", "0h", "15s", "15m", "6h", "7h"),
    *("361m", "366d", "367d", "rolling  60m", "rolling 060m", "rolling 527040m", "rolling 527041m", "day", "shift"),
    *("hour", "[]", "{}", "[[]]", "[a]", "[a, a]", "{a: b}", "&x a", "*x", "!!str a", "! a", "everyone", "Everyone"),
    *("default", "never", "common_cause", "1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"),
    *("2100-01-01T00:00:00.001Z", "2026-03-01T00:00:00", "2026-03-01 00:00:00+08:00", "2026-02-30", "2026-02-28"),
    *("0000-01-01", "9999-12-31", "Europe/Berlin", "europe/berlin", "posix/UTC", "localtime", "Mars/X", "' '", '"\\t"'),
    *('"\\u0007"', '"\\ud800"', "x" * 129, "x" * 65, "é", "中", "a b", "- a", "accepted", "(accepted)", "accepted +"),
    *("value", "target", "target('q')", 'target("q")', "'min(a)'", "'min(a, b)'", "abs(a)", "1e5 * a", "A", "_a", "a²"),
    *("--a", "+a", "a*1.", "L1", "late", "qc.", "business.x", "people.assignment", "info", "zh", "|\n  a", "%", "@a"),
    *("#", "? a", ": a", "a:", "'", '"', "\\", "\t", "\r", "\x85", "\u2028", "\ufeff", "\x00", "\u3000"),
)
CHARACTERS: Final = " \n\t:,-[]{}'\"#&*!|>%@?0195.eE_+/()abz~=\\\u3000²"
_TOKEN: Final = re.compile(r'"[^"]*"|[^\s,\[\]{}:]+(?::\d\d)?')
_VALUE: Final = re.compile(r"(?<=: )[^\n]+|(?<=: )[^\s,\]}]+|\[[^\[\]]*\]|\{[^{}]*\}")


class Change(NamedTuple):
    """What happens to a text; `place` and `other` say where, whatever its length, `word` what comes there."""

    what: str
    place: int
    other: int
    word: str


def _replaced(pattern: re.Pattern[str], text: str, change: Change) -> str:
    found = list(pattern.finditer(text))
    if not found:
        return text
    at = found[change.place % len(found)]
    return text[: at.start()] + change.word + text[at.end() :]


def _typed(text: str, change: Change) -> str:
    at = change.place % (len(text) + 1)
    return text[:at] + CHARACTERS[change.other % len(CHARACTERS)] + text[at:]


def _erased(text: str, change: Change) -> str:
    at = change.place % (len(text) + 1)
    return text[:at] + text[at + 1 + change.other % 3 :]


def _lines(text: str, change: Change) -> str:
    """A line is dropped, doubled, moved or shifted."""
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    at, to = change.place % len(lines), change.other // 4 % len(lines)
    line = lines.pop(at)
    match change.other % 4:
        case 1:
            lines[at:at] = [line, line]
        case 2:
            lines.insert(to, line)
        case 3:
            lines.insert(at, " " * (change.other // 4 % 5) + line.lstrip(" "))
    return "".join(lines)


_HOW: Final[dict[str, Callable[[str, Change], str]]] = {
    "token": lambda text, change: _replaced(_TOKEN, text, change),
    "value": lambda text, change: _replaced(_VALUE, text, change),
    "type": _typed,
    "erase": _erased,
    "line": _lines,
}
CHANGE: Final = st.builds(
    Change, st.sampled_from(sorted(_HOW)), st.integers(0, 4095), st.integers(0, 4095), st.sampled_from(WORDS)
)


def _apply(text: str, changes: Sequence[Change]) -> str:
    for change in changes:
        text = _HOW[change.what](text, change)
    return text


def mutated(texts: Sequence[str]) -> st.SearchStrategy[str]:
    """One of these texts after one to three changes."""
    return st.builds(_apply, st.sampled_from(texts), st.lists(CHANGE, min_size=1, max_size=3))
