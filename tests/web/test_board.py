"""What a board shows: the right reading large, honest marks, people by id, and nothing drawn twice in vain."""

from __future__ import annotations

from typing import Any

import pytest

from agents.views.conflate import Published
from dashboards.web.board import Drawing, Tile, flagship, summary, tile
from dashboards.web.catalogue import Catalogue, read_template
from dashboards.web.reading import Band, Mark, Trend, mark
from dashboards.web.view import View
from schemas.instants import DAY, MINUTE, format_rfc3339
from schemas.rows import ScoreRow
from stream.interval import wilson
from tests.web.factories import INDICATOR, NOW, ROLLING, line, row, scores, template, total, unit_scores
from tests.web.shelf import show


def view_of(*records: Published) -> View:
    """A view with the template and these records."""
    view = View()
    show(view, [template(), *records])
    return view


def rows_of(*rows: dict[str, Any]) -> list[ScoreRow]:
    """Rows as the view decodes them."""
    return first_rows(view_of(scores("E1", *rows)))


def first_rows(view: View) -> list[ScoreRow]:
    """The rows of the one employee."""
    return view.employees["E1"].update().rows


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(indicator="sales", n=None), row(window="day"), row(), total()], (INDICATOR, ROLLING)),
        ([row(indicator="sales", n=None), row(window="day"), total()], (INDICATOR, "day")),
        ([total(), row(indicator="sales", n=None, window="month")], ("sales", "month")),
        ([total()], ("@total", ROLLING)),
        ([row(indicator="first"), row(indicator="second")], ("first", ROLLING)),
    ],
)
def test_the_reading_shown_large_is_the_first_rate_in_a_rolling_window(
    rows: list[dict[str, Any]], expected: tuple[str, str]
) -> None:
    """Otherwise the first rate, the first indicator, the first row: always the same one for the same rows."""
    chosen = flagship(rows_of(*rows), Catalogue(read_template))
    assert chosen is not None
    assert expected == (chosen.indicator, chosen.window)


def test_a_rate_without_data_stays_the_reading_shown_large() -> None:
    """`n` may be null for a while; the template still says that it is a rate."""
    view = view_of(scores("E1", row(indicator="sales", n=None), row(n=None, status="no_data")))
    chosen = flagship(first_rows(view), view.catalogue)
    assert chosen is not None
    assert chosen.indicator == INDICATOR


@pytest.mark.parametrize(
    ("changes", "target", "expected"),
    [
        ({"value": 0.98, "low": 0.96, "high": 0.99}, 0.95, "above"),
        ({"value": 0.98, "low": 0.95, "high": 0.99}, 0.95, "above"),
        ({"value": 0.98, "low": 0.94, "high": 0.99}, 0.95, "near"),
        ({"value": 0.93, "low": 0.90, "high": 0.95}, 0.95, "near"),
        ({"value": 0.91, "low": 0.88, "high": 0.94}, 0.95, "below"),
        ({"value": 120.0, "low": None, "high": None}, 100.0, "above"),
        ({"value": 99.0, "low": None, "high": None}, 100.0, "below"),
        ({"value": 0.5}, None, "none"),
        ({"value": None, "status": "no_data"}, 0.95, "no_data"),
        ({"value": 1.0, "status": "insufficient"}, 0.95, "insufficient"),
    ],
)
def test_above_and_below_need_the_whole_interval(changes: dict[str, Any], target: float | None, expected: Mark) -> None:
    """A board never says of chance that somebody is bad at their work."""
    (only,) = rows_of(row(**changes))
    assert expected == mark(only, target)


def test_a_reading_brings_what_its_template_says() -> None:
    """Name in both languages, target, sample and unit come from the version that the row names."""
    head = summary(view_of(*line()), "L03")
    assert head is not None
    assert head.reading is not None
    assert head.reading.name == {"zh": "半成品良品率", "en": "Semi-finished yield"}
    assert (head.reading.target, head.reading.min_sample, head.reading.unit) == (0.95, 30, "percent")
    assert head.timezone == "Asia/Shanghai"


