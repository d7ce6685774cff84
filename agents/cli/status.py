"""`scorestream status`: what is processed and durable, told from the log alone, with or without a worker running."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Final, NamedTuple

from cyclopts import Parameter
from cyclopts.validators import Number

from agents.cli.errors import UsageError
from agents.cli.flags import NO_FLAGS, Flags, Switch
from agents.cli.opening import existing_log, now_ms
from agents.cli.output import Format, FormatFlag, print_record, print_rows, time_text
from agents.cli.progress import LINE_EVERY_S, say
from agents.transport.log import Log, RecoverableError
from stream.rulebook import Rulebook
from stream.topics import INPUTS, TEMPLATES

_POLL_S: Final = 0.05
_LAG: Final = ("topic", "partition", "end", "committed", "lag")

Seconds = Annotated[float | None, Parameter(validator=Number(gte=0))]
Place = tuple[str, int]


class Lag(NamedTuple):
    """One partition of a topic that the worker reads: where it ends, and from where on nothing is durable."""

    topic: str
    partition: int
    end: int
    committed: int

    @property
    def lag(self) -> int:
        """Records that are not processed and durable yet."""
        return max(0, self.end - self.committed)


def status(
    *,
    wait_idle: Switch = False,
    timeout: Seconds = None,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """Print lag, outcomes by reason and the last commit; wait until all is processed.

    All of it is durable and comes from the log: it is right also when no worker is
    running. The outcomes add up to the records processed since the log's start.

    For example

        scorestream status
        scorestream status --wait-idle --timeout 60
        scorestream status --format ndjson

    Parameters
    ----------
    wait_idle
        return when every record that is in the log now is processed and durable, and
        every template version that is published now is worked by
    timeout
        with --wait-idle: give up after this many seconds; exit code 1, and what is
        missing (default: wait for ever)
    """
    settings = flags.settings()
    if timeout is not None and not wait_idle:
        raise UsageError(f"--timeout {timeout:g}: it limits the waiting; add --wait-idle")
    with existing_log(settings) as log:
        if wait_idle and not _wait_idle(log, timeout):
            with suppress(RecoverableError):  # who does not answer has been told
                _print(log, format)
            return 1
        _print(log, format)
    return 0


def lags(log: Log, bounds: Mapping[Place, tuple[int, int]]) -> list[Lag]:
    """The lag behind these bounds (start, end) of every partition that the worker reads, by topic and partition.

    The input topics, and whatever else the worker has committed offsets of.
    """
    committed = log.committed()
    read = {*INPUTS, *(topic for topic, _ in committed)}
    return [
        Lag(topic, partition, end, max(start, committed.get((topic, partition), 0)))
        for (topic, partition), (start, end) in sorted(bounds.items())
        if topic in read
    ]


def _wait_idle(log: Log, timeout: float | None) -> bool:
    """Whether everything up to now became durable in time; says what is missing when not.

    A broker that does not answer is asked again: `timeout` then is kept to within one question's patience.
    """
    begin = told = time.monotonic()
    waiting: _Waiting | None = None
    while True:
        now = time.monotonic()
        over = timeout is not None and now - begin >= timeout
        try:
            waiting = waiting or _Waiting(log)
            if waiting.over():
                return True
            what = waiting.missing() if over or now - told >= LINE_EVERY_S else ""
        except RecoverableError as error:
            what = str(error)
        if over:
            say(f"timeout after {timeout:g} s: {what}")
            return False
        if now - told >= LINE_EVERY_S:
            told = now
            say(f"waiting: {what}")
        time.sleep(_POLL_S)


class _Waiting:
    """For what is in the log when this is made."""

    def __init__(self, log: Log) -> None:
        from agents.rules import rulebook

        self._log = log
        self._bounds = log.bounds()
        self._published = rulebook(log) if TEMPLATES in log.topics() else None
        self._seen: tuple[int, ...] = ()
        self._missing: list[Lag] = []

    def over(self) -> bool:
        """Whether all of it is durable, and worked by."""
        version = self._log.version()
        if version != self._seen:
            self._missing = [lag for lag in lags(self._log, self._bounds) if lag.lag]
            self._seen = version
        return not self._missing and _adopted(self._log, self._published)

    def missing(self) -> str:
        """In words."""
        worker = "" if self._log.owner() else "; no worker is running"
        if not self._missing:
            return f"a published template version is not known to every partition yet{worker}"
        total = sum(lag.lag for lag in self._missing)
        behind = (f"{lag.topic}/{lag.partition} from offset {lag.committed} ({lag.lag:,})" for lag in self._missing)
        return f"{total:,} records are not processed yet: {', '.join(behind)}{worker}"


def _adopted(log: Log, published: Rulebook | None) -> bool:
    """Whether every partition works by these versions and models: each worker hears of them by itself."""
    from agents.meta import read_meta
    from agents.rules import unknown_since

    return published is None or all(unknown_since(meta.rules, published) is None for meta in read_meta(log))


def _print(log: Log, format: Format) -> None:
    from agents.meta import read_meta

    metas = read_meta(log)
    behind = lags(log, log.bounds())
    outcomes: Counter[str] = Counter()
    for meta in metas:
        outcomes.update(meta.outcomes)
    committed_at = max((meta.committed_at for meta in metas if meta.committed_at >= 0), default=None)
    summary: dict[str, object] = {
        "worker": log.owner(),
        "last_commit": time_text(committed_at),
        "commit_age_seconds": None if committed_at is None else round((now_ms() - committed_at) / 1000, 1),
        "lag": sum(lag.lag for lag in behind if lag.topic in INPUTS),  # of ticks there is always one, nearly
        "records": outcomes.total(),
    }
    if format == "table":
        _print_tables(summary, outcomes, behind)
    else:
        lag_rows = [lag._asdict() | {"lag": lag.lag} for lag in behind]
        print_record(summary | {"outcomes": dict(sorted(outcomes.items())), "partitions": lag_rows}, format)


def _print_tables(summary: dict[str, object], outcomes: Counter[str], behind: list[Lag]) -> None:
    worker = summary["worker"]
    said = f"running, {worker if isinstance(worker, str) else f'process {worker}'}"
    print_record(summary | {"worker": "not running" if worker is None else said}, "table")
    if outcomes:
        sys.stdout.write("\n")
        rows = ({"outcome": name, "records": count} for name, count in sorted(outcomes.items()))
        print_rows(rows, ("outcome", "records"), "table")
    if behind:
        sys.stdout.write("\n")
        print_rows((lag._asdict() | {"lag": lag.lag} for lag in behind), _LAG, "table")
