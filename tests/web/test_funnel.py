"""The funnel of a unit: points where they belong, limits of chance, everybody named once and nobody ranked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from dashboards.web.app import create_app
from dashboards.web.catalogue import Catalogue, read_template
from dashboards.web.funnel import Chart, chart, choices
from dashboards.web.funnel_page import window_words
from dashboards.web.languages import words
from dashboards.web.updates import KnownEmployee, Row, decode_scores, decode_unit
from stream.charts import funnel
from tests.web.factories import NOW, TEMPLATE, row, scores, template, tick, total, unit_scores
from tests.web.gates import OPEN
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
DAY: dict[str, Any] = {"window": "day"}
PEOPLE: dict[str, tuple[float, float]] = {
    "E1": (92, 100), "E2": (380, 400), "E3": (70, 100), "E4": (10, 10), "E5": (840, 1000),
}  # fmt: skip


def _catalogue() -> Catalogue:
    made = Catalogue(read_template)
    assert made.publish(TEMPLATE)
    return made


def _unit(*rows: dict[str, Any]) -> list[Row]:
    value = unit_scores("L03", [], *rows).value
    assert value is not None
    return list(decode_unit("L03", value).update().rows)


def _people(counts: dict[str, tuple[float, float]], **changes: Any) -> dict[str, list[Row]]:
    made: dict[str, list[Row]] = {}
    for who, (good, n) in counts.items():
        value = scores(who, row(good, n, **DAY, **changes)).value
        assert value is not None
        known: KnownEmployee = decode_scores(who, value)
        made[who] = list(known.update().rows)
    return made


def _chart(counts: dict[str, tuple[float, float]] = PEOPLE, **changes: Any) -> Chart:
    good, n = (sum(each) for each in zip(*counts.values(), strict=True))
    (own,) = _unit(row(good, n, **DAY, **changes))
    drawn = chart(own, _people(counts, **changes), _catalogue())
    assert drawn is not None
    return drawn


def test_who_differs_is_told_by_exact_limits() -> None:
    """Of 86 % in all: 70 of 100 and 840 of 1,000 lie low, 380 of 400 high; ten good ones of ten say nothing."""
    drawn = _chart()
    marks = {dot.id: (dot.mark, dot.side) for dot in drawn.dots}
    share = 1392 / 1610
    assert share == drawn.share
    expected = {}
    for who, (good, n) in PEOPLE.items():
        warn, act = funnel(share, int(n), 0.95), funnel(share, int(n), 0.999)
        own = good / n
        mark = "inside" if warn.low <= own <= warn.high else "warn" if act.low <= own <= act.high else "act"
        expected[who] = (mark, "above" if own >= share else "below")
    assert expected == marks
    assert [("act", "below"), ("act", "above"), ("inside", "above")] == [marks["E3"], marks["E2"], marks["E4"]]
    assert ("warn", "below") == marks["E5"]
    assert sum(mark != "inside" for mark, _ in marks.values()) == drawn.outside


def test_people_stand_by_id_and_higher_shares_higher() -> None:
    """No order of merit; further right with more units."""
    drawn = _chart()
    assert sorted(PEOPLE) == [dot.id for dot in drawn.dots]
    by_share = sorted(drawn.dots, key=lambda dot: dot.share)
    assert [dot.y for dot in by_share] == sorted((dot.y for dot in drawn.dots), reverse=True)
    by_n = sorted(drawn.dots, key=lambda dot: dot.n)
    assert [dot.x for dot in by_n] == sorted(dot.x for dot in drawn.dots)
    for dot in drawn.dots:
        assert 80 <= dot.x <= 980
        assert 20 <= dot.y <= 500


def test_limits_narrow_with_units() -> None:
    """Each line ends nearer to the unit's share than it began."""
    for points in _chart().limits.values():
        heights = [float(point.split(",")[1]) for point in points.split()]
        assert abs(heights[-1] - _chart().level) < abs(heights[0] - _chart().level)


def test_where_kinds_of_work_differ_the_adjusted_share_is_drawn() -> None:
    """What was allowed for is not held against anybody."""
    changes = {"allowance": 3, "adjusted": 0.93}
    drawn = _chart({"E1": (90, 100), "E2": (90, 100)}, **changes)
    assert drawn.adjusted
    assert {0.93} == {dot.share for dot in drawn.dots} == {drawn.share}
    assert not _chart().adjusted
    assert not _chart(allowance=0, adjusted=0.9).adjusted  # nothing is known yet of the kinds of work


def test_allowances_that_make_up_for_everything_leave_what_was_counted() -> None:
    """An adjusted share of 1 has no limits to draw."""
    drawn = _chart({"E1": (98, 100), "E2": (25, 50)}, allowance=40, adjusted=1.0)
    assert not drawn.adjusted
    assert 123 / 150 == drawn.share