def test_a_board_works_without_the_template() -> None:
    """The web may have read the scores before it has read the template."""
    view = View()
    show(view, [scores("E1"), unit_scores("L03", ["E1"])])
    drawn = Drawing("L03").draw(view)
    assert drawn.summary is not None
    assert drawn.summary.reading is not None
    assert (
        drawn.summary.reading.name,
        drawn.summary.reading.target,
        drawn.summary.reading.mark,
    ) == ({}, None, "none")


def test_people_stand_in_the_order_of_their_ids_whatever_their_scores() -> None:
    """A board is no ranking."""
    view = view_of(
        unit_scores("L03", ["E3", "E1", "E2"]), scores("E3", row(99)), scores("E1", row(50)), scores("E2", row(80))
    )
    assert list(Drawing("L03").draw(view).people) == ["E1", "E2", "E3"]


def test_a_person_shows_the_reading_of_the_unit() -> None:
    """Whatever stands first in their own rows."""
    view = view_of(unit_scores("L03", ["E1"]), scores("E1", row(indicator="other"), row(90), total(88.0)))
    drawn = Drawing("L03").draw(view).people["E1"]
    assert drawn.reading is not None
    assert (drawn.reading.indicator, drawn.reading.value, drawn.score) == (INDICATOR, 0.9, 88.0)


def test_a_person_of_another_template_shows_their_own_reading() -> None:
    """A setter on an operators' line has other indicators."""
    view = view_of(unit_scores("L03", ["E1"]), scores("E1", row(97, indicator="uptime", template="setter")))
    drawn = Drawing("L03").draw(view).people["E1"]
    assert drawn.reading is not None
    assert drawn.reading.indicator == "uptime"


def test_a_person_without_rows_has_a_tile_without_a_reading() -> None:
    """They are on the line, though nothing is measured of them."""
    bare = scores("E1", newest=None)
    empty = bare._replace(value=(bare.value or b"").split(b'"rows"')[0] + b'"rows":[],"trends":{},"pools":[]}')
    view = view_of(unit_scores("L03", ["E1"]), empty)
    assert Tile("E1", None, None, None, Trend()) == Drawing("L03").draw(view).people["E1"]


def test_a_person_whose_windows_are_empty_has_no_age_of_data() -> None:
    """Their newest event is then the assignment, perhaps: "stale since 1970" helps nobody."""
    nothing = row(0, None, status="no_data", value=None, points=None)
    view = view_of(unit_scores("L03", ["E1"]), scores("E1", nothing, total(None), newest=0))
    assert Drawing("L03").draw(view).people["E1"].newest is None


def test_a_trend_gives_rates_and_leaves_gaps() -> None:
    """A pane in which nothing was inspected has no rate, not a rate of 0."""
    head = summary(view_of(*line()), "L03")
    assert head is not None
    assert Trend(format_rfc3339(NOW - 10 * MINUTE), (0.0, 300.0), (0.96, None)) == head.trend


def test_a_trend_of_a_unit_says_how_sure_each_pane_is() -> None:
    """A pane that has just begun may be anywhere; one without anything inspected has no interval."""
    head = summary(view_of(*line()), "L03")
    assert head is not None
    low, high = wilson(96, 100) or (0, 0)
    assert Band((low, None), (high, None)) == head.band


def test_beside_the_reading_stand_total_next_window_and_other_indicators() -> None:
    """In this order, six at most, and an indicator in the window of the reading if it has it."""
    rows = [
        row(),
        row(window="day"),
        row(window="month"),
        total(99.0),
        row(indicator="b", window="day"),
        row(indicator="b"),
    ]
    head = summary(view_of(unit_scores("L03", [], *rows)), "L03")
    assert head is not None
    expected = [("@total", ROLLING), (INDICATOR, "day"), ("b", ROLLING), (INDICATOR, "month")]
    assert expected == [(other.indicator, other.window) for other in head.others]


