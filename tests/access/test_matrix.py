"""The table says what the page on reliability says, cell by cell, and refuses what does not stand in it."""

from __future__ import annotations

from typing import Final

import pytest

from agents.access.matrix import (
    CELLS,
    FIELDS,
    MATRIX,
    RELATIONS,
    RIGHTS,
    ROLES,
    VISIBLE,
    Field,
    cell,
    entries,
    form,
    needed,
)
from agents.access.relations import Organisation, Span
from agents.access.viewer import DEMO, SUBTREE, Rules, Subject, Viewer
from tests.access import table

LETTERS = {"no": "-", "yes": "y", "policy": "p", "reason": "r", "five": "5", "scope": "s"}


def test_every_cell_is_the_pages() -> None:
    """Role by relation by right, refusals too; a right that only one of the two knows is found."""
    assert table.cells() == {(role, relation, right): LETTERS[said] for role, relation, right, said in entries()}
    assert set(LETTERS) == set(CELLS)


def test_what_is_not_in_the_table_is_refused() -> None:
    """Any combination, also one that makes no sense."""
    known = table.cells()
    for role in ROLES:
        for relation in RELATIONS:
            for right in RIGHTS:
                if (role, relation, right) not in known:
                    assert "no" == cell(role, relation, right)


def test_every_field_is_the_pages() -> None:
    """Role by relation by field: shown, under a pseudonym, or hidden."""
    expected = table.visible()
    for role in ROLES:
        for relation in RELATIONS:
            seen = expected.get((role, relation), set())
            for field in FIELDS:
                found = form(role, relation, field)
                pseudonym = field == "id" and "(P)" in seen
                assert found == ("pseudonym" if pseudonym else "shown" if field in seen else "hidden")


def test_a_field_is_shown_to_nobody_without_the_right() -> None:
    """The two tables agree: what is shown of somebody is what one may read of them."""
    for role, relations in VISIBLE.items():
        for relation, fields in relations.items():
            for field, how in fields.items():
                if how != "hidden" and (right := needed(role, field)):
                    assert cell(role, relation, right) != "no", (role, relation, field)


def test_nobody_decides_about_themselves() -> None:
    """A correction of one's own, an alert of one's own: no role may."""
    for right in ("approve-correction", "propose-correction", "act-on-alerts", "review-alerts"):
        assert {"no"} == {relations.get("own", "no") for relations in MATRIX[right].values()}


# Company > plant > line L1, L2; anna leads the plant, ben leads L1; carl and dora work in L1, eva in L2.
ASSIGNED = {
    "ben": [Span(0, None, "L1")],
    "carl": [Span(0, None, "L1")],
    "eva": [Span(0, None, "L2"), Span(800, None, None)],
    "anna": [Span(0, None, "plant")],
}
ORGANISATION = Organisation(
    {
        "company": [Span(0, None, None)],
        "plant": [Span(0, None, "company")],
        "L1": [Span(0, None, "plant")],
        "L2": [Span(0, 500, "plant"), Span(500, None, "company")],
    },
    ASSIGNED,
    {"anna": [Span(0, None, "plant")], "ben": [Span(0, 300, "L1")]},
)


def viewer(employee: str, *roles: str) -> Viewer:
    """An account."""
    return Viewer(f"account:{employee}", frozenset(roles), employee)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("who", "subject", "at", "expected"),
    [
        ("carl", "carl", 0, "own"),
        ("carl", "ben", 0, "others"),
        ("ben", "carl", 299, "team"),
        ("ben", "carl", 300, "others"),
        ("ben", "eva", 0, "others"),
        ("anna", "carl", 0, "subtree"),
        ("anna", "eva", 499, "subtree"),
        ("anna", "eva", 500, "others"),
        ("anna", "anna", 0, "own"),
        ("anna", "nobody", 0, "others"),
        ("ben", "carl", -1, "others"),
    ],
)
def test_a_relation_is_that_of_the_instant(who: str, subject: str, at: int, expected: str) -> None:
    """Who leads whom changes with assignments, with the tree and with who is in charge."""
    rules = Rules(ORGANISATION, at)
    assert expected == rules.relation(viewer(who, "supervisor"), "read-scores", Subject("employee", subject))


@pytest.mark.parametrize(
    ("who", "unit", "expected"),
    [
        ("carl", "L1", "own"),
        ("carl", "L2", "others"),
        ("ben", "L1", "team"),
        ("anna", "L1", "subtree"),
        ("anna", "plant", "team"),
        ("anna", "company", "others"),
    ],
)
def test_a_relation_to_a_unit(who: str, unit: str, expected: str) -> None:
    """The unit one works in is one's own; the one that one leads is the team."""
    asks = viewer(who, "supervisor")
    assert expected == Rules(ORGANISATION, 0).relation(asks, "read-units", Subject("unit", unit))


def test_who_is_in_charge_without_the_role_sees_what_anybody_there_sees() -> None:
    """Their own unit's pooled numbers, and nobody else's."""
    rules, asks = Rules(ORGANISATION, 0), viewer("ben", "employee")
    assert rules.decide(asks, "read-units", Subject("unit", "L1", 5)).allowed
    assert not rules.decide(asks, "read-scores", Subject("employee", "carl")).allowed


