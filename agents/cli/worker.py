"""`scorestream worker`: the scoring service, restarted after what time can heal."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack

from agents.cli.flags import NO_FLAGS, Flags, Switch
from agents.cli.progress import Progress, say
from agents.settings import Settings


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
    settings.access  # noqa: B018  # SettingError now, not in each life
    logging.basicConfig(
        level=settings.log_level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("faust", "mode", "alembic", "agents.transport.embedded", "agents.transport.kafka.faust_internals"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    for silent in ("faust.transport.consumer", "aiokafka"):
        logging.getLogger(silent).setLevel(logging.CRITICAL)  # what matters of it ends a life, with one line
    asyncio.run(_run(settings, restart=not no_restart))
    return 0


async def _run(settings: Settings, *, restart: bool) -> None:
    """Until a signal, or until a failure that no time can heal."""
    from agents.lives import Lives

    stopping = asyncio.Event()
    place = settings.folder if settings.embedded else f"{settings.broker}, state in {settings.data}"
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stopping.set)
    with ExitStack() as shown:
        lives = Lives(settings, restart=restart, progress=_restoring(shown))
        await lives.run(stopping, lambda port: say(f"worker of {place}: http://{settings.host}:{port}/healthz"))


def _restoring(shown: ExitStack) -> Callable[[int, int], None]:
    """Shows how far a restore is; a worker may do many, each counts from its own beginning."""
    current: list[Progress] = []

    def restored(done: int, _: int) -> None:
        if not current or done == 0 or done < current[0].done:
            shown.close()
            current[:] = [shown.enter_context(Progress("restored", unit="records of the changelog"))]
        current[0].advance(done - current[0].done)

    return restored
