"""dead-letters: what was rejected, why, and once more."""

from __future__ import annotations

import base64
import json

import pytest

from agents.dead_letters import Retry, retried
from agents.outbox import dead_letter
from agents.transport.embedded.log import EmbeddedLog, Outgoing, Record
from schemas.event import Rejection, Row
from stream.topics import COMMANDS
from tests.cli.conftest import Run, as_worker, line, records

AT = 1_772_410_500_000
REJECTED = [
    ("qc-events", 1, 7, b"E1", b"\xffnot json", Rejection("not_json", "value: is no UTF-8")),
    ("qc-events", 2, 9, None, b"{}", Rejection("schema", "event_id: is missing")),
    ("people-events", 1, 3, b"E2", line(), Rejection("wrong_topic", "type: 'qc.inspection' belongs in qc-events")),
    ("qc-events", 3, 1, b"E3", None, Rejection("not_json", "value: is null")),
]


@pytest.fixture
def rejected(log: EmbeddedLog) -> EmbeddedLog:
    """A log in which the worker rejected four records, a minute apart."""
    letters = [
        dead_letter(topic, partition, Row(offset, AT + n * 60_000, key, value, None), why)
        for n, (topic, partition, offset, key, value, why) in enumerate(REJECTED)
    ]
    as_worker(log, letters, {})
    return log


def ids(run: Run, *options: str) -> list[str]:
    """The ids that `list` prints."""
    return [row["id"] for row in run("dead-letters", "list", "--format", "ndjson", *options).rows()]


def test_list(run: Run, rejected: EmbeddedLog) -> None:
    """All are listed by time with reason, detail and where they were."""
    rows = run("dead-letters", "list", "--format", "ndjson").rows()
    assert [row["id"] for row in rows] == ["qc-events/1/7", "qc-events/2/9", "people-events/1/3", "qc-events/3/1"]
    assert rows[0] == {
        "id": "qc-events/1/7",
        "reason": "not_json",
        "detail": "value: is no UTF-8",
        "timestamp": "2026-03-02T00:15:00.000Z",
        "key": "E1",
        "bytes": 9,
        "retried_at": None,
    }


def test_filters(run: Run, rejected: EmbeddedLog) -> None:
    """--reason and --since choose; a reason that does not exist is a usage error."""
    assert ids(run, "--reason", "not_json") == ["qc-events/1/7", "qc-events/3/1"]
    assert ids(run, "--since", "2026-03-02T08:17:00+08:00") == ["people-events/1/3", "qc-events/3/1"]
    assert ids(run, "--since", "9999d") == [*ids(run)]
    assert ids(run, "--since", "1s") == []
    assert run("dead-letters", "list", "--reason", "nonsense").code == 2
    assert run("dead-letters", "list", "--since", "yesterday").code == 2


def test_show(run: Run, rejected: EmbeddedLog) -> None:
    """One is shown with the bytes it held; bytes that are no text as base64."""
    (row,) = run("dead-letters", "show", "qc-events/1/7", "--format", "ndjson").rows()
    assert row["value"] == "base64:" + base64.b64encode(b"\xffnot json").decode()
    assert "event_id: is missing" in run("dead-letters", "show", "qc-events/2/9").out
    result = run("dead-letters", "show", "qc-events/2/8")
    assert (result.code, "'qc-events/2/8'" in result.err) == (1, True)


def test_retry(run: Run, rejected: EmbeddedLog) -> None:
    """Retried records are where they were, with original bytes, key and timestamp, in the order asked for."""
    result = run("dead-letters", "retry", "people-events/1/3", "qc-events/1/7")
    assert (result.code, result.out) == (0, "retried 2 records\n")
    assert records(rejected, "people-events") == [(1, Record(0, AT + 120_000, b"E2", line(), None))]
    assert records(rejected, "qc-events") == [(1, Record(0, AT, b"E1", b"\xffnot json", None))]


def test_retry_all_once(run: Run, rejected: EmbeddedLog) -> None:
    """`--all` leaves out what was retried before; by name it can be retried once more."""
    assert run("dead-letters", "retry", "qc-events/1/7").out == "retried 1 records\n"
    assert run("dead-letters", "retry", "--all", "--reason", "not_json").out == "retried 1 records\n"
    assert run("dead-letters", "retry", "--all").out == "retried 2 records\n"
    assert run("dead-letters", "retry", "--all").out == "retried 0 records\n"
    assert len(records(rejected, "qc-events")) == 3
    assert run("dead-letters", "retry", "qc-events/1/7").out == "retried 1 records\n"


def failed_again(log: EmbeddedLog, offset: int) -> None:
    """The worker rejects the retry of the first letter, at another offset, as it was."""
    topic, partition, _, key, value, why = REJECTED[0]
    as_worker(log, [dead_letter(topic, partition, Row(offset, AT, key, value, None), why)], {})


