"""Who may no longer see a board loses it within five seconds, also on a stream that is open; nobody else does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import Connection, update

from agents.records.edits import add_unit
from agents.records.organisation import change
from agents.records.tables import assignments, managers
from dashboards.web.cookies import SESSION
from dashboards.web.hub import Pace
from schemas.instants import FIRST
from tests.web.factories import alert, line, scores, template, tick, unit_scores
from tests.web.gates import Company
from tests.web.serving import LIMIT, Serving, serving
from tests.web.test_event_stream import events

PEOPLE: Final = ["L1-1", "L1-2", "L1-3", "L1-4", "L1-5", "lea"]
WITHIN: Final = 5.0


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A store of its own."""
    return Company(tmp_path / "company")


@pytest.fixture
def process(company: Company) -> Iterator[Serving]:
    """A process on its line L1."""
    fed = [template(), *(scores(who, unit="L1") for who in PEOPLE), unit_scores("L1", PEOPLE), tick()]
    fed += [alert("a1", "L1-1", unit="L1"), alert("a2", "L1-2", unit="L1"), *line("L03")]
    pace = Pace(conflate=0.1, heartbeat=0.5, watch=0.1)
    with serving(*fed, pace=pace, access=company.gate(), clock=lambda: company.at) as running:
        yield running


def watch(process: Serving, **headers: str) -> Any:
    """A stream of L1's board."""
    return httpx.stream("GET", f"{process.url}/board/L1/stream", headers=headers, timeout=LIMIT)


def cookie(session: str) -> dict[str, str]:
    """A browser's header."""
    return {"cookie": f"{SESSION}={session}"}


CHANGES: Final[dict[str, Callable[[Company, str], object]]] = {
    "role": lambda company, _: company.admin.revoke("lead", "supervisor"),
    "account": lambda company, _: company.admin.disable_account("lead"),
    "unit": lambda company, _: company.records.write(lambda connection: _move(connection, company.at)),
    "session": lambda company, session: company.admin.end_session(
        __import__("hashlib").sha256(session.encode()).digest()
    ),
}


def _move(connection: Connection, at: int) -> None:
    connection.execute(update(managers).where(managers.c.employee == "lea").values(ends=at))
    connection.execute(update(assignments).where(assignments.c.employee == "lea").values(unit="office"))


@pytest.mark.parametrize("change", CHANGES)
def test_an_open_stream_ends_with_the_right_to_it(process: Serving, company: Company, change: str) -> None:
    """A role revoked, an account disabled, another unit, a sign-out elsewhere: goodbye, and the end."""
    session = company.session("lead")
    with watch(process, **cookie(session)) as answer, watch(process, **cookie(company.session("personnel"))) as other:
        stream, others = events(answer), events(other)
        assert PEOPLE == [tile["id"] for tile in next(stream).data["people"]]
        assert "snapshot" == next(others).name
        CHANGES[change](company, session)
        changed = time.monotonic()
        last = [event.name for event in stream][-1]
        assert time.monotonic() - changed < WITHIN
        assert "goodbye" == last
        assert "heartbeat" == next(event.name for event in others)  # others go on
    # Without the role they still see what the line that they work in does together.
    expected = {"role": 200, "account": 401, "unit": 403, "session": 401}[change]
    assert expected == httpx.get(f"{process.url}/board/L1", headers=cookie(session)).status_code


def test_a_screen_ends_with_its_token(process: Serving, company: Company) -> None:
    """Entered once, it lives as long as its token, under pseudonyms; revoked, it is gone within five seconds."""
    token = company.token("L1", screen=True)
    entered = httpx.post(f"{process.url}/screen", data={"token": token})
    assert (303, "/") == (entered.status_code, entered.headers["location"])
    session = entered.cookies[SESSION]
    assert token not in str(entered.headers)
    with watch(process, **cookie(session)) as answer:
        stream = events(answer)
        board = next(stream).data
        names = [tile["id"] for tile in board["people"]]
        assert (6, True) == (len(set(names)), all(name.startswith("P-") for name in names))
        assert names == sorted(names)
        assert {alert["employee"] for alert in board["alerts"]["shown"]} <= set(names)
        company.at += 3 * 3_600_000  # nobody touches a screen: it is not idle
        assert "heartbeat" == next(event.name for event in stream)
        company.admin.revoke_token(next(iter(_token_ids(company))))
        changed = time.monotonic()
        assert "goodbye" == [event.name for event in stream][-1]
        assert time.monotonic() - changed < WITHIN


