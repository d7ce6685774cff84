"""How many series there are has one limit: what does not fit goes whole, is named, and does not come back."""

from __future__ import annotations

import pytest

from agents.series import MOST, OPEN, PARTS, SERVICE, Column, Series

ROOM = MOST - int(MOST * OPEN) - SERVICE


def _values(number: int) -> Column:
    return Column("values", (number,), f"values of y{number}")


def test_what_fits_is_kept_whole() -> None:
    """The first in order, wherever they were asked for first; a smaller one may fit where a larger one does not."""
    series = Series()
    series.ask({_values(2): 3_000, _values(1): 6_000, _values(0): 6_000})
    assert [True, True, False] == [series.kept(_values(number)) for number in range(3)]
    series.ask({_values(3): 100})
    assert series.kept(_values(3))
    assert {"values": 3_000} == {part: number for part, number in series.left_out().items() if number}


def test_parts_leave_something_to_those_after_them() -> None:
    """Alerts do not take all that there is, nor do values; what a part does not need is for the next."""
    series = Series()
    wanted = {part: Column(part, (), part) for part in PARTS}
    alone = Series()
    alone.ask({wanted["distribution"]: ROOM})
    assert alone.kept(wanted["distribution"])
    series.ask({wanted["alert_counts"]: ROOM // 2, wanted["values"]: ROOM // 2, wanted["distribution"]: ROOM // 2})
    assert [False, True, True] == [series.kept(wanted[part]) for part in ("alert_counts", "values", "distribution")]


def test_what_was_left_out_does_not_come_back(caplog: pytest.LogCaptureFixture) -> None:
    """Nor is it named twice: a counter that vanishes and comes back counts wrong."""
    series = Series()
    series.ask({_values(0): 10_000, _values(1): 2_000})
    assert series.kept(_values(1))
    series.ask({_values(0): 12_000})
    assert (True, False) == (series.kept(_values(0)), series.kept(_values(1)))
    series.ask({_values(0): 10, _values(1): 10, _values(2): 10})
    assert (False, True) == (series.kept(_values(1)), series.kept(_values(2)))
    (line,) = caplog.messages
    assert "left out are values of y1; that is 2000 series" in line


def test_the_service_itself_comes_first() -> None:
    """Many partitions leave less for people."""
    series = Series()
    series.ask({_values(0): 12_000})
    series.service(10_000)
    assert not series.kept(_values(0))


def test_open_alerts_beyond_their_share_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """And counted as long as there are more."""
    series = Series(1_000)
    assert [60, 60, 60] == [series.open([1] * number) for number in (60, 150, 170)]
    assert 110 == series.left_out()["open_alerts"]
    series.open([1] * 3)
    assert 0 == series.left_out()["open_alerts"]
    (line,) = caplog.messages
    assert "150 alerts are open, of which 60 are shown" in line


def test_an_alert_that_was_escalated_takes_two_places() -> None:
    """The limit is of series, not of alerts."""
    series = Series(1_000)
    assert 40 == series.open([2] * 20 + [1] * 40)
    assert 20 == series.left_out()["open_alerts"]
    assert 30 == series.open([1, *[2] * 30])
