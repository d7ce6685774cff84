"""What the log holds, as plain values: a record, and the event that a valid record carries."""

from typing import NamedTuple

SECOND = 1000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
MICRO = 1_000_000  # measures are kept as integers of a millionth

INPUT_TOPICS = {"business-events": "business", "qc-events": "qc", "people-events": "people"}


class LogRecord(NamedTuple):
    """One record of a topic partition; `timestamp` (ms) is its log time."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Kind(NamedTuple):
    """What decides which indicators an event enters."""

    type: str
    dims: tuple[tuple[str, str], ...]  # sorted by name


class Event(NamedTuple):
    """A valid event: `at` is occurred_at, `logged_at` log time (ms); `measures` are sorted names with millionths."""

    topic: str
    partition: int
    offset: int
    event_id: str
    employee: str
    source: str
    at: int
    corrects: str | None
    kind: Kind
    measures: tuple[tuple[str, int], ...]
    logged_at: int

    @property
    def content(self) -> tuple[object, ...]:
        """What two records of one identity must share to be duplicates and not a conflict."""
        return (self.kind, self.corrects, self.source, self.measures)
