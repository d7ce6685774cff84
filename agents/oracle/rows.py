"""A row is a formula over exact sums of the events at whose T the version in force at the as-of applied."""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from agents.oracle.log import MICRO, Event
from agents.oracle.person import Assignments, Targets
from agents.oracle.rulebook import Rulebook, Version
from agents.oracle.template import DIMENSIONS, Indicator
from agents.oracle.windows import Window, calendar_span, rolling_span

Z = 1.959963984540054

Row = dict[str, object]


class Person(NamedTuple):
    """One employee's events that were neither rejected, late nor duplicate, by T, and what holds for them."""

    employee: str
    events: Sequence[Event]
    assignments: Assignments
    targets: Targets


class Contribution(NamedTuple):
    """An event that counts in a row; `measures` are those that the row's formulas name, in millionths."""

    topic: str
    partition: int
    offset: int
    event_id: str
    occurred_at: int
    measures: tuple[tuple[str, int], ...]


class _Column:
    """The events of one indicator by T, with running sums per measure, so that any span is two look-ups."""

    def __init__(self, indicator: Indicator, events: Sequence[Event]) -> None:
        self._times = [event.at for event in events]
        amounts = [dict(event.measures) for event in events]
        self._sums = {
            measure: list(accumulate((amount.get(measure, 0) for amount in amounts), initial=0))
            for measure in indicator.measures
        }

    def over(self, start: int, end: float) -> tuple[int, dict[str, int]]:
        """(number of events, sums in millionths) in [start, end)."""
        first, last = bisect_left(self._times, start), bisect_left(self._times, end)
        return last - first, {measure: sums[last] - sums[first] for measure, sums in self._sums.items()}


def rows_of(person: Person, rulebook: Rulebook, as_of: int) -> Iterator[Row]:
    """The contract's rows of one person as of `as_of` (ms), times as ms; `sums_micro` holds the exact sums."""
    targets = person.targets.at(as_of)
    for version in rulebook.applying(as_of, person.assignments.role(as_of)):
        columns = [_Column(indicator, events) for indicator, events in entered(person, version, rulebook)]
        head: Row = {"employee_id": person.employee, "template": version.template.template}
        head["version"] = version.template.version
        for window in _windows(version):
            start, end = span(version, window, as_of)
            framed: list[tuple[Indicator, Row]] = []
            for indicator, column in zip(version.template.indicators, columns, strict=True):
                if window in indicator.windows:
                    place = {"indicator": indicator.id, "window": window.text, "window_start": start, "as_of": as_of}
                    scored = _scored(indicator, *column.over(start, end), targets)
                    framed.append((indicator, {**head, **place, **scored}))
            yield from (row for _, row in framed)
            place = {"window": window.text, "window_start": start, "as_of": as_of}
            yield from ({**head, **place, **total} for total in _totals(framed))


def entered(person: Person, version: Version, rulebook: Rulebook) -> list[tuple[Indicator, list[Event]]]:
    """The events, by T, that count for each indicator of the version."""
    found: list[tuple[Indicator, list[Event]]] = [(indicator, []) for indicator in version.template.indicators]
    for event in person.events:
        if version in rulebook.applying(event.at, person.assignments.role(event.at)):
            for position in version.entered(event.kind):
                found[position][1].append(event)
    return found


def contributions_of(indicator: Indicator, events: Sequence[Event], start: int, end: float) -> list[Contribution]:
    """What each of the indicator's events in [start, end) adds to its sums."""
    return [
        Contribution(
            event.topic, event.partition, event.offset, event.event_id, event.at,
            tuple((name, amount) for name, amount in event.measures if name in indicator.measures),
        )
        for event in events
        if start <= event.at < end
    ]  # fmt: skip


def span(version: Version, window: Window, as_of: int) -> tuple[int, float]:
    """[start, end) of a window of the version as of `as_of`, in ms; the end of `all` is infinite."""
    if window.kind == "all":
        return version.start, math.inf
    if window.kind == "rolling":
        return rolling_span(window.minutes, as_of)
    return calendar_span(window.kind, version.template.timezone, as_of)


def _windows(version: Version) -> list[Window]:
    # `shift` has no calendar yet and therefore no rows.
    windows = dict.fromkeys(window for indicator in version.template.indicators for window in indicator.windows)
    return [window for window in windows if window.kind != "shift"]


def _scored(indicator: Indicator, events: int, sums: Mapping[str, int], targets: Mapping[str, float]) -> Row:
    units: dict[str, float | None] = {measure: amount / MICRO for measure, amount in sums.items()}
    n = indicator.of.value(units, targets) if indicator.of else None
    good = indicator.good.value(units, targets) if indicator.good else None
    value = indicator.value.value(units, targets) if events else None
    status = _status(indicator, value, n)
    reached = {"value": value, "target": indicator.target}
    low, high = wilson(good, n)
    points = indicator.points.value(reached, targets) if status == "ok" else None
    return {
        "status": status, "value": value, "points": points,
        "n": _plain(n), "good": _plain(good), "low": low, "high": high,
        "sums": {measure: _units(amount) for measure, amount in sums.items()}, "sums_micro": dict(sums),
    }  # fmt: skip


def _status(indicator: Indicator, value: float | None, n: float | None) -> str:
    if value is None:
        return "no_data"
    # A denominator that cannot be computed shows no minimum; without a minimum none is asked for.
    enough = n >= indicator.min_sample if n is not None else not indicator.min_sample
    return "ok" if enough else "insufficient"


def _totals(framed: Sequence[tuple[Indicator, Row]]) -> Iterator[Row]:
    for name in (*DIMENSIONS, "total"):
        score, any_points = _score([pair for pair in framed if name in (pair[0].dimension, "total")])
        yield {
            "indicator": f"@{name}", "status": "ok" if any_points else "no_data", "value": score, "points": score,
            "n": None, "good": None, "low": None, "high": None, "sums": {}, "sums_micro": {},
        }  # fmt: skip


def _score(framed: Sequence[tuple[Indicator, Row]]) -> tuple[float | None, bool]:
    weighted = [(indicator.weight, points) for indicator, row in framed if isinstance(points := row["points"], float)]
    weight = sum(weight for weight, _ in weighted)
    score = sum(weight * points for weight, points in weighted) / weight if weight else None
    return (score if score is not None and math.isfinite(score) else None), bool(weighted)


def wilson(good: float | None, n: float | None) -> tuple[float | None, float | None]:
    """The Wilson interval at 95 % of `good` of `n`; (None, None) when n <= 0 or good is outside 0..n.

    scoring.md, Uncertainty: (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n).
    """
    if good is None or n is None or n <= 0 or not 0 <= good <= n:
        return None, None
    p, spread = good / n, Z * Z / n
    middle, half = p + spread / 2, Z * math.sqrt(p * (1 - p) / n + spread / (4 * n))
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)


def _units(amount: int) -> int | float:
    return amount // MICRO if amount % MICRO == 0 else amount / MICRO


def _plain(number: float | None) -> int | float | None:
    return int(number) if number is not None and number.is_integer() else number
