"""What is closed and what has to be computed again is decided from plain values."""

from __future__ import annotations

import pytest

from agents.closing import (
    BEGUN,
    CELLS,
    EVER,
    MOST,
    any_closed,
    closed_until,
    common_rules,
    concerned_by,
    since_of,
    slice_size,
    tree_changed_since,
    work_of,
)
from agents.records.result_terms import Progress
from agents.result_causes import News, cause, told
from stream.calendars import FOREVER
from stream.closed import Closed, exact
from stream.meta import Meta
from stream.pipeline import Limits
from stream.rulebook import Rulebook
from stream.shift_calendar import load_calendar
from stream.template import load_published
from stream.unit_tree import NO_TREE, Place, Unit, UnitTree
from tests.oracle.logs import DAY, HOUR, MIDNIGHT, YIELD, calendar, template

RULES = Rulebook([load_published(template())])
MONTHS = Rulebook([load_published(template(YIELD.replace("[day]", "[rolling 60m, month, all]")))])


def test_the_slowest_partition_decides_what_is_closed() -> None:
    """The oldest of the newest ticks, less the time that events are waited for; without a tick nothing is closed."""
    metas = [Meta(now=20 * DAY), Meta(now=10 * DAY)]
    assert 7 * DAY == closed_until(metas, Limits(late=3 * DAY))
    assert EVER == closed_until([*metas, Meta()], Limits())
    assert EVER == closed_until([], Limits())


def test_all_partitions_work_by_the_same_rules() -> None:
    """In whatever order they name them; else results wait."""
    assert ["a@1", "b@1"] == common_rules([Meta(rules=["a@1", "b@1"]), Meta(rules=["b@1", "a@1"])])
    assert common_rules([Meta(rules=["a@1"]), Meta(rules=[])]) is None


@pytest.mark.parametrize(
    ("rules", "until", "expected"),
    [
        (RULES, MIDNIGHT + HOUR, False),
        (RULES, MIDNIGHT + DAY - 1, False),
        (RULES, MIDNIGHT + DAY, True),
        (MONTHS, MIDNIGHT + DAY, False),
        (MONTHS, MIDNIGHT + 31 * DAY, True),
        (Rulebook(), MIDNIGHT + DAY, False),
    ],
)
def test_a_run_looks_at_everybody_only_when_a_window_closed(rules: Rulebook, until: int, expected: bool) -> None:
    """Of a kind that some template asks for."""
    assert expected == any_closed(rules, MIDNIGHT, until)


def test_work_is_what_closed_what_rules_reach_and_whom_records_speak_of() -> None:
    """People of whom only what is not closed yet was said are not computed again."""
    known = Progress(MIDNIGHT, {}, ["op@1"])
    work = work_of(known, RULES, MIDNIGHT + HOUR, {"E1": MIDNIGHT - DAY, "E2": MIDNIGHT + 2 * HOUR})
    assert (MIDNIGHT + HOUR, MIDNIGHT, False) == (work.until, work.after, work.everybody)
    assert {"E1": MIDNIGHT - DAY} == work.changed
    assert (MIDNIGHT - DAY, MIDNIGHT) == (work.after_of("E1"), work.after_of("E3"))
    fresh = work_of(known._replace(rules=[]), RULES, MIDNIGHT + HOUR, {})
    assert (True, RULES.templates()[0].effective_from) == (fresh.everybody, fresh.after)
    first = work_of(BEGUN, RULES, MIDNIGHT, {})
    assert (True, EVER) == (first.everybody, first.after)


SIX = MIDNIGHT + 6 * HOUR
SOME = "{first: 2026-03-02, days: [[], [], [], [], [], [], [], [], [early], []]}"
SHIFTS = Rulebook(
    [load_published(template(YIELD.replace("[day]", "[shift]")))],
    calendars=[
        load_calendar(calendar()),
        load_calendar(calendar(calendar="later", effective_from="2026-03-05T00:00:00Z", units="[L9]", cycle=SOME)),
    ],
)


@pytest.mark.parametrize(("until", "expected"), [(SIX - 1, False), (SIX, True)])
def test_a_shift_has_closed_when_the_next_one_begins(until: int, expected: bool) -> None:
    """Unless shifts are not asked for."""
    assert expected == any_closed(SHIFTS, SIX - HOUR, until)
    assert not any_closed(SHIFTS, SIX - HOUR, until, shifts=False)


