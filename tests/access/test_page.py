"""docs/security.md has the matrix as the code has it, cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agents.access.matrix import FIELDS, RIGHTS, ROLES, cell, form, relations_of

PAGE: Final = Path(__file__).parents[2] / "docs" / "security.md"
SIGNS: Final = {"yes": "yes", "no": "-", "reason": "reason", "policy": "policy", "five": "5+", "scope": "scope"}
PEOPLE: Final = ("own", "team", "subtree", "others")


def rights() -> str:
    """A row for each right, a column for each role; in a cell own / team / subtree / others."""
    lines = [f"| | {' | '.join(ROLES)} |", f"|---|{'---|' * len(ROLES)}"]
    for right in RIGHTS:
        cells = []
        for role in ROLES:
            said = [SIGNS[cell(role, relation, right)] for relation in relations_of(right)]
            cells.append("-" if set(said) == {"-"} else said[0] if len(said) == 1 else " / ".join(said))
        lines.append(f"| `{right}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def fields() -> str:
    """A row for each field."""
    lines = [f"| | {' | '.join(ROLES[:-1])} |", f"|---|{'---|' * (len(ROLES) - 1)}"]
    for field in FIELDS:
        cells = []
        for role in ROLES[:-1]:
            seen = [relation for relation in PEOPLE if form(role, relation, field) == "shown"]
            veiled = [f"{relation} (pseudonym)" for relation in PEOPLE if form(role, relation, field) == "pseudonym"]
            cells.append(", ".join([*seen, *veiled]) or "-")
        lines.append(f"| {field} | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_the_page_has_the_matrix() -> None:
    """Whoever changes the table changes the page with it."""
    text = PAGE.read_text("utf-8")
    assert rights() in text, rights()
    assert fields() in text, fields()
