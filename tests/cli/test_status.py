"""status: what is durable, and waiting until all is."""

from __future__ import annotations

import datetime
import os
import threading
import time
from collections.abc import Sequence

import pytest

from agents.cli.status import Lag, lags
from agents.publishing import publish
from agents.transport.embedded.log import EmbeddedLog, FolderLock, Outgoing
from agents.transport.errors import BrokerGone
from stream.meta import KEY, Meta, encode_meta
from stream.topics import CHANGELOG, TICKS
from tests.cli.conftest import Run, as_worker
from tests.soak.templates import template


def commit(
    log: EmbeddedLog,
    partition: int,
    applied: dict[str, int],
    outcomes: dict[str, int],
    at: int = 0,
    rules: Sequence[str] = (),
) -> None:
    """What the worker's commit of a partition does."""
    meta = Meta(applied=applied, outcomes=outcomes, committed_at=at, rules=list(rules))
    record = Outgoing(CHANGELOG, partition, at, KEY, encode_meta(meta))
    as_worker(log, [record], {(topic, partition): offset for topic, offset in applied.items()})


def fill(log: EmbeddedLog, topic: str, partition: int, count: int) -> None:
    """Append so many records."""
    log.append([Outgoing(topic, partition, 1, b"E", b"{}")] * count)


def test_new_log(run: Run, log: EmbeddedLog) -> None:
    """Of a log in which nothing happened there is no lag, no commit and no worker."""
    (row,) = run("status", "--format", "ndjson").rows()
    assert (row["worker"], row["last_commit"], row["commit_age_seconds"]) == (None, None, None)
    assert (row["lag"], row["records"], row["outcomes"]) == (0, 0, {})
    assert {entry["topic"] for entry in row["partitions"]} == {"business-events", "qc-events", "people-events"}
    assert len(row["partitions"]) == 12


def test_outcomes_and_lag(run: Run, log: EmbeddedLog) -> None:
    """Outcomes add up over partitions; the lag is what is in the log and not committed."""
    fill(log, "qc-events", 0, 10)
    fill(log, "qc-events", 1, 5)
    fill(log, "people-events", 0, 1)
    at = time.time_ns() // 1_000_000 - 3_000
    commit(log, 0, {"qc-events": 7, "people-events": 1}, {"scored": 5, "rejected:bad_id": 2, "duplicate": 1}, at)
    commit(log, 1, {"qc-events": 5}, {"scored": 4, "late": 1}, at - 1)
    (row,) = run("status", "--format", "ndjson").rows()
    assert row["outcomes"] == {"duplicate": 1, "late": 1, "rejected:bad_id": 2, "scored": 9}
    assert (row["records"], row["lag"]) == (13, 3)
    assert {"topic": "qc-events", "partition": 0, "end": 10, "committed": 7, "lag": 3} in row["partitions"]
    assert datetime.datetime.fromisoformat(row["last_commit"]).timestamp() * 1000 == at
    assert 3 <= row["commit_age_seconds"] < 60


def test_latest_commit_counts(run: Run, log: EmbeddedLog) -> None:
    """Counters are those of each partition's last commit, however much lies behind and before it."""
    for number in range(1, 4):
        as_worker(log, [Outgoing(CHANGELOG, 0, 1, b"eE%d" % n, b"state") for n in range(200)], {})
        commit(log, 0, {}, {"scored": number})
    as_worker(log, [Outgoing(CHANGELOG, 0, 1, b"eE%d" % n, b"state") for n in range(200)], {})
    (row,) = run("status", "--format", "ndjson").rows()
    assert row["outcomes"] == {"scored": 3}


def test_table(run: Run, log: EmbeddedLog) -> None:
    """For people there are three small tables; a running worker is named."""
    commit(log, 0, {"qc-events": 0}, {"scored": 1234}, 5)
    assert "not running" in run("status").out
    with FolderLock.acquire(log.folder):
        out = run("status").out
    assert f"running, process {os.getpid()}" in out
    assert "1970-01-01T00:00:00.005Z" in out
    assert "1234" in out


def test_worker_in_rows(run: Run, log: EmbeddedLog) -> None:
    """The worker is its process id, none when there is none."""
    with FolderLock.acquire(log.folder):
        assert run("status", "--format", "ndjson").rows()[0]["worker"] == os.getpid()


