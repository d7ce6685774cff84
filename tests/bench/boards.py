"""`make bench-boards`: a thousand screens on one web process with access checks, half of which never read.

A real worker on an embedded log, a real web process, a token for each screen, events of chance people at a rate. Timed
is from an event's moment of sending to the moment at which one screen in each line has it, and to a painted frame in a
Chromium among them. Of the web process CPU seconds are counted, which others on the machine do not change much; how
long things take does depend on them: the load stands in the answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from agents.records.database import open_records
from dashboards.web.gate import Store
from tests.bench.board_pixels import Browser, beside, waits
from tests.bench.board_screens import Screens, Seen, settled
from tests.bench.board_site import Plant, records_url, send
from tests.bench.growth import say
from tests.bench.latency import percentile
from tests.bench.service import cpu_seconds
from tests.bench.site import Ground, Site, Worker
from tests.bench.workload import TEMPLATE, publish_template
from tests.e2e.processes import started
from tests.e2e.screens import CHROMIUM

SHARE: Final = 0.20  # of a core
BAR_MS: Final = 1_000
PATIENCE: Final = 60.0  # s for the last event to be seen
DROPPED: Final = 240.0  # s for screens that never read to be gone
LOOK: Final = 1.0


@dataclass
class Measured:
    """What was found: times in ms, memory in bytes, CPU in s."""

    seconds: float = 0.0
    cpu: float = 0.0
    behind: float = 0.0
    missing: int = 0
    memory: list[int] = field(default_factory=list)
    sockets: list[int] = field(default_factory=list)
    pixels: list[int] = field(default_factory=list)
    dropped: float | None = None


def main() -> int:
    """1 when an event was not seen, a screen that reads was let go, or one that never does was not."""
    given = arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is ended then too
    with tempfile.TemporaryDirectory(prefix="scorestream-boards-", dir=given.folder) as folder, ExitStack() as stack:
        ground = stack.enter_context(Ground("embedded", Path(folder) / "log"))
        at = stack.enter_context(ground.site())
        publish_template(at.log, TEMPLATE)
        plant = Plant(given.lines, given.people, at.partitions)
        url = records_url(Path(folder))
        tokens = plant.register(url, given.screens + 1)
        worker = stack.enter_context(Worker(at))
        worker.wait_scoring()
        at.log.append(plant.everybody(time.time_ns() // 1_000_000))
        at.wait_committed()
        options = [*at.flags(), "--records", url, "--request-rate", "off"]
        process, line = stack.enter_context(started("web", *options, until="http://"))
        called = _called(url, plant)
        return asyncio.run(measure(at, plant, tokens, called, process.pid, line.strip(), given))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.boards", description=__doc__)
    parser.add_argument("--screens", type=int, default=1_000)
    parser.add_argument("--lines", type=int, default=50)
    parser.add_argument("--people", type=int, default=20, help="of each line")
    parser.add_argument("--rate", type=float, default=500.0, help="events/s")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--warm", type=float, default=10.0, help="seconds before that, which do not count")
    parser.add_argument("--no-browser", action="store_true", help="no Chromium among the screens")
    parser.add_argument("--no-drop", action="store_true", help="do not wait until those who never read are gone")
    parser.add_argument("--folder", type=Path, help="where the log goes (default: a temporary folder)")
    parser.add_argument("--smoke", action="store_true", help="sixty screens for three seconds: shows that it works")
    given = parser.parse_args()
    if given.smoke:
        given.screens, given.lines, given.people, given.rate = 60, 6, 8, 100.0
        given.seconds, given.warm, given.no_browser, given.no_drop = 3.0, 1.0, True, True
    return given


def _called(url: str, plant: Plant) -> dict[str, dict[str, str]]:
    """Per line, who is meant by what its screens call them."""
    gate = Store(open_records(url), lambda: time.time_ns() // 1_000_000)
    try:
        return {line: {gate.pseudonym(line, who): who for who in own} for line, own in plant.people.items()}
    finally:
        gate.close()


async def measure(
    at: Site,
    plant: Plant,
    tokens: list[tuple[str, str]],
    called: dict[str, dict[str, str]],
    pid: int,
    address: str,
    given: argparse.Namespace,
) -> int:
    """Opens the screens, sends, counts."""
    where = urlsplit(address)
    seen, found = Seen(plant.sent), Measured()
    screens = Screens(where.hostname or "127.0.0.1", where.port or 80, seen)
    browser = None if given.no_browser or not CHROMIUM.exists() else Browser(address, *tokens[-1])
    async with AsyncExitStack() as stack:
        stack.push_async_callback(screens.close)
        await screens.open(tokens[:-1], called)
        if browser is not None:
            await beside(browser)
            stack.push_async_callback(asyncio.to_thread, browser.__exit__)
        say(f"{_health(address)['screens']:,} screens, {screens.mute:,} of which never read")
        sender = asyncio.create_task(send(at.log, plant, given.rate, given.warm + given.seconds))
        await asyncio.sleep(given.warm)
        seen.since = time.time() * 1000
        before, began = cpu_seconds(pid), time.perf_counter()
        while time.perf_counter() - began < given.seconds:
            found.memory.append(_resident(pid))
            found.sockets.append(_sockets())
            await asyncio.sleep(min(LOOK, given.seconds / 4))
        found.cpu, found.seconds = cpu_seconds(pid) - before, time.perf_counter() - began
        found.behind = await sender
        found.missing = await settled(seen, PATIENCE)
        if not given.no_drop:
            found.dropped = await _dropped(at, plant, address, given.screens - screens.mute + (browser is not None))
    if browser is not None:
        line = tokens[-1][0]
        found.pixels = waits(browser.painted, plant.all_sent, called[line], seen.since)
    say(report(seen, found, given))
    return 0 if not found.missing and not seen.ended and (given.no_drop or found.dropped is not None) else 1


async def _dropped(at: Site, plant: Plant, address: str, left: int) -> float | None:
    """How long until only those who read are there; None when that is never so. Boards go on changing meanwhile."""
    began = time.monotonic()
    while time.monotonic() - began < DROPPED:
        await send(at.log, plant, 50.0, LOOK)
        if _health(address)["screens"] <= left:
            return time.monotonic() - began
    return None


def report(seen: Seen, found: Measured, given: argparse.Namespace) -> str:
    """What was measured, in words."""
    share = found.cpu / found.seconds
    lines = [
        f"\n{given.screens:,} screens, {given.rate:g} events/s, {found.seconds:.0f} s; load {os.getloadavg()[0]:.2f} "
        f"on {os.cpu_count()} cores; the sender was at most {found.behind:.2f} s late",
        f"event -> screen, ms: {_cuts(seen.waits)} (p99 wanted: {BAR_MS:,})",
    ]
    if found.pixels:
        lines.append(f"event -> painted in a Chromium, ms: {_cuts(found.pixels)}")
    lines += [
        f"web process: {found.cpu:.2f} CPU s in {found.seconds:.1f} s: {share:.1%} of a core (wanted: {SHARE:.0%})",
        f"its memory: {_span(found.memory)} MB; what this machine's system keeps for TCP: {_span(found.sockets)} MB",
        f"{seen.messages:,} messages were timed, {seen.received / 1e6:,.1f} MB read besides; {found.missing:,} events "
        f"were never seen, {seen.ended:,} screens that read were let go",
    ]
    if not given.no_drop:
        gone = "are still there" if found.dropped is None else f"were gone {found.dropped:.0f} s after the last of it"
        lines.append(f"screens that never read {gone}")
    return "\n".join(lines)


def _cuts(times: Sequence[int]) -> str:
    if not times:
        return "none"
    ordered = sorted(times)
    cuts = ", ".join(f"p{share:g} {percentile(ordered, share):,}" for share in (50, 99))
    return f"{cuts}, max {ordered[-1]:,} ({len(ordered):,} events)"


def _span(sizes: Sequence[int]) -> str:
    return f"{sizes[0] / 1e6:.1f} at first, {max(sizes) / 1e6:.1f} at most, {sizes[-1] / 1e6:.1f} at last"


def _health(address: str) -> Any:
    with urllib.request.urlopen(f"{address}healthz", timeout=30) as answer:
        return json.load(answer)


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _sockets() -> int:
    """Bytes that the system keeps for TCP."""
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        words = line.split()
        if words[0] == "TCP:":
            return int(words[words.index("mem") + 1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


if __name__ == "__main__":
    sys.exit(main())
