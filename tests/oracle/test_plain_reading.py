"""The rows once more, the slow way: every event is asked about by itself, in exact fractions."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agents.oracle.event import read_event
from agents.oracle.log import Event
from tests.oracle.logs import DAY, HOUR, MINUTE, NOON, PARTITIONS, Log
from tests.oracle.test_recompute import SEEDS, WINDOWS, random_log

VERSION_2 = 1_773_124_200_000  # 2026-03-10T06:30:00Z, as in random_log
SHANGHAI = ZoneInfo("Asia/Shanghai")


def counted(log: Log) -> Iterator[Event]:
    """The events that are neither rejected, late nor seen before (random_log holds no other source of lateness)."""
    seen: set[tuple[str, str, str, int]] = set()
    for record in log.records:
        if not record.topic.endswith("-events") or b'"inspected": 1, "accepted": 2' in (record.value or b""):
            continue
        event = read_event(record, PARTITIONS)
        identity = (event.topic, event.employee, event.event_id, event.at)
        behind = record.timestamp - event.at
        if identity not in seen and behind <= (400 if event.corrects else 7) * DAY:
            seen.add(identity)
            yield event


def role(events: list[Event], employee: str, at: int) -> str | None:
    """The role of the latest assignment not after `at`."""
    assignments = (event for event in events if event.kind.type == "people.assignment")
    found = [event for event in assignments if event.employee == employee and event.at <= at]
    return dict(max(found, key=lambda event: (event.at, event.offset)).kind.dims)["role"] if found else None


def in_window(window: str, at: int, as_of: int) -> bool:
    """Whether an event at `at` lies in the window as of `as_of`, by local dates and pane numbers."""
    if window == "all":
        return True
    if window.startswith("rolling"):
        minutes = int(window.removeprefix("rolling ").removesuffix("m"))
        pane = MINUTE if minutes <= 180 else 15 * MINUTE
        return as_of // pane - minutes * MINUTE // pane < at // pane <= as_of // pane
    left, right = (datetime.fromtimestamp(instant // 1000, SHANGHAI) for instant in (at, as_of))
    if window == "week":
        return left.isocalendar()[:2] == right.isocalendar()[:2]
    quarter = (left.year, (left.month + 2) // 3) == (right.year, (right.month + 2) // 3)
    same = {"day": left.date() == right.date(), "month": (left.year, left.month) == (right.year, right.month)}
    return {**same, "quarter": quarter, "year": left.year == right.year}[window]


def pooled(events: list[Event], employee: str, window: str, as_of: int) -> dict[str, Fraction]:
    """The sums of template op's yield: version, role and dims asked of each event."""
    sums = {"accepted": Fraction(0), "inspected": Fraction(0)}
    for event in events:
        mine = event.employee == employee and event.kind.type == "qc.inspection"
        used = dict(event.kind.dims).get("stage") in ("a", "b")
        version = (event.at >= VERSION_2) == (as_of >= VERSION_2)
        if mine and used and version and in_window(window, event.at, as_of):
            for measure, amount in event.measures if role(events, employee, event.at) == "operator" else ():
                sums[measure] += Fraction(amount, 1_000_000)
    return sums


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("as_of", [NOON + 4 * DAY, VERSION_2 - 1, VERSION_2 + HOUR, NOON + 13 * DAY + 7 * HOUR])
def test_rows_are_what_a_plain_reading_of_the_log_gives(seed: int, as_of: int) -> None:
    """Sums equal, value and points as fractions, for everyone in every window, and rows for the right people."""
    log = random_log(seed)
    events = list(counted(log))
    rows: dict[tuple[object, object], dict[str, Any]] = {
        (row["employee_id"], row["window"]): row
        for row in log.recompute().rows(as_of)
        if (row["template"], row["indicator"]) == ("op", "yield")
    }
    people = {event.employee for event in events if role(events, event.employee, as_of) == "operator"}
    assert {(employee, window) for employee in people for window in WINDOWS} == set(rows)
    for (employee, window), row in rows.items():
        sums = pooled(events, str(employee), str(window), as_of)
        assert {measure: Fraction(micro, 1_000_000) for measure, micro in row["sums_micro"].items()} == sums
        value = sums["accepted"] / sums["inspected"] if sums["inspected"] else None
        assert row["value"] == (None if value is None else pytest.approx(float(value), rel=1e-12))
        assert row["points"] == (None if value is None else pytest.approx(float(200 * value), rel=1e-12))


def test_the_plain_reading_knows_the_calendar() -> None:
    """A check of the check: the local day of Shanghai begins at 16:00 UTC."""
    midnight = NOON + 4 * HOUR
    assert datetime.fromtimestamp(midnight // 1000, SHANGHAI).hour == 0
    assert not in_window("day", midnight - 1, midnight)
    assert in_window("day", midnight + round(timedelta(hours=23, minutes=59) / timedelta(milliseconds=1)), midnight)
