"""`make bench`: ratios of one run. Answers are compared before anything is timed."""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agents.transport.embedded.log import EmbeddedLog
from tests.bench import answers, ceiling, million
from tests.bench.service import cpu_seconds, ends, new_log, peak_memory, wait_committed, worker
from tests.bench.workload import TEMPLATE, fill, publish_template, records


def main() -> int:
    """Runs the parts asked for and prints their tables; 1 when a target is missed and --strict is given."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--employees", type=int, default=10_000)
    parser.add_argument("--plain-events", type=int, default=20_000, help="the plain agent is timed on so many")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--million", type=int, default=1_000_000, help="employees of the memory and restart part; 0: leave out"
    )
    parser.add_argument("--smoke", action="store_true", help="a minute's run with small numbers: shows that it works")
    given = parser.parse_args()
    if given.smoke:
        given.events, given.employees, given.plain_events, given.rounds, given.million = 6_000, 500, 1_500, 1, 2_000
    with tempfile.TemporaryDirectory(prefix="scorestream-bench-") as folder:
        run(Path(folder), given)
    return 0


def run(folder: Path, given: argparse.Namespace) -> None:
    compared = answers.check(folder / "answers", min(given.events, 20_000), min(given.employees, 200))
    say(f"answers equal: ours = plain Faust = oracle for {compared} employees")
    log, partitions = new_log(folder / "log")
    began = time.perf_counter()
    made = list(records(min(given.events, 500_000), given.employees, partitions))
    began = time.perf_counter()
    for begin in range(0, len(made), 5_000):
        log.append(made[begin : begin + 5_000])
    say(f"append, durable, batches of 5,000: {len(made) / (time.perf_counter() - began):,.0f} events/s")
    log.close()
    shutil.rmtree(folder / "log")
    del made
    log, partitions = new_log(folder / "log")
    fill(log, given.events, given.employees, partitions)
    publish_template(log, TEMPLATE)
    wanted = ends(log)
    log.close()
    drain(folder, given, sum(wanted.values()))
    if given.million:
        million.run(folder / "million", given.million)


def drain(folder: Path, given: argparse.Namespace, events: int) -> None:
    """Ceiling, plain agent and ours, interleaved; medians and ratios."""
    runs: dict[str, list[tuple[float, float]]] = {"ceiling": [], "plain": [], "ours": []}
    for number in range(given.rounds):
        runs["ceiling"].append(apart(lambda: ceiling.run(folder / "log"), "ceiling", folder))
        runs["ours"].append(ours(folder, events, last=number == given.rounds - 1))
        runs["plain"].append(plain(folder, given))
    middle = {name: statistics.median(rate for rate, _ in values) for name, values in runs.items()}
    spent = {name: statistics.median(cpu for _, cpu in values) for name, values in runs.items()}
    say(
        f"\n{events:,} events of {given.employees:,} employees; 3 indicators, 2 windows each; medians of {given.rounds}"
    )
    say(f"{'contender':<34}{'events/s':>12}{'x plain':>10}{'of ceiling':>12}{'CPU s per million':>20}")
    for name, text in (
        ("ceiling", "read and decode only"),
        ("plain", "plain Faust agent"),
        ("ours", "scorestream worker"),
    ):
        rate = middle[name]
        ratios = f"{rate / middle['plain']:>10.1f}{rate / middle['ceiling']:>12.3f}"
        say(f"{text:<34}{rate:>12,.0f}{ratios}{spent[name]:>20.1f}")


def ours(folder: Path, events: int, *, last: bool) -> tuple[float, float]:
    """Events per second, and CPU seconds per million events of all its processes."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder / "log", copy)
    with EmbeddedLog.open(copy) as log, worker(copy) as process:
        began, spent = time.perf_counter(), cpu_seconds(process.pid)
        rate = events / (wait_committed(log, ends(log)) - began)
        spent = (cpu_seconds(process.pid) - spent) / events * 1e6
        if last:
            say(f"worker's peak memory: {peak_memory(process.pid) / 1e6:,.0f} MB")
    if last:
        million.weigh(copy)
    return rate, spent


def plain(folder: Path, given: argparse.Namespace) -> tuple[float, float]:
    small = folder / "plain"
    shutil.rmtree(small, ignore_errors=True)
    log, partitions = new_log(small)
    # As many events per employee as in the whole job: the plain agent's table grows with them.
    fill(log, given.plain_events, max(1, given.plain_events * given.employees // given.events), partitions)
    log.close()
    code = (
        "import asyncio, sys; from pathlib import Path; from tests.bench import plain_faust; "
        f"print(*asyncio.run(plain_faust.run(Path({str(small)!r}), {given.plain_events}))[:2])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    seconds, spent = map(float, done.stdout.splitlines()[-1].split())
    return given.plain_events / seconds, spent / given.plain_events * 1e6


def apart(_: Callable[[], tuple[float, float]], name: str, folder: Path) -> tuple[float, float]:
    """In a process of its own, so that no contender inherits another's heap."""
    code = (
        f"from pathlib import Path; from tests.bench import {name}; print(*{name}.run(Path({str(folder / 'log')!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    rate, spent = map(float, done.stdout.split())
    return rate, spent


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
