"""Boards as files: what is committed is what the code makes, and Grafana's own types lose nothing of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.board import JOBS, SOURCE_UID
from dashboards.grafana.expressions import RECORDED, Recorded, recorded, series, wire_name
from dashboards.grafana.files import BOARDS, FOLDER, encode, texts, write
from stream import metric_names as names
from tests.grafana.lint import KNOWN
from tests.grafana.panels import boards
from tests.grafana.prometheus_server import DEPLOY

register_default_plugins()


def test_what_is_committed_is_what_the_code_makes() -> None:
    """deploy/grafana/dashboards holds each board, byte for byte, and nothing else; `make dashboards` writes it."""
    committed = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}
    assert texts().keys() == committed.keys()
    assert [] == [name for name, text in texts().items() if committed[name] != text], "run `make dashboards`"


def test_writing_takes_away_what_is_no_board(tmp_path: Path) -> None:
    """A board that is gone from the code is gone from the folder."""
    (tmp_path / "old.json").write_text("{}")
    write(tmp_path)
    assert texts() == {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}


def _through(board: Any) -> Any:
    return json.loads(encode(Dashboard.from_json(board)))


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_goes_through_grafanas_types_unchanged(name: str) -> None:
    """Read into the types of the SDK and written again it is the same: there is no key that they do not know."""
    board = boards()[name]
    assert board == _through(board)


@pytest.mark.parametrize("place", ["board", "panel", "options", "target", "variable"])
def test_a_key_that_grafana_does_not_know_is_found(place: str) -> None:
    """The types drop such a key without a word; the comparison says so."""
    board = boards()["service"]
    panel = board["panels"][0]
    places = {
        "board": board, "panel": panel, "options": panel["options"], "target": panel["targets"][0],
        "variable": board["templating"]["list"][0],
    }  # fmt: skip
    places[place]["editabel"] = False
    assert board != _through(board)


def test_what_boards_take_from_configuration_is_there() -> None:
    """Jobs have the names that boards expect, and recording rules make the series that they use, with their labels."""
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
    ours = {job["job_name"] for job in config["scrape_configs"]} - {"prometheus", "alertmanager"}
    assert all(job.startswith(JOBS.removesuffix(".+")) for job in ours)
    rules = yaml.safe_load((DEPLOY / "rules.yml").read_text("utf-8"))["groups"]
    made = {rule["record"] for group in rules for rule in group["rules"] if "record" in rule}
    assert {record.name for record in RECORDED} <= made
    assert {SOURCE_UID} == {board["templating"]["list"][0]["current"]["value"] for board in boards().values()}


def test_an_expression_of_what_is_not_declared_is_an_error() -> None:
    """A part that a family does not have, a label that nobody declares."""
    with pytest.raises(ValueError, match="a histogram has the parts"):
        wire_name(names.COMMIT_SECONDS)
    with pytest.raises(ValueError, match="a gauge has the parts"):
        series(names.HELD, "total")
    with pytest.raises(ValueError, match="has no label"):
        series(names.UNIT_SCORE, line="L1")
    with pytest.raises(ValueError, match="has no label"):
        recorded(Recorded("a:b:c", ("unit",)), line="L1")
    assert wire_name(names.LIVES) in KNOWN
