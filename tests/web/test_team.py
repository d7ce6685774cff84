"""The page of whoever leads a unit: reasons that can be shown, the gravest first, and nobody ranked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from agents.views.conflate import Published
from dashboards.web.app import create_app
from dashboards.web.catalogue import Catalogue, read_template
from dashboards.web.cookies import SESSION
from dashboards.web.team import Member, Team, team
from dashboards.web.updates import decode_scores
from schemas.alerts import AlertRow
from schemas.instants import MINUTE
from tests.web.factories import INDICATOR, NOW, ROLLING, TEMPLATE, alert, row, scores, template, tick, unit_scores
from tests.web.gates import OPEN, Company, everybody
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
MAIN = ("production-operator", INDICATOR, ROLLING)
SILENT = 2 * MINUTE


def _with(record: Published, **changes: Any) -> Published:
    value = json.loads(record.value or b"")
    return record._replace(value=json.dumps({**value, **changes}).encode())


def _team(*people: Published, alerts: tuple[Published, ...] = (), now: int = NOW) -> Team:
    catalogue = Catalogue(read_template)
    assert catalogue.publish(TEMPLATE)
    known = {(one.key or b"").decode(): decode_scores((one.key or b"").decode(), one.value or b"") for one in people}
    rows = [msgspec.json.decode(one.value or b"", type=AlertRow) for one in alerts]
    return team(known, rows, catalogue, MAIN, now, SILENT)


def _reasons(members: tuple[Member, ...]) -> dict[str, list[str]]:
    return {one.id: [reason.why for reason in one.reasons] for one in members}


def test_a_low_number_that_chance_explains_is_no_reason() -> None:
    """85 of 100 where 95 are wanted is one, 14 of 15 is none; a hundred of a hundred neither."""
    found = _team(scores("E1", row(85, 100)), scores("E2", row(14, 15)), scores("E3", row(100, 100)))
    assert {"E1": ["below"]} == _reasons(found.attention)
    assert ["E2", "E3"] == [one.id for one in found.others]
    (below,) = found.attention[0].reasons
    assert below.reading is not None
    assert (INDICATOR, ROLLING) == (below.reading.indicator, below.reading.window)


def test_an_alert_says_it_once() -> None:
    """What an alert is about is not told again as a value below its target, or as one on its way to an alert."""
    near = {"drifts": {f"production-operator/{INDICATOR}": 1.0}}
    found = _team(_with(scores("E1", row(60, 100)), **near), alerts=(alert("a" * 20, "E1"),))
    assert {"E1": ["alert"]} == _reasons(found.attention)


@pytest.mark.parametrize(("share", "expected"), [(0.79, {}), (0.8, {"E1": ["near"]}), (1.2, {"E1": ["near"]})])
def test_who_is_near_an_alert_is_seen_before_it(share: float, expected: dict[str, list[str]]) -> None:
    """From four fifths of the height at which the rule alerts; never more than all of it."""
    found = _team(_with(scores("E1", row()), drifts={f"production-operator/{INDICATOR}": share}))
    assert expected == _reasons(found.attention)
    assert all((reason.share or 0) <= 1 for one in found.attention for reason in one.reasons)


def test_silence_is_a_reason_only_beside_others_who_are_not_silent() -> None:
    """After the shift everybody is; and of somebody without any data nothing is said."""
    quiet = scores("E1", row(), newest=NOW - SILENT - 1)
    empty = scores("E3", row(0, 0, status="no_data"), newest=NOW - SILENT - 1)
    found = _team(quiet, scores("E2", row()), empty)
    assert {"E1": ["silent"]} == _reasons(found.attention)
    assert {} == _reasons(_team(quiet, scores("E2", row(), newest=NOW - SILENT - 1)).attention)
    assert [None] == [one.newest for one in found.others if one.id == "E3"]


def test_the_gravest_comes_first() -> None:
    """What fires before what is in hand, escalated and critical first; then who is near, below, silent; then by id."""
    drifts = {"drifts": {f"production-operator/{INDICATOR}": 0.9}}
    people = [
        scores("E1", row(60, 100)), scores("E2", row(), newest=NOW - SILENT - 1), _with(scores("E3", row()), **drifts),
        *(scores(f"E{n}", row()) for n in (4, 5, 6, 7)), scores("E8", row(60, 100)),
    ]  # fmt: skip
    alerts = (
        alert("a" * 20, "E4", state="acknowledged"),
        alert("b" * 20, "E5"),
        alert("c" * 20, "E6", severity="critical"),
        alert("d" * 20, "E7", escalated_at="2026-03-02T05:41:00.000Z"),
        alert("e" * 20, None),
    )
    found = _team(*people, alerts=alerts)
    assert ["E7", "E6", "E5", "E4", "E3", "E1", "E8", "E2"] == [one.id for one in found.attention]
    assert ["e" * 20] == [one.alert_id for one in found.own]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A line with somebody to look at, and a plant above it."""
    shelf = Shelf(tmp_path)
    people = [scores("E0001", row(60, 100)), scores("E0002", row())]
    own = unit_scores("L/3", ["E0001", "E0002"], row(156, 200), name={"zh": "三线", "en": "Line 3"}, parents=["plant"])
    message = {"zh": "<b>下降</b>", "en": "<b>dropped</b>"}
    above = unit_scores("plant", [], name={"zh": "一厂", "en": "Plant 1"})
    shelf.apply([template(), *people, own, above, alert("a" * 20, "E0001", unit="L/3", message=message), tick()])
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN)) as made:
        yield made


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("", ["Line 3", "1 of 2 needs attention.", "&lt;b&gt;dropped", "96.0%", "98.4%", "since 13:40"]),
        ("?lang=zh", ["三线", "2 人中有 1 人需要关注。", "&lt;b&gt;下降", "96.0%", "13:40"]),
    ],
)
def test_the_page_speaks_both_languages(client: Client, query: str, texts: list[str]) -> None:
    """With times in the zone of the template, shares in percent, and nothing unescaped."""
    answer = client.get(f"/team/L%2F3{query}")
    assert 200 == answer.status_code
    assert [] == [text for text in texts if text not in answer.text]
    assert ["/people/E0001", "/people/E0002"] == re.findall(r'href="(/people/E[0-9]+)', answer.text)
    assert "/team/plant" in answer.text
    assert f"↑ {'一厂' if 'zh' in query else 'Plant 1'}</a>" in answer.text


