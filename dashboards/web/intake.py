"""Batches wait for the log beside the event loop, so many bytes of them at most; screens never wait for one.

One thread places, judges and appends, a batch at a time: the log has one writer at a time anyway. Whatever is in the
way of it leaves as a problem that says when to come again; a batch is in the log whole, or it may be sent again.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import msgspec

from agents.cli.lines import Block, blocks
from agents.intake.intake import Intake, RecordRefused
from agents.intake.judge import LineAnswer, May, anything
from agents.transport.errors import LogBusy, LogError, LogFull, RecoverableError
from dashboards.web.api_types import EventAnswers
from dashboards.web.metrics import Metrics
from dashboards.web.problems import RequestProblem

MOST_BYTES: Final = 8 << 20  # of a batch
MOST_LINES: Final = 10_000
# Of all batches under way: four of the largest. Each of them is in memory some four times over while it is judged.
MOST_UNDER_WAY: Final = 32 << 20
BUSY_S: Final = 1
GONE_S: Final = 5
log: Final = logging.getLogger(__name__)


class Room:
    """How many bytes of batches may be under way. On the event loop only."""

    def __init__(self, most: int = MOST_UNDER_WAY) -> None:
        self._most = most
        self._taken = 0

    @contextmanager
    def portion(self) -> Iterator[Callable[[int], None]]:
        """What a batch takes, piece by piece; given back at the end. RequestProblem 429 when there is no more."""
        mine = 0

        def take(size: int) -> None:
            nonlocal mine
            if self._taken + size > self._most:
                detail = f"batches of {self._most:,} bytes are under way, which is the most; come again in {BUSY_S} s"
                raise RequestProblem(429, detail, headers={"retry-after": str(BUSY_S)})
            self._taken += size
            mine += size

        try:
            yield take
        finally:
            self._taken -= mine


class Batches:
    """The way of batches into the log; None: this process has no log to write."""

    def __init__(self, intake: Intake | None, metrics: Metrics, room: Room | None = None) -> None:
        self._intake = intake
        self._metrics = metrics
        self.room = room or Room()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="intake")

    async def take(self, body: bytes, *, lines: bool, may: May = anything) -> bytes:
        """Puts a batch into the log; the answer, an EventAnswers in JSON. RequestProblem when it could not be.

        `lines`: whether each line is an event, else the whole body is one. `may`: what the sender may not send of it.
        """
        if self._intake is None:
            raise RequestProblem(503, "this process takes no events: it was started without a log to write")
        loop, metrics = asyncio.get_running_loop(), self._metrics
        try:
            with metrics.intake_seconds.time():
                found, text = await loop.run_in_executor(self._thread, _taken, self._intake, body, lines, may)
        except RequestProblem as problem:
            metrics.intake_failed.labels(str(problem.problem.status)).inc()
            raise
        left_out = len(found.lines) - found.in_log
        metrics.intake_events.labels("accepted").inc(found.accepted)
        metrics.intake_events.labels("refused").inc(found.refused - left_out)
        metrics.intake_events.labels("left_out").inc(left_out)
        return text

    def close(self) -> None:
        """Lets go of the log once what is under way has ended; does not wait for it."""
        if self._intake is not None:
            self._thread.submit(self._intake.close)
        self._thread.shutdown(wait=False)


def _taken(intake: Intake, body: bytes, lines: bool, may: May) -> tuple[EventAnswers, bytes]:
    """What became of a batch, and that in JSON."""
    with _told():
        found = summary(intake.take(lambda: _blocks(body, lines), may))
        return found, msgspec.json.encode(found)


def _blocks(body: bytes, lines: bool) -> Iterator[Block]:
    """As `scorestream send` reads a file."""
    return blocks(io.BytesIO(body), len(body)) if lines else iter([Block([body], (1,), len(body))])


def summary(answers: list[LineAnswer]) -> EventAnswers:
    """The answers with their numbers."""
    accepted = sum(answer.status == "accepted" for answer in answers)
    in_log = sum(answer.in_log for answer in answers)
    return EventAnswers(accepted, len(answers) - accepted, in_log, answers)


@contextmanager
def _told() -> Iterator[None]:
    """What is in the way of the log, as problems; where the log is, is not told to the sender."""
    try:
        yield
    except RecordRefused as error:
        raise RequestProblem(413, f"{error}; the lines before it may be in the log, where each counts once") from error
    except LogBusy as error:
        raise _later(429, "the log is busy: others write at this moment", BUSY_S, error) from error
    except LogFull as error:
        raise _later(503, "the log has no room left on its disk", GONE_S, error) from error
    except RecoverableError as error:
        raise _later(503, "the log does not answer; part of the batch may be in it", GONE_S, error) from error
    except LogError as error:
        raise _later(503, "the log cannot be written; the web process's own log says why", GONE_S, error) from error


def _later(status: int, detail: str, wait: int, error: Exception) -> RequestProblem:
    log.warning("a batch of events was not taken: %s", error)
    again = "send the same batch again: what is there already counts once"
    return RequestProblem(status, f"{detail}; {again}", headers={"retry-after": str(wait)})
