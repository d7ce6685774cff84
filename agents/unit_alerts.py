"""Alerts of units, and what units tell their members: once per closed minute, by whoever owns the units' home.

What is open is read from the topic at a start; what people did besides stands in the home's meta. What a unit decides
about a member goes to the member's partition as a command, and is looked at again a minute later: what got lost is said
again. What people do to a unit's alert is done at the next commit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from agents.alerting import REFUSED
from agents.outbox import dead_letter
from agents.told import alert_record, latest_of
from agents.transport.log import Log, Outgoing, partition_for
from agents.unit_commands import UnitCommands
from schemas.alerts import CLEARED, AlertCommand, AlertRow, UnitVerdict
from schemas.event import Rejection
from schemas.instants import MINUTE
from stream.lifecycle import FOLD, Refused
from stream.meta import Handled
from stream.pool import Units
from stream.rulebook import Rulebook
from stream.topics import COMMANDS
from stream.unit_life import advance_unit, obey_unit
from stream.unit_rules import UNIT, Cause, causes, escalation, over, raised, verdicts

Key = tuple[str, str, str]  # unit, template, indicator
_WHOLE_LINE: Final = "the whole line drifts"
_encoder: Final = msgspec.json.Encoder()


class UnitAlerts:
    """Of all units. `home`: the partition that its rows are in, whose owner this is; `handled` is in its meta."""

    def __init__(self, log: Log, home: int, partitions: int, handled: Handled) -> None:
        self._home = home
        self._partitions = partitions
        self.open: dict[Key, AlertRow] = {
            (row.unit, row.template, row.indicator): row
            for row in latest_of(log, home).values()
            if row.employee_id is msgspec.UNSET and row.cleared_at is None
        }
        self._quiet = handled.quiet
        self.heard = UnitCommands(log, handled.obeyed)
        self.commands: list[Outgoing] = []  # to be appended
        self.news: list[AlertRow] = []  # what was said since somebody has taken it
        self._minute = -1  # the last that is closed

    def close(self, units: Units, rules: Rulebook, now: int) -> list[Outgoing]:
        """What leaves by `now` (ms, of ticks): what people did, and what is decided when a minute has closed."""
        said = list(self._obeyed(now))
        minute = now // MINUTE
        if minute > self._minute:
            self._minute, at = minute, minute * MINUTE
            said.extend(self._say(row) for row in list(self._decided(units, rules, at)))
            for employee_id, verdict in verdicts(units, rules, at):
                self._tell(employee_id, verdict, at)
        return said

    def _say(self, row: AlertRow) -> Outgoing:
        self.news.append(row)
        return alert_record(self._home, row)

    def _obeyed(self, at: int) -> Iterator[Outgoing]:
        for number, record, command in self.heard.take_out():
            row = next((row for row in self.open.values() if row.alert_id == command.alert_id), None)
            found = obey_unit(row, command, at)
            if isinstance(found, Refused):
                yield dead_letter(COMMANDS, number, record, Rejection(REFUSED, found.why))
                continue
            key = found.unit, found.template, found.indicator
            self.open[key] = found
            if found.state == CLEARED:
                del self.open[key]
                self._quiet.append(key)  # until its condition was over once
            yield self._say(found)

    def _decided(self, units: Units, rules: Rulebook, at: int) -> Iterator[AlertRow]:
        found = list(causes(units, rules, at))
        for cause in found:
            yield from self._judge(cause, at)
        known = {_key(cause) for cause in found}
        for key in self.open.keys() - known:  # of rules that are in force no more
            yield over(self.open.pop(key), at)
        self._quiet[:] = [key for key in self._quiet if key in known]
        for key, row in self.open.items():
            passed = advance_unit(row, at, escalation(rules, row))
            if passed is not None:
                self.open[key] = passed
                yield passed

    def _judge(self, cause: Cause, at: int) -> Iterator[AlertRow]:
        key = _key(cause)
        row = self.open.get(key)
        if key in self._quiet:
            if cause.over:
                self._quiet.remove(key)
        elif row is None and cause.fires:
            row = self.open[key] = raised(cause, at)
            yield row
        elif row is not None and cause.over:
            yield over(self.open.pop(key), at)
            row = None
        into = "" if row is None else row.alert_id
        for employee_id, alert in cause.every:
            if alert.folded_into != into:  # who still drifts when the line works again is told of by themselves
                self._tell(employee_id, AlertCommand(alert.alert_id, FOLD, UNIT, _WHOLE_LINE, into=into), at)

    def _tell(self, employee_id: str, command: AlertCommand | UnitVerdict, at: int) -> None:
        key = employee_id.encode()
        value = _encoder.encode(command)
        self.commands.append(Outgoing(COMMANDS, partition_for(key, self._partitions), at, key, value))


def _key(cause: Cause) -> Key:
    return cause.unit, cause.version.key[0], cause.indicator.id
