"""Alerts of units, and what units tell their members: once per closed minute, by whoever owns the units' home.

What is open is read from the topic at a start; which minute was the last, what people did and what members were told
stands in the home's state. All of it follows from what partitions have written: whoever does it again does the same.
What a unit decides about a member goes to the member's partition as a command, before the commit that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from agents.alerting import REFUSED
from agents.outbox import dead_letter
from agents.rules import rulebook
from agents.told import alert_record, latest_of
from agents.transport.log import Log, Outgoing, partition_for
from agents.unit_commands import ordered
from agents.unit_memory import UnitMemory
from agents.unit_minutes import Ordered, UnitMinutes
from schemas.alerts import CLEARED, AlertCommand, AlertRow, UnitVerdict
from schemas.event import Rejection
from schemas.shares import MinuteClosed
from stream.lifecycle import FOLD, Refused
from stream.meta import Handled
from stream.rulebook import Rulebook
from stream.topics import COMMANDS
from stream.unit_gaps import judge_gaps, told_before
from stream.unit_life import advance_unit, obey_unit
from stream.unit_rules import UNIT, Cause, causes, escalation, over, raised

Key = tuple[str, str, str]  # unit, template, indicator
_WHOLE_LINE: Final = "the whole line drifts"
_encoder: Final = msgspec.json.Encoder()


class UnitAlerts:
    """Of all units. `home`: the partition that its rows are in, whose owner this is; `handled` is in its meta.

    `kept`: what that partition's state has of what members were told.
    """

    def __init__(
        self, log: Log, home: int, partitions: int, handled: Handled, kept: Iterable[tuple[bytes, bytes]]
    ) -> None:
        self._log = log
        self._home = home
        self._partitions = partitions
        self.open: dict[Key, AlertRow] = {
            (row.unit, row.template, row.indicator): row
            for row in latest_of(log, home).values()
            if row.employee_id is msgspec.UNSET and row.cleared_at is None
        }
        self._obeyed_to = handled.obeyed
        self._quiet = handled.quiet
        self._first = handled.minute < 0  # no minute was decided yet: what members know is told by their alerts
        self.memory = UnitMemory(kept)
        self.minutes = UnitMinutes(log, handled)
        self.commands: list[Outgoing] = []  # to be appended
        self.news: list[AlertRow] = []  # what was said since somebody has taken it
        self._rules: Rulebook | None = None  # of a minute that did not know the newest

    def close(self, rules: Rulebook) -> list[Outgoing]:
        """What leaves, as far as partitions have written: what people did, and what is decided of closed minutes."""
        said: list[Outgoing] = []
        for step in self.minutes.steps():
            if isinstance(step, Ordered):
                said.extend(self._obeyed(step))
            else:
                said.extend(self._minute(step, self._known(step, rules)))
        return said

    def _known(self, minute: MinuteClosed, rules: Rulebook) -> Rulebook:
        """The rules that a minute is decided under: what was published since counts in the next one."""
        if minute.knows is None or minute.knows == rules.ends:
            return rules
        if self._rules is None or self._rules.ends != minute.knows:
            self._rules = rulebook(self._log, minute.at, minute.knows)
        return self._rules

    def _minute(self, minute: MinuteClosed, rules: Rulebook) -> Iterator[Outgoing]:
        units, at = self.minutes.units, minute.at
        if self._first:
            self._first = False
            self._remember()
        for row in list(self._decided(rules, at)):
            yield self._say(row)
        for judged in list(judge_gaps(units, rules, at, self.memory.lags)):
            self.memory.lag(judged.employee_id, judged.lags)
            for verdict in judged.verdicts:
                self._tell(judged.employee_id, verdict, at)

    def _remember(self) -> None:
        """Of a log in which units spoke before minutes were decided: what they said last."""
        units = self.minutes.units
        for member in (member for unit in units.names() for member in units.members(unit)):
            if lags := told_before(member.alerts):
                self.memory.lag(member.employee_id, lags)
            for alert in (alert for alert in member.alerts if alert.folded_into):
                self.memory.fold(member.employee_id, alert.alert_id, alert.folded_into)

    def _say(self, row: AlertRow) -> Outgoing:
        self.news.append(row)
        return alert_record(self._home, row)

    def _obeyed(self, step: Ordered) -> Iterator[Outgoing]:
        record, command = ordered(step)
        if record.offset < self._obeyed_to.get(step.partition, 0):  # by the last commit, or one before
            return
        self._obeyed_to[step.partition] = record.offset + 1
        row = next((row for row in self.open.values() if row.alert_id == command.alert_id), None)
        found = obey_unit(row, command, step.order.at)
        if isinstance(found, Refused):
            yield dead_letter(COMMANDS, step.partition, record, Rejection(REFUSED, found.why))
            return
        key = found.unit, found.template, found.indicator
        self.open[key] = found
        if found.state == CLEARED:
            del self.open[key]
            self._quiet.append(key)  # until its condition was over once
        yield self._say(found)

    def _decided(self, rules: Rulebook, at: int) -> Iterator[AlertRow]:
        found = list(causes(self.minutes.units, rules, at))
        for cause in found:
            yield from self._judge(cause, at)
        known = {_key(cause) for cause in found}
        for key in sorted(self.open.keys() - known):  # of rules that are in force no more
            yield over(self.open.pop(key), at)
        self._quiet[:] = [key for key in self._quiet if key in known]
        named = {alert.alert_id for cause in found for _, alert in cause.every}
        for employee_id, alert_id in self.memory.forget_all_but(named):
            if any(alert.alert_id == alert_id for alert in self.minutes.units.alerts(employee_id)):
                self._fold(employee_id, alert_id, "", at)  # they belong where nobody looks at it
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
            # Who still drifts afterwards stands alone again.
            if self.memory.folded(employee_id, alert.alert_id) != into:
                self.memory.fold(employee_id, alert.alert_id, into)
                self._fold(employee_id, alert.alert_id, into, at)

    def _fold(self, employee_id: str, alert_id: str, into: str, at: int) -> None:
        self._tell(employee_id, AlertCommand(alert_id, FOLD, UNIT, _WHOLE_LINE, into=into), at)

    def _tell(self, employee_id: str, command: AlertCommand | UnitVerdict, at: int) -> None:
        key = employee_id.encode()
        value = _encoder.encode(command)
        self.commands.append(Outgoing(COMMANDS, partition_for(key, self._partitions), at, key, value))


def _key(cause: Cause) -> Key:
    return cause.unit, cause.version.key[0], cause.indicator.id