def test_a_unit_that_is_not_there_is_said_to_be_none(client: Client) -> None:
    """With the units that there are."""
    for address in ("/team", "/team/nowhere", "/team/L%2F3/more"):
        answer = client.get(address)
        assert 404 == answer.status_code
        assert "L/3" in answer.text


def test_a_page_of_a_team_is_refused_as_its_board_is(tmp_path: Path) -> None:
    """To who works elsewhere; to the manager of the plant it says that people of the line are not shown to them."""
    company = Company(tmp_path / "company")
    with TestClient(create_app(everybody(tmp_path).reader(), clock=lambda: NOW, access=company.gate())) as client:
        said: dict[tuple[str, str], tuple[int, int, str]] = {}
        for account, unit in (
            ("worker", "office"),
            ("worker", "L1"),
            ("lead", "L1"),
            ("lead", "L2"),
            ("manager", "L1"),
        ):
            mine = {"cookie": f"{SESSION}={company.session(account)}"}
            board, page = (client.get(f"/{kind}/{unit}?lang=en", headers=mine) for kind in ("board", "team"))
            text = re.findall(r"\d of the \d people of this unit (?:is|are) shown to you", page.text)
            said[account, unit] = (board.status_code, page.status_code, "".join(text))
    shown = "{} of the 6 people of this unit {} shown to you".format
    assert {
        ("worker", "office"): (403, 403, ""),
        ("worker", "L1"): (200, 200, shown(1, "is")),
        ("lead", "L1"): (200, 200, ""),
        ("lead", "L2"): (403, 403, ""),
        ("manager", "L1"): (200, 200, shown(0, "are")),
    } == said


@pytest.mark.parametrize("path", ["/team/L%2F3", "/board/L%2F3/funnel"])
def test_its_look_is_chosen_on_it(client: Client, path: str) -> None:
    """As on other pages: light, dark, or for a wall, which is what it is without a choice."""
    looks = {look: client.get(f"{path}?lang=en&theme={look}").text for look in ("light", "dark", "wall", "odd")}
    for look, page in looks.items():
        chosen = look if look != "odd" else "wall"
        assert f'data-theme="{chosen}"' in page
        assert [chosen] == re.findall(r'href="\?lang=en&amp;theme=(\w+)" aria-current="true"', page)
