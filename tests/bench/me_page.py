"""`python -m tests.bench.me_page`: many people open `/me` each second; how long each of them waits.

A web process as `scorestream web` starts it serves 10,000 people who are signed in, from views and records in a
folder. Requests start when they are due, whether or not
earlier ones were answered, and time counts from then on: a server that falls behind shows in every figure.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp

from agents.records.database import open_records
from dashboards.web.cookies import SESSION
from dashboards.web.server import run
from tests.bench.me_site import fill, secret_of, store
from tests.web.serving import _free_port
from tests.web.shelf import Shelf

WARMING: Final = 20  # pages before anything is timed: templates are read, formulas compiled
REFERENCE: Final = 0.56  # ms
SHARES: Final = (50, 90, 99, 99.9, 100)


def main() -> int:
    """Prints the figures; 1 when a request failed or p99 is above the limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.me_page", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=200.0, help="requests per second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--warm", type=float, default=5.0, help="seconds before that, which do not count")
    parser.add_argument("--limit", type=float, default=200.0, help="ms that p99 may take")
    parser.add_argument("--serve", nargs=2, metavar=("FOLDER", "PORT"), help=argparse.SUPPRESS)
    parser.add_argument("--smoke", action="store_true", help="few people, a few seconds: whether it works at all")
    given = parser.parse_args()
    if given.smoke:
        given.people, given.rate, given.seconds, given.warm, given.limit = 60, 20.0, 2.0, 0.5, 60_000.0
    if given.serve:
        return serve(Path(given.serve[0]), int(given.serve[1]))
    with tempfile.TemporaryDirectory(prefix="scorestream-me-") as folder:
        fill(Path(folder), given.people)
        with server(Path(folder)) as (process, url):
            return asyncio.run(measure(url, process, given))


def serve(folder: Path, port: int) -> int:
    """The web process, until it is ended."""
    opened = partial(open_records, store(folder))
    return run(Shelf(folder).reader(), "127.0.0.1", port, None, records=opened, accounts=opened())


@contextmanager
def server(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A web process that answers; ended by its id."""
    port = _free_port()
    command = [sys.executable, "-m", "tests.bench.me_page", "--serve", str(folder), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


class Opened(NamedTuple):
    """What opening pages gave: ms that each took from when it was due, CPU ms of the web process a page by second."""

    waits: list[float]
    failed: list[str]
    cpu: list[float]
    average: float


async def open_pages(url: str, process: subprocess.Popen[bytes], given: argparse.Namespace) -> Opened:
    """Opens pages at the rate, each person's in their own browser."""
    chance, found = random.Random(7), Opened([], [], [], 0.0)
    answered = 0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def open_page(due: float, counts: bool) -> None:
            nonlocal answered
            who = f"E{chance.randrange(given.people):05d}"
            headers = {"cookie": f"{SESSION}={secret_of(who)}", "accept": "text/html,*/*;q=0.8"}
            try:
                async with session.get(f"{url}/me?lang={chance.choice(('en', 'zh'))}", headers=headers) as got:
                    body = await got.read()
                    if got.status != 200 or who.encode() not in body or b'class="card"' not in body:
                        found.failed.append(f"{who}: {got.status}")
            except aiohttp.ClientError as error:
                found.failed.append(f"{who}: {error}")
            answered += 1
            if counts:
                found.waits.append((time.perf_counter() - due) * 1000)

        async def watch() -> None:
            while True:
                before, pages = processor_seconds(process.pid), answered
                await asyncio.sleep(1.0)
                if answered - pages >= given.rate / 4:
                    found.cpu.append((processor_seconds(process.pid) - before) / (answered - pages) * 1000)

        await until_up(session, url)
        async with asyncio.TaskGroup() as warming:
            for _ in range(WARMING):
                warming.create_task(open_page(time.perf_counter(), False))
        began, cpu, before = time.perf_counter(), processor_seconds(process.pid), answered
        watching = asyncio.create_task(watch())
        count = int(given.rate * (given.warm + given.seconds))
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                due = began + number / given.rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(open_page(due, number >= given.rate * given.warm))
        watching.cancel()
        spent = processor_seconds(process.pid) - cpu
    return found._replace(average=spent / (answered - before) * 1000)


async def measure(url: str, process: subprocess.Popen[bytes], given: argparse.Namespace) -> int:
    """Opens pages and says how it went: 1 when one failed or p99 is above the limit."""
    waits, failed, cpu, average = await open_pages(url, process, given)
    waits.sort()
    figures = "  ".join(
        f"p{share:g} {waits[min(len(waits) - 1, int(len(waits) * share / 100))]:.1f}" for share in SHARES
    )
    say = sys.stdout.write
    say(f"{given.rate:g} pages/s of {given.people} people, {len(waits)} counted: ms {figures}\n")
    quiet = f", {min(cpu):.2f} in the quietest second, {statistics.median(cpu):.2f} in the middle one" if cpu else ""
    say(f"CPU ms of the web process a page: {average:.2f}{quiet}\n")
    say(f"load {' '.join(f'{load:.1f}' for load in os.getloadavg())}; {reference():.2f} ms for a loop that takes ")
    say(f"{REFERENCE:g} on a quiet machine; failed: {len(failed)}\n")
    if failed:
        say("\n".join(failed[:5]) + "\n")
    return 1 if failed or waits[int(len(waits) * 0.99)] > given.limit else 0


def reference() -> float:
    """CPU ms of a loop of nothing but Python, the median of some: what neighbours take shows in it."""
    times = []
    for _ in range(21):
        began = time.process_time()
        total = 0
        for number in range(10_000):
            total += number * number % 7
        times.append((time.process_time() - began) * 1000)
    return statistics.median(times)


async def until_up(session: aiohttp.ClientSession, url: str) -> None:
    """Until the process answers."""
    while True:
        try:
            async with session.get(f"{url}/healthz") as got:
                if got.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)


def processor_seconds(pid: int) -> float:
    """Time on processors that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
