"""A template version enters the log once and never changes: a publisher holds a lock from the check to the append.

Without it two processes could both find the version free; compaction would then keep the second text under the
first one's number.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from agents.rules import publications
from agents.transport.log import Log, Outgoing, partition_for
from stream.template import Problem, Report, Template, check
from stream.topics import TEMPLATES

_LOCK: Final = "publishing"
_AT_ONCE: Final = 1_000


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


def publish(log: Log, text: str, now: int) -> Published:
    """Append a template version to the log, at `now` (ms). PublicationRefused when it breaks a rule (contract, 3)."""
    with log.alone(_LOCK) as append:
        found = publications(log)
        report = check(text, published=[entry.template for entry in found], published_at=now)
        template = report.template
        if template is None:
            raise PublicationRefused(report)
        key = template_key(template)
        if key in _keys(log):
            raise PublicationRefused(replace(report, errors=(_taken(template),), template=None))
        partition = partition_for(key, log.topics()[TEMPLATES].partitions)
        append([Outgoing(TEMPLATES, partition, now, key, text.encode())])
    return Published(template, now, report)


def is_published(log: Log, text: str) -> bool:
    """Whether this very text is in the log: then publishing it again is not needed."""
    return any(entry.template.text == text for entry in publications(log))


def template_key(template: Template) -> bytes:
    """The key of a version in the log: `id@version`."""
    return f"{template.template}@{template.version}".encode()


def _keys(log: Log) -> set[bytes | None]:
    """Keys of all records, also of those that broke a rule and have no effect: their number is taken."""
    keys: set[bytes | None] = set()
    for partition in range(log.topics()[TEMPLATES].partitions):
        start = 0
        while records := log.read(TEMPLATES, partition, start, _AT_ONCE):
            keys.update(record[2] for record in records)
            start = records[-1][0] + 1
    return keys


def _taken(template: Template) -> Problem:
    number = str(template.version)
    return Problem(1, "version", number, "is taken by a record without effect", f"write {template.version + 1}")
