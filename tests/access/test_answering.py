"""Who leads somebody and who may answer them: what the matrix says of each account, and never themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.access.answering import Answerer
from agents.access.viewer import Subject
from tests.web.gates import ACCOUNTS, WORKS, Company

HR = Answerer("personnel", "office-1", "hr")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """The company of tests.web.gates."""
    return Company(tmp_path)


@pytest.mark.parametrize(
    ("employee", "leads", "answerers"),
    [
        ("L1-1", ("lea",), [Answerer("lead", "lea", "supervisor"), HR]),
        ("lea", ("mona",), [HR]),  # by the tree somebody else is next; whether they may answer is the policy's
        ("L2-1", ("mona",), [HR]),
        ("plant-1", ("mona",), [Answerer("manager", "mona", "supervisor"), HR]),
        ("mona", (), [HR]),
        ("office-1", (), []),
        ("nobody", (), [HR]),
    ],
)
def test_who_answers_is_what_the_matrix_says(
    company: Company, employee: str, leads: tuple[str, ...], answerers: list[Answerer]
) -> None:
    """By name, who leads the person before HR."""
    gate = company.gate()
    found = gate.answering(employee)
    gate.close()
    assert (leads, answerers) == (found.leads, list(found.answerers))


def test_where_the_policy_lets_them_those_above_answer_too(company: Company) -> None:
    """It is the same table that decides who may."""
    company.admin.set_policy("subtree", True)
    gate = company.gate()
    assert [Answerer("manager", "mona", "supervisor"), HR] == list(gate.answering("lea").answerers)
    gate.close()


def test_what_is_kept_for_many_holds_for_each_of_them(company: Company) -> None:
    """People of one name have the same answer; and nobody answers who would be refused."""
    gate = company.gate()
    seen: dict[object, object] = {}
    for employee in WORKS:
        found = gate.answering(employee)
        assert seen.setdefault(gate.alike(employee), found) == found
        rules, identities = gate.rules(), gate.directory.identities
        may = {
            name
            for name, _, _ in ACCOUNTS
            if (viewer := identities.of_account(name, rules.at)) is not None
            and rules.decide(viewer, "answer-appeals", Subject("employee", employee)).allowed
        }
        assert may == {one.account for one in found.answerers}
    assert len(seen) < len(WORKS)
    gate.close()
