"""Programs that the tests run, and kill, in processes of their own: `python -m tests.transport.processes NAME ARGS`."""

import asyncio
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.transport.embedded.log import EmbeddedLog, FolderLock, Outgoing, Part

BATCH = 25


def say(*words: object) -> None:
    """One line to the parent, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def append_batches(folder: str, name: str, batches: str) -> None:
    """Append batches of BATCH records `name:batch:index`; after each, say which batch and its first offset."""
    with EmbeddedLog.open(Path(folder)) as log:
        log.create_topic("events", 2)
        for batch in range(int(batches)) if int(batches) else itertools.count():
            values = [b"%s:%d:%d" % (name.encode(), batch, index) for index in range(BATCH)]
            offsets = log.append([Outgoing("events", 0, 0, b"k", value) for value in values])
            say(batch, offsets[0])


def transact_forever(folder: str) -> None:
    """Commit, in one transaction each, a state and an output that carry the offset committed with them."""
    with EmbeddedLog.open(Path(folder)) as log:
        for topic in ("state", "outputs"):
            log.create_topic(topic, 1, ledger=True)
        for offset in itertools.count(log.committed().get(("events", 0), 0) + 1):
            records = [Outgoing(topic, 0, 0, b"k", b"%d" % offset) for topic in ("state", "outputs")]
            log.transact([Part(0, records, {("events", 0): offset})])
            say(offset)


def append_timed(folder: str, records: str, every_s: str) -> None:
    """Append single records, spaced out, whose timestamp is the moment before the append."""
    with EmbeddedLog.open(Path(folder)) as log:
        for _ in range(int(records)):
            log.append([Outgoing("events", 0, time.time_ns() // 1_000_000, b"k", b"v")])
            time.sleep(float(every_s))


def own(folder: str) -> None:
    """Hold the folder's lock until killed."""
    lock = FolderLock.acquire(Path(folder))
    say("owner")
    asyncio.run(asyncio.Event().wait())
    lock.release()


@contextmanager
def running(name: str, *args: object) -> Iterator[subprocess.Popen[str]]:
    """One of the programs above; killed at the end."""
    command = [sys.executable, "-m", "tests.transport.processes", name, *map(str, args)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[str]) -> Iterator[list[str]]:
    """What the process says, line by line, in words; a line that was cut off by the kill is left out."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith("\n"):
            yield line.split()


PROGRAMS = {program.__name__: program for program in (append_batches, transact_forever, append_timed, own)}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
