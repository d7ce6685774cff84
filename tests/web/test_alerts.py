"""A board's alerts: three at most, the right ones, flags at people, and nothing of who did what."""

from __future__ import annotations

import msgspec
import pytest

from dashboards.web.alerts import Flag, banner, decode_alert, flags
from dashboards.web.board import Drawing
from dashboards.web.catalogue import Catalogue, read_template
from dashboards.web.channel import Channel
from dashboards.web.view import View
from schemas.instants import MINUTE, format_rfc3339
from tests.web.factories import NOW, TEMPLATE, alert, line, row, scores
from tests.web.shelf import show
from tests.web.test_channel import data


def catalogue() -> Catalogue:
    """One that knows the template."""
    made = Catalogue(read_template)
    assert made.publish(TEMPLATE)
    return made


def ids(*rows: bytes | None) -> tuple[list[str], int]:
    """What of these alerts is in the banner, and how many are open."""
    found = banner([decode_alert(value or b"") for value in rows], catalogue())
    return [shown.id for shown in found.shown], found.open


def test_the_most_severe_and_oldest_stand_first() -> None:
    """A severity that a later version knows comes last."""
    rows = [
        alert("info", severity="info", at=NOW - 9 * MINUTE).value, alert("young", at=NOW).value,
        alert("old", at=NOW - MINUTE).value, alert("critical", severity="critical").value,
        alert("strange", severity="strange", at=NOW - 99 * MINUTE).value,
    ]  # fmt: skip
    assert (["critical", "old", "young"], 5) == ids(*rows)
    assert (["young", "info", "strange"], 3) == ids(rows[4], rows[1], rows[0])


@pytest.mark.parametrize("state", ["acknowledged", "shelved"])
def test_what_somebody_has_in_hand_gives_way_and_does_not_move(state: str) -> None:
    """Four are open: the one that is in hand is left out; of three it keeps its place."""
    rows = [alert(f"a{number}", at=NOW + number).value for number in range(3)]
    handled = alert("a0", state=state, at=NOW).value
    assert (["a0", "a1", "a2"], 3) == ids(handled, *rows[1:])
    more = alert("a3", severity="info", at=NOW + 9).value
    assert (["a1", "a2", "a3"], 4) == ids(handled, *rows[1:], more)


def test_a_folded_alert_is_told_by_that_of_the_unit() -> None:
    """When the whole line drops, the line is told, not twenty people; flags say so, but for what is theirs alone."""
    own = alert("u1", None, severity="critical").value
    folded = alert("a1", folded_into="u1", severity="critical").value
    assert (["u1"], 1) == ids(own, folded)
    assert {"E0001": Flag("critical", "firing", None, True)} == flags([decode_alert(folded or b"")])
    alone = alert("a2", severity="info", state="acknowledged").value
    found = flags([decode_alert(value or b"") for value in (own, folded, alone)])
    assert {"E0001": Flag("info", "acknowledged", None, False)} == found


def test_a_units_own_alert_that_somebody_has_in_hand() -> None:
    """It stays on the board, as one about nobody, and says so; its people's stay behind it."""
    own = alert("u1", None, state="acknowledged").value
    found = banner([decode_alert(value or b"") for value in (own, alert("a1", folded_into="u1").value)], catalogue())
    assert [("u1", None, "acknowledged")] == [(shown.id, shown.employee, shown.state) for shown in found.shown]
    assert 1 == found.open


def test_of_people_who_drift_together_their_number_is_shown() -> None:
    """Three of seven: the value of such an alert, 42.9 %, is none of the indicator."""
    whole = alert("u1", None, rule="common_cause", value=3 / 7, n=7, good=4, low=None, high=None)
    shown = banner([decode_alert(each.value or b"") for each in (whole, alert("a1"))], catalogue()).shown
    assert {"u1": (3, 7), "a1": (None, 32)} == {each.id: (each.affected, each.n) for each in shown}


