"""What became of a command about an alert: waited for a moment, and to be asked for afterwards by whoever gave it.

A worker decides at its next tick, by what the alert is then. So of two commands in one second the second may be refused
although both were right when they were sent.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Final, NamedTuple

import msgspec

from agents.alert_commands import Sent, refusal_of
from agents.transport.errors import LogError, RecoverableError
from agents.transport.log import Log
from schemas.alerts import AlertCommand
from schemas.unreadable import UNREADABLE
from stream.topics import COMMANDS

PATIENCE: Final = 5.0  # seconds: a tick and a commit are less than two
AT_ONCE: Final = 4  # that wait; others are told that it is not decided
POLL_S: Final = 0.2
OBEYED: Final = "obeyed"
REFUSED: Final = "refused"
PENDING: Final = "pending"  # no worker has decided it
log: Final = logging.getLogger(__name__)
NAME: Final = r"([0-9]{1,4})-([0-9]{1,15})-([0-9]{1,15})(-unit)?"
_PLACE: Final = re.compile(NAME)
_command: Final = msgspec.json.Decoder(AlertCommand)


class Outcome(NamedTuple):
    """`what` of the above, and why where it was refused."""

    what: str
    why: str = ""


class Outcomes:
    """Asks a log, which `open_log` opens for each question, for up to `patience` seconds."""

    def __init__(self, open_log: Callable[[], AbstractContextManager[Log]], patience: float = PATIENCE) -> None:
        self._open = open_log
        self._patience = patience
        self._ending = threading.Event()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="outcomes")

    async def soon(self, sent: Sent) -> Outcome:
        """Of a command that was just given; of a log that cannot be read now, that it is pending."""
        until = time.monotonic() + self._patience
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._waited, sent, until)
        except (LogError, RecoverableError, sqlite3.Error, OSError) as error:
            log.warning("what became of a command about an alert is not known yet: %s", error)
            return Outcome(PENDING)

    async def of(self, sent: Sent, alert_id: str, by: str) -> tuple[AlertCommand, Outcome] | None:
        """What somebody told this alert there, and what became of it; None where they told it nothing there.

        Raises what reading a log raises.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._of, sent, alert_id, by)

    def _of(self, sent: Sent, alert_id: str, by: str) -> tuple[AlertCommand, Outcome] | None:
        with self._open() as there:
            if sent.partition >= there.topics()[COMMANDS].partitions:
                return None
            found = next(iter(there.read(COMMANDS, sent.partition, sent.offset, 1)), None)
            try:
                command = _command.decode((found[3] if found is not None else None) or b"")
            except UNREADABLE:  # another command, or none
                return None
            known = found is not None and found[0] == sent.offset and (command.alert_id, command.by) == (alert_id, by)
            return (command, _outcome(there, sent)) if known else None

    def _waited(self, sent: Sent, until: float) -> Outcome:
        with self._open() as there:
            while (found := _outcome(there, sent)).what == PENDING and time.monotonic() < until:
                if self._ending.wait(POLL_S):
                    break
            return found

    def close(self) -> None:
        """Nobody waits any more."""
        self._ending.set()
        self._threads.shutdown(wait=False)


def _outcome(there: Log, sent: Sent) -> Outcome:
    refused = refusal_of(there, sent)
    if refused is None:
        return Outcome(PENDING)
    return Outcome(REFUSED, refused) if refused else Outcome(OBEYED)


def name_of(sent: Sent) -> str:
    """A command's name in addresses: where it is in the log."""
    return f"{sent.partition}-{sent.offset}-{sent.letters}{'-unit' if sent.to_unit else ''}"


def place_of(name: str) -> Sent | None:
    """The place that a name says."""
    found = _PLACE.fullmatch(name)
    return None if found is None else Sent(int(found[1]), int(found[2]), int(found[3]), found[4] is not None)
