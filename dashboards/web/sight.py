"""What one request may see: handlers and streams ask here, person by person and field by field, and nowhere else."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Final

from agents.access.audit import Entry
from agents.access.matrix import Field, Form, Right
from agents.access.viewer import Decision, Rules, Subject, Viewer
from dashboards.web.gate import Credentials, Gate
from dashboards.web.problems import ReasonNeeded, RequestProblem

NONE: Final = Credentials()
LISTED: Final = 1_000  # people that an audit entry names; of more there is the number


@dataclass(slots=True)
class Sight:
    """A viewer at the gate. `reason`: why they want to see what takes one."""

    gate: Gate
    viewer: Viewer
    credentials: Credentials = NONE
    reason: str = ""

    @property
    def open(self) -> bool:
        """Whether everything is shown as it is."""
        return self.viewer.open

    @property
    def key(self) -> Hashable:
        """Viewers of one key see the same of everything."""
        if self.viewer.open:
            return None
        screen = self.viewer.roles == frozenset(("screen",))
        return ("screen", self.viewer.unit) if screen else self.viewer

    def rules(self) -> Rules:
        """What to decide by, now."""
        return self.gate.rules()

    def decide(self, right: Right, subject: Subject) -> Decision:
        """Whether the viewer may."""
        return self.rules().decide(self.viewer, right, subject, self.reason)

    def form(self, employee: str, field: Field = "values") -> Form:
        """How a field of somebody looks."""
        return self.rules().form(self.viewer, employee, field)

    def sees(self, employee: str, field: Field = "values") -> bool:
        """Whether a field of somebody is seen, under whatever name."""
        return self.form(employee, field) != "hidden"

    def named(self, employee: str, field: Field = "values") -> bool:
        """Whether it is seen together with their id, as lists and addresses have it."""
        return self.open or (self.sees(employee, field) and self.form(employee, "id") == "shown")

    def called(self, employee: str, unit: str) -> str | None:
        """What a board calls somebody: their id, a pseudonym, or nothing at all."""
        form = self.form(employee, "id")
        if form == "pseudonym":
            return self.gate.pseudonym(self.viewer.unit or unit, employee)
        return employee if form == "shown" else None

    def marked(self, employee: str) -> bool:
        """Whether they stand under a pseudonym."""
        return self.form(employee, "id") == "pseudonym"

    def name(self, employee: str) -> str | None:
        """What to call somebody by name; None where their unit shows no names, or not to this viewer, or nobody knows.

        Also of oneself: a board is looked at by those who stand beside.
        """
        rules = self.rules()
        if not rules.shows_name(employee) or rules.form(self.viewer, employee, "name") != "shown":
            return None
        return self.gate.name(employee)

    def knows_as(self, employee: str) -> str | None:
        """Somebody's name on a page that the viewer looks at alone; None where they must not know, or nobody does.

        Boards, funnels and the API ask `name`.
        """
        return self.gate.name(employee) if self.rules().knows(self.viewer, employee) else None

    def sees_unit(self, unit: str, people: int) -> bool:
        """Whether the unit's own numbers are seen, which are of so many people."""
        return self.decide("read-units", Subject("unit", unit, people)).allowed

    async def tell(self, right: Right, subject: Subject | str, others: Iterable[str], action: str = "read") -> None:
        """Writes down, before the answer, whose numbers the viewer is about to see; their own are no news."""
        if self.open:
            return
        seen = sorted(set(others) - {self.viewer.employee or ""})
        if seen:
            detail = {"employees": seen[:LISTED], "count": len(seen)}
            at = self.rules().at
            await self.gate.write(Entry(at, self.viewer.actor, action, str(subject), "allowed", right, "", detail))

    async def demand(self, right: Right, subject: Subject) -> None:
        """Goes on when the viewer may; a problem with status 403 else, and an entry in the audit log either way."""
        decision = self.decide(right, subject)
        if (
            decision.allowed
            and subject.kind == "employee"
            and self.rules().form(self.viewer, subject.id, "id") != "shown"
        ):
            decision = Decision("refused", decision.relation, "people are not named to you")
        if self.open and decision.allowed:
            return
        at = self.rules().at
        if not decision.allowed:
            entry = Entry(
                at, self.viewer.actor, "read", str(subject), "refused", right, decision.relation, {"why": decision.why}
            )
            await self.gate.write(entry)
            raise self._refusal(right, subject, decision)
        if subject.kind == "employee" and decision.relation != "own":
            detail = {"as": decision.why, **({"reason": self.reason} if self.reason else {})}
            entry = Entry(at, self.viewer.actor, "read", str(subject), "allowed", right, decision.relation, detail)
            await self.gate.write(entry)

    def _refusal(self, right: Right, subject: Subject, decision: Decision) -> RequestProblem:
        detail = f"this takes the right {right!r}: {decision.why}"
        named = subject.kind == "employee" and self.rules().form(self.viewer, subject.id, "id") == "shown"
        if named and not self.reason and self.rules().decide(self.viewer, right, subject, "any").allowed:
            return ReasonNeeded(detail, right, subject.id)
        return RequestProblem(403, detail, right=right)
