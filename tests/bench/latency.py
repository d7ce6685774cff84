"""`make bench-latency`: from an event's log time to the moment at which a reader of committed updates sees it counted.

Both clocks are this machine's. An event is seen with the first update of its employee whose day holds at least as many
events of its indicator as were sent up to it: updates are conflated, so most events never have one of their own, and
who waits for the budget of updates waits in this figure too. One employee in twenty is watched, with every event.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from math import ceil
from pathlib import Path
from typing import Final

import msgspec

from agents import flush, pace
from agents.settings import Settings
from agents.transport.kafka import member
from stream.topics import SCORE_UPDATES
from tests.bench.growth import names, say
from tests.bench.live_reader import LOOK, updates
from tests.bench.live_sender import Report
from tests.bench.seen import Seen, all_seen, latencies, newest, numbered
from tests.bench.site import BROKERS, Ground, Site, Worker, missing
from tests.bench.workload import TEMPLATE, fill, publish_template
from tests.e2e.processes import environment

WATCHED: Final = 20  # one employee in so many
EVERY: Final = 10  # s between two events of an employee in the job
PATIENCE: Final = 120.0  # s after the last event until everything has been seen
BOUNDS: Final = (25, 50, 100, 150, 200, 250, 300, 400, 500, 750, 1_000, 2_000, 5_000, 10_000)  # ms
BAR: Final = 50
QUIET: Final = 2.0  # s without an update after which a backlog's are taken to be out
LOOK_AGAIN: Final = 0.1  # s between two looks at the sender, and at what is missing


def main() -> int:
    """Runs on the brokers asked for; 1 when an event was never seen."""
    given = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended then too
    fine = True
    with tempfile.TemporaryDirectory(prefix="scorestream-latency-", dir=given.folder) as folder:
        for kind in given.brokers:
            if reason := missing(kind):
                say(f"{kind}: nothing is measured: {reason}")
                continue
            with Ground(kind, Path(folder) / kind) as ground, ground.site() as at:
                fine &= measure(at, given)
    return 0 if fine else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.latency", description=__doc__)
    parser.add_argument("--brokers", type=names, default=BROKERS, help="some of them, with commas")
    parser.add_argument(
        "--rate", type=float, help="events/s (default: half of the job's, one event per employee and 10 s)"
    )
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--warm", type=float, default=10.0, help="seconds before that, which do not count")
    parser.add_argument("--employees", type=int, default=10_000)
    parser.add_argument("--drain", type=int, default=1_000_000, help="events of the backlog that is drained first")
    parser.add_argument(
        "--commit-interval", type=float, default=0.1, help="setting of the worker; its own default is 0.5"
    )
    parser.add_argument("--folder", type=Path, help="where logs and states go (default: a temporary folder)")
    parser.add_argument("--smoke", action="store_true", help="ten seconds at a low rate: shows that it works")
    given = parser.parse_args()
    if given.smoke:
        given.seconds, given.warm, given.employees, given.drain = min(given.seconds, 10.0), 2.0, 500, 10_000
        given.rate = given.rate or 500.0
    return given


def measure(at: Site, given: argparse.Namespace) -> bool:
    """One broker: drains, then watches live events; whether every event was seen."""
    publish_template(at.log, TEMPLATE)
    fill(at.log, given.drain, given.employees, at.partitions)
    settings = {"commit_interval": given.commit_interval}
    with Worker(at, settings=settings) as worker:
        began = worker.wait_scoring()
        drained = given.drain / (at.wait_committed() - began)
        settled(at)
        rate = given.rate or given.employees / EVERY / 2
        before, since = worker.cpu(), time.perf_counter()
        report, seen = watched(at, given, rate)
        spent, seconds = worker.cpu() - before, time.perf_counter() - since
        say(f"\n{at.kind}: {given.employees:,} employees, backlog drained at {drained:,.0f} events/s")
        say(f"asked {rate:,.0f} events/s; sent {report.sent / report.seconds:,.0f}, at most {report.behind:.2f} s late")
        cores = f"worker {spent.contender / seconds:.2f} cores, broker {spent.broker / seconds:.2f}"
        say(
            f"{cores}, others {spent.others / seconds:.2f} (sender among them); {seen.updates / seconds:,.0f} updates/s"
        )
    say(what_sets_it(at.kind, settings))
    events = numbered(report.watched)
    first = events[0].at + given.warm * 1_000 if events else 0
    found, lost = latencies([event for event in events if event.at >= first], seen.moments)
    say(table(found))
    if lost:
        say(f"{lost:,} events were never seen within {PATIENCE:g} s")
    return not lost


def settled(at: Site) -> None:
    """Waits until the updates of the backlog are out, as none comes any more: they are not what is measured."""
    places = [(SCORE_UPDATES, number) for number in range(at.partitions)]
    ends, since = at.log.ends(places), time.monotonic()
    deadline = since + PATIENCE
    while time.monotonic() < min(since + QUIET, deadline):
        time.sleep(LOOK_AGAIN)
        before, ends = ends, at.log.ends(places)
        since = since if before == ends else time.monotonic()


def watched(at: Site, given: argparse.Namespace, rate: float) -> tuple[Report, Seen]:
    """Sends, and reads until all that was sent is seen, or it takes too long."""
    every = max(1, given.employees // max(25, given.employees // WATCHED))
    seen = Seen(frozenset(f"E{number:07d}" for number in range(0, given.employees, every)))
    out = at.folder / "sent"
    seconds = given.warm + given.seconds
    options = [at.url, rate, seconds, given.employees, every, at.partitions, out]
    with closing(updates(at.url)) as stream:  # type: ignore[type-var]  # they are generators
        next(stream)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.bench.live_sender", *map(str, options)], env=environment()
        ) as sender:
            look, waiting = 0.0, False
            for update in stream:
                if update is not None:
                    seen.take(*update)
                if (now := time.monotonic()) < look:
                    continue
                look = now + LOOK_AGAIN
                if not waiting and sender.poll() is not None:
                    assert sender.returncode == 0, f"the sender ended with {sender.returncode}"
                    report = msgspec.msgpack.decode(out.read_bytes(), type=Report)
                    last, deadline, waiting = newest(numbered(report.watched)), now + PATIENCE, True
                if waiting and (all_seen(last, seen.moments) or now > deadline):
                    return report, seen
    raise AssertionError("the reader ended by itself")


def table(found: Sequence[int]) -> str:
    """Percentiles and a histogram."""
    if not found:
        return "no event was seen"
    ordered = sorted(found)
    cuts = [f"p{share:g} {percentile(ordered, share):,}" for share in (50, 99, 99.9)]
    lines = [f"event -> visible score, ms, {len(ordered):,} events: {', '.join(cuts)}, max {ordered[-1]:,}"]
    low = 0
    for bound in (*BOUNDS, ordered[-1] + 1):
        count = sum(low <= one < bound for one in ordered) if bound > low else 0
        if count:
            share = count / len(ordered)
            lines.append(f"  {low:>6,} to {bound:>6,} ms {share:>8.3%} {'#' * max(1, round(share * BAR))}")
        low = max(low, bound)
    return "\n".join(lines)


def percentile(ordered: Sequence[int], share: float) -> int:
    """The smallest value that at least `share` percent do not exceed."""
    return ordered[max(0, ceil(len(ordered) * share / 100) - 1)]


def what_sets_it(kind: str, settings: Mapping[str, object]) -> str:
    """The settings and constants that the figure depends on."""
    whole = Settings.load({}, settings)
    rounds = member.Pace()
    fetch = f"fetch: {member._FETCH_BYTES >> 20} MiB a partition, {member._ROUND_BYTES >> 20} MiB a round"
    lingers = f"; brokers gather for {rounds.linger * 1000:g} ms"
    reader = f"an embedded reader looks every {LOOK * 1000:g} ms" if kind == "embedded" else fetch + lingers
    return (
        f"commit_interval {whole.commit_interval:g} s, chunk_records {whole.chunk_records:,}, decoder "
        f"{whole.decoder}; updates: slices of {flush.UPDATE_BUDGET * 1000:g} ms, {flush.UPDATE_SHARE:.0%} of the time; "
        f"more than {pace.BEHIND:g} s of work behind: a commit every {pace.BACKLOG_COMMIT:g} s, updates "
        f"{flush.BACKLOG_SHARE:.1%} of the time; {reader}; load {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    sys.exit(main())
