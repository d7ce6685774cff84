"""What product and oracle make of the same log, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from agents.comparing import compared, decided
from agents.oracle.compare import differences
from agents.oracle.recompute import Recomputed
from agents.query import Committed, committed, histories_known_at, rows_as_of
from agents.told import latest_alerts
from schemas.event import TOPIC_OF
from schemas.instants import DAY, HOUR, MINUTE
from schemas.rows import row_fields
from stream.history import counted, history_rows
from stream.plan import plan_of
from stream.pool import Units
from stream.score import score_rows, versions_for
from tests.agents.pooled import unit_rows
from tests.agents.rig import Rig, plain

LATER = (0, MINUTE, HOUR, DAY, 32 * DAY, 400 * DAY)


class Disagreement(NamedTuple):
    """Where they differ: which question, at which instant, and what each says."""

    question: str
    at: int
    difference: object


def disagreements(rig: Rig) -> list[Disagreement]:
    """How records ended, the newest instants, and every row as of the last event, later, earlier, as known earlier."""
    oracle, known = rig.recompute(), committed(rig.log)
    return [
        *_of_outcomes(rig, oracle, known),
        *(found for later in LATER for found in _as_of(rig, oracle, known, oracle.last + later)),
        *_at_work(rig, oracle),
        *_of_alerts(rig, oracle),
        *_explained(rig, oracle),
        *_of_the_past(rig, oracle, known),
    ]


def shown_wrong(rig: Rig) -> list[Disagreement]:
    """What screens show after a tick later than all events: the latest values of everybody and every unit."""
    oracle = rig.recompute()
    updates = rig.updates()
    found: list[Disagreement] = []
    for name in sorted(oracle.employees | updates.keys()):
        rows = (_timeless(row) for row in oracle.rows(oracle.now, name))
        shown = [row_fields(row) for row in updates[name].rows] if name in updates else []
        found += _rows("shown", oracle.now, filter(_has_data, rows), filter(_has_data, map(_timeless, shown)))
    units = Units()
    for update in rig.all_updates():
        units.take(update)
    for unit in ("L1", "L2"):
        pooled = units.update(unit, rig.rules, oracle.now).rows
        given = [{"employee_id": unit, **row_fields(row)} for row in pooled]
        expected = unit_rows(oracle, unit, oracle.now)
        found += _rows(f"unit {unit}", oracle.now, filter(_has_data, expected), filter(_has_data, given))
    return found


def _has_data(row: Mapping[str, object]) -> bool:
    return row["status"] != "no_data"


def _timeless(row: Mapping[str, object]) -> dict[str, object]:
    """A value stays shown while only the as-of moves on."""
    return {**row, "as_of": 0, "window_start": 0}


def _of_outcomes(rig: Rig, oracle: Recomputed, known: Committed) -> Iterator[Disagreement]:
    if oracle.outcomes != rig.outcomes():
        yield Disagreement("outcomes", oracle.last, (oracle.outcomes, rig.outcomes()))
    if (oracle.last, oracle.now) != (known.last, known.now):
        yield Disagreement("last and now", oracle.last, ((oracle.last, oracle.now), (known.last, known.now)))


def _as_of(rig: Rig, oracle: Recomputed, known: Committed, at: int) -> Iterator[Disagreement]:
    yield from _rows("committed", at, oracle.rows(at), plain(rows_as_of(rig.log, known, at, rig.limits)))


def _at_work(rig: Rig, oracle: Recomputed) -> Iterator[Disagreement]:
    """The states in memory, beside those of the changelog."""
    for partition in rig.partitions:
        for name, person in partition.persons.items():
            yield from _rows(
                "in memory", oracle.last, oracle.rows(oracle.last, name), plain(score_rows(person, oracle.last))
            )


def _of_alerts(rig: Rig, oracle: Recomputed) -> Iterator[Disagreement]:
    """The last word on every alert, of units too, but those that were taken back."""
    units = decided(rig.log, committed(rig.log).metas)
    for found in compared(oracle, units, latest_alerts(rig.log).values()):
        yield Disagreement("alerts", oracle.last, found)


def _explained(rig: Rig, oracle: Recomputed) -> Iterator[Disagreement]:
    """Which events make each score: from the log alone, as `explain` reads it."""
    at = oracle.last
    for name, history in histories_known_at(rig.log, None, rig.limits).items():
        for version in versions_for(history.person.state, history.person.rules, at):
            for line in plan_of(version).lines:
                group = version.groups[version.group_of[version.template.indicators.index(line.indicator)]]
                events = counted(history, version, group, line.window, at)
                given = sorted((TOPIC_OF[event.type.partition(".")[0]], event.offset) for event, _ in events)
                asked = (name, version.template.template, line.indicator.id, line.window.text)
                expected = sorted((c.topic, c.offset) for c in oracle.contributions(*asked, at))
                if expected != given:
                    yield Disagreement(f"explain {asked}", at, (expected, given))


def _of_the_past(rig: Rig, oracle: Recomputed, known: Committed) -> Iterator[Disagreement]:
    times = sorted({record.timestamp for record in rig.records()})
    middle = times[len(times) // 2]
    for at in (times[0] - HOUR, middle, times[-1] - DAY):
        yield from _as_of(rig, oracle, known, at)
    for moment in (times[len(times) // 4], middle):
        then = rig.recompute(moment)
        histories = histories_known_at(rig.log, moment, rig.limits).values()
        rows = [row for history in histories for row in history_rows(history, then.last)]
        yield from _rows(f"known at {moment}", then.last, then.rows(then.last), plain(rows))


def _rows(
    question: str, at: int, expected: Iterable[Mapping[str, object]], actual: Iterable[Mapping[str, object]]
) -> Iterator[Disagreement]:
    return (Disagreement(question, at, found) for found in differences(expected, actual))
