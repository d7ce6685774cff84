"""What must hold once everything is drained, whatever happened before. Each check gives a line per violation.

I1 scores are the oracle's; I2 every record ends once; I3 alerts are the oracle's, each word said once; I4 outputs show
the state; I6 contributions add up; and nothing that was acknowledged is missing. I5 (how soon, how large) is watched
where the processes are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Any, Final

from agents.oracle.compare import differences
from agents.query import committed, histories_known_at, rows_as_of
from schemas.instants import DAY, HOUR, MINUTE
from schemas.rows import TOTALS, ScoreRow, row_fields
from stream.history import History, counted, history_rows
from stream.plan import plan_of
from stream.score import in_units, versions_for
from tests.soak.acknowledged import acknowledged
from tests.soak.evidence import Evidence
from tests.soak.outputs import alerts, dead_letters, late_events, score_updates, unit_updates
from tests.soak.senders import SenderProcess

EARLIER: Final = (7 * MINUTE, 3 * HOUR, 2 * DAY, 20 * DAY)
SAMPLED: Final = 3  # employees
SHOWN: Final = 5  # violations of a kind


def violations(evidence: Evidence, senders: Iterable[SenderProcess], dice: Random) -> list[str]:
    """All that does not hold; nothing when all is well."""
    names = sorted(evidence.oracle.employees)
    chosen = dice.sample(names, min(SAMPLED, len(names)))
    checks = {
        "I1 rows": rows(evidence),
        "I1 earlier": earlier(evidence, chosen, dice),
        "I2 outcomes": outcomes(evidence),
        "I2 dead letters": dead_letters(evidence),
        "I2 late events": late_events(evidence),
        "I3 alerts": alerts(evidence),
        "I4 score updates": score_updates(evidence),
        "I4 unit updates": unit_updates(evidence),
        "I6 contributions": contributions(evidence, chosen),
        "acknowledged": acknowledged(evidence, senders),
    }
    return [line for name, found in checks.items() for line in told(name, found)]


def told(name: str, found: Iterable[object]) -> list[str]:
    """The first of a kind, and how many more there are."""
    lines = [f"{name}: {line}" for line in found]
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], f"{name}: and {more} more"] if more > 0 else lines


def rows(evidence: Evidence) -> Iterator[object]:
    """Of everybody, as of the last event and as of the newest tick."""
    known, oracle = evidence.known, evidence.oracle
    if oracle.last != known.last:
        yield f"last is {known.last}, the oracle's {oracle.last}"
    for at in {known.last, max(known.last, known.now)}:
        actual = map(row_fields, rows_as_of(evidence.log, known, at, evidence.limits))
        yield from differences(oracle.rows(at), actual)


def earlier(evidence: Evidence, employees: Iterable[str], dice: Random) -> Iterator[object]:
    """Of some, as of an instant before their newest event: recomputed from the log."""
    for name in employees:
        at = evidence.known.last - dice.choice(EARLIER)
        known = committed(evidence.log, name)
        actual = [row_fields(row) for row in rows_as_of(evidence.log, known, at, evidence.limits)]
        yield from differences(evidence.oracle.rows(at, name), actual)


def outcomes(evidence: Evidence) -> Iterator[object]:
    """The durable counters are the oracle's and add up to the records of the log."""
    given: Counter[str] = Counter()
    for meta in evidence.known.metas:
        given.update(meta.outcomes)
    expected = evidence.oracle.outcomes
    for outcome in sorted(expected.keys() | given.keys()):
        if expected.get(outcome, 0) != given[outcome]:
            yield f"{outcome}: {given[outcome]}, the oracle's {expected.get(outcome, 0)}"
    if given.total() != len(evidence.records):
        yield f"{given.total()} counted, {len(evidence.records)} in the log"


def contributions(evidence: Evidence, employees: Iterable[str]) -> Iterator[object]:
    """What `explain` lists adds up to the sums of the state's rows, and weighted points to its totals."""
    log, at = evidence.log, evidence.known.last
    for name in employees:
        history = histories_known_at(log, None, evidence.limits, name)[name]
        given = {_key(row): row for row in rows_as_of(log, committed(log, name), at, evidence.limits)}
        listed = {_key(row): row for row in history_rows(history, at)}
        for key in sorted(given.keys() ^ listed.keys()):
            yield f"{name} {key}: explained or scored, not both"
        for key, sums in _listed_sums(history, at).items():
            if key in given and sums != given[key].sums:
                yield f"{name} {key}: contributions add up to {sums}, the row has {given[key].sums}"
        yield from _totals(name, history, given, at)


def _key(row: ScoreRow) -> tuple[str, str, str]:
    return row.template, row.indicator, row.window


def _listed_sums(history: History, at: int) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    found: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for version in versions_for(history.person.state, history.person.rules, at):
        for line in plan_of(version).lines:
            group = version.groups[version.group_of[version.template.indicators.index(line.indicator)]]
            events = [event for event, _ in counted(history, version, group, line.window, at)]
            micro = {name: sum(e.measures.micro.get(name, 0) for e in events) for name, _ in line.shown}
            key = (version.template.template, line.indicator.id, line.window.text)
            found[key] = {name: in_units(amount) for name, amount in micro.items()}
    return found


def _totals(name: str, history: History, given: Mapping[tuple[str, str, str], ScoreRow], at: int) -> Iterator[object]:
    for version in versions_for(history.person.state, history.person.rules, at):
        template = version.template.template
        by_id = {indicator.id: indicator for indicator in version.template.indicators}
        for (_, total, window), row in given.items():
            if row.template != template or total not in TOTALS:
                continue
            dimension = total.removeprefix("@")
            parts = [
                (by_id[indicator].weight, part.points)
                for (of, indicator, within), part in given.items()
                if of == template and within == window and indicator in by_id and part.points is not None
                if dimension in ("total", by_id[indicator].dimension)
            ]
            weight = sum(weight for weight, _ in parts)
            expected = sum(weight * points for weight, points in parts) / weight if weight else None
            if (expected is None) != (row.value is None) or abs((expected or 0) - (row.value or 0)) > 1e-9 * abs(
                expected or 0
            ):
                yield f"{name} {template} {total} {window}: {row.value}, its parts give {expected}"
