"""Senders as processes that may be killed: each goes on behind its last acknowledged record, until it is done."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from agents.cli.raw_records import to_line
from agents.transport.embedded.log import Outgoing, Record
from tests.soak.processes import COMMAND, Violation, environment
from tests.soak.sender import Journal, Span, marked, stream

LIVES: Final = 6  # one more than it is ever killed
PATIENCE: Final = 120.0  # s


@dataclass
class SenderProcess:
    """`total` records of a stream through the library; with a `topic`, that topic's through `scorestream send`."""

    folder: Path
    seed: str
    start: int
    total: int
    stamped: bool = False
    topic: str | None = None
    lives: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def journal(self) -> Path:
        """Where it writes down what was tried and acknowledged."""
        return self.folder.with_name(f"{self.folder.name}.senders") / self.seed

    def records(self) -> Iterator[Outgoing]:
        """All of its records, without marks."""
        return islice(stream(self.seed, self.start, self.stamped, self.topic), self.total)

    def begin(self) -> None:
        """Another life."""
        self.journal.parent.mkdir(exist_ok=True)
        life, self.lives = self.lives, self.lives + 1
        if self.topic is not None:
            return self._begin_command(life, self.topic)
        arguments = (self.folder, self.journal, self.seed, self.start, int(self.stamped), self.total, life)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.sender", *map(str, arguments)], env=environment(), start_new_session=True
        )
        return None

    def _begin_command(self, life: int, topic: str) -> None:
        first = Journal.read(self.journal).following
        lines = self.journal.with_suffix(".ndjson")
        with lines.open("wb") as output:
            for number, record in enumerate(islice(self.records(), first - 1, None), first):
                output.write(_line(marked(record, self.seed, number, life)) + b"\n")
        self._write("try", Span(first, self.total + 1, life))
        self.process = subprocess.Popen(
            [*COMMAND, "send", str(lines), "--raw-records", "--topic", topic, "--broker", f"embedded://{self.folder}"],
            env=environment(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _write(self, word: str, span: Span) -> None:
        with self.journal.open("a") as journal:
            journal.write(" ".join(map(str, (word, *span))) + "\n")

    def kill(self) -> None:
        """SIGKILL; a process that had done its work already has done it."""
        if self.process is not None:
            self.process.kill()
            self._ended()

    def finish(self) -> None:
        """Until everything is acknowledged."""
        while self.process is None or not self._ended():
            if self.lives == LIVES:
                raise Violation(f"sender {self.seed}: not done after {self.lives} lives")
            self.begin()

    def _ended(self) -> bool:
        """Waits for the end of the process; whether all is acknowledged."""
        assert self.process is not None
        code = self.process.wait(PATIENCE)
        known = Journal.read(self.journal)
        if self.topic is not None and code == 0 and known.following <= self.total:
            self._write("ack", known.tried[-1])
            known = Journal.read(self.journal)
        return known.following == self.total + 1


def _line(record: Outgoing) -> bytes:
    """The record as `send --raw-records` takes it."""
    _, partition, timestamp, key, value, headers = record
    fields = json.loads(to_line(Record(0, timestamp, key, value, headers), partition))
    del fields["offset"]
    return json.dumps(fields).encode()
