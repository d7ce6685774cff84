"""`make bench-intake`: events by HTTP into the log, and what a screen's loop notices of it.

One `scorestream web` process as it is started, two connections that send batches one after the other, each when the one
before is answered. A third connection asks for something that needs nothing but the event loop, two hundred times a
second: how long it waits at most bounds how long the loop stood still (its own way there and back is in it). Nothing
reads the log meanwhile. On Kafka the web process finds no Redis, which taking events does not need.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tests.bench.growth import names, say
from tests.bench.peers.machine import cpu
from tests.bench.site import BROKERS, Ground, Site, missing
from tests.bench.workload import records
from tests.e2e.processes import free_port, started

PEOPLE: Final = 10_000
PROBE_S: Final = 0.005
TARGET: Final = 20_000  # events/s
HEADERS: Final = {"content-type": "application/x-ndjson"}


class Measured(NamedTuple):
    """Of one broker: events, seconds, CPU seconds of the web process and its broker, waits in s."""

    kind: str
    events: int
    seconds: float
    web: float
    broker: float
    answers: list[float]
    probes: list[float]


def main() -> int:
    """Runs on the brokers asked for; 1 when something was not taken whole."""
    given = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended then too
    found: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="scorestream-intake-", dir=given.folder) as folder:
        for kind in given.brokers:
            if reason := missing(kind):
                say(f"{kind}: nothing is measured: {reason}")
                continue
            with Ground(kind, Path(folder) / kind) as ground, ground.site() as at:
                found.append(measure(at, given))
    say(table(found, given))
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.intake", description=__doc__)
    parser.add_argument("--brokers", type=names, default=BROKERS, help="some of them, with commas")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--warm", type=float, default=3.0, help="seconds before that, which do not count")
    parser.add_argument("--batch", type=int, default=1_000, help="events of a batch")
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--distinct", type=int, default=200, help="batches that are made; then they are sent again")
    parser.add_argument("--folder", type=Path, help="where logs go (default: a temporary folder)")
    parser.add_argument("--smoke", action="store_true", help="two seconds on the embedded log: shows that it works")
    given = parser.parse_args()
    if given.smoke:
        given.seconds, given.warm, given.distinct, given.brokers = 2.0, 0.5, 10, ("embedded",)
    return given


def measure(at: Site, given: argparse.Namespace) -> Measured:
    """One broker. AssertionError when a batch is not taken whole."""
    views = ["--redis", f"redis://127.0.0.1:{free_port()}/0"] if at.kind == "kafka" else []
    bodies = batches(given.distinct, given.batch)
    options = [*at.flags(), *views, "--intake-rate", "off", "--request-rate", "off"]
    with started("web", "--demo", *options, until="http://") as (process, line), ThreadPoolExecutor() as threads:
        host = urlsplit(line.strip()).netloc
        stop = threading.Event()
        senders = [
            threads.submit(send, host, bodies, range(first, given.distinct, given.connections), given.batch, stop)
            for first in range(given.connections)
        ]
        probe = threads.submit(ask, host, stop)
        time.sleep(given.warm)
        before, since = cpu(process.pid, at.broker), time.perf_counter()
        time.sleep(given.seconds)
        spent, until = cpu(process.pid, at.broker) - before, time.perf_counter()
        stop.set()
        took = [wait for sender in senders for began, wait in sender.result() if since <= began + wait < until]
        probes = [wait for began, wait in probe.result() if since <= began < until]
        events = len(took) * given.batch
        return Measured(at.kind, events, until - since, spent.contender, spent.broker, took, probes)


def batches(number: int, size: int) -> list[bytes]:
    """So many bodies of so many events each."""
    source = records(number * size, PEOPLE, 1)
    return [b"\n".join(record.value or b"" for record in itertools.islice(source, size)) for _ in range(number)]


def send(host: str, bodies: list[bytes], which: range, size: int, stop: threading.Event) -> list[tuple[float, float]]:
    """Sends one batch after the other until it is stopped; when each began, and how long its answer took."""
    connection = http.client.HTTPConnection(host, timeout=60)
    found: list[tuple[float, float]] = []
    whole = b'{"accepted":%d,"refused":0,"in_log":%d,' % (size, size)
    for number in itertools.cycle(which):
        if stop.is_set():
            return found
        began = time.perf_counter()
        connection.request("POST", "/api/v1/events", bodies[number], HEADERS)
        answer = connection.getresponse()
        text = answer.read()
        found.append((began, time.perf_counter() - began))
        assert (202, True) == (answer.status, text.startswith(whole)), text[:500]
    raise AssertionError("there is always another batch")


def ask(host: str, stop: threading.Event) -> list[tuple[float, float]]:
    """As `send`, of a request that nothing but the event loop answers."""
    connection = http.client.HTTPConnection(host, timeout=60)
    found: list[tuple[float, float]] = []
    while not stop.wait(PROBE_S):
        began = time.perf_counter()
        connection.request("GET", "/assets/none/none")
        connection.getresponse().read()
        found.append((began, time.perf_counter() - began))
    return found


def table(found: list[Measured], given: argparse.Namespace) -> str:
    """One line a broker."""
    rows = [*_head(given)]
    for one in found:
        rate = one.events / one.seconds
        million = 1_000_000 / one.events
        answers, probes = (f"{percentile(waits, 50):7.1f} {percentile(waits, 99):7.1f}" for waits in one[5:])
        rows.append(
            f"{one.kind:9} {rate:9,.0f} {rate / TARGET:8.2f} {answers} {one.web * million:8.1f} "
            f"{one.broker * million:8.1f} {probes} {max(one.probes) * 1000:7.1f}"
        )
    return "\n".join(rows)


def _head(given: argparse.Namespace) -> Iterator[str]:
    yield (
        f"\nbatches of {given.batch:,} events, {given.connections} connections, {given.seconds:g} s; "
        f"load {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores; times in ms, CPU in s per million events"
    )
    yield "                       times     answer          web   broker   small request beside it"
    yield "broker     events/s   target     p50     p99      CPU      CPU     p50     p99     max"


def percentile(waits: list[float], share: int) -> float:
    """In ms; the smallest wait that `share` of a hundred do not exceed."""
    ordered = sorted(waits)
    return ordered[max(0, ceil(len(ordered) * share / 100) - 1)] * 1000


if __name__ == "__main__":
    sys.exit(main())
