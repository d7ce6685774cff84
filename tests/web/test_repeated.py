"""Idempotency-Key: the same batch again is answered as before and is in the log once, whichever process it meets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agents.records.database import Records, RecordsUnavailable, open_records
from agents.records.idempotency import KEPT_MS
from agents.transport.embedded.log import EmbeddedLog, Outgoing
from agents.transport.errors import LogFull
from tests.agents.rig import new_log
from tests.oracle.logs import NOON, PARTITIONS
from tests.web.intake import EVENTS, NDJSON, Refusing, send, taking
from tests.web.test_api_events import folder, line, values

__all__ = ["folder"]

KEYED = {**NDJSON, "idempotency-key": "shift-7"}


@pytest.fixture
def log(folder: Path) -> Iterator[EmbeddedLog]:
    """An empty log."""
    with new_log(folder / "log", PARTITIONS) as made:
        yield made


@pytest.fixture
def store(folder: Path) -> Callable[[], Records]:
    """Opens the relational store, for each process once."""
    return partial(open_records, f"sqlite:///{folder / 'records.sqlite'}")


def test_the_same_batch_is_answered_as_before(log: EmbeddedLog, folder: Path, store: Callable[[], Records]) -> None:
    """By another process too; without the key, or a day later, it goes into the log again, where it counts once."""
    at = [NOON]
    with ExitStack() as stack:
        one, other = (
            stack.enter_context(taking(log, folder / name, lambda: at[0], records=store)) for name in ("1", "2")
        )
        body = line(event_id="a") + b"no event\n"
        first = one.post(EVENTS, content=body, headers=KEYED)
        again = other.post(EVENTS, content=body, headers=KEYED)
        assert (202, 202, None, "true") == (
            first.status_code,
            again.status_code,
            first.headers.get("idempotent-replayed"),
            again.headers["idempotent-replayed"],
        )
        assert first.content == again.content
        assert 1 == len(values(log))
        send(other, body)
        assert 2 == len(values(log))
        at[0] += KEPT_MS
        assert "idempotent-replayed" not in one.post(EVENTS, content=body, headers=KEYED).headers
        assert 3 == len(values(log))


def test_another_batch_under_the_same_key_is_refused(
    log: EmbeddedLog, folder: Path, store: Callable[[], Records]
) -> None:
    """422 names the header; nothing of it is in the log."""
    with taking(log, folder / "views", records=store) as client:
        send(client, line(event_id="a"), headers=KEYED)
        found = send(client, line(event_id="b"), 422, KEYED)
        assert ("Idempotency-Key", "shift-7") == (found["field"], found["value"])
    assert 1 == len(values(log))


def test_a_batch_under_way_is_not_begun_again(log: EmbeddedLog, folder: Path, store: Callable[[], Records]) -> None:
    """409 with Retry-After while the first one waits for the log."""
    slow = Slow(log)
    with taking(slow, folder / "views", records=store) as client, ThreadPoolExecutor(1) as beside:
        first = beside.submit(send, client, line(), headers=KEYED)
        assert slow.begun.wait(30)
        answer = client.post(EVENTS, content=line(), headers=KEYED)
        slow.go_on.set()
        assert (409, "2") == (answer.status_code, answer.headers["retry-after"])
        assert 1 == first.result(30)["accepted"]
    assert 1 == len(values(log))


class Slow:
    """A log whose append waits until it is told to go on."""

    def __init__(self, log: EmbeddedLog) -> None:
        self._log = log
        self.begun, self.go_on = threading.Event(), threading.Event()

    def append(self, records: Sequence[Outgoing]) -> list[int]:
        """Late."""
        self.begun.set()
        assert self.go_on.wait(30)
        return self._log.append(records)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)


def test_a_batch_that_was_not_taken_keeps_no_key(log: EmbeddedLog, folder: Path, store: Callable[[], Records]) -> None:
    """After a full disk the same request is done when it comes again."""
    with taking(Refusing(log, LogFull("no room left")), folder / "views", records=store) as client:
        send(client, line(), 503, KEYED)
        assert 1 == send(client, line(), headers=KEYED)["accepted"]
    assert 1 == len(values(log))


def test_without_a_store_a_key_cannot_be_kept(log: EmbeddedLog, folder: Path) -> None:
    """503, as the promise of a key cannot be given; a batch without one is taken."""

    def gone() -> Records:
        raise RecordsUnavailable("postgresql://secret-host does not answer")

    with taking(log, folder / "views", records=gone) as client:
        answer = client.post(EVENTS, content=line(), headers=KEYED)
        assert (503, False) == (answer.status_code, "secret-host" in answer.text)
        assert [] == values(log)
        assert 1 == send(client, line())["accepted"]
