"""Where the link in an alert's message leads: the right chart, the evidence, the next step, for who may see it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import select

from agents.records.access_tables import audit
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.log import Outgoing, Part, partition_for
from agents.views.conflate import Published
from dashboards.web.acting import Acting
from dashboards.web.app import create_app
from schemas.alerts import ACKNOWLEDGED, CLEARED
from schemas.instants import MINUTE, format_rfc3339, parse_rfc3339
from stream.topics import ALERTS, COMMANDS
from tests.agents.rig import new_log
from tests.cli.scored import TEMPLATE as MEASURED
from tests.cli.scored import append, inspection
from tests.web.factories import INDICATOR, NOW, ROLLING, alert, scores, template, tick, unit_scores
from tests.web.gates import OPEN, WORKS, Company
from tests.web.logged import evidence_of
from tests.web.people import VIEWERS, SignedIn, site
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
ROW: dict[str, Any] = {"at": NOW - 7 * MINUTE, "window_start": format_rfc3339(NOW - 30 * MINUTE)}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A line of two people, an alert about one of them, one folded into the line's own."""
    made = Shelf(tmp_path)
    panes = {f"production-operator/{INDICATOR}/{ROLLING}": [[NOW - (4 - n) * 15 * MINUTE, 50, 45] for n in range(4)]}
    folded = alert("a2", "E0002", folded_into="u1", **ROW)
    made.apply([*site(), unit_scores("L03", ["E0001", "E0002"], trends=panes)])
    made.apply([alert("a1", "E0001", **ROW), alert("u1", None, low=None, high=None, **ROW), folded])
    return made


@pytest.fixture
def client(shelf: Shelf) -> Iterator[Client]:
    """Everything is open: what is shown to whom is tested below."""
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN)) as made:
        yield made


