"""People in pages: each once, in the order of ids as characters, found by id or name, where they are at the instant."""

from __future__ import annotations

import pytest

from agents.records.database import Records
from agents.records.edits import all_of, hire, leave, transfer
from agents.records.listing import Asked, counted, known_of, listed
from agents.records.organisation import change
from agents.records.rows import Employee
from tests.records.people import COMPANY, DAY, NOW, T0

ANYBODY = Asked()
PEOPLE = {"E2": "Bo 100%", "a1": "李娜", "Z_9": "Zoë", "E10": "bob"}


@pytest.fixture
def acme(records: Records) -> Records:
    """Ann, and four more; one of them has left since, one was transferred."""
    begun = (hire(Employee(who, name), "operator", "L01", T0) for who, name in PEOPLE.items())
    moved = transfer("E2", "tester", "L02", T0 + DAY)
    change(records, all_of(COMPANY, *begun, moved, leave("a1", T0 + DAY)), by="hr", now=NOW)
    return records


def ids(store: Records, asked: Asked = ANYBODY, after: str = "", limit: int = 99, at: int = NOW) -> list[str]:
    """Who is listed."""
    with store.reading() as connection:
        return [one.id for one in listed(connection, at, asked, after, limit)]


def test_pages_follow_each_other(acme: Records) -> None:
    """Capitals before small letters, as Python and views sort ids."""
    assert sorted([*PEOPLE, "E1"]) == ids(acme) == ["E1", "E10", "E2", "Z_9", "a1"]
    assert ["E1", "E10"] == ids(acme, limit=2)
    assert ["E2", "Z_9"] == ids(acme, after="E10", limit=2)
    assert [] == ids(acme, after="a1")


ASKED: tuple[tuple[Asked, list[str]], ...] = (
    (Asked("bo"), ["E10", "E2"]),
    (Asked("娜"), ["a1"]),
    (Asked("%"), ["E2"]),
    (Asked("_"), ["Z_9"]),
    (Asked("e1"), ["E1", "E10"]),
    (Asked(units=["L02"]), ["E2"]),
    (Asked(units=[]), []),
    (Asked(here="left"), ["a1"]),
    (Asked("e", ["L01", "L02"], "here"), ["E1", "E10", "E2"]),
)


def test_people_are_found(acme: Records) -> None:
    """By a part of id or name, whatever sign is in it, by unit, by whether they are here."""
    assert [expected for _, expected in ASKED] == [ids(acme, asked) for asked, _ in ASKED]


def test_a_list_is_of_an_instant(acme: Records) -> None:
    """Before the transfer, after it, and before everything."""
    with acme.reading() as connection:
        rows = [listed(connection, at, Asked("Bo 100"), "", 9) for at in (T0 + DAY - 1, T0 + DAY, T0 - 1)]
        assert [("operator", "L01"), ("tester", "L02"), (None, None)] == [(one.role, one.unit) for (one,) in rows]
        assert [(5, 0), (4, 1), (0, 5)] == [counted(connection, at) for at in (T0, NOW, T0 - 1)]
        assert {"E1"} == known_of(connection, ["E1", "E9"])


def test_nobody_is_listed_of_nothing(records: Records) -> None:
    """An empty store."""
    assert [[], [], []] == [ids(records, Asked(here=here)) for here in (None, "here", "left")]