def test_a_circle_in_the_tree_hangs_nobody() -> None:
    """Tables may be wrong; the question ends."""
    circle = Organisation({"a": [Span(0, None, "b")], "b": [Span(0, None, "a")]}, {"x": [Span(0, None, "a")]}, {})
    assert "others" == Rules(circle, 0).relation(Viewer("v", unit="z"), "read-scores", Subject("employee", "x"))


def test_conditions_are_met_or_refused() -> None:
    """Policy, reason, size, scope: each refusal says which."""
    rules, at = Rules(ORGANISATION, 0), Subject("employee", "carl")
    lead = viewer("anna", "supervisor")
    assert ("refused", "the policy `subtree` is off") == rules.decide(lead, "read-scores", at)[::2]
    assert Rules(ORGANISATION, 0, frozenset((SUBTREE,))).decide(lead, "read-scores", at).allowed
    hr = viewer("zoe", "hr")
    assert "reason" in rules.decide(hr, "read-events", at).why
    assert not rules.decide(hr, "read-events", at, " ").allowed
    assert rules.decide(hr, "read-events", at, "appeal 17").allowed
    screen = Viewer("token:1", frozenset(("screen",)), unit="L1")
    assert "fewer than 5" in rules.decide(screen, "read-units", Subject("unit", "L1", 4)).why
    assert rules.decide(screen, "read-units", Subject("unit", "L1", 5)).allowed
    assert "bound to unit" in rules.decide(screen, "read-units", Subject("unit", "L2", 50)).why
    service = Viewer("token:2", frozenset(("service",)), scopes=frozenset(("read-scores",)))
    assert rules.decide(service, "read-scores", at).allowed
    assert "no scope 'read-alerts'" in rules.decide(service, "read-alerts", at).why


def test_who_has_no_role_may_nothing() -> None:
    """Also with an account, and about themselves."""
    rules = Rules(ORGANISATION, 0, frozenset((SUBTREE,)))
    for right in RIGHTS:
        for subject in (Subject(), Subject("employee", "carl"), Subject("unit", "L1", 99)):
            assert not rules.decide(viewer("carl"), right, subject, "reason").allowed


def test_a_role_that_shows_a_field_must_be_the_one_that_may_see_it() -> None:
    """Two roles together show no more than each of them does."""
    rules = Rules(ORGANISATION, 0)
    both = viewer("anna", "supervisor", "auditor")
    assert "hidden" == rules.form(both, "carl", "contact")
    assert "shown" == rules.form(both, "carl", "events")
    assert "shown" == rules.form(viewer("ben", "supervisor"), "carl", "contact")
    assert "hidden" == rules.form(viewer("anna", "supervisor"), "carl", "values")


NAMED: Final[tuple[Field, ...]] = ("name", "id")


def named(**said: bool) -> Rules:
    """The rules where units say whether they show names."""
    return Rules(Organisation(ORGANISATION._parents, ASSIGNED, ORGANISATION.managed, said), 0)


@pytest.mark.parametrize(
    ("said", "l1", "l2"),
    [
        ({}, False, False),
        ({"company": True}, True, True),
        ({"plant": True}, True, True),
        ({"L1": True}, True, False),
        ({"company": True, "plant": False}, False, False),
        ({"plant": False, "L2": True}, False, True),
        ({"elsewhere": True}, False, False),
    ],
)
def test_people_are_named_where_their_unit_says_so(said: dict[str, bool], l1: bool, l2: bool) -> None:
    """The nearest unit that says anything decides, for accounts, screens and demos alike; nobody says: not at all."""
    screen = Viewer("token:1", frozenset(("screen",)), unit="plant")
    service = Viewer("token:2", frozenset(("service",)), scopes=frozenset(RIGHTS))
    for asks in (viewer("zoe", "hr"), viewer("zoe", "auditor"), screen, DEMO):
        found = [named(**said).form(asks, who, "name") == "shown" for who in ("carl", "eva")]
        assert [l1, l2] == found, asks
        assert "hidden" == named(**said).form(asks, "nobody", "name")
    assert "hidden" == named(**said).form(service, "carl", "name")
    assert "hidden" == named(**said).form(viewer("eva", "employee"), "carl", "name")
    assert "shown" == named(**said).form(viewer("carl", "employee"), "carl", "name")


def test_a_screen_names_people_of_its_own_unit_only() -> None:
    """And even there it knows nobody's id."""
    screen = Viewer("token:1", frozenset(("screen",)), unit="L1")
    rules = named(company=True)
    assert ("shown", "pseudonym") == tuple(rules.form(screen, "carl", field) for field in NAMED)
    assert ("hidden", "hidden") == tuple(rules.form(screen, "eva", field) for field in NAMED)


def test_names_follow_who_moves_and_what_moves() -> None:
    """The unit of the instant decides, and what it belongs to then: L2 leaves the plant at 500."""
    moving = Organisation(ORGANISATION._parents, ASSIGNED, {}, {"plant": True})
    found = [Rules(moving, at).form(viewer("zoe", "hr"), "eva", "name") for at in (499, 500)]
    assert ["shown", "hidden"] == found


def test_a_demo_shows_everything_and_manages_nothing() -> None:
    """Its boards need no sign-in; there are no accounts and no log."""
    rules = Rules(ORGANISATION, 0)
    assert rules.decide(DEMO, "read-scores", Subject("employee", "carl")).allowed
    assert not rules.decide(DEMO, "manage-access", Subject()).allowed
