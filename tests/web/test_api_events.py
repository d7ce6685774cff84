"""Events by HTTP: each line is answered, what is answered for is in the log, and it ends as what `send` sends."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.cli.main import main
from agents.dead_letters import dead_letter
from agents.transport.embedded.log import EmbeddedLog
from agents.transport.errors import BrokerGone, LogBusy, LogError, LogFull, LogMissing
from agents.transport.log import Record
from dashboards.web import intake
from schemas.event import INPUT_TOPICS
from stream.topics import DEAD_LETTERS
from tests.agents.rig import Rig, new_log
from tests.bad_input.golden import all_cases
from tests.oracle.logs import NOON, PARTITIONS, event, published, template
from tests.web.gates import OPEN
from tests.web.intake import EVENTS, NDJSON, Client, Refusing, send, taking


def line(**fields: Any) -> bytes:
    """A valid event as a line."""
    return json.dumps(event(**fields)).encode() + b"\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where that is possible: logs sync."""
    memory = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def log(folder: Path) -> Iterator[EmbeddedLog]:
    """An empty log with all topics."""
    with new_log(folder / "log", PARTITIONS) as made:
        yield made


@pytest.fixture
def client(log: EmbeddedLog, tmp_path: Path) -> Iterator[Client]:
    """A client of an application over the log."""
    with taking(log, tmp_path / "views") as client:
        yield client


def values(log: EmbeddedLog) -> list[bytes | None]:
    """What the input topics hold."""
    places = [(topic, number) for topic in INPUT_TOPICS for number in range(PARTITIONS)]
    return [value for place in places for _, _, _, value, _ in log.read(*place, 0, 100_000)]


def test_each_line_is_answered(client: Client, log: EmbeddedLog) -> None:
    """By its number in the body; a blank line is none, and the bytes in the log are those that were sent."""
    odd = b' {"type" : "qc.x","employee_id":"E1", "n":1.50e1} '
    body = line(event_id="a") + b"\n" + odd + b"\r\n" + b"no json\n" + line(event_id="b", type="sales.order").strip()
    found = send(client, body)
    assert (1, 3, 2) == (found["accepted"], found["refused"], found["in_log"])
    assert [
        (1, "accepted", True, "a", None),
        (3, "refused", True, None, "schema"),
        (4, "refused", False, None, "not_json"),
        (5, "refused", False, "b", "unknown_type"),
    ] == [(one["line"], one["status"], one["in_log"], one["event_id"], one["reason"]) for one in found["lines"]]
    assert [line(event_id="a").strip(), odd] == values(log)


def test_one_json_object_is_one_event(client: Client, log: EmbeddedLog) -> None:
    """However many lines it is written in."""
    body = json.dumps(event(), indent=2).encode()
    answer = client.post(EVENTS, content=body, headers={"content-type": "application/json; charset=utf-8"})
    assert (202, 1) == (answer.status_code, answer.json()["accepted"])
    assert [body] == values(log)


class Ended(NamedTuple):
    """How a log's records ended: outcomes, everybody's rows, dead letters."""

    outcomes: dict[str, int]
    rows: dict[str, Any]
    dead: list[Any]


async def ended(folder: Path) -> Ended:
    """What a worker makes of the log in a folder."""
    rig = Rig(folder, PARTITIONS, NOON)
    rig.write(published(template()))
    await rig.drain()
    dead = [
        dead_letter(Record(*record))
        for number in range(PARTITIONS)
        for record in rig.log.read(DEAD_LETTERS, number, 0, 100_000)
    ]
    found = Ended(rig.outcomes(), {who: update.rows for who, update in rig.updates().items()}, sorted(dead, key=str))
    rig.close()
    return found


_people = st.sampled_from(["E1", "E2", "E7"])
_ids = st.sampled_from(["a", "b", "c", "d"])
_good = st.builds(
    lambda who, what, accepted, at: line(
        employee_id=who, event_id=what, occurred_at=NOON - at, measures={"inspected": 9, "accepted": accepted}
    ),
    _people, _ids, st.integers(5, 7), st.sampled_from([0, 60_000, 90_000_000, 700_000_000]),
)  # fmt: skip
_bad = st.sampled_from(sorted({case.value for case in all_cases() if case.value and b"\n" not in case.value}))
_lines = st.lists(_good | _good | _bad.map(lambda value: value + b"\n"), min_size=1, max_size=40)


