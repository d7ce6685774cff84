"""Who is below their unit is told once, after as long as the rule says, and once more when it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from schemas.alerts import UnitVerdict
from schemas.measures import MICRO
from schemas.updates import Contribution, OpenAlert, Pool
from stream.pool import Units
from stream.rulebook import Rulebook
from stream.template import load_published
from stream.unit_gaps import Lag, judge_gaps, told_before
from tests.oracle.logs import MIDNIGHT, MINUTE, NOON, YIELD, template

KEY = ("op", 1, "yield", "behind")


def _rules(more: str = "") -> Rulebook:
    gap = f"alerts: [{{id: behind, window: day, below_unit: 0.1{more}}}]"
    return Rulebook([load_published(template(f"{YIELD.rstrip('}')}, {gap}}}"))])


def _units(good: Mapping[str, int], left: Sequence[tuple[str, int]] = ()) -> Units:
    """Of L1, ten units each today; E1 may have left versions."""
    units = Units()
    for name, accepted in good.items():
        pool = Pool("L1", "op", 1, [MIDNIGHT], [[1, accepted * MICRO, 10 * MICRO]])
        units.take(Contribution(name, "L1", "", None, {}, [pool]), left if name == "E1" else ())
    return units


def _course(rules: Rulebook, minutes: Sequence[Mapping[str, int]]) -> list[tuple[int, str, bool]]:
    """What is said to whom in which minute."""
    known: dict[str, Sequence[Lag]] = {}
    said: list[tuple[int, str, bool]] = []
    for number, good in enumerate(minutes):
        for judged in list(judge_gaps(_units(good), rules, NOON + number * MINUTE, known)):
            known[judged.employee_id] = judged.lags
            said.extend((number, judged.employee_id, verdict.below) for verdict in judged.verdicts)
    return said


ILL, WELL = {"E1": 2, "E2": 10, "E3": 10}, {"E1": 10, "E2": 10, "E3": 10}


def test_it_is_said_once_and_taken_back_once() -> None:
    """Without `for` in the first minute."""
    assert [(0, "E1", True), (2, "E1", False), (4, "E1", True)] == _course(_rules(), [ILL, ILL, WELL, WELL, ILL])


@pytest.mark.parametrize(("minutes", "said"), [(2, []), (3, [(2, "E1", True)])])
def test_it_has_to_be_so_for_a_time(minutes: int, said: list[tuple[int, str, bool]]) -> None:
    """From the first minute on; a better one begins anew, and nobody is told that what was never said is over."""
    assert said == _course(_rules(", for: 2m"), [ILL] * minutes)
    assert [] == _course(_rules(", for: 2m"), [ILL, ILL, WELL, ILL, ILL, WELL])


def test_who_is_not_looked_at_any_more_has_ended() -> None:
    """In another role, or with a version that is over: nobody is below anything."""
    known = {"E1": [Lag(*KEY, NOON, told=True)], "E9": [Lag(*KEY, NOON, told=True)]}
    judged = list(judge_gaps(_units(ILL, [("op", 1)]), _rules(), NOON + MINUTE, known))
    ended = UnitVerdict(*KEY, "", NOON + MINUTE, False, 0.0, None, None, 0.0, ended=True)
    assert [("E1", [], [ended]), ("E9", [], [ended])] == judged


def test_what_was_said_before_minutes_were_decided_is_known() -> None:
    """By the alerts that members have: nothing is said again."""
    alert = OpenAlert("a", *KEY, drifts=False, raised_at=NOON - MINUTE, folded_into="")
    other = OpenAlert("b", *KEY[:3], "drop", drifts=True, raised_at=NOON, folded_into="")
    lags = told_before([alert, other])
    assert [Lag(*KEY, NOON - MINUTE, told=True)] == lags
    assert [] == list(judge_gaps(_units(ILL), _rules(), NOON, {"E1": lags}))
