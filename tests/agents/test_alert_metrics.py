"""What Prometheus is shown of alerts: who is told of an alert is told however soon it is over."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from agents.alert_metrics import SHOWN, AlertMetrics
from schemas.alerts import ACKNOWLEDGED, CLEARED, FIRING, WITHDRAWN, AlertRow, Message
from schemas.instants import MINUTE, format_rfc3339
from stream.metric_names import SCORE_ALERT
from tests.oracle.logs import NOON

AT = format_rfc3339(NOON)
OPEN = AlertRow(
    "a1", "drop", "L1", "yield", "line-yield", 1, FIRING, "warning", AT, AT, None, "", AT, 0.8, 50, 40, 0.67, 0.89,
    0.95, None, "e1", "e9", Message("", ""), employee_id="E1", notify=True,
)  # fmt: skip


def _over(row: AlertRow, after: int) -> AlertRow:
    """The same alert, cleared by the data so many ms after it was raised."""
    moment = format_rfc3339(NOON + after)
    return replace(row, state=CLEARED, changed_at=moment, cleared_at=moment)


class Shown:
    """Metrics, and what stands in them."""

    def __init__(self) -> None:
        self.metrics = AlertMetrics(CollectorRegistry())

    def at(self, now: int, *rows: AlertRow) -> list[tuple[str, str]]:
        """Id and state of each alert that is shown when these are open."""
        self.metrics.show(rows, now)
        gauge = next(family for family in self.metrics.collect() if family.name == SCORE_ALERT.name)
        return [(sample.labels["alert"], sample.labels["state"]) for sample in gauge.samples]


@pytest.fixture
def shown() -> Shown:
    """Metrics that know of nothing."""
    return Shown()


def test_an_open_alert_is_shown(shown: Shown) -> None:
    """In its state; not one that is an import's, that no tick has seen, or that its unit's stands for."""
    acknowledged = replace(OPEN, alert_id="a2", state=ACKNOWLEDGED, by="lee")
    hidden = [replace(OPEN, notify=False), replace(OPEN, notify=None), replace(OPEN, folded_into="u1")]
    assert [("a1", FIRING), ("a2", ACKNOWLEDGED)] == shown.at(NOON, OPEN, acknowledged)
    assert [] == shown.at(NOON, *hidden)


def test_what_is_over_within_a_moment_is_shown_for_a_minute(shown: Shown) -> None:
    """As firing, for Prometheus may not have looked meanwhile; then no more."""
    shown.metrics.take([OPEN, _over(OPEN, 2_000)], NOON + 2_500)
    assert [("a1", FIRING)] == shown.at(NOON + 2_500)
    assert [("a1", FIRING)] == shown.at(NOON + 2_500 + SHOWN - 1)
    assert [] == shown.at(NOON + 2_500 + SHOWN)
    assert [] == shown.at(NOON + 3_000)


def test_what_was_open_for_long_is_shown_no_more(shown: Shown) -> None:
    """Prometheus has seen it."""
    shown.metrics.take([_over(OPEN, MINUTE)], NOON + MINUTE)
    assert [] == shown.at(NOON + MINUTE)


@pytest.mark.parametrize(
    "told",
    [{"notify": False}, {"notify": None}, {"folded_into": "u1"}, {"by": "lee"}, {"reason": WITHDRAWN}],
    ids=lambda told: next(iter(told)),
)
def test_what_nobody_is_to_hear_of_is_not_kept(shown: Shown, told: dict[str, object]) -> None:
    """An import's, one that no tick has seen, a unit's member, what somebody has ended or the log has taken back."""
    shown.metrics.take([replace(_over(OPEN, 2_000), **told)], NOON + 2_500)
    assert [] == shown.at(NOON + 2_500)


def test_raised_again_it_stands_there_once(shown: Shown) -> None:
    """A past that is counted anew may raise the same alert again: a series that is there twice fails a whole scrape."""
    shown.metrics.take([_over(OPEN, 2_000)], NOON + 2_500)
    assert [("a1", ACKNOWLEDGED)] == shown.at(NOON + 3_000, replace(OPEN, state=ACKNOWLEDGED, by="lee"))
