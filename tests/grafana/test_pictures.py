"""Pictures of boards: what is drawn is what Prometheus answers to the committed queries, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.grafana.panels import boards
from tests.pictures.answers import Series, Shown, Span, buckets, chosen, legend, panels, placed, shown, table
from tests.pictures.page import html

SPAN = Span(1000.0, 1003.0, 1.0)
UNITS = {"unit": ["L02", "L01"], "indicator": ["output", "yield"], "window": ["day"]}


class Prometheus:
    """Answers what it was given, and remembers what it was asked."""

    def __init__(self, *metrics: dict[str, str], value: str = "0.5") -> None:
        self.metrics, self.value = metrics, value
        self.asked: list[dict[str, str]] = []

    def ask(self, path: str, **query: str) -> Any:
        """A series of each metric; points at the second and fourth instant of a range."""
        self.asked.append(query)
        if path.startswith("label/"):
            return UNITS[path.split("/")[1]]
        points = {
            "query": ("value", [1003, self.value]),
            "query_range": ("values", [[1001, self.value], [1003, "0.7"]]),
        }
        key, answer = points[path]
        return {"result": [{"metric": metric, key: answer} for metric in self.metrics]}


def _panel(board: str, title: str) -> dict[str, Any]:
    found: dict[str, Any] = next(panel for panel in boards()[board]["panels"] if panel["title"] == title)
    return found


def _values(**more: str) -> dict[str, str]:
    return {"job": ".+", "instance": ".+", "indicator": "yield", "window": "day", **SPAN.variables, **more}


def test_a_panel_asks_its_query_with_variables_filled_in() -> None:
    """Over time it asks for the whole span, a bar for now; the name of a series is its legend."""
    prometheus = Prometheus({"unit": "L01"}, {"unit": "L02"})
    rates = shown(_panel("plant", "Rates"), prometheus.ask, _values(), SPAN)
    assert rates is not None
    assert [{"name": name, "values": [None, 0.5, None, 0.7]} for name in ("L01", "L02")] == rates["series"]
    assert "percentunit" == rates["unit"]
    assert 'indicator="yield", window="day"' in prometheus.asked[0]["query"]
    assert ("1000.0", "1003.0", "1.0") == tuple(prometheus.asked[0][key] for key in ("start", "end", "step"))
    bars = shown(_panel("plant", "Rate of each unit"), prometheus.ask, _values(), SPAN)
    assert bars is not None
    assert [{"name": "L01", "values": [0.5]}, {"name": "L02", "values": [0.5]}] == bars["series"]
    assert "1003.0" == prometheus.asked[1]["time"]


def test_a_variable_of_grafana_itself_is_the_span() -> None:
    """An increase is that of the time that is shown."""
    prometheus = Prometheus({"rule": "drop"})
    assert shown(_panel("line", "Raised"), prometheus.ask, _values(unit="L02"), SPAN)
    assert 'unit="L02"}[3s]' in prometheus.asked[0]["query"]
    assert "$" not in prometheus.asked[0]["query"]


@pytest.mark.parametrize("prometheus", [Prometheus(), Prometheus({"unit": "L01"}, value="NaN")])
def test_a_panel_without_a_number_is_left_out(prometheus: Prometheus) -> None:
    """Neither an empty answer nor one that is no number is drawn."""
    assert shown(_panel("plant", "Open alerts by unit"), prometheus.ask, _values(), SPAN) is None


def test_variables_are_chosen_as_on_the_board() -> None:
    """All jobs; of units the one that is wished for; without a wish the first; each under those chosen before."""
    prometheus = Prometheus()
    values = chosen(boards()["line"], prometheus.ask, {"unit": "L02"})
    assert {"job": ".+", "instance": ".+", "unit": "L02", "indicator": "output", "window": "day"} == values
    assert 'unit="L02", indicator="output"' in prometheus.asked[2]["match[]"]
    with pytest.raises(LookupError, match="unit 'L09' is none of"):
        chosen(boards()["line"], prometheus.ask, {"unit": "L09"})


@pytest.mark.parametrize(
    ("form", "name"),
    [("{{unit}}", "L01"), ("rate, {{ unit }}", "rate, L01"), ("{{gone}}", ""), ("", 'm{unit="L01"}')],
)
def test_a_legend_is_its_form_with_labels(form: str, name: str) -> None:
    """A label that the series lacks is nothing; without a form the series is written out."""
    assert name == legend(form, {"unit": "L01", "__name__": "m"})


def test_buckets_are_counted_apart() -> None:
    """Prometheus's count all below their limit too, in the order of text; outer ones that stay empty go."""
    limits: dict[str, list[float | None]] = {
        "+Inf": [5.0, None], "1.0": [5.0, None], "0.9": [3.0, 1.0], "0.7": [0.0, 0.0],
    }  # fmt: skip
    made = buckets([Series("A", limit, {"le": limit}, values) for limit, values in limits.items()])
    assert [("0.9", [3.0, 1.0]), ("1.0", [2.0, None])] == [(one.name, one.values) for one in made]


def test_a_table_has_the_columns_that_the_panel_names() -> None:
    """Labels, then a column for each query; what is hidden is not there, and rows are merged by labels."""
    keys = {"indicator": "yield", "window": "day"}
    both = [Series("A", "", keys, [0.9]), Series("B", "", keys, [40.0])]
    assert (["indicator", "window", "value", "n"], [["yield", "day", 0.9, 40.0]]) == table(
        _panel("line", "All values"), both
    )
    alert = Series("A", "", {"alert": "a1", "rule": "drop"}, [1.0])
    assert (["alert", "rule"], [["a1", "drop"]]) == table(_panel("line", "Open now"), [alert])


def _at(title: str, x: int, y: int, w: int, h: int) -> Shown:
    return {"title": title, "grid": {"x": x, "y": y, "w": w, "h": h}}


def test_what_is_left_out_leaves_no_hole() -> None:
    """Neighbours share its place; a row without a panel is closed up."""
    kept = placed([_at("a", 0, 0, 8, 4), _at("c", 16, 0, 8, 4), _at("z", 0, 12, 24, 8)])
    assert [
        {"x": 0, "y": 0, "w": 12, "h": 4}, {"x": 12, "y": 0, "w": 12, "h": 4}, {"x": 0, "y": 4, "w": 24, "h": 8},
    ] == [panel["grid"] for panel in kept]  # fmt: skip


@pytest.mark.parametrize("name", boards())
def test_every_panel_of_every_board_can_be_drawn(name: str) -> None:
    """When all is answered nothing is left out, and draw.js has a function for its kind."""
    board = boards()[name]
    prometheus = Prometheus({"le": "0.9", "unit": "L01"})
    values = chosen(board, prometheus.ask, {})
    found = panels(board, prometheus.ask, values, SPAN)
    assert [panel["title"] for panel in board["panels"]] == [panel["title"] for panel in found]
    assert [panel["gridPos"] for panel in board["panels"]] == [panel["grid"] for panel in found]
    text = html({"name": name, "title": board["title"], "panels": found})
    kinds = text.split("const KINDS = {")[1].split("}")[0]
    assert {panel["kind"] for panel in found} <= set(kinds.replace(" ", "").split(","))


def test_a_page_holds_all_that_it_needs() -> None:
    """Data cannot end its script, and nothing is loaded."""
    text = html({"name": "x", "title": "</script><b>", "panels": []})
    assert "</script><b>" not in text
    assert not re.search(r"<(?:script|link|img)[^>]*(?:src|href)=", text)
