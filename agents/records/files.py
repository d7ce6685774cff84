"""An organisation in files: one YAML file, or a CSV file per table. Both have the same columns; each row has its line.

What the export writes, the import reads as it is: importing it again changes nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from agents.records.rows import INHERIT, Organisation, by_first
from agents.records.sayings import About, Said, said
from agents.records.statement import COLUMNS, REQUIRED, Place, Problem, Statement
from agents.spreadsheet import FORMULA
from schemas.instants import format_rfc3339

NAMES: Final = ("organisation.yaml", *(f"{table}.csv" for table in COLUMNS))
_MARKS: Final = {"kind": "units", "name": "employees", "role": "assignments"}  # columns that only one table has
_NESTED: Final = {"units": "spans", "employees": "assignments"}
_GUARDED: Final = re.compile(f"'+[{re.escape(FORMULA)}]")  # what the export put an apostrophe before
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def read_files(files: Sequence[Path], default_begins: int | None = None) -> Statement:
    """What files (or folders with files of the export's names) state. What is wrong is among its problems."""
    found = (file for path in files for file in _files(path))
    return read_contents(((str(file), file.read_bytes()) for file in found), default_begins)


def read_contents(files: Iterable[tuple[str, bytes]], default_begins: int | None = None) -> Statement:
    """As `read_files`, of files that were read: (name, content)."""
    statement = Statement(default_begins)
    given: set[str] = set()
    for name, content in files:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            _wrong(statement, Place(name, 1), said("no-utf8"))
            continue
        reader = _csv if name.lower().endswith(".csv") else _yaml
        given |= reader(statement, name, text)
    if "assignments" in given:
        statement.histories |= statement.named("employees")
    if "managers" in given:
        statement.charges |= statement.named("units")
    return statement


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = [path / name for name in NAMES if (path / name).exists()]
    if not found:
        raise FileNotFoundError(2, f"none of {', '.join(NAMES)} is in it", str(path))
    return found


def _wrong(statement: Statement, place: Place, what: Said) -> set[str]:
    statement.problems.append(Problem(place, About("file"), None, what))
    return set()


def _csv(statement: Statement, file: str, text: str) -> set[str]:
    """One table, told by its columns: it is given whole."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        table = next((table for mark, table in _MARKS.items() if mark in header), "managers")
        unknown = [name for name in header if name not in COLUMNS[table]]
        missing = [name for name in REQUIRED[table] if name not in header]
        if unknown or missing or len(set(header)) < len(header):
            what = said("no-columns", table=table, header=", ".join(header) or "-", columns=", ".join(COLUMNS[table]))
            return _wrong(statement, Place(file, 1), what)
        for row in reader:
            place = Place(file, reader.line_num)
            if not row:
                continue
            if len(row) != len(header):
                _wrong(statement, place, said("cells", cells=str(len(row)), columns=str(len(header))))
            else:
                statement.add(table, dict(zip(header, map(_unguarded, row), strict=True)), place)
    except csv.Error as error:
        return _wrong(statement, Place(file, reader.line_num), said("no-csv", why=str(error)))
    return {table}


def _unguarded(text: str) -> str:
    return text[1:] if _GUARDED.match(text) else text


def _guarded(text: str | None) -> str | None:
    """An apostrophe that was there is doubled where the export's own could be meant."""
    return f"'{text}" if text is not None and _GUARDED.match(text) else text


def _yaml(statement: Statement, file: str, text: str) -> set[str]:
    """A mapping of tables to rows; spans of units and assignments of employees may stand within them."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        return _wrong(statement, Place(file, line), said("no-yaml", why=str(getattr(error, "problem", error))))
    given: set[str] = set()
    for table, node in _entries(statement, file, root, tuple(COLUMNS)):
        if _items(statement, file, table, node, _YamlRows(statement, file, table)):
            given.add(table)
    return given


class _YamlRows:
    """Takes the entries of one table."""

    def __init__(self, statement: Statement, file: str, table: str) -> None:
        self._statement = statement
        self._file = file
        self._table = table
        self._nested = _NESTED.get(table)

    def __call__(self, node: Any) -> None:
        """One entry: a row, or several of what is nested."""
        columns = (*COLUMNS[self._table], *([self._nested] if self._nested else ()))
        entries = dict(_entries(self._statement, self._file, node, columns))
        inner = entries.pop(self._nested, None) if self._nested else None
        fields = _fields(self._statement, self._file, entries)
        place = Place(self._file, node.start_mark.line + 1)
        if inner is None:
            self._statement.add(self._table, fields, place)
        elif self._table == "units":
            _items(self._statement, self._file, "spans", inner, lambda one: self._row("units", fields, one))
        else:
            self._statement.add("employees", fields, place)
            if employee := fields.get("employee"):
                self._statement.histories.add(employee)
            own = {"employee": employee}
            _items(self._statement, self._file, "assignments", inner, lambda one: self._row("assignments", own, one))

    def _row(self, table: str, outer: Mapping[str, str | None], node: Any) -> None:
        columns = tuple(name for name in COLUMNS[table] if name not in outer)
        fields = _fields(self._statement, self._file, dict(_entries(self._statement, self._file, node, columns)))
        self._statement.add(table, {**outer, **fields}, Place(self._file, node.start_mark.line + 1))


def _entries(statement: Statement, file: str, node: Any, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The fields of a mapping, each once and of these names."""
    if not isinstance(node, yaml.MappingNode):
        line = 1 if node is None else node.start_mark.line + 1
        _wrong(statement, Place(file, line), said("no-mapping", names=", ".join(names)))
        return
    seen = set()
    for key, value in node.value:
        place = Place(file, key.start_mark.line + 1)
        if key.value not in names:
            _wrong(statement, place, said("no-field", name=str(key.value), names=", ".join(names)))
        elif key.value in seen:
            _wrong(statement, place, said("field-twice", name=str(key.value)))
        else:
            seen.add(key.value)
            yield key.value, value


def _items(statement: Statement, file: str, name: str, node: Any, take: Any) -> bool:
    if not isinstance(node, yaml.SequenceNode):
        _wrong(statement, Place(file, node.start_mark.line + 1), said("no-list", name=name))
        return False
    for item in node.value:
        take(item)
    return True


def _fields(statement: Statement, file: str, entries: Mapping[str, Any]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, node in entries.items():
        if not isinstance(node, yaml.ScalarNode):
            _wrong(statement, Place(file, node.start_mark.line + 1), said("no-value", name=name))
        elif node.tag != "tag:yaml.org,2002:null":
            found[name] = node.value
    return found


def table_rows(organisation: Organisation, table: str) -> Iterator[dict[str, Any]]:
    """The rows of a CSV file, by the names of its columns."""
    for row in _table_rows(organisation, table):
        yield {name: _guarded(text) for name, text in row.items()}


def _table_rows(organisation: Organisation, table: str) -> Iterator[dict[str, str | None]]:
    rows: Mapping[Any, Any] = organisation.unit_spans if table == "units" else getattr(organisation, table)
    for key in sorted(rows):
        fields = rows[key]._asdict()
        if table == "units":
            unit = organisation.units[key[:1]]
            fields |= {"kind": unit.kind, "names": unit.names or INHERIT}
        elif table == "employees":
            fields["employee"] = fields["id"]
        yield {name: _text(fields[name]) for name in COLUMNS[table]}


def _text(value: str | int | None) -> str | None:
    return format_rfc3339(value) if isinstance(value, int) else value


def yaml_text(organisation: Organisation) -> str:
    """The whole organisation as one document."""
    spans, histories = by_first(organisation.unit_spans), by_first(organisation.assignments)
    units = [
        {
            "unit": unit,
            "kind": row.kind,
            "names": row.names or INHERIT,
            "spans": [_yaml_row(span, "unit") for span in spans.get(unit, ())],
        }
        for (unit,), row in sorted(organisation.units.items())
    ]
    employees = [
        {
            "employee": employee,
            **_yaml_row(row, "id"),
            "assignments": [_yaml_row(one, "employee") for one in histories.get(employee, ())],
        }
        for (employee,), row in sorted(organisation.employees.items())
    ]
    managers = [_yaml_row(organisation.managers[key], "") for key in sorted(organisation.managers)]
    document = {"units": units, "employees": employees, "managers": managers}
    dumped: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000)
    return dumped


def _yaml_row(row: Any, without: str) -> dict[str, Any]:
    return {name: _text(value) for name, value in row._asdict().items() if name != without and value is not None}
