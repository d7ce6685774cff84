"""`scorestream demo`: the service, a simulated plant and the board on this machine, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from contextlib import suppress
from importlib.resources import files
from typing import Annotated, Final

import aiohttp
from cyclopts import Parameter

from agents.cli.errors import CommandError, UsageError
from agents.cli.flags import NO_FLAGS, Flags
from agents.cli.opening import now_ms, writable_log
from agents.cli.progress import say
from agents.cli.web import is_loopback
from agents.meta import read_meta
from agents.plant.factory import Plant, build
from agents.plant.model import history, live
from agents.plant.run import Append, send_history
from agents.plant.run import run as run_plant
from agents.publishing import is_published, publish
from agents.settings import Settings
from agents.transport.log import FolderInUse, Log, Outgoing, partition_for
from agents.transport.opening import owner
from schemas.instants import MINUTE

HISTORY: Final = 90  # minutes before the start
PORT: Final = 8080  # unless it is taken
PATIENCE: Final = 20.0  # s for the parts to stop by themselves
START: Final = 60.0  # s until the first score
STALE: Final = 480  # s


def demo(
    *,
    seed: Annotated[int, Parameter(help="another seed is another plant")] = 7,
    flags: Flags = NO_FLAGS,
) -> int:
    """Run everything on this machine: service, simulated plant and board; prints the board's address.

    A small company: three lines at two sites, a day and a night crew each, about forty operators, their leads, a
    personnel office. The last ninety minutes are there at once, and a minute after the start the quality of one line
    drops. All scores are open on this machine; at /choose one looks as an operator, a lead, HR, an auditor, an
    administrator or a screen. Ctrl-C stops everything; started again it goes on with its data.

    For example

        scorestream demo
        scorestream demo --port 9000 --data /tmp/plant
    """
    settings = flags.settings()
    if not settings.embedded:
        raise UsageError(f"--broker {settings.broker}: a demo is on this machine; give it --data DIR, or nothing")
    if not is_loopback(settings.host):
        raise UsageError(f"--host {settings.host}: a demo's boards are open, and only on this machine (127.0.0.1)")
    if settings.records is not None:
        raise UsageError(f"--records {settings.records}: a demo keeps its company in its own folder; leave it out")
    worker = owner(settings.broker)
    if worker is not None:
        raise FolderInUse(worker, settings.folder)
    return asyncio.run(_demo(settings, seed))


async def _demo(settings: Settings, seed: int) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signum, stop.set)
    port = settings.port or _free_port(settings.host, PORT)
    with writable_log(settings) as (log, partitions):
        plant, start = build(seed), now_ms()
        await asyncio.to_thread(_founded, settings, log, start)
        await _prepare(log, plant, start, partitions)
        places = ("--broker", f"embedded://{settings.folder.resolve()}", "--data", str(settings.data.resolve()))
        parts = [
            await _part("worker", *places, "--port", "auto", "--log-level", "warning"),
            await _part("web", *places, "--demo", "--port", str(port), "--host", settings.host, *_patient(settings)),
        ]
        try:
            address = f"http://{settings.host}:{port}/"
            await _first_score(address, parts, stop)
            if not stop.is_set():
                say(f"look as somebody of the company: {address}choose")
                sys.stdout.write(f"{address}\n")
                sys.stdout.flush()
                await _live(log, plant, start, partitions, parts, stop)
        finally:
            await _end(parts)
    say("stopped")
    return 0


def _founded(settings: Settings, log: Log, start: int) -> None:
    """The company in the records, its people and calendars in the log, before anybody works."""
    from agents.plant import company  # not for `--help`
    from agents.records.database import RecordsError, RecordsUnavailable
    from agents.records.opening import records_of

    try:
        records = records_of(settings)
        try:
            company.found(records, start)
            company.publish_calendars(log, start)
            company.introduce(records, log, settings, start)
        finally:
            records.close()
    except company.AnotherCompany as other:
        raise CommandError(
            f"--data {settings.data}: its records hold another organisation (unit {other}); give the demo a folder of "
            "its own"
        ) from None
    except (RecordsError, RecordsUnavailable) as error:
        raise CommandError(str(error)) from None


def _patient(settings: Settings) -> tuple[str, ...]:
    """A trainee has a piece inspected every six minutes: that is no silence, unless somebody says so."""
    given = settings.origins.get("stale_seconds", "default") != "default"
    return () if given else ("--stale-seconds", str(STALE))


async def _prepare(log: Log, plant: Plant, start: int, partitions: int) -> None:
    """The templates, and what happened before the start."""
    for name in ("production-operator",):
        text = (files("schemas.packs") / f"{name}.yaml").read_text(encoding="utf-8")
        if not is_published(log, text):
            publish(log, text, start)
    newest = max((meta.last for meta in read_meta(log)), default=-1)
    missing = min(HISTORY, (start - newest) // MINUTE)  # what a demo before this one has left is there already
    past = history(plant, start, missing)
    sent = await send_history(past, _append(log), partition_of=lambda key: partition_for(key, partitions))
    say(f"the plant's last {missing} minutes: {sent:,} events")


def _append(log: Log) -> Append:
    async def append(records: list[Outgoing]) -> list[int]:
        return await asyncio.to_thread(log.append, records)

    return append


async def _part(*arguments: str) -> asyncio.subprocess.Process:
    """A command of this program as a process of its own; Ctrl-C reaches it through us only."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agents.cli.main",
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


async def _first_score(address: str, parts: list[asyncio.subprocess.Process], stop: asyncio.Event) -> None:
    """Waits until the board has something to show."""
    deadline = asyncio.get_running_loop().time() + START
    async with aiohttp.ClientSession() as web:
        while not stop.is_set():
            _check(parts)
            with suppress(aiohttp.ClientError, TimeoutError):
                async with web.get(f"{address}api/v1/units", timeout=aiohttp.ClientTimeout(total=5)) as answer:
                    if answer.ok and (await answer.json())["units"]:
                        return
            if asyncio.get_running_loop().time() > deadline:
                raise CommandError(f"no score after {START:g} s; see the messages above")
            await asyncio.sleep(0.1)


async def _live(
    log: Log,
    plant: Plant,
    start: int,
    partitions: int,
    parts: list[asyncio.subprocess.Process],
    stop: asyncio.Event,
) -> None:
    plant_run = asyncio.create_task(
        run_plant(
            live(plant, start),
            _append(log),
            partition_of=lambda key: partition_for(key, partitions),
            clock=now_ms,
            stop=stop,
            start=start,
        )
    )
    ends = [asyncio.create_task(part.wait()) for part in parts]
    await asyncio.wait([plant_run, *ends], return_when=asyncio.FIRST_COMPLETED)
    for end in ends:
        if not end.done():
            end.cancel()
    if not stop.is_set():
        stop.set()
        await plant_run
        _check(parts)
    await plant_run


def _check(parts: list[asyncio.subprocess.Process]) -> None:
    for part, name in zip(parts, ("worker", "web"), strict=True):
        if part.returncode is not None:
            raise CommandError(f"the {name} ended with exit code {part.returncode}; see its messages above")


async def _end(parts: list[asyncio.subprocess.Process]) -> None:
    for part in parts:
        with suppress(ProcessLookupError):
            part.terminate()
    _, late = await asyncio.wait([asyncio.create_task(part.wait()) for part in parts], timeout=PATIENCE)
    for part in parts if late else ():
        with suppress(ProcessLookupError):
            part.kill()


def _free_port(host: str, wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((host, port))
                return int(probe.getsockname()[1])
    return wanted
