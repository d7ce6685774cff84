"""Which events made a score is answered once, from the log and the template alone: commands and pages show the same.

Nothing here prints or draws. What is not there is told by NotExplained, with what there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from agents.query import histories_known_at
from agents.replay import Progress
from agents.transport.log import Log
from schemas.event import INPUT_TOPICS, TOPIC_OF
from schemas.instants import format_rfc3339
from schemas.measures import MICRO
from schemas.rows import TOTALS, ScoreRow, row_fields
from stream.case_mix import EVEN, PREFIX, in_force
from stream.history import Counts, History, counted, history_rows, window_bounds
from stream.pipeline import Limits
from stream.plan import Line, plan_of
from stream.rulebook import Version
from stream.score import in_units, versions_for
from stream.state import home_at, target_values
from stream.window import Window

TOTAL_FORMULA: Final = "sum(weight * points) / sum(weight), indicators without points left out"


class NotExplained(Exception):
    """There is no such score; the text says what there is."""


class Question(NamedTuple):
    """A score: of whom, of what, in which window as of which instant (ms); `template` only where it is in several."""

    employee: str
    indicator: str
    window: str
    at: int
    template: str | None = None


class Part(NamedTuple):
    """An indicator's part in a total: weight * points, by the sum of the weights; None without points."""

    indicator: str
    dimension: str
    status: str
    weight: float
    points: float | None
    contribution: float | None


class Explanation(NamedTuple):
    """A score taken apart. Of a total `line` is None, its events are those of its indicators and `parts` are these.

    `mixed`: the indicator's place among those of its group whose kinds of work differ, or -1.
    """

    history: History
    version: Version
    row: ScoreRow
    line: Line | None
    events: Sequence[Counts]
    mixed: int
    parts: Sequence[Part]
    targets: dict[str, float]


def explain(log: Log, limits: Limits, asked: Question, progress: Progress | None = None) -> Explanation:
    """The score that is asked for, recomputed from the log. NotExplained when there is none."""
    history = histories_known_at(log, None, limits, asked.employee, progress).get(asked.employee)
    if history is None:
        raise NotExplained(f"employee {asked.employee!r}: the log has no event of theirs that counts or waits")
    version = _version(history, asked)
    rows = [r for r in history_rows(history, asked.at) if _is_of(r, version, asked.window)]
    row = next((r for r in rows if r.indicator == asked.indicator), None)
    if row is None:
        unit = home_at(history.person.state, asked.at)
        raise NotExplained(
            f"window {asked.window!r}: there is no shift of {history.person.id} at {format_rfc3339(asked.at)}: "
            f"no shift calendar is in force for {f'unit {unit!r}' if unit else 'who has no unit'}"
        )
    targets = target_values(history.person.state, asked.at)
    if asked.indicator in TOTALS:
        return Explanation(history, version, row, None, (), -1, list(_parts(version, rows, row)), targets)
    line = next(li for li in plan_of(version).lines if (li.indicator.id, li.window.text) == asked[1:3])
    group = version.groups[version.group_of[version.template.indicators.index(line.indicator)]]
    events = sorted(counted(history, version, group, line.window, asked.at), key=_by_time)
    return Explanation(history, version, row, line, events, group.mix(line.indicator.id), (), targets)


def _is_of(row: ScoreRow, version: Version, window: str) -> bool:
    return (row.template, row.version) == version.key and row.window == window


