"""A small company for tests: Acme with the branch North, its hall D1 and the lines L01 and L02; Ann is an operator."""

from __future__ import annotations

from typing import Final

from agents.records.edits import Edit, add_unit, all_of, hire
from agents.records.rows import NOBODY, Employee, Organisation

DAY: Final = 86_400_000
T0: Final = 1_767_225_600_000  # 2026-01-01T00:00:00Z
NOW: Final = T0 + 60 * DAY
ANN: Final = Employee("E1", "Ann")
BO: Final = Employee("E2", "Bo", "bo@acme.example", "zh")


def unit(name: str, kind: str, parent: str | None, at: int = T0, ends: int | None = None) -> Edit:
    """A unit named after its id."""
    return add_unit(name, kind, parent, f"{name} 名", name, at, ends)


COMPANY: Final = all_of(
    unit("acme", "company", None),
    unit("north", "branch", "acme"),
    unit("D1", "department", "north"),
    unit("L01", "team", "D1"),
    unit("L02", "team", "D1"),
    hire(ANN, "operator", "L01", T0),
)


def company(*edits: Edit) -> Organisation:
    """Acme after these edits."""
    return all_of(COMPANY, *edits)(NOBODY)
