"""Boards keep to the rules of tests/grafana/lint.py, and each rule finds what it is for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from dashboards.grafana.files import BOARDS
from tests.grafana.lint import RULES
from tests.grafana.panels import Board, boards

PLANTED: list[tuple[str, Callable[[Board], Any]]] = [
    ("template_datasource", lambda board: board["templating"]["list"].pop(0)),
    ("template_datasource", lambda board: board["templating"]["list"][0].pop("label")),
    ("template_job_and_instance", lambda board: board["templating"]["list"].pop(1)),
    ("template_job_and_instance", lambda board: board["templating"]["list"][2].update(multi=False)),
    ("template_reload", lambda board: board["templating"]["list"][1].update(refresh=1)),
    ("template_promql", lambda board: board["templating"]["list"][1].update(query="label_values(up, job)")),
    ("template_promql", lambda board: board["templating"]["list"][1].update(query="label_values(up{}, line)")),
    ("template_used", lambda board: _ask(board, 'sum(up{job=~"$job", unit="$unit"})')),
    ("panel_datasource", lambda board: board["panels"][0].update(datasource={"type": "prometheus", "uid": "x"})),
    ("panel_datasource", lambda board: board["panels"][0]["targets"][0].pop("datasource")),
    ("panel_title_description", lambda board: board["panels"][0].pop("description")),
    ("panel_title_description", lambda board: board["panels"][1].update(title=board["panels"][0]["title"])),
    ("panel_units", lambda board: board["panels"][0]["fieldConfig"]["defaults"].pop("unit")),
    ("panel_targets", lambda board: board["panels"][0]["targets"].clear()),
    ("panel_places", lambda board: board["panels"][1].update(gridPos=board["panels"][0]["gridPos"])),
    ("panel_places", lambda board: board["panels"][1].update(id=1)),
    ("target_rate_interval", lambda board: _ask(board, 'rate(scorestream_lives_total{job=~"$job"}[5m])')),
    ("target_rate_interval", lambda board: _ask(board, 'sum_over_time(scorestream_scoring{job=~"$job"}[$__range])')),
    ("target_job_and_instance", lambda board: _ask(board, 'sum(scorestream_scoring{job=~"$job"})')),
    ("target_job_and_instance", lambda board: _ask(board, "sum(scorestream_scoring)")),
    ("target_counter", lambda board: _ask(board, "sum(scorestream_lives_total{})")),
    ("target_counter", lambda board: _ask(board, "histogram_quantile(0.5, scorestream_step_seconds_bucket{})")),
    ("target_metrics", lambda board: _ask(board, "sum(scorestream_live{})")),
    ("target_metrics", lambda board: _ask(board, "sum(scorestream_lives{})")),
    ("target_metrics", lambda board: _ask(board, "scorestream:lag:sum")),
    ("target_metrics", lambda board: _ask(board, 'sum(scorestream_scoring{line="L1"})')),
    ("target_metrics", lambda board: _ask(board, "sum by (line) (scorestream_scoring{})")),
    ("target_legend", lambda board: board["panels"][0]["targets"][0].update(legendFormat="{{line}}")),
    ("uneditable", lambda board: board.update(editable=True)),
    ("identity", lambda board: board.update(uid="")),
    ("identity", lambda board: board.pop("description")),
    ("nobody", lambda board: _ask(board, "sum by (employee) (scorestream_scoring{})")),
]


def _ask(board: Board, expression: str) -> None:
    board["panels"][0]["targets"][0]["expr"] = expression


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", BOARDS)
def test_a_board_keeps_to_a_rule(name: str, rule: str) -> None:
    """Nothing is found on any board."""
    assert [] == list(RULES[rule](boards()[name]))


@pytest.mark.parametrize(("rule", "plant"), PLANTED)
def test_a_rule_finds_what_it_is_for(rule: str, plant: Callable[[Board], Any]) -> None:
    """A board with this mistake, and no other, does not pass."""
    board = copy.deepcopy(boards()["service"])
    assert [] == list(RULES[rule](board))
    plant(board)
    assert list(RULES[rule](board))


def test_every_rule_is_shown_to_find_something() -> None:
    """No rule is there that never says anything."""
    assert set(RULES) == {rule for rule, _ in PLANTED}
