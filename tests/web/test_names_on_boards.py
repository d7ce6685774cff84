"""People are named on boards, streams and in the API only where their unit shows names; elsewhere by the matrix."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import select, update

from agents.access import naming
from agents.records.access_tables import audit
from agents.records.edits import add_unit, all_of, show_names
from agents.records.tables import assignments, employees
from dashboards.web.cookies import SESSION
from dashboards.web.gate import Demo
from dashboards.web.hub import Pace
from dashboards.web.shape import shortened
from schemas.instants import FIRST
from tests.web.factories import NOW, alert, scores, template, tick, unit_scores
from tests.web.gates import Company
from tests.web.serving import LIMIT, Serving, serving
from tests.web.test_event_stream import events

LINE: Final = ["L1-1", "L1-2", "L1-3", "L1-4", "L1-5", "lea"]
CALLED: Final = {who: f"Name of {who}" for who in LINE}
WITHIN: Final = 5.0


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A store of its own."""
    return Company(tmp_path / "company")


@pytest.fixture
def process(company: Company) -> Iterator[Serving]:
    """A process on its line L1, which belongs to the plant."""
    fed = [template(), *(scores(who, unit="L1") for who in LINE), unit_scores("L1", LINE), tick()]
    pace = Pace(conflate=0.1, heartbeat=0.5, watch=0.1)
    with serving(*fed, alert("a1", "L1-1", unit="L1"), pace=pace, access=company.gate(), clock=lambda: NOW) as running:
        yield running


def show(company: Company, unit: str, names: str | None) -> None:
    """Somebody decides."""
    naming.change(company.records, show_names(unit, names), actor="os:hr", by="hr", now=company.at)


def settle(process: Serving) -> None:
    """The process looks at the store, which it does once a second."""
    process.app.state.web.gate.refresh()


def as_screen(company: Company, process: Serving, unit: str = "L1") -> dict[str, str]:
    """What a screen of a unit sends."""
    token = company.token(unit, screen=True)
    settle(process)
    return {"authorization": f"Bearer {token}"}


def as_account(company: Company, name: str) -> dict[str, str]:
    """What the browser of somebody who has signed in sends."""
    return {"cookie": f"{SESSION}={company.session(name)}"}


def board(process: Serving, headers: dict[str, str]) -> Any:
    """The snapshot of L1's board."""
    with httpx.stream("GET", f"{process.url}/board/L1/stream", headers=headers, timeout=LIMIT) as answer:
        return next(events(answer)).data


def persons(data: Any) -> dict[str, str | None]:
    """What people are called, by id or mark."""
    return {tile["id"]: tile["person"] for tile in data["people"]}


def get(process: Serving, path: str, headers: dict[str, str]) -> httpx.Response:
    """An answer."""
    return httpx.get(process.url + path, headers={**headers, "accept": "text/html, application/json"}, timeout=LIMIT)


def test_nobody_is_named_unless_somebody_decided_so(process: Serving, company: Company) -> None:
    """Neither to a screen nor to those who may see names, on no page, in no answer."""
    for headers in (as_screen(company, process), as_account(company, "lead"), as_account(company, "personnel")):
        assert {None} == set(persons(board(process, headers)).values())
        assert [None] == [shown["person"] for shown in board(process, headers)["alerts"]["shown"]]
        for path in ("/board/L1", "/board/L1/funnel", "/api/v1/units/L1", "/api/v1/employees/L1-1"):
            assert "Name of" not in get(process, path, headers).text, path


def test_pages_that_one_looks_at_alone_follow_the_table(process: Serving, company: Company) -> None:
    """One's own has one's name, that of a team its people's, HR's lists everybody's; whatever boards show."""
    mine = get(process, "/me?lang=en", as_account(company, "worker")).text
    assert "Name of L1-1 · L1-1 · Unit L1" in mine
    lead = as_account(company, "lead")
    assert [f"Name of {who} · {who}" in get(process, "/team/L1", lead).text for who in LINE] == [True] * len(LINE)
    theirs = get(process, "/people/L1-1?lang=en", lead).text
    assert ("<h1>Name of L1-1</h1>" in theirs, "<title>Name of L1-1 · scores</title>" in theirs) == (True, True)
    personnel = as_account(company, "personnel")
    assert "Name of L1-1 · L1: Semi-finished yield" in get(process, "/hr/alerts?lang=en", personnel).text
    screen = as_screen(company, process)
    assert "Name of" not in get(process, "/team/L1", screen).text
    assert 403 == get(process, "/people/L1-1", screen).status_code


def test_a_corrected_name_is_a_new_page(process: Serving, company: Company) -> None:
    """What a browser has of the page is not good any longer."""
    worker = as_account(company, "worker")
    before = get(process, "/me", worker)
    assert 304 == get(process, "/me", {**worker, "if-none-match": before.headers["etag"]}).status_code
    _rename(company, "L1-1", "Li Na")
    settle(process)
    after = get(process, "/me", {**worker, "if-none-match": before.headers["etag"]})
    assert (200, True) == (after.status_code, "Li Na · L1-1" in after.text)


