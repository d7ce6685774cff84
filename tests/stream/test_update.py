"""What screens are told of a person beside their rows."""

from __future__ import annotations

from stream.person import Person
from stream.rulebook import Rulebook
from stream.state import State, Target
from stream.template import load_published
from stream.update import score_update
from tests.oracle.logs import NOON, template

CUSTOMERS = """{id: customers, from: business.customer, value: 'customers / target("customers")', target: 1,
    windows: [month]}"""


def _targets(at: int) -> dict[str, float]:
    state = State(newest=NOON)
    state.targets = {
        "customers": [Target(NOON - 100, 3_000_000, 0), Target(NOON + 50, 5_000_000, -1_000_000)],
        "collected": [Target(NOON - 100, 9_000_000, 0)],
    }
    return score_update(Person("E1", state, Rulebook([load_published(template(CUSTOMERS))])), at).targets


def test_personal_targets_are_told_before_anything_is_done() -> None:
    """Those that formulas name, as of the update; "0 of 3" has no value that would say the 3."""
    assert {"customers": 3.0} == _targets(NOON)
    assert {"customers": 4.0} == _targets(NOON + 60)
