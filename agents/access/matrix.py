"""Who may do what to whom: one table of role, relation and right. What does not stand in it is refused.

Code, tests and docs/security.md read this table and nothing else. A right is about a person, a unit, or about nobody in
particular; the relation says how the viewer stands to that person or unit (agents/access/relations.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, NamedTuple, get_args

Role = Literal["employee", "supervisor", "hr", "auditor", "screen", "service", "admin"]
Relation = Literal["own", "team", "subtree", "others", "none"]
Right = Literal[
    "read-scores",
    "read-events",
    "read-units",
    "read-alerts",
    "act-on-alerts",
    "review-alerts",
    "appeal",
    "answer-appeals",
    "propose-correction",
    "approve-correction",
    "read-templates",
    "propose-template",
    "publish-template",
    "read-people",
    "edit-organisation",
    "manage-access",
    "read-audit",
    "send-events",
    "send-people",
    "operate",
    "export",
]
Cell = Literal["no", "yes", "reason", "policy", "five", "scope"]
Field = Literal["id", "name", "values", "sample", "alerts", "events", "contact"]
Form = Literal["hidden", "pseudonym", "shown"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
RELATIONS: Final[tuple[Relation, ...]] = get_args(Relation)
RIGHTS: Final[tuple[Right, ...]] = get_args(Right)
FIELDS: Final[tuple[Field, ...]] = get_args(Field)
LEAST: Final = 5  # people behind a number that tells of none of them

CELLS: Final[Mapping[Cell, str]] = {
    "no": "-",
    "yes": "yes",
    "reason": "with a reason, which is logged",
    "policy": "where the policy `subtree` is on",
    "five": f"of {LEAST} people or more",
    "scope": "where the token's scopes say so",
}

_PEOPLE: Final[tuple[Relation, ...]] = ("own", "team", "subtree", "others")


def _to(own: Cell, team: Cell, subtree: Cell, others: Cell) -> Mapping[Relation, Cell]:
    return dict(zip(_PEOPLE, (own, team, subtree, others), strict=True))


def _any(cell: Cell) -> Mapping[Relation, Cell]:
    return {"none": cell}


_OWN: Final = _to("yes", "no", "no", "no")
_TEAM: Final = _to("yes", "yes", "policy", "no")
_ALL: Final = _to("yes", "yes", "yes", "yes")
_NEVER_OWN: Final = _to("no", "yes", "yes", "yes")
_LED: Final = _to("no", "yes", "policy", "no")
_SCREEN: Final = _to("no", "five", "five", "no")
_SCOPE: Final = _to("no", "scope", "scope", "scope")

# Of people `own` is oneself, of units the one that one works in. `team`: the unit that one is in charge of, and who
# works in it; of a screen or a service the unit that it is bound to. `subtree`: below that.
MATRIX: Final[Mapping[Right, Mapping[Role, Mapping[Relation, Cell]]]] = {
    "read-scores": {
        "employee": _OWN,
        "supervisor": _TEAM,
        "hr": _ALL,
        "auditor": _ALL,
        "screen": _SCREEN,
        "service": _SCOPE,
    },
    "read-events": {
        "employee": _OWN,
        "supervisor": _to("yes", "yes", "no", "no"),
        "hr": _to("yes", "reason", "reason", "reason"),
        "auditor": _ALL,
    },
    "read-units": {
        "employee": _to("five", "no", "no", "no"),
        "supervisor": _to("five", "yes", "yes", "no"),
        "hr": _ALL,
        "auditor": _ALL,
        "screen": _SCREEN,
        "service": _SCOPE,
    },
    "read-alerts": {
        "employee": _OWN,
        "supervisor": _TEAM,
        "hr": _ALL,
        "auditor": _ALL,
        "screen": _SCREEN,
        "service": _SCOPE,
    },
    "act-on-alerts": {"supervisor": _LED, "hr": _NEVER_OWN},
    "review-alerts": {"supervisor": _LED, "hr": _NEVER_OWN},
    "appeal": {"employee": _OWN, "supervisor": _OWN, "hr": _OWN, "auditor": _OWN},
    "answer-appeals": {"supervisor": _LED, "hr": _NEVER_OWN},
    "propose-correction": {"supervisor": _LED, "hr": _NEVER_OWN},
    "approve-correction": {"hr": _NEVER_OWN},
    "read-templates": {
        "employee": _any("yes"),
        "supervisor": _any("yes"),
        "hr": _any("yes"),
        "auditor": _any("yes"),
        "service": _any("scope"),
    },
    "propose-template": {"hr": _any("yes")},
    "publish-template": {"hr": _any("yes")},
    "read-people": {"employee": _OWN, "supervisor": _TEAM, "hr": _ALL, "auditor": _ALL},
    "edit-organisation": {"hr": _any("yes")},
    "manage-access": {"admin": _any("yes")},
    "read-audit": {"hr": _any("yes"), "auditor": _any("yes")},
    "send-events": {"service": _SCOPE},
    # Who works where is nobody's to say who is bound to a place: it would be bound to what it says itself.
    "send-people": {"service": _to("no", "no", "no", "scope")},
    "operate": {"service": _any("scope"), "admin": _any("yes")},
    "export": {"employee": _OWN, "supervisor": _TEAM, "hr": _ALL, "auditor": _ALL, "service": _SCOPE},
}

# What a field of a person shows besides; it takes the right as well. `id` is seen by whoever sees any of the others.
# A name takes besides that the person's unit shows names; one's own does not (agents/access/naming.py).
NEEDS: Final[Mapping[Field, Right]] = {
    "name": "read-people",
    "values": "read-scores",
    "sample": "read-scores",
    "alerts": "read-alerts",
    "events": "read-events",
    "contact": "read-people",
}


def _shown(*fields: Field, id: Form = "shown") -> Mapping[Field, Form]:
    return {"id": id, **dict.fromkeys(fields, "shown")}


_EVERYTHING: Final = _shown("name", "values", "sample", "alerts", "events", "contact")
_READABLE: Final = _shown("name", "values", "sample", "alerts", "events")
_FIGURES: Final = _shown("values", "sample", "alerts")
_PSEUDONYM: Final = _shown("name", "values", "sample", "alerts", id="pseudonym")

VISIBLE: Final[Mapping[Role, Mapping[Relation, Mapping[Field, Form]]]] = {
    "employee": {"own": _EVERYTHING},
    "supervisor": {
        "own": _EVERYTHING,
        "team": _EVERYTHING,
        "subtree": _shown("name", "values", "sample", "alerts"),
    },
    "hr": dict.fromkeys(_PEOPLE, _EVERYTHING),
    "auditor": {
        "own": _EVERYTHING,
        **dict.fromkeys(_PEOPLE[1:], _shown("name", "values", "sample", "alerts", "events")),
    },
    "screen": {"team": _PSEUDONYM, "subtree": _PSEUDONYM},
    "service": dict.fromkeys(_PEOPLE[1:], _FIGURES),
}

_ORDER: Final[tuple[Form, ...]] = get_args(Form)


class Entry(NamedTuple):
    """One cell of the table."""

    role: Role
    relation: Relation
    right: Right
    cell: Cell


def needed(role: Role, field: Field) -> Right | None:
    """The right that a field takes. A screen shows names besides numbers, and looks nobody up."""
    return "read-scores" if (role, field) == ("screen", "name") else NEEDS.get(field)


def cell(role: Role, relation: Relation, right: Right) -> Cell:
    """What the table says; no, where it says nothing."""
    return MATRIX.get(right, {}).get(role, {}).get(relation, "no")


def form(role: Role, relation: Relation, field: Field) -> Form:
    """How a field of a person looks to a role: hidden, where the table says nothing."""
    return VISIBLE.get(role, {}).get(relation, {}).get(field, "hidden")


def clearest(forms: Iterable[Form]) -> Form:
    """Of several roles that somebody has the one that shows most."""
    return max(forms, key=_ORDER.index, default="hidden")


def entries() -> Iterator[Entry]:
    """Every cell that there could be, refusals too, in the order of rights, roles, relations."""
    for right in RIGHTS:
        for role in ROLES:
            for relation in relations_of(right):
                yield Entry(role, relation, right, cell(role, relation, right))


def relations_of(right: Right) -> tuple[Relation, ...]:
    """The columns of a right: how one stands to a person or a unit, or the one column of a right about nobody."""
    about = {relation for row in MATRIX[right].values() for relation in row}
    return tuple(relation for relation in RELATIONS if relation in about)
