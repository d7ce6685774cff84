"""Each thing that people do to an organisation does what it says, or says why it makes no sense."""

from __future__ import annotations

import pytest

from agents.records.edits import (
    Edit,
    add_unit,
    close_unit,
    correct_assignment,
    describe,
    hire,
    leave,
    move_unit,
    rehire,
    remove_assignment,
    rename_unit,
    set_manager,
    transfer,
    unset_manager,
)
from agents.records.rows import Charge, Employee, Span, of
from agents.records.tree import OrganisationError, check
from tests.records.people import ANN, BO, DAY, T0, company, unit

A, B, C = T0 + 10 * DAY, T0 + 20 * DAY, T0 + 30 * DAY


def spans(*edits: Edit) -> list[tuple[int, int | None, str | None, str]]:
    """Where L01 belongs and what it is called."""
    rows: list[Span] = of(company(*edits).unit_spans, "L01")
    return [(row.begins, row.ends, row.parent, row.name_en) for row in rows]


def history(*edits: Edit) -> list[tuple[int, str | None, str | None]]:
    """What Ann does and where."""
    organisation = company(*edits)
    assert [] == check(organisation)
    return [(row.begins, row.role, row.unit) for row in of(organisation.assignments, "E1")]


def charges(*edits: Edit) -> list[Charge]:
    """Who is in charge of L01."""
    return of(company(*edits).managers, "L01")


def test_a_unit_moves_and_is_renamed_from_an_instant() -> None:
    """What was before stays; what was planned already stays planned."""
    assert [(T0, A, "D1", "L01"), (A, None, "north", "L01")] == spans(move_unit("L01", "north", A))
    assert [(T0, A, "D1", "L01"), (A, B, "D1", "One"), (B, None, "north", "One")] == spans(
        move_unit("L01", "north", B), rename_unit("L01", "一", "One", A)
    )
    assert [(T0, A, "D1", "L01"), (A, B, "acme", "L01"), (B, None, "north", "L01")] == spans(
        move_unit("L01", "north", B), move_unit("L01", "acme", A)
    )
    assert [(T0, None, "north", "L01")] == spans(move_unit("L01", "north", T0))


def test_a_unit_closes_and_opens_again() -> None:
    """Nothing of it is left after the instant, also what was planned; who was in charge is not any more."""
    assert [(T0, A, "D1", "L01")] == spans(move_unit("L01", "north", B), close_unit("L01", A))
    assert [(T0, A, "D1", "L01"), (B, None, "D1", "L01")] == spans(close_unit("L01", A), unit("L01", "team", "D1", B))
    assert [Charge("L01", "E1", T0, A)] == charges(set_manager("L01", "E1", T0), close_unit("L01", A))
    assert ("L02",) not in company(close_unit("L02", T0)).units


def test_people_come_move_leave_and_come_again() -> None:
    """Their assignments follow each other."""
    assert [(T0, "operator", "L01"), (A, "tester", "L02"), (B, None, None), (C, "operator", "L01")] == history(
        transfer("E1", "tester", "L02", A), leave("E1", B), rehire("E1", "operator", "L01", C)
    )


def test_what_was_said_wrongly_is_corrected() -> None:
    """Role, unit and instant; or it never was."""
    late = transfer("E1", "tester", "L02", B)
    assert [(T0, "operator", "L01"), (B, "lead", "L01")] == history(late, correct_assignment("E1", B, "lead", "L01"))
    assert [(T0, "operator", "L01"), (A, "tester", "L02")] == history(
        late, correct_assignment("E1", B, "tester", "L02", A)
    )
    assert [(T0, "operator", "L01")] == history(late, remove_assignment("E1", B))


def test_who_leaves_is_in_charge_of_nothing() -> None:
    """From that instant on; what was planned for later is gone."""
    assert [Charge("L01", "E1", T0, B)] == charges(set_manager("L01", "E1", T0), leave("E1", B))
    assert [] == charges(set_manager("L01", "E1", C), leave("E1", B))


def test_somebody_is_in_charge_for_a_while() -> None:
    """And may be again."""
    assert [Charge("L01", "E1", T0, A), Charge("L01", "E1", B, None)] == charges(
        set_manager("L01", "E1", T0), unset_manager("L01", "E1", A), set_manager("L01", "E1", B)
    )


def test_a_person_is_described_anew() -> None:
    """Name, address and language have no history."""
    married = Employee("E1", "Ann Lee", "ann@acme.example", "en")
    assert married == company(describe(married)).employees[("E1",)]


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        ([hire(ANN, "operator", "L01", A)], "employee E1 at .*: they have been here since 2026-01-01.*; rehire or"),
        ([describe(BO)], "employee E2: there is no such employee; hire them"),
        ([transfer("E1", "operator", "L01", A)], "they are operator in L01 already; nothing is to be done"),
        ([transfer("E2", "operator", "L01", A)], "they are not here yet; hire them"),
        ([transfer("E1", "tester", "L02", T0)], "an assignment begins at this instant already; correct that one"),
        ([leave("E1", A), leave("E1", B)], "they left at 2026-01-11.*; rehire them"),
        ([leave("E1", A), transfer("E1", "operator", "L02", B)], "they left at 2026-01-11"),
        ([rehire("E1", "operator", "L01", A)], "they are here: operator in L01 since 2026-01-01.*; transfer them"),
        ([rehire("E2", "operator", "L01", A)], "they were never here before; hire them"),
        ([remove_assignment("E1", A)], "no assignment begins at this instant; they begin at: 2026-01-01"),
        ([add_unit("L01", "store", "D1", "a", "b", A)], "it is a team already; give another id, or that kind"),
        ([add_unit("L01", "team", "D1", "a", "b", T0)], "it begins at this instant already; move or rename it"),
        ([move_unit("L01", "D1", A)], "it is there already; nothing is to be done"),
        ([rename_unit("L01", "L01 名", "L01", A)], "it is called so already; nothing is to be done"),
        ([move_unit("L01", "north", T0 - 1)], "it does not exist then; it exists: 2026-01-01.* to still"),
        ([close_unit("L9", A)], "it does not exist then; it exists: never"),
        ([set_manager("L01", "E1", A), set_manager("L01", "E1", A)], "they begin at this instant already; unset"),
        ([unset_manager("L01", "E1", A)], "they are not in charge of it then; they are: never"),
    ],
)
def test_what_makes_no_sense_is_refused(edits: list[Edit], why: str) -> None:
    """With what is there, and what to do instead."""
    with pytest.raises(OrganisationError, match=why):
        company(*edits)
