"""Alerts of units, and what units tell their members: once per closed minute, by whoever owns the units' home.

What is open is read from the topic at a start, so nothing else has to be remembered. What a unit decides about a member
goes to the member's partition as a command, and is looked at again a minute later: what got lost is said again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from agents.told import alert_record, latest_of
from agents.transport.log import Log, Outgoing, partition_for
from schemas.alerts import AlertCommand, AlertRow, UnitVerdict
from schemas.instants import MINUTE
from stream.lifecycle import FOLD
from stream.pool import Units
from stream.rulebook import Rulebook
from stream.topics import COMMANDS
from stream.unit_rules import UNIT, Cause, causes, over, raised, verdicts

Key = tuple[str, str, str]  # unit, template, indicator
_WHOLE_LINE: Final = "the whole line drifts"
_encoder: Final = msgspec.json.Encoder()


class UnitAlerts:
    """Of all units. `home`: the partition that its rows are in, whose owner this is."""

    def __init__(self, log: Log, home: int, partitions: int) -> None:
        self._home = home
        self._partitions = partitions
        self.open: dict[Key, AlertRow] = {
            (row.unit, row.template, row.indicator): row
            for row in latest_of(log, home).values()
            if row.employee_id is msgspec.UNSET and row.cleared_at is None
        }
        self.commands: list[Outgoing] = []  # to be appended
        self.news: list[AlertRow] = []  # what was said since somebody has taken it
        self._minute = -1  # the last that is closed

    def close(self, units: Units, rules: Rulebook, now: int) -> list[Outgoing]:
        """The rows that leave when a minute has closed by `now` (ms, of ticks), none before that."""
        minute = now // MINUTE
        if minute <= self._minute:
            return []
        self._minute, at = minute, minute * MINUTE
        rows: list[AlertRow] = []
        found = list(causes(units, rules, at))
        for cause in found:
            rows.extend(self._judge(cause, at))
        gone = self.open.keys() - {_key(cause) for cause in found}  # of rules that are in force no more
        rows.extend(over(self.open.pop(key), at) for key in gone)
        for employee_id, verdict in verdicts(units, rules, at):
            self._tell(employee_id, verdict, at)
        self.news.extend(rows)
        return [alert_record(self._home, row) for row in rows]

    def _judge(self, cause: Cause, at: int) -> Iterator[AlertRow]:
        key = _key(cause)
        row = self.open.get(key)
        if row is None and cause.fires:
            row = self.open[key] = raised(cause, at)
            yield row
        elif row is not None and cause.over:
            yield over(self.open.pop(key), at)
            return
        if row is not None:
            for employee_id, alert in cause.every:
                if not alert.folded_into:
                    fold = AlertCommand(alert.alert_id, FOLD, UNIT, _WHOLE_LINE, into=row.alert_id)
                    self._tell(employee_id, fold, at)

    def _tell(self, employee_id: str, command: AlertCommand | UnitVerdict, at: int) -> None:
        key = employee_id.encode()
        value = _encoder.encode(command)
        self.commands.append(Outgoing(COMMANDS, partition_for(key, self._partitions), at, key, value))


def _key(cause: Cause) -> Key:
    return cause.unit, cause.version.key[0], cause.indicator.id
