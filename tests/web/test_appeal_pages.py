"""Appeals on pages: a form without script, the score as the service has it, an answer by somebody else; my data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import insert

from agents.access.audit import entries
from agents.records.appeals import Appeal, appeals_of
from agents.records.database import open_records
from agents.records.tables import assignments, employees, units
from dashboards.web.app import create_app
from schemas.instants import DAY, parse_rfc3339
from tests.web.factories import scores
from tests.web.gates import OPEN
from tests.web.logged import day_of_work, desk_of, evidence_of, published
from tests.web.people import COOKIE, VIEWERS, SignedIn
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
NOW = parse_rfc3339("2026-03-02T12:00:00.000Z") or 0
SCORE = {"indicator": "yield", "window": "day", "template": "yield"}
PAST = {**SCORE, "as_of": "2026-03-02T12:00:00.000Z"}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a day."""
    made = tmp_path_factory.mktemp("log")
    day_of_work(made)
    return made


@pytest.fixture
def client(log: Path, tmp_path: Path) -> Iterator[Client]:
    """The web over log, views and records; the cookie says who looks."""
    with _serving(log, tmp_path) as made:
        yield made


@contextmanager
def _serving(log: Path, folder: Path, now: int = NOW, **options: Any) -> Iterator[Client]:
    shelf = Shelf(folder / "views")
    shelf.apply(published(log))
    behind: dict[str, Any] = {"evidence": evidence_of(log), "desk": desk_of(folder)} | options
    app: Any = SignedIn(create_app(shelf.reader(), clock=lambda: now, **behind, access=OPEN))
    with TestClient(app) as client:
        client.cookies.set(COOKIE, "own")
        yield client


def _as(client: Client, who: str) -> Client:
    client.cookies.set(COOKIE, who)
    return client


def _recorded(folder: Path) -> list[Appeal]:
    records = open_records(f"sqlite:///{folder / 'records.sqlite'}")
    with records.reading() as connection:
        found = appeals_of(connection, "E0001")
    records.close()
    return found


def test_a_score_is_contested_by_a_plain_form(client: Client, tmp_path: Path) -> None:
    """The record has value and n as published, whatever else the form claims; a reload hands in nothing again."""
    form = client.get("/me/appeal", params=SCORE).text
    assert "Yield, today: 95.0%" in form
    assert "answers within 7 days" in form
    claimed = {**SCORE, "value": "1", "n": "1", "text": "The tester was broken."}
    answer = client.post("/me/appeals", data=claimed, follow_redirects=False)
    assert (303, "/me/appeals") == (answer.status_code, answer.headers["location"])
    (made,) = _recorded(tmp_path)
    assert (0.95, 80.0, "yield", 1, NOW + 7 * DAY) == (
        made.score.value, made.score.n, made.score.template, made.score.version, made.due_at,
    )  # fmt: skip
    assert "The tester was broken." in client.get("/me/appeals").text


def test_one_event_of_the_past_is_contested_with_its_place(client: Client, tmp_path: Path) -> None:
    """The events page leads there; value and n are recomputed from the log as of that instant."""
    page = client.get("/me/events", params=PAST).text
    href = re.search(r'href="([^"]+)" aria-label="Contest event q2"', page)
    assert href is not None
    form = client.get(href[1].replace("&amp;", "&")).text
    assert "Event q2" in form
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    assert 303 == client.post("/me/appeals", data={**fields, "text": "Not mine."}, follow_redirects=False).status_code
    (made,) = _recorded(tmp_path)
    assert made.score.event is not None
    assert ("qc-events", "q2") == (made.score.event.topic, made.score.event.event_id)
    assert (0.95, 80.0, NOW) == (made.score.value, made.score.n, made.score.as_of)
    wrong = client.post("/me/appeals", data={**fields, "offset": "4711", "text": "Not mine."})
    assert (404, True) == (wrong.status_code, "is no event of this score" in wrong.text)


def test_what_is_wrong_with_a_form_is_said_and_the_words_stay(client: Client, tmp_path: Path) -> None:
    """Nothing written, too much written, a score that is not there."""
    long = "x" * 2001
    answer = client.post("/me/appeals", data={**SCORE, "text": long})
    assert (400, True, True) == (answer.status_code, "write 1 to 2,000" in answer.text, long in answer.text)
    assert 400 == client.post("/me/appeals", data={**SCORE, "text": " "}).status_code
    assert 404 == client.post("/me/appeals", data={**SCORE, "window": "week", "text": "No."}).status_code
    assert [] == _recorded(tmp_path)


def test_somebody_else_answers_and_the_person_reads_it(client: Client, tmp_path: Path) -> None:
    """With their name; the list is empty again, and the answer final."""
    client.post("/me/appeals", data={**SCORE, "text": "The tester was broken."})
    listed = _as(client, "boss").get("/appeals").text
    assert "1 appeal waits for an answer." in listed
    assert "/people/E0001/events?" in listed
    action = re.search(r'action="(/appeals/\d+/answer)"', listed)
    assert action is not None
    said = {"decision": "uphold", "answer": "Corrected today."}
    assert 200 == client.post(action[1], data=said).status_code
    assert "No appeal waits" in client.get("/appeals").text
    assert "Corrected today." in client.get("/appeals?closed=1").text
    assert 409 == client.post(action[1], data={**said, "decision": "reject"}).status_code
    own = _as(client, "own").get("/me/appeals").text
    assert "upheld" in own
    assert "Answer of m.lee" in own
    (made,) = _recorded(tmp_path)
    assert "upheld" == made.state
    records = open_records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    with records.reading() as connection:
        told = [(row.actor, row.action, row.subject, json.loads(row.detail)["appeal"]) for row in entries(connection)]
    records.close()
    subject = "employee:E0001"
    assert [
        ("account-1", "appeal-made", subject, made.number), ("m.lee", "appeal-upheld", subject, made.number),
    ] == told  # fmt: skip


