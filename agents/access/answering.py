"""Who leads somebody, and who may answer what they contest: asked of the matrix, so that a name is never a promise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from agents.access.identities import Identities
from agents.access.matrix import Role
from agents.access.relations import Organisation
from agents.access.viewer import Rules, Subject

ANSWERING: Final[tuple[Role, ...]] = ("supervisor", "hr")  # roles that may, towards somebody


class Answerer(NamedTuple):
    """An account that may answer, who it is, and by which of its roles."""

    account: str
    employee: str | None
    role: str


class Answering(NamedTuple):
    """`leads`: the employees in charge of the unit, or of the nearest one above it."""

    leads: tuple[str, ...] = ()
    answerers: tuple[Answerer, ...] = ()


def answering(rules: Rules, identities: Identities, employee: str) -> Answering:
    """Of one person, who is among neither."""
    found = sorted(_answerers(rules, identities, employee), key=lambda one: (one.role != ANSWERING[0], one.account))
    return Answering(_leads(rules.organisation, employee, rules.at), tuple(found))


def alike(rules: Rules, identities: Identities, employee: str) -> tuple[str, str]:
    """People of whom this is the same have the same `answering`: all of a unit who lead nobody and answer nothing."""
    unit = rules.organisation.unit_of(employee, rules.at) or ""
    special = employee in rules.organisation.managed or employee in identities.leading.values()
    return unit, employee if special or not unit else ""


def _leads(organisation: Organisation, employee: str, at: int) -> tuple[str, ...]:
    unit = organisation.unit_of(employee, at)
    for place in () if unit is None else organisation.line(unit, at):
        others = [who for who in organisation.managed if who != employee and place in organisation.in_charge(who, at)]
        if others:
            return tuple(sorted(others))
    return ()


def _answerers(rules: Rules, identities: Identities, employee: str) -> Iterator[Answerer]:
    for name in identities.leading:
        viewer = identities.of_account(name, rules.at)
        if viewer is not None:
            decision = rules.decide(viewer, "answer-appeals", Subject("employee", employee))
            if decision.allowed:
                yield Answerer(name, viewer.employee, decision.why)