def _text(html: str) -> str:
    body = re.sub(r"<head>.*?</head>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_the_evidence_of_an_alert(client: Client) -> None:
    """What happened, since when, n and interval, the limit, the events, the next step; a chart with the time marked."""
    answer = client.get("/alerts/a1")
    assert 200 == answer.status_code
    text = _text(answer.text)
    for said in (
        "Semi-finished yield", "E0001", "Semi-finished yield has dropped. Check the record.", "78.1%", "n = 32",
        "61.3%", "89.0%", "95.0%", "e1 … e2", "default",
    ):  # fmt: skip
        assert said in text, said
    assert 'id="chart" data-indicator="semi_finished_yield" data-employee="E0001"' in answer.text
    assert re.search(r'<rect class="marked" x="[\d.]+" y="0" width="[\d.]+"', answer.text)
    assert 'class="line" d="M' in answer.text


def test_it_says_so_in_chinese(client: Client) -> None:
    """The message is the alert's own, in the reader's language."""
    text = _text(client.get("/alerts/a1?lang=zh").text)
    for said in ("半成品良品率下降。请查看生产记录。", "依据", "阴影部分为告警所涉时段"):
        assert said in text


def test_it_leads_on_to_the_person_and_the_events_of_then(client: Client) -> None:
    """Not to those of now: the events are those that the alert was raised by."""
    html = client.get("/alerts/a1").text
    raised = format_rfc3339(NOW - 7 * MINUTE).replace(":", "%3A").replace("+", "%2B")
    assert 'href="/people/E0001"' in html
    assert f"as_of={raised}" in html
    assert "/people/E0001/events?indicator=semi_finished_yield&amp;window=" in html
    assert 200 == client.get("/people/E0001").status_code


def test_a_units_own_alert_leads_to_its_people(client: Client) -> None:
    """It is about nobody: its chart is the unit's."""
    html = client.get("/alerts/u1").text
    assert 'data-employee="" data-unit="L03"' in html
    assert 'href="/team/L03#alert-u1"' in html
    assert "/board/L03/funnel" in html
    assert "/people/" not in html


def test_one_that_is_part_of_the_lines_leads_there(client: Client) -> None:
    """The line is probably at fault."""
    assert 'href="/alerts/u1"' in client.get("/alerts/a2").text


@pytest.mark.parametrize("page", ["/people/E0001", "/team/L03"])
def test_lists_lead_to_the_evidence(client: Client, page: str) -> None:
    """From the person's page and from the supervisor's list."""
    html = client.get(page).text
    assert 'href="/alerts/a1"' in html
    assert 'id="alert-a1"' in html


@pytest.mark.parametrize("wanted", ["nothing", "a%20b", "x" * 65])
def test_an_alert_that_is_none(client: Client, wanted: str) -> None:
    """A page says so; nothing of what was asked for stands in it unescaped."""
    answer = client.get(f"/alerts/{wanted}")
    assert 404 == answer.status_code
    assert "No such alert" in answer.text


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """People who may see each other, and who may not."""
    return Company(tmp_path_factory.mktemp("company"))


@pytest.mark.parametrize(
    ("account", "about", "status"),
    [
        ("worker", "L1-1", 200),  # their own
        ("worker", "L1-2", 403),  # a colleague's
        ("lead", "L1-2", 200),
        ("lead", "L2-1", 403),
        ("personnel", "L2-1", 200),
        ("revision", "L2-1", 200),
        ("keys", "L1-1", 403),
        (None, "L1-1", 401),
    ],
)
def test_who_may_see_it(company: Company, tmp_path: Path, account: str | None, about: str, status: int) -> None:
    """The link is an id that names nobody; behind the login it opens to whoever may see the person's alerts."""
    shelf = Shelf(tmp_path)
    shelf.apply([template(), *(scores(who, unit=unit) for who, unit in WORKS.items())])
    shelf.apply([unit_scores("L1", ["L1-1", "L1-2"]), alert("a" * 20, about, unit=WORKS[about]), tick(NOW)])
    acting = Acting(lambda: nullcontext(None), lambda: company.at)  # type: ignore[arg-type]  # nobody acts
    app = create_app(shelf.reader(), clock=lambda: company.at, access=company.gate(), acting=acting)
    with TestClient(app) as client:
        if account is not None:
            client.cookies.set("scorestream-session", company.session(account))
        answer = client.get(f"/alerts/{'a' * 20}")
        assert status == answer.status_code
        assert (status == 200) == (f'data-employee="{about}"' in answer.text)
        assert (account == "worker" and status == 200) == ("/me/appeal?" in answer.text)
        assert (status == 200 and account in ("lead", "personnel")) == ('value="wrong"' in answer.text)
        entry = _last_entry(company)
    others = account is not None and account != "worker" and status == 200
    if others or (status == 403 and account != "keys"):
        who, outcome = f"account:{account}", "allowed" if status == 200 else "refused"
        assert (who, f"employee:{about}", "read-alerts", outcome) == entry


def _last_entry(company: Company) -> tuple[str, ...]:
    with company.records.reading() as connection:
        row = connection.execute(select(audit).order_by(audit.c.number.desc()).limit(1)).one()
    return row.actor, row.subject, row.right, row.outcome


STEP = "Your yield is below target; check the production record"


def test_what_to_do_next_stands_apart(shelf: Shelf) -> None:
    """The template's own next step, which is the last sentence of the message, is not said twice."""
    said = {"zh": "良品率下降。您的良品率指标未达标，请查看生产记录。", "en": f"Yield has dropped. {STEP}."}
    shelf.apply([alert("a3", "E0001", message=said, **ROW)])
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN)) as client:
        html = client.get("/alerts/a3").text
        assert f'<p class="step" id="next"><b>Next step</b> {STEP}.</p>' in html
        assert '<p id="message">Yield has dropped.</p>' in html
        assert '<p id="message">良品率下降。</p>' in client.get("/alerts/a3?lang=zh").text


def test_what_became_of_it_is_told_from_the_log(shelf: Shelf, tmp_path: Path) -> None:
    """Each step with its time, who did it and why; the person whom it is about is not told who."""
    done = {"state": ACKNOWLEDGED, "by": "lea", "reason": "looks", "changed_at": format_rfc3339(NOW - 6 * MINUTE)}
    _log(tmp_path, [alert("a1", "E0001", **ROW), alert("a1", "E0001", **ROW | done)])
    shelf.apply([alert("a1", "E0001", **ROW | done)])

    def app() -> Any:
        return create_app(shelf.reader(), clock=lambda: NOW, access=OPEN, evidence=evidence_of(tmp_path / "log"))

    with TestClient(app()) as client:
        html = client.get("/alerts/a1").text
    assert ["raised", "acknowledged"] == re.findall(r'<li data-what="(\w+)">', html)
    assert "by lea: looks" in _text(html)
    assert "cannot be read" not in html
    signed: Any = SignedIn(app(), VIEWERS["own"])
    with TestClient(signed) as client:
        html = client.get("/alerts/a1").text
    assert ["raised", "acknowledged"] == re.findall(r'<li data-what="(\w+)">', html)
    assert "lea" not in _text(html)