@given(batches=st.lists(_lines, min_size=1, max_size=3))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_batch_ends_as_what_send_sends(batches: list[Sequence[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Good, twice, conflicting, late and bad lines: the same outcomes, rows and dead letters; answers say the same."""
    monkeypatch.setattr("agents.cli.send.now_ms", lambda: NOON)
    memory = Path("/dev/shm")
    base = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    try:
        for name in ("http", "send"):
            new_log(base / name / "log", PARTITIONS).close()
        told: list[Any] = []
        with EmbeddedLog.open(base / "http" / "log", create=False) as log, taking(log, base / "views") as client:
            for batch in batches:
                told += send(client, b"".join(batch))["lines"] if b"".join(batch).strip() else []
        for number, batch in enumerate(batches):
            (base / f"{number}.ndjson").write_bytes(b"".join(batch))
            main(["send", str(base / f"{number}.ndjson"), "--broker", f"embedded://{base / 'send' / 'log'}"])
        by_http, by_send = asyncio.run(ended(base / "http")), asyncio.run(ended(base / "send"))
    finally:
        shutil.rmtree(base)
    assert by_send == by_http
    conflicts = sum(letter.reason == "conflict" for letter in by_http.dead)
    reasons = sorted(letter.reason for letter in by_http.dead if letter.reason != "conflict")
    assert reasons == sorted(one["reason"] for one in told if one["status"] == "refused" and one["in_log"])
    assert sum(by_http.outcomes.values()) == sum(one["in_log"] for one in told)
    assert len(by_http.dead) - conflicts == sum(one["status"] == "refused" and one["in_log"] for one in told)


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (b"", NDJSON, 400, "no line in the body"),
        (b"\n \n", NDJSON, 400, "no line in the body"),
        (b"{}\n" * 10_001, NDJSON, 413, "10,000 lines, this one has 10,001"),
        (b"x" * (intake.MOST_BYTES + 1), NDJSON, 413, "8,388,608 bytes"),
        (b"{}", {"content-type": "text/csv"}, 415, "application/x-ndjson"),
        (b"{}", {}, 415, "application/x-ndjson"),
        (b"{}", {**NDJSON, "content-encoding": "gzip"}, 415, "not compressed"),
        (b"{}", {**NDJSON, "idempotency-key": "a b"}, 400, "visible"),
        (b"{}", {**NDJSON, "idempotency-key": "x" * 129}, 400, "visible"),
    ],
)
def test_a_batch_that_cannot_be_taken_is_told_why(
    client: Client, log: EmbeddedLog, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    """A problem says the limit, or the header and what would be right; nothing of it is in the log."""
    answer = client.post(EVENTS, content=body, headers=headers)
    assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert said in answer.json()["detail"]
    assert [] == values(log)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (LogBusy("somebody holds the lock"), 429),
        (LogFull("no room left on the disk"), 503),
        (BrokerGone("kafka-1:9092 does not answer"), 503),
        (LogError("it is damaged"), 503),
    ],
)
def test_a_log_that_takes_nothing_is_told_and_asked_again(
    log: EmbeddedLog, tmp_path: Path, error: Exception, status: int
) -> None:
    """When to come again is said, where the log is is not; the same batch then goes in whole, once."""
    with taking(Refusing(log, error), tmp_path / "views") as client:
        answer = client.post(EVENTS, content=line(), headers=NDJSON)
        assert (status, True) == (answer.status_code, int(answer.headers["retry-after"]) > 0)
        assert str(error) not in answer.text
        assert [] == values(log)
        assert 1 == send(client, line())["accepted"]
    assert 1 == len(values(log))


def test_a_line_that_the_brokers_never_take_is_no_reason_to_come_again(log: EmbeddedLog, tmp_path: Path) -> None:
    """413 says which limit it was, without Retry-After."""
    too_large = ValueError("a record of 2000000 bytes for qc-events: that is more than the brokers take")
    with taking(Refusing(log, too_large), tmp_path / "views") as client:
        answer = client.post(EVENTS, content=line(), headers=NDJSON)
    assert (413, None) == (answer.status_code, answer.headers.get("retry-after"))
    assert str(too_large) in answer.json()["detail"]


def test_more_than_there_is_room_for_waits_outside(client: Client, log: EmbeddedLog) -> None:
    """429 with Retry-After while other batches are under way; then it is taken."""
    web = client.app.state.web
    with web.batches.room.portion() as take:
        take(intake.MOST_UNDER_WAY - 10)
        answer = client.post(EVENTS, content=line(), headers=NDJSON)
        assert (429, "1") == (answer.status_code, answer.headers["retry-after"])
    assert 1 == send(client, line())["accepted"]
    assert 1 == len(values(log))


def test_a_process_without_a_log_says_so(tmp_path: Path) -> None:
    """Also one whose log is not there yet, which is looked for again each time."""
    from litestar.testing import TestClient

    from agents.intake.intake import Intake, PlaceOf
    from agents.settings import Settings
    from dashboards.web.app import create_app
    from tests.web.shelf import Shelf

    place = PlaceOf(Settings.load({}, {"broker": f"embedded://{tmp_path / 'log'}"}))
    with pytest.raises(LogMissing), place.open():
        pass
    app = create_app(Shelf(tmp_path / "views").reader(), intake=Intake(place, lambda: NOON), access=OPEN)
    with TestClient(app) as client:
        assert "log cannot be written" in send(client, line(), 503)["detail"]
        assert not (tmp_path / "log").exists()
        for _ in range(2):  # a log that is made anew in its place is another one
            with new_log(tmp_path / "log", PARTITIONS) as log:
                assert 1 == send(client, line())["accepted"]
                assert 1 == len(values(log))
            shutil.rmtree(tmp_path / "log")
    with TestClient(create_app(Shelf(tmp_path / "views").reader(), access=OPEN)) as client:
        assert "takes no events" in send(client, line(), 503)["detail"]