@pytest.mark.parametrize("unit", ["L1", "plant", "company"])
def test_a_screen_names_people_where_the_site_opted_in(process: Serving, company: Company, unit: str) -> None:
    """On the board, at alerts and in the funnel; the ids behind the names stay hidden, nobody can be looked up."""
    show(company, unit, "shown")
    headers = as_screen(company, process)
    data = board(process, headers)
    assert sorted(CALLED.values()) == sorted(map(str, persons(data).values()))
    assert all(mark.startswith("P-") for mark in persons(data))
    (shown,) = data["alerts"]["shown"]
    assert ("Name of L1-1", True) == (shown["person"], shown["employee"].startswith("P-"))
    page = get(process, "/board/L1/funnel", headers).text
    assert all(name in page for name in CALLED.values())
    assert not any(f">{who}<" in page for who in LINE)
    assert {} == get(process, "/api/v1/units/L1", headers).json()["names"]
    assert 403 == get(process, "/api/v1/employees/L1-1", headers).status_code


def test_pseudonyms_are_written_as_short_as_they_are_told_apart(process: Serving, company: Company) -> None:
    """On tiles and at alerts alike; who sees ids has none."""
    data = board(process, as_screen(company, process))
    assert [(each["id"][:6], None) for each in data["people"]] == [
        (each["mark"], each["person"]) for each in data["people"]
    ]
    assert len(LINE) == len({each["mark"] for each in data["people"]})
    (shown,) = data["alerts"]["shown"]
    assert shown["employee"][:6] == shown["mark"]
    lead = board(process, as_account(company, "lead"))
    assert {None} == {each["mark"] for each in (*lead["people"], *lead["alerts"]["shown"])}
    alike = ["P-ABCDEF22", "P-ABCDEG22", "P-BBCDEF22"]
    assert dict(zip(alike, ("P-ABCDEF", "P-ABCDEG", "P-BBCDEF"), strict=True)) == shortened(alike)
    assert {"P-ABCDEF22": "P-ABCD"} == shortened([alike[0], alike[0]])


def test_those_who_lead_see_names_besides_ids(process: Serving, company: Company) -> None:
    """Where the matrix lets them, and the site opted in: on the board, the page of the team and in the API."""
    show(company, "plant", "shown")
    settle(process)
    lead = as_account(company, "lead")
    assert CALLED == persons(board(process, lead))
    assert "Name of L1-1 · L1-1" in get(process, "/team/L1", lead).text
    assert CALLED == get(process, "/api/v1/units/L1", lead).json()["names"]
    assert "Name of L1-1" == get(process, "/api/v1/employees/L1-1", lead).json()["name"]
    service = {"authorization": f"Bearer {company.token(None, 'read-units', 'read-scores')}"}
    settle(process)
    assert {} == get(process, "/api/v1/units/L1", service).json()["names"]
    assert None is get(process, "/api/v1/employees/L1-1", service).json()["name"]
    # Who works there sees their own tile and nobody else's.
    assert {"L1-1": "Name of L1-1"} == persons(board(process, as_account(company, "worker")))


def test_the_nearest_unit_decides(process: Serving, company: Company) -> None:
    """A line that does not take part in what its plant does, and one that leaves it to the plant again."""
    show(company, "company", "shown")
    show(company, "L1", "hidden")
    headers = as_screen(company, process)
    assert {None} == set(persons(board(process, headers)).values())
    show(company, "L1", None)
    settle(process)
    assert None not in persons(board(process, headers)).values()


def test_who_is_lent_to_a_line_is_named_as_at_home(process: Serving, company: Company) -> None:
    """The unit of the person decides, not that of the board."""
    show(company, "L1", "shown")
    with company.records.writing() as connection:
        connection.execute(update(assignments).where(assignments.c.employee == "L1-2").values(unit="L2"))
    lead = as_account(company, "personnel")
    settle(process)
    found = persons(board(process, lead))
    assert (None, "Name of L1-1") == (found["L1-2"], found["L1-1"])


def test_a_decision_reaches_open_boards_at_once(process: Serving, company: Company) -> None:
    """Names come, are corrected, and go within five seconds, without a new score."""
    headers = as_screen(company, process)
    with httpx.stream("GET", f"{process.url}/board/L1/stream", headers=headers, timeout=LIMIT) as answer:
        stream = events(answer)
        marks = set(persons(next(stream).data))

        def next_change(work: Any) -> Any:
            work()
            began = time.monotonic()
            change = next(event for event in stream if event.name == "change")
            assert time.monotonic() - began < WITHIN
            return change.data

        came = next_change(lambda: show(company, "L1", "shown"))
        assert (marks, set(CALLED.values())) == (set(persons(came)), set(persons(came).values()))
        assert ["Name of L1-1"] == [shown["person"] for shown in came["alerts"]["shown"]]
        renamed = next_change(lambda: _rename(company, "L1-1", "Li Na"))
        assert ["Li Na"] == list(persons(renamed).values())
        gone = next_change(lambda: show(company, "L1", "hidden"))
        assert (marks, {None}) == (set(persons(gone)), set(persons(gone).values()))


