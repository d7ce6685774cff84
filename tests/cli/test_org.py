"""`scorestream org`: what is imported is there, what is exported comes back, what is wrong is named with its line."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import pytest

from agents.transport.embedded.log import EmbeddedLog
from stream.topics import PEOPLE_EVENTS
from tests.cli.conftest import Run, values
from tests.importers.company import write

ORGANISATION = """\
units:
- unit: acme
  kind: company
  spans:
  - {begins: 2026-01-01T00:00:00Z, name_zh: 艾克米, name_en: "=Acme"}
- unit: L01
  kind: team
  spans:
  - {begins: 2026-01-01T00:00:00Z, ends: 2026-02-01T00:00:00Z, parent: acme, name_en: Line 1}
  - {begins: 2026-02-01T00:00:00Z, parent: acme, name_zh: 一线, name_en: "'=First"}
- {unit: L02, kind: team, parent: acme, name_en: Line 2, begins: 1767225600000}
employees:
- employee: E1
  name: Li Na
  email: na@acme.example
  language: zh
  assignments:
  - {begins: 2026-01-01T08:00:00+08:00, role: operator, unit: L01}
  - {begins: 2026-03-01T00:00:00Z}
- {employee: E2, name: "Bo, the lead", assignments: [{begins: 2026-01-05T00:00:00Z, role: lead, unit: L02}]}
managers:
- {unit: L01, employee: E2, begins: 2026-01-05T00:00:00Z, ends: 2026-02-01T00:00:00Z}
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A company in a file."""
    path = tmp_path / "company.yaml"
    path.write_text(ORGANISATION, encoding="utf-8")
    return str(path)


def stated(tmp_path: Path, text: str, name: str = "more.yaml") -> str:
    """A file with this text."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_an_import_says_what_it_did(run: Run, file: str) -> None:
    """Counts per table and every row; what waits for the log."""
    result = run("org", "import", file, "--format", "ndjson")
    assert (0, 13) == (result.code, len(result.rows()))
    assert {
        "table": "assignments", "change": "added", "subject": "E1", "begins": "2026-01-01T00:00:00.000Z", "was": None,
        "became": "role operator, unit L01",
    } in result.rows()  # fmt: skip
    counts = "added units: 3; added unit_spans: 4; added employees: 2; added assignments: 3; added managers: 1"
    assert counts in result.err
    assert "4 changes wait to be sent" in result.err


def test_an_import_is_in_the_audit_log(run: Run, file: str, tmp_path: Path) -> None:
    """Who did it, from which files, each row before and after; what changes nothing or is only tried is not."""
    assert 0 == run("org", "import", file, "--dry-run").code
    assert 0 == run("org", "import", file).code
    assert 0 == run("org", "import", file).code
    renamed = stated(tmp_path, "employees:\n- {employee: E2, name: Bo}\n")
    assert 0 == run("org", "import", renamed).code
    first, second = run("audit", "list", "--format", "ndjson").rows()
    assert {
        "action": "import", "subject": "organisation", "outcome": "done", "right": "edit-organisation",
        "actor": f"os:{getpass.getuser()}",
    }.items() <= first.items()  # fmt: skip
    detail = first["detail"]
    assert (["company.yaml"], 13, 13) == (detail["files"], detail["count"], len(detail["changes"]))
    (change,) = second["detail"]["changes"]
    assert ("employees", "Bo, the lead", "Bo") == (change["table"], change["was"]["name"], change["became"]["name"])
    assert 0 == run("audit", "verify").code


def test_a_dry_run_changes_nothing(run: Run, file: str) -> None:
    """It says the same, and the store is as it was."""
    dry = run("org", "import", file, "--dry-run", "--format", "csv")
    assert (0, "would be added units: 3;") == (dry.code, dry.err[:24])
    assert "0 units" in run("org", "check").err
    assert dry.out == run("org", "import", file, "--format", "csv").out


def test_of_many_rows_a_person_sees_the_first_twenty(run: Run, tmp_path: Path) -> None:
    """Of each table; all of them in the other forms."""
    people = "".join(f"E{n},Name {n}\n" for n in range(100, 150))
    many = stated(tmp_path, f"employee,name\n{people}", "employees.csv")
    assert 50 == len(run("org", "import", many, "--dry-run", "--format", "ndjson").rows())
    shown = run("org", "import", many, "--dry-run")
    assert "E119" in shown.out
    assert "E120" not in shown.out
    assert "... and 30 more" in shown.out


