"""What an import states: rows, each with the file and line that it stands in; and the edit that makes them so.

A statement is the complete history of the units and employees that it names; of all others it says nothing. What an
organisation must be is told of the result (agents/records/tree.py), and led back to the lines that state it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeVar

from agents.records.edits import Edit
from agents.records.rows import INHERIT, KEY_FIELDS, Assignment, Charge, Employee, Key, Organisation, Row, Span, Unit
from agents.records.sayings import About, Fields, Instant, Said, said
from agents.records.tree import Breach, sentence
from schemas.instants import format_rfc3339, instant_of

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "units": ("unit", "kind", "parent", "name_zh", "name_en", "begins", "ends", "names"),
    "employees": ("employee", "name", "email", "language"),
    "assignments": ("employee", "begins", "role", "unit"),
    "managers": ("unit", "employee", "begins", "ends"),
}
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "units": ("unit", "kind"),
    "employees": ("employee", "name"),
    "assignments": ("employee", "role", "unit"),
    "managers": ("unit", "employee"),
}
_UNSAID: Final = ""  # `names` that no row of the unit states: it stays as it is
R = TypeVar("R")


class Place(NamedTuple):
    """Where something stands."""

    file: str
    line: int


class Problem(NamedTuple):
    """What is wrong, where it is stated (None: it was in the store before), about whom, from when on; the remedy."""

    place: Place | None
    subject: About
    at: int | None
    said: Said

    @property
    def what(self) -> str:
        """What is wrong, in English."""
        return self.said.told("en")[0]

    @property
    def remedy(self) -> str:
        """What to do, in English."""
        return self.said.told("en")[1]

    def told(self, language: str = "en", instant: Instant = format_rfc3339) -> str:
        """All of it but the place, in a language."""
        return sentence(self.subject, self.at, self.said, language, instant)

    def __str__(self) -> str:
        place = "" if self.place is None else f"{self.place.file} line {self.place.line}: "
        return f"{place}{self.told()}"


class Wrong(ValueError):
    """A field that is not what it must be."""

    def __init__(self, code: str, **values: Any) -> None:
        self.said = said(code, **values)
        super().__init__(self.said.told("en")[0])


@dataclass
class Statement:
    """Rows by table and key. `histories`, `charges`: whose assignments, and which units' managers, are complete."""

    default_begins: int | None = None
    rows: dict[str, dict[Key, Row]] = field(default_factory=dict)
    places: dict[tuple[str, Key], Place] = field(default_factory=dict)
    histories: set[str] = field(default_factory=set)
    charges: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def add(self, table: str, fields: Mapping[str, str | None], place: Place) -> None:
        """A row of one of COLUMNS, its fields as text; what is wrong with it is among the problems."""
        given = {name: text for name, text in fields.items() if text is not None and text != ""}
        name = given.get(COLUMNS[table][0])
        try:
            for missing in (name for name in REQUIRED[table] if name not in given):
                if table != "assignments" or missing == "employee":
                    raise Wrong("missing", name=missing, table=table, columns=", ".join(REQUIRED[table]))
            for stated, row in _READERS[table](self, given):
                self._state(stated, row, place)
        except Wrong as wrong:
            subject = About(COLUMNS[table][0], name) if name else About(table)
            self.problems.append(Problem(place, subject, None, wrong.said))

    def _state(self, table: str, row: Row, place: Place) -> None:
        key: Key = tuple(row[: KEY_FIELDS[table]])
        rows = self.rows.setdefault(table, {})
        before = rows.get(key)
        if before is None:
            rows[key] = row
            self.places[table, key] = place
        elif (joined := _joined(before, row)) is not None:
            rows[key] = joined
        else:
            known = self.places[table, key]
            raise Wrong("twice", file=known.file, line=str(known.line), row=_in_file(table, before))

    def named(self, table: str) -> set[str]:
        """The units or employees that rows of a table are about."""
        return {key[0] for key in self.rows.get(table, {})}

    def instant(self, fields: Mapping[str, str], name: str) -> int | None:
        """A time as events have it, RFC 3339 or ms since 1970; None when it is not given."""
        text = fields.get(name)
        if text is None:
            return None
        at = instant_of(int(text) if text.isascii() and text.isdecimal() else text)
        if at is None:
            raise Wrong("no-instant", name=name, value=text)
        return at

    def begins(self, fields: Mapping[str, str]) -> int:
        """When it begins: as it is written, else from the instant that the import was told."""
        at = self.instant(fields, "begins")
        at = self.default_begins if at is None else at
        if at is None:
            raise Wrong("no-begin")
        return at

    def explain(self, breaches: Collection[Breach]) -> list[Problem]:
        """Breaches with the lines that state what they are about."""
        return [Problem(self._place(one), one.subject, one.at, one.said) for one in breaches]

    def _place(self, breach: Breach) -> Place | None:
        place = self.places.get((breach.table, breach.key))
        return self.places.get(("units", breach.key[:1])) if place is None and breach.table == "units" else place


