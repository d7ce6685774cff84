"""The view: whatever order records come in, the latest of each key is there, and only what changed is touched."""

from __future__ import annotations

import itertools

import pytest

from dashboards.web.view import Published, View, members_of
from stream.topics import SCORE_UPDATES, TICKS, UNIT_UPDATES
from tests.web.factories import NOW, line, row, scores, template, tick, unit_scores


def test_the_latest_update_of_a_key_replaces_the_one_before() -> None:
    """An update says everything about its employee, so nothing of the older one stays."""
    view = View()
    view.apply([scores("E1", row(10, 20)), scores("E1", row(19, 20))])
    assert [each.good for each in view.employees["E1"].update().rows] == [19]


def test_a_change_of_a_person_touches_the_units_that_list_them() -> None:
    """A person who worked on two lines today is on both boards."""
    view = View()
    view.apply([unit_scores("L03", ["E1", "E2"]), unit_scores("L04", ["E1"])])
    assert {"L03", "L04"} == view.apply([scores("E1")]).units
    assert {"L03"} == view.apply([scores("E2")]).units
    assert set() == view.apply([scores("E3")]).units


def test_a_person_who_left_a_unit_touches_it_no_more() -> None:
    """Membership is what the unit's latest update says."""
    view = View()
    view.apply([unit_scores("L03", ["E1", "E2"]), unit_scores("L03", ["E2"])])
    assert set() == view.apply([scores("E1")]).units


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_people_and_units_may_arrive_in_any_order(order: tuple[int, ...]) -> None:
    """The topics are read one after the other, and have no common order."""
    records = [scores("E2"), scores("E1"), unit_scores("L03", ["E2", "E1"])]
    view = View()
    view.apply([records[place] for place in order])
    assert list(members_of(view, "L03")) == ["E1", "E2"]


def test_a_member_without_scores_is_not_shown() -> None:
    """A unit may know of somebody whose own update is still to come."""
    view = View()
    view.apply([unit_scores("L03", ["E1", "E2"]), scores("E2")])
    assert list(members_of(view, "L03")) == ["E2"]


def test_a_tombstone_removes_an_employee_and_a_unit() -> None:
    """What was erased from the log is not shown any longer."""
    view = View()
    view.apply(line())
    gone = [
        Published(SCORE_UPDATES, 0, NOW, b"E0001", None),
        Published(UNIT_UPDATES, 0, NOW, b"L03", None),
        Published(SCORE_UPDATES, 0, NOW, b"never-there", None),
    ]
    assert {"L03"} == view.apply(gone).units
    assert list(view.employees) == ["E0002"]
    assert view.unit_ids() == []


def test_now_is_the_newest_tick_over_all_partitions() -> None:
    """Partitions tick on their own; a late one does not turn time back."""
    view = View()
    assert view.now is None
    view.apply([tick(NOW, 0), tick(NOW + 5, 1), tick(NOW - 9, 0)])
    assert view.now == NOW + 5


def test_the_last_commit_is_the_newest_of_ticks_and_records() -> None:
    """A service that ticks but has nothing to say is alive."""
    view = View()
    view.apply([scores("E1", at=NOW)])
    assert view.last_commit == NOW
    view.apply([tick(NOW + 1000)])
    assert view.last_commit == NOW + 1000


@pytest.mark.parametrize(
    "record",
    [
        Published(SCORE_UPDATES, 0, NOW, b"E1", b"{"),
        Published(SCORE_UPDATES, 0, NOW, b"E1", b'{"employee_id":"E1"}'),
        Published(SCORE_UPDATES, 0, NOW, b"E2", scores("E1").value),
        Published(SCORE_UPDATES, 0, NOW, b"<script>", scores("E1").value),
        Published(SCORE_UPDATES, 0, NOW, b"\xff", scores("E1").value),
        Published(SCORE_UPDATES, 0, NOW, None, scores("E1").value),
        Published(UNIT_UPDATES, 0, NOW, b"L\x00", unit_scores("L\x00", []).value),
        Published(UNIT_UPDATES, 0, NOW, b"L" * 129, unit_scores("L" * 129, []).value),
        Published(TICKS, 0, NOW, b"0", b'{"at":"yesterday"}'),
        Published("qc-events", 0, NOW, b"E1", b"{}"),
        Published(SCORE_UPDATES, 0, NOW, b"E1", (scores("E1").value or b"").replace(b"2026-03", b"march")),
    ],
)
def test_a_record_that_cannot_be_read_is_counted_and_changes_nothing(record: Published) -> None:
    """One bad record must not take a board down, nor bring a wrong name onto it."""
    view = View()
    touched = view.apply([record, scores("E9")])
    assert touched.unreadable == 1
    assert list(view.employees) == ["E9"]
    assert view.unit_ids() == []


def test_a_template_touches_all_boards_once() -> None:
    """Names and targets may arrive after the first scores; a compacted topic repeats itself."""
    view = View()
    view.apply([unit_scores("L03", []), unit_scores("L04", [])])
    assert {"L03", "L04"} == view.apply([template()]).units
    assert set() == view.apply([template()]).units


def test_clear_forgets_everything() -> None:
    """Another log is another truth."""
    view = View()
    view.apply(line())
    view.clear()
    assert (view.employees, view.units, view.now, view.last_commit) == ({}, {}, None, None)
    assert view.catalogue.guide("production-operator", 1) is None
