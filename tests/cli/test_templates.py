"""templates: wrong ones are told in full, right ones are published once."""

from __future__ import annotations

import datetime
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.cli.reports import local_time
from agents.publishing import PublicationRefused, is_published, publish
from agents.rules import Publication, publications
from agents.transport.embedded.log import EmbeddedLog, Outgoing, partition_for
from stream.topics import TEMPLATES
from tests.cli.conftest import Run, records

TEXT = """\
template: production-operator
version: 1
effective_from: 2026-03-01T00:00:00+08:00
timezone: Asia/Shanghai
applies_to: {roles: [operator]}
title: {zh: 生产线员工, en: Production operator}
indicators:
  - id: yield
    name: {zh: 良品率, en: Yield}
    definition: {zh: 合格的比例, en: accepted / all}
    from: qc.inspection
    value: accepted / inspected
    rate: {good: accepted, of: inspected}
    target: 0.95
    windows: [rolling 60m, day]
"""
ROOT = Path(__file__).parents[2]
HOUR = datetime.timedelta(hours=1)


def version(number: int, begins: str = "2026-03-01T00:00:00+08:00", text: str = TEXT) -> str:
    """The template with another version and beginning."""
    return text.replace("version: 1", f"version: {number}").replace("2026-03-01T00:00:00+08:00", begins)


def later(hours: int = 1) -> str:
    """An instant some hours from now."""
    return (datetime.datetime.now(datetime.UTC) + hours * HOUR).isoformat(timespec="seconds")


def file(text: str, name: str = "t.yaml") -> str:
    """A file with this text."""
    Path(name).write_text(text, encoding="utf-8")
    return name


def test_check_of_a_good_one(run: Run, tmp_path: Path) -> None:
    """A good template is said to be fine, with its beginning in its own zone; no log is needed or made."""
    result = run("templates", "check", file(TEXT))
    assert result.code == 0
    assert "t.yaml: fine: production-operator@1, in force from 2026-03-01T00:00:00+08:00 (Asia/Shanghai)" in result.out
    assert [path.name for path in tmp_path.iterdir()] == ["t.yaml"]


def test_check_prints_every_error(run: Run) -> None:
    """All errors are printed with line, field, value and remedy, a formula with a pointer; the exit code is 1."""
    bad = TEXT.replace("accepted / inspected", "accepted / / inspected").replace("0.95", "high").replace("day]", "dya]")
    result = run("templates", "check", file(bad))
    assert result.code == 1
    lines = result.out.splitlines()
    assert [line.split(": ")[2:4] for line in lines if line.startswith("t.yaml")] == [
        ["line 12", "indicators[0].value 'accepted / / inspected'"],
        ["line 14", "indicators[0].target 'high'"],
        ["line 15", "indicators[0].windows[1] 'dya'"],
    ]
    pointed = lines.index("    accepted / / inspected")
    assert lines[pointed + 1].strip() == "^"


def test_check_as_rows(run: Run) -> None:
    """Errors and warnings are rows too."""
    (row,) = run("templates", "check", "-", "--format", "ndjson", stdin=version(0).encode()).rows()
    assert (row["level"], row["line"], row["field"], row["value"]) == ("error", 2, "version", "0")
    assert row["remedy"]


def test_check_of_what_is_not_text(run: Run) -> None:
    """A file that is no UTF-8 is an error in one line."""
    Path("t.yaml").write_bytes(b"template: \xff")
    result = run("templates", "check", "t.yaml")
    assert (result.code, "t.yaml: not UTF-8" in result.err) == (1, True)


def test_publish(run: Run, log: EmbeddedLog) -> None:
    """Publishing appends the text as it is under id@version and says from when it holds."""
    before = time.time_ns() // 1_000_000
    result = run("templates", "publish", file(TEXT))
    assert (result.code, result.err) == (0, "")
    assert "published production-operator@1, in force from 2026-03-01T00:00:00+08:00 (Asia/Shanghai)" in result.out
    ((partition, record),) = records(log, TEMPLATES)
    assert (record.key, record.value) == (b"production-operator@1", TEXT.encode())
    assert partition == partition_for(b"production-operator@1", 4)
    assert before <= record.timestamp <= time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TEXT, "is published already"),
        (TEXT.replace("0.95", "0.9"), "is published already"),
        (version(2), "is not later than the publication"),
        (version(2).replace("version: 2", "version: two"), "version 'two'"),
    ],
)
def test_refused_publications(run: Run, log: EmbeddedLog, text: str, said: str) -> None:
    """What breaks a rule of publication is refused with the reason, and nothing is appended."""
    assert run("templates", "publish", file(TEXT)).code == 0
    result = run("templates", "publish", file(text))
    assert result.code == 1
    assert said in result.out
    assert len(records(log, TEMPLATES)) == 1


def test_a_number_without_effect_is_taken(log: EmbeddedLog) -> None:
    """A record that broke a rule keeps its number: compaction must never put another text under it."""
    log.append([Outgoing(TEMPLATES, partition_for(b"production-operator@1", 4), 5, b"production-operator@1", b"no")])
    with pytest.raises(PublicationRefused, match="is taken"):
        publish(log, TEXT, 10)
    assert len(records(log, TEMPLATES)) == 1


