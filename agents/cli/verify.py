"""`scorestream verify`: the independent oracle recomputes everything; what differs is printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

from agents.cli.flags import NO_FLAGS, Flags
from agents.cli.opening import existing_log
from agents.cli.output import FormatFlag, print_rows, time_text
from agents.cli.progress import Progress, say
from agents.comparing import compared, decided
from agents.explaining import log_starts
from agents.limits import limits_in_force
from agents.oracle.compare import differences
from agents.oracle.log import LogRecord
from agents.oracle.recompute import Recomputed, recompute
from agents.query import Committed, committed, rows_as_of
from agents.settings import Settings
from agents.told import latest_alerts
from agents.transport.log import Log
from schemas.alerts import AlertRow
from schemas.event import INPUT_TOPICS
from schemas.rows import row_fields
from stream.topics import COMMANDS, TEMPLATES, TICKS

COLUMNS: Final = ("employee", "template", "indicator", "window", "field", "expected", "actual")
_CHUNK: Final = 20_000
_Row = TypeVar("_Row")


def verify(*, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """Recompute all scores from the log with the independent oracle and print the differences: 0 are expected.

    Compares, as of the last scored event and the last commit, every row of every employee (sums and counts
    exactly, derived numbers to 1e-9), every alert, of people and of units, and how every record ended. Exit code 1 when
    anything differs. Works beside a live worker: what is not committed yet is left out on both sides.
    """
    settings = flags.settings()
    with existing_log(settings) as log:
        alerts = latest_alerts(log)
        known = committed(log)
        with Progress("read") as progress:
            oracle = _recompute(log, known, settings, progress)
        found = [
            *_outcomes(log, known, oracle),
            *_rows(log, known, oracle, settings),
            *_alerts(log, known, alerts, oracle),
        ]
    print_rows(found, COLUMNS, format)
    say(
        f"{len(found)} differences; {sum(oracle.outcomes.values()):,} records and {len(oracle.employees):,} employees "
        f"recomputed as of {time_text(known.last)}, commit of "
        + (str(time_text(known.committed_at)) if known.committed_at >= 0 else "none")
    )
    return 1 if found else 0


def _recompute(log: Log, known: Committed, settings: Settings, progress: Progress) -> Recomputed:
    partitions = len(known.metas)
    limits = limits_in_force(log, settings)
    return recompute(
        _records(log, known, progress),
        partitions=partitions,
        late_ms=limits.late,
        horizon_ms=limits.horizon,
        correction_ms=limits.correction,
        held_ms=limits.held,
    )


def _records(log: Log, known: Committed, progress: Progress) -> Iterator[LogRecord]:
    """Every record that the last commit of its partition holds."""
    for topic in (TEMPLATES, *INPUT_TOPICS, TICKS, COMMANDS):
        for number, meta in enumerate(known.metas):
            until = meta.applied.get(topic, 0)
            offset = 0
            while offset < until and (rows := log.read(topic, number, offset, _CHUNK)):
                offset = rows[-1][0] + 1
                progress.advance(len(rows))
                for at, timestamp, key, value, _ in rows:
                    if at < until:
                        yield LogRecord(topic, number, at, timestamp, key, value)


def _outcomes(log: Log, known: Committed, oracle: Recomputed) -> Iterator[Mapping[str, object]]:
    """How records ended: the durable counters against the oracle's, unless retention has taken records."""
    if any(True for _ in log_starts(log)):
        return
    counted: dict[str, int] = {}
    for meta in known.metas:
        for outcome, number in meta.outcomes.items():
            counted[outcome] = counted.get(outcome, 0) + number
    for outcome in sorted(counted.keys() | oracle.outcomes.keys()):
        expected, actual = oracle.outcomes.get(outcome, 0), counted.get(outcome, 0)
        if expected != actual:
            yield {"indicator": "@outcomes", "field": outcome, "expected": expected, "actual": actual}


def _rows(log: Log, known: Committed, oracle: Recomputed, settings: Settings) -> Sequence[Mapping[str, object]]:
    limits = limits_in_force(log, settings)
    with Progress("compared", unit="rows") as progress:
        actual = [row_fields(row) for row in _counted(rows_as_of(log, known, known.last, limits), progress)]
        expected = list(_counted(oracle.rows(known.last), progress))
    gone = max((first for _, _, first in log_starts(log)), default=None)
    if gone is not None:
        say(f"the log begins at {time_text(gone)}: scores of windows that reach before it are left out")
        reaching = {_key(row) for row in expected if int(row["window_start"]) < gone}  # type: ignore[call-overload]
        expected = [row for row in expected if _key(row) not in reaching]
        actual = [row for row in actual if _key(row) not in reaching]
    return [difference._asdict() for difference in differences(expected, actual)]


def _alerts(
    log: Log, known: Committed, before: Mapping[str, AlertRow], oracle: Recomputed
) -> Iterator[Mapping[str, object]]:
    """The last word on every alert, unless retention has taken records that it followed from.

    `before` was read before the commit that is compared: what has changed since may be of a later one, and is left out.
    """
    if any(True for _ in log_starts(log)):
        return
    units = decided(log, known.metas)
    after = latest_alerts(log)
    settled = {name for name in before.keys() | after.keys() if before.get(name) == after.get(name)}
    actual = [row for name, row in after.items() if name in settled]
    yield from (found._asdict() for found in compared(oracle, units, actual, after.keys() - settled))


def _counted(rows: Iterator[_Row], progress: Progress) -> Iterator[_Row]:
    for row in rows:
        progress.advance()
        yield row


def _key(row: Mapping[str, object]) -> tuple[object, ...]:
    return row["employee_id"], row["template"], row["indicator"], row["window"]
