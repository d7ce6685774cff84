"""Alerts of a partition between records: commands are obeyed and time passes at ticks, nowhere else.

A tick says how far it follows the commands, as it does the events: a replay does the same to the same alerts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import chain
from typing import Final, cast

import msgspec

from agents.due import Due
from agents.outbox import dead_letter
from agents.reviews import Reviews
from agents.slices import Slices
from agents.store import Store
from agents.ticks import Tick
from agents.told import alert_record
from agents.transport.log import Log, Outgoing
from agents.unit_commands import passed_on
from schemas.alerts import AlertCommand, AlertReview, AlertRow, UnitVerdict
from schemas.event import Rejection, Row
from schemas.unreadable import UNREADABLE
from stream.lifecycle import Refused, advance, judge, moves, obey, open_rows
from stream.person import Person
from stream.silence import due as silence_due
from stream.silence import hear
from stream.state import has_alert
from stream.topics import COMMANDS
from stream.unit_rules import UNIT

REFUSED: Final = "refused"  # the reason in a dead letter of a command
_OURS: Final = ("alert", "unit-verdict", "alert-review")
_AT_ONCE: Final = 1_000
EACH: Final = 16  # employees, or commands, before others may have the loop
MANY: Final = 1_024  # employees, where it is only asked whether they are looked at


class _Tag(msgspec.Struct, frozen=True, gc=False):
    """What sort of a command it is."""

    command: str


_tag: Final = msgspec.json.Decoder(_Tag)
Command = AlertCommand | UnitVerdict | AlertReview
_command: Final[msgspec.json.Decoder[Command]] = msgspec.json.Decoder(Command)


class Alerting:
    """Of one partition; `person` finds an employee at work, `due` is told when somebody may be silent for too long."""

    def __init__(self, number: int, log: Log, person: Callable[[str], Person], due: Due, store: Store) -> None:
        self._number = number
        self._log = log
        self._person = person
        self._due = due
        self._lately: dict[str, None] = {}  # employees of whom something came since the last tick
        self._fresh: dict[str, None] = {}  # employees with an alert that no tick has seen
        self._raised: set[str] = set()  # employees with an alert since the last commit: no state in the store has it
        self._ahead: list[Row] = []  # commands that are read and not obeyed yet, up to the offset below
        self._read_to = 0
        self.open: dict[str, AlertRow] = {}  # by id, as they stand
        self.news: list[AlertRow] = []  # what was said since somebody has taken it
        self.reviews = Reviews(store)

    def recall(self, employees: Iterable[str]) -> None:
        """After a start: what stands open of those who have an alert; the next tick looks at them again."""
        for employee_id in employees:
            self._fresh[employee_id] = None
            self.open.update((row.alert_id, row) for row in open_rows(self._person(employee_id)))

    def _say(self, row: AlertRow) -> Outgoing:
        if row.cleared_at is None:
            self.open[row.alert_id] = row
            self._raised.update([row.employee_id] if isinstance(row.employee_id, str) else ())
        else:
            self.open.pop(row.alert_id, None)
        self.news.append(row)
        return alert_record(self._number, row)

    def told(self, rows: Iterable[AlertRow]) -> Iterator[Outgoing]:
        """Rows on their way out; the next tick looks at what was raised."""
        for row in rows:
            if isinstance(row.employee_id, str):
                self._fresh[row.employee_id] = None
            yield self._say(row)

    def noticed(self, employees: Iterable[str]) -> None:
        """Something came of them: the next tick looks at their silence."""
        self._lately.update((employee_id, None) for employee_id in employees)

    def ticking(
        self,
        tick: Tick,
        applied: int,
        due: Iterable[str],
        alerted: Container[str],
        silent: bool,
        outputs: list[Outgoing],
        changed: dict[str, Person],
    ) -> Slices:
        """Adds to `outputs` what leaves at a tick, to `changed` who has: commands from `applied` on, time for `due`.

        Looked at are those of them, and of whom something came, who are `alerted`, as of the last commit, or have an
        open alert since. `silent`: all of them, for some rule waits for silence, which begins anew with whatever came.
        """
        for count, row in enumerate(self._commands(applied, tick.follows.get(COMMANDS, 0))):
            found = self._obeyed(row, tick.at, changed)
            if isinstance(found, AlertRow):
                outputs.append(self._say(found))
            elif isinstance(found, AlertCommand):
                outputs.append(passed_on(self._number, row, found.alert_id, tick.at))
            elif isinstance(found, Rejection):
                outputs.append(dead_letter(COMMANDS, self._number, row, found))
            if count % EACH == 0:
                yield
        fresh, self._fresh = self._fresh, {}
        lately, self._lately = self._lately, {}
        looked = dict(fresh)
        raised = self._raised = {
            name for name in self._raised if name not in alerted and has_alert(self._person(name).state)
        }
        for count, name in enumerate(chain(lately, due)):
            if silent or name in alerted or name in raised:
                looked[name] = None
            if count % MANY == 0:
                yield
        for count, employee_id in enumerate(looked):
            person = self._person(employee_id)
            rows = [*hear(person, tick.at), *advance(person, tick.at)]
            if rows:
                changed[employee_id] = person
                outputs.extend(map(self._say, rows))
            self._due.schedule(employee_id, moves(person, tick.at))  # not left to the next update, which may come late
            if silent:
                self._due.schedule(employee_id, silence_due(person, tick.at))
            if count % EACH == 0:
                yield

    def _obeyed(self, row: Row, at: int, changed: dict[str, Person]) -> AlertRow | AlertCommand | Rejection | None:
        """What it gave; a command about a unit's own alert itself, which the units' home obeys."""
        command = _read(row)
        if command is None or isinstance(command, Rejection):
            return command
        if isinstance(command, AlertReview):
            self.reviews.take(command)
            return None
        if isinstance(command, AlertCommand) and command.unit:
            return command
        person = self._person((row.key or b"").decode("utf-8", "replace"))
        if isinstance(command, UnitVerdict):
            found: AlertRow | Refused | None = judge(person, command)
        else:
            found = obey(person, command, row[1] if command.by == UNIT else at)  # a unit's word is of its minute
        if isinstance(found, AlertRow):
            changed[person.id] = person
            if found.notify is None and found.cleared_at is None:
                self._fresh[person.id] = None
        if isinstance(found, Refused):
            by_unit = isinstance(command, AlertCommand) and command.by == UNIT  # it has moved on meanwhile: no fault
            return None if by_unit else Rejection(REFUSED, found.why)
        return found

    async def read_ahead(self, applied: int, end: int) -> None:
        """Reads commands before the tick that follows them up to `end`; in a thread, for a broker may be far."""
        begin = max(applied, self._read_to)
        if begin < end:
            rows = await asyncio.to_thread(lambda: list(self._read(begin, end)))
            self._ahead = [*self._ahead, *rows]  # a tick may have come meanwhile
            self._read_to = end

    def _commands(self, begin: int, end: int) -> list[Row]:
        """From `begin` to `end`: those that are read ahead, then what is missing of them."""
        known = [row for row in self._ahead if begin <= row[0] < end] if self._read_to > begin else []
        self._ahead = [row for row in self._ahead if row[0] >= end]
        return [*known, *self._read(max(begin, self._read_to), end)]

    def _read(self, begin: int, end: int) -> Iterator[Row]:
        while begin < end and (rows := cast("list[Row]", self._log.read(COMMANDS, self._number, begin, _AT_ONCE))):
            begin = rows[-1][0] + 1
            yield from (Row(*row) for row in rows if row[0] < end)


def _read(row: Row) -> Command | Rejection | None:
    """The command in a record; None for one that is not about alerts."""
    try:
        if _tag.decode(row.value or b"").command not in _OURS:
            return None
        return _command.decode(row.value or b"")
    except UNREADABLE as error:
        return Rejection(REFUSED, f"no command: {error}")
