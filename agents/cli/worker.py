"""`scorestream worker`: the scoring service, restarted after what time can heal."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from typing import Final

from agents.cli.flags import NO_FLAGS, Flags, Switch
from agents.cli.progress import Progress, say
from agents.settings import Settings
from agents.transport.errors import LogError, RecoverableError

BACKOFF: Final = (1.0, 2.0, 5.0, 10.0, 30.0)  # s
logger: Final = logging.getLogger(__name__)


def worker(*, no_restart: Switch = False, flags: Flags = NO_FLAGS) -> int:
    """Score events: read the log, keep the state, write the updates. Ctrl-C or SIGTERM stops it without loss.

    Health and metrics are at /healthz and /metrics on the port that is printed
    (and kept in worker.port beside the data). After a failure that time can heal
    (local state damaged, disk full, log busy) it starts again by itself, with
    --no-restart it ends with exit code 1 for a supervisor to see.

    For example

        scorestream worker
        scorestream worker --broker embedded:////srv/scorestream --port 9101
    """
    settings = flags.settings()
    folder = settings.folder  # SettingError for a broker that is not there yet
    logging.basicConfig(
        level=settings.log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("faust", "mode", "aiokafka", "agents.transport.embedded"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    attempt = 0
    while True:
        try:
            asyncio.run(run(settings, lambda port: say(f"worker of {folder}: http://{settings.host}:{port}/healthz")))
            return 0
        except LogError:
            raise
        except RecoverableError as error:
            if no_restart:
                raise
            pause = BACKOFF[min(attempt, len(BACKOFF) - 1)]
            attempt += 1
            logger.error("%s; starting again in %g s", error, pause)
            asyncio.run(asyncio.sleep(pause))


async def run(settings: Settings, ready: Callable[[int], None]) -> None:
    """One life of a worker: until a signal, or until it raises what ended it."""
    from agents.app import Worker

    with Progress("restored", unit="records of the changelog") as progress:
        service = Worker(settings, lambda done, total: progress.advance(done - progress.done))
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, stopping.set)
        try:
            await service.start()
            ready(service.port)
            await first_of(service.wait(), stopping.wait())
        finally:
            await service.stop()


async def first_of(*waits: object) -> None:
    """Returns when one is done, raises what it raised; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]  # type: ignore[call-overload]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()
