"""`python -m tests.bench.me_page`: many people open `/me` each second; how long each of them waits.

A web process of its own serves 10,000 people from views in a folder. Requests start when they are due, whether or not
earlier ones were answered, and time counts from then on: a server that falls behind shows in every figure.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import uvicorn

from dashboards.web.app import create_app
from dashboards.web.viewer import KEY, Viewer
from schemas.instants import DAY, format_rfc3339
from tests.web.factories import row, template, tick, total, unit_scores
from tests.web.gates import OPEN
from tests.web.people import TEMPLATE, person
from tests.web.serving import _free_port
from tests.web.shelf import Shelf

UNIT: Final = 50  # people in a line
SHARES: Final = (50, 90, 99, 99.9, 100)


class Named:
    """Stands where the guard stands: a header says who looks."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            who = dict(scope["headers"]).get(b"x-employee", b"").decode()
            scope.setdefault("state", {})[KEY] = Viewer(who, who)
        await self._app(scope, receive, send)


def main() -> int:
    """Prints the figures; 1 when a request failed or p99 is above the limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.me_page", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=200.0, help="requests per second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--warm", type=float, default=5.0, help="seconds before that, which do not count")
    parser.add_argument("--limit", type=float, default=200.0, help="ms that p99 may take")
    parser.add_argument("--serve", nargs=2, metavar=("FOLDER", "PORT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        return serve(Path(given.serve[0]), int(given.serve[1]))
    with tempfile.TemporaryDirectory(prefix="scorestream-me-") as folder:
        fill(Path(folder), given.people)
        with server(Path(folder)) as (process, url):
            return asyncio.run(measure(url, process, given))


def serve(folder: Path, port: int) -> int:
    """The web process, until it is ended."""
    uvicorn.run(
        Named(create_app(Shelf(folder).reader(), access=OPEN)),
        port=port,
        log_level="warning",
        access_log=False,
        workers=1,
    )
    return 0


def fill(folder: Path, people: int) -> None:
    """Views of so many people in lines of fifty, each with scores of their own."""
    at = time.time_ns() // 1_000_000
    shelf = Shelf(folder)
    shelf.apply([template(TEMPLATE), tick(at)])
    everybody = [f"E{number:05d}" for number in range(people)]
    day: dict[str, Any] = {"window": "day", "window_start": format_rfc3339(at - at % DAY)}
    for begin in range(0, people, UNIT):
        members, unit = everybody[begin : begin + UNIT], f"L{begin // UNIT:03d}"
        records = [person(who, 80 + sum(who.encode()) % 20, at=at) for who in members]
        mine = [each._replace(value=(each.value or b"").replace(b'"L03"', f'"{unit}"'.encode())) for each in records]
        shelf.apply([*mine, unit_scores(unit, members, row(1930, 2000, **day), total(), newest=at, at=at)])


@contextmanager
def server(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A web process that answers; ended by its id."""
    port = _free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.me_page", "--serve", str(folder), str(port)])
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


async def measure(url: str, process: subprocess.Popen[bytes], given: argparse.Namespace) -> int:
    """Opens pages at the rate."""
    chance = random.Random(7)
    waits: list[float] = []
    failed: list[str] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def open_page(due: float, counts: bool) -> None:
            who = f"E{chance.randrange(given.people):05d}"
            try:
                async with session.get(
                    f"{url}/me?lang={chance.choice(('en', 'zh'))}", headers={"x-employee": who}
                ) as got:
                    body = await got.read()
                    if got.status != 200 or who.encode() not in body:
                        failed.append(f"{who}: {got.status}")
            except aiohttp.ClientError as error:
                failed.append(f"{who}: {error}")
            if counts:
                waits.append((time.perf_counter() - due) * 1000)

        await until_up(session, url)
        began = time.perf_counter()
        cpu = processor_seconds(process.pid)
        count = int(given.rate * (given.warm + given.seconds))
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                due = began + number / given.rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(open_page(due, number >= given.rate * given.warm))
        took = time.perf_counter() - began
        cpu = processor_seconds(process.pid) - cpu
    waits.sort()
    figures = "  ".join(
        f"p{share:g} {waits[min(len(waits) - 1, int(len(waits) * share / 100))]:.1f}" for share in SHARES
    )
    sys.stdout.write(f"{given.rate:g} pages/s of {given.people} people, {len(waits)} counted: ms {figures}\n")
    sys.stdout.write(
        f"the web process took {cpu / took * 100:.0f} % of a processor, {cpu / count * 1000:.1f} ms a page; "
    )
    sys.stdout.write(f"failed: {len(failed)}\n")
    if failed:
        sys.stdout.write("\n".join(failed[:5]) + "\n")
    return 1 if failed or waits[int(len(waits) * 0.99)] > given.limit else 0


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
