"""What Prometheus hears of alerts: whoever is told of one is told however soon it is over; counts; nobody's name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agents.alert_metrics import SHOWN, AlertMetrics
from schemas.alerts import ACKNOWLEDGED, CLEARED, FIRING, WITHDRAWN, AlertRow, Message
from schemas.instants import MINUTE, format_rfc3339
from stream.metric_names import ALERT_ESCALATED, SCORE_ALERT
from stream.rulebook import Rulebook
from stream.template import load_published
from tests.oracle.logs import NOON, YIELD, template

AT = format_rfc3339(NOON)
OPEN = AlertRow(
    "a1", "drop", "L1", "yield", "line-yield", 1, FIRING, "warning", AT, AT, None, "", AT, 0.8, 50, 40, 0.67, 0.89,
    0.95, None, "e1", "e9", Message("", ""), employee_id="E0815", notify=True,
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
        families = text_string_to_metric_families(self.metrics.text())
        gauge = next(family for family in families if family.name == SCORE_ALERT.name)
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


def test_what_nobody_acknowledged_in_time_is_a_series_of_its_own(shown: Shown) -> None:
    """Whatever became of it since, as long as it is open; not where its unit's alert stands for it."""
    late = replace(OPEN, escalated_at=AT)
    rows = [OPEN, replace(late, alert_id="a2"), replace(late, alert_id="a3", state=ACKNOWLEDGED, by="lee")]
    shown.at(NOON, *rows, replace(late, alert_id="a4", folded_into="u1"))
    families = text_string_to_metric_families(shown.metrics.text())
    (found,) = (family.samples for family in families if family.name == ALERT_ESCALATED.name)
    labels = {"unit": "L1", "indicator": "yield", "rule": "drop", "severity": "warning"}
    assert [{"alert": "a2"} | labels, {"alert": "a3"} | labels] == [sample.labels for sample in found]


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


DROP = "alerts: [{id: drop, drift: {good: 0.9, bad: 0.8, h: 5}}]"
RULES = Rulebook([load_published(template(f"{YIELD.rstrip('}')}, {DROP}}}"))])
KEY = ("L1", "drop", "warning")


def _samples(metrics: AlertMetrics, registry: CollectorRegistry) -> dict[tuple[str, ...], float]:
    def found() -> Iterator[tuple[tuple[str, ...], float]]:
        for family in text_string_to_metric_families(generate_latest(registry).decode() + metrics.text()):
            for sample in family.samples:
                if not sample.name.endswith(("_bucket", "_created")):
                    yield (sample.name.removeprefix("scorestream_"), *sample.labels.values()), sample.value

    return dict(found())


def test_an_alert_from_its_raise_to_its_end() -> None:
    """Counts begin at 0 with the rule; the tick's second word counts nothing."""
    registry = CollectorRegistry()
    metrics = AlertMetrics(registry)
    metrics.know(["L1"], RULES)
    metrics.show([], NOON)
    found = _samples(metrics, registry)
    assert (0, 0) == (found["alerts_raised_total", *KEY], found["alerts_raised_total", "L1", "common_cause", "warning"])
    later = format_rfc3339(NOON + 5 * MINUTE)
    metrics.take([replace(OPEN, notify=None), OPEN], NOON)
    metrics.show([OPEN], NOON)
    found = _samples(metrics, registry)
    assert 1 == found["alerts_raised_total", *KEY]
    shown = [key for key in found if key[0] == "score_alert"]
    assert [("score_alert", "a1", "L1", "yield", "drop", "warning", FIRING)] == shown
    metrics.take([replace(OPEN, state=ACKNOWLEDGED, changed_at=later, by="lee")], NOON)
    metrics.take([_over(OPEN, 5 * MINUTE)], NOON)
    metrics.reviewed([{("L1", "drop", "wrong"): 1}, {("L2", "drop", "right"): 2}])
    metrics.show([], NOON + 5 * MINUTE)
    found = _samples(metrics, registry)
    assert (1, 1) == (found["alerts_acknowledged_total", *KEY], found["alerts_cleared_total", *KEY])
    wrong, right = (found["alerts_reviewed", "L1", "drop", verdict] for verdict in ("wrong", "right"))
    assert (1, 0) == (wrong, right)
    assert 300 == found["alert_acknowledge_seconds_sum", "warning"]
    assert [] == [key for key in found if key[0] == "score_alert"]
    assert "E0815" not in metrics.text()
