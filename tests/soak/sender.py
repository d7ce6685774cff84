"""A sender as a process of its own: appends batches, and writes down what it tries and what is acknowledged.

`python -m tests.soak.sender FOLDER JOURNAL SEED START STAMPED TOTAL LIFE`. Each record carries (seed, number, life) in
a header, so that the same record sent again in another life is another record. Journal lines: `try FIRST BEHIND LIFE`,
then `ack FIRST BEHIND LIFE`; numbers begin at 1 and are those of the stream.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from agents.transport.embedded.log import EmbeddedLog, Outgoing, pack_headers, unpack_headers
from tests.soak.workload import Sender

HEADER: Final = "soak"


class Span(NamedTuple):
    """Records FIRST..BEHIND - 1 of a stream, in one append of one life."""

    first: int
    behind: int
    life: int


class Journal(NamedTuple):
    """What a sender's journal says. What was tried and not acknowledged may be in the log or not."""

    tried: list[Span]
    acknowledged: list[Span]

    @classmethod
    def read(cls, path: Path) -> Journal:
        """The journal in a file; an empty one where there is none."""
        found = cls([], [])
        for line in path.read_text().splitlines() if path.exists() else ():
            word, *numbers = line.split()
            {"try": found.tried, "ack": found.acknowledged}[word].append(Span(*map(int, numbers)))
        return found

    @property
    def following(self) -> int:
        """The first record that is not acknowledged."""
        return max((span.behind for span in self.acknowledged), default=1)


def marked(record: Outgoing, seed: str, number: int, life: int) -> Outgoing:
    """A record with its mark."""
    return record._replace(headers=pack_headers([(HEADER, f"{seed} {number} {life}".encode())]))


def mark_of(headers: bytes | None) -> tuple[str, int, int] | None:
    """(seed, number, life) of a marked record."""
    found = dict(unpack_headers(headers)).get(HEADER)
    if found is None:
        return None
    seed, number, life = found.decode().split()
    return seed, int(number), int(life)


def stream(seed: str, start: int, stamped: bool, topic: str | None = None) -> Iterator[Outgoing]:
    """The sender's records without marks; of one topic only, where one is named."""
    return (record for record in Sender(seed, start, stamped).records() if topic in (None, record.topic))


def main(folder: str, journal: str, seed: str, start: str, stamped: str, total: str, life: str) -> None:
    """Sends what is left of `total` records."""
    first = Journal.read(Path(journal)).following
    records = islice(stream(seed, int(start), stamped == "1"), first - 1, int(total))
    dice = Random(f"{seed}/{life}/pace")
    descriptor = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    with EmbeddedLog.open(Path(folder), create=False) as log:
        while batch := list(islice(records, dice.choice((1, 5, 20, 100, 300)))):
            span = f"{first} {first + len(batch)} {life}\n".encode()
            outgoing = [marked(record, seed, first + n, int(life)) for n, record in enumerate(batch)]
            os.write(descriptor, b"try " + span)
            log.append(outgoing)
            os.write(descriptor, b"ack " + span)
            first += len(batch)
            time.sleep(dice.random() * 0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
