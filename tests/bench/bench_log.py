"""What the embedded log costs next to bare SQLite with one row per record: `python -m tests.bench.bench_log`.

Both write durably (WAL, synchronous=FULL) and both read tuples of offset, timestamp, key, value and headers; what was
read is compared before anything is printed.
"""

import gc
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from agents.transport.embedded.log import EmbeddedLog, Outgoing

VALUE = bytes(range(256)) + bytes(18)  # 274 bytes, an event's usual size
RECORDS = 400_000
BATCH = 20_000

Row = tuple[int, int, bytes | None, bytes | None, bytes | None]


def key(n: int) -> bytes:
    """One of 10,000 employees."""
    return b"E%05d" % (n % 10_000)


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Bare:
    """SQLite as one would use it at once: a row per record."""

    def __init__(self, folder: Path) -> None:
        self.connection = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        self.connection.execute("CREATE TABLE t (o INTEGER PRIMARY KEY, ts INTEGER, k BLOB, v BLOB, h BLOB)")

    def append(self, first: int, count: int) -> None:
        """One transaction of `count` rows."""
        rows = [(n, n, key(n), VALUE, None) for n in range(first, first + count)]
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)
        self.connection.execute("COMMIT")

    def read(self, start: int, limit: int) -> list[Row]:
        """Rows from `start` on."""
        return self.connection.execute("SELECT * FROM t WHERE o >= ? ORDER BY o LIMIT ?", (start, limit)).fetchall()


class Ours:
    """The same through EmbeddedLog."""

    def __init__(self, folder: Path) -> None:
        self.log = EmbeddedLog.open(folder / "log")
        self.log.create_topic("events", 1)

    def append(self, first: int, count: int) -> None:
        """One append of `count` records."""
        self.log.append([Outgoing("events", 0, n, key(n), VALUE) for n in range(first, first + count)])

    def read(self, start: int, limit: int) -> list[Row]:
        """Records from `start` on."""
        return self.log.read("events", 0, start, limit)  # type: ignore[return-value]  # plain tuples


def appending(side: Bare | Ours, first: int, records: int, batch: int) -> float:
    """Records per second in transactions of `batch`."""
    starts = range(first, first + records, batch)
    return records / timed(lambda: [side.append(start, batch) for start in starts])


def reading(side: Bare | Ours, limit: int) -> float:
    """Records per second of the whole log, best of three."""

    def all_of_it() -> None:
        position = 0
        while found := side.read(position, limit):
            position = found[-1][0] + 1

    return RECORDS / min(timed(all_of_it) for _ in range(3))


def looking_up(side: Bare | Ours) -> float:
    """Single records per second by offset."""
    return 2_000 / timed(lambda: [side.read(n * 199, 1) for n in range(2_000)])


def at_once(folder: Path, processes: int) -> float:
    """Records per second of several processes that append batches of 1,000 at the same moment."""
    program = (
        "import sys; from pathlib import Path; from tests.bench.bench_log import *\n"
        "ours = Ours(Path(sys.argv[1])); print(flush=True); sys.stdin.readline(); appending(ours, 0, 100_000, 1_000)"
    )
    command = [sys.executable, "-c", program, str(folder)]
    pipe = subprocess.PIPE
    running = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(processes)]
    pipes = [(process.stdin, process.stdout) for process in running]
    for _, ready in pipes:
        assert ready is not None
        ready.readline()
    for start, _ in pipes:
        assert start is not None
        start.write("\n")
        start.flush()
    return processes * 100_000 / timed(lambda: [process.communicate() for process in running])


def rows(folder: Path) -> Iterator[tuple[str, float, float | None]]:
    """What is measured, ours per second, bare per second."""
    bare, ours = Bare(folder), Ours(folder)
    yield f"append, {BATCH:,} a transaction", appending(ours, 0, RECORDS, BATCH), appending(bare, 0, RECORDS, BATCH)
    assert ours.read(123_456, 5_000) == bare.read(123_456, 5_000)
    for limit in (20_000, 1_000):
        yield f"read, {limit:,} at once", reading(ours, limit), reading(bare, limit)
    yield "read, 1 by offset", looking_up(ours), looking_up(bare)
    first = RECORDS
    for batch, records in ((1_000, 100_000), (1, 500)):
        name = "append, 1 a transaction" if batch == 1 else f"append, {batch:,} a transaction"
        yield name, appending(ours, first, records, batch), appending(bare, first, records, batch)
        first += records
    yield "version() when idle", 5_000 / timed(lambda: [ours.log.version() for _ in range(5_000)]), None
    for processes in (1, 2):
        yield (
            f"append, 1,000 a transaction, {processes} process{'es' * (processes > 1)}",
            at_once(folder, processes),
            None,
        )


def main() -> None:
    """Measure and print."""
    gc.set_threshold(100_000, 50, 1000)  # as the worker does; a chunk of 20,000 tuples is nothing to search for cycles
    table = Table("", "log /s", "bare SQLite /s", "ratio", title="Embedded log, values of 274 bytes, durable")
    with tempfile.TemporaryDirectory() as folder:
        for name, ours, bare in rows(Path(folder)):
            table.add_row(name, f"{ours:,.0f}", f"{bare:,.0f}" if bare else "", f"{ours / bare:.2f}" if bare else "")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
