"""A real log behind the pages: events that were scored, what was published of them, and the evidence to look into."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

from agents.limits import limits_in_force
from agents.records.database import open_records
from agents.settings import Settings
from agents.transport.embedded.log import EmbeddedLog
from agents.views.conflate import Published
from dashboards.web.desk import Desk
from dashboards.web.evidence import Evidence
from stream.topics import ALERTS, SCORE_UPDATES, TEMPLATES, TICKS, UNIT_UPDATES
from tests.cli.scored import TEMPLATE, append, inspection, output, score, work


def day_of_work(folder: Path, template: str = TEMPLATE, employee: str = "E0001") -> None:
    """Two inspections, a correction and an output of one person, and somebody else's, scored and published."""
    corrects = {"corrects": "q2"}
    append(
        folder,
        [
            inspection("q1", employee, "2026-03-02T09:00:00Z", 40, 39),
            inspection("q2", employee, "2026-03-02T10:00:00Z", 40, 38),
            inspection("c1", employee, "2026-03-02T10:00:00Z", 0, -1, **corrects),
            output("o1", employee, "2026-03-02T11:00:00Z", 45),
            inspection("x1", "E0002", "2026-03-02T11:30:00Z", 50, 49),
        ],
        template=template,
    )
    with ThreadPoolExecutor(max_workers=1) as beside:  # a test in a browser has a loop of its own here
        beside.submit(score, folder).result()
        beside.submit(work, folder).result()


def published(folder: Path) -> Iterator[Published]:
    """What the worker published, as a projection reads it."""
    with closing(EmbeddedLog.open(folder)) as log:
        for topic in (TEMPLATES, SCORE_UPDATES, UNIT_UPDATES, ALERTS, TICKS):
            for number in range(log.topics()[topic].partitions):
                for _, at, key, value, _ in log.read(topic, number, 0, 100_000):
                    yield Published(topic, number, at, key or b"", value)


def evidence_of(folder: Path, **options: Any) -> Evidence:
    """The evidence of an embedded log; it need not be there."""
    settings = Settings.load({})

    def opened() -> AbstractContextManager[EmbeddedLog]:
        return closing(EmbeddedLog.open(folder, create=False))

    return Evidence(opened, lambda log: limits_in_force(log, settings), **options)


def desk_of(folder: Path) -> Desk:
    """Records in a file."""
    return Desk(lambda: open_records(f"sqlite:///{folder / 'records.sqlite'}"))
