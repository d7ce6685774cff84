"""The page of a person as values: what is chosen, what would help, what is beside it, and nobody's rank."""

from __future__ import annotations

from typing import Any

import pytest

from agents.records.results import Past
from dashboards.web.catalogue import Catalogue, read_template
from dashboards.web.figures import Figures
from dashboards.web.languages import LANGUAGES, words
from dashboards.web.missing import Missing
from dashboards.web.my_card import Card
from dashboards.web.my_page import Page, my_page
from dashboards.web.my_words import Telling
from dashboards.web.shapes import points_rule
from dashboards.web.updates import decode_scores, decode_unit
from schemas.instants import DAY as DAY_MS
from schemas.updates import ScoreUpdate, UnitUpdate
from tests.web.factories import NOW, row, scores, total, unit_scores
from tests.web.people import TEMPLATE, person
from tests.web.test_missing import RATE, indicator

DAY: dict[str, Any] = {"window": "day"}


def _catalogue() -> Catalogue:
    made = Catalogue(read_template)
    assert made.publish(TEMPLATE)
    return made


def _update(*rows: dict[str, Any]) -> ScoreUpdate:
    value = (scores("E0001", *rows) if rows else person()).value
    assert value is not None
    return decode_scores("E0001", value).update()


def _unit(*rows: dict[str, Any]) -> UnitUpdate:
    value = unit_scores("L03", ["E0001"], *rows).value
    assert value is not None
    return decode_unit("L03", value).update()


def _page(update: ScoreUpdate | None = None, unit: UnitUpdate | None = None, asked: str | None = None) -> Page:
    return my_page(update or _update(), unit, _catalogue(), asked)


def _card(page: Page, indicator: str) -> Card:
    return next(card for card in page.sheets[0].cards if card.indicator.id == indicator)


def test_a_page_opens_with_today() -> None:
    """Another window on request; one that there is not is today's again."""
    assert ("rolling 60m", "day", "month") == _page().windows
    assert ["day", "month", "day"] == [_page(asked=asked).window for asked in (None, "month", "week")]
    assert "rolling 60m" == my_page(_update(row(), total()), None, _catalogue(), None).window


def test_what_helps_most_comes_first() -> None:
    """By the points that the total would gain; what is reached or not judged does not help."""
    page = _page()
    sheet = page.sheets[0]
    assert ["semi_finished_yield", "customers", "collected"] == [card.indicator.id for card in sheet.helps]
    assert [card.gain for card in sheet.helps] == sorted((card.gain for card in sheet.helps), reverse=True)
    together = sum(card.gain for card in sheet.cards)
    best = sum(max(100.0, card.row.points or 0) * card.indicator.weight for card in sheet.cards if card.row.points)
    assert best == pytest.approx((sheet.total.points or 0) + together)
    assert pytest.approx(100 - (sheet.total.points or 0)) == sheet.total.away


@pytest.mark.parametrize(("points", "helps"), [(99.0, ["semi_finished_yield"]), (99.98, [])])
def test_what_would_be_shown_as_no_points_helps_nobody(points: float, helps: list[str]) -> None:
    """That one could gain 0 points is no advice."""
    sheet = _page(_update(row(**DAY, points=points), total(points, **DAY))).sheets[0]
    assert helps == [card.indicator.id for card in sheet.helps]


def test_every_indicator_has_a_card_in_the_templates_order() -> None:
    """With its weight's share of all; windows that it does not have leave it out."""
    cards = _page().sheets[0].cards
    assert ["semi_finished_yield", "first_pass", "customers", "collected", "packed"] == [c.indicator.id for c in cards]
    assert 1.0 == pytest.approx(sum(card.share for card in cards))
    assert ["semi_finished_yield"] == [c.indicator.id for c in _page(asked="rolling 60m").sheets[0].cards]


def test_formulas_have_the_persons_numbers() -> None:
    """Also a personal target, read off the row."""
    page = _page()
    assert "88 / 100" == _card(page, "semi_finished_yield").with_numbers
    assert "45000 / 60000" == _card(page, "collected").with_numbers
    assert ("collected", 60000.0) == _card(page, "collected").personal
    assert "100 * min(0.88 / 0.95, 1.2)" == _card(page, "semi_finished_yield").points_with_numbers


@pytest.mark.parametrize(
    ("good", "pooled", "below"), [(88, 1930, True), (96, 1930, False), (93, 1930, False), (88, 1700, False)]
)
def test_below_the_unit_is_said_only_when_the_whole_interval_is(good: int, pooled: int, below: bool) -> None:
    """93 of 100 may well be 96.5 % by chance; nobody is told that they are above either."""
    own = _update(row(good, 100, **DAY), total(window="day"))
    beside = _card(_page(own, _unit(row(pooled, 2000, **DAY))), "semi_finished_yield").beside
    assert beside is not None
    assert (pooled / 2000, "below" if below else "told") == (beside.value, beside.stands)


