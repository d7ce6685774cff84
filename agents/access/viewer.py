"""Who asks, and the decision: may this viewer do that to this subject, and in what form do they see it?

Pure: the matrix, the organisation and the instant come in. Every page, stream, export and API call is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from agents.access.matrix import (
    LEAST,
    Field,
    Form,
    Relation,
    Right,
    Role,
    cell,
    clearest,
    form,
    needed,
    relations_of,
)
from agents.access.relations import Organisation

Verdict = Literal["allowed", "refused"]
SUBTREE: Final = "subtree"  # the policy that lets supervisors see the people below their own team


class Look(NamedTuple):
    """How a screen is looked at: metres away, and its size in inches; None: nobody said."""

    distance: float | None = None
    diagonal: float | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who asks. `actor` names them in the audit log; `unit`: what a token is bound to.

    `open`: the boards of a demo, which show everything to everybody and ask for nobody's name. `look`: from how far
    away a screen is looked at.
    """

    actor: str
    roles: frozenset[Role] = frozenset()
    employee: str | None = None
    unit: str | None = None
    scopes: frozenset[str] = frozenset()
    open: bool = False
    look: Look | None = None


NOBODY: Final = Viewer("nobody")
DEMO: Final = Viewer("demo", open=True)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom or what a question is about: a person, a unit (with how many people, where that is known), or nobody.

    `beside`: whether a unit's numbers would tell those of fewer people beside it, by what is left of the unit above.
    """

    kind: Literal["employee", "unit", "none"] = "none"
    id: str = ""
    people: int | None = None
    beside: bool = False

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.kind != "none" else "-"


class Decision(NamedTuple):
    """What was decided, and why in words."""

    verdict: Verdict
    relation: Relation
    why: str

    @property
    def allowed(self) -> bool:
        """Whether they may."""
        return self.verdict == "allowed"


@dataclass(frozen=True, slots=True)
class Rules:
    """What decisions are made of, at one instant. `policies`: those that are on."""

    organisation: Organisation
    at: int
    policies: frozenset[str] = field(default_factory=frozenset)

    def relation(self, viewer: Viewer, right: Right, subject: Subject) -> Relation:
        """How the viewer stands to the subject of such a right."""
        if "none" in relations_of(right):
            return "none"
        bound = frozenset() if viewer.unit is None else frozenset((viewer.unit,))
        # Who is in charge without the role is to others what anybody is.
        leads = viewer.employee if "supervisor" in viewer.roles else None
        charge = bound | self.organisation.in_charge(leads, self.at)
        if subject.kind == "employee":
            return self.organisation.to_employee(viewer.employee, charge, subject.id, self.at)
        if subject.kind == "unit":
            relation = self.organisation.to_unit(viewer.employee, charge, subject.id, self.at)
            # To work in a unit is a relation to its pooled numbers, not to the people in it.
            return "others" if relation == "own" and right != "read-units" else relation
        return "others"  # nobody named is everybody

    def decide(self, viewer: Viewer, right: Right, subject: Subject, reason: str = "") -> Decision:
        """Whether the viewer may: any of their roles is enough."""
        relation = self.relation(viewer, right, subject)
        if viewer.open:
            return _demo(right, relation)
        if relation == "others" and viewer.unit is not None:
            return Decision("refused", relation, f"this token is bound to unit {viewer.unit!r}")
        why = "none of your roles may do this" if viewer.roles else "an account or token without a role may do nothing"
        for role in sorted(viewer.roles):
            missing = self._missing(viewer, right, role, relation, subject, reason)
            if missing is None:
                return Decision("allowed", relation, role)
            why = missing or why
        return Decision("refused", relation, why)

    def _missing(
        self, viewer: Viewer, right: Right, role: Role, relation: Relation, subject: Subject, reason: str
    ) -> str | None:
        """What is missing for a role: None for nothing, empty for all that the table says."""
        said = cell(role, relation, right)
        if said == "yes":
            return None
        if said == "reason":
            return None if reason.strip() else "give a reason: it is logged (header scorestream-reason)"
        if said == "policy":
            return None if SUBTREE in self.policies else "the policy `subtree` is off"
        if said == "scope":
            return None if right in viewer.scopes else f"this token has no scope {right!r}"
        if said == "five":
            # A person is asked about in a unit, whose size the caller has looked at.
            few = subject.kind != "employee" and (subject.people is None or subject.people < LEAST)
            if subject.beside:
                return f"without it fewer than {LEAST} people would be left of the unit above, whose numbers are seen"
            return f"the unit has fewer than {LEAST} people" if few else None
        return ""

    def form(self, viewer: Viewer, employee: str, field: Field) -> Form:
        """How a field of a person looks to the viewer."""
        if field == "name" and viewer.employee != employee and not self.shows_name(employee):
            return "hidden"
        return "shown" if viewer.open else self._tabled(viewer, employee, field)

    def knows(self, viewer: Viewer, employee: str) -> bool:
        """Whether pages that one looks at alone call somebody by name: one's own, one's team's, HR's.

        The table decides; that the unit shows no names is about boards, and about whoever is nobody in particular.
        """
        if viewer.open:
            return self.shows_name(employee)
        return all(self._tabled(viewer, employee, field) == "shown" for field in ("id", "name"))

    def _tabled(self, viewer: Viewer, employee: str, field: Field) -> Form:
        subject = Subject("employee", employee)
        relation = self.relation(viewer, "read-scores", subject)
        if relation == "others" and viewer.unit is not None:
            return "hidden"
        return clearest(
            form(role, relation, field)
            for role in viewer.roles  # the role that shows it must be the one that may
            if (right := needed(role, field)) is None
            or self._missing(viewer, right, role, relation, subject, "") is None
        )

    def shows_name(self, employee: str) -> bool:
        """Whether the unit in which somebody works shows names on boards."""
        return self.organisation.shows_names(self.organisation.unit_of(employee, self.at), self.at)


def _demo(right: Right, relation: Relation) -> Decision:
    if right in ("manage-access", "read-audit"):
        return Decision("refused", relation, "a demo has no accounts")
    return Decision("allowed", relation, "demo")
