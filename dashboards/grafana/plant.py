"""The whole plant on a page: how each unit stands, and where somebody should look first."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.board import Row, board, choice
from dashboards.grafana.expressions import age, largest, or_zero, series, total
from dashboards.grafana.panels import Limits, Panel, Query, Unit, bars, lines, number
from stream import metric_names as names

LINE: Final = "/d/scorestream-line?${__url_time_range}&var-unit=${__field.labels.unit:percentencode}"
OPEN: Final = largest(series(names.SCORE_ALERT, state="!shelved"), "alert", "unit", "indicator", "rule", "severity")
CHOSEN: Final = {"indicator": "$indicator", "window": "$window"}


def build() -> Dashboard:
    """The board."""
    return board(
        "plant",
        "plant",
        "All units: how they stand, which alerts are open, where people drift. A unit's name leads to its own board.",
        [Row(4, _now()), Row(10, _units()), Row(8, _alerts()), Row(8, _people())],
        [
            choice("indicator", "Indicator", names.UNIT_SCORE),
            choice("window", "Window", names.UNIT_SCORE, indicator="$indicator"),
        ],
    )


def _now() -> list[Panel]:
    members = largest(series(names.UNIT_MEMBERS), "unit")
    return [
        number(
            "Units", "Lines, stores, departments with somebody in them.", Unit.COUNT,
            Query(f"count({members})", "units"),
        ),
        number(
            "People", "Members of units; who worked in two counts in both.", Unit.COUNT,
            Query(f"sum({members})", "people"),
        ),
        number(
            "Open alerts", "Alerts of people and units that are not over; shelved ones are left out.", Unit.COUNT,
            Query(or_zero(f"sum({OPEN})"), "alerts"), Limits(1, 10),
        ),
        number(
            "Age of the boards' now", "Seconds since the newest tick: so old is what boards show.", Unit.SECONDS,
            Query(age(largest(series(names.TICK_TIME))), "age"), Limits(10, 60),
        ),
    ]  # fmt: skip


def _units() -> list[Panel]:
    score = largest(series(names.UNIT_SCORE, **CHOSEN), "unit", "template")
    sample = largest(series(names.UNIT_SAMPLE, **CHOSEN), "unit", "template")
    rates = f"{score} and {sample} > 0"
    return [
        bars(
            "Rate of each unit",
            "Pooled over the unit's people: all good of all inspected. What is no rate is left out.",
            Unit.RATIO, Query(rates, "{{unit}}"), link=LINE,
        ),
        lines("Rates", "The same over time.", Unit.RATIO, Query(rates, "{{unit}}")),
    ]  # fmt: skip


def _alerts() -> list[Panel]:
    return [
        bars(
            "Open alerts by unit", "Where to look first; a unit's own alert stands for those of its people.",
            Unit.COUNT, Query(f"sum by (unit) ({OPEN})", "{{unit}}"), Limits(3, 10), link=LINE,
        ),
        lines(
            "Open alerts by severity", "Alerts that are not over, over time.", Unit.COUNT,
            Query(f"sum by (severity) ({OPEN})", "{{severity}}"),
        ),
    ]  # fmt: skip


def _people() -> list[Panel]:
    return [
        lines(
            "People below the funnel",
            "Members below the limit within which chance alone would leave 99.9 of 100 (act), by unit.", Unit.COUNT,
            Query(
                total(largest(series(names.FUNNEL_OUTSIDE, limit="act"), "unit", "indicator"), "unit"), "{{unit}}"
            ),
        ),
        lines(
            "People who drift", "Members whose drift statistic is above half of its height, by unit.", Unit.COUNT,
            Query(total(largest(series(names.DRIFT_MEMBERS), "unit", "indicator"), "unit"), "{{unit}}"),
        ),
    ]  # fmt: skip