def test_an_unknown_unit_draws_an_empty_board() -> None:
    """It may appear later."""
    drawn = Drawing("L99").draw(view_of(*line()))
    assert (drawn.summary, drawn.people) == (None, {})


def test_a_person_whose_update_did_not_change_is_not_drawn_anew() -> None:
    """Of sixty people two or three change between two messages."""
    view = view_of(*line(people=3))
    drawing = Drawing("L03")
    before = drawing.draw(view).people
    show(view, [scores("E0002", row(50))])
    after = drawing.draw(view).people
    assert [before[employee] is after[employee] for employee in before] == [True, False, True]


def test_a_new_template_draws_everybody_anew() -> None:
    """Targets stand on every tile."""
    view = View()
    show(view, [scores("E1"), unit_scores("L03", ["E1"])])
    drawing = Drawing("L03")
    before = drawing.draw(view).people["E1"].reading
    show(view, [template()])
    after = drawing.draw(view).people["E1"].reading
    assert before is not None
    assert after is not None
    assert (before.target, after.target) == (None, 0.95)


def test_a_tile_can_be_drawn_alone() -> None:
    """The same function serves a board and a page of one person."""
    view = view_of(scores("E1"))
    drawn = tile("E1", view.employees["E1"], view.catalogue, None)
    assert drawn.reading is not None
    assert drawn.reading.mark == "near"


def _part(unit: str, people: int, *rows: dict[str, Any]) -> dict[str, Any]:
    name = {"zh": f"{unit} 线", "en": f"Line {unit}"}
    own = [{**each, "unit": unit} for each in rows]
    return {"unit": unit, "name": name, "people": people, "newest": format_rfc3339(NOW), "rows": own, "trends": {}}


def test_a_unit_shows_the_units_that_belong_to_it() -> None:
    """Before its own people, each with the reading that the unit shows, its name, its people and its own board."""
    parts = [_part("L2", 7, row(80, 100), total(70.0)), _part("a/b", 0)]
    record = unit_scores("plant", ["E1"], row(), name={"zh": "一厂", "en": "Plant 1"}, parts=parts)
    drawn = Drawing("plant").draw(view_of(scores("E1", row()), record))
    assert ["/L2", "/a/b", "E1"] == list(drawn.people)
    first, second, _ = drawn.people.values()
    assert first.reading is not None
    assert (0.8, "below", 70.0, 7) == (first.reading.value, first.reading.mark, first.score, first.people)
    assert ("Line L2", "/board/L2", None) == (first.name["en"], first.board, first.alert)
    assert ("/board/a%2Fb", None) == (second.board, second.reading)
    assert drawn.summary is not None
    assert ("Plant 1", 8) == (drawn.summary.name["en"], drawn.summary.people)


def test_a_unit_that_never_worked_has_no_data_rather_than_old_data() -> None:
    """Its newest event is the day on which somebody was assigned to it, and that is no work: on its own board and on
    that of the unit which it belongs to. One that worked keeps its day.
    """
    hired = NOW - 300 * DAY
    empty = row(n=None, value=None, status="no_data", window="month")
    idle = {**_part("office", 3), "newest": format_rfc3339(hired)}
    waiting = {**_part("lab", 3, empty), "newest": format_rfc3339(hired)}
    worked = {**_part("L2", 7, row(80, 100, window="month")), "newest": format_rfc3339(hired)}
    view = view_of(
        unit_scores("plant", [], row(), parts=[idle, waiting, worked]),
        unit_scores("office", ["E1"], empty, newest=hired, trends={}),
    )
    drawn = Drawing("plant").draw(view)
    shown = {id: tile.newest for id, tile in drawn.people.items()}
    assert {"/office": None, "/lab": None, "/L2": format_rfc3339(hired)} == shown
    own = summary(view, "office")
    assert own is not None
    assert own.newest is None