def _token_ids(company: Company) -> list[str]:
    gate = company.gate()
    found = list(gate.directory.identities.tokens)
    gate.close()
    return found


def test_a_board_follows_who_is_on_the_team(process: Serving, company: Company) -> None:
    """Somebody who leaves the line leaves its lead's board, though nothing was scored since."""
    with watch(process, **cookie(company.session("lead"))) as answer:
        stream = events(answer)
        next(stream)
        with company.records.writing() as connection:
            moved = update(assignments).where(assignments.c.employee == "L1-2")
            connection.execute(moved.values(unit="office"))
        changed = time.monotonic()
        change = next(event for event in stream if event.name == "change")
        assert time.monotonic() - changed < WITHIN
    assert (["L1-2"], 1) == (change.data["gone"], change.data["alerts"]["open"])


def test_an_employee_sees_their_own_tile_only(process: Serving, company: Company) -> None:
    """And what the line does together."""
    with watch(process, **cookie(company.session("worker"))) as answer:
        board = next(events(answer)).data
    assert ["L1-1"] == [tile["id"] for tile in board["people"]]
    assert 6 == board["summary"]["people"]
    assert ["L1-1"] == [shown["employee"] for shown in board["alerts"]["shown"]]


def test_whose_units_one_may_see_stand_on_the_board_above_them(process: Serving, company: Company) -> None:
    """The plant's manager sees its lines there, a screen of the plant those of five people or more, but for one without
    which the rest would be of fewer, and who only works in the plant none: a line is no person.
    """
    change(company.records, add_unit("L3", "team", "plant", "L3", "L3", FIRST), by="hr", now=company.at)
    process.app.state.web.gate.refresh()
    parts = [_part("L1", 6), _part("L2", 3), _part("L3", 5)]
    process.feed(unit_scores("plant", ["mona", "plant-1"], parts=parts))

    def tiles(**headers: str) -> list[str]:
        address = f"{process.url}/board/plant/stream"
        with httpx.stream("GET", address, headers=headers, timeout=LIMIT) as answer:
            assert 200 == answer.status_code
            return [tile["id"] for tile in next(events(answer)).data["people"] if tile["id"].startswith("/")]

    assert ["/L1", "/L2", "/L3"] == tiles(**cookie(company.session("manager")))
    token = company.token("plant", screen=True)
    process.app.state.web.gate.refresh()
    assert ["/L1"] == tiles(authorization=f"Bearer {token}")  # two people and fourteen below: a board for a screen
    company.admin.add_account("fitter", "plant-1", [])
    process.app.state.web.gate.refresh()
    assert [] == tiles(**cookie(company.session("fitter")))


def _part(unit: str, people: int) -> dict[str, Any]:
    return {"unit": unit, "name": {}, "people": people, "newest": None, "rows": [], "trends": {}}


def test_a_session_ends_by_itself(process: Serving, company: Company) -> None:
    """After an hour in which nobody did anything, and after twelve in any case."""

    def status(session: str) -> int:
        return httpx.get(f"{process.url}/api/v1/units", headers=cookie(session)).status_code

    session = company.session("lead")
    hour = 3_600_000
    assert 200 == status(session)
    company.at += hour - 1
    _settle(process)
    assert 200 == status(session)
    for _ in range(11):
        company.at += hour - 1_000
        _settle(process)
        assert 200 == status(session)
    company.at += hour
    _settle(process)
    assert 401 == status(session)
    idle = company.session("lead")
    assert 200 == status(idle)
    company.at += hour
    _settle(process)
    assert 401 == status(idle)


def _settle(process: Serving) -> None:
    """The clock of a test jumps: the process looks at the store before it decides anything."""
    process.app.state.web.gate.refresh()
