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
)
from agents.records.sayings import About, Instant, Kinds, Said, said
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
    said: Said

    @property
    def subject(self) -> About:
        """Whom it is about."""
        noun = "employee" if self.table in ("employees", "assignments") else "unit"
        return About(noun, self.key[0], self.key[1] if self.table == "managers" else "")

    def told(self, language: str = "en", instant: Instant = format_rfc3339) -> str:
        """All of it in a sentence, in Chinese or English."""
        return sentence(self.subject, self.at, self.said, language, instant)

    def __str__(self) -> str:
        return self.told()


def sentence(about: About, at: int | None, what: Said, language: str, instant: Instant) -> str:
    """Whom, from when on, what is wrong, what to do."""
    wrong, remedy = what.told(language, instant)
    if language == "zh":
        return f"{about.told('zh')}{'' if at is None else f'，{instant(at)}'}：{wrong}；{remedy}"
    return f"{about}{'' if at is None else f' at {instant(at)}'}: {wrong}; {remedy}"


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
            for what in problems_of(row):
                yield Breach(table, key, None, what)


def _nowhere(organisation: Organisation, spans: Mapping[str, list[Span]]) -> Iterator[Breach]:
    for (unit,) in organisation.units:
        if unit not in spans:
            yield Breach("units", (unit,), None, said("never-exists"))
    for key, span in organisation.unit_spans.items():
        if (span.unit,) not in organisation.units:
            yield Breach("unit_spans", key, span.begins, said("no-unit"))


def _overlaps(table: str, groups: Sequence[Sequence[Span | Charge]]) -> Iterator[Breach]:
    """Of one subject, in order: a span begins only when the one before it is over."""
    for rows in groups:
        for earlier, later in pairwise(rows):
            if until(earlier.ends) > later.begins:
                both = said("two-spans", first=earlier.begins, second=later.begins)
                yield Breach(table, _key(later), later.begins, both)


def _roots(organisation: Organisation) -> Iterator[Breach]:
    roots = [span for span in organisation.unit_spans.values() if span.parent is None]
    first: Span | None = None
    for span in sorted(roots, key=lambda span: (span.begins, span.unit)):
        if first is not None and until(first.ends) > span.begins and first.unit != span.unit:
            yield Breach("unit_spans", _key(span), span.begins, said("two-roots", root=first.unit))
        if first is None or until(span.ends) > until(first.ends):
            first = span


def _parents(organisation: Organisation, exists: Mapping[str, Spans]) -> Iterator[Breach]:
    for key, span in organisation.unit_spans.items():
        unit = organisation.units.get((span.unit,))
        if unit is None or unit.kind not in PARENTS:
            continue  # told already
        kind, may = Kinds((unit.kind,)), Kinds(PARENTS[unit.kind])
        parent = None if span.parent is None else organisation.units.get((span.parent,))
        if parent is None:
            if span.parent is not None:
                yield Breach("unit_spans", key, span.begins, said("parent-unknown", parent=span.parent))
            elif may:
                yield Breach("unit_spans", key, span.begins, said("parent-needed", kind=kind, kinds=may))
            continue
        if parent.kind not in may:
            code, other = "parent-wrong" if may else "root-parent", Kinds((parent.kind,))
            wrong = said(code, kind=kind, other=other, parent=parent.id, kinds=may)
            yield Breach("unit_spans", key, span.begins, wrong)
        gap = _gap(exists.get(parent.id, ()), span.begins, until(span.ends))
        if gap is not None:
            yield Breach("unit_spans", key, gap, said("parent-gone", parent=parent.id))


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
            yield Breach("unit_spans", key, span.begins, said("cycle", way=" < ".join([*way, above])))


def _assigned(
    organisation: Organisation, assignments: Mapping[str, list[Assignment]], exists: Mapping[str, Spans]
) -> Iterator[Breach]:
    for employee, history in assignments.items():
        if (employee,) not in organisation.employees:
            key = _key(history[0])
            yield Breach("assignments", key, history[0].begins, said("employee-unknown"))
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
            yield Breach("managers", key, gap, said("no-work-then", employee=charge.employee))


def _within(
    table: str, row: Assignment | Charge, unit: str, ends: int, exists: Mapping[str, Spans]
) -> Iterator[Breach]:
    """A row is about a unit, which must exist from its beginning to its end."""
    gap = _gap(exists.get(unit, ()), row.begins, ends)
    if gap is not None:
        yield Breach(table, _key(row), gap, said("unit-gone" if unit in exists else "unit-unknown", unit=unit))


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
