"""What a worker and a web process would tell Prometheus: their own text where they make it, samples made up where a
declared family has none yet.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from agents.metrics import LifeMetrics, Metrics, Snapshot
from dashboards.web import metrics as web
from schemas.alerts import AlertRow, Message
from stream import metric_names as names
from stream.metric_names import Name
from stream.topics import BUSINESS_EVENTS, QC_EVENTS

LABELS: Final = {
    "unit": ("L1", "L2"), "template": ("line-yield",), "indicator": ("yield",), "window": ("day",),
    "alert": ("a1", "a2"), "rule": ("drop",), "severity": ("warning",), "state": ("firing",), "limit": ("warn", "act"),
    "verdict": ("right", "wrong"), "kind": ("delta",), "quantile": ("0.5",), "topic": (QC_EVENTS,), "partition": ("0",),
    "outcome": ("scored",), "reason": ("",), "answer": ("accepted",), "status": ("202",), "public_url": ("",),
}  # fmt: skip
VALUES: Final = {names.UNIT_SCORE.name: 0.93, names.UNIT_SAMPLE.name: 240.0, names.DISK_FREE.name: 5e10}


_RAISED: Final = "2026-03-02T12:00:00.000Z"
_AT: Final = "2026-03-02T12:05:00.000Z"
_ACKNOWLEDGED: Final = AlertRow(
    "a1", "drop", "L1", "yield", "line-yield", 1, "acknowledged", "warning", _RAISED, _AT, None, "", _RAISED, 0.8, 50,
    40, 0.67, 0.89, 0.95, None, "e1", "e9", Message("", ""), employee_id="E1", by="lee",
)  # fmt: skip


class Worker:
    """A worker's text, asked for again and again; counters grow meanwhile."""

    def __init__(self) -> None:
        self._metrics, self._life = Metrics(), LifeMetrics()
        self._asked = 0
        self._life.begins()

    def text(self) -> str:
        """The exposition of now."""
        self._asked += 1
        metrics, now = self._metrics, time.time()
        for topic in (QC_EVENTS, BUSINESS_EVENTS):
            metrics.chunk(topic, 7, 0.002)
        metrics.committed(3, 0.02)
        metrics.visible(int(now * 1000) - 150)
        metrics.commit_failed("disk full")
        metrics.alerts.take([_ACKNOWLEDGED], int(now * 1000))
        metrics.snapshot = Snapshot(
            {"scored": 9 * self._asked, "rejected:schema": self._asked, "late": 2},
            {(QC_EVENTS, 0): 4, (BUSINESS_EVENTS, 1): 0},
            {
                names.COMMIT_TIME.name: now - 1, names.HELD.name: 2, names.TICK_TIME.name: now - 2,
                names.EVENT_TIME.name: now - 3, names.VIEWS_UP.name: 1, names.VIEWS_TIME.name: now - 1,
                names.VIEWS_FAILURES.name: 0, names.VIEWS_REBUILDS.name: 1,
            },
            {name.name: {0: 10, 1: 20} for name in (names.EMPLOYEES_CACHED, names.OWED, names.STATE_BYTES)},
        )  # fmt: skip
        text = metrics.text().decode() + self._life.text(scoring=True).decode()
        return _heads_with_samples(text) + "".join(_made_up(text, names.ALL, self._asked))


class Web:
    """A web process's text."""

    def __init__(self) -> None:
        self._metrics = web.Metrics()
        self._asked = 0

    def text(self) -> str:
        """The exposition of now."""
        self._asked += 1
        metrics, now = self._metrics, time.time()
        metrics.clients.set(5)
        metrics.views_up.set(1)
        metrics.newest_tick.set(now - 1)
        metrics.lag.observe(0.1)
        metrics.build.observe(0.001)
        metrics.refused.inc()
        metrics.resyncs.inc()
        text = metrics.exposition().decode()
        return text + "".join(_made_up(text, web.ALL, self._asked))


def _heads_with_samples(text: str) -> str:
    """A text without the heads of families that have no samples: theirs come with those that are made up."""
    empty = {family.name for family in text_string_to_metric_families(text) if not family.samples}
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not (line[0] == "#" and line.split()[2].removesuffix("_total") in empty))


def _made_up(text: str, declared: tuple[Name, ...], count: int) -> Iterator[str]:
    """Samples of declared families that have none in a text."""
    filled = {family.name for family in text_string_to_metric_families(text) if family.samples}
    for name in declared:
        if name.name not in filled:
            yield f"# TYPE {name.name}{'_total' if name.kind == 'counter' else ''} {name.kind}\n"
            for values in itertools.product(*(LABELS[label] for label in name.labels)):
                labels = [f'{label}="{value}"' for label, value in zip(name.labels, values, strict=True)]
                yield from _samples(name, labels, count)


def _samples(name: Name, labels: list[str], count: int) -> Iterator[str]:
    """A family's samples for one combination of labels."""
    if name.kind == "histogram":
        for share, limit in ((0, "0.5"), (1, "0.95"), (2, "+Inf")):
            yield _line(f"{name.name}_bucket", [*labels, f'le="{limit}"'], share * count)
        yield _line(f"{name.name}_sum", labels, 0.9 * count) + _line(f"{name.name}_count", labels, 2 * count)
    elif name.kind == "counter":
        yield _line(f"{name.name}_total", labels, count)
    else:
        yield _line(name.name, labels, VALUES.get(name.name, 1))


def _line(name: str, labels: list[str], value: float) -> str:
    return f"{name}{{{','.join(labels)}}} {value}\n"
