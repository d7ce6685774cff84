"""What the worker tells Prometheus: an immutable snapshot, built beside the loop's work, never inside a step.

No employee appears here: units and counts only.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily

from agents.alert_metrics import AlertMetrics
from agents.series import MOST, Series
from agents.unit_series import LEAST, UnitSeries
from stream import metric_names as names

QUANTILES: Final = (0.5, 0.9, 0.99)
_SAMPLES: Final = 20_000
_HISTORY: Final = 3600.0  # s; older log times are an import's, not a latency


class Snapshot:
    """Gauges of one moment, and counters that somebody else keeps; see stream/metric_names.py."""

    def __init__(
        self,
        outcomes: Mapping[str, int],
        lag: Mapping[tuple[str, int], int],
        gauges: Mapping[str, float],
        per_partition: Mapping[str, Mapping[int, float]],
    ) -> None:
        self.outcomes = dict(outcomes)
        self.lag = dict(lag)
        self.gauges = dict(gauges)
        self.per_partition = {name: dict(values) for name, values in per_partition.items()}


class Metrics:
    """Counts and times of one worker, and the last snapshot.

    `most` series are shown; of values with fewer than `least` people behind them none.
    """

    def __init__(self, most: int = MOST, least: int = LEAST) -> None:
        self.registry = CollectorRegistry()
        self._series = Series(most)
        self.snapshot = Snapshot({}, {}, {}, {})
        self.last_failure = ""
        self._chunks = _histogram(names.CHUNK_RECORDS, self.registry, (1, 10, 100, 1_000, 10_000, 100_000))
        self._steps = _histogram(names.STEP_SECONDS, self.registry, (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3))
        self._commits = _histogram(names.COMMIT_SECONDS, self.registry, (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10))
        self._written = Counter(names.EMPLOYEES_WRITTEN.name, names.EMPLOYEES_WRITTEN.help, registry=self.registry)
        self._failures = Counter(names.COMMIT_FAILURES.name, names.COMMIT_FAILURES.help, registry=self.registry)
        self._latencies: deque[float] = deque(maxlen=_SAMPLES)
        self._latency_count = 0
        self._latency_sum = 0.0
        self.alerts = AlertMetrics(self.registry, self._series)
        self.figures = UnitSeries(self._series, least)
        self._skewed = Counter(names.SKEWED.name, names.SKEWED.help, registry=self.registry)
        self.registry.register(self)

    @property
    def snapshot(self) -> Snapshot:
        """Gauges as they stood last."""
        return self._snapshot

    @snapshot.setter
    def snapshot(self, shot: Snapshot) -> None:
        self._snapshot = shot
        self._series.service(len(shot.lag) + sum(map(len, shot.per_partition.values())))

    def chunk(self, topic: str, records: int, seconds: float) -> None:
        """A chunk was applied."""
        self._chunks.labels(topic).observe(records)
        self._steps.labels(topic).observe(seconds)

    def skewed(self, records: int) -> None:
        """So many records of a chunk are stamped in the future."""
        self._skewed.inc(records)

    def committed(self, states: int, seconds: float) -> None:
        """A commit ended."""
        self._commits.observe(seconds)
        self._written.inc(states)

    def visible(self, logged: int) -> None:
        """The score update of an event with this log time (ms) is committed: readers see it now."""
        seconds = time.time() - logged / 1000
        if 0 <= seconds <= _HISTORY:
            self._latencies.append(seconds)
            self._latency_count += 1
            self._latency_sum += seconds

    def commit_failed(self, reason: str) -> None:
        """A commit was put off."""
        self._failures.inc()
        self.last_failure = reason

    def latencies(self, *quantiles: float) -> list[float]:
        """Event-to-score latency in s at quantiles of the last samples; nothing without any."""
        ordered = sorted(self._latencies)
        last = len(ordered) - 1
        return [ordered[min(last, int(quantile * len(ordered)))] for quantile in quantiles] if ordered else []

    def collect(self) -> Iterator[Metric]:
        """The snapshot as metric families (prometheus-client calls this)."""
        shot = self.snapshot
        records = CounterMetricFamily(names.RECORDS.name, names.RECORDS.help, labels=names.RECORDS.labels)
        for outcome, number in sorted(shot.outcomes.items()):
            kind, _, reason = outcome.partition(":")
            records.add_metric([kind, reason], number)
        yield records
        lag = GaugeMetricFamily(names.LAG.name, names.LAG.help, labels=names.LAG.labels)
        for (topic, partition), number in sorted(shot.lag.items()):
            lag.add_metric([topic, str(partition)], number)
        yield lag
        declared = {name.name: name for name in names.ALL}
        for name, value in shot.gauges.items():
            family_of = CounterMetricFamily if declared[name].kind == "counter" else GaugeMetricFamily
            yield family_of(name, declared[name].help, value=value)
        for name, values in shot.per_partition.items():
            family = GaugeMetricFamily(name, declared[name].help, labels=("partition",))
            for partition, value in sorted(values.items()):
                family.add_metric([str(partition)], value)
            yield family
        yield self._latency_family()
        left_out = GaugeMetricFamily(names.LEFT_OUT.name, names.LEFT_OUT.help, labels=names.LEFT_OUT.labels)
        for part, number in self._series.left_out().items():
            left_out.add_metric([part], number)
        yield left_out
        yield GaugeMetricFamily(names.SMALL_UNITS.name, names.SMALL_UNITS.help, value=self.figures.small)

    def _latency_family(self) -> Metric:
        family = SummaryMetricFamily(
            names.LATENCY.name, names.LATENCY.help, count_value=self._latency_count, sum_value=self._latency_sum
        )
        for quantile, value in zip(QUANTILES, self.latencies(*QUANTILES), strict=False):
            family.add_sample(names.LATENCY.name, {"quantile": str(quantile)}, value)
        return family

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry) + (self.alerts.text() + self.figures.text()).encode()


class LifeMetrics:
    """What outlasts the lives of a worker: without it, one that fails again and again would only be silent."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._scoring = Gauge(names.SCORING.name, names.SCORING.help, registry=self._registry)
        self._lives = Counter(names.LIVES.name, names.LIVES.help, registry=self._registry)

    def begins(self) -> None:
        """A life begins."""
        self._lives.inc()

    def text(self, *, scoring: bool) -> bytes:
        """The exposition."""
        self._scoring.set(scoring)
        return generate_latest(self._registry)


def _histogram(name: names.Name, registry: CollectorRegistry, buckets: Iterable[float]) -> Histogram:
    return Histogram(name.name, name.help, name.labels, registry=registry, buckets=tuple(buckets))
