"""Alert quality: what is raised, how soon somebody answers, and how often they say that it was for nothing."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.board import Row, board
from dashboards.grafana.expressions import growth, increase, largest, or_zero, quantile, rate, series, total
from dashboards.grafana.panels import Limits, Panel, Query, Unit, bars, lines, number, rows
from stream import metric_names as names


def build() -> Dashboard:
    """The board."""
    return board(
        "alerts",
        "alert quality",
        "Alerts about scores: raised, acknowledged, over; false by review; time to acknowledge. A rule that is often"
        " wrong, or that nobody answers, needs another threshold.",
        [Row(4, _now()), *(Row(8, pair) for pair in (_raised(), _review(), _answers(), _open()))],
    )


def _wrong(*by: str) -> str:
    """The share of reviewed alerts that were found wrong."""
    wrong = growth(names.ALERTS_REVIEWED, *by, verdict="wrong")
    return f"{wrong} / {growth(names.ALERTS_REVIEWED, *by)}"


def _right(*by: str) -> str:
    """The share of reviewed alerts that were found right."""
    right = growth(names.ALERTS_REVIEWED, *by, verdict="right")
    return f"{right} / {growth(names.ALERTS_REVIEWED, *by)}"


def _seconds(share: float, *by: str) -> str:
    return quantile(share, increase(names.ACKNOWLEDGE_SECONDS, "bucket"), *by)


def _now() -> list[Panel]:
    return [
        number(
            "Raised", "Alerts raised within the time that is shown.", Unit.COUNT,
            Query(or_zero(total(increase(names.ALERTS_RAISED))), "raised"),
        ),
        number(
            "Acknowledged", "Alerts acknowledged within the time that is shown.", Unit.COUNT,
            Query(or_zero(total(increase(names.ALERTS_ACKNOWLEDGED))), "acknowledged"),
        ),
        number(
            "Wrong by review", "Of the alerts that were reviewed, the share found wrong; of each person the last word.",
            Unit.RATIO, Query(_wrong(), "wrong"), Limits(0.1, 0.3),
        ),
        number(
            "Time to acknowledge", "Half of the alerts are acknowledged sooner.", Unit.SECONDS,
            Query(_seconds(0.5), "half"), Limits(900, 3600),
        ),
    ]  # fmt: skip


def _raised() -> list[Panel]:
    return [
        lines(
            "Raised by rule", "Alerts a second that rules raise.", Unit.PER_SECOND,
            Query(total(rate(names.ALERTS_RAISED), "rule"), "{{rule}}"),
        ),
        bars(
            "Raised by unit", "Alerts raised within the time that is shown, by unit and severity.", Unit.COUNT,
            Query(total(increase(names.ALERTS_RAISED), "unit", "severity"), "{{unit}}, {{severity}}"),
        ),
    ]  # fmt: skip


def _review() -> list[Panel]:
    return [
        bars(
            "Wrong by rule", "Of the reviewed alerts of a rule, the share that was found wrong.", Unit.RATIO,
            Query(_wrong("rule"), "{{rule}}"), Limits(0.1, 0.3),
        ),
        bars(
            "Precision by unit",
            "Of the reviewed alerts of a unit, the share that was found right. Without a name: rules that count all"
            " units together.",
            Unit.RATIO, Query(_right("unit"), "{{unit}}"), Limits(0.9, 0.7, falling=True),
        ),
        bars(
            "Reviewed by rule", "Alerts that somebody found right or wrong; without reviews nothing is known.",
            Unit.COUNT,
            Query(growth(names.ALERTS_REVIEWED, "rule", "verdict"), "{{rule}}, {{verdict}}"),
        ),
    ]  # fmt: skip


def _answers() -> list[Panel]:
    return [
        lines(
            "Raised, acknowledged, over", "Alerts a second; what is raised and never acknowledged reaches nobody.",
            Unit.PER_SECOND,
            Query(total(rate(names.ALERTS_RAISED)), "raised"),
            Query(total(rate(names.ALERTS_ACKNOWLEDGED)), "acknowledged"),
            Query(total(rate(names.ALERTS_CLEARED)), "over"),
        ),
        bars(
            "Time to acknowledge by severity", "Nine of ten alerts are acknowledged sooner.", Unit.SECONDS,
            Query(_seconds(0.9, "severity"), "{{severity}}"), Limits(900, 3600),
        ),
    ]  # fmt: skip


def _open() -> list[Panel]:
    alerts = largest(series(names.SCORE_ALERT), "alert", "unit", "indicator", "rule", "severity", "state")
    return [
        lines(
            "Open by state", "Firing: nobody has answered. Acknowledged: somebody sees to it. Shelved: put off.",
            Unit.COUNT, Query(f"sum by (state) ({alerts})", "{{state}}"),
        ),
        rows("Open now", "One row for each open alert.", Unit.COUNT, Query(alerts, "open"), hidden=("Value",)),
    ]  # fmt: skip
