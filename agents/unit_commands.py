"""What people do to units' own alerts lies in any partition: the units' home reads it all, and obeys each command once.

How far it has come stands in the home's meta, which leaves in one transaction with what the commands have done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from agents.transport.log import Log, Record, TopicPartition
from schemas.alerts import AlertCommand
from schemas.event import Row
from schemas.unreadable import UNREADABLE
from stream.topics import COMMANDS

_decoder: Final = msgspec.json.Decoder(AlertCommand)


class Heard(NamedTuple):
    """A command about a unit's alert, and the record that it is."""

    partition: int
    row: Row
    command: AlertCommand


class UnitCommands:
    """Of all partitions. `obeyed`: the next offset of each as the last commit has it; it goes on with `take_out`."""

    def __init__(self, log: Log, obeyed: dict[int, int]) -> None:
        places = [(COMMANDS, number) for number in range(log.topics()[COMMANDS].partitions)]
        self._obeyed = obeyed
        self._positions = {n: max(start, obeyed.get(n, 0)) for (_, n), start in log.starts(places).items()}
        self._waiting: list[Heard] = []

    def behind(self, ends: Mapping[TopicPartition, int]) -> Iterator[tuple[int, int]]:
        """The partitions that have more to read, and where."""
        for number, position in self._positions.items():
            if position < ends.get((COMMANDS, number), 0):
                yield number, position

    def take(self, partition: int, rows: Sequence[Record], end: int) -> None:
        """Records, in the order of the log, from where it stands; none: nothing is left up to `end`."""
        for row in rows:
            command = _about_a_unit(row[3])
            if command is not None:
                self._waiting.append(Heard(partition, Row(*row), command))
        self._positions[partition] = rows[-1][0] + 1 if rows else end

    def take_out(self) -> list[Heard]:
        """All that wait. They count as obeyed: what they do has to leave with the meta."""
        self._obeyed.update(self._positions)
        waiting, self._waiting = self._waiting, []
        return waiting


def _about_a_unit(value: bytes | None) -> AlertCommand | None:
    """The command in a record; None for any other, which the partition's owner answers (agents/alerting.py)."""
    try:
        command = _decoder.decode(value or b"")
    except UNREADABLE:
        return None
    return command if command.unit else None