def test_a_person_is_flagged_by_what_matters_most() -> None:
    """What nobody has in hand before what somebody has, then the more severe."""
    rows = [
        alert("a1", severity="critical", state="acknowledged"), alert("a2", severity="info"), alert("a3"),
        alert("a4", "E0002", state="shelved", until=format_rfc3339(NOW)),
    ]  # fmt: skip
    expected = {
        "E0001": Flag("warning", "firing", None),
        "E0002": Flag("warning", "shelved", "2026-03-02T05:40:00.000Z"),
    }
    assert expected == flags([decode_alert(each.value or b"") for each in rows])


def test_an_alert_is_named_by_its_template() -> None:
    """In both languages; without the template by the indicator's id alone."""
    only = decode_alert(alert("a1").value or b"")
    (shown,) = banner([only], catalogue()).shown
    assert ({"zh": "半成品良品率", "en": "Semi-finished yield"}, "percent") == (shown.name, shown.unit)
    assert (0.78125, 32, format_rfc3339(NOW)) == (shown.value, shown.n, shown.since)
    (bare,) = banner([only], Catalogue(read_template)).shown
    assert ({}, "semi_finished_yield") == (bare.name, bare.indicator)


def test_who_did_what_does_not_reach_a_screen() -> None:
    """A board hangs in a hall: neither an account nor a remark of somebody."""
    view = View()
    show(view, [*line(), alert("a1", state="acknowledged", by="lee.wang", reason="E0001 was ill")])
    sent = Channel("L03", view).snapshot()
    assert b"a1" in sent
    assert b"lee.wang" not in sent
    assert b"was ill" not in sent


@pytest.mark.parametrize("value", [b"{", b"{}", alert("a1", raised_at="yesterday").value])
def test_an_alert_that_cannot_be_read_is_counted(value: bytes) -> None:
    """The others are shown."""
    with pytest.raises(msgspec.MsgspecError):
        decode_alert(value)
    view = View()
    touched = view.put(alerts={"L03": [value, alert("a2").value or b""]})
    assert (1, ["L03"]) == (touched.unreadable, list(touched.units))
    assert ["a2"] == [each.alert_id for each in view.alerts["L03"]]


def test_alerts_go_with_their_board() -> None:
    """Who turns away from a unit forgets its alerts, too; other views are another truth."""
    view = View()
    show(view, [*line("L03"), *line("L04"), alert("a1"), alert("a2", unit="L04")])
    view.forget("L03")
    assert ["L04"] == list(view.alerts)
    view.clear()
    assert {} == view.alerts


def test_an_alert_draws_the_person_it_is_about_anew() -> None:
    """And nobody else; one that comes and goes leaves the tile as it was."""
    view = View()
    show(view, line(people=3))
    drawing = Drawing("L03")
    before = drawing.draw(view).people
    show(view, [alert("a1", "E0002")])
    during = drawing.draw(view).people
    assert [True, False, True] == [before[who] is during[who] for who in before]
    view.put(alerts={"L03": []})
    assert before == drawing.draw(view).people


def test_the_snapshot_and_changes_carry_alerts() -> None:
    """A change names the banner when that is another one, and the people whose flags are."""
    view = View()
    show(view, line(people=3))
    channel = Channel("L03", view)
    assert {"shown": [], "open": 0, "hidden": False, "below": False} == data(channel.snapshot())["alerts"]
    show(view, [alert("a1", "E0002")])
    change = data(channel.advance())
    assert {"unit", "people", "alerts"} == set(change)
    assert [("E0002", {"severity": "warning", "state": "firing", "until": None})] == [
        (tile["id"], tile["alert"]) for tile in change["people"]
    ]
    assert ["a1"] == [shown["id"] for shown in change["alerts"]["shown"]]
    show(view, [scores("E0002", row(50))])
    assert {"unit", "people"} == set(data(channel.advance()))
    view.put(alerts={"L03": []})
    change = data(channel.advance())
    assert ([], None) == (change["alerts"]["shown"], change["people"][0]["alert"])
    assert data(channel.snapshot())["alerts"] == change["alerts"]
