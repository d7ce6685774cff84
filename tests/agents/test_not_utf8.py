"""A record that is no UTF-8, written by anybody who may write, is unreadable like any other: nobody stops for it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from agents.ticks import tick_of
from agents.told import latest_alerts
from agents.transport.log import Outgoing, Part
from agents.views.conflate import Published, conflate
from dashboards.web.view import View
from schemas.event import Row
from schemas.unreadable import UNREADABLE
from stream.topics import ALERTS, SCORE_UPDATES, UNIT_UPDATES
from tests.agents.rig import Rig

TEXT = b'{"employee_id":"\xff","unit":"\xff","alert_id":"\xff","at":1,"follows":{"\xff":1}}'
DEEP = b"[" * 100_000


@pytest.mark.parametrize("value", [TEXT, DEEP])
def test_a_tick(value: bytes) -> None:
    """It moves nothing."""
    assert tick_of(Row(0, 0, b"0", value, None)) is None


def test_an_alert(rig: Rig) -> None:
    """It is nobody's."""
    rig.log.transact([Part(0, [Outgoing(ALERTS, 0, 0, b"k", TEXT)], {})])
    assert {} == latest_alerts(rig.log)


@pytest.mark.parametrize("topic", [ALERTS, SCORE_UPDATES, UNIT_UPDATES])
def test_what_screens_look_at(topic: str) -> None:
    """The projection passes it over or hands it on, a board leaves it out."""
    latest = conflate([Published(topic, 0, 0, b"k", TEXT)])
    view = View()
    puts: dict[str, Callable[[], int]] = {
        ALERTS: lambda: view.put(alerts={"L1": [TEXT]}).unreadable,
        SCORE_UPDATES: lambda: view.put(employees={"k": TEXT}).unreadable,
        UNIT_UPDATES: lambda: view.put(units={"k": TEXT}).unreadable,
    }
    assert 1 == puts[topic]()
    assert not latest.units.get("k")
    assert not latest.alerts.get("k")


def test_what_is_unreadable() -> None:
    """The kinds that reading raises."""
    for value in (TEXT, b"{", b"\xff"):
        with pytest.raises(UNREADABLE):
            msgspec.json.decode(value, type=dict[str, str])
