"""All that an invariant is checked against: the log, what the oracle makes of it, and what became of each record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from agents.comparing import decided
from agents.limits import limits_of
from agents.oracle.admission import Admission, Limits
from agents.oracle.event import Rejected, read_event
from agents.oracle.log import LogRecord
from agents.oracle.recompute import recompute
from agents.query import Committed, committed
from agents.settings import Settings
from agents.transport.log import Log, Record
from stream.topics import COMMANDS, INPUTS, TEMPLATES, TICKS
from tests.soak.units import UnitOracle

Place = tuple[str, int, int]  # topic, partition, offset


class Evidence:
    """Of a log that is drained: every record of it is processed and committed."""

    def __init__(self, log: Log, settings: Settings) -> None:
        self.log = log
        self.limits = limits_of(settings)
        self.partitions = log.topics()[TICKS].partitions
        self.records = {
            (topic, number, record[0]): record
            for topic in INPUTS
            for number in range(self.partitions)
            for record in whole(log, topic, number)
        }
        self.look_again()
        self.decided = decided(log, self.known.metas)  # the oracle reads the log after that
        limits = self.limits
        self.oracle = recompute(
            self._log_records(), partitions=self.partitions, late_ms=limits.late, horizon_ms=limits.horizon,
            correction_ms=limits.correction, held_ms=limits.held,
        )  # fmt: skip
        self.units = UnitOracle(self.oracle)
        self.rejected: dict[Place, str] = {}
        self.late: set[Place] = set()
        self._admit()

    def look_again(self) -> None:
        """The states of the newest commits."""
        self.known: Committed = committed(self.log)

    def _log_records(self) -> Iterator[LogRecord]:
        for topic in (TEMPLATES, *INPUTS, TICKS, COMMANDS):
            for number in range(self.partitions):
                for offset, timestamp, key, value, _ in whole(self.log, topic, number):
                    yield LogRecord(topic, number, offset, timestamp, key, value)

    def _admit(self) -> None:
        limits = self.limits
        everybody = self.oracle._people.values()
        kept = {(event.topic, event.partition, event.offset) for person in everybody for event in person.events}
        admission = Admission(Limits(limits.late, limits.horizon, limits.correction))
        for (topic, number, offset), (_, timestamp, key, value, _) in self.records.items():
            record = LogRecord(topic, number, offset, timestamp, key, value)
            try:
                outcome = admission.outcome(read_event(record, self.partitions), timestamp)
                if outcome == "late" or (outcome is None and (topic, number, offset) not in kept):
                    self.late.add((topic, number, offset))  # at once, or after it was held for too long
            except Rejected as rejected:
                self.rejected[topic, number, offset] = rejected.reason


def whole(log: Log, topic: str, partition: int) -> Iterator[Record]:
    """Every record that a partition holds."""
    offset = 0
    while records := log.read(topic, partition, offset, 20_000):
        offset = records[-1][0] + 1
        yield from records


def settings_of(folder: Path) -> Settings:
    """The settings of the soak's processes."""
    return Settings.load({"SCORESTREAM_BROKER": f"embedded://{folder}"})