@pytest.mark.parametrize("form", ["yaml", "csv"])
def test_the_export_imported_again_changes_nothing(run: Run, file: str, tmp_path: Path, form: str) -> None:
    """Also into an empty store: the same comes out again, texts that look like formulas included."""
    run("org", "import", file)
    run("org", "export", "--format", form, "out")
    assert "nothing changed" in run("org", "import", "out").err
    other = ("--data", str(tmp_path / "other"))
    assert 0 == run("org", "import", "out", *other).code
    assert run("org", "export").out == run("org", "export", "-", *other).out


def test_csv_for_the_screen_is_refused(run: Run) -> None:
    """It is four files."""
    result = run("org", "export", "--format", "csv")
    assert (2, True) == (result.code, "name a folder" in result.err)


def test_an_import_is_the_whole_history_of_whom_it_names(run: Run, file: str, tmp_path: Path) -> None:
    """What is not stated of them any more is removed; of others nothing is said."""
    run("org", "import", file)
    text = "employees:\n- {employee: E1, name: Li Na, assignments: [{role: lead, unit: L02}]}\n"
    result = run("org", "import", stated(tmp_path, text), "--at", "2026-01-01T00:00:00Z", "--format", "ndjson")
    assert [("employees", "changed", None), ("assignments", "changed", "2026-01-01T00:00:00.000Z"),
            ("assignments", "removed", "2026-03-01T00:00:00.000Z")] == [
        (row["table"], row["change"], row["begins"]) for row in result.rows()
    ]  # fmt: skip
    assert "E2,2026-01-05T00:00:00.000Z,lead,L02" in run_csv(run, "assignments")


def run_csv(run: Run, table: str) -> str:
    """A table of the export."""
    run("org", "export", "--format", "csv", "tables")
    return Path("tables", f"{table}.csv").read_text("utf-8")


def test_names_alone_leave_assignments_alone(run: Run, file: str, tmp_path: Path) -> None:
    """A file of employees says nothing about where they work."""
    run("org", "import", file)
    before = run_csv(run, "assignments")
    result = run("org", "import", stated(tmp_path, "employee,name\nE1,Li Na Wang\n", "people.csv"))
    assert "changed employees: 1\n" in result.err
    assert before == run_csv(run, "assignments")


BROKEN = [
    ("a.yaml", "units:\n- {unit: X, kind: team, name_en: X, begins: 2026-01-01T00:00:00Z, parent: no}\n", 2,
     "its parent 'no' is no unit; name one that exists"),
    ("a.yaml", "units:\n- {unit: X, kind: gang, name_en: X, begins: 2026-01-01T00:00:00Z}\n", 2,
     "kind 'gang' is none; write one of company"),
    ("a.yaml", "employees:\n- employee: E3\n  name: Cy\n  assignments:\n  - {role: op, unit: L01}\n", 5,
     "begins is missing; write it, or import with --at"),
    ("a.yaml", "employees:\n- {employee: E3, nmae: Cy}\n", 2, "there is no field 'nmae' here; there are employee,"),
    ("a.yaml", "employees:\n- {employee: E3, name: Cy, name: Di}\n", 2, "name stands here twice; leave one out"),
    ("a.yaml", "employees:\n- {employee: E3, name: [Cy]}\n", 2, "name is no plain value; write one text"),
    ("a.yaml", "employees: E3\n", 1, "employees is no list; begin each row with -"),
    ("a.yaml", "- E3\n", 1, "no mapping; write fields: units, employees, assignments, managers"),
    ("a.yaml", "", 1, "no mapping; write fields"),
    ("a.yaml", "units:\n  - [", 3, "not YAML: "),
    ("a.csv", "employee,name\nE3,Cy\nE3,Di\n", 3, "it is stated twice, first in a.csv line 2"),
    ("a.csv", "employee,name\nE3\n", 2, "1 cells; there are 2 columns"),
    ("a.csv", "employee,salary\nE3,1\n", 1, "these are no columns of managers: employee, salary; they are unit,"),
    ("a.csv", "employee,begins,role,unit\nE3,2026-01-01T00:00:00Z,op,L01\n", 2, "there is no such employee; add"),
    ("a.csv", "employee,begins,role,unit\nE1,yesterday,op,L01\n", 2, "begins 'yesterday' is no instant; write RFC"),
    ("a.csv", "unit,employee,begins\nL01,E9,2026-01-01T00:00:00Z\n", 2, "E9 has no assignment then; end it by"),
]  # fmt: skip


