"""Appeals on the command line: listed with their deadline, shown whole, answered by somebody else, once."""

from __future__ import annotations

from pathlib import Path

import pytest

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
        (("9", "So.", "--reject"), 1, "there is no appeal 9"),
        (("1", " ", "--reject"), 1, "answer: 0 characters; write 1 to 2,000"),
    ],
)
def test_what_cannot_be_answered_is_told(run: Run, one: int, words: tuple[str, ...], code: int, told: str) -> None:
    """One line, and nothing has changed."""
    found = run("appeals", "answer", *words, *DATA)
    assert (code, True) == (found.code, told in found.err), found.err
    assert 1 == len(run("appeals", "list", "--format", "ndjson", *DATA).rows())
