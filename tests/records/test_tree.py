"""An organisation is one tree at every instant with people only where something is; whatever is not so is told."""

from __future__ import annotations

import pytest

from agents.records.edits import Edit, all_of, close_unit, move_unit, set_manager, transfer
from agents.records.rows import NOBODY, Assignment, Charge, Employee, Organisation, Span, Unit
from agents.records.tables import KINDS
from agents.records.tree import PARENTS, OrganisationError, check
from tests.records.people import DAY, T0, company, unit

LATER = T0 + DAY
AT = "2026-01-02T00:00:00.000Z"


def told(organisation: Organisation) -> list[str]:
    """All breaches as people read them."""
    return [str(breach) for breach in check(organisation)]


def test_a_company_is_one() -> None:
    """Nothing is wrong with it, nor with nothing at all."""
    assert [] == told(company())
    assert [] == told(NOBODY)


@pytest.mark.parametrize(
    ("edit", "breach"),
    [
        (unit("zeta", "company", None, LATER), f"unit zeta at {AT}: there are two roots, acme and this one; let it"),
        (
            unit("L09", "team", None, LATER),
            f"unit L09 at {AT}: a team has no parent; name one: it belongs to a company",
        ),
        (unit("L09", "team", "L01", LATER), f"unit L09 at {AT}: a team cannot belong to a team (L01); it belongs to a"),
        (unit("L09", "team", "D9", LATER), f"unit L09 at {AT}: its parent 'D9' is no unit; name one that exists"),
        (
            unit("B", "branch", "north"),
            "unit B at 2026-01-01T00:00:00.000Z: a branch cannot belong to a branch (north)",
        ),
        (close_unit("D1", LATER), f"unit L01 at {AT}: its parent D1 does not exist then; move it or close it by then"),
        (close_unit("L01", LATER), f"employee E1 at {AT}: unit L01 does not exist then; name a unit that exists"),
        (unit("L01", "team", "north", LATER), f"unit L01 at {AT}: two spans hold at once: one since 2026-01-01T00"),
        (transfer("E1", "operator", "L9", LATER), f"employee E1 at {AT}: unit L9 does not exist; name a unit"),
        (set_manager("L01", "E9", LATER), f"unit L01, manager E9 at {AT}: E9 has no assignment then; end it by then"),
        (set_manager("L9", "E1", LATER), f"unit L9, manager E1 at {AT}: unit L9 does not exist; name a unit"),
    ],
)
def test_a_breach_names_whom_when_and_the_remedy(edit: Edit, breach: str) -> None:
    """Each rule, broken once."""
    assert any(one.startswith(breach) for one in told(company(edit))), told(company(edit))


def test_a_cycle_is_found_when_it_closes() -> None:
    """Two departments that come to be within each other, at the instant at which they are."""
    deep = company(unit("D2", "department", "D1"), unit("D3", "department", "D2"), move_unit("D2", "D3", LATER))
    assert [f"unit D2 at {AT}: it would belong to itself (D2 < D3 < D2); choose a parent that is not below it"] == told(
        deep
    )


def test_all_breaches_are_told_at_once() -> None:
    """Not the first only: a person mends a file in one go."""
    broken = company(close_unit("D1", LATER), close_unit("L01", LATER + DAY), unit("X", "team", "acme2"))
    assert ["unit L01", "unit L02", "unit X", "employee E1"] == [str(breach.subject) for breach in check(broken)]


def test_a_gap_in_a_parent_is_found_where_it_begins() -> None:
    """Also when the parent is there at the beginning and at the end."""
    gap = company(close_unit("D1", LATER), unit("D1", "department", "north", LATER + DAY))
    assert [AT, AT] == [line.split(" at ")[1][:24] for line in told(gap)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parent", KINDS)
def test_kinds_nest_as_the_table_says(kind: str, parent: str) -> None:
    """A unit belongs to a larger one; a department to another one too; everything else is refused."""
    if kind == "company":
        allowed = False
    else:
        allowed = KINDS.index(parent) < KINDS.index(kind) or (kind, parent) == ("department", "department")
    assert allowed == (parent in PARENTS[kind])
    above = () if parent == "company" else (unit("up", parent, "acme"),)
    organisation = company(*above, unit("low", kind, "acme" if parent == "company" else "up"))
    assert allowed == (not told(organisation))


@pytest.mark.parametrize(
    ("changes", "breach"),
    [
        ({"units": {("",): Unit("", "team")}}, "unit '' cannot be used; write 1 to 128 characters"),
        ({"units": {("X",): Unit("X", "gang")}}, "kind 'gang' is none; write one of company, branch"),
        ({"units": {("X",): Unit("X", "team")}}, "unit X: it never exists; say from when on"),
        ({"unit_spans": {("X", T0): Span("X", T0, None, None, "a", "b")}}, "there is no such unit; say of which kind"),
        (
            {"unit_spans": {("L01", T0): Span("L01", T0, T0, "D1", "a", "b")}},
            "it ends at 2026-01-01T00:00:00.000Z, not",
        ),
        ({"unit_spans": {("L01", 5): Span("L01", 5, None, "D1", "a", "b")}}, "is too far away; instants lie between"),
        ({"unit_spans": {("L01", T0): Span("L01", T0, None, "D1", "a\x07", "b")}}, "name_zh 'a\\x07' cannot be used"),
        ({"employees": {("E 1",): Employee("E 1", "Ann")}}, "employee 'E 1' is no id; write 1 to 64 of"),
        ({"employees": {("E3",): Employee("E3", "Cy", "cy", "zh")}}, "email 'cy' is none; write name@host"),
        ({"employees": {("E3",): Employee("E3", "Cy", None, "fr")}}, "language 'fr' is none; write zh or en"),
        ({"assignments": {("E9", T0): Assignment("E9", T0, "op", "L01")}}, "there is no such employee; add the"),
        ({"assignments": {("E1", T0): Assignment("E1", T0, "op", None)}}, "role op with unit -; give both"),
        ({"managers": {("L01", "E1", T0): Charge("L01", "E1", T0, T0)}}, "it ends at 2026-01-01T00:00:00.000Z, not"),
    ],
)
def test_a_field_that_cannot_be_is_told(changes: dict[str, dict[object, object]], breach: str) -> None:
    """With its value, and what would be right."""
    base = company()
    changed = base._replace(**{table: {**getattr(base, table), **rows} for table, rows in changes.items()})
    assert any(breach in one for one in told(changed)), told(changed)


def test_the_error_of_many_breaches_says_how_many() -> None:
    """One line for a log, all of them for whoever asks."""
    breaches = check(all_of(close_unit("D1", LATER))(company()))
    error = OrganisationError(breaches)
    assert tuple(breaches) == error.breaches
    assert str(error).endswith("(and 1 more)")