def test_an_error_names_file_and_line(run: Run, file: str) -> None:
    """And field, value and remedy; nothing is changed, by a dry run neither."""
    run("org", "import", file)
    for number, (name, text, line, why) in enumerate(BROKEN):
        Path(name).write_text(text, encoding="utf-8")
        result = run("org", "import", name, *(["--dry-run"] if number % 2 else []))
        told = result.out.splitlines()
        assert (1, True) == (result.code, "nothing was changed" in result.err), result
        assert any(one.startswith(f"error: {name} line {line}: ") and why in one for one in told), result.out
    assert "2 employees, 3 assignments, 1 managers: fine" in run("org", "check").err


def test_all_errors_are_told(run: Run, tmp_path: Path) -> None:
    """In rows for programs too."""
    text = "employee,begins,role,unit\nE1,now,op,L01\nE2,2026-01-01T00:00:00Z,op,L01\n"
    result = run("org", "import", stated(tmp_path, text, "a.csv"), "--format", "ndjson")
    assert [(2, None), (3, "2026-01-01T00:00:00.000Z"), (3, "2026-01-01T00:00:00.000Z")] == [
        (row["line"], row["at"]) for row in result.rows()
    ]


def test_a_row_that_stands_twice_is_told_in_words(run: Run, tmp_path: Path) -> None:
    """As a file has it: its columns, and instants as they are written everywhere."""
    row = "X1,2024-01-01T08:00:00+08:00,operator,L01\n"
    result = run("org", "import", stated(tmp_path, f"employee,begins,role,unit\n{row}{row}", "b.csv"))
    told = next(line for line in result.out.splitlines() if line.startswith("error: "))
    assert told.replace(f"{tmp_path}/", "") == (
        "error: b.csv line 3: employee X1: it is stated twice, first in b.csv line 2: employee X1, begins "
        "2024-01-01T00:00:00.000Z, role operator, unit L01; leave one out"
    )


def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    """A folder without a file of the export's names, too."""
    assert (1, True) == (run("org", "import", "no.yaml").code, "no.yaml" in run("org", "import", "no.yaml").err)
    (tmp_path / "empty").mkdir()
    assert "none of organisation.yaml, units.csv" in run("org", "import", "empty").err


def test_the_tree_of_an_instant(run: Run, file: str) -> None:
    """Who belongs where, how many people, who is in charge."""
    run("org", "import", file)
    rows = run("org", "show", "--at", "2026-01-10T00:00:00Z", "--format", "ndjson").rows()
    assert [("acme", None, 0, 2, ""), ("L01", "acme", 1, 1, "E2"), ("L02", "acme", 1, 1, "")] == [
        (row["unit"], row["parent"], row["people"], row["people_below"], row["managers"]) for row in rows
    ]
    assert "\n  L01" in run("org", "show").out
    assert 2 == run("org", "show", "--at", "2026-01-10").code


def named(run: Run) -> dict[str, tuple[str, str]]:
    """By unit what it says of names, and what holds."""
    rows = run("org", "show", "--at", "2026-01-10T00:00:00Z", "--format", "ndjson").rows()
    return {row["unit"]: (row["names"], row["named"]) for row in rows}


