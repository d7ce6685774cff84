"""`scorestream explain`: which events made this score, one by one, recomputed from the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

from cyclopts import Parameter

from agents.cli.as_of import AsOf, demand_readable, resolve
from agents.cli.errors import CommandError
from agents.cli.flags import NO_FLAGS, Flags
from agents.cli.opening import existing_log
from agents.cli.output import Format, FormatFlag, print_record, print_rows, time_text
from agents.cli.progress import Progress, say
from agents.limits import limits_in_force
from agents.meta import read_meta
from agents.query import histories_known_at
from agents.transport.log import Log
from schemas.event import INPUT_TOPICS, TOPIC_OF
from schemas.measures import MICRO
from schemas.rows import TOTALS, ScoreRow, row_fields
from stream.case_mix import EVEN, PREFIX, in_force
from stream.history import Counts, History, counted, history_rows, window_bounds
from stream.plan import Line, plan_of
from stream.rulebook import Version
from stream.score import in_units, versions_for
from stream.state import home_at, target_values
from stream.window import Window

COLUMNS: Final = (
    "event_id", "type", "occurred_at", "logged_at", "source", "corrects", "contribution", "dims", "topic", "offset",
)  # fmt: skip
_TABLE: Final = ("event_id", "occurred_at", "source", "corrects", "contribution", "dims")
_MIX: Final = ("expected", "base", "allowance")


def explain(
    employee: str,
    indicator: str,
    window: str,
    /,
    *,
    as_of: AsOf = "last",
    template: Annotated[str | None, Parameter(help="which template, when the indicator is in several")] = None,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """Print every event that counts in a score, what each adds, the sums, the formula with its numbers, the version.

    Recomputed from the log and the template version alone. For a total (@total, @performance, ...) the
    indicators and their weights. Where kinds of work differ (`case_mix`), also what each event's kind usually gives,
    what all work gives on average, and the good units that are allowed for the difference. As NDJSON the last line
    is the score, as CSV only the events are printed.

    For example

        scorestream explain E0261 semi_finished_yield "rolling 60m"
        scorestream explain E0261 @total day --as-of 2026-03-02T12:00:00+08:00
    """
    settings = flags.settings()
    demand_readable(as_of)
    with existing_log(settings) as log, Progress("read") as progress:
        metas = read_meta(log)
        at = resolve(as_of, max([0, *(m.last for m in metas)]), max([0, *(m.now for m in metas)]))
        histories = histories_known_at(log, None, limits_in_force(log, settings), employee, progress.advance)
        history = histories.get(employee)
        if history is None:
            raise CommandError(f"employee {employee!r}: the log has no event of theirs that counts or waits")
        version = _version(history, indicator, window, at, template)
        _name_what_is_gone(log, history, version, window, at)
        _print(history, version, indicator, window, at, format)
    return 0


def _version(history: History, indicator: str, window: str, at: int, template: str | None) -> Version:
    versions = versions_for(history.person.state, history.person.rules, at)
    found = [v for v in versions if template in (None, v.template.template) and _known(v, indicator, window)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(v.template.template for v in found)
        raise CommandError(f"indicator {indicator!r} is in several templates: {names}; say which with --template")
    there = sorted({f"{line.indicator.id} ({line.window.text})" for v in versions for line in plan_of(v).lines})
    what = "; there are: " + ", ".join(there) if there else ": no template applies to them"
    raise CommandError(
        f"indicator {indicator!r} in window {window!r} is no score of {history.person.id} at {time_text(at)}{what}"
    )


def _known(version: Version, indicator: str, window: str) -> bool:
    plan = plan_of(version)
    if indicator in TOTALS:
        return window in {known.text for known in plan.windows}
    return any((line.indicator.id, line.window.text) == (indicator, window) for line in plan.lines)


def _print(history: History, version: Version, indicator: str, window: str, at: int, format: Format) -> None:
    rows = [r for r in history_rows(history, at) if (r.template, r.version) == version.key and r.window == window]
    row = next((r for r in rows if r.indicator == indicator), None)
    if row is None:
        unit = home_at(history.person.state, at)
        raise CommandError(
            f"window {window!r}: there is no shift of {history.person.id} at {time_text(at)}: "
            f"no shift calendar is in force for {f'unit {unit!r}' if unit else 'who has no unit'}"
        )
    if indicator in TOTALS:
        _print_total(version, rows, row, format)
        return
    line = next(li for li in plan_of(version).lines if (li.indicator.id, li.window.text) == (indicator, window))
    group = version.groups[version.group_of[version.template.indicators.index(line.indicator)]]
    events = sorted(counted(history, version, group, line.window, at), key=_by_time)
    place = group.mix(line.indicator.id)
    shown = (*COLUMNS, *_MIX) if place >= 0 else COLUMNS
    table = (*_TABLE, *_MIX) if place >= 0 else _TABLE
    print_rows((_event_row(found, line, place) for found in events), shown, format, table=table)
    targets = target_values(history.person.state, at)
    score = row_fields(row) | {
        "events": len(events),
        "effective_from": time_text(version.begins),
        "formula": f"value = {line.indicator.value.text}",
        "with_numbers": f"value = {line.indicator.value.substitute(row.sums, targets)}",
        "points_formula": line.indicator.points.text if line.indicator.points else None,
        "points_with_numbers": _points(line, row, targets),
        "target": line.indicator.target,
        "weight": line.indicator.weight,
        "min_sample": line.indicator.min_sample,
    }
    if isinstance(row.allowance, int | float) and row.adjusted is not None:
        score |= {
            "adjusted_formula": "(good + allowance) / n, the allowance being the sum of of * (base - expected)",
            "adjusted_with_numbers": f"({row.good} + {row.allowance}) / {row.n}",
            "case_mix": _models(history, version, line, events),
        }
    _print_score(score, format)


def _models(history: History, version: Version, line: Line, events: Sequence[Counts]) -> list[str]:
    """The models that said what to expect of these events, as `scorestream case-mix show` takes them."""
    known = history.person.rules.models.get((version.template.template, line.indicator.id), [])
    used = [in_force(known, found.event.occurred_at) for found in events]
    own = {model.number: model for model in used if model is not None and model.by == line.indicator.case_mix}
    return [own[number].key.removeprefix(PREFIX) for number in sorted(own)]


def _by_time(found: Counts) -> tuple[int, int]:
    return found.event.occurred_at, found.event.offset


def _points(line: Line, row: ScoreRow, targets: dict[str, float]) -> str | None:
    formula = line.indicator.points
    if formula is None or row.points is None:
        return None
    known = {"value": row.value, "target": line.indicator.target}
    return formula.substitute({name: float(x) for name, x in known.items() if x is not None}, targets)


def _event_row(found: Counts, line: Line, mixed: int) -> dict[str, object]:
    """`mixed`: the indicator's place among those of its group whose kinds of work differ, or -1."""
    event = found.event
    return {
        "event_id": event.event_id,
        "type": event.type,
        "occurred_at": time_text(event.occurred_at),
        "logged_at": time_text(event.timestamp),
        "source": event.source,
        "corrects": event.corrects,
        "contribution": {name: in_units(event.measures.micro.get(name, 0)) for name, _ in line.shown},
        "dims": event.dims.values,
        "topic": TOPIC_OF[event.type.partition(".")[0]],
        "offset": event.offset,
    } | ({} if mixed < 0 else _mix(found, line, mixed))


