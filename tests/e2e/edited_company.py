"""A running installation whose company is edited by its pages while processes are killed, and what must hold then.

Edits are drawn by a seed. Each is made on a model first, by the edits' own functions: the page must take what the model
takes and refuse what it refuses, so at the end the store is the model, row by row, and none is lost or made twice.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Thread
from typing import Any, Final

import httpx
from sqlalchemy import func, select

from agents.access.administration import Administration
from agents.access.audit import verify
from agents.access.editing import RIGHT
from agents.cli.opening import existing_log
from agents.records import edits
from agents.records.access_tables import audit
from agents.records.database import Records, open_records
from agents.records.edits import Edit, all_of
from agents.records.events import tree_of
from agents.records.files import yaml_text
from agents.records.organisation import read
from agents.records.outbox import waiting
from agents.records.rows import NOBODY, Employee, Organisation, assignment_at, of, span_at
from agents.records.tables import outbox
from agents.records.tree import OrganisationError, check
from agents.rules import calendars, rulebook
from agents.settings import Settings
from agents.transport.log import Log
from schemas.instants import DAY, HOUR, MINUTE, parse_rfc3339
from stream.topics import PEOPLE_EVENTS
from tests.e2e.editing import PATIENCE, Editor, Web
from tests.e2e.kafka_workers import WorkerProcess, until
from tests.e2e.processes import COMMAND, call, environment
from tests.oracle.logs import YIELD, calendar, template
from tests.web.identity_provider import identity_provider

ROLES: Final = ("operator", "tester", "lead")
ACCOUNTS: Final = ("li.na", "wang")


def now_ms() -> int:
    """Wall time."""
    return time.time_ns() // 1_000_000


class Company:
    """An installation at `broker` with its records; `workers` are killed while it is edited."""

    def __init__(self, folder: Path, broker: str, workers: int, dice: Random) -> None:
        self.folder, self.broker, self.dice = folder, broker, dice
        self.url = f"sqlite:///{folder / 'records.sqlite'}"
        self.where = ("--broker", broker, "--records", self.url)
        embedded = broker.startswith("embedded://")
        self.workers = [
            WorkerProcess(broker, folder / ("log" if embedded else f"worker-{number}"), "--records", self.url)
            for number in range(workers)
        ]
        self.model: Organisation = NOBODY
        self.made = Counter[str]()  # accepted edits by action
        self.refused = self.stale = self.kills = self.people = self.units = 0
        self.calendar_version = 0
        self.editors: list[Editor] = []
        self.records: Records = open_records(self.url)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Provider, web, signed-in editors and workers; stopped at the end, whatever happens."""
        for name in ACCOUNTS:
            Administration(self.records, "os:test", now_ms()).add_account(name, None, ["hr"])
        with ExitStack() as stack:
            self.provider = stack.enter_context(identity_provider())
            self.web = Web(self.folder, self.provider.issuer, *self.where)
            stack.callback(self.records.close)
            stack.callback(self.web.kill)
            for worker in self.workers:
                stack.callback(worker.close)
                worker.start()
            self.web.start()
            for name in ACCOUNTS:
                self.editors.append(Editor(self.web, self.provider, name))
                stack.callback(self.editors[-1].close)
            for worker in self.workers:
                worker.wait_scoring()
            yield

    @contextmanager
    def killing(self, *, webs: bool = False) -> Iterator[None]:
        """One of the workers is killed and started again at any moment; with `webs` the web process is, too."""
        stop, dice, failed = Flag(), Random(self.dice.random()), list[BaseException]()

        def kill() -> None:
            try:
                while not stop.wait(dice.uniform(0.2, 2.0)):
                    if webs and dice.random() < 0.3:
                        self.web.kill()
                        self.web.start()
                    else:
                        worker = dice.choice(self.workers)
                        worker.close()
                        worker.start()
                    self.kills += 1
            except BaseException as error:
                failed.append(error)

        thread = Thread(target=kill)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        assert failed == []

    # What is done

    def begin(self, people: int) -> None:
        """A company by an imported file, a template, a calendar, and events of the last days."""
        start = now_ms() // 1000 * 1000 - 30 * DAY
        first = [edits.add_unit("acme", "company", None, "艾克米", "Acme", start)]
        for hall in ("D1", "D2"):
            first.append(edits.add_unit(hall, "department", "acme", hall, hall, start))
            first += [edits.add_unit(f"{hall}-{n}", "team", hall, f"{n} 线", f"Line {n}", start) for n in (1, 2)]
        lines = [f"{hall}-{n}" for hall in ("D1", "D2") for n in (1, 2)]
        for number in range(people):
            employee = Employee(f"E{number}", f"Name {number}")
            first.append(edits.hire(employee, ROLES[number % 2], lines[number % len(lines)], start))
        self.people, self.model = people, all_of(*first)(NOBODY)
        done = self.editors[0].upload("company.yaml", yaml_text(self.model).encode())
        assert 303 == done.status_code, done.text[-2_000:]
        self.made["import"] += 1
        text = self.folder / "template.yaml"
        text.write_text(template(YIELD.replace("[day]", "[rolling 60m, shift, day, month]"), applies_to=_ROLES))
        call("templates", "publish", str(text), *self.where[:2])
        self.publish_calendar()
        self.work()

    def work(self) -> None:
        """Events of everybody, of any of the last days."""
        file, now = self.folder / f"events-{time.monotonic_ns()}.ndjson", now_ms()
        events = (
            {
                "event_id": f"{file.stem}-{who}-{n}", "type": "qc.inspection", "employee_id": f"E{who}",
                "source": "aoi", "occurred_at": now - self.dice.randrange(6 * DAY),
                "measures": {"inspected": 10, "accepted": self.dice.randint(5, 10)},
            }
            for who in range(self.people) for n in range(5)
        )  # fmt: skip
        file.write_text("".join(json.dumps(event) + "\n" for event in events))
        call("send", str(file), *self.where[:2])

    def publish_calendar(self) -> None:
        """A next version of the plant's shift calendar, by its page."""
        self.calendar_version += 1
        first = self.calendar_version == 1
        begins = datetime.fromtimestamp(now_ms() / 1000 + (-40 * 86_400 if first else 3_600), UTC)
        text = calendar(
            calendar="plant", version=self.calendar_version, effective_from=begins.isoformat(timespec="seconds"),
            early=f"{self.calendar_version}m",
        )  # fmt: skip
        page = self.editors[0].open("/organisation/calendars")
        done = self.editors[0].send(page, {"text": text, "action": "publish"})
        assert 303 == done.status_code, done.text[-3_000:]
        self.made["publish-calendar"] += 1

    def edit(self) -> None:
        """One more edit, drawn by the dice; made on the model and by a page alike."""
        name, values, edit = self._drawn()
        expected = _after(self.model, edit)
        address = f"/organisation/edit/{name}"
        editor = self.dice.choice(self.editors)
        subject = "unit" if name.endswith(("-unit", "-manager")) else "employee"
        checked = self._patiently(lambda: editor.check(address, values))
        if expected is None:
            assert 400 == checked.status_code, (name, values, checked.text[-3_000:])
            self.refused += 1
            return
        assert 200 == checked.status_code, (name, values, checked.text[-3_000:])
        if 'name="confirm"' not in checked.text:
            assert self.model == expected, (name, values)
            return
        stale = self._patiently(lambda: self.editors[0].check(address, values)) if self.dice.random() < 0.2 else None
        self._confirmed(editor, name, checked.text, f"{subject}:{values[subject]}")
        self.model = expected
        self.made[name] += 1
        if stale is not None and stale.status_code == 200:
            again = self._patiently(lambda: self.editors[0].send(stale.text, {}))
            assert 409 == again.status_code, (name, values, again.text[-3_000:])
            self.stale += 1

    def _confirmed(self, editor: Editor, name: str, page: str, subject: str) -> None:
        """Made, once: where no answer came the audit log says whether it was."""
        while True:
            try:
                done = editor.send(page, {})
            except httpx.HTTPError:
                if self._audited(name) > self.made[name]:
                    return
                until(self.web._answers, lambda: "the web is gone", PATIENCE)
                continue
            assert 303 == done.status_code, (name, subject, done.text[-3_000:])
            return

    def _patiently(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        """An answer, also where the web is killed before it comes: to look twice does no harm."""
        found: list[httpx.Response] = []

        def answered() -> bool:
            try:
                found.append(ask())
            except (httpx.HTTPError, AssertionError):
                return False
            return found[-1].status_code != 503

        until(answered, lambda: found[-1].text[-2_000:] if found else "no answer", PATIENCE)
        return found[-1]

    def _drawn(self) -> tuple[str, dict[str, str], Edit]:
        """The name of a form, its values, and the same edit for the model."""
        dice, now = self.dice, now_ms() // 1000 * 1000
        at = now - dice.choice((0, 0, MINUTE, 3 * HOUR, DAY, 5 * DAY, 12 * DAY))
        when = {"at": _date(at), "at_time": _time(at), "zone": "UTC"}
        who, role, unit = self._somebody(), dice.choice(ROLES), self._unit()
        draw = dice.choices(range(len(_WEIGHTS)), _WEIGHTS)[0]
        place = {"role": role, "unit": unit}
        if draw == 0:
            new = Employee(f"E{self.people}", f"Name {self.people}")
            self.people += 1
            values = {"employee": new.id, "name": new.name, **place, **when}
            return "hire", values, edits.hire(new, role, unit, at)
        if draw == 1:
            return "transfer", {"employee": who, **place, **when}, edits.transfer(who, role, unit, at)
        if draw == 2:
            return "leave", {"employee": who, **when}, edits.leave(who, at)
        if draw == 3:
            return "rehire", {"employee": who, **place, **when}, edits.rehire(who, role, unit, at)
        if draw == 4:
            parent = dice.choice(("D1", "D2", "acme"))
            return "move-unit", {"unit": unit, "parent": parent, **when}, edits.move_unit(unit, parent, at)
        if draw == 5:
            self.units += 1
            name = f"N{self.units}"
            values = {"unit": name, "kind": "team", "parent": "D1", "name_zh": "新", "name_en": name, **when}
            return "add-unit", values, edits.add_unit(name, "team", "D1", "新", name, at)
        if draw == 6:
            return "close-unit", {"unit": unit, **when}, edits.close_unit(unit, at)
        if draw == 7:
            values = {"unit": unit, "employee": who, **when}
            return "set-manager", values, edits.set_manager(unit, who, at)
        return self._corrected(who, role, unit)

    def _corrected(self, who: str, role: str, unit: str) -> tuple[str, dict[str, str], Edit]:
        """One of somebody's assignments is another, or never was."""
        begins = self.dice.choice([row.begins for row in of(self.model.assignments, who)])
        known = {"employee": who, "begins": str(begins)}
        if self.dice.random() < 0.4:
            return "remove", known, edits.remove_assignment(who, begins)
        at = begins - self.dice.choice((0, HOUR, DAY))
        values = {**known, "role": role, "unit": unit, "at": _date(at), "at_time": _time(at), "zone": "UTC"}
        return "correct", values, edits.correct_assignment(who, begins, role, unit, at if at != begins else None)

    def _somebody(self) -> str:
        return str(self.dice.choice(sorted({key[0] for key in self.model.assignments})))

    def _unit(self) -> str:
        """A line that there is now, or, sometimes, one that there is not."""
        now = now_ms()
        lines = [
            unit for (unit,), row in sorted(self.model.units.items())
            if row.kind == "team" and span_at(of(self.model.unit_spans, unit), now) is not None
        ]  # fmt: skip
        return str(self.dice.choice([*lines, "L99"] if self.dice.random() < 0.1 else lines))

    def _audited(self, action: str) -> int:
        with self.records.reading() as connection:
            own = (audit.c.action == action, audit.c.outcome == "done", audit.c.right == RIGHT)
            return connection.execute(select(func.count()).where(*own)).scalar_one()

    # What must hold

    def settle(self) -> None:
        """Everything that was said is in the log, and scored."""
        for worker in self.workers:
            worker.wait_scoring()
        until(lambda: self._waiting() == 0, lambda: f"{self._waiting()} wait", PATIENCE)
        call("status", "--wait-idle", "--timeout", "90", *self.where[:2])

    def _waiting(self) -> int:
        with self.records.reading() as connection:
            return waiting(connection)

    def violations(self) -> list[str]:
        """Everything that is not as it must be; nothing, when all is well."""
        verified = subprocess.run(
            [*COMMAND, "verify", *self.where[:2]], env=environment(), capture_output=True, text=True, timeout=300
        )
        found = [] if verified.returncode == 0 and "0 differences" in verified.stderr else [verified.stderr]
        with self.records.reading() as connection:
            stored = read(connection)
            found += [f"audit: {broken}"] if (broken := verify(connection).broken) else []
            rows = connection.execute(select(outbox).where(outbox.c.topic == PEOPLE_EVENTS)).all()
        found += [f"store: {table}" for table in stored._fields if getattr(stored, table) != getattr(self.model, table)]
        found += [str(breach) for breach in check(stored)]
        found += [
            f"{action}: {self._audited(action)} in the audit log, {number} made"
            for action, number in self.made.items()
            if self._audited(action) != number
        ]
        settings = Settings.load({}, {"broker": self.broker})
        with existing_log(settings) as log:
            found += self._of_log(log, stored, {json.loads(row.value)["event_id"] for row in rows})
        return found

    def _of_log(self, log: Log, stored: Organisation, said: set[str]) -> list[str]:
        """The log has the same organisation: its tree, each assignment at each instant, each event of the outbox."""
        found = [] if rulebook(log).tree.units == tree_of(stored).units else ["the log has another tree of units"]
        held: dict[tuple[str, int], dict[str, str]] = {}
        ids: list[str] = []
        for event in _people_events(log):
            at = parse_rfc3339(event["occurred_at"])
            assert at is not None
            ids.append(event["event_id"])
            held[event["employee_id"], at] = event["dims"]
        if set(ids) != said:
            found.append(f"events: {len(said - set(ids))} lost, {len(set(ids) - said)} from nowhere")
        for (employee, at), dims in held.items():
            row = assignment_at(of(stored.assignments, employee), at)
            expected = {} if row is None or row.unit is None else {"role": row.role, "unit": row.unit}
            found += [f"{employee} at {at}: the log says {dims}, the store {expected}"] if dims != expected else []
        found += [f"{key}: not in the log" for key in stored.assignments if key not in held]
        versions = sorted(entry.calendar.version for entry in calendars(log))
        return found + ([] if versions == list(range(1, self.calendar_version + 1)) else [f"calendars {versions}"])


_WEIGHTS: Final = (3, 6, 2, 2, 2, 1, 1, 1, 3)
_ROLES: Final = "{roles: [operator, tester]}"


def _after(model: Organisation, edit: Edit) -> Organisation | None:
    """What the edit makes of it; None where it makes no sense."""
    try:
        new = edit(model)
    except OrganisationError:
        return None
    return None if check(new) else new


def _people_events(log: Log) -> Iterator[dict[str, Any]]:
    """In the order of the log, partition by partition: one person's are in one."""
    for partition in range(log.topics()[PEOPLE_EVENTS].partitions):
        offset = 0
        while rows := log.read(PEOPLE_EVENTS, partition, offset, 1_000):
            offset = rows[-1][0] + 1
            yield from (json.loads(row[3] or b"") for row in rows)


def _date(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).date().isoformat()


def _time(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).time().isoformat("seconds")


def told(company: Company, seed: object, started: float) -> str:
    """What was done, for whoever reads the test's output."""
    parts: Sequence[object] = (
        f"seed {seed}", f"{sum(company.made.values())} edits {dict(company.made)}", f"{company.refused} refused",
        f"{company.stale} over another's", f"{company.kills} kills", f"{time.monotonic() - started:.1f} s",
    )  # fmt: skip
    return ", ".join(map(str, parts))
