"""Gates for tests of the web: an open one, for tests that are about something else, and a whole company's.

    company ── plant (2) ── L1 (6 people), L2 (3 people)
            └─ office (5 people)

mona is in charge of the plant, lea of L1; both work in what they are in charge of.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, insert

from agents.access.administration import Administration
from agents.records.database import Records, open_records
from agents.records.tables import assignments, employees, managers, unit_spans, units
from dashboards.web.gate import Demo, Store
from schemas.instants import FIRST
from tests.web.factories import NOW, alert, scores, template, tick, unit_scores
from tests.web.shelf import Shelf

OPEN: Final = Demo(lambda: NOW)
PARENTS: Final = {"company": None, "plant": "company", "L1": "plant", "L2": "plant", "office": "company"}
KINDS: Final = {"company": "company", "plant": "department"}  # the others are teams
WORKS: Final = {
    "mona": "plant",
    "plant-1": "plant",
    "lea": "L1",
    **{f"L1-{number}": "L1" for number in range(1, 6)},
    **{f"L2-{number}": "L2" for number in range(1, 4)},
    **{f"office-{number}": "office" for number in range(1, 6)},
}
CHARGE: Final = {"mona": "plant", "lea": "L1"}
# Account, employee, roles besides that of an employee.
ACCOUNTS: Final = (
    ("worker", "L1-1", ()),
    ("small", "L2-1", ()),
    ("lead", "lea", ("supervisor",)),
    ("manager", "mona", ("supervisor",)),
    ("personnel", "office-1", ("hr",)),
    ("revision", "office-2", ("auditor",)),
    ("keys", None, ("admin",)),
    ("nothing", None, ()),
)


_made: Final[list[bytes]] = []  # the file of such a company: made once, then copied


def everybody(folder: Path) -> Shelf:
    """Views of everybody's scores, an alert about each, and their units."""
    shelf = Shelf(folder)
    by_unit = {unit: sorted(who for who, works in WORKS.items() if works == unit) for unit in set(WORKS.values())}
    shelf.apply([template(), *(scores(who, unit=unit) for who, unit in WORKS.items())])
    shelf.apply([unit_scores(unit, members) for unit, members in by_unit.items()])
    shelf.apply([*(alert(f"a-{who}", who, unit=unit) for who, unit in WORKS.items()), tick(NOW)])
    return shelf


def fill(connection: Connection) -> None:
    """The tree, its people, and who is in charge."""

    def put(table: Any, *rows: dict[str, Any]) -> None:
        connection.execute(insert(table), list(rows))

    names = ({"unit": unit, "parent": parent, "name_zh": unit, "name_en": unit} for unit, parent in PARENTS.items())
    put(units, *({"id": unit, "kind": KINDS.get(unit, "team")} for unit in PARENTS))
    put(unit_spans, *({**name, "begins": FIRST} for name in names))
    put(employees, *({"id": who, "name": f"Name of {who}", "email": f"{who}@example.org"} for who in WORKS))
    put(assignments, *({"employee": who, "begins": FIRST, "role": "x", "unit": unit} for who, unit in WORKS.items()))
    put(managers, *({"unit": unit, "employee": who, "begins": FIRST} for who, unit in CHARGE.items()))


class Company:
    """The store of the company above, with its accounts; `at` is the time there, which a test moves."""

    def __init__(self, folder: Path, at: int = NOW) -> None:
        self.at = at
        folder.mkdir(parents=True, exist_ok=True)
        self.url = f"sqlite:///{folder / 'records.sqlite'}"
        file = folder / "records.sqlite"
        if _made:
            file.write_bytes(_made[0])
        self.records: Records = open_records(self.url)
        if not _made:
            self._fill()
            self.records.close()
            _made.append(file.read_bytes())

    def _fill(self) -> None:
        """Accounts are as old as everything else: the file serves companies of any time."""
        self.records.write(fill)
        admin = Administration(self.records, "os:test", 0)
        for name, employee, roles in ACCOUNTS:
            admin.add_account(name, employee, roles)

    @property
    def admin(self) -> Administration:
        """Changes, now."""
        return Administration(self.records, "os:test", self.at)

    def gate(self) -> Store:
        """One more web process's door."""
        return Store(self.gate_records(), lambda: self.at)

    def gate_records(self) -> Records:
        """The store as one more process opens it."""
        return open_records(self.url)

    def token(self, unit: str | None = None, *scopes: str, screen: bool = False) -> str:
        """A token of a service, or of a screen of the unit."""
        return self.admin.create_token("test", unit, scopes, 30, screen)

    def session(self, account: str) -> str:
        """What the cookie of a browser holds that has signed in."""
        return self.admin.start_session(account)
