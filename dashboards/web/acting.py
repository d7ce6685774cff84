"""What people do to alerts from pages and the API is a record of the log, as it is from the command line.

The alert is looked up in the views, so that one that has moved on is refused at once. Whether a command is obeyed is
decided by a worker at its next tick, which is waited for (dashboards/web/outcomes.py).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Final, NamedTuple, TypeVar

import msgspec

from agents.access.matrix import Right
from agents.access.viewer import Subject
from agents.alert_commands import send_command, send_review
from agents.transport.errors import LogError, RecoverableError
from agents.transport.log import Log
from agents.views.port import ViewsReader
from dashboards.web.names import valid_alert
from dashboards.web.outcomes import OBEYED, PATIENCE, REFUSED, Outcome, Outcomes, name_of, place_of
from dashboards.web.problems import RequestProblem
from dashboards.web.sight import Sight
from dashboards.web.updates import decode_unit, readable
from schemas.alerts import AlertCommand, AlertReview, AlertRow
from schemas.instants import DAY, HOUR
from schemas.unreadable import UNREADABLE
from stream.lifecycle import ACK, CLEAR, SHELVE, UNSHELVE, objection

LONGEST: Final = 2_000  # characters of a reason
ACTIONS: Final = (ACK, SHELVE, UNSHELVE, CLEAR)
SPANS: Final = {"1h": HOUR, "4h": 4 * HOUR, "1d": DAY, "7d": 7 * DAY}  # that a page offers to shelve for
RETRY_S: Final = 5
log: Final = logging.getLogger(__name__)
_row: Final = msgspec.json.Decoder(AlertRow)

T = TypeVar("T")


class Acted(NamedTuple):
    """A command that is in the log, by its name, and whether a worker has obeyed it already."""

    command: str
    obeyed: bool


class Acting:
    """The way of commands into the log, one at a time; None: this process has no log to write.

    `patience`: how long (s) it is waited for what becomes of a command.
    """

    def __init__(
        self,
        open_log: Callable[[], AbstractContextManager[Log]] | None,
        clock: Callable[[], int],
        patience: float = PATIENCE,
    ) -> None:
        self._open = open_log
        self._clock = clock
        self._outcomes = None if open_log is None else Outcomes(open_log, patience)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="acting")

    @property
    def possible(self) -> bool:
        """Whether there is a log."""
        return self._open is not None

    async def act(self, row: AlertRow, action: str, by: str, reason: str, until: int | None = None) -> Acted:
        """Durable when it returns. RequestProblem 409 for an alert that has moved on, 503 without a log."""
        command = AlertCommand(row.alert_id, action, by, _said(reason, needed=False), until)
        refused = objection(row.alert_id, row.state, row.by, row.changed_at, command, self._clock())
        if refused:
            raise RequestProblem(409, refused, "action", action)
        sent = await self._append(lambda to, at: send_command(to, row, command, at))
        found = Outcome("") if self._outcomes is None else await self._outcomes.soon(sent)
        if found.what == REFUSED:
            raise RequestProblem(409, found.why, "action", action)
        return Acted(name_of(sent), found.what == OBEYED)

    async def outcome(self, alert_id: str, command: str, by: str) -> tuple[AlertCommand, Outcome]:
        """What became of a command that somebody gave. RequestProblem 404 where they gave none, 503 without a log."""
        if self._outcomes is None:
            raise _without_a_log()
        sent = place_of(command)
        try:
            found = None if sent is None else await self._outcomes.of(sent, alert_id, by)
        except (LogError, RecoverableError, sqlite3.Error, OSError) as error:
            log.warning("what became of a command about an alert cannot be read: %s", error)
            detail = "the log cannot be read at the moment"
            raise RequestProblem(503, detail, headers={"retry-after": str(RETRY_S)}) from error
        if found is None:
            raise RequestProblem(404, f"you gave alert {alert_id!r} no command of this name", "command", command)
        return found

    async def review(self, row: AlertRow, verdict: str, by: str, reason: str) -> None:
        """Durable when it returns. RequestProblem 400 without a reason, 503 without a log."""
        said = _said(reason, needed=True)
        found = AlertReview(row.alert_id, "right" if verdict == "right" else "wrong", by, said, row.rule, row.unit)
        await self._append(lambda to, at: send_review(to, row, found, at))

    async def _append(self, send: Callable[[Log, int], T]) -> T:
        if self._open is None:
            raise _without_a_log()
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._appended, self._open, send)

    def _appended(self, place: Callable[[], AbstractContextManager[Log]], send: Callable[[Log, int], T]) -> T:
        try:
            with place() as to:
                return send(to, self._clock())
        except (LogError, RecoverableError, sqlite3.Error, OSError) as error:
            log.warning("a command about an alert was not taken: %s", error)
            detail = "the log cannot be written at the moment; the same again does no harm"
            raise RequestProblem(503, detail, headers={"retry-after": str(RETRY_S)}) from error

    def close(self) -> None:
        """Takes no more; what is under way ends."""
        self._thread.shutdown(wait=False)
        if self._outcomes is not None:
            self._outcomes.close()


def _without_a_log() -> RequestProblem:
    return RequestProblem(503, "this process takes no commands: it was started without a log to write")


async def alert_of(views: ViewsReader, alert_id: str) -> AlertRow:
    """An open alert, whole; RequestProblem when there is none."""
    if not valid_alert(alert_id):
        raise RequestProblem(400, "an alert's id is [A-Za-z0-9_.:-]{1,64}", "alert_id", alert_id)
    value = (await views.alerts([alert_id])).get(alert_id)
    try:
        return _row.decode(value or b"")
    except UNREADABLE:
        detail = f"no alert {alert_id!r} is open: it is over, or never was"
        raise RequestProblem(404, detail, "alert_id", alert_id) from None


async def demand(sight: Sight, views: ViewsReader, right: Right, row: AlertRow) -> None:
    """Goes on when the viewer may do this to this alert; RequestProblem 403 else."""
    await sight.demand(right, await _subject(views, row))


async def may(sight: Sight, views: ViewsReader, right: Right, row: AlertRow) -> bool:
    """Whether `demand` would go on."""
    return sight.decide(right, await _subject(views, row)).allowed


def may_act(sight: Sight, row: AlertRow, people: int) -> bool:
    """Whether the viewer may act on an alert of a unit with so many people."""
    subject = Subject("employee", row.employee_id) if isinstance(row.employee_id, str) else _unit(row.unit, people)
    return sight.decide("act-on-alerts", subject).allowed


async def _subject(views: ViewsReader, row: AlertRow) -> Subject:
    if isinstance(row.employee_id, str):
        return Subject("employee", row.employee_id)
    known = readable(decode_unit, row.unit, (await views.units([row.unit])).get(row.unit))
    return _unit(row.unit, 0 if known is None else known.people)


def _unit(unit: str, people: int) -> Subject:
    return Subject("unit", unit, people)


def _said(reason: str, *, needed: bool) -> str:
    said = reason.strip()
    if len(said) > LONGEST or (needed and not said):
        raise RequestProblem(400, f"say in {int(needed)} to {LONGEST:,} characters why", "reason", said[:80])
    return said
