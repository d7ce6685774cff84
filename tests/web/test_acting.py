"""Acting on alerts from the page and the API: a record of the log in one's own name, or a refusal that says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from agents.transport.embedded.log import EmbeddedLog
from agents.transport.errors import LogBusy
from dashboards.web.acting import Acting
from dashboards.web.app import create_app
from schemas.instants import HOUR
from stream.topics import COMMANDS
from tests.agents.rig import new_log
from tests.web.factories import NOW, alert, row, scores, template, tick, unit_scores
from tests.web.gates import OPEN, Company
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
MINE, OTHER, UNIT = "a" * 20, "b" * 20, "c" * 20
PUBLIC = "http://testserver.local"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    """The log that commands go to."""
    with new_log(tmp_path / "log", 2) as made:
        yield made


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """L1 of the company of tests/web/gates.py, with an alert of somebody there, one of L2, and one of L1 itself."""
    made = Shelf(tmp_path / "views")
    people = [f"L1-{number}" for number in range(1, 6)]
    records = [scores(who, row(), unit="L1") for who in people]
    alerts = [alert(MINE, "L1-1", unit="L1"), alert(OTHER, "L2-1", unit="L2"), alert(UNIT, None, unit="L1")]
    made.apply([template(), *records, scores("L2-1", row(), unit="L2"), unit_scores("L1", people), *alerts, tick()])
    return made


@pytest.fixture
def client(shelf: Shelf, log: EmbeddedLog) -> Iterator[Client]:
    """A demo's application, over that log."""
    acting = Acting(lambda: nullcontext(log), lambda: NOW, patience=0)
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN, acting=acting)) as made:
        yield made


def commands(log: EmbeddedLog) -> list[dict[str, Any]]:
    """What was told the log."""
    found = [one for number in range(2) for one in log.read(COMMANDS, number, 0, 100)]
    return [json.loads(one[3] or b"") for one in found]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"action": "ack", "reason": "nozzle"}, {"command": "alert", "action": "ack", "reason": "nozzle"}),
        ({"action": "shelve", "for": "4h"}, {"command": "alert", "action": "shelve", "until": NOW + 4 * HOUR}),
        ({"action": "clear"}, {"command": "alert", "action": "clear"}),
        ({"action": "wrong", "reason": "camera"}, {"command": "alert-review", "verdict": "wrong", "reason": "camera"}),
    ],
)
def test_a_form_is_a_record_of_the_log(
    client: Client, log: EmbeddedLog, form: dict[str, str], expected: dict[str, Any]
) -> None:
    """Then the page comes again, in the language that it had; and says so while no worker runs who would obey."""
    answer = client.post(f"/alerts/{MINE}", data={**form, "lang": "zh"}, follow_redirects=False)
    done = "yes" if form["action"] == "wrong" else "later"
    assert (303, f"/team/L1?done={done}&lang=zh") == (answer.status_code, answer.headers["location"])
    (told,) = commands(log)
    assert {**expected, "alert_id": MINE, "by": "demo"}.items() <= told.items()
    assert ("恢复运行后" in client.get(answer.headers["location"]).text) == (done == "later")


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"action": "unshelve"}, 200, "the alert had moved on"),
        ({"action": "shelve", "for": "9y"}, 400, "1h, 4h, 1d, 7d"),
    ],
)
def test_a_form_that_does_nothing_says_so(
    client: Client, log: EmbeddedLog, form: dict[str, str], status: int, said: str
) -> None:
    """On the page, where the alert has moved on."""
    answer = client.post(f"/alerts/{MINE}", data=form)
    assert (status, True) == (answer.status_code, said in answer.text)
    assert [] == commands(log)


def test_what_becomes_of_a_command_is_told_at_an_address(client: Client, log: EmbeddedLog) -> None:
    """The answer names it. Of what was not given to this alert nothing is told."""
    answer = client.post(f"/api/v1/alerts/{MINE}/actions", json={"action": "ack"})
    told, address = answer.json(), answer.headers["location"]
    assert ("pending", f"/api/v1/alerts/{MINE}/commands/{told['command']}") == (told["outcome"], address)
    expected = {"alert_id": MINE, "said": "ack", "by": "demo", "outcome": "pending", "command": told["command"]}
    assert expected | {"why": ""} == client.get(address).json()
    partition, offset, _ = told["command"].split("-")
    names = ("x", "9999-0-0", f"{partition}-{int(offset) + 1}-0", f"{1 - int(partition)}-{offset}-0")
    wrong = [f"/api/v1/alerts/{MINE}/commands/{name}" for name in names] + [address.replace(MINE, OTHER)]
    assert {404} == {client.get(each).status_code for each in wrong}