@pytest.mark.parametrize(
    ("at", "since"),
    [
        (SIX, SIX - 1),
        (SIX + 1, SIX),
        (SIX + DAY - 1, SIX),
        (MIDNIGHT + 3 * DAY + HOUR, SIX + 2 * DAY),
        (SIX + 5 * DAY + HOUR, MIDNIGHT + 3 * DAY),  # L9 has had no shift since its calendar began
    ],
)
def test_what_is_said_concerns_the_shifts_that_may_hold_it(at: int, since: int) -> None:
    """Those that ended after any shift that holds it began; without shifts what ended after it."""
    assert since == since_of(SHIFTS, at)
    assert at == since_of(RULES, at)


def test_what_happens_later_may_concern_a_closed_shift() -> None:
    """As long as some shift lasts that had begun; the one of a calendar without further shifts lasts for ever."""
    assert SIX + DAY + 1 == concerned_by(SHIFTS, SIX + HOUR)
    assert SIX + HOUR == concerned_by(RULES, SIX + HOUR)
    once = calendar(calendar="once", units="[L9]", cycle="{first: 2026-03-02, days: [[]]}")
    endless = Rulebook(SHIFTS.templates(), calendars=[*SHIFTS.calendars.versions, load_calendar(once)])
    assert concerned_by(endless, SIX + HOUR) > FOREVER


@pytest.mark.parametrize(
    ("news", "window", "expected"),
    [
        (News("event", SIX + HOUR, False), Closed("op", "shift", SIX, SIX + DAY), "event"),
        (News("event", SIX + HOUR, False), Closed("op", "shift", SIX + DAY, SIX + 2 * DAY), "unknown"),
        (News("event", SIX - 1, False), Closed("op", "shift", SIX, SIX + DAY), "unknown"),
        (News("correction", SIX - 1, False), Closed("op", "day", MIDNIGHT, MIDNIGHT + DAY), "correction"),
        (News("correction", MIDNIGHT - 1, False), Closed("op", "day", MIDNIGHT, MIDNIGHT + DAY), "unknown"),
        (News("target", SIX - 1, True), Closed("op", "shift", SIX, SIX + DAY), "target"),
        (News("target", SIX + 3 * DAY, True), Closed("op", "shift", SIX, SIX + DAY), "unknown"),
        (News("tree", MIDNIGHT + DAY, True), Closed("op", "day", MIDNIGHT, MIDNIGHT + DAY), "unknown"),
    ],
)
def test_a_row_names_what_may_concern_its_window(news: News, window: Closed, expected: str) -> None:
    """And nothing else; where nothing does, that is not known."""
    assert expected == cause([news], window, SHIFTS)


@pytest.mark.parametrize(
    ("why", "number", "expected"),
    [
        ("", 0, None),
        ("closed", 0, None),
        ("closed,event", 0, None),
        ("event", 0, "event"),
        ("closed,event", 1, "event"),
        ("closed", 1, "unknown"),
        ("assignment,event", 2, "assignment,event"),
    ],
)
def test_what_a_row_says(why: str, number: int, expected: str | None) -> None:
    """Nothing when it is written as its window closes."""
    assert expected == told(why, number)


def test_closing_never_runs_back() -> None:
    """A partition that was closed further stays closed so far."""
    work = work_of(Progress(MIDNIGHT, {}, ["op@1"]), RULES, MIDNIGHT - DAY, {})
    assert (MIDNIGHT, False) == (work.until, work.everybody)


def test_slices_bound_what_is_in_memory() -> None:
    """People times days; never more people than states fit, and at least one."""
    assert [MOST, CELLS // 31, 1] == [slice_size(days) for days in (1, 31, 10 * CELLS)]


def _tree(*places: Place) -> UnitTree:
    units = {"L1": Unit("team", {}, places)}
    return UnitTree(units, tuple(sorted({edge for place in places for edge in (place.begins, place.ends)})))


def test_a_tree_reaches_as_far_back_as_it_differs() -> None:
    """The first instant at which a unit belongs elsewhere."""
    old = _tree(Place("north", 0, 100))
    assert tree_changed_since(old, old) is None
    assert 50 == tree_changed_since(old, _tree(Place("north", 0, 50), Place("south", 50, 100)))
    assert 100 == tree_changed_since(old, _tree(Place("north", 0, 200)))
    assert 0 == tree_changed_since(NO_TREE, old)


@pytest.mark.parametrize(
    ("micro", "expected"),
    [(0, "0"), (1, "0.000001"), (-1_500_000, "-1.5"), (52_000_000, "52"), (10**25 + 1, "10000000000000000000.000001")],
)
def test_exact_sums_are_decimals(micro: int, expected: str) -> None:
    """Also where a double has not enough digits."""
    assert expected == exact(micro)
