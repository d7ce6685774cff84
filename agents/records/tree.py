"""What an organisation must be at every instant: one tree, people only in units that exist. All breaches are told.

`check` is the whole law. A breach names the unit or employee, the instant, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from agents.records.fields import problems_of
from agents.records.rows import (
    FOREVER,
    Assignment,
    Charge,
    Key,
    Organisation,
    Row,
    Span,
    by_first,
    span_at,
    until,
    when,
)
from schemas.instants import format_rfc3339

PARENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "company": (),  # the root, and nothing else is
    "branch": ("company",),
    "store": ("company", "branch"),
    "department": ("company", "branch", "store", "department"),
    "team": ("company", "branch", "store", "department"),
}
Spans = Sequence[tuple[int, int]]


class Breach(NamedTuple):
    """What is wrong with a row: of which table, with which key, from which instant on; and the remedy."""

    table: str
    key: Key
    at: int | None
    what: str
    remedy: str

    @property
    def subject(self) -> str:
        """Whom it is about."""
        noun = "employee" if self.table in ("employees", "assignments") else "unit"
        return f"{noun} {self.key[0]}" + (f", manager {self.key[1]}" if self.table == "managers" else "")

    def __str__(self) -> str:
        at = "" if self.at is None else f" at {format_rfc3339(self.at)}"
        return f"{self.subject}{at}: {self.what}; {self.remedy}"


class OrganisationError(ValueError):
    """A change that cannot be: it would break what an organisation is. Nothing was changed."""

    def __init__(self, breaches: Sequence[Breach]) -> None:
        self.breaches = tuple(breaches)
        more = f" (and {len(breaches) - 1} more)" if len(breaches) > 1 else ""
        super().__init__(f"{breaches[0]}{more}")


def check(organisation: Organisation) -> list[Breach]:
    """Everything that is wrong, in the order of tables; empty: it is an organisation."""
    spans = by_first(organisation.unit_spans)
    exists = {unit: _merged([(span.begins, until(span.ends)) for span in own]) for unit, own in spans.items()}
    assignments = by_first(organisation.assignments)
    return [
        *_values(organisation),
        *_nowhere(organisation, spans),
        *_overlaps("unit_spans", list(spans.values())),
        *_roots(organisation),
        *_parents(organisation, exists),
        *_cycles(organisation, spans),
        *_assigned(organisation, assignments, exists),
        *_managers(organisation, assignments, exists),
    ]


def _values(organisation: Organisation) -> Iterator[Breach]:
    for table in Organisation._fields:
        rows: Mapping[Key, Row] = getattr(organisation, table)
        for key, row in rows.items():
            for what, remedy in problems_of(row):
                yield Breach(table, key, None, what, remedy)


def _nowhere(organisation: Organisation, spans: Mapping[str, list[Span]]) -> Iterator[Breach]:
    for (unit,) in organisation.units:
        if unit not in spans:
            yield Breach("units", (unit,), None, "it never exists", "say from when on it does, and what it belongs to")
    for key, span in organisation.unit_spans.items():
        if (span.unit,) not in organisation.units:
            yield Breach("unit_spans", key, span.begins, "there is no such unit", "say of which kind it is")


def _overlaps(table: str, groups: Sequence[Sequence[Span | Charge]]) -> Iterator[Breach]:
    """Of one subject, in order: a span begins only when the one before it is over."""
    for rows in groups:
        for earlier, later in pairwise(rows):
            if until(earlier.ends) > later.begins:
                what = f"two spans hold at once: one since {when(earlier.begins)}, one since {when(later.begins)}"
                remedy = f"end the first at {when(later.begins)} or before"
                yield Breach(table, _key(later), later.begins, what, remedy)


def _roots(organisation: Organisation) -> Iterator[Breach]:
    roots = [span for span in organisation.unit_spans.values() if span.parent is None]
    first: Span | None = None
    for span in sorted(roots, key=lambda span: (span.begins, span.unit)):
        if first is not None and until(first.ends) > span.begins and first.unit != span.unit:
            what = f"there are two roots, {first.unit} and this one"
            yield Breach("unit_spans", _key(span), span.begins, what, f"let it belong to {first.unit}, or end that one")
        if first is None or until(span.ends) > until(first.ends):
            first = span


def _parents(organisation: Organisation, exists: Mapping[str, Spans]) -> Iterator[Breach]:
    for key, span in organisation.unit_spans.items():
        unit = organisation.units.get((span.unit,))
        if unit is None or unit.kind not in PARENTS:
            continue  # told already
        kind = unit.kind
        parent = None if span.parent is None else organisation.units.get((span.parent,))
        if parent is None:
            if span.parent is not None:
                what = f"its parent {span.parent!r} is no unit"
                yield Breach("unit_spans", key, span.begins, what, "name one that exists, or add it")
            elif PARENTS[kind]:
                what, remedy = f"a {kind} has no parent", f"name one: it belongs to a {_or(PARENTS[kind])}"
                yield Breach("unit_spans", key, span.begins, what, remedy)
            continue
        if parent.kind not in PARENTS[kind]:
            what = f"a {kind} cannot belong to a {parent.kind} ({parent.id})"
            remedy = f"it belongs to a {_or(PARENTS[kind])}" if PARENTS[kind] else "it is the root and has no parent"
            yield Breach("unit_spans", key, span.begins, what, remedy)
        gap = _gap(exists.get(parent.id, ()), span.begins, until(span.ends))
        if gap is not None:
            what, remedy = f"its parent {parent.id} does not exist then", "move it or close it by then"
            yield Breach("unit_spans", key, gap, what, remedy)


def _cycles(organisation: Organisation, spans: Mapping[str, list[Span]]) -> Iterator[Breach]:
    """A cycle closes when one of its spans begins, so it is enough to walk up then."""
    for key, span in organisation.unit_spans.items():
        way = [span.unit]
        above = span.parent
        while above is not None and above not in way:
            way.append(above)
            found = span_at(spans.get(above, ()), span.begins)
            above = None if found is None else found.parent
        if above == span.unit:
            what = f"it would belong to itself ({' < '.join([*way, above])})"
            yield Breach("unit_spans", key, span.begins, what, "choose a parent that is not below it")


def _assigned(
    organisation: Organisation, assignments: Mapping[str, list[Assignment]], exists: Mapping[str, Spans]
) -> Iterator[Breach]:
    for employee, history in assignments.items():
        if (employee,) not in organisation.employees:
            key = _key(history[0])
            yield Breach("assignments", key, history[0].begins, "there is no such employee", "add the employee first")
        for place, assignment in enumerate(history):
            if assignment.unit is not None:
                ends = history[place + 1].begins if place + 1 < len(history) else FOREVER
                yield from _within("assignments", assignment, assignment.unit, ends, exists)


def _managers(
    organisation: Organisation, assignments: Mapping[str, list[Assignment]], exists: Mapping[str, Spans]
) -> Iterator[Breach]:
    groups: dict[Key, list[Charge]] = {}
    for key in sorted(organisation.managers):
        groups.setdefault(key[:2], []).append(organisation.managers[key])
    yield from _overlaps("managers", list(groups.values()))
    for key, charge in organisation.managers.items():
        yield from _within("managers", charge, charge.unit, until(charge.ends), exists)
        gap = _gap(_employed(assignments.get(charge.employee, ())), charge.begins, until(charge.ends))
        if gap is not None:
            remedy = "end it by then, or assign them a role and unit first"
            yield Breach("managers", key, gap, f"{charge.employee} has no assignment then", remedy)


def _within(
    table: str, row: Assignment | Charge, unit: str, ends: int, exists: Mapping[str, Spans]
) -> Iterator[Breach]:
    """A row is about a unit, which must exist from its beginning to its end."""
    gap = _gap(exists.get(unit, ()), row.begins, ends)
    if gap is not None:
        there = "does not exist then" if unit in exists else "does not exist"
        yield Breach(table, _key(row), gap, f"unit {unit} {there}", "name a unit that exists, or end it by then")


def _employed(history: Sequence[Assignment]) -> Spans:
    ends = [*(assignment.begins for assignment in history[1:]), FOREVER]
    return _merged([(a.begins, end) for a, end in zip(history, ends, strict=False) if a.unit is not None])


def _merged(spans: Spans) -> Spans:
    """Spans in order, those that touch in one."""
    found: list[tuple[int, int]] = []
    for begins, ends in spans:
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(ends, found[-1][1]))
        else:
            found.append((begins, ends))
    return found


def _gap(spans: Spans, begins: int, ends: int) -> int | None:
    """The first instant of [begins, ends) that is in none of the merged spans."""
    for start, end in spans:
        if start <= begins < end:
            return end if end < ends else None
    return begins


def _key(row: Span | Charge | Assignment) -> Key:
    return tuple(row[:3]) if isinstance(row, Charge) else tuple(row[:2])


def _or(kinds: Sequence[str]) -> str:
    return ", ".join(kinds[:-1]) + f" or {kinds[-1]}" if len(kinds) > 1 else kinds[0]
