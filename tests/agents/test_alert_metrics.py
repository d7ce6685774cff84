"""What Prometheus hears of alerts: one series each while people are told of it, counts from 0, and nobody's name."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agents.alert_metrics import AlertMetrics
from schemas.alerts import AlertReview, AlertRow, Message
from stream.rulebook import Rulebook
from stream.template import load_published
from tests.oracle.logs import YIELD, template

AT = "2026-03-02T12:00:00.000Z"
LATER = "2026-03-02T12:05:00.000Z"
ROW = AlertRow(
    "a1", "drop", "L1", "yield", "op", 1, "firing", "warning", AT, AT, None, "", AT, 0.8, 50, 40, 0.67, 0.89, 0.95,
    None, "e1", "e9", Message("", ""), employee_id="E0815",
)  # fmt: skip
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
    """Counts begin at 0 with the rule; the tick's second word counts nothing; a folded or imported one is not shown."""
    registry = CollectorRegistry()
    metrics = AlertMetrics(registry)
    metrics.know(["L1"], RULES)
    metrics.show([])
    found = _samples(metrics, registry)
    assert (0, 0) == (found["alerts_raised_total", *KEY], found["alerts_raised_total", "L1", "common_cause", "warning"])
    told = replace(ROW, notify=True)
    metrics.take([ROW, told])
    metrics.show([told, replace(told, alert_id="a2", notify=False), replace(told, alert_id="a3", folded_into="u")])
    found = _samples(metrics, registry)
    assert 1 == found["alerts_raised_total", *KEY]
    shown = [key for key in found if key[0] == "score_alert"]
    assert [("score_alert", "a1", "L1", "yield", "drop", "warning", "firing")] == shown
    metrics.take([replace(told, state="acknowledged", changed_at=LATER, by="lee")])
    metrics.take([replace(told, state="cleared", changed_at=LATER, cleared_at=LATER)])
    metrics.reviewed([AlertReview("a1", "wrong", "lee", "dust", "drop", "L1")])
    metrics.show([])
    found = _samples(metrics, registry)
    assert (1, 1) == (found["alerts_acknowledged_total", *KEY], found["alerts_cleared_total", *KEY])
    wrong, right = (found["alerts_reviewed_total", "L1", "drop", verdict] for verdict in ("wrong", "right"))
    assert (1, 0) == (wrong, right)
    assert 300 == found["alert_acknowledge_seconds_sum", "warning"]
    assert [] == [key for key in found if key[0] == "score_alert"]
    assert "E0815" not in metrics.text()