def test_retention_is_no_lag(log: EmbeddedLog) -> None:
    """What retention took away before it was committed is no lag: it will never be processed."""
    bounds = {("qc-events", 0): (8, 10), ("ticks", 0): (0, 3), ("alerts", 0): (0, 3)}
    assert lags(log, bounds) == [Lag("qc-events", 0, 10, 8)]
    as_worker(log, [], {(TICKS, 0): 3, ("qc-events", 0): 2})
    assert lags(log, bounds) == [Lag("qc-events", 0, 10, 8), Lag("ticks", 0, 3, 3)]


def test_idle_at_once(run: Run, log: EmbeddedLog) -> None:
    """Without lag there is nothing to wait for."""
    fill(log, "qc-events", 0, 3)
    commit(log, 0, {"qc-events": 3}, {"scored": 3})
    assert run("status", "--wait-idle", "--timeout", "0").code == 0


def test_timeout(run: Run, log: EmbeddedLog) -> None:
    """At the timeout it exits with 1 and says what is missing, and that nobody is working on it."""
    fill(log, "qc-events", 2, 5)
    commit(log, 2, {"qc-events": 3}, {"scored": 3})
    result = run("status", "--wait-idle", "--timeout", "0.1", "--format", "ndjson")
    assert result.code == 1
    assert "timeout after 0.1 s: 2 records are not processed yet: qc-events/2 from offset 3 (2)" in result.err
    assert "no worker is running" in result.err
    assert result.rows()[0]["lag"] == 2


def test_timeout_while_the_log_changes(run: Run, log: EmbeddedLog) -> None:
    """Commits that do not reach the end do not keep it waiting beyond the timeout."""
    fill(log, "qc-events", 0, 5)
    done = threading.Event()

    def churn() -> None:
        while not done.is_set():
            commit(log, 0, {"qc-events": 1}, {"scored": 1})

    busy = threading.Thread(target=churn)
    busy.start()
    try:
        assert run("status", "--wait-idle", "--timeout", "0.2").code == 1
    finally:
        done.set()
        busy.join()


def test_waits_for_published_rules(run: Run, log: EmbeddedLog) -> None:
    """A version that one of the partitions does not work by yet is waited for: workers hear of it one by one."""
    now = time.time_ns() // 1_000_000
    publish(log, template("line", 1, now - 1_000), now)
    for number in range(3):
        commit(log, number, {}, {}, rules=("line@1",))
    commit(log, 3, {}, {}, rules=("sales@1",))
    result = run("status", "--wait-idle", "--timeout", "0.1")
    assert result.code == 1
    assert "a published template version is not known to every partition yet; no worker is running" in result.err
    commit(log, 3, {}, {}, rules=("sales@1", "line@1"))
    assert run("status", "--wait-idle", "--timeout", "0").code == 0


@pytest.mark.parametrize("more", [0, 5])
def test_waits_for_what_was_there(run: Run, log: EmbeddedLog, more: int) -> None:
    """It returns once every record that was there at the call is durable, whatever comes after."""
    fill(log, "qc-events", 0, 5)

    def work() -> None:
        fill(log, "qc-events", 0, more)
        for applied in range(1, 6):
            commit(log, 0, {"qc-events": applied}, {"scored": applied})

    called = log.version
    worker = threading.Thread(target=work)

    def version(_: EmbeddedLog) -> tuple[int, ...]:
        if not worker.ident:  # the wait has begun
            worker.start()
        return called()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EmbeddedLog, "version", version)
        result = run("status", "--wait-idle", "--timeout", "30", "--format", "ndjson")
    worker.join()
    assert result.code == 0
    assert result.rows()[0]["outcomes"] == {"scored": 5}


@pytest.mark.parametrize("name", ["bounds", "version", "committed"])
def test_a_broker_that_comes_back_is_waited_for(
    run: Run, log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Silence for a while is no failure of the waiting, whatever was asked; at the timeout it is what is told."""
    fill(log, "qc-events", 0, 3)
    commit(log, 0, {"qc-events": 3}, {"scored": 3})
    asked, silent = getattr(EmbeddedLog, name), [True, True]

    def answer(own: EmbeddedLog) -> object:
        if silent and silent.pop():
            raise BrokerGone("no answer")
        return asked(own)

    monkeypatch.setattr(EmbeddedLog, name, answer)
    assert run("status", "--wait-idle", "--timeout", "30").code == 0
    assert not silent
    silent[:] = [True] * 1_000
    result = run("status", "--wait-idle", "--timeout", "0.1")
    assert (result.code, "timeout after 0.1 s: no answer" in result.err) == (1, True)
