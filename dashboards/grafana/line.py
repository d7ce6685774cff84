"""One unit: its scores with how sure they are, its people's distribution, its alerts. Nobody's name, nobody's rank."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.board import Row, board, choice
from dashboards.grafana.expressions import (
    SURELY_ABOVE,
    SURELY_BELOW,
    increase,
    largest,
    or_zero,
    recorded,
    series,
    total,
)
from dashboards.grafana.panels import Limits, Panel, Query, Unit, bars, distribution, lines, number, rows
from stream import metric_names as names

UNIT: Final = {"unit": "$unit"}
CHOSEN: Final = UNIT | {"indicator": "$indicator"}
SCORE: Final = CHOSEN | {"window": "$window"}
OPEN: Final = largest(
    series(names.SCORE_ALERT, state="!shelved", **UNIT), "alert", "indicator", "rule", "severity", "state"
)


def build() -> Dashboard:
    """The board."""
    return board(
        "line",
        "line",
        "One unit: its scores, its people as a distribution, the funnel, drift and open alerts.",
        [Row(4, _now()), Row(9, _score()), Row(8, _people()), Row(8, _alerts()), Row(8, _values())],
        [
            choice("unit", "Unit", names.UNIT_PEOPLE),
            choice("indicator", "Indicator", names.UNIT_SCORE, **UNIT),
            choice("window", "Window", names.UNIT_SCORE, **CHOSEN),
        ],
    )


def _now() -> list[Panel]:
    return [
        number(
            "Rate", "All good of all inspected, pooled over the unit's people.", Unit.RATIO,
            Query(_rate(), "{{template}}"),
        ),
        number(
            "Behind it", "How many were inspected: below the template's minimum a rate says little.", Unit.COUNT,
            Query(largest(series(names.UNIT_SAMPLE, **SCORE), "template"), "{{template}}"),
        ),
        number(
            "People", "Members of the unit and of those that belong to it.", Unit.COUNT,
            Query(largest(series(names.UNIT_PEOPLE, **UNIT)), "people"),
        ),
        number(
            "Open alerts", "Alerts that are not over; shelved ones are left out.", Unit.COUNT,
            Query(or_zero(f"sum({OPEN})"), "alerts"), Limits(1, 5),
        ),
    ]  # fmt: skip


def _rate() -> str:
    score, sample = (largest(series(name, **SCORE), "template") for name in (names.UNIT_SCORE, names.UNIT_SAMPLE))
    return f"{score} and {sample} > 0"


def _score() -> list[Panel]:
    return [
        lines(
            "Rate and how sure it is",
            "The pooled rate between the limits of its 95 % interval (Wilson): two times whose intervals overlap do not"
            " differ for sure.",
            Unit.RATIO,
            Query(_rate(), "rate, {{template}}"),
            Query(largest(recorded(SURELY_ABOVE, **SCORE), "template"), "at least, {{template}}"),
            Query(largest(recorded(SURELY_BELOW, **SCORE), "template"), "at most, {{template}}"),
        ),
    ]  # fmt: skip


def _people() -> list[Panel]:
    buckets = largest(series(names.YIELD, "bucket", **CHOSEN), "le")
    funnel = largest(series(names.FUNNEL_OUTSIDE, **CHOSEN), "limit")
    return [
        distribution(
            "People by value", "How many of the unit's people lie where. No one person can be told from it.",
            Unit.RATIO, Query(buckets, "{{le}}"),
        ),
        lines(
            "Below the funnel",
            "People below the limits within which chance alone would leave 95 of 100 (warn) and 99.9 of 100 (act).",
            Unit.COUNT, Query(funnel, "{{limit}}"),
        ),
        lines(
            "Drift", "People whose drift statistic is above half of its height: not an alert yet.", Unit.COUNT,
            Query(largest(series(names.DRIFT_MEMBERS, **CHOSEN), "indicator"), "{{indicator}}"),
        ),
    ]  # fmt: skip


def _alerts() -> list[Panel]:
    return [
        lines(
            "Open alerts by rule", "Alerts of the unit and its people that are not over.", Unit.COUNT,
            Query(f"sum by (rule, severity) ({OPEN})", "{{rule}}, {{severity}}"),
        ),
        bars(
            "Raised", "Alerts raised within the time that is shown, by rule.", Unit.COUNT,
            Query(total(increase(names.ALERTS_RAISED, **UNIT), "rule"), "{{rule}}"),
        ),
        rows(
            "Open now",
            "One row for each open alert. `scorestream alerts show` has its evidence, for those who may see it.",
            Unit.COUNT, Query(OPEN, "open"), hidden=("Value",),
        ),
    ]  # fmt: skip


def _values() -> list[Panel]:
    keys = ("template", "indicator", "window")
    return [
        rows(
            "All values", "Every indicator of the unit as it stands, rates or not; n is how many stand behind a rate.",
            Unit.COUNT,
            Query(largest(series(names.UNIT_SCORE, **UNIT), *keys), "value"),
            Query(largest(series(names.UNIT_SAMPLE, **UNIT), *keys), "n"),
        ),
    ]  # fmt: skip
