"""`scorestream case-mix`, and what `explain` and `scores` say of work that is allowed for."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from agents.cli.main import main
from agents.transport.embedded.log import Outgoing
from schemas.instants import DAY, HOUR
from stream.topics import TEMPLATES
from tests.agents.test_case_mix import NOON, model, new_rig, work

Output = pytest.CaptureFixture[str]
Seen = tuple[int, str, str]


@pytest.fixture
def broker(tmp_path: Path) -> str:
    """A log with a template, two kinds of work and a model of one of its indicators; settled."""
    rig = new_rig(tmp_path)
    try:
        rig.append([model("a", 1, NOON, 0.9, [0.95, 0.8])])
        rig.append([Outgoing(TEMPLATES, 0, NOON, b"case-mix:op/a@2", b"{}")])
        rig.refresh()
        for partition in rig.partitions:  # as agents/scoring.py notes what it has read
            partition.meta.applied[TEMPLATES] = rig.log.ends([(TEMPLATES, partition.number)])[
                TEMPLATES, partition.number
            ]
        work(rig, NOON + HOUR, {"L1": 10, "L2": 8, "L9": 9}, records=2)
        rig.wall = NOON + 2 * HOUR
        asyncio.run(rig.drain())
    finally:
        rig.close()
    return f"embedded://{tmp_path / 'log'}"


def _run(capsys: Output, *arguments: str) -> Seen:
    code = main(arguments)
    seen = capsys.readouterr()
    return code, seen.out, seen.err


def test_rows_have_what_was_allowed_for_and_the_adjusted_share(broker: str, capsys: Output) -> None:
    """60 inspected, 54 good: 20 of each kind; allowed 20 * -0.05, 20 * 0.1 and nothing; (54 + 1) / 60."""
    code, out, _ = _run(
        capsys, "scores", "--employee", "E1", "--window", "day", "--format", "ndjson", "--broker", broker
    )
    assert 0 == code
    rows = {row["indicator"]: row for row in map(json.loads, out.splitlines())}
    assert (60, 54, 1) == (rows["a"]["n"], rows["a"]["good"], rows["a"]["allowance"])
    assert pytest.approx(55 / 60) == rows["a"]["adjusted"]
    assert pytest.approx(0.9) == rows["a"]["value"]
    assert (0, 0.9) == (rows["y"]["allowance"], rows["y"]["adjusted"])
    assert "adjusted" not in rows["@total"]


def test_explain_shows_the_adjustment_piece_by_piece(broker: str, capsys: Output) -> None:
    """What each event's kind usually gives, what all work gives, and what is allowed for the difference."""
    _, out, _ = _run(capsys, "explain", "E1", "a", "day", "--format", "ndjson", "--broker", broker)
    *events, last = map(json.loads, out.splitlines())
    by_kind = {event["dims"]["line"]: event for event in events}
    assert {"L1": (0.95, 0.9, -0.5), "L2": (0.8, 0.9, 1), "L9": (0.9, 0.9, 0)} == {
        kind: (event["expected"], event["base"], event["allowance"]) for kind, event in by_kind.items()
    }
    score = last["score"]
    assert score["allowance"] == sum(event["allowance"] for event in events)
    assert "(54 + 1) / 60" == score["adjusted_with_numbers"]
    assert ["op/a@1"] == score["case_mix"]
    _, table, _ = _run(capsys, "explain", "E1", "a", "day", "--broker", broker)
    assert "expected" in table.splitlines()[0]
    assert "(54 + 1) / 60" in table


def test_verify_finds_nothing(broker: str, capsys: Output) -> None:
    """The oracle allows for the same."""
    code, out, err = _run(capsys, "verify", "--broker", broker)
    assert 0 == code, out + err


def test_models_are_listed_and_shown(broker: str, capsys: Output) -> None:
    """One row per model that counts; a record that is none is not among them."""
    _, out, _ = _run(capsys, "case-mix", "list", "--format", "ndjson", "--broker", broker)
    (row,) = map(json.loads, out.splitlines())
    assert ("op", "a", 1, "line", 0.9, 2, "in effect") == tuple(
        row[name] for name in ("template", "indicator", "number", "by", "base", "kinds", "state")
    )
    _, out, _ = _run(capsys, "case-mix", "show", "op/a", "--format", "ndjson", "--broker", broker)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [("L1", 0.95, -0.05), ("L2", 0.8, 0.1)] == [(r["kind"], r["expected"], r["difference"]) for r in rows]


def test_a_model_that_is_not_there_is_named(broker: str, capsys: Output) -> None:
    """With those that are."""
    code, _, err = _run(capsys, "case-mix", "show", "op/b", "--broker", broker)
    assert 1 == code
    assert "model 'op/b' is not in the log; there are: op/a" in err
    code, _, err = _run(capsys, "case-mix", "show", "op/a@7", "--broker", broker)
    assert 1 == code
    assert "its numbers are 1 to 1" in err


def test_learn_says_what_became_of_it(broker: str, capsys: Output) -> None:
    """240 units are too few: exit code 1, and why."""
    code, out, _ = _run(capsys, "case-mix", "learn", "--format", "ndjson", "--broker", broker)
    assert 1 == code
    rows = {row["indicator"]: row for row in map(json.loads, out.splitlines())}
    assert {"y", "a"} == rows.keys()
    assert rows["y"]["model"] is None
    assert "240 units so far; 1,000 are needed" in rows["y"]["why"]


def test_learn_publishes_what_it_learned(tmp_path: Path, capsys: Output) -> None:
    """And shows it with the counts."""
    rig = new_rig(tmp_path)
    work(rig, NOON - DAY, {"easy": 10, "hard": 8})
    rig.close()
    broker = f"embedded://{tmp_path / 'log'}"
    code, out, _ = _run(capsys, "case-mix", "learn", "--broker", broker)
    assert 0 == code
    assert "case-mix:op/a@1" in out
    _, out, _ = _run(capsys, "case-mix", "show", "op/a", "--format", "ndjson", "--broker", broker)
    rows = {row["kind"]: row for row in map(json.loads, out.splitlines())}
    assert (1600, 1280, 0.8, 4) == tuple(rows["hard"][name] for name in ("n", "good", "share", "people"))
    _, out, _ = _run(capsys, "case-mix", "list", "--broker", broker)
    assert "to come" in out
