"""An application that takes events into a log of a test, and its store of keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from litestar import Litestar
from litestar.testing import TestClient

from agents.intake.intake import Intake
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.log import Log, Outgoing
from dashboards.web.app import create_app
from dashboards.web.gate import Gate
from tests.oracle.logs import NOON
from tests.web.gates import OPEN
from tests.web.shelf import Shelf

Client = TestClient[Litestar]
NDJSON: Final = {"content-type": "application/x-ndjson"}
EVENTS: Final = "/api/v1/events"


class At:
    """A log that stays where it is, in whatever life."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.lives = 0

    def open(self) -> AbstractContextManager[Log]:
        """The log, which is the test's to close."""
        return nullcontext(self.log)

    def life(self) -> object:
        """The same unless the test counts up."""
        return self.lives


class Refusing:
    """A log that has an error for each batch, then takes them."""

    def __init__(self, log: EmbeddedLog, *errors: Exception) -> None:
        self._log = log
        self._errors = list(errors)

    def append(self, records: Sequence[Outgoing]) -> list[int]:
        """The next error, or what the log does."""
        if self._errors:
            raise self._errors.pop(0)
        return self._log.append(records)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


@contextmanager
def taking(
    log: Any, folder: Path, clock: Callable[[], int] = lambda: NOON, *, access: Gate = OPEN, **options: Any
) -> Iterator[Client]:
    """A client of an application over a log."""
    app = create_app(Shelf(folder).reader(), clock=clock, intake=Intake(At(log), clock), **options, access=access)
    with TestClient(app) as client:
        yield client


def send(client: Client, body: bytes, status: int = 202, headers: Mapping[str, str] = NDJSON) -> Any:
    """The answer to a batch."""
    answer = client.post(EVENTS, content=body, headers=headers)
    assert status == answer.status_code, answer.text
    return answer.json()