def test_is_published(log: EmbeddedLog) -> None:
    """Whether this very text is published can be asked, so that an import need not publish twice."""
    assert not is_published(log, TEXT)
    publish(log, TEXT, 1)
    assert is_published(log, TEXT)
    assert not is_published(log, TEXT.replace("0.95", "0.9"))


def test_only_one_of_many_publishers(log: EmbeddedLog) -> None:
    """When two processes publish the same version at once, exactly one of them succeeds."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = (sys.executable, "-m", "agents.cli.main", "templates", "publish")
    names = [file(TEXT.replace("0.95", f"0.9{n}"), f"{n}.yaml") for n in range(2)]
    started = [subprocess.Popen([*command, name], stdout=subprocess.DEVNULL, env=environment) for name in names]
    codes = [process.wait() for process in started]
    assert sorted(codes) == [0, 1]
    ((_, record),) = records(log, TEMPLATES)
    assert record.value == Path(names[codes.index(0)]).read_bytes()


def test_a_publisher_waits_for_another(log: EmbeddedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between a publisher's check and its append nobody else gets in: the second one sees the first one's version."""
    checked, other_waits_or_is_through = threading.Event(), threading.Event()
    first = threading.Thread(target=publish, args=(log, TEXT, 1))

    def look(opened: EmbeddedLog) -> list[Publication]:
        found = publications(opened)
        if threading.current_thread() is first:
            checked.set()
            assert other_waits_or_is_through.wait(30)
        return found

    def lock(descriptor: int, operation: int, flock: Callable[[int, int], None] = fcntl.flock) -> None:
        try:
            flock(descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            other_waits_or_is_through.set()
            flock(descriptor, operation)

    monkeypatch.setattr("agents.publishing.publications", look)
    monkeypatch.setattr("agents.transport.embedded.lock.fcntl.flock", lock)
    first.start()
    assert checked.wait(30)
    try:
        with pytest.raises(PublicationRefused, match="is published already"):
            publish(log, TEXT.replace("0.95", "0.9"), 2)
    finally:
        other_waits_or_is_through.set()
        first.join()
    assert [record.value for _, record in records(log, TEMPLATES)] == [TEXT.encode()]


def test_list(run: Run, log: EmbeddedLog) -> None:
    """All versions are listed, with their state now."""
    publish(log, TEXT, 1)
    publish(log, version(2, "2026-04-01T00:00:00+08:00"), 2)
    publish(log, version(3, later(1)), 3)
    publish(log, TEXT.replace("production-operator", "other").replace("{roles: [operator]}", "everyone"), 4)
    rows = run("templates", "list", "--format", "ndjson").rows()
    assert [(row["template"], row["version"], row["state"]) for row in rows] == [
        ("other", 1, "in force"),
        ("production-operator", 1, "superseded"),
        ("production-operator", 2, "in force"),
        ("production-operator", 3, "upcoming"),
    ]
    assert rows[1] == {
        "template": "production-operator",
        "version": 1,
        "effective_from": "2026-03-01T00:00:00+08:00",
        "published_at": "1970-01-01T00:00:00.001Z",
        "timezone": "Asia/Shanghai",
        "applies_to": "operator",
        "title": "Production operator",
        "state": "superseded",
    }
    assert rows[0]["applies_to"] == "everyone"
    assert run("templates", "list", "--language", "zh", "--format", "ndjson").rows()[0]["title"] == "生产线员工"


def test_show(run: Run, log: EmbeddedLog) -> None:
    """A version is shown as it was published; without a number the one in force."""
    second = version(2, "2026-04-01T00:00:00+08:00")
    for number, text in enumerate((TEXT, second, version(3, later()))):
        publish(log, text, number)
    assert run("templates", "show", "production-operator").out == second
    assert run("templates", "show", "production-operator@1").out == TEXT


def test_show_of_an_upcoming_one(run: Run, log: EmbeddedLog) -> None:
    """When none is in force yet the newest is shown."""
    text = version(1, later())
    publish(log, text, 1)
    assert run("templates", "show", "production-operator").out == text


@pytest.mark.parametrize(("name", "code"), [("other", 1), ("production-operator@9", 1), ("production-operator@x", 2)])
def test_show_of_none(run: Run, log: EmbeddedLog, name: str, code: int) -> None:
    """A version that is not published is named, with those that are."""
    publish(log, TEXT, 1)
    result = run("templates", "show", name)
    assert (result.code, result.out, repr(name) in result.err) == (code, "", True)


@pytest.mark.parametrize(
    ("at", "zone", "text"),
    [
        (1_772_294_400_000, "Asia/Shanghai", "2026-03-01T00:00:00+08:00"),
        (1_772_294_400_001, "UTC", "2026-02-28T16:00:00.001+00:00"),
        (946_684_800_000, "America/New_York", "1999-12-31T19:00:00-05:00"),
    ],
)
def test_local_time(at: int, zone: str, text: str) -> None:
    """A beginning is told in the template's own zone."""
    assert local_time(at, zone) == text
