"""What Prometheus reads is well formed, complete, and names no person."""

from __future__ import annotations

import math
import time

from prometheus_client.parser import text_string_to_metric_families

from agents.metrics import Metrics, Snapshot
from stream import metric_names as names
from stream.metric_names import ALL
from stream.topics import QC_EVENTS

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def _read(metrics: Metrics) -> Samples:
    """Every sample; it is an error when one stands there twice or is no number."""
    found: Samples = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        assert family.documentation, family.name
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            assert not math.isnan(sample.value), sample
            found[key] = sample.value
    return found


def _used() -> Metrics:
    metrics = Metrics()
    now = int(time.time() * 1000)
    metrics.chunk(QC_EVENTS, 2, 0.002)
    metrics.chunk(QC_EVENTS, 1, 0.2)
    for logged in (now - 2_000, now - 1_000, 5):  # the last of an import: no latency
        metrics.visible(logged)
    metrics.committed(7, 0.01)
    metrics.commit_failed("disk full")
    metrics.snapshot = Snapshot(
        {"scored": 3, "rejected:bad_id": 2, "rejected:conflict": 0},
        {(QC_EVENTS, 0): 4},
        {names.HELD.name: 1, names.TICK_TIME.name: 1.5},
        {names.STATE_BYTES.name: {0: 10, 1: 20}},
    )
    return metrics


def test_an_idle_worker_has_metrics_too() -> None:
    """Before the first chunk there is no sample that is no number, and no quantile."""
    found = _read(Metrics())
    assert 0 == found["scorestream_event_to_score_seconds_count", frozenset()]
    assert not any("quantile" in dict(labels) for _, labels in found)


def test_outcomes_carry_their_reason() -> None:
    """One series per outcome; the reason is empty unless rejected."""
    found = _read(_used())
    assert 3 == found["scorestream_records_total", frozenset({("outcome", "scored"), ("reason", "")})]
    assert 2 == found["scorestream_records_total", frozenset({("outcome", "rejected"), ("reason", "bad_id")})]


def test_gauges_and_histograms_stand_under_their_declared_names() -> None:
    """Lag and state size by partition, chunks and steps by topic, commits that failed."""
    found = _read(_used())
    assert 4 == found["scorestream_lag_records", frozenset({("topic", QC_EVENTS), ("partition", "0")})]
    assert 20 == found["scorestream_state_bytes", frozenset({("partition", "1")})]
    assert 2 == found["scorestream_chunk_records_count", frozenset({("topic", QC_EVENTS)})]
    assert 3 == found["scorestream_chunk_records_sum", frozenset({("topic", QC_EVENTS)})]
    assert 1 == found["scorestream_commit_failures_total", frozenset()]
    assert 7 == found["scorestream_states_written_total", frozenset()]


def test_latency_is_of_what_was_sent_now() -> None:
    """From the log time to the commit of the score update; an import's events do not count."""
    found = _read(_used())
    assert 2 == found["scorestream_event_to_score_seconds_count", frozenset()]
    assert 0.9 < found["scorestream_event_to_score_seconds", frozenset({("quantile", "0.5")})] < 60
    fast, slow = (found["scorestream_event_to_score_seconds", frozenset({("quantile", q)})] for q in ("0.5", "0.99"))
    assert fast <= slow


def test_every_family_is_declared() -> None:
    """Name, kind and help of the exposition are those of stream/metric_names.py, and nothing else is shown."""
    declared = {name.name: (name.kind, name.help) for name in ALL}
    shown = {
        family.name: (family.type, family.documentation)
        for family in text_string_to_metric_families(_used().text().decode())
        if not family.name.endswith("_created")
    }
    assert shown.items() <= declared.items()
