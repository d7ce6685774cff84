"""A company for `tests.bench.me_page`: everybody with an account, a browser that is signed in, scores and a past."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, insert

from agents.access.secrets import digest
from agents.records.access_tables import account_roles, accounts, sessions
from agents.records.database import open_records
from agents.records.result_tables import results
from agents.records.tables import assignments, employees, managers, unit_spans, units
from schemas.instants import DAY, HOUR, format_rfc3339
from tests.web.factories import row, template, tick, total, unit_scores
from tests.web.people import TEMPLATE, person
from tests.web.shelf import Shelf

UNIT: Final = 50  # people in a line
DAYS: Final = 12  # that are over
INDICATORS: Final = ("semi_finished_yield", "first_pass", "customers", "collected", "packed")
_AT_ONCE: Final = 500  # people in a transaction


def names(people: int) -> list[str]:
    """Everybody, by id."""
    return [f"E{number:05d}" for number in range(people)]


def secret_of(employee: str) -> str:
    """What the browser of somebody shows."""
    return f"bench-{employee}-" + "x" * 32


def store(folder: Path) -> str:
    """Where the records are."""
    return f"sqlite:///{folder / 'records.sqlite'}"


def fill(folder: Path, people: int) -> None:
    """Views and records, each person's numbers their own."""
    now = time.time_ns() // 1_000_000
    _views(folder, people, now)
    records = open_records(store(folder))
    records.write(lambda connection: _organisation(connection, people))
    everybody = names(people)
    for begin in range(0, people, _AT_ONCE):
        some = everybody[begin : begin + _AT_ONCE]
        records.write(lambda connection, some=some: _people(connection, some, now))  # type: ignore[misc]
    records.close()


def _views(folder: Path, people: int, at: int) -> None:
    shelf = Shelf(folder)
    shelf.apply([template(TEMPLATE), tick(at)])
    everybody = names(people)
    day: dict[str, Any] = {"window": "day", "window_start": format_rfc3339(at - at % DAY)}
    for begin in range(0, people, UNIT):
        members, unit = everybody[begin : begin + UNIT], _unit(begin)
        records = [person(who, 80 + _number(who) % 1_900 / 100, at=at) for who in members]
        mine = [each._replace(value=(each.value or b"").replace(b'"L03"', f'"{unit}"'.encode())) for each in records]
        shelf.apply([*mine, unit_scores(unit, members, row(1930, 2000, **day), total(), newest=at, at=at)])


def _organisation(connection: Connection, people: int) -> None:
    """Lines below a plant; the first of each is in charge of it."""
    lines = [_unit(begin) for begin in range(0, people, UNIT)]
    _put(connection, units, [{"id": unit, "kind": "team"} for unit in ("plant", *lines)])
    spans = [{"unit": unit, "parent": "plant" if unit != "plant" else None, "begins": 0} for unit in ("plant", *lines)]
    _put(connection, unit_spans, [{**span, "name_zh": span["unit"], "name_en": span["unit"]} for span in spans])
    everybody = names(people)
    _put(
        connection, employees, [{"id": who, "name": f"Name {who}", "email": f"{who}@example.org"} for who in everybody]
    )
    charge = [{"unit": unit, "employee": everybody[i * UNIT], "begins": 0} for i, unit in enumerate(lines)]
    _put(connection, managers, charge)


def _people(connection: Connection, some: list[str], now: int) -> None:
    session = {"token": None, "created_at": now, "seen_at": now, "ends_at": now + 12 * HOUR, "id_token": None}
    held = [{"employee": who, "begins": 0, "role": "operator", "unit": _unit(int(who[1:]))} for who in some]
    _put(connection, assignments, held)
    _put(connection, accounts, [{"name": who, "employee": who, "created_at": now} for who in some])
    roles = [{"account": who, "role": "employee", "begins": 0} for who in some]
    roles += [{"account": who, "role": "supervisor", "begins": 0} for who in some if int(who[1:]) % UNIT == 0]
    _put(connection, account_roles, roles)
    _put(connection, sessions, [{**session, "hash": digest(secret_of(who)), "account": who} for who in some])
    _put(connection, results, list(_past(some, now)))


def _past(some: list[str], now: int) -> Iterator[dict[str, Any]]:
    """The days of these people that are over."""
    today = now - now % DAY
    for who in some:
        for ago in range(1, DAYS + 1):
            start = today - ago * DAY
            for place, indicator in enumerate(INDICATORS):
                value = 0.8 + _number(f"{who}{ago}{place}") % 1_900 / 10_000
                rate = place in (0, 1, 4)
                yield {
                    "subject_kind": "employee", "subject": who, "template": "production-operator", "version": 1,
                    "indicator": indicator, "window_kind": "day", "window_start": start, "window_end": start + DAY,
                    "number": 0, "status": "ok", "sums": "{}",
                    "value": 10 * value if indicator == "customers" else value,
                    "low": value - 0.05 if rate else None, "high": min(1.0, value + 0.05) if rate else None,
                    "as_of": start + DAY - 1, "known_at": start + DAY, "computed_at": start + DAY,
                }  # fmt: skip


def _put(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    connection.execute(insert(table), rows)


def _unit(number: int) -> str:
    return f"L{number // UNIT:03d}"


def _number(text: str) -> int:
    return zlib.crc32(text.encode())
