"""What an answer is given for is on disk; a log that is not there now is looked for again with the next batch.

The log is opened by the first batch: who serves screens starts before there is one. It is never made here, that is the
worker's: a batch that came too early would else decide how many partitions there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol

from agents.cli.lines import Block
from agents.cli.opening import existing_log
from agents.intake.judge import Clock, Judge, LineAnswer, May, anything
from agents.settings import Settings
from agents.transport.errors import LogError, LogIncomplete
from agents.transport.log import Log
from agents.transport.opening import life_of
from stream.topics import INPUTS


class RecordRefused(Exception):
    """The brokers take no record of that size, however often it is sent; others of its batch may be in the log."""


class Place(Protocol):
    """Where a log is. `life` differs once another log is there."""

    def open(self) -> AbstractContextManager[Log]:
        """The log, closed at the end; LogError, RecoverableError."""

    def life(self) -> object:
        """What tells this log from one that was made anew in its place."""


class PlaceOf:
    """The place that settings name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def open(self) -> AbstractContextManager[Log]:
        """LogMissing when there is none."""
        return existing_log(self._settings)

    def life(self) -> object:
        """Of a folder: which file it is. Brokers refuse by themselves what is theirs no more."""
        return life_of(self._settings.broker)


class Intake:
    """Takes batches, one at a time, from any thread."""

    def __init__(self, place: Place, clock: Clock) -> None:
        self._place = place
        self._clock = clock
        self._open = ExitStack()
        self._log: Log | None = None
        self._life: object = None
        self._judge = Judge(1)

    def take(self, blocks: Callable[[], Iterable[Block]], may: May = anything) -> list[LineAnswer]:
        """Appends what the sender may send of a batch and says what became of each line. RecordRefused; LogError,
        RecoverableError: see `Log.append`.
        """
        log = self._opened()
        judged = self._judge.judge(blocks(), self._clock(), may)
        try:
            log.append(judged.records)
        except LogError:
            self.close()  # whatever is there the next time is looked at anew
            raise
        except ValueError as error:
            raise RecordRefused(str(error)) from error
        return judged.answers

    def close(self) -> None:
        """Lets go of the log; the next batch opens it again."""
        self._log = None
        self._open.close()

    def _opened(self) -> Log:
        life = self._place.life()
        if self._log is not None and life == self._life:
            return self._log
        self.close()
        with ExitStack() as stack:
            log = stack.enter_context(self._place.open())
            there = log.topics()
            if missing := [topic for topic in INPUTS if topic not in there]:
                raise LogIncomplete(
                    f"{log.name}: topics {', '.join(missing)} are missing; a worker that starts makes them"
                )
            self._open = stack.pop_all()
        self._log, self._life, self._judge = log, life, Judge(there[INPUTS[0]].partitions)
        return log
