"""What a unit's rows must be: the oracle's events, added up by the unit that each of them happened in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from agents.oracle.log import Event
from agents.oracle.recompute import Recomputed
from agents.oracle.rows import entered, span
from agents.oracle.rulebook import Version
from agents.oracle.score import Row, indicator_fields, total_fields
from agents.oracle.template import Indicator

_Column = tuple[Indicator, dict[str, list[Event]]]  # by unit


class UnitOracle:
    """Rows of units as of any instant; where each event happened is looked up once."""

    def __init__(self, oracle: Recomputed) -> None:
        self._oracle = oracle
        self._known: dict[Version, list[_Column]] = {}
        self._unit: dict[tuple[str, int, int], str] = {}
        for person in oracle._people.values():
            posts = sorted(
                (event.at, event.offset, dict(event.kind.dims).get("unit"))
                for event in person.events
                if event.kind.type == "people.assignment"
            )
            for event in person.events:
                place = bisect_right(posts, event.at, key=lambda post: post[0])
                unit = posts[place - 1][2] if place else None
                self._unit[event.topic, event.partition, event.offset] = unit or dict(event.kind.dims).get("line", "")

    def rows(self, unit: str, at: int) -> Iterator[Row]:
        """The rows with data as of `at` (ms), under the versions in force then, whoever they are for."""
        for version in self._oracle._rulebook._versions:
            if version.start <= at and (version.end is None or at < version.end):
                yield from self._of_version(version, unit, at)

    def _of_version(self, version: Version, unit: str, at: int) -> Iterator[Row]:
        columns = [(indicator, by_unit.get(unit, [])) for indicator, by_unit in self._columns(version)]
        for window in dict.fromkeys(w for indicator, _ in columns for w in indicator.windows):
            bounds = self._shift(unit, at) if window.kind == "shift" else span(version, window, at)
            if bounds is None:
                continue
            start, end = bounds
            scored = [
                (indicator, self._fields(version, indicator, [e for e in events if start <= e.at < end]))
                for indicator, events in columns
                if window in indicator.windows
            ]
            for name, fields in (*((i.id, fields) for i, fields in scored), *total_fields(scored)):
                if fields["status"] != "no_data":
                    yield {
                        "employee_id": unit, "template": version.template.template,
                        "version": version.template.version, "indicator": name, "window": window.text,
                        "window_start": start, "as_of": at, **fields,
                    }  # fmt: skip

    def _shift(self, unit: str, at: int) -> tuple[int, float] | None:
        return self._oracle._rulebook.calendars.shift(unit, at)

    def _fields(self, version: Version, indicator: Indicator, events: list[Event]) -> Row:
        sums = {name: sum(dict(event.measures).get(name, 0) for event in events) for name in indicator.measures}
        allowed = map(self._oracle._rulebook.case_mix(version, indicator).allowance, events)
        return indicator_fields(indicator, len(events), sums, {}, sum(allowed))

    def _columns(self, version: Version) -> list[_Column]:
        columns = self._known.get(version)
        if columns is None:
            columns = self._known[version] = [(indicator, {}) for indicator in version.template.indicators]
            for person in self._oracle._people.values():
                for (_, into), (_, events) in zip(
                    columns, entered(person, version, self._oracle._rulebook), strict=True
                ):
                    for event in events:
                        unit = self._unit[event.topic, event.partition, event.offset]
                        into.setdefault(unit, []).append(event)
        return columns
