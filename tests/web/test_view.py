"""The view: whatever order records come in, the latest of each key is there, and only what changed is touched."""

from __future__ import annotations

import itertools

import pytest

from agents.views.conflate import Published
from agents.views.port import Standing
from dashboards.web.catalogue import Guide, read_template
from dashboards.web.view import View, members_of
from stream.topics import SCORE_UPDATES, UNIT_UPDATES
from tests.web.factories import NOW, line, row, scores, template, unit_scores
from tests.web.shelf import show


def test_the_latest_update_of_a_key_replaces_the_one_before() -> None:
    """An update says everything about its employee, so nothing of the older one stays."""
    view = View()
    show(view, [scores("E1", row(10, 20)), scores("E1", row(19, 20))])
    assert [each.good for each in view.employees["E1"].update().rows] == [19]


def test_a_change_of_a_person_touches_the_units_that_list_them() -> None:
    """A person who worked on two lines today is on both boards."""
    view = View()
    show(view, [unit_scores("L03", ["E1", "E2"]), unit_scores("L04", ["E1"])])
    assert {"L03", "L04"} == show(view, [scores("E1")]).units
    assert {"L03"} == show(view, [scores("E2")]).units
    assert set() == show(view, [scores("E3")]).units


def test_a_person_who_left_a_unit_touches_it_no_more() -> None:
    """Membership is what the unit's latest update says."""
    view = View()
    show(view, [unit_scores("L03", ["E1", "E2"]), unit_scores("L03", ["E2"])])
    assert set() == show(view, [scores("E1")]).units


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_people_and_units_may_arrive_in_any_order(order: tuple[int, ...]) -> None:
    """The topics are read one after the other, and have no common order."""
    records = [scores("E2"), scores("E1"), unit_scores("L03", ["E2", "E1"])]
    view = View()
    show(view, [records[place] for place in order])
    assert list(members_of(view, "L03")) == ["E1", "E2"]


def test_a_member_without_scores_is_not_shown() -> None:
    """A unit may know of somebody whose own update is still to come."""
    view = View()
    show(view, [unit_scores("L03", ["E1", "E2"]), scores("E2")])
    assert list(members_of(view, "L03")) == ["E2"]


def test_a_tombstone_removes_an_employee_and_a_unit() -> None:
    """What was erased from the log is not shown any longer."""
    view = View()
    show(view, line())
    gone = [Published(SCORE_UPDATES, 0, NOW, b"E0001", None), Published(SCORE_UPDATES, 0, NOW, b"never-there", None)]
    assert {"L03"} == show(view, gone).units
    assert ["E0002"] == list(view.employees)
    assert {"L03"} == show(view, [Published(UNIT_UPDATES, 0, NOW, b"L03", None)]).units
    assert [] == list(view.units)


def test_time_is_what_the_views_say() -> None:
    """A service that ticks but has nothing to say is alive."""
    view = View()
    assert (None, None) == (view.now, view.last_commit)
    view.tell(Standing("e", True, NOW, NOW + 5))
    assert (NOW, NOW + 5) == (view.now, view.last_commit)


@pytest.mark.parametrize(
    ("units", "employees"),
    [
        ({}, {"E1": b"{"}),
        ({}, {"E1": b'{"employee_id":"E1"}'}),
        ({}, {"E2": scores("E1").value}),
        ({}, {"E1": (scores("E1").value or b"").replace(b"2026-03", b"march")}),
        ({"L1": b"{"}, {}),
        ({"L2": unit_scores("L1", []).value}, {}),
    ],
)
def test_a_value_that_cannot_be_read_is_counted_and_changes_nothing(
    units: dict[str, bytes], employees: dict[str, bytes]
) -> None:
    """One bad value must not take a board down, nor bring a wrong name onto it."""
    view = View()
    touched = view.put(units, {**employees, "E9": scores("E9").value})
    assert touched.unreadable == 1
    assert list(view.employees) == ["E9"]
    assert list(view.units) == []


def test_a_template_touches_all_boards_once() -> None:
    """Names and targets may arrive after the first scores; a compacted topic repeats itself."""
    view = View()
    show(view, [unit_scores("L03", []), unit_scores("L04", [])])
    assert {"L03", "L04"} == show(view, [template()]).units
    assert set() == show(view, [template()]).units


def test_clear_forgets_everything() -> None:
    """Other views are another truth."""
    view = View()
    show(view, line())
    view.clear()
    assert (view.employees, view.units, view.missing()) == ({}, {}, set())
    assert view.catalogue.guide("production-operator", 1) is None


def test_who_is_on_no_watched_board_is_not_kept() -> None:
    """A company may be larger than this process."""
    view = View()
    show(view, [unit_scores("L03", ["E1", "E2"]), unit_scores("L04", ["E2"]), scores("E1"), scores("E2"), scores("E3")])
    view.prune()
    assert ["E1", "E2"] == sorted(view.employees)
    view.forget("L03")
    assert (["E2"], ["L04"]) == (list(view.employees), list(view.units))
    view.forget("L04")
    assert ({}, {}) == (view.employees, view.units)


def test_a_board_knows_whom_it_lacks() -> None:
    """Somebody has joined the line, and their own update was not read yet."""
    view = View()
    show(view, [unit_scores("L03", ["E1", "E2"]), scores("E2")])
    assert {"E1"} == view.missing()
    assert {"E1", "E2"} == view.shown(["E1", "E2", "E3"])


def test_a_template_is_parsed_once() -> None:
    """Its text is read again with every change of templates."""
    read: list[str] = []

    def reader(text: str) -> Guide | None:
        read.append(text)
        return read_template(text)

    view = View(reader)
    for _ in range(3):
        show(view, [template()])
    assert 1 == len(read)