def test_units_show_names_where_somebody_says_so(run: Run, file: str) -> None:
    """Nobody by default; below a unit it holds for whatever says nothing else; the audit log has who said it."""
    run("org", "import", file)
    assert {"acme": ("inherit", "hidden"), "L01": ("inherit", "hidden"), "L02": ("inherit", "hidden")} == named(run)
    assert "changed units: 1" in run("org", "names", "acme", "shown").err
    assert "changed units: 1" in run("org", "names", "L02", "hidden").err
    assert "nothing changed" in run("org", "names", "L02", "hidden").err
    assert {"acme": ("shown", "shown"), "L01": ("inherit", "shown"), "L02": ("hidden", "hidden")} == named(run)
    assert 0 == run("org", "names", "L02", "inherit").code
    assert ("inherit", "shown") == named(run)["L02"]
    entries = [row for row in run("audit", "list", "--format", "ndjson").rows() if row["action"] == "names-set"]
    assert ["unit:acme", "unit:L02", "unit:L02"] == [row["subject"] for row in entries]
    assert all(row["actor"].startswith("os:") for row in entries)
    assert (2, True) == ((no := run("org", "names", "L99", "shown")).code, "unit L99: there is no such unit" in no.err)
    assert 2 == run("org", "names", "L02", "perhaps").code


@pytest.mark.parametrize("form", ["yaml", "csv"])
def test_names_travel_with_the_organisation(run: Run, file: str, tmp_path: Path, form: str) -> None:
    """The export carries them, the import brings them, the audit log of the other store says so."""
    run("org", "import", file)
    run("org", "names", "L01", "shown")
    run("org", "export", "--format", form, "out")
    assert "nothing changed" in run("org", "import", "out").err
    other = ("--data", str(tmp_path / "other"))
    assert 0 == run("org", "import", "out", *other).code
    assert run("org", "export").out == run("org", "export", "-", *other).out
    found = run("audit", "list", "--format", "ndjson", *other).rows()
    (entry,) = [entry for entry in found if entry["action"] != "import"]
    assert ("names-set", "unit:L01") == (entry["action"], entry["subject"])


def test_a_file_that_says_nothing_of_names_leaves_them(run: Run, file: str, tmp_path: Path) -> None:
    """What personnel sends every month is not what boards show; `inherit` takes it back."""
    run("org", "import", file)
    run("org", "names", "L02", "shown")
    assert "nothing changed" in run("org", "import", file).err
    line = "unit,kind,parent,name_en,begins,names\nL02,team,acme,Line 2,1767225600000,"
    run("org", "import", stated(tmp_path, f"{line}\n", "units.csv"))
    assert ("shown", "shown") == named(run)["L02"]
    assert "changed units: 1" in run("org", "import", stated(tmp_path, f"{line}inherit\n", "units.csv")).err
    wrong = run("org", "import", stated(tmp_path, f"{line}all\n", "units.csv"))
    assert (1, True) == (wrong.code, "names 'all' is none; write one of shown, hidden, or inherit" in wrong.out)


def test_rows_of_one_unit_agree_about_names(run: Run, file: str, tmp_path: Path) -> None:
    """One of its spans is enough; two that contradict each other are told."""
    run("org", "import", file)
    head = (
        "unit,kind,parent,name_en,begins,ends,names\nL01,team,acme,A,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,shown\n"
    )
    once = stated(tmp_path, f"{head}L01,team,acme,B,2026-02-01T00:00:00Z,,\n", "units.csv")
    assert 0 == run("org", "import", once).code
    assert ("shown", "shown") == named(run)["L01"]
    both = run("org", "import", stated(tmp_path, f"{head}L01,team,acme,B,2026-02-01T00:00:00Z,,hidden\n", "units.csv"))
    assert (1, True) == (both.code, "units.csv line 3: unit L01: it is stated twice" in both.out)


def test_waiting_changes_are_sent(run: Run, file: str, log: EmbeddedLog) -> None:
    """Once."""
    run("org", "import", file)
    assert "sent 4" in run("org", "sync", "--once").err
    assert "sent" not in run("org", "sync", "--once").err
    roles = [json.loads(value or b"")["dims"].get("role") for value in values(log, PEOPLE_EVENTS)]
    assert {"lead", "operator", None} == set(roles)
    assert 3 == len(roles)


def test_a_company_of_another_system_is_imported(run: Run, tmp_path: Path) -> None:
    """AdventureWorks in its own files; what is broken there is named, and the exit code is 1."""
    folder = str(write(tmp_path / "aw"))
    assert "added employees: 2; added assignments: 4" in run("org", "import-adventureworks", folder).err
    assert "nothing changed" in run("org", "import-adventureworks", folder).err
    result = run("org", "import-adventureworks", str(tmp_path))
    assert (1, True) == (result.code, "the folder must hold the file hr/Department.tsv" in result.err)