def test_the_one_scored_withdraws_and_does_not_answer(client: Client, tmp_path: Path) -> None:
    """Somebody else cannot withdraw it for them either."""
    client.post("/me/appeals", data={**SCORE, "text": "The tester was broken."})
    (made,) = _recorded(tmp_path)
    assert "somebody else answers it" in client.get("/appeals").text
    said = {"decision": "uphold", "answer": "I am right."}
    assert 403 == client.post(f"/appeals/{made.number}/answer", data=said).status_code
    assert 400 == client.post(f"/appeals/{made.number}/answer", data={"answer": "Hm."}).status_code
    assert 403 == _as(client, "boss").post(f"/me/appeals/{made.number}/withdraw").status_code
    assert 200 == _as(client, "own").post(f"/me/appeals/{made.number}/withdraw").status_code
    assert ["withdrawn"] == [each.state for each in _recorded(tmp_path)]


def test_an_overdue_appeal_says_so(log: Path, tmp_path: Path) -> None:
    """After seven days it stands first, in words."""
    with _serving(log, tmp_path) as client:
        client.post("/me/appeals", data={**SCORE, "text": "Still waiting."})
    with _serving(log, tmp_path, NOW + 8 * DAY) as later:
        assert "overdue since 9 Mar, 20:00" in _as(later, "boss").get("/appeals").text


def test_a_form_of_another_site_is_refused(client: Client, tmp_path: Path) -> None:
    """Whatever it carries."""
    for site in ("cross-site", "same-site"):
        answer = client.post("/me/appeals", data={**SCORE, "text": "No."}, headers={"sec-fetch-site": site})
        assert 403 == answer.status_code
    assert [] == _recorded(tmp_path)


def test_without_records_there_are_no_appeals(log: Path, tmp_path: Path) -> None:
    """The pages say so; nobody signed in sees none."""
    with _serving(log, tmp_path, desk=None) as client:
        for answer in (client.get("/me/appeals"), client.post("/me/appeals", data={**SCORE, "text": "No."})):
            assert 503 == answer.status_code
        client.cookies.clear()
        for answer in (client.get("/me/appeals"), client.get("/appeals"), client.get("/me/data.json")):
            assert 401 == answer.status_code


def test_my_data_is_everything_that_is_known(client: Client, tmp_path: Path) -> None:
    """Profile, assignments, rows as published, appeals and every record in the log, but nobody else's."""
    records = open_records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    with records.writing() as connection:
        connection.execute(insert(units), [{"id": "L01", "kind": "team", "name_zh": "一线", "name_en": "Line 1"}])
        connection.execute(insert(employees), [{"id": "E0001", "name": "Li Na", "email": None, "language": "zh"}])
        connection.execute(
            insert(assignments), [{"employee": "E0001", "begins": NOW, "role": "operator", "unit": "L01"}]
        )
    records.close()
    client.post("/me/appeals", data={**PAST, "text": "The tester was broken."})
    answer = client.get("/me/data.json")
    assert 'attachment; filename="scorestream-E0001.json"' == answer.headers["content-disposition"]
    found = json.loads(answer.content)
    assert ("E0001", "Li Na", True) == (found["employee_id"], found["profile"]["name"], found["complete"])
    assert [("operator", "2026-03-02T12:00:00.000Z")] == [(a["role"], a["begins"]) for a in found["assignments"]]
    assert ["The tester was broken."] == [each["text"] for each in found["appeals"]]
    assert {"o1", "q1", "q2", "c1"} == {each["event"]["event_id"] for each in found["events"]}
    api = client.get("/api/v1/employees/E0001").json()
    assert api["rows"] == found["scores"]


def test_my_data_has_the_personal_targets(log: Path, tmp_path: Path) -> None:
    """As they were published with the scores that they count in."""
    published_with = scores("E0001")
    value = json.loads(published_with.value or b"") | {"targets": {"collected": 60_000}}
    with _serving(log, tmp_path, desk=None, evidence=None) as client:
        assert {} == client.get("/me/data.json").json()["targets"]
    shelf = Shelf(tmp_path / "with")
    shelf.apply([published_with._replace(value=json.dumps(value).encode())])
    app: Any = SignedIn(create_app(shelf.reader(), access=OPEN), VIEWERS["own"])
    with TestClient(app) as client:
        assert {"collected": 60_000} == client.get("/me/data.json").json()["targets"]


def test_my_data_without_a_log_or_records_says_what_is_not_known_here(log: Path, tmp_path: Path) -> None:
    """null, not an empty list; a log that cannot be read is a refusal before anything is sent."""
    with _serving(log, tmp_path, desk=None, evidence=None) as client:
        found = client.get("/me/data.json").json()
        assert (None, None, True) == (found["events"], found["appeals"], found["complete"])
    with _serving(log, tmp_path, evidence=evidence_of(tmp_path / "nothing")) as client:
        assert 503 == client.get("/me/data.json").status_code
