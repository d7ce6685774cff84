"""Appeals on the command line: listed with their deadline, shown whole, answered by somebody else, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.access.administration import Administration
from agents.access.audit import entries, verify
from agents.cli.access_store import actor
from agents.records.appeals import Contested, Who, hand_in
from agents.records.database import open_records
from schemas.instants import DAY
from tests.cli.conftest import Run

NOW = 1_772_430_000_000
SCORE = Contested("production-operator", 1, "yield", "day", NOW - DAY, NOW, 0.93, 100.0)
DATA = ("--data", "site")


@pytest.fixture
def one(tmp_path: Path) -> int:
    """The number of an appeal that was handed in long ago."""
    records = open_records(f"sqlite:///{tmp_path / 'site' / 'records.sqlite'}")
    admin = Administration(records, "os:test", 0)
    admin.add_account("m.lee", "E0009", ["hr"])
    admin.add_account("deng.ting", "E0001", ["hr"])
    admin.add_account("operator", "E0002", [])
    made = records.write(hand_in(SCORE, "Counted twice.", "E0001", Who("a", "E0001"), NOW, 7))
    records.close()
    return made.number


def test_open_appeals_are_listed(run: Run, one: int) -> None:
    """With the score as it was; one that nobody answered in time is overdue."""
    (row,) = run("appeals", "list", "--format", "ndjson", *DATA).rows()
    assert (one, "open", True, "E0001", 0.93) == tuple(
        row[name] for name in ("appeal", "state", "overdue", "employee", "value")
    )
    assert "2026-03-09T05:40:00.000Z" == row["due_at"]


def test_an_answer_closes_an_appeal(run: Run, one: int) -> None:
    """It is in `show`, and no longer in the list but with --all."""
    assert 0 == run("appeals", "answer", str(one), "Corrected.", "--uphold", "--by", "m.lee", *DATA).code
    (row,) = run("appeals", "show", str(one), "--format", "ndjson", *DATA).rows()
    assert ("upheld", "m.lee", "Corrected.") == (row["state"], row["answered_by"], row["answer"])
    assert [] == run("appeals", "list", "--format", "ndjson", *DATA).rows()
    assert 1 == len(run("appeals", "list", "--all", "--format", "ndjson", *DATA).rows())


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("1", "So."), 2, "say --uphold"),
        (("1", "So.", "--uphold", "--reject"), 2, "say --uphold"),
        (("1", "So.", "--reject", "--by", "E0001"), 1, "'E0001' is the one scored"),
        (("1", "So.", "--reject", "--by", "deng.ting"), 1, "'deng.ting' is the one scored"),
        (("1", "So.", "--reject", "--by", "operator"), 1, "this takes the right 'answer-appeals'"),
        (("1", "So.", "--reject", "--by", "a.friend"), 1, "by 'a.friend': no account of that name"),
        (("9", "So.", "--reject"), 1, "there is no appeal 9"),
        (("1", " ", "--reject"), 1, "answer: 0 characters; write 1 to 2,000"),
    ],
)
def test_what_cannot_be_answered_is_told(run: Run, one: int, words: tuple[str, ...], code: int, told: str) -> None:
    """One line, and nothing has changed."""
    found = run("appeals", "answer", *words, *DATA)
    assert (code, True) == (found.code, told in found.err), found.err
    assert 1 == len(run("appeals", "list", "--format", "ndjson", *DATA).rows())


def _audited(folder: Path) -> list[tuple[str, str, str, str, dict[str, object]]]:
    records = open_records(f"sqlite:///{folder / 'site' / 'records.sqlite'}")
    with records.reading() as connection:
        assert verify(connection).broken is None
        found = [
            (row.actor, row.action, row.subject, row.outcome, json.loads(row.detail)) for row in entries(connection)
        ]
    records.close()
    return [entry for entry in found if entry[1].startswith("appeal")]


def test_an_answer_is_in_the_audit_log(run: Run, one: int, tmp_path: Path) -> None:
    """Who answered in whose name, what they decided, and about which appeal; also who was not allowed to."""
    run("appeals", "answer", str(one), "No.", "--reject", "--by", "deng.ting", *DATA)
    run("appeals", "answer", str(one), "Corrected.", "--uphold", "--by", "m.lee", *DATA)
    tried, answered = _audited(tmp_path)
    assert (actor(), "appeal-answer", "employee:E0001", "refused") == tried[:4]
    assert (one, "deng.ting") == (tried[4]["appeal"], tried[4]["by"])
    assert (actor(), "appeal-upheld", "employee:E0001", "done") == answered[:4]
    assert (one, "m.lee", "upheld", "yield") == tuple(
        answered[4][name] for name in ("appeal", "by", "state", "indicator")
    )


def test_who_is_scored_answers_under_no_name_of_theirs(
    run: Run, one: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nor as the user of this machine who has their account's name."""
    monkeypatch.setattr("agents.cli.appeals.this_user", lambda: "deng.ting")
    found = run("appeals", "answer", str(one), "No.", "--reject", *DATA)
    assert (1, True) == (found.code, "'deng.ting' is the one scored" in found.err)
    assert ["refused"] == [entry[3] for entry in _audited(tmp_path)]
