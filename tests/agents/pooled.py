"""What a unit's rows must be, added up from the oracle's events: by the unit that each event happened in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from agents.oracle.log import Event
from agents.oracle.recompute import Recomputed
from agents.oracle.rows import entered, span
from agents.oracle.rulebook import Version
from agents.oracle.score import Row, indicator_fields, total_fields
from agents.oracle.template import Indicator

Counted = list[tuple[Indicator, list[Event]]]


def unit_rows(oracle: Recomputed, unit: str, at: int, below: Collection[str] = ()) -> Iterator[Row]:
    """The rows of a unit, with those `below` it, as of `at` (ms), under the versions in force then, whoever they are
    for.
    """
    for version in oracle._rulebook._versions:
        if version.start <= at and (version.end is None or at < version.end):
            counted = _counted(oracle, version, {unit, *below})
            for window in dict.fromkeys(w for indicator, _ in counted for w in indicator.windows if w.kind != "shift"):
                start, end = span(version, window, at)
                scored = [
                    (indicator, _fields(oracle, version, indicator, [e for e in events if start <= e.at < end]))
                    for indicator, events in counted
                    if window in indicator.windows
                ]
                for name, fields in (*((i.id, fields) for i, fields in scored), *total_fields(scored)):
                    yield {
                        "employee_id": unit, "template": version.template.template,
                        "version": version.template.version, "indicator": name, "window": window.text,
                        "window_start": start, "as_of": at, **fields,
                    }  # fmt: skip


def _counted(oracle: Recomputed, version: Version, units: Collection[str]) -> Counted:
    counted: Counted = [(indicator, []) for indicator in version.template.indicators]
    for person in oracle._people.values():
        for (_, into), (_, events) in zip(counted, entered(person, version, oracle._rulebook), strict=True):
            into.extend(event for event in events if unit_of(event, person.events) in units)
    return counted


def unit_of(event: Event, everything: Sequence[Event]) -> str:
    """Of the assignment in force when it happened, else its dim `line`."""
    before = [e for e in everything if e.kind.type == "people.assignment" and e.at <= event.at]
    dims = dict(max(before, key=lambda e: (e.at, e.offset)).kind.dims) if before else {}
    return dims.get("unit") or dict(event.kind.dims).get("line", "")


def _fields(oracle: Recomputed, version: Version, indicator: Indicator, events: list[Event]) -> Row:
    sums = {name: sum(dict(event.measures).get(name, 0) for event in events) for name in indicator.measures}
    allowed = map(oracle._rulebook.case_mix(version, indicator).allowance, events)
    return indicator_fields(indicator, len(events), sums, {}, sum(allowed))