def _mix(found: Counts, line: Line, mixed: int) -> dict[str, object]:
    """What work of its kind usually gives, all work on average, and the good units more or less for the difference."""
    mix = found.entry.mix[mixed]
    known = mix != EVEN
    return {
        "expected": mix.expected / MICRO if known else None,
        "base": mix.base / MICRO if known else None,
        "allowance": in_units(found.event.measures.vector(found.entry.key)[line.allowance]),
    }


def _print_total(version: Version, rows: Sequence[ScoreRow], total: ScoreRow, format: Format) -> None:
    """A total: sum(weight * points) / sum(weight) over the indicators that have points."""
    by_id = {i.id: i for i in version.template.indicators}
    wanted = total.indicator.removeprefix("@")
    parts = [r for r in rows if r.indicator in by_id and wanted in ("total", by_id[r.indicator].dimension)]
    weights = sum(by_id[r.indicator].weight for r in parts if r.points is not None)
    table = [
        {
            "indicator": r.indicator,
            "dimension": by_id[r.indicator].dimension,
            "status": r.status,
            "weight": by_id[r.indicator].weight,
            "points": r.points,
            "contribution": None if r.points is None or not weights else by_id[r.indicator].weight * r.points / weights,
        }
        for r in parts
    ]
    print_rows(table, ("indicator", "dimension", "status", "weight", "points", "contribution"), format)
    formula = {"formula": "sum(weight * points) / sum(weight), indicators without points left out"}
    _print_score(row_fields(total) | formula, format)


def _print_score(score: dict[str, Any], format: Format) -> None:
    if format == "table":
        print_record({name: value for name, value in score.items() if value not in (None, {})}, format)
    elif format == "ndjson":
        print_record({"score": score}, format)


def _name_what_is_gone(log: Log, history: History, version: Version, window: str, at: int) -> None:
    """Retention may have taken events of the window: say so before showing what is left."""
    chosen = next(known for known in plan_of(version).windows if known.text == window)
    low = min(_begins(history, version, chosen, at))
    for topic, number, first in log_starts(log):
        if first > low:
            say(f"{topic}/{number} begins at {time_text(first)}, its window at {time_text(low)}: the rest is gone")


def _begins(history: History, version: Version, window: Window, at: int) -> Iterator[int]:
    """Where a window begins; shifts do by unit."""
    state, calendars = history.person.state, history.person.rules.calendars
    units = {home_at(state, at), *(segment.unit for segment in state.segments)} if window.kind == "shift" else {""}
    for unit in units:
        shift = calendars.shift(unit, at)
        yield at if window.kind == "shift" and shift is None else window_bounds(window, version, at, shift)[0]


def log_starts(log: Log) -> Iterator[tuple[str, int, int]]:
    """(topic, partition, log time of the first record kept) of input partitions that lost records to retention."""
    for topic in INPUT_TOPICS:
        for number in range(log.topics()[topic].partitions):
            start = log.start(topic, number)
            if start > 0 and (rows := log.read(topic, number, start, 1)):
                yield topic, number, rows[0][1]
