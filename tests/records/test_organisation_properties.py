"""Whatever people do in whatever order: it stays an organisation, and the events say what the tables say."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from agents.records import edits
from agents.records.database import Records
from agents.records.edits import Edit
from agents.records.events import messages
from agents.records.organisation import change, read
from agents.records.rows import NOBODY, TABLES, Employee, Organisation, assignment_at, differences, of
from agents.records.tables import changes, metadata, outbox
from agents.records.tree import PARENTS, OrganisationError, check
from schemas.instants import parse_rfc3339
from stream.topics import PEOPLE_EVENTS
from tests.records.people import DAY, T0

UNITS = ("acme", "zeta", "D1", "D2", "L01")
KINDS = dict(zip(UNITS, ("company", "company", "department", "department", "team"), strict=True))
PEOPLE = ("E1", "E2")
TIMES = tuple(T0 + step * DAY for step in range(6))
UNDONE = [  # what was said in place of the transfer follows what it goes back to
    edits.remove_assignment("E1", TIMES[3]),
    edits.correct_assignment("E1", TIMES[1], "tester", "L01"),
]
AGAIN = [edits.transfer("E1", "operator", "D2", TIMES[2]), edits.remove_assignment("E1", TIMES[1])]
Messages = list[tuple[str, bytes]]

unit, person, at = st.sampled_from(UNITS), st.sampled_from(PEOPLE), st.sampled_from(TIMES)
parent = st.sampled_from((None, *UNITS))
ends = st.none() | at
role = st.sampled_from(("operator", "tester"))
doing: st.SearchStrategy[Edit] = st.one_of(
    st.builds(lambda u, p, t, e: edits.add_unit(u, KINDS[u], p, u, u, t, e), unit, parent, at, ends),
    st.builds(lambda t, e: edits.add_unit("zeta", "company", None, "z", "z", t, e), at, ends),
    st.builds(edits.move_unit, unit, parent, at),
    st.builds(lambda u, t, name: edits.rename_unit(u, name, name, t), unit, at, role),
    st.builds(edits.close_unit, unit, at),
    st.builds(lambda e, r, u, t: edits.hire(Employee(e, e), r, u, t), person, role, unit, at),
    st.builds(edits.transfer, person, role, unit, at),
    st.builds(edits.leave, person, at),
    st.builds(edits.rehire, person, role, unit, at),
    st.builds(edits.correct_assignment, person, at, role, unit, ends),
    st.builds(edits.remove_assignment, person, at),
    st.builds(edits.set_manager, unit, person, at, ends),
    st.builds(edits.unset_manager, unit, person, at),
)
# Something to break: random edits alone rarely come to have people in a tree.
FIRST = [
    edits.add_unit("acme", "company", None, "a", "a", T0),
    edits.add_unit("D1", "department", "acme", "a", "a", T0),
    edits.add_unit("D2", "department", "D1", "a", "a", T0),
    edits.add_unit("L01", "team", "D2", "a", "a", T0),
    edits.hire(Employee("E1", "E1"), "operator", "L01", TIMES[1]),
    edits.set_manager("D1", "E1", TIMES[1]),
    edits.transfer("E1", "tester", "D2", TIMES[3]),
]


def followed(steps: Sequence[Edit], apply: Callable[[Organisation, Edit, int], Organisation]) -> Organisation:
    """The organisation after all steps that were taken; the clock goes on from the middle of the instants."""
    now = NOBODY
    for number, step in enumerate(steps):
        with suppress(OrganisationError):
            now = apply(now, step, TIMES[2] + number)
    return now


def demand_one_tree(organisation: Organisation) -> None:
    """The invariants, instant by instant, told independently of `check`."""
    for instant in (*TIMES, TIMES[-1] + DAY):
        parents = {
            span.unit: span.parent
            for span in organisation.unit_spans.values()
            if span.begins <= instant and (span.ends is None or instant < span.ends)
        }
        assert (1 if parents else 0) == list(parents.values()).count(None)
        for name, above in parents.items():
            way = [name]
            while parents[way[-1]] is not None:
                way.append(str(parents[way[-1]]))
                assert len(way) <= len(parents)
            assert above is None or KINDS[above] in PARENTS[KINDS[name]]
        for employee in PEOPLE:
            held = assignment_at(of(organisation.assignments, employee), instant)
            assert held is None or held.unit is None or held.unit in parents
        for charge in organisation.managers.values():
            if charge.begins <= instant and (charge.ends is None or instant < charge.ends):
                assert charge.unit in parents


def demand_same(organisation: Organisation, said: Messages) -> None:
    """Folded as the contract says (the largest T, of equal ones the later), events give what the tables give."""
    for employee in PEOPLE:
        folded: dict[int, tuple[str | None, str | None]] = {}
        for key, value in said:
            if key == employee:
                event = json.loads(value)
                dims = event["dims"]
                folded[parse_rfc3339(event["occurred_at"]) or 0] = dims.get("role"), dims.get("unit")
        for instant in (T0 - 1, *TIMES):
            last = max((t for t in folded if t <= instant), default=None)
            held = assignment_at(of(organisation.assignments, employee), instant)
            assert (
                (None, None) == (held[2:] if held else (None, None))
                if last is None
                else folded[last] == (held[2:] if held else (None, None))
            )


@settings(max_examples=150, deadline=None)
@example(UNDONE)
@example([*UNDONE, *AGAIN])
@given(st.lists(doing, max_size=12))
def test_any_edits_leave_an_organisation_and_say_what_it_is(steps: list[Edit]) -> None:
    """What breaks it is refused; what is not refused breaks nothing."""
    said: Messages = []
    removed: list[tuple[str, int]] = []

    def apply(now: Organisation, step: Edit, clock: int) -> Organisation:
        new = step(now)
        if breaches := check(new):
            raise OrganisationError(breaches)
        found = differences(now, new)
        removed.extend(one.key for one in found if one.table == "assignments" and one.became is None)
        told = messages(new, found, clock, removed)
        said.extend((row["key"].decode(), row["value"]) for row in told)
        return new

    organisation = followed([*FIRST, *steps], apply)
    demand_one_tree(organisation)
    demand_same(organisation, said)


@pytest.fixture
def emptied(records: Records) -> Callable[[], Records]:
    """The store, without a row each time."""

    def empty() -> Records:
        with records.writing() as connection:
            for table in [changes, outbox, *(metadata.tables[name] for name in reversed(tuple(TABLES)))]:
                connection.execute(delete(table))
        return records

    return empty


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(steps=[*UNDONE, *AGAIN])
@given(steps=st.lists(doing, max_size=8))
def test_a_store_does_the_same(emptied: Callable[[], Records], steps: list[Edit]) -> None:
    """Transactions instead of values: the same organisation, and the outbox says what it holds."""
    records = emptied()

    def apply(now: Organisation, step: Edit, clock: int) -> Organisation:
        change(records, step, by="me", now=clock)
        return step(now)

    expected = followed([*FIRST, *steps], apply)
    with records.reading() as connection:
        assert expected == read(connection)
        mine = select(outbox.c.key, outbox.c.value).where(outbox.c.topic == PEOPLE_EVENTS).order_by(outbox.c.number)
        rows = connection.execute(mine).all()
    demand_one_tree(expected)
    demand_same(expected, [(row.key.decode(), row.value) for row in rows])
