"""Which closed results a change of the organisation reaches: told before it is made, from what closed so far.

What somebody brought to a unit since the instant of a late transfer goes to the other one, with the units above both; a
role from then on decides anew which templates are for them, a unit which shifts they had; a unit that moves takes its
results along. The next run of `scorestream results close` computes those results again. It may find nothing new in some
of them: of a window that the change cuts only a part belongs elsewhere, shifts of two units may be the same, and here
nobody looks into the log. Nor are shifts told that somebody gets instead of those that they had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, Table, func, select

from agents.records.events import is_of_units, tree_of
from agents.records.result_tables import result_parts, results
from agents.records.results import closed_until
from agents.records.rows import FOREVER, Assignment, Change, Organisation, assignment_at, of
from stream.closed import SHIFT, Closed
from stream.unit_tree import UnitTree

EMPLOYEE: Final = "employee"
UNIT: Final = "unit"


class Reached(NamedTuple):
    """The results of a subject in a closed window; `number`: of their last restatement, None: there are none yet."""

    kind: str
    subject: str
    closed: Closed
    number: int | None


class _Stretch(NamedTuple):
    """In [begins, ends) somebody is elsewhere than they were said to be."""

    begins: int
    ends: int
    was: Assignment | None
    now: Assignment | None


def reached(
    connection: Connection, old: Organisation, new: Organisation, changes: Sequence[Change]
) -> tuple[Reached, ...]:
    """Results that a change reaches, by the end of their windows; none while nothing was closed."""
    until = closed_until(connection)
    if until is None:
        return ()
    before, after = tree_of(old), tree_of(new)
    found: set[tuple[str, str, Closed]] = set()
    for employee in sorted({change.key[0] for change in changes if change.table == "assignments"}):
        for stretch in _stretches(of(old.assignments, employee), of(new.assignments, employee)):
            if stretch.begins < until:
                found.update(_of_person(connection, employee, stretch, after))
    if is_of_units(changes) and (since := _tree_changed(before, after)) is not None and since < until:
        found.update(_of_trees(connection, since, before, after))
    numbers = _numbers(connection, found)
    made = (Reached(*one, numbers.get(one)) for one in found)
    return tuple(sorted(made, key=lambda one: (one.closed.end, one.closed, one.kind, one.subject)))


def _stretches(old: Sequence[Assignment], new: Sequence[Assignment]) -> Iterator[_Stretch]:
    edges = sorted({row.begins for row in (*old, *new)})
    for begins, ends in zip(edges, [*edges[1:], FOREVER], strict=True):
        was, now = assignment_at(old, begins), assignment_at(new, begins)
        if _place(was) != _place(now):
            yield _Stretch(begins, ends, was, now)


def _place(row: Assignment | None) -> tuple[str | None, str | None]:
    return (None, None) if row is None else (row.role, row.unit)


def _of_person(
    connection: Connection, employee: str, stretch: _Stretch, tree: UnitTree
) -> Iterator[tuple[str, str, Closed]]:
    (old_role, old_unit), (new_role, new_unit) = _place(stretch.was), _place(stretch.now)
    mine = (results.c.subject_kind == EMPLOYEE, results.c.subject == employee)
    for closed in _windows(connection, results, stretch, *mine):
        if old_role != new_role or (old_unit != new_unit and closed.window == SHIFT):
            yield EMPLOYEE, employee, closed
    for unit in _units(connection, employee):
        # Who had no unit worked in the line that their events name: those go to the new one, too.
        if unit != old_unit and old_unit is not None:
            continue
        own = (result_parts.c.employee == employee, result_parts.c.unit == unit)
        for closed in _windows(connection, result_parts, stretch, *own):
            lost = {unit, *tree.above(unit, closed.as_of)}
            gained = {new_unit, *tree.above(new_unit, closed.as_of)} if new_unit is not None else set()
            # With another role, what they bring to those that they stay in may be another number as well; above two
            # units with other shifts one of them may not count.
            stay = old_role == new_role and closed.window != SHIFT
            for one in lost ^ gained if stay else lost | gained:
                if one:
                    yield from ((UNIT, one, own) for own in _own(connection, one, unit, closed))


def _own(connection: Connection, unit: str, lost: str, closed: Closed) -> Iterator[Closed]:
    """The window as a unit has it that takes from another one: a shift may begin and end at other times."""
    stretch = _Stretch(closed.start, closed.end, None, None)
    own = (results.c.subject_kind == UNIT, results.c.subject == unit, results.c.template == closed.template)
    found = [] if unit == lost or closed.window != SHIFT else list(_windows(connection, results, stretch, *own))
    yield from [one for one in found if one.window == SHIFT] or [closed]


def _units(connection: Connection, employee: str) -> list[str]:
    wanted = select(result_parts.c.unit).where(result_parts.c.employee == employee).distinct()
    return list(connection.execute(wanted).scalars())


def _windows(connection: Connection, table: Table, stretch: _Stretch, *where: object) -> Iterator[Closed]:
    c = table.c
    columns = (c.template, c.window_kind, c.window_start, c.window_end)
    wanted = select(*columns).where(c.window_end > stretch.begins, c.window_start < stretch.ends, *where)  # type: ignore[arg-type]
    return (Closed(*row) for row in connection.execute(wanted.distinct()))


def _of_trees(
    connection: Connection, since: int, before: UnitTree, after: UnitTree
) -> Iterator[tuple[str, str, Closed]]:
    """Units above which something else stands than before."""
    c = result_parts.c
    columns = (c.unit, c.template, c.window_kind, c.window_start, c.window_end)
    for unit, *window in connection.execute(select(*columns).where(c.window_end > since).distinct()):
        closed = Closed(*window)
        for one in set(before.above(unit, closed.as_of)) ^ set(after.above(unit, closed.as_of)):
            yield UNIT, one, closed


def _tree_changed(old: UnitTree, new: UnitTree) -> int | None:
    """The earliest instant at which some unit belongs elsewhere; None: each is where it was."""
    units = old.units.keys() | new.units.keys()
    edges = sorted({*old.edges, *new.edges})
    return next((at for at in edges if any(old.parent(unit, at) != new.parent(unit, at) for unit in units)), None)


def _numbers(connection: Connection, wanted: set[tuple[str, str, Closed]]) -> Mapping[tuple[str, str, Closed], int]:
    """The last restatement of each that has results."""
    c = results.c
    found: dict[tuple[str, str, Closed], int] = {}
    columns = (c.template, c.window_kind, c.window_start, c.window_end)
    for kind, subject in sorted({(kind, subject) for kind, subject, _ in wanted}):
        query = select(*columns, func.max(c.number)).where(c.subject_kind == kind, c.subject == subject)
        for *window, number in connection.execute(query.group_by(*columns)):
            found[kind, subject, Closed(*window)] = number
    return found