def test_other_windows_and_versions_are_no_comparison() -> None:
    """Nor a unit that is not there, nor too few units."""
    own = _update(row(88, 100, **DAY), total(window="day"))
    for changes in ({"window": "month"}, {"version": 2, **DAY}, {"window_start": "2026-03-01T00:00:00.000Z", **DAY}):
        assert _card(_page(own, _unit(row(1930, 2000, **changes))), "semi_finished_yield").beside is None
    assert _card(_page(own), "semi_finished_yield").beside is None
    few = _update(row(2, 12, status="insufficient", points=None, **DAY), total(None, window="day"))
    assert _card(_page(few, _unit(row(1930, 2000, **DAY))), "semi_finished_yield").beside is None


def test_hard_work_is_compared_with_what_it_usually_gives() -> None:
    """Where both are adjusted for the kind of work, both adjusted shares are compared."""
    own = _update(row(88, 100, allowance=8, adjusted=0.96, **DAY), total(window="day"))
    unit = _unit(row(1930, 2000, allowance=0, adjusted=0.965, **DAY))
    beside = _card(_page(own, unit), "semi_finished_yield").beside
    assert beside is not None
    assert "told" == beside.stands


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", ("none", None)),
        ("    target: 0.9\n", ("default", None)),
        ("    target: 0.9\n    points: 100*value/target\n", ("default", None)),
        ("    target: 0.9\n    points: 100 * min(value / target, 1.2)\n", ("capped", 120.0)),
        ("    target: 0.9\n    points: 100 * min(value / target, 0.8)\n", (None, None)),
        ("    target: 0.9\n    points: 50 * value\n", (None, None)),
    ],
)
def test_usual_points_rules_have_a_sentence(lines: str, expected: tuple[str | None, float | None]) -> None:
    """Others are shown as they are written."""
    assert expected == points_rule(indicator(RATE + lines))


def test_a_template_that_is_not_known_yet_leaves_its_part_out() -> None:
    """The page waits for it rather than guess."""
    page = my_page(_update(), None, Catalogue(read_template), None)
    assert ((), "day") == (page.sheets, page.window)


def test_nothing_scored_is_a_page_without_windows() -> None:
    """Somebody new."""
    value = scores("E0001").value
    assert value is not None
    update = decode_scores("E0001", value).update()
    update.rows = []
    page = my_page(update, None, _catalogue(), "day")
    assert ((), None, ()) == (page.windows, page.window, page.sheets)


def _past(indicator: str, *values: float, version: int = 1) -> dict[tuple[str, int, str], list[Past]]:
    start = NOW - NOW % DAY_MS
    name = ("production-operator", version, indicator)
    return {name: [Past(start - (len(values) - i) * DAY_MS, v, None, None) for i, v in enumerate(values)]}


def test_a_trend_is_that_of_windows_that_are_over() -> None:
    """Of any indicator, the one that goes on last; another version's is another thing."""
    page = my_page(_update(), None, _catalogue(), None, _past("customers", 3, 5, 4))
    card = _card(page, "customers")
    assert card.course is not None
    assert ("day", (3, 5, 4, 7.0)) == (card.course.window, card.course.values)
    assert card.spark is not None
    assert ("M12 ", 588, ()) == (card.spark.line[:4], card.spark.x, card.spark.band)
    other = my_page(_update(), None, _catalogue(), None, _past("customers", 3, 5, 4, version=2))
    assert _card(other, "customers").course is None


@pytest.mark.parametrize(
    ("before", "english", "chinese"),
    [
        ((3, 5, 4), "Trend over 4 days: from 3 to 7", "4 天的趋势：从 3 到 7"),
        ((7, 7.001), "Trend over 3 days: steady at 7", "3 天的趋势：稳定在 7"),
        ((7, 5), "Trend over 3 days: 7 at both ends, between 5 and 7", "3 天的趋势：首尾均为 7，其间在 5 与 7 之间"),
    ],
)
def test_a_trend_is_said_as_it_looks(before: tuple[float, ...], english: str, chinese: str) -> None:
    """What is shown the same at both ends has not moved, or has come back."""
    card = _card(my_page(_update(), None, _catalogue(), None, _past("customers", *before)), "customers")
    assert card.course is not None
    said = [Telling(words(one), Figures(words(one))).trend(card, card.course) for one in LANGUAGES]
    assert [english, chinese] == said


@pytest.mark.parametrize(
    ("points", "long", "few"),
    [(1.0, "1 point is missing;", "1 point to"), (1.5, "1.5 points are missing;", "1.5 points to")],
)
def test_points_have_a_plural(points: float, long: str, few: str) -> None:
    """Where they cannot be told in units."""
    tell, card = Telling(words("en"), Figures(words("en"))), _card(_page(_update()), "customers")
    untold = card._replace(missing=Missing("untold", points))
    assert tell.missing(untold).startswith(long)
    assert tell.short(untold).startswith(few)


