"""Sums are exact in whole panes and calendar windows, and what no as-of can show is not kept."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.measures import Measures, measures_of
from stream.accumulate import add
from stream.calendars import FOREVER
from stream.person import Landing, bounds_of
from stream.state import Calendar, Vector

MINUTE = 60_000
DAY = 86_400_000


def _measures(**values: float) -> Measures:
    found = measures_of(values)
    assert isinstance(found, Measures)
    return found


def _landing(kept: int = 3, *kinds: str) -> tuple[Landing, dict[int, Vector], list[Calendar]]:
    panes: dict[int, Vector] = {}
    calendars = [Calendar(-1, -1, [0, 0]) for _ in kinds]
    return (
        (
            "a",
            [(panes, MINUTE, kept)],
            [(c, bounds_of(kind, "UTC")) for c, kind in zip(calendars, kinds, strict=True)],
            None,
        ),
        panes,
        calendars,
    )


def test_an_event_enters_the_pane_of_its_own_instant() -> None:
    """The first millisecond of a minute belongs to it, the last too."""
    landing, panes, _ = _landing()
    for at in (0, MINUTE - 1, MINUTE):
        add([landing], _measures(a=0.1), at, at)
    assert {0: [2, 200_000], 1: [1, 100_000]} == panes


def test_a_pane_that_no_window_can_show_is_not_kept() -> None:
    """Neither one that was there, nor one for an event that comes late."""
    landing, panes, _ = _landing(3)
    for minute in (0, 1, 2, 3, 4):
        add([landing], _measures(a=1), minute * MINUTE, minute * MINUTE)
    assert [2, 3, 4] == sorted(panes)
    add([landing], _measures(a=1), MINUTE, 4 * MINUTE)
    add([landing], _measures(a=1), 2 * MINUTE, 4 * MINUTE)
    assert {2: [2, 2_000_000], 3: [1, 1_000_000], 4: [1, 1_000_000]} == panes


def test_a_late_event_opens_the_oldest_pane_that_is_shown() -> None:
    """As many panes as the longest window has, the newest one included; one more is too old."""
    landing, panes, _ = _landing(3)
    add([landing], _measures(a=1), 9 * MINUTE, 9 * MINUTE)
    add([landing], _measures(a=1), 7 * MINUTE, 9 * MINUTE)
    add([landing], _measures(a=1), 7 * MINUTE - 1, 9 * MINUTE)
    assert [7, 9] == sorted(panes)


def test_a_calendar_window_is_the_newest_one() -> None:
    """A later day takes its place, an event of an earlier day enters nothing, `all` takes everything."""
    landing, _, (day, everything) = _landing(3, "day", "all")
    for at in (5, DAY - 1, DAY, 7, DAY + 1):
        add([landing], _measures(a=1), at, DAY + 1)
    assert (DAY, 2 * DAY, [2, 2_000_000]) == (day.start, day.end, day.vector)
    assert (-1, FOREVER, [5, 5_000_000]) == (everything.start, everything.end, everything.vector)


@settings(deadline=None)
@given(st.permutations([0.1, 0.2, 0.3, -0.6, 1e9, -1e9, 1e-6]))
def test_sums_do_not_depend_on_order(amounts: list[float]) -> None:
    """Integers of a millionth add up to the same, whatever comes first."""
    landing, panes, _ = _landing()
    for amount in amounts:
        add([landing], _measures(a=amount), 0, 0)
    assert {0: [7, 1]} == panes