def test_an_alert_of_the_unit_names_the_unit(client: Client, log: EmbeddedLog) -> None:
    """Its home obeys the command."""
    assert 202 == client.post(f"/api/v1/alerts/{UNIT}/actions", json={"action": "ack"}).status_code
    assert "L1" == commands(log)[0]["unit"]


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        (f"{MINE}/actions", {"action": "unshelve"}, 409, "there is nothing to unshelve"),
        (f"{MINE}/actions", {"action": "dance"}, 400, "dance"),
        (f"{MINE}/actions", {"action": "shelve"}, 400, "takes an instant"),
        (f"{MINE}/actions", {"action": "shelve", "until": "2020-01-01T00:00:00Z"}, 409, "not in the future"),
        (f"{MINE}/actions", {"action": "ack", "until": "2030-01-01T00:00:00Z"}, 400, "nothing else does"),
        (f"{MINE}/actions", {"action": "ack", "reason": "x" * 2_001}, 400, "reason"),
        (f"{'d' * 20}/actions", {"action": "ack"}, 404, "it is over, or never was"),
        (f"{MINE}/reviews", {"verdict": "right", "reason": " "}, 400, "say in 1 to 2,000 characters why"),
    ],
)
def test_what_cannot_be_done_is_said(
    client: Client, log: EmbeddedLog, path: str, body: dict[str, str], status: int, said: str
) -> None:
    """As a problem with the field and its value; nothing is told the log."""
    answer = client.post(f"/api/v1/alerts/{path}", json=body)
    assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert said in answer.text
    assert [] == commands(log)


def test_a_log_that_is_busy_is_asked_again(shelf: Shelf) -> None:
    """503 with when to come again; without a log the page has no forms."""

    def busy() -> Any:
        raise LogBusy("others write")

    for acting, status in ((Acting(busy, lambda: NOW), 503), (None, 503)):
        with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN, acting=acting)) as client:
            answer = client.post(f"/api/v1/alerts/{MINE}/actions", json={"action": "ack"})
            assert (status, acting is not None) == (answer.status_code, "retry-after" in answer.headers)
            assert (acting is not None) == ("<form" in client.get("/team/L1").text)


@pytest.mark.parametrize(
    ("account", "statuses"),
    [
        ("lead", {MINE: 202, OTHER: 403, UNIT: 202}),
        ("personnel", {MINE: 202, OTHER: 202, UNIT: 202}),
        ("worker", {MINE: 403, OTHER: 403, UNIT: 403}),
        ("revision", {MINE: 403, OTHER: 403, UNIT: 403}),
    ],
)
def test_who_may_act_is_the_matrixs(
    shelf: Shelf, log: EmbeddedLog, tmp_path: Path, account: str, statuses: dict[str, int]
) -> None:
    """In their own name, and with the token of their own form only; the page offers what may be done."""
    company = Company(tmp_path / "company")
    acting = Acting(lambda: nullcontext(log), lambda: NOW, patience=0)
    app = create_app(shelf.reader(), clock=lambda: NOW, access=company.gate(), acting=acting)
    session = company.session(account)
    with TestClient(app) as client:
        client.cookies.set("scorestream-session", session)
        page = client.get("/team/L1").text
        token = page.partition('name="csrf" value="')[2].partition('"')[0]
        assert bool(token) == (statuses[MINE] == 202)
        headers = {"origin": PUBLIC, "x-csrf-token": token}
        for alert_id, status in statuses.items():
            address = f"/api/v1/alerts/{alert_id}/actions"
            assert 403 == client.post(address, json={"action": "ack"}, headers={"origin": PUBLIC}).status_code
            assert status == client.post(address, json={"action": "ack"}, headers=headers).status_code, alert_id
    names = {told["by"] for told in commands(log)}
    assert names == ({f"account:{account}"} if 202 in statuses.values() else set())
    company.records.close()
