"""A company whose HR has closed results to look at: its store, the web over it, and what somebody is shown there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import insert, select

from agents.records.access_tables import audit
from agents.records.database import open_records
from agents.records.result_tables import results
from agents.views.conflate import Published
from dashboards.web.app import create_app
from dashboards.web.cookies import SESSION
from dashboards.web.desk import Desk
from schemas.instants import DAY
from tests.oracle.logs import HOUR
from tests.web.factories import NOW, alert, scores, template, tick, total, unit_scores
from tests.web.gates import WORKS, Company
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
START: Final = NOW - NOW % DAY - 30 * DAY


def desk_of(records: str) -> Desk:
    """A store's desk."""
    return Desk(lambda: open_records(records))


def company_of(folder: Path) -> Company:
    """With closed results."""
    made = Company(folder)
    made.records.write(close)
    return made


def close(connection: Any) -> None:
    """Days of a person and of a unit, one of them restated twice, an indicator's, and shifts, one of them withdrawn."""
    base = {
        "template": "production-operator", "indicator": "@total", "window_kind": "day", "window_start": START,
        "window_end": START + DAY, "version": 1, "status": "ok", "sums": "{}", "as_of": START + DAY - 1, "n": None,
        "known_at": NOW, "computed_at": NOW,
    }  # fmt: skip
    rows = [
        {**base, "subject_kind": kind, "subject": subject, "number": number, "value": value, "points": value}
        for kind, subject, values in (("employee", "L1-1", (91.0, 92.5, 90.0)), ("unit", "L1", (88.0,)))
        for number, value in enumerate(values)
    ]
    rows.append({**rows[0], "indicator": "semi_finished_yield", "value": 0.93, "points": 97.9, "n": 30.0})
    connection.execute(insert(results), rows)
    shift = {
        **rows[0], "template": "of-shifts", "window_kind": "shift", "window_start": START + 5 * HOUR, "shift": "early",
        "window_end": START + 13 * HOUR, "calendar": "hall@1", "shift_start": START + 6 * HOUR,
        "shift_end": START + 12 * HOUR, "cause": None,
    }  # fmt: skip
    gone = {**shift, "number": 1, "status": "withdrawn", "value": None, "points": None, "cause": "assignment,event"}
    other = {
        **shift, "window_end": START + 17 * HOUR, "shift": "late", "calendar": "yard@2", "cause": "calendar",
        "shift_start": START + 7 * HOUR, "shift_end": START + 16 * HOUR,
    }  # fmt: skip
    connection.execute(insert(results), [shift, gone, other])


@contextmanager
def web_of(company: Company, folder: Path, *further: Published) -> Iterator[Client]:
    """A client of the web over it; `further` is published besides."""
    shelf = Shelf(folder)
    people = [who for who, unit in WORKS.items() if unit == "L1"]
    shelf.apply([template(), *(scores(who, total(), unit="L1") for who in people), unit_scores("L1", people)])
    shelf.apply([scores("guest", total(), unit="L1"), alert("a1", "L1-1", unit="L1"), tick(NOW)])
    shelf.apply(further)
    access = company.gate()
    app = create_app(shelf.reader(), clock=lambda: company.at, access=access, desk=desk_of(company.url))
    with TestClient(app) as made:
        made.follow_redirects = False
        yield made


def get(client: Client, company: Company, address: str, account: str = "personnel") -> Any:
    """What an account is shown."""
    return client.get(address, headers={"cookie": f"{SESSION}={company.session(account)}"})


def entries(company: Company, after: int = 0) -> list[Any]:
    """The audit log behind an entry, without sign-ins."""
    with company.records.reading() as connection:
        wanted = select(audit).where(audit.c.number > after, audit.c.action != "signed-in")
        return list(connection.execute(wanted.order_by(audit.c.number)))


def last(company: Company) -> int:
    """The number of the newest entry."""
    return int(entries(company)[-1].number)


def rows(page: str) -> list[str]:
    """The first cells of a list."""
    return re.findall(r'<tr>\s*<th scope="row"><a href="[^"]*">([^<]+)</a>', page)