def test_the_chart_of_an_alert_of_yesterday_is_that_of_then(tmp_path: Path) -> None:
    """What was published meanwhile says nothing of it: it is drawn from the log as it stood when it was raised."""
    work = [inspection(f"q{n}", "E0001", f"2026-03-02T11:{10 + n}:00Z", 20, 19 - n // 5) for n in range(40)]
    append(tmp_path / "log", work, template=MEASURED)
    raised = parse_rfc3339("2026-03-02T11:49:30Z") or 0
    row = {"indicator": "yield", "template": "yield", "window_start": format_rfc3339(raised - 20 * MINUTE)}
    shelf = Shelf(tmp_path)
    shelf.apply([template(MEASURED), scores("E0001"), tick(NOW)])
    shelf.apply([alert("old", "E0001", at=raised, **row)])
    app = create_app(shelf.reader(), clock=lambda: NOW, access=OPEN, evidence=evidence_of(tmp_path / "log"))
    with TestClient(app) as client:
        html = client.get("/alerts/old").text
    assert "From 2 Mar, 19:10 to 2 Mar, 19:" in html
    assert 'class="marked"' in html
    with TestClient(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN)) as client:
        assert "There is no trend to draw" in client.get("/alerts/old").text


def _log(folder: Path, said: Sequence[Published]) -> None:
    with new_log(folder / "log", 2) as log:
        for each in said:
            number = partition_for(b"E0001", 2)
            log.transact([Part(number, [Outgoing(ALERTS, number, each.timestamp, each.key or b"", each.value)], {})])


def test_one_that_is_over_is_read_from_the_log(shelf: Shelf, tmp_path: Path) -> None:
    """A mail may be opened days later; without a log the page says why there is nothing."""
    raised = alert("gone", "E0001", **ROW)
    over = alert("gone", "E0001", state=CLEARED, cleared_at=format_rfc3339(NOW - MINUTE), **ROW)
    _log(tmp_path, [raised, over])
    app = create_app(shelf.reader(), clock=lambda: NOW, access=OPEN, evidence=evidence_of(tmp_path / "log"))
    with TestClient(app) as client:
        answer = client.get("/alerts/gone")
        assert 200 == answer.status_code
        assert "over since" in answer.text
        assert 404 == client.get("/alerts/never").status_code
    app = create_app(shelf.reader(), clock=lambda: NOW, access=OPEN, evidence=evidence_of(tmp_path / "none"))
    with TestClient(app) as client:
        assert 404 == client.get("/alerts/gone").status_code


def test_one_that_is_over_can_be_found_right_or_wrong(shelf: Shelf, tmp_path: Path) -> None:
    """From its page, which comes again, and over the API; nothing else can be done to it."""
    over = alert("gone", "E0001", state=CLEARED, cleared_at=format_rfc3339(NOW - MINUTE), **ROW)
    _log(tmp_path, [alert("gone", "E0001", **ROW), over])

    def opened() -> AbstractContextManager[EmbeddedLog]:
        return closing(EmbeddedLog.open(tmp_path / "log", create=False))

    acting = Acting(opened, lambda: NOW, patience=0)
    evidence = evidence_of(tmp_path / "log")
    app = create_app(shelf.reader(), clock=lambda: NOW, access=OPEN, evidence=evidence, acting=acting)
    with TestClient(app) as client:
        assert 'value="wrong"' in client.get("/alerts/gone").text
        form = {"action": "wrong", "reason": "camera", "from": "alert", "lang": "en"}
        answer = client.post("/alerts/gone", data=form, follow_redirects=False)
        assert (303, "/alerts/gone?done=yes&lang=en") == (answer.status_code, answer.headers["location"])
        assert "Noted." in client.get(answer.headers["location"]).text
        right = {"verdict": "right", "reason": "nozzle"}
        assert 202 == client.post("/api/v1/alerts/gone/reviews", json=right).status_code
        assert 404 == client.post("/api/v1/alerts/never/reviews", json=right).status_code
        assert 404 == client.post("/api/v1/alerts/gone/actions", json={"action": "ack"}).status_code
        with opened() as log:
            found = [json.loads(row[3] or b"") for n in range(2) for row in log.read(COMMANDS, n, 0, 10)]
        assert [("wrong", "camera", "gone"), ("right", "nozzle", "gone")] == [
            (one["verdict"], one["reason"], one["alert_id"]) for one in found
        ]