def _rename(company: Company, employee: str, name: str) -> None:
    with company.records.writing() as connection:
        connection.execute(update(employees).where(employees.c.id == employee).values(name=name))


def test_names_are_in_no_metric_and_no_log(
    process: Serving, company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor in the audit log, which says who decided that they are shown, and who looked."""
    show(company, "L1", "shown")
    show(company, "L1", "shown")  # it was so: nothing happened
    headers = as_screen(company, process)
    with caplog.at_level("DEBUG"):
        board(process, headers)
        get(process, "/board/L1/funnel", headers)
        get(process, "/team/L1", as_account(company, "lead"))
    assert "Name of" not in caplog.text
    assert "Name of" not in get(process, "/metrics", {}).text
    with company.records.reading() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.number)).all()
    assert [] == [row for row in rows if "Name of" in row.detail + row.subject]
    told = [(row.actor, row.subject, row.right, row.detail) for row in rows if row.action == naming.ACTION]
    assert [("os:hr", "unit:L1", "edit-organisation", '{"names":"shown","was":"inherit"}')] == told


def test_a_department_shows_its_lines_to_those_who_may_see_their_numbers(process: Serving, company: Company) -> None:
    """A unit below is no person: neither a name nor a pseudonym; of fewer than five people there is no number."""
    part: dict[str, Any] = {"name": {}, "newest": None, "rows": [], "trends": {}}
    sizes = {"L1": 6, "L2": 3, "L3": 9, "L4": 5}  # L4 is hidden too: what is left of the plant would be that of L2
    parts = [{**part, "unit": one, "people": people} for one, people in sizes.items()]
    edit = all_of(
        add_unit("L3", "team", "plant", "L3", "L3", FIRST), add_unit("L4", "department", "plant", "L4", "L4", FIRST)
    )
    naming.change(company.records, edit, actor="os:hr", by="hr", now=company.at)
    process.feed(unit_scores("plant", ["mona", "plant-1"], parts=parts))
    show(company, "plant", "shown")
    headers = as_screen(company, process, "plant")
    with httpx.stream("GET", f"{process.url}/board/plant/stream", headers=headers, timeout=LIMIT) as answer:
        ids = [tile["id"] for tile in next(events(answer)).data["people"]]
    assert ["/L1", "/L3"] == ids
    # Nor by another way: L4 has a board of its own for its own screen, but not for one that sees the plant's numbers.
    process.feed(*(unit_scores(unit, [f"{unit}-{n}" for n in range(size)]) for unit, size in sizes.items()))
    edit = add_unit("L4-a", "team", "L4", "L4-a", "L4-a", FIRST)
    naming.change(company.records, edit, actor="os:hr", by="hr", now=company.at)
    process.feed(unit_scores("L4", [], parts=[{**part, "unit": "L4-a", "people": 5}]))
    process.feed(unit_scores("L4-a", [f"L4-{n}" for n in range(5)]))
    settle(process)
    ways = {"L1": 200, "L2": 403, "L3": 200, "L4": 403, "L4-a": 403}
    for unit, status in ways.items():
        for path in (f"/board/{unit}", f"/api/v1/units/{unit}", f"/board/{unit}/stream"):
            with httpx.stream("GET", f"{process.url}{path}", headers=headers, timeout=LIMIT) as answer:
                assert status == answer.status_code, path
    answer = httpx.get(f"{process.url}/api/v1/units/L4", headers=headers)
    assert "fewer than 5 people would be left of the unit above" in answer.json()["detail"]
    listed = httpx.get(f"{process.url}/api/v1/units", headers=headers).json()["units"]
    assert ["L1", "L3", "plant"] == [entry["unit"] for entry in listed]
    own = as_screen(company, process, "L4")
    assert 200 == httpx.get(f"{process.url}/api/v1/units/L4", headers=own).status_code


def test_a_demo_names_people_where_its_records_say_so(company: Company) -> None:
    """Its boards are open, and that is no reason to put names on them."""
    fed = [template(), *(scores(who, unit="L1") for who in LINE), unit_scores("L1", LINE), tick()]
    gate = Demo(lambda: NOW, company.gate_records)
    with serving(*fed, access=gate, clock=lambda: NOW) as process:
        settle(process)
        assert {None} == set(persons(board(process, {})).values())
        show(company, "L1", "shown")
        settle(process)
        assert CALLED == persons(board(process, {}))
    absent = Demo(lambda: NOW)
    assert (False, None) == (absent.refresh(), absent.name("L1-1"))
