"""Boards on a real Prometheus: every query of every panel, and every variable, finds series."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashboards.web import metrics as web
from stream import metric_names as names
from tests.grafana.exposition import Web, Worker
from tests.grafana.panels import EVERYTHING, Query, queries, variables
from tests.grafana.prometheus_server import Prometheus, Target, configuration, missing, pages, running, until

CHOSEN: Final = EVERYTHING | {
    "unit": "L1", "indicator": "yield", "window": "day", "__rate_interval": "10s", "__range": "30s",
}  # fmt: skip


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus with the rules of this repository, which scrapes two workers and a web process each second."""
    if reason := missing():
        pytest.skip(reason)
    texts = {"/worker-1": Worker().text, "/worker-2": Worker().text, "/web": Web().text}
    with pages(texts) as port:
        first, second, boards = (Target(port, path, path.strip("/")) for path in texts)
        config = configuration({"scorestream-worker": [first, second], "scorestream-web": [boards]})
        with running(tmp_path_factory.mktemp("prometheus"), config) as server:
            yield server


def _found(server: Prometheus, query: Query) -> bool:
    """Whether there is a series with a number."""
    result = server.ask("query", query=query.expression)["result"]
    return any(not math.isnan(float(series["value"][1])) for series in result)


def test_every_panel_shows_something(prometheus: Prometheus) -> None:
    """Each query gives a series with a number: a metric, a label or a recording rule that is misspelt gives none."""
    silent = list(queries(CHOSEN))
    assert len(silent) > 50

    def all_found() -> bool:
        silent[:] = [query for query in silent if not _found(prometheus, query)]
        return not silent

    until(all_found, lambda: silent)


def test_every_variable_has_values(prometheus: Prometheus) -> None:
    """What one can choose from on a board is there."""
    wanted = list(variables(CHOSEN))
    assert {"job", "instance", "unit", "indicator", "window"} == {label for _, label, _ in wanted}
    for board, label, selector in wanted:
        until(
            lambda label=label, selector=selector: bool(  # type: ignore[misc]
                prometheus.ask(f"label/{label}/values", **{"match[]": selector})
            ),
            lambda board=board, label=label: f"{board}: {label}",  # type: ignore[misc]
        )


@pytest.mark.parametrize(
    "expression",
    [
        "sum(scorestream_lag_record)",
        'scorestream_unit_score{line="L1"}',
        "scorestream:lag_record:sum",
        "sum(scorestream_records)",
        "sum(scorestream_web_sse_clients) / 0 - sum(scorestream_web_sse_clients) / 0",
    ],
)
def test_a_panel_without_series_is_found(prometheus: Prometheus, expression: str) -> None:
    """A misspelt metric, label or recorded series, a counter without `_total`, what is no number: each is silent."""
    until(lambda: _found(prometheus, Query("", "", "sum(scorestream_lag_records)")), lambda: "nothing was scraped")
    assert not _found(prometheus, Query("", "", expression))


def test_everything_declared_is_exposed() -> None:
    """What is scraped here has samples of every declared family, so that no panel is left out."""
    for text, declared in ((Worker().text(), names.ALL), (Web().text(), web.ALL)):
        filled = {family.name for family in text_string_to_metric_families(text) if family.samples}
        assert set() == {name.name for name in declared} - filled
