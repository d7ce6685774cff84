"""How far behind the log each partition is, and why: what comes in, what is applied, how commits go."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.board import Row, board
from dashboards.grafana.expressions import (
    WAITING,
    age,
    largest,
    quantile,
    rate,
    recorded,
    series,
    smallest,
    total,
)
from dashboards.grafana.panels import Limits, Panel, Query, Unit, bars, lines, number
from stream import metric_names as names


def build() -> Dashboard:
    """The board."""
    return board(
        "lag",
        "lag",
        "How far scoring is behind the log, by topic and partition; on Kafka and on the embedded log alike.",
        [Row(4, _now()), Row(10, _where()), *(Row(8, pair) for pair in (_pace(), _commits(), _ticks()))],
    )


def _now() -> list[Panel]:
    return [
        number(
            "Records waiting", "Records in the log that are not applied yet.", Unit.COUNT,
            Query(recorded(WAITING), "records"), Limits(1_000, 10_000),
        ),
        number(
            "Age of the newest tick", "Seconds since a tick was applied; ticks come each second.", Unit.SECONDS,
            Query(age(largest(series(names.TICK_TIME))), "age"), Limits(10, 60),
        ),
        number(
            "Age of the newest event", "Seconds since the newest event happened that is scored. At night it grows.",
            Unit.SECONDS, Query(age(largest(series(names.EVENT_TIME))), "age"),
        ),
        number(
            "Oldest last commit", "Above 30 s with records waiting is trouble.", Unit.SECONDS,
            Query(age(smallest(series(names.COMMIT_TIME))), "age"), Limits(15, 30),
        ),
    ]  # fmt: skip


def _where() -> list[Panel]:
    where = largest(series(names.LAG), "topic", "partition")
    return [
        bars(
            "Waiting now by partition", "One partition alone: a hot person or sender. All alike: more workers.",
            Unit.COUNT, Query(where, "{{topic}} {{partition}}"), Limits(1_000, 10_000),
        ),
        lines(
            "Waiting by partition", "Records of each partition that are not applied yet.", Unit.COUNT,
            Query(where, "{{topic}} {{partition}}"),
        ),
    ]  # fmt: skip


def _pace() -> list[Panel]:
    return [
        lines(
            "Records applied", "Records a second that workers apply, by topic.", Unit.PER_SECOND,
            Query(total(rate(names.CHUNK_RECORDS, "sum"), "topic"), "{{topic}}"),
        ),
        lines(
            "Time for a chunk", "Time to apply a chunk of records: half, and 99 of 100, are faster.", Unit.SECONDS,
            Query(quantile(0.5, rate(names.STEP_SECONDS, "bucket"), "topic"), "{{topic}}, half"),
            Query(quantile(0.99, rate(names.STEP_SECONDS, "bucket"), "topic"), "{{topic}}, 99 %"),
        ),
    ]  # fmt: skip


def _commits() -> list[Panel]:
    return [
        lines(
            "Time for a commit", "Half, and 99 of 100, are faster; the broker's disk when it rises.", Unit.SECONDS,
            Query(quantile(0.5, rate(names.COMMIT_SECONDS, "bucket"), "worker"), "{{worker}}, half"),
            Query(quantile(0.99, rate(names.COMMIT_SECONDS, "bucket"), "worker"), "{{worker}}, 99 %"),
        ),
        lines(
            "Score updates due", "People whose score update is due; falls to 0 between commits.", Unit.COUNT,
            Query(largest(series(names.OWED), "partition"), "partition {{partition}}"),
        ),
    ]  # fmt: skip


def _ticks() -> list[Panel]:
    return [
        lines(
            "Age of the newest tick by worker", "A worker whose ticks are old does not apply what comes.",
            Unit.SECONDS, Query(age(largest(series(names.TICK_TIME), "worker")), "{{worker}}"),
        ),
        lines(
            "Age of the views", "Seconds since the views of boards were written.", Unit.SECONDS,
            Query(age(largest(series(names.VIEWS_TIME), "worker")), "{{worker}}"),
        ),
    ]  # fmt: skip
