"""A template version enters the log once and never changes: a publisher holds a lock from the check to the append.

Without it two processes could both find the version free; compaction would then keep the second text under the
first one's number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, NamedTuple, TypeVar

from agents.rules import calendars, models, publications
from agents.transport.log import Append, Log, LogBusy, Outgoing, Record, partition_for
from stream.case_mix import model_key, read_model
from stream.shift_calendar import CalendarReport, ShiftCalendar, check_calendar
from stream.template import Problem, Report, Template, check
from stream.topics import TEMPLATES

_LOCK: Final = "publishing"
_AT_ONCE: Final = 1_000
_PAUSES: Final = (0.1, 0.4, 1.5)  # s: people publish, and workers what they have learned
Result = TypeVar("Result")


def _in_turn(work: Callable[[], Result]) -> Result:
    """Whoever came while another one was at it had nothing written, and tries again."""
    for pause in _PAUSES:
        try:
            return work()
        except LogBusy:
            time.sleep(pause)
    return work()


class PublicationRefused(Exception):
    """The text is no template, or may not be published now; `report` has every error."""

    def __init__(self, report: Report) -> None:
        super().__init__("\n".join(map(str, report.errors)))
        self.report = report


class Published(NamedTuple):
    """What was published, when (ms), and what the check had to say besides."""

    template: Template
    at: int
    report: Report


class CalendarRefused(Exception):
    """The text is no shift calendar, or may not be published now; `report` has every error."""

    def __init__(self, report: CalendarReport) -> None:
        super().__init__("\n".join(map(str, report.errors)))
        self.report = report


class PublishedCalendar(NamedTuple):
    """Which calendar was published, when (ms), and what the check had to say besides."""

    calendar: ShiftCalendar
    at: int
    report: CalendarReport


def publish(log: Log, text: str, now: int) -> Published:
    """Append a template version to the log, at `now` (ms). PublicationRefused when it breaks a rule (contract, 3)."""
    return _in_turn(lambda: _publish(log, text, now))


def _publish(log: Log, text: str, now: int) -> Published:
    with log.alone(_LOCK) as append:
        found = publications(log)
        report = check(text, published=[entry.template for entry in found], published_at=now)
        template = report.template
        if template is None:
            raise PublicationRefused(report)
        key = template_key(template)
        if _is_taken(log, key):
            raise PublicationRefused(replace(report, errors=(_taken(template.version),), template=None))
        partition = partition_for(key, log.topics()[TEMPLATES].partitions)
        append([Outgoing(TEMPLATES, partition, now, key, text.encode())])
    return Published(template, now, report)


def publish_calendar(log: Log, text: str, now: int) -> PublishedCalendar:
    """Append a version of a shift calendar, at `now` (ms). CalendarRefused when it breaks a rule."""
    return _in_turn(lambda: _publish_calendar(log, text, now))


def _publish_calendar(log: Log, text: str, now: int) -> PublishedCalendar:
    with log.alone(_LOCK) as append:
        report = check_calendar(text, published=[entry.calendar for entry in calendars(log)], published_at=now)
        calendar = report.calendar
        if calendar is None:
            raise CalendarRefused(report)
        key = calendar.key.encode()
        if _is_taken(log, key):
            raise CalendarRefused(replace(report, errors=(_taken(calendar.version),), calendar=None))
        append([Outgoing(TEMPLATES, partition_for(key, log.topics()[TEMPLATES].partitions), now, key, text.encode())])
    return PublishedCalendar(calendar, now, report)


def append_model(log: Log, template: str, indicator: str, number: int, value: bytes, now: int) -> str | None:
    """Append a case mix model, at `now` (ms): its key; None when its number is not the next one any more."""
    return _in_turn(lambda: _append_model(log, template, indicator, number, value, now))


def _append_model(log: Log, template: str, indicator: str, number: int, value: bytes, now: int) -> str | None:
    with log.alone(_LOCK) as append:
        known = (one.model for one in models(log))
        numbers = [model.number for model in known if (model.template, model.indicator) == (template, indicator)]
        if number != max(numbers, default=0) + 1:
            return None
        key = model_key(template, indicator, number)
        raw = key.encode()
        read_model(raw, value)  # what is said is what is read
        append([Outgoing(TEMPLATES, partition_for(raw, log.topics()[TEMPLATES].partitions), now, raw, value)])
    return key


@contextmanager
def moving(log: Log) -> Iterator[tuple[Append, Callable[[Outgoing], str | None]]]:
    """The publisher's lock, for records of another log's `templates`: what appends them, and what is wrong with one.

    A record under a key that is taken would replace the other at the next compaction, its time included; one without
    a value would take the version away.
    """
    with log.alone(_LOCK) as append:
        known = {record[2]: (record[1], record[3]) for record in _records(log)}

        def wrong(record: Outgoing) -> str | None:
            if record.value is None:
                return f"key {record.key!r}: no value; a published version is never taken back"
            if known.setdefault(record.key, (record.timestamp, record.value)) != (record.timestamp, record.value):
                return f"key {record.key!r}: is published already with another text or time; a version never changes"
            return None

        yield append, wrong


def is_published(log: Log, text: str) -> bool:
    """Whether this very text is in the log: then publishing it again is not needed."""
    return any(entry.template.text == text for entry in publications(log))


def is_published_calendar(log: Log, text: str) -> bool:
    """The same of a shift calendar."""
    return any(entry.calendar.text == text for entry in calendars(log))


def template_key(template: Template) -> bytes:
    """The key of a version in the log: `id@version`."""
    return f"{template.template}@{template.version}".encode()


def _records(log: Log) -> Iterator[Record]:
    """All of them, also those that broke a rule and have no effect: their number is taken."""
    for partition in range(log.topics()[TEMPLATES].partitions):
        start = 0
        while records := log.read(TEMPLATES, partition, start, _AT_ONCE):
            yield from records
            start = records[-1][0] + 1


def _is_taken(log: Log, key: bytes) -> bool:
    return key in {record[2] for record in _records(log)}


def _taken(version: int) -> Problem:
    return Problem(1, "version", str(version), "is taken by a record without effect", f"write {version + 1}")
