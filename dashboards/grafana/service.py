"""Service health: whether scoring goes on, what waits, what is durable, how records ended, what screens see."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.board import JOBS, Row, board
from dashboards.grafana.expressions import (
    RECORDS,
    REJECTED,
    UP,
    WAITING,
    age,
    largest,
    mean,
    quantile,
    rate,
    recorded,
    series,
    smallest,
    total,
)
from dashboards.grafana.panels import Limits, Panel, Query, Unit, lines, number
from dashboards.web import metrics as web
from stream import metric_names as names

GIB = 2**30


def build() -> Dashboard:
    """The board."""
    charts = (_waiting(), _records(), _commits(), _state(), _lives(), _outbox(), _web(), _screens(), _metrics())
    return board(
        "service",
        "service",
        "Whether scoring goes on: what waits, what is durable, how records ended. docs/operations.md says what to do.",
        [Row(4, _now()), *(Row(8, panels) for panels in charts)],
    )


def _now() -> list[Panel]:
    free = smallest(series(names.DISK_FREE))
    return [
        number(
            "Targets that answer", "Workers and web processes that Prometheus reaches.", Unit.COUNT,
            Query(total(series(UP, job=f"~{JOBS}")), "up"),
        ),
        number(
            "Workers that score", "0: events wait in the log, and nobody scores.", Unit.COUNT,
            Query(total(series(names.SCORING)), "scoring"), Limits(1, 0.5, falling=True),
        ),
        number(
            "Records waiting", "Records in the log that are not applied yet.", Unit.COUNT,
            Query(recorded(WAITING), "records"), Limits(1_000, 10_000),
        ),
        number(
            "Oldest last commit", "Above 30 s with records waiting is trouble.", Unit.SECONDS,
            Query(age(smallest(series(names.COMMIT_TIME))), "age"), Limits(15, 30),
        ),
        number("Screens", "Boards that are connected.", Unit.COUNT, Query(total(series(web.CLIENTS)), "screens")),
        number(
            "Least free disk", "Where the local state lies, on the fullest worker.", Unit.BYTES,
            Query(free, "free"), Limits(10 * GIB, GIB, falling=True),
        ),
    ]  # fmt: skip


def _waiting() -> list[Panel]:
    return [
        lines(
            "Records waiting by worker", "Records in the log that are not applied yet, per worker.", Unit.COUNT,
            Query(total(series(names.LAG), "worker"), "{{worker}}"),
        ),
        lines(
            "Age of the last commit",
            "Seconds since each worker last made its work durable; above 30 with records waiting it is red.",
            Unit.SECONDS, Query(age(largest(series(names.COMMIT_TIME), "worker")), "{{worker}}"),
        ),
    ]  # fmt: skip


def _records() -> list[Panel]:
    return [
        lines(
            "Records by outcome",
            "All records of the input topics since the log's start, by how they ended. Counts belong to partitions,"
            " which move: only the sum over workers means something.",
            Unit.COUNT, Query(recorded(RECORDS), "{{outcome}}"),
        ),
        lines(
            "Rejected by reason",
            "Records in dead-letters since the log's start; `scorestream dead-letters list` shows them.",
            Unit.COUNT, Query(recorded(REJECTED), "{{reason}}"),
        ),
    ]  # fmt: skip


def _commits() -> list[Panel]:
    return [
        lines(
            "From event to score",
            "Time from an event's log time to the commit that made its score visible: half, and 99 of 100, are faster.",
            Unit.SECONDS, Query(largest(series(names.LATENCY), "quantile"), "{{quantile}}"),
        ),
        lines(
            "Commits", "Time that commits take, mean of each worker.", Unit.SECONDS,
            Query(mean(names.COMMIT_SECONDS, "worker"), "{{worker}}"),
        ),
    ]  # fmt: skip


def _state() -> list[Panel]:
    return [
        lines(
            "Local state", "Bytes of RocksDB on each worker's disk.", Unit.BYTES,
            Query(total(series(names.STATE_BYTES), "worker"), "{{worker}}"),
        ),
        lines(
            "Free disk", "Bytes free where the local state lies.", Unit.BYTES,
            Query(smallest(series(names.DISK_FREE), "worker"), "{{worker}}"),
        ),
    ]  # fmt: skip


def _lives() -> list[Panel]:
    return [
        lines(
            "Lives and commits put off",
            "Times per second that a worker began to score (each but the first after a failure), and put a commit off.",
            Unit.PER_SECOND,
            Query(total(rate(names.LIVES), "worker"), "lives of {{worker}}"),
            Query(total(rate(names.COMMIT_FAILURES), "worker"), "put off by {{worker}}"),
        ),
        lines(
            "Held records", "Records that wait for a template that applies to their people.", Unit.COUNT,
            Query(total(series(names.HELD)), "held"),
        ),
        lines(
            "Skewed clocks", "Records a second that are stamped in the future, within what is tolerated.",
            Unit.PER_SECOND, Query(total(rate(names.SKEWED)), "skewed"),
        ),
    ]  # fmt: skip


def _metrics() -> list[Panel]:
    return [
        lines(
            "Metrics left out",
            "Series that a worker would show, were it not for its setting metric_series; its log names them.",
            Unit.COUNT,
            Query(total(largest(series(names.LEFT_OUT), "worker", "part"), "part"), "{{part}}"),
        ),
        lines(
            "Units too small to tell of",
            "Units of which no value is shown here, for it would be about fewer people than the setting metric_people.",
            Unit.COUNT, Query(largest(series(names.SMALL_UNITS)), "units"),
        ),
    ]  # fmt: skip


def _outbox() -> list[Panel]:
    return [
        lines(
            "Changes of the organisation that wait",
            "Due in the relational store and not in the log yet. Every worker looks, one of them sends.",
            Unit.COUNT, Query(largest(series(names.OUTBOX_WAITING)), "records"),
        ),
        lines(
            "Age of the oldest that waits", "Seconds that it has been due; above 120 somebody is called.", Unit.SECONDS,
            Query(largest(series(names.OUTBOX_AGE)), "age"),
        ),
        lines(
            "Outbox in trouble", "Times a second that the store could not be asked, or the log took nothing.",
            Unit.PER_SECOND, Query(total(rate(names.OUTBOX_FAILURES), "worker"), "{{worker}}"),
        ),
    ]  # fmt: skip


def _web() -> list[Panel]:
    return [
        lines(
            "Age of the boards' now",
            "Seconds since the newest tick, as the worker wrote it and as the web process read it from the views.",
            Unit.SECONDS,
            Query(age(largest(series(names.TICK_TIME))), "worker"), Query(age(largest(series(web.VIEW_TICK))), "web"),
        ),
        lines(
            "Views in order", "Whether views are written, and can be read; 0 is trouble.", Unit.SWITCH,
            Query(smallest(series(names.VIEWS_UP), "instance"), "written by {{instance}}"),
            Query(smallest(series(web.VIEWS_UP), "instance"), "read by {{instance}}"), ceiling=1,
        ),
    ]  # fmt: skip


def _screens() -> list[Panel]:
    return [
        lines(
            "Screens by process", "Screens that are connected.", Unit.COUNT,
            Query(total(series(web.CLIENTS), "instance"), "{{instance}}"),
        ),
        lines(
            "Screens in trouble", "Screens a second that are refused, or too slow and given a whole board anew.",
            Unit.PER_SECOND,
            Query(total(rate(web.REFUSED)), "refused"), Query(total(rate(web.RESYNCS)), "too slow"),
        ),
        lines(
            "What a screen waits for", "Reading an update for a screen and drawing a board: 99 of 100 are faster.",
            Unit.SECONDS,
            Query(quantile(0.99, rate(web.VIEW_LAG, "bucket")), "read"),
            Query(quantile(0.99, rate(web.BUILD_SECONDS, "bucket")), "draw"),
        ),
    ]  # fmt: skip
