"""`scorestream org`: the organisation is looked at, checked, imported and exported; what changes reaches the log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal
from uuid import uuid4

from cyclopts import App, Parameter

from agents.access import naming
from agents.access.editing import importing
from agents.cli.access_store import actor
from agents.cli.errors import CommandError, UsageError
from agents.cli.flags import NO_FLAGS, Flags, InputFile, Switch
from agents.cli.opening import now_ms, writable_log
from agents.cli.org_report import PROBLEM, counts, problem_row, refused, report
from agents.cli.output import FormatFlag, Row, print_rows, time_text
from agents.cli.progress import say
from agents.dead_letters import this_user
from agents.limits import limits_in_force
from agents.records.database import Records, RecordsError, RecordsUnavailable
from agents.records.edits import show_names
from agents.records.files import read_files, table_rows, yaml_text
from agents.records.opening import records_of
from agents.records.organisation import Tree, charges_at, members_of, preview, read, tree_at, units_of
from agents.records.outbox import Sender, waiting
from agents.records.rows import INHERIT, TABLES, Organisation, Unit
from agents.records.sending import LOOK
from agents.records.statement import COLUMNS, Problem, Statement, stating
from agents.records.tree import OrganisationError, check
from agents.settings import Settings
from schemas.instants import instant_of

app = App(
    name="org",
    help="The organisation: units, employees, who works where since when. Show, check, import, export.",
    help_format="plaintext",
)

At = Annotated[str | None, Parameter(name="--at", help="an instant, RFC 3339 with a zone")]
DryRun = Annotated[Switch, Parameter(name="--dry-run", help="say what would be done, and change nothing")]
_UNIT: Final = (
    "unit", "kind", "parent", "name_zh", "name_en", "begins", "ends", "people", "people_below", "managers", "names",
    "named",
)  # fmt: skip
_TREE: Final = ("tree", "kind", "name_zh", "name_en", "people", "people_below", "managers", "named")


@app.command(name="import")
def import_(
    files: Annotated[list[Path], Parameter(help="YAML or CSV files, or folders as `org export` makes them")],
    /,
    *,
    dry_run: DryRun = False,
    at: At = None,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """Import units, employees, their assignments and managers, in one transaction.

    Files state the complete history of the units and employees that they name; of
    all others they say nothing. Importing what `org export` wrote changes nothing.
    What changed, row by row, and who did it is in the audit log.

    For example

        scorestream org import organisation.yaml --dry-run
        scorestream org import units.csv employees.csv assignments.csv managers.csv
        scorestream org import new-line.yaml --at 2026-04-01T00:00:00+08:00

    YAML; a span or assignment without an end holds until the next one or for ever:

        units:
        - unit: acme
          kind: company        # company, branch, store, department or team
          spans:
          - {begins: 2020-01-01T00:00:00Z, name_zh: 艾克米, name_en: Acme}
        - unit: L01
          kind: team
          names: shown         # boards name its people; hidden, or inherit, which is so without it
          spans:
          - {begins: 2020-01-01T00:00:00Z, parent: acme, name_zh: 一线, name_en: Line 1}
        employees:
        - employee: E0261
          name: Li Na
          assignments:
          - {begins: 2024-05-01T00:00:00+08:00, role: operator, unit: L01}
          - {begins: 2026-03-01T00:00:00+08:00}     # left
        managers:
        - {unit: L01, employee: E0262, begins: 2024-01-01T00:00:00Z}

    CSV has a file per table with these columns, told by its first line:

        unit,kind,parent,name_zh,name_en,begins,ends,names
        employee,name,email,language
        employee,begins,role,unit
        unit,employee,begins,ends

    Parameters
    ----------
    at
        when rows begin that do not say it
    """
    settings = flags.settings()
    statement = read_files(files, _instant(at))
    return _import(settings, statement, files, dry_run=dry_run, format=format)


@app.command
def import_adventureworks(
    folder: Annotated[Path, Parameter(help="the folder with hr/ of the AdventureWorks sample company")],
    /,
    *,
    dry_run: DryRun = False,
    format: FormatFlag = "table",
    flags: Flags = NO_FLAGS,
) -> int:
    """Import the departments, people and transfers of AdventureWorks as they are.

    The same assignments as `scorestream import adventureworks` sends as events.

    For example

        scorestream org import-adventureworks ../shared/data/adventureworks --dry-run
    """
    from agents.importers.adventureworks_people import load
    from agents.importers.tsv import SourceError

    settings = flags.settings()
    try:
        statement = load(folder)
    except SourceError as error:
        raise CommandError(str(error)) from None
    return _import(settings, statement, [folder], dry_run=dry_run, format=format)


def _import(
    settings: Settings, statement: Statement, files: Sequence[Path], *, dry_run: bool, format: FormatFlag
) -> int:
    with _records(settings) as records:
        edit = stating(statement)
        try:
            if statement.problems or dry_run:
                changes = preview(records, edit)
            else:
                names = {"files": [path.name for path in files]}
                changes = records.write(importing(edit, actor(), this_user(), now_ms(), names))
        except OrganisationError as error:
            return refused([*statement.problems, *statement.explain(error.breaches)], format)
        if statement.problems:
            return refused(statement.problems, format)
        report(changes, format)
        say(f"{'would be ' if dry_run else ''}{counts(changes)}")
        if not dry_run:
            _say_waiting(records)
    return 0


@app.command
def export(
    target: InputFile = "-",
    /,
    *,
    format: Annotated[Literal["yaml", "csv"], Parameter(help="one YAML file, or a CSV file per table")] = "yaml",
    flags: Flags = NO_FLAGS,
) -> int:
    """Write the whole organisation, its history included, in a form that `org import` takes.

    For example

        scorestream org export > organisation.yaml
        scorestream org export --format csv ./organisation

    Parameters
    ----------
    target
        a folder, or - for standard output (YAML only)
    """
    settings = flags.settings()
    if format == "csv" and target == "-":
        raise UsageError("--format csv: it is a file per table; name a folder: scorestream org export --format csv DIR")
    with _records(settings) as records, records.reading() as connection:
        organisation = read(connection)
    if target == "-":
        sys.stdout.write(yaml_text(organisation))
        return 0
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    for file in _write(organisation, folder, format):
        say(f"wrote {file}")
    return 0


def _write(organisation: Organisation, folder: Path, format: str) -> Iterator[Path]:
    if format == "yaml":
        file = folder / "organisation.yaml"
        file.write_text(yaml_text(organisation), encoding="utf-8")
        yield file
        return
    for table, columns in COLUMNS.items():
        file = folder / f"{table}.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            print_rows(table_rows(organisation, table), columns, "csv", out=out)
        yield file


@app.command
def show(*, at: At = None, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """Print the units of an instant (without --at: now) as a tree, with how many people they have and who is in charge.

    `named` is whether boards show their people by name, which is as it is now, whatever the instant.

    For example

        scorestream org show
        scorestream org show --at 2026-01-01T00:00:00+08:00 --format csv
    """
    moment = _instant(at) or now_ms()
    with _records(flags.settings()) as records, records.reading() as connection:
        tree = tree_at(connection, moment)
        people: dict[str, int] = {}
        for member in members_of(connection, tree.spans, moment):
            people[str(member.unit)] = people.get(str(member.unit), 0) + 1
        managers: dict[str, list[str]] = {}
        for charge in charges_at(connection, moment):
            managers.setdefault(charge.unit, []).append(charge.employee)
        units = units_of(connection)
    print_rows(_unit_rows(tree, units, people, managers), _UNIT, format, table=_TREE)
    return 0


def _unit_rows(
    tree: Tree, units: dict[str, Unit], people: dict[str, int], managers: dict[str, list[str]]
) -> Iterable[Row]:
    below = tree.children()

    def rows(unit: str, depth: int, above: str) -> Iterator[dict[str, object]]:
        span, names = tree.spans[unit], units[unit].names
        named = names or above
        inner = [row for child in below.get(unit, ()) for row in rows(child, depth + 1, named)]
        own = people.get(unit, 0)
        total = own + sum(int(str(row["people"])) for row in inner)
        yield {
            **span._asdict(), "tree": "  " * depth + unit, "kind": units[unit].kind, "people": own,
            "people_below": total,
            "managers": ", ".join(managers.get(unit, ())), "begins": time_text(span.begins),
            "ends": time_text(span.ends), "names": names or INHERIT, "named": named,
        }  # fmt: skip
        yield from inner

    return [row for root in below.get(None, ()) for row in rows(root, 0, "hidden")]


@app.command
def names(
    unit: str,
    names: Annotated[Literal["shown", "hidden", "inherit"], Parameter(help="inherit: as the unit above it")],
    /,
    *,
    flags: Flags = NO_FLAGS,
) -> int:
    """Let boards show the people of UNIT by name, or not; it holds for all below it that say nothing else, at once.

    Without it boards show marks that change every day. The audit log keeps who changed it.

    For example

        scorestream org names L01 shown
        scorestream org names acme hidden
    """
    with _records(flags.settings()) as records:
        try:
            edit = show_names(unit, None if names == INHERIT else names)
            found = naming.change(records, edit, actor=actor(), by=this_user(), now=now_ms())
        except OrganisationError as error:
            raise UsageError(str(error)) from None
        say(counts(found))
    return 0


@app.command(name="check")
def check_(*, format: FormatFlag = "table", flags: Flags = NO_FLAGS) -> int:
    """Check the whole organisation over all time: one tree, nobody where nothing is. Exit code 1 with what is wrong.

    For example

        scorestream org check
    """
    with _records(flags.settings()) as records, records.reading() as connection:
        organisation = read(connection)
    breaches = check(organisation)
    rows = [problem_row(Problem(None, one.subject, one.at, one.said)) for one in breaches]
    if breaches or format != "table":
        print_rows(rows, PROBLEM[2:], format)
    held = ", ".join(f"{len(getattr(organisation, table)):,} {table}" for table in TABLES)
    say(f"{held}: {f'{len(breaches):,} errors' if breaches else 'fine'}")
    return 1 if breaches else 0


@app.command
def sync(*, once: Switch = False, flags: Flags = NO_FLAGS) -> int:
    """Send changes of assignments that wait into the log, until Ctrl-C; a worker does so by itself.

    For example

        scorestream org sync --once

    Parameters
    ----------
    once
        send what is due, and end
    """
    settings = flags.settings()
    with _records(settings) as records, writable_log(settings) as (log, partitions):
        sender = Sender(records, log, partitions, limits_in_force(log, settings), uuid4().hex)
        try:
            while True:
                if sent := sender.send(now_ms):
                    say(f"sent {sent:,}")
                if once:
                    break
                time.sleep(LOOK)
        finally:
            sender.release()
        _say_waiting(records)
    return 0


def _say_waiting(records: Records) -> None:
    with records.reading() as connection:
        number = waiting(connection)
    if number:
        say(f"{number:,} changes wait to be sent when they are due; a worker does that, or `scorestream org sync`")


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    at = instant_of(text)
    if at is None:
        raise UsageError(f"--at {text!r}: write RFC 3339 with a zone, e.g. 2026-03-01T00:00:00+08:00")
    return at


@contextmanager
def _records(settings: Settings) -> Iterator[Records]:
    try:
        records = records_of(settings)
        try:
            yield records
        finally:
            records.close()
    except (RecordsError, RecordsUnavailable) as error:
        raise CommandError(str(error)) from None
