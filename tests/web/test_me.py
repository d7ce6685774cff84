"""`/me` and `/people/ID`: whose page it is, what it says in both languages, fresh for the price of a hash."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from dashboards.web.app import PERSONAL, create_app
from dashboards.web.languages import words
from dashboards.web.security import HEADERS, with_forms
from schemas.instants import format_rfc3339
from tests.e2e.webs import until
from tests.web.factories import NOW, alert, scores
from tests.web.gates import OPEN
from tests.web.people import COOKIE, SignedIn, person, site
from tests.web.shelf import Shelf

Client = TestClient[Litestar]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A line of two people."""
    made = Shelf(tmp_path)
    made.apply(site())
    return made


@pytest.fixture
def client(shelf: Shelf) -> Iterator[Client]:
    """Nobody is signed in until a test sets the cookie."""
    app: Any = SignedIn(create_app(shelf.reader(), clock=lambda: NOW, access=OPEN))
    with TestClient(app) as made:
        yield made


def _as(client: Client, who: str) -> Client:
    client.cookies.set(COOKIE, who)
    return client


def _text(html: str) -> str:
    """What is read on a page."""
    body = re.sub(r"<head>.*?</head>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_a_person_sees_where_they_stand_and_what_would_help(client: Client) -> None:
    """Points, what is missing to the target, the units that would do it, the alert with its next step."""
    answer = _as(client, "own").get("/me")
    assert 200 == answer.status_code
    text = _text(answer.text)
    for said in (
        "91.2 of 100 points",
        "8.8 to go",
        "140 more good units Semi-finished yield up to +4.4 points",
        "Below the average of L03 (96.5%) by more than chance explains.",
        "95% interval 80.2% to 93.0%",
        "Not enough data: 12 of 30. 18 more units, and it is judged.",
        "Semi-finished yield has dropped. Check the record.",
        "Your yield is below target; check the production record",
        "100 * min(0.88 / 0.95, 1.2) = 92.6",
        "collected: 60,000",
        "stage: semi_finished",
    ):
        assert said in text


def test_a_page_speaks_chinese(client: Client) -> None:
    """The language that the person chose for themselves, unless the address says otherwise."""
    text = _text(_as(client, "chinese").get("/me").text)
    for said in (
        "还差 8.8 分",
        "再连续做出 140 件合格品即达目标。",
        "低于 L03 的平均水平（96.5%）",
        "半成品良品率下降",
        "最新事件 3月2日 13:40",
    ):
        assert said in text
    assert 'lang="en"' in client.get("/me?lang=en").text


def test_another_window_is_chosen_by_a_link(client: Client) -> None:
    """Without script; links keep language and look."""
    page = _as(client, "own").get("/me?lang=en&theme=dark").text
    href = re.search(r'<a href="([^"]+)"[^>]*>this month', page)
    assert href is not None
    month = client.get(href[1].replace("&amp;", "&")).text
    assert 'aria-current="page">this month' in month
    assert 'data-theme="dark"' in month
    assert "target reached" in month


def test_a_supervisor_sees_the_same_page_of_somebody_else(client: Client) -> None:
    """Without what only the person themselves can do."""
    own = _as(client, "own").get("/me").text
    theirs = _as(client, "boss").get("/people/E0001").text
    assert "91.2" in own
    assert "91.2" in theirs
    assert "/me/appeal?" in own
    assert "/me/appeal" not in theirs
    assert "/people/E0001/events?" in theirs


def test_whose_page_cannot_be_shown_is_said(client: Client) -> None:
    """Nobody signed in, an account of no employee, nobody of that id, an id that is none."""
    assert (401, True) == ((found := client.get("/me")).status_code, "Please sign in" in found.text)
    found = _as(client, "hr").get("/me")
    assert (404, True) == (found.status_code, "The account hr belongs to no employee" in found.text)
    found = _as(client, "boss").get("/me")
    assert (404, True, "3") == (found.status_code, "No scores of E0009" in found.text, found.headers["retry-after"])
    assert 404 == client.get("/people/%3Cscript%3E").status_code
    assert "<script>alert" not in client.get("/people/%3Cscript%3Ealert(1)").text


def test_the_same_page_is_not_sent_again(client: Client, shelf: Shelf) -> None:
    """A 304 until the person's scores or alerts change; another window or person is another page."""
    until(lambda: "ok" == client.get("/healthz").json()["status"])
    first = _as(client, "own").get("/me")
    asked = {"if-none-match": first.headers["etag"]}
    again = client.get("/me", headers=asked)
    assert (304, b"") == (again.status_code, again.content)
    assert 200 == client.get("/me?window=month", headers=asked).status_code
    assert 200 == client.get("/people/E0001", headers=asked).status_code
    shelf.apply([alert("a2", "E0001", severity="critical")])
    second = client.get("/me", headers=asked)
    assert (200, True) == (second.status_code, "critical" in second.text)
    shelf.apply([person("E0001", 90)])
    assert 200 == client.get("/me", headers={"if-none-match": second.headers["etag"]}).status_code


def test_a_page_comes_with_the_servers_time(shelf: Shelf) -> None:
    """Ages are right before the page first asks; a page that is a moment older is the same page."""
    now = [NOW]
    app: Any = SignedIn(create_app(shelf.reader(), clock=lambda: now[0], access=OPEN))
    with TestClient(app) as client:
        until(lambda: "ok" == client.get("/healthz").json()["status"])
        first = _as(client, "own").get("/me")
        now[0] += 1_000
        assert f'data-now="{format_rfc3339(NOW)}"' in first.text
        assert 304 == client.get("/me", headers={"if-none-match": first.headers["etag"]}).status_code
        assert f'data-now="{format_rfc3339(NOW + 1_000)}"' in client.get("/me").text


def test_a_page_of_a_person_is_kept_by_nobody(client: Client) -> None:
    """A tablet on the shop floor is many people's; the policy holds for these pages, too."""
    answer = _as(client, "own").get("/me")
    assert "no-store" == answer.headers["cache-control"]
    for name, value in HEADERS:
        expected = with_forms() if name == b"content-security-policy" else value.decode()
        assert expected == answer.headers[name.decode()]
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", answer.text)
    for address in re.findall(r'(?:href|src|data-words)="(/assets/[^"]+)"', answer.text):
        assert 200 == client.get(address).status_code


def test_somebody_new_has_an_empty_page(client: Client, shelf: Shelf) -> None:
    """It says so and fills by itself."""
    made = scores("E0001")
    shelf.apply(
        [made._replace(value=re.sub(rb'"rows": \[.*?\], "trends"', b'"rows": [], "trends"', made.value or b""))]
    )
    answer = _as(client, "own").get("/me")
    assert (200, True) == (answer.status_code, "Nothing has been scored here yet" in answer.text)


def test_ids_from_outside_are_text(client: Client, shelf: Shelf) -> None:
    """A unit's name and an alert's words never become markup."""
    evil = "<img src=x onerror=alert(1)>"
    shelf.apply([scores("E0001", unit=evil), alert("a3", "E0001", message={"zh": evil, "en": evil})])
    page = _as(client, "own").get("/me").text
    assert "<img" not in page
    assert "&lt;img src=x" in page


def test_views_that_cannot_be_read_are_waited_for(tmp_path: Path) -> None:
    """A page that asks again by itself, with 503."""
    (tmp_path / "views.sqlite").write_bytes(b"no database at all, but long enough to be looked at" * 100)
    app: Any = SignedIn(create_app(Shelf(tmp_path).reader(), clock=lambda: NOW, access=OPEN))
    with TestClient(app) as client:
        answer = _as(client, "own").get("/me")
    assert (503, "3") == (answer.status_code, answer.headers["retry-after"])
    assert 'data-retry="3"' in answer.text


def test_every_handler_says_which_right_it_takes() -> None:
    """The guard reads it; who has none of them sees nothing."""
    rights = {next(iter(handler.paths)): handler.opt["right"] for handler in PERSONAL}
    assert {
        "/me": "read-scores",
        "/people/{employee_id:str}": "read-scores",
        "/me/events": "read-events",
        "/people/{employee_id:str}/events": "read-events",
        "/me/data.json": "export",
        "/me/appeal": "appeal",
        "/me/appeals": "appeal",
        "/me/appeals/{number:int}/withdraw": "appeal",
        "/appeals": "answer-appeals",
        "/appeals/{number:int}/answer": "answer-appeals",
        "/alerts/{alert_id:str}": "read-alerts",
    } == rights


@pytest.mark.parametrize(
    ("n", "en"), [(1, "1 more good unit in a row reaches"), (1200, "1,200 more good units in a row")]
)
def test_units_have_a_plural(n: int, en: str) -> None:
    """As each language has it."""
    assert words("en")("me.missing.units", n=n).startswith(en)
    assert words("zh")("me.missing.units", n=n).startswith(f"再连续做出 {n:,} 件")
