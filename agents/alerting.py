"""Alerts of a partition between records: commands are obeyed and time passes at ticks, nowhere else.

A tick says how far it follows the commands, as it does the events: a replay does the same to the same alerts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, cast

import msgspec

from agents.outbox import dead_letter
from agents.ticks import Tick
from agents.told import alert_record
from agents.transport.log import Log, Outgoing
from schemas.alerts import AlertCommand, AlertRow
from schemas.event import Rejection, Row
from stream.lifecycle import advance, obey
from stream.person import Person
from stream.topics import COMMANDS

REFUSED: Final = "refused"  # the reason in a dead letter of a command
_ALERT: Final = "alert"
_AT_ONCE: Final = 1_000


class _Tag(msgspec.Struct, frozen=True, gc=False):
    """What sort of a command it is."""

    command: str


_tag: Final = msgspec.json.Decoder(_Tag)
_command: Final = msgspec.json.Decoder(AlertCommand)


class Alerting:
    """Of one partition; `person` finds an employee at work."""

    def __init__(self, number: int, log: Log, person: Callable[[str], Person]) -> None:
        self._number = number
        self._log = log
        self._person = person
        self._fresh: dict[str, None] = {}  # employees with an alert that no tick has seen

    def told(self, rows: Iterable[AlertRow]) -> Iterator[Outgoing]:
        """Rows on their way out; the next tick looks at what was raised."""
        for row in rows:
            if isinstance(row.employee_id, str):
                self._fresh[row.employee_id] = None
            yield alert_record(self._number, row)

    def tick(self, tick: Tick, applied: int, due: Iterable[str]) -> tuple[list[Outgoing], list[Person]]:
        """What leaves at a tick, and who has changed; commands from `applied` on, time for who is `due`."""
        outputs: list[Outgoing] = []
        changed: dict[str, Person] = {}
        for row in self._commands(applied, tick.follows.get(COMMANDS, 0)):
            command = _read(row)
            if isinstance(command, AlertCommand):
                person = self._person((row.key or b"").decode("utf-8", "replace"))
                found = obey(person, command, tick.at)
                if isinstance(found, AlertRow):
                    changed[person.id] = person
                    outputs.append(alert_record(self._number, found))
                else:
                    command = Rejection(REFUSED, found.why)
            if isinstance(command, Rejection):
                outputs.append(dead_letter(COMMANDS, self._number, row, command))
        fresh, self._fresh = self._fresh, {}
        for employee_id in dict.fromkeys((*fresh, *due)):
            person = self._person(employee_id)
            rows = list(advance(person, tick.at))
            if rows:
                changed[employee_id] = person
                outputs.extend(alert_record(self._number, row) for row in rows)
        return outputs, list(changed.values())

    def _commands(self, begin: int, end: int) -> Iterator[Row]:
        while begin < end and (rows := cast("list[Row]", self._log.read(COMMANDS, self._number, begin, _AT_ONCE))):
            begin = rows[-1][0] + 1
            yield from (Row(*row) for row in rows if row[0] < end)


def _read(row: Row) -> AlertCommand | Rejection | None:
    """The command in a record; None for one that is not about alerts."""
    try:
        if _tag.decode(row.value or b"").command != _ALERT:
            return None
        return _command.decode(row.value or b"")
    except msgspec.MsgspecError as error:
        return Rejection(REFUSED, f"no command: {error}")
