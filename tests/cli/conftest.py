"""Commands are called as a user calls them: arguments in, exit code and both outputs out."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agents.cli.main import main
from agents.settings import Settings
from agents.topics_setup import ensure_topics
from agents.transport.embedded.log import EmbeddedLog, Outgoing, Part, Record


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    def rows(self) -> list[dict[str, Any]]:
        """The output read as NDJSON."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to be in, and no settings from outside."""
    monkeypatch.chdir(tmp_path)
    for key in list(os.environ):
        if key.startswith("SCORESTREAM_"):
            monkeypatch.delenv(key)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process."""

    def run(*arguments: str, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        code = main(arguments)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def blank_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with all topics and four partitions, to be copied: making one takes many syncs."""
    folder = tmp_path_factory.mktemp("blank") / "log"
    with EmbeddedLog.open(folder) as made:
        ensure_topics(made, Settings.load({}))
    return folder


@pytest.fixture
def log(blank_log: Path, _alone: None) -> Iterator[EmbeddedLog]:
    """The log that commands use here by default, with all topics and four partitions."""
    folder = Settings.load({}).folder
    shutil.copytree(blank_log, folder)
    with EmbeddedLog.open(folder) as opened:
        yield opened


def records(log: EmbeddedLog, topic: str) -> list[tuple[int, Record]]:
    """Every record of a topic with its partition."""
    return [
        (partition, Record(*record))
        for partition in range(log.topics()[topic].partitions)
        for record in log.read(topic, partition, 0, 1_000_000)
    ]


def values(log: EmbeddedLog, topic: str) -> list[bytes | None]:
    """The values of a topic's records, partition by partition."""
    return [record.value for _, record in records(log, topic)]


def as_worker(log: EmbeddedLog, outgoing: Sequence[Outgoing], offsets: dict[tuple[str, int], int]) -> None:
    """What a worker does to the ledger, in one transaction."""
    log.transact([Part(0, outgoing, offsets)])


def event(number: int = 1, **changes: object) -> dict[str, object]:
    """A valid event; `changes` replace fields."""
    return {
        "event_id": f"pol-{number}",
        "type": "qc.inspection",
        "employee_id": "E0261",
        "occurred_at": "2026-03-02T08:15:00+08:00",
        "source": "line-3-aoi",
        "measures": {"inspected": 10, "accepted": 9},
        "dims": {"stage": "semi_finished", "line": "L03"},
        **changes,
    }


def line(number: int = 1, **changes: object) -> bytes:
    """A valid event as a line of NDJSON, with its line end."""
    return json.dumps(event(number, **changes)).encode() + b"\n"
