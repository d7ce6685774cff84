"""What leaves the worker shows the state: dead letters and late events once each, the latest values as the oracle's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from agents.comparing import compared, decided
from agents.dead_letters import dead_letter
from agents.meta import read_meta
from agents.oracle.compare import differences
from agents.oracle.units import Decided
from agents.told import alert_of
from agents.transport.embedded.log import unpack_headers
from schemas.alerts import AlertRow
from schemas.instants import parse_rfc3339
from schemas.rows import NO_DATA, row_fields
from schemas.updates import ScoreUpdate, UnitUpdate
from stream.topics import ALERTS, DEAD_LETTERS, LATE_EVENTS, SCORE_UPDATES, UNIT_UPDATES
from tests.soak.evidence import Evidence, Place, whole
from tests.soak.workload import UNITS


def dead_letters(evidence: Evidence) -> Iterator[object]:
    """Every rejected record once, with its bytes and its reason, and nothing else."""
    given: Counter[tuple[Place, str]] = Counter()
    for number in range(evidence.partitions):
        for record in whole(evidence.log, DEAD_LETTERS, number):
            letter = dead_letter(record)
            place = (letter.topic, letter.partition, letter.offset)
            given[place, letter.reason] += 1
            original = evidence.records.get(place)
            if original is None or original[1:4] != (letter.timestamp, letter.key, letter.value):
                yield f"{place}: not the record that was rejected"
    yield from _once(given, Counter(evidence.rejected.items()))


def late_events(evidence: Evidence) -> Iterator[object]:
    """Every record that came too late once, with its bytes."""
    given: Counter[Place] = Counter()
    for number in range(evidence.partitions):
        for record in whole(evidence.log, LATE_EVENTS, number):
            origin = {name: (text or b"").decode() for name, text in unpack_headers(record[4])}
            place = (origin["topic"], int(origin["partition"]), int(origin["offset"]))
            given[place] += 1
            if evidence.records[place][1:4] != record[1:4]:
                yield f"{place}: not the record that was late"
    yield from _once(given, Counter(evidence.late))


def _once(given: Counter[Any], expected: Counter[Any]) -> Iterator[object]:
    for entry in given | expected:
        if given[entry] != expected[entry]:
            yield f"{entry}: {given[entry]} times, {expected[entry]} expected"


def alerts(evidence: Evidence) -> Iterator[object]:
    """The last word on every alert is the oracle's; no word is said twice.

    Workers go on ticking meanwhile: what ticks and units have decided since the oracle looked is left out.
    """
    units, (last, twice) = _units(evidence), _said(evidence)
    while units != (units := _units(evidence)):  # members have heard something meanwhile
        last, twice = _said(evidence)
    yield from twice
    yield from compared(evidence.oracle, units, last.values())


def _said(evidence: Evidence) -> tuple[dict[str, AlertRow], list[object]]:
    """(the last rows, by id, what was said twice)."""
    last: dict[str, AlertRow] = {}
    twice: list[object] = []
    for number in range(evidence.partitions):
        latest: dict[bytes | None, bytes | None] = {}
        times = evidence.oracle._known.of(number).ticks.times
        for record in whole(evidence.log, ALERTS, number):
            row = alert_of(record[3])
            if row and _counts(row, last.get(row.alert_id), times[-1] if times else -1, evidence.decided.minute):
                last[row.alert_id] = row
            if latest.get(record[2]) == record[3]:
                twice.append(f"{record[2]!r}: said twice, the second time at offset {record[0]}")
            latest[record[2]] = record[3]
    return last, twice


def _counts(row: AlertRow, before: AlertRow | None, tick: int, minute: int) -> bool:
    """Whether a row is of the time at which the oracle looked: the last tick, and the last minute that was decided."""
    folds = row.folded_into != (None if before is None else before.folded_into)
    if row.first_event and not folds:
        return True  # a record says it
    of_a_unit = folds or row.value is not None
    return (parse_rfc3339(row.changed_at) or 0) <= (minute if of_a_unit else tick)


def _units(evidence: Evidence) -> Decided:
    """How far units have come by now, but no further than when the oracle looked."""
    now, then = decided(evidence.log, read_meta(evidence.log)), evidence.decided.minute
    return now._replace(minute=then, heard={number: min(at, then) for number, at in now.heard.items()})


def score_updates(evidence: Evidence) -> Iterator[object]:
    """Everybody's latest values are right as of their as-of, and nothing but the as-of has changed since."""
    updates, now = latest_scores(evidence), evidence.known.now
    for name in sorted(evidence.oracle.employees):
        update = updates.pop(name, None)
        if update is None:
            yield f"{name}: no update"
            continue
        at = parse_rfc3339(update.as_of) or 0
        given = with_data(map(row_fields, update.rows))
        yield from differences(with_data(evidence.oracle.rows(at, name)), given)
        fresh = map(_timeless, with_data(evidence.oracle.rows(max(at, now), name)))
        yield from (f"stale at {now}: {found}" for found in differences(fresh, map(_timeless, given)))
    yield from (
        f"{name}: rows of nobody" for name, update in updates.items() if with_data(map(row_fields, update.rows))
    )


def unit_updates(evidence: Evidence) -> Iterator[object]:
    """The latest values of units are pooled sums, of the members that score updates name."""
    oracle, updates = evidence.units, latest_units(evidence)
    members: dict[str, list[str]] = {}
    newest = evidence.known.now  # before the first tick the members' own instants are all there is
    for name, score in sorted(latest_scores(evidence).items()):
        members.setdefault(score.unit, []).append(name)
        newest = max(newest, parse_rfc3339(score.as_of) or 0)
    for unit in sorted({*UNITS, *updates}):
        update = updates.get(unit)
        at = (parse_rfc3339(update.as_of) if update else 0) or newest
        given = [] if update is None else with_data({"employee_id": unit, **row_fields(row)} for row in update.rows)
        yield from differences(oracle.rows(unit, at), given)
        if update is not None and update.members != members.get(unit, []):
            yield f"{unit}: members {update.members}, by their own updates {members.get(unit, [])}"


def latest_scores(evidence: Evidence) -> dict[str, ScoreUpdate]:
    """By employee."""
    return {key: msgspec.json.decode(value, type=ScoreUpdate) for key, value in _latest(evidence, SCORE_UPDATES)}


def latest_units(evidence: Evidence) -> dict[str, UnitUpdate]:
    """By unit."""
    return {key: msgspec.json.decode(value, type=UnitUpdate) for key, value in _latest(evidence, UNIT_UPDATES)}


def _latest(evidence: Evidence, topic: str) -> Iterator[tuple[str, bytes]]:
    for number in range(evidence.partitions):
        latest = {record[2]: record[3] for record in whole(evidence.log, topic, number)}
        yield from ((key.decode(), value) for key, value in latest.items() if key is not None and value is not None)


def with_data(rows: Iterable[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Without those that say that there is no data: a screen need not be told."""
    return [row for row in rows if row["status"] != NO_DATA]


def _timeless(row: Mapping[str, object]) -> dict[str, object]:
    return {**row, "as_of": 0, "window_start": 0}