def test_nothing_is_drawn_where_nothing_can_differ() -> None:
    """Nobody with data, another window's data, or everything good."""
    (own,) = _unit(row(190, 200, **DAY))
    catalogue = _catalogue()
    assert chart(own, {}, catalogue) is None
    assert chart(own, _people({"E1": (9, 10)}, window_start="2026-03-01T00:00:00.000Z"), catalogue) is None
    (perfect,) = _unit(row(200, 200, **DAY))
    assert chart(perfect, _people({"E1": (10, 10)}), catalogue) is None


def test_rates_with_units_can_be_chosen_calendar_windows_first() -> None:
    """Totals and empty windows cannot."""
    rows = _unit(row(192, 200), row(960, 1000, **DAY), total(), row(0, 0, window="rolling 5m", status="no_data"))
    assert ["day", "rolling 60m"] == [one.window for one in choices(rows, _catalogue())]


@pytest.mark.parametrize(
    ("window", "en", "zh"),
    [
        ("day", "today", "今日"),
        ("rolling 45m", "last 45 min", "最近 45 分钟"),
        ("rolling 60m", "last 1 hour", "最近 1 小时"),
        ("rolling 10080m", "last 7 days", "最近 7 天"),
    ],
)
def test_windows_in_words(window: str, en: str, zh: str) -> None:
    """As the board says them."""
    assert (en, zh) == tuple(re.sub(r"\s", " ", window_words(window, words(said))) for said in ("en", "zh"))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A line of five people."""
    made = Shelf(tmp_path)
    good, n = (sum(each) for each in zip(*PEOPLE.values(), strict=True))
    people = [scores(who, row(*counts, **DAY), row(*counts)) for who, counts in PEOPLE.items()]
    made.apply([template(), *people, unit_scores("L03", [*PEOPLE], row(good, n), row(good, n, **DAY)), tick()])
    return made


@pytest.fixture
def client(shelf: Shelf) -> Iterator[Client]:
    """A client of the application over the views."""
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN)) as made:
        yield made


def test_the_page_names_everybody_and_says_it_in_words(client: Client) -> None:
    """A table says what the picture says; outside ones are named in the picture, too."""
    answer = client.get("/board/L03/funnel")
    assert 200 == answer.status_code
    table = answer.text[answer.text.index("<table>") :]
    assert [*PEOPLE] == re.findall(r'<th scope="row">(.*?)</th>', table)
    assert "3 of 5 people differ from the unit by more than chance explains." in answer.text
    assert "much lower than chance explains" in table
    assert "Semi-finished yield, today" in answer.text
    assert 'aria-current="page">Semi-finished yield, today' in answer.text


def test_names_of_people_who_are_close_stand_apart(shelf: Shelf, client: Client) -> None:
    """One below the other, or each on its own side."""
    near = {"E3": (700, 1000), "E6": (701, 1001), "E7": (9900, 10_000)}
    good, n = (sum(each) for each in zip(*near.values(), strict=True))
    people = [scores(who, row(*counts, **DAY)) for who, counts in near.items()]
    shelf.apply([*people, unit_scores("L03", [*near], row(good, n, **DAY))])
    text = client.get("/board/L03/funnel").text
    found = re.findall(r'class="who( end)?" x=".*?" y="(.*?)">(E\d)<', text)
    places = {who: (float(y), end) for end, y, who in found}
    assert {"E3", "E6", "E7"} == set(places)
    assert abs(places["E3"][0] - places["E6"][0]) >= 18 or places["E3"][1] != places["E6"][1]


def test_another_window_and_language_can_be_asked_for(client: Client) -> None:
    """The address says which; links keep language and theme."""
    answer = client.get("/board/L03/funnel?indicator=semi_finished_yield&window=rolling+60m&lang=zh&theme=light")
    assert 'data-theme="light"' in answer.text
    assert "半成品良品率" in answer.text
    assert "/board/L03?lang=zh&amp;theme=light" in answer.text
    assert re.search(r'window=rolling\+60m&amp;lang=zh&amp;theme=light" aria-current="page"', answer.text)


@pytest.mark.parametrize(("language", "name"), [("zh", "三线"), ("en", "Line 3")])
def test_a_unit_is_called_by_its_name(shelf: Shelf, client: Client, language: str, name: str) -> None:
    """In the language of the page, as on its board."""
    shelf.apply([unit_scores("L03", [*PEOPLE], row(1376, 1610), name={"zh": "三线", "en": "Line 3"})])
    text = client.get(f"/board/L03/funnel?lang={language}").text
    assert f"<h1>{name}</h1>" in text
    assert name in text[text.index("<title>") : text.index("</title>")]


def test_a_unit_that_is_not_there_has_no_funnel(client: Client) -> None:
    """The page for unknown units, as for boards."""
    answer = client.get("/board/L99/funnel")
    assert 404 == answer.status_code
    assert "L03" in answer.text
