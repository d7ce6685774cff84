"""Two states compared: whose effective rights differ, as deciding every pair by itself would have it."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Final

import msgspec
import pytest
from sqlalchemy import update

from agents.access.matrix import RIGHTS, relations_of
from agents.access.relations import Organisation, Span
from agents.access.state import FORMAT, Difference, State, differences, export, read, table
from agents.access.viewer import Rules, Subject, Viewer
from agents.records.tables import assignments
from tests.web.gates import Company

ROLES: Final = ("employee", "supervisor", "hr", "auditor", "admin")


def made(seed: int, people: int, units: int, viewers: int) -> State:
    """A company by chance."""
    chance = random.Random(seed)
    names = [f"U{number}" for number in range(units)]
    parents = {name: None if place == 0 else names[chance.randrange(place)] for place, name in enumerate(names)}
    works = {f"E{number}": chance.choice(names) for number in range(people)}
    charge = {f"E{number}": [chance.choice(names)] for number in range(0, viewers, 2)}
    accounts: dict[str, tuple[str | None, list[str]]] = {
        f"a{n}": (f"E{n}", sorted({"employee", chance.choice(ROLES)})) for n in range(viewers)
    }
    return State(
        format=FORMAT, at=0, parents=parents, works=dict(works), charge=charge, accounts=accounts,
        policies=["subtree"] if seed % 2 else [], matrix=table(),
        names={name: chance.choice(("shown", "hidden")) for name in names if chance.random() < 0.3},
    )  # fmt: skip


def rights(state: State, viewer: str, who: str) -> set[str]:
    """What an account may do to somebody, by the way that the web decides it."""
    if viewer not in state.accounts:
        return set()
    organisation = Organisation(
        {unit: [Span(0, None, parent)] for unit, parent in state.parents.items()},
        {employee: [Span(0, None, unit)] for employee, unit in state.works.items()},
        {employee: [Span(0, None, unit) for unit in units] for employee, units in state.charge.items()},
        {unit: said == "shown" for unit, said in state.names.items()},
    )
    employee, roles = state.accounts[viewer]
    asks = Viewer(viewer, frozenset(roles), employee)  # type: ignore[arg-type]
    rules = Rules(organisation, 0, frozenset(state.policies))
    named = who != employee and rules.form(asks, who, "name") == "shown"
    return ({"names"} if named else set()) | {
        right
        for right in RIGHTS
        if "none" not in relations_of(right)
        and right != "read-units"
        and rules.decide(asks, right, Subject("employee", who)).allowed
    }


@pytest.mark.parametrize("seed", range(4))
def test_every_pair_that_differs_is_named(seed: int) -> None:
    """Compared with the decision of each pair, one by one, in companies by chance."""
    before, after = made(seed, 30, 8, 8), made(seed + 100, 32, 9, 9)
    found: dict[tuple[str, str], set[str]] = {}
    for one in differences(before, after):
        if "(" not in one.right and not one.right.startswith("read-units"):
            for who in one.people:
                found.setdefault((one.viewer, who), set()).add(one.right)
    expected = {}
    for viewer in {*before.accounts, *after.accounts}:
        for who in {*before.works, *after.works}:
            if changed := rights(before, viewer, who) ^ rights(after, viewer, who):
                expected[viewer, who] = changed
    assert expected == {pair: changed for pair, changed in found.items() if pair[1]}


def test_a_state_is_the_same_as_itself() -> None:
    """No change, no row."""
    state = made(1, 50, 10, 10)
    assert [] == list(differences(state, read(msgspec.json.encode(state))))


def test_a_move_of_one_person(tmp_path: Path) -> None:
    """Their lead loses them; they lose the numbers of the line; HR sees them as before."""
    company = Company(tmp_path)
    with company.records.reading() as connection:
        before = export(connection, company.at)
    with company.records.writing() as connection:
        connection.execute(update(assignments).where(assignments.c.employee == "L1-1").values(unit="office"))
    with company.records.reading() as connection:
        found = list(differences(before, export(connection, company.at)))
    assert {"lead", "worker"} == {one.viewer for one in found}
    assert Difference("lead", "read-scores", False, "office", ["L1-1"]) in found
    assert Difference("worker", "read-units (five)", False, "L1", [""]) in found
    assert Difference("worker", "read-units (five)", True, "office", [""]) in found


def test_ten_thousand_people_and_three_hundred_viewers_take_seconds() -> None:
    """Whole units are decided at once."""
    before = made(1, 10_000, 500, 300)
    after = msgspec.structs.replace(before, parents={**before.parents, "U7": "U1"}, policies=[])
    begun = time.process_time()
    assert sum(1 for _ in differences(before, after)) > 0
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b'{"format": 2}'])
def test_what_is_no_state_is_refused(text: bytes) -> None:
    """With where it is wrong."""
    with pytest.raises(ValueError):
        read(text)
