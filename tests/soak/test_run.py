"""The loop round the rounds: how many, what is checked when, and what a violation does."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.soak import run as loop
from tests.soak.__main__ import main
from tests.soak.processes import Violation
from tests.soak.report import Report
from tests.soak.world import Round


class _World:
    """A folder in which nothing happens but what `wrong` says."""

    made: list[_World]
    wrong: dict[str, list[str] | Violation]

    def __init__(self, base: Path, seed: str) -> None:
        self.seed, self.peak, self.rounds, self.checks, self.kept = seed, 100 << 20, 0, 0, False
        self.made.append(self)

    def round(self) -> Round:
        self.rounds += 1
        wrong = self.wrong.get(f"{self.seed}/{self.rounds}")
        if isinstance(wrong, Violation):
            raise wrong
        return Round(fault="killed", records=10, restart=1.5, seconds=2.0)

    def check(self) -> tuple[object, list[str]]:
        self.checks += 1
        wrong = self.wrong.get(f"{self.seed}/{self.rounds}", [])
        assert isinstance(wrong, list)
        return SimpleNamespace(records={}, oracle=SimpleNamespace(employees=[])), wrong

    def heard(self) -> dict[str, int]:
        return {"store built anew at a start": 1}

    def close(self, *, keep: bool) -> None:
        self.kept = keep


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> list[_World]:
    """The folders that the loop makes."""
    _World.made, _World.wrong = [], {}
    monkeypatch.setattr(loop, "World", _World)
    return _World.made


def _soak(kills: int, tmp_path: Path) -> tuple[Report, str]:
    told = io.StringIO()
    report = Report(7, told)
    loop.soak(tmp_path, 7, kills, report)
    report.table()
    return report, told.getvalue()


def test_a_fresh_folder_every_ten_rounds_and_a_check_every_three(worlds: list[_World], tmp_path: Path) -> None:
    """And after the last round of each folder."""
    report, told = _soak(14, tmp_path)
    assert [("7.0", 10, 4, False), ("7.1", 4, 2, False)] == [(w.seed, w.rounds, w.checks, w.kept) for w in worlds]
    assert report.violations == 0
    rows = dict(line.rsplit("  ", 1) for line in told.splitlines()[-10:])
    assert {"14", "0", "1.5", "100 MB"} <= {value.strip() for value in rows.values()}


@pytest.mark.parametrize("wrong", [["I1 rows: off by one"], Violation("I1 rows: off by one")])
def test_a_violation_ends_its_folder_keeps_it_and_says_how_to_see_it_again(
    worlds: list[_World], tmp_path: Path, wrong: list[str] | Violation
) -> None:
    """The rounds that are left go on in a fresh folder."""
    _World.wrong = {"7.0/3": wrong}
    report, told = _soak(5, tmp_path)
    assert report.violations == 1
    assert [("7.0", 3, True), ("7.1", 2, False)] == [(w.seed, w.rounds, w.kept) for w in worlds]
    assert "VIOLATION I1 rows: off by one\n" in told
    assert "python -m tests.soak --kills 10 --seed 7 --world 0" in told


def test_the_exit_code_says_whether_anything_was_found(
    worlds: list[_World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 when nothing was; the seed is the first thing that is said."""
    monkeypatch.setattr("sys.argv", ["soak", "--kills", "2", "--seed", "7", "--folder", str(tmp_path / "a")])
    (tmp_path / "a").mkdir()
    assert main() == 0
    _World.wrong = {"7.0/2": ["I2 outcomes: one too many"]}
    (tmp_path / "a").mkdir()
    assert main() == 1
    assert capsys.readouterr().out.startswith("seed 7; logs in ")


def test_one_folder_can_be_repeated(worlds: list[_World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the seed and its number."""
    (tmp_path / "a").mkdir()
    arguments = ["soak", "--kills", "20", "--seed", "7", "--world", "4", "--folder", str(tmp_path / "a")]
    monkeypatch.setattr("sys.argv", arguments)
    assert main() == 0
    assert [("7.4", 10)] == [(world.seed, world.rounds) for world in worlds]


def test_no_new_round_after_the_time_given(
    worlds: list[_World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The round that is under way is finished and checked."""
    (tmp_path / "a").mkdir()
    monkeypatch.setattr(
        "sys.argv", ["soak", "--kills", "99", "--minutes", "0", "--seed", "7", "--folder", str(tmp_path / "a")]
    )
    assert main() == 0
    assert sum(world.rounds for world in worlds) <= 1