def stating(statement: Statement) -> Edit:
    """The edit after which all is as it is stated."""

    def edit(now: Organisation) -> Organisation:
        units = statement.named("units")
        kinds = {key: _with_names(row, now.units.get(key)) for key, row in statement.rows.get("units", {}).items()}
        return Organisation(
            _stated(now.units, kinds, units),
            _stated(now.unit_spans, statement.rows.get("unit_spans", {}), units),
            _stated(now.employees, statement.rows.get("employees", {}), statement.named("employees")),
            _stated(now.assignments, statement.rows.get("assignments", {}), statement.histories),
            _stated(now.managers, statement.rows.get("managers", {}), statement.charges),
        )

    return edit


def _stated(old: Mapping[Key, R], rows: Mapping[Key, Any], complete: set[str]) -> dict[Key, R]:
    return {**{key: row for key, row in old.items() if key[0] not in complete}, **rows}


def _in_file(table: str, row: Row) -> Fields:
    """Under the names that its columns have in a file."""
    noun = "employee" if table == "employees" else "unit"
    return Fields((noun if name == "id" else name, value) for name, value in row._asdict().items())


def _joined(before: Row, row: Row) -> Row | None:
    """Two rows of a unit's spans as one, which says what either of them says of it; None where they contradict."""
    if not isinstance(before, Unit) or not isinstance(row, Unit):
        return None
    said = before.names if row.names == _UNSAID else row.names
    return row._replace(names=said) if before in (row._replace(names=said), row._replace(names=_UNSAID)) else None


def _with_names(row: Any, known: Unit | None) -> Any:
    """A file that says nothing of names leaves them as they are."""
    return row if row.names != _UNSAID else row._replace(names=None if known is None else known.names)


def _units(statement: Statement, fields: Mapping[str, str]) -> list[tuple[str, Row]]:
    zh, en = fields.get("name_zh"), fields.get("name_en")
    if zh is None and en is None:
        raise Wrong("no-names")
    unit, begins, ends = fields["unit"], statement.begins(fields), statement.instant(fields, "ends")
    span = Span(unit, begins, ends, fields.get("parent"), zh or en or "", en or zh or "")
    names = fields.get("names", _UNSAID)
    return [("units", Unit(unit, fields["kind"], None if names == INHERIT else names)), ("unit_spans", span)]


def _employees(_: Statement, fields: Mapping[str, str]) -> list[tuple[str, Row]]:
    row = Employee(fields["employee"], fields["name"], fields.get("email"), fields.get("language"))
    return [("employees", row)]


def _assignments(statement: Statement, fields: Mapping[str, str]) -> list[tuple[str, Row]]:
    employee = fields["employee"]
    statement.histories.add(employee)
    return [("assignments", Assignment(employee, statement.begins(fields), fields.get("role"), fields.get("unit")))]


def _managers(statement: Statement, fields: Mapping[str, str]) -> list[tuple[str, Row]]:
    statement.charges.add(fields["unit"])
    begins, ends = statement.begins(fields), statement.instant(fields, "ends")
    return [("managers", Charge(fields["unit"], fields["employee"], begins, ends))]


_READERS: Final[Mapping[str, Callable[[Statement, Mapping[str, str]], list[tuple[str, Row]]]]] = {
    "units": _units,
    "employees": _employees,
    "assignments": _assignments,
    "managers": _managers,
}
