"""The page of a person as values: what is chosen, what would help, what is beside it, and nobody's rank."""

from __future__ import annotations

from typing import Any

import pytest

from dashboards.web.catalogue import Catalogue, read_template
from dashboards.web.my_page import Card, Page, my_page, points_rule
from dashboards.web.updates import decode_scores, decode_unit
from schemas.updates import ScoreUpdate, UnitUpdate
from tests.web.factories import row, scores, total, unit_scores
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
    assert (pooled / 2000, below) == (beside.value, beside.below)


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
    assert not beside.below


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


def test_a_trend_is_drawn_of_a_rate() -> None:
    """With its interval and the target; of what is no rate there is none."""
    card = _card(_page(), "semi_finished_yield")
    assert card.spark is not None
    assert card.spark.line.startswith("M6.0 ")
    assert 294.0 == card.spark.x
    assert 20 == len(card.trend.values)
    assert _card(_page(), "customers").spark is None