def test_without_windows_that_are_over_a_rate_shows_its_last_minutes() -> None:
    """Also where the page shows today: the published trend is that of the rolling window."""
    update = _update()
    name = "production-operator/semi_finished_yield/rolling 60m"
    update.trends = {name: [(NOW - 600_000, 50, 48), (NOW - 300_000, 0, 0), (NOW, 50, 45)]}
    card = _card(_page(update), "semi_finished_yield")
    assert card.course is not None
    assert ("rolling 60m", (0.96, 0.9), (0.0, 600.0)) == (card.course.window, card.course.values, card.course.seconds)
    assert card.spark is not None
    assert 1 == len(card.spark.band)
    assert _card(_page(update), "customers").spark is None


def test_tasks_say_what_is_done_and_what_is_to_go() -> None:
    """What counts towards an amount, own targets too; a rate is no task."""
    found = {task.indicator.id: (task.done, task.goal, task.left, task.own) for task in _page().sheets[0].tasks}
    assert {"customers": (7.0, 10.0, 3.0, False), "collected": (45_000.0, 60_000.0, 15_000.0, True)} == found


def test_a_task_of_which_nothing_is_done_is_one() -> None:
    """ "0 of 3": the row has no value that would say the 3, what was published with it does."""
    nothing: dict[str, Any] = {"n": None, "good": None, "value": None, "points": None, "status": "no_data"}
    update = _update(row(indicator="collected", sums={"collected": 0}, **nothing, **DAY))
    update.targets = {"collected": 3.0}
    (task,) = _page(update).sheets[0].tasks
    assert (0.0, 3.0, 3.0) == (task.done, task.goal, task.left)
    update.targets = {}
    assert () == _page(update).sheets[0].tasks


def test_a_task_of_another_window_is_no_less_of_one() -> None:
    """What is to be done this month stands on the page of today."""
    own = row(indicator="customers", sums={"customers": 12}, value=12, points=120.0, n=None, window="month")
    (task,) = _page(_update(row(88, 100, **DAY), total(window="day"), own), asked="day").sheets[0].tasks
    assert ("month", 12.0, 0.0) == (task.row.window, task.done, task.left)


def test_less_is_no_task() -> None:
    """Two complaints of at most two are not done."""
    text = TEMPLATE.replace("    target: 10\n", "    target: 10\n    points: 100 * (2 - value / target)\n")
    catalogue = Catalogue(read_template)
    assert catalogue.publish(text)
    page = my_page(_update(), None, catalogue, None)
    assert ["collected"] == [task.indicator.id for task in page.sheets[0].tasks]


def test_the_way_to_100_points_is_told_in_units() -> None:
    """85 now, 15 to go: so many good units, and not one less; nothing where no indicator can do it alone."""
    update = _update(row(80, 100, points=100 * 0.8 / 0.95, **DAY), total(100 * 0.8 / 0.95, window="day"))
    way = _page(update).sheets[0].way
    assert way is not None
    assert (80 + way.units) / (100 + way.units) >= 0.95 > (79 + way.units) / (99 + way.units)
    assert 300 == way.units
    assert _page().sheets[0].way is None  # even all good would not do: the others are too far off
    customers = row(indicator="customers", sums={"customers": 1}, value=1, points=10.0, n=None, **DAY)
    assert _page(_update(row(96, 100, **DAY), customers, total(80.0, window="day"))).sheets[0].way is None


@pytest.mark.parametrize(
    ("points", "own", "stands"),
    [
        ("", 3.1, "under"), ("", 4.0, "told"), ("", 3.9, "told"),
        ("    points: 100 * (2 - value / target)\n", 4.2, "over"), ("    points: 50\n", 3.1, "told"),
    ],
)  # fmt: skip
def test_a_mean_that_is_no_rate_is_compared_without_a_claim(points: str, own: float, stands: str) -> None:
    """Satisfaction below the department's mean: said, and that chance is not known; a sum is compared with nobody's."""
    text = TEMPLATE.replace(
        "    value: customers\n    target: 10\n", f"    value: stars / answers\n    target: 4\n{points}"
    )
    catalogue = Catalogue(read_template)
    assert catalogue.publish(text)
    plain: dict[str, Any] = {"indicator": "customers", "n": None, "good": None, "points": 90.0, **DAY}
    update = _update(row(value=own, sums={"stars": 10 * own, "answers": 10}, **plain), total(window="day"))
    unit = _unit(row(value=3.9, sums={"stars": 390, "answers": 100}, **plain))
    beside = _card(my_page(update, unit, catalogue, None), "customers").beside
    assert beside is not None
    assert (3.9, stands) == (beside.value, beside.stands)
    counted = _update(row(value=3, sums={"customers": 3}, **plain), total(window="day"))
    assert _card(_page(counted, unit), "customers").beside is None
