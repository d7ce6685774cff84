"""Every query of every board, as Grafana would send it: with values in the place of variables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from dashboards.grafana.expressions import OR_ZERO
from dashboards.grafana.files import FOLDER

Board = dict[str, Any]
EVERYTHING: Final = {"job": ".+", "instance": ".+"}


class Query(NamedTuple):
    """A query of a panel, and where it stands."""

    board: str
    panel: str
    expression: str


def boards() -> dict[str, Board]:
    """The committed boards by name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def queries(values: Mapping[str, str]) -> Iterator[Query]:
    """Every query of every panel. What stands in for absence is taken off: series must be there themselves."""
    for name, board in boards().items():
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield Query(name, panel["title"], put_in(target["expr"].removesuffix(OR_ZERO), values))


def variables(values: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Board, label and selector of every variable that asks Prometheus for its values."""
    for name, board in boards().items():
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                selector, label = label_values(variable)
                yield name, label, put_in(selector, values)


def label_values(variable: Mapping[str, Any]) -> tuple[str, str]:
    """The series that a variable asks for, and the label whose values are its own."""
    match = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"])
    assert match, variable
    return match[1], match[2]


def put_in(expression: str, values: Mapping[str, str]) -> str:
    """The expression without variables; KeyError when one has no value."""
    return re.sub(r"\$(\w+)", lambda match: values[match[1]], expression)
