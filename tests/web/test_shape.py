"""A board says of alerts only what its viewer may know: that none are open is said to those who see them all."""

from __future__ import annotations

import asyncio

import pytest

from dashboards.web.alerts import Banner
from dashboards.web.board import Drawing, Drawn
from dashboards.web.gate import Credentials, Store
from dashboards.web.shape import shaped
from dashboards.web.sight import Sight
from tests.web.factories import alert, scores, unit_scores
from tests.web.gates import Company
from tests.web.test_board import view_of

LINE = ["L1-1", "L1-2", "L1-3", "L1-4", "L1-5", "lea"]
PART = {"unit": "L1", "people": 6, "name": {}, "newest": None, "rows": [], "trends": {}}
OF_UNIT = alert("u1", None, unit="L1")
OF_ONE = alert("a1", "L1-1", unit="L1", folded_into="u1")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Its store."""
    return Company(tmp_path_factory.mktemp("company"))


def _drawn(company: Company, account: str, unit: str, *alerts: object) -> Drawn:
    view = view_of(
        *(scores(who, unit="L1") for who in LINE),
        unit_scores("L1", LINE),
        unit_scores("plant", ["mona", "plant-1"], parts=[PART], people=8),
        *alerts,  # type: ignore[arg-type]
    )
    gate: Store = company.gate()
    credentials = Credentials(session=company.session(account))
    viewer = asyncio.run(gate.viewer(credentials))
    assert viewer is not None
    sight, drawn = Sight(gate, viewer, credentials), Drawing(unit).draw(view)
    found = shaped(drawn, unit, view.alerts.get(unit, ()), view.catalogue, sight)
    gate.close()
    return found


def _said(told: Banner) -> tuple[int, bool, bool]:
    return told.open, told.hidden, told.below


@pytest.mark.parametrize("alerts", [(), (OF_UNIT,)], ids=["none", "one"])
@pytest.mark.parametrize(
    ("account", "unit", "sees"),
    [
        ("worker", "L1", False),
        ("manager", "L1", False),
        ("lead", "L1", True),
        ("personnel", "L1", True),
        ("revision", "L1", True),
    ],
)
def test_none_are_open_is_said_to_those_who_see_them(
    company: Company, account: str, unit: str, sees: bool, alerts: tuple[object, ...]
) -> None:
    """To others that alerts are not shown to them, whether there is one or not."""
    assert (len(alerts) if sees else 0, not sees, False) == _said(_drawn(company, account, unit, *alerts).alerts)


def test_units_below_have_alerts_of_their_own(company: Company) -> None:
    """The board above them does not say that all is well: it has not looked."""
    assert (0, False, True) == _said(_drawn(company, "manager", "plant", OF_UNIT).alerts)
    view = view_of(unit_scores("plant", ["mona", "plant-1"], parts=[PART], people=8))
    assert (0, False, True) == _said(Drawing("plant").draw(view).alerts)


def test_an_alert_that_is_folded_into_a_hidden_one_stands_for_itself(company: Company) -> None:
    """Of whoever works there; who sees the unit's alert sees that one."""
    own = _drawn(company, "worker", "L1", OF_UNIT, OF_ONE)
    assert ["a1"] == [shown.id for shown in own.alerts.shown]
    assert (1, True, False) == _said(own.alerts)
    assert ["u1"] == [shown.id for shown in _drawn(company, "lead", "L1", OF_UNIT, OF_ONE).alerts.shown]