def _version(history: History, asked: Question) -> Version:
    versions = versions_for(history.person.state, history.person.rules, asked.at)
    found = [v for v in versions if asked.template in (None, v.template.template) and _known(v, asked)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(v.template.template for v in found)
        raise NotExplained(f"indicator {asked.indicator!r} is in several templates: {names}; say which with --template")
    there = sorted({f"{line.indicator.id} ({line.window.text})" for v in versions for line in plan_of(v).lines})
    what = "; there are: " + ", ".join(there) if there else ": no template applies to them"
    raise NotExplained(
        f"indicator {asked.indicator!r} in window {asked.window!r} is no score of {history.person.id} "
        f"at {format_rfc3339(asked.at)}{what}"
    )


def _known(version: Version, asked: Question) -> bool:
    plan = plan_of(version)
    if asked.indicator in TOTALS:
        return asked.window in {known.text for known in plan.windows}
    return any((line.indicator.id, line.window.text) == (asked.indicator, asked.window) for line in plan.lines)


def score_fields(found: Explanation) -> dict[str, Any]:
    """The score with its formulas, and with its numbers put in."""
    row, line = found.row, found.line
    if line is None:
        return row_fields(row) | {"formula": TOTAL_FORMULA}
    score = row_fields(row) | {
        "events": len(found.events),
        "effective_from": format_rfc3339(found.version.begins),
        "formula": f"value = {line.indicator.value.text}",
        "with_numbers": f"value = {line.indicator.value.substitute(row.sums, found.targets)}",
        "points_formula": line.indicator.points.text if line.indicator.points else None,
        "points_with_numbers": _points(line, row, found.targets),
        "target": line.indicator.target,
        "weight": line.indicator.weight,
        "min_sample": line.indicator.min_sample,
    }
    if isinstance(row.allowance, int | float) and row.adjusted is not None:
        score |= {
            "adjusted_formula": "(good + allowance) / n, the allowance being the sum of of * (base - expected)",
            "adjusted_with_numbers": f"({row.good} + {row.allowance}) / {row.n}",
            "case_mix": _models(found, line),
        }
    return score


def _models(found: Explanation, line: Line) -> list[str]:
    """The models that said what to expect of these events, as `scorestream case-mix show` takes them."""
    known = found.history.person.rules.models.get((found.version.template.template, line.indicator.id), [])
    used = [in_force(known, each.event.occurred_at) for each in found.events]
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


def event_fields(found: Explanation, counts: Counts) -> dict[str, Any]:
    """An event that counts: what it adds, and where it is in the log."""
    event, line = counts.event, found.line
    shown = () if line is None else line.shown
    fields = {
        "event_id": event.event_id,
        "type": event.type,
        "occurred_at": format_rfc3339(event.occurred_at),
        "logged_at": format_rfc3339(event.timestamp),
        "source": event.source,
        "corrects": event.corrects,
        "contribution": {name: in_units(event.measures.micro.get(name, 0)) for name, _ in shown},
        "dims": event.dims.values,
        "topic": TOPIC_OF[event.type.partition(".")[0]],
        "offset": event.offset,
    }
    return fields if line is None or found.mixed < 0 else fields | _mix(counts, line, found.mixed)


def _mix(found: Counts, line: Line, mixed: int) -> dict[str, Any]:
    """What work of its kind usually gives, all work on average, and the good units more or less for the difference."""
    mix = found.entry.mix[mixed]
    known = mix != EVEN
    return {
        "expected": mix.expected / MICRO if known else None,
        "base": mix.base / MICRO if known else None,
        "allowance": in_units(found.event.measures.vector(found.entry.key)[line.allowance]),
    }


def _parts(version: Version, rows: Sequence[ScoreRow], total: ScoreRow) -> Iterator[Part]:
    """A total: sum(weight * points) / sum(weight) over the indicators that have points."""
    by_id = {i.id: i for i in version.template.indicators}
    wanted = total.indicator.removeprefix("@")
    own = [r for r in rows if r.indicator in by_id and wanted in ("total", by_id[r.indicator].dimension)]
    weights = sum(by_id[r.indicator].weight for r in own if r.points is not None)
    for r in own:
        weight = by_id[r.indicator].weight
        share = None if r.points is None or not weights else weight * r.points / weights
        yield Part(r.indicator, by_id[r.indicator].dimension, r.status, weight, r.points, share)


def what_is_gone(log: Log, found: Explanation, window: str, at: int) -> Iterator[tuple[str, int, int, int]]:
    """(topic, partition, its first instant, the window's first instant) where retention took events of the window."""
    chosen = next(known for known in plan_of(found.version).windows if known.text == window)
    low = min(_begins(found.history, found.version, chosen, at))
    for topic, number, first in log_starts(log):
        if first > low:
            yield topic, number, first, low


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