def test_what_a_retry_left_is_not_retried_again(run: Run, rejected: EmbeddedLog) -> None:
    """`--all` sends each record once, however often it fails; by name it goes again, and `--all` still leaves it."""
    assert run("dead-letters", "retry", "--all").out == "retried 4 records\n"
    failed_again(rejected, 90)
    result = run("dead-letters", "retry", "--all")
    assert (result.code, result.out) == (0, "retried 0 records\n")
    assert "1 stay out: retries that failed again; name them" in result.err
    assert run("dead-letters", "retry", "qc-events/1/90").out == "retried 1 records\n"
    failed_again(rejected, 91)
    assert run("dead-letters", "retry", "--all").out == "retried 0 records\n"
    result = run("dead-letters", "retry", "--all", "--reason", "schema")
    assert (result.out, "stay out" in result.err) == ("retried 0 records\n", False)


def test_a_call_does_not_take_the_failures_of_its_own_retries(
    run: Run, rejected: EmbeddedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that rejects them while the call goes on finds no end otherwise."""
    monkeypatch.setattr("agents.cli.dead_letters._AT_ONCE", 1)
    append, offset = EmbeddedLog.append, 100

    def rejecting(log: EmbeddedLog, outgoing: list[Outgoing]) -> list[int]:
        nonlocal offset
        offset += 1
        offsets = append(log, outgoing)
        failed_again(rejected, offset)
        return offsets

    monkeypatch.setattr(EmbeddedLog, "append", rejecting)
    assert run("dead-letters", "retry", "--all").out == "retried 4 records\n"
    assert offset == 104


def test_another_record_is_not_a_retry(run: Run, rejected: EmbeddedLog) -> None:
    """The same bytes with another timestamp were sent by somebody: they are retried."""
    run("dead-letters", "retry", "--all")
    topic, partition, _, key, value, why = REJECTED[0]
    as_worker(rejected, [dead_letter(topic, partition, Row(90, AT + 1, key, value, None), why)], {})
    assert run("dead-letters", "retry", "--all").out == "retried 1 records\n"


def test_retry_is_on_record(run: Run, rejected: EmbeddedLog) -> None:
    """Each retry leaves a command with who and when, and the list shows when."""
    run("dead-letters", "retry", "qc-events/2/9")
    ((_, command),) = records(rejected, COMMANDS)
    noted = json.loads(command.value or b"")
    assert (noted["command"], noted["dead_letter"], noted["at"]) == (
        "retry-dead-letter",
        "qc-events/2/9",
        command.timestamp,
    )
    assert noted["by"]
    rows = {row["id"]: row["retried_at"] for row in run("dead-letters", "list", "--format", "ndjson").rows()}
    assert [id for id, at in rows.items() if at] == ["qc-events/2/9"]


def test_other_commands_are_no_retries() -> None:
    """Commands of other kinds, and what is no command, are passed over."""
    found = [b"x", None, b'{"command":"acknowledge","alert":"a"}', b'{"command":"retry-dead-letter"}']
    good = b'{"command":"retry-dead-letter","dead_letter":"qc-events/0/1","at":5,"by":"me"}'
    assert retried(Record(n, 0, b"", value, None) for n, value in enumerate([*found, good])) == {"qc-events/0/1": 5}
    assert Retry("a", 1, "b") != Retry("a", 2, "b")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2),
        (["--all", "qc-events/1/7"], 2),
        (["--reason", "not_json", "qc-events/1/7"], 2),
        (["qc-events/1/7", "qc-events/1/8"], 1),
    ],
)
def test_nothing_is_retried_by_mistake(run: Run, rejected: EmbeddedLog, arguments: list[str], code: int) -> None:
    """A call that is wrong, or names one that is not there, retries nothing."""
    assert run("dead-letters", "retry", *arguments).code == code
    assert records(rejected, "qc-events") == []


def test_a_name_given_twice(run: Run, rejected: EmbeddedLog) -> None:
    """A dead letter named twice is retried once."""
    assert run("dead-letters", "retry", "qc-events/1/7", "qc-events/1/7").out == "retried 1 records\n"


def test_cells_are_harmless(run: Run, log: EmbeddedLog) -> None:
    """What a sender put into a record cannot become a formula or move the cursor."""
    row = Row(1, AT, b"=cmd()", b"\x1b[2J", None)
    as_worker(log, [dead_letter("qc-events", 0, row, Rejection("bad_id", "=1+1"))], {})
    assert "'=cmd()" in run("dead-letters", "list", "--format", "csv").out
    assert "\x1b" not in run("dead-letters", "show", "qc-events/0/1").out


def test_retry_says_so_when_cut_off(run: Run, rejected: EmbeddedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """When appending fails it says how many were retried before."""

    def append(_: EmbeddedLog, __: list[Outgoing]) -> list[int]:
        raise OSError(5, "Input/output error", "log.sqlite")

    monkeypatch.setattr(EmbeddedLog, "append", append)
    result = run("dead-letters", "retry", "--all")
    assert (result.code, result.out) == (1, "retried 0 records\n")
