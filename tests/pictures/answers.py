"""What the panels of a board show: each query of the committed file with Prometheus's answer in its place.

Nothing is known here of what is measured. A panel that nothing answers is left out, never filled.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from tests.grafana.panels import Board, label_values, put_in

WIDTH: Final = 24  # columns of Grafana's grid
_LABEL: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")

Shown = dict[str, Any]  # a panel as draw.js takes it


class Ask(Protocol):
    """Prometheus's API: what it answers at a path, the data alone."""

    def __call__(self, path: str, **query: str) -> Any: ...


class Span(NamedTuple):
    """The time that is shown, in seconds since 1970, and how far its points lie apart."""

    start: float
    end: float
    step: float

    @property
    def times(self) -> list[float]:
        """The instants of a range query."""
        return [self.start + place * self.step for place in range(int((self.end - self.start) / self.step) + 1)]

    @property
    def variables(self) -> dict[str, str]:
        """What Grafana puts in the place of its own variables; the scrape interval is the step."""
        return {"__rate_interval": f"{4 * self.step:g}s", "__range": f"{round(self.end - self.start)}s"}


class Series(NamedTuple):
    """One of the series that answer a panel: a value per instant of the span, or a single one of now."""

    target: str
    name: str
    labels: Mapping[str, str]
    values: Sequence[float | None]


def chosen(board: Board, ask: Ask, wishes: Mapping[str, str]) -> dict[str, str]:
    """The board's variables: all where it offers all, else what is wished for, else the first that there is.

    LookupError when there is nothing to choose from, or not what is wished for.
    """
    values: dict[str, str] = {}
    for variable in board["templating"]["list"]:
        if variable["type"] != "query":
            continue
        name = variable["name"]
        if variable["includeAll"]:
            values[name] = variable["allValue"]
            continue
        selector, label = label_values(variable)
        known: list[str] = sorted(ask(f"label/{label}/values", **{"match[]": put_in(selector, values)}))
        wish = wishes.get(name, known[0] if known else "")
        if wish not in known:
            raise LookupError(f"{board['title']}: {name} {wish!r} is none of {known}")
        values[name] = wish
    return values


def panels(board: Board, ask: Ask, values: Mapping[str, str], span: Span) -> list[Shown]:
    """The board's panels that have something to show, in its grid."""
    found = [shown(panel, ask, {**values, **span.variables}, span) for panel in board["panels"]]
    return placed([panel for panel in found if panel is not None])


def shown(panel: Mapping[str, Any], ask: Ask, values: Mapping[str, str], span: Span) -> Shown | None:
    """One panel with its answers; None when there is no number among them."""
    series = [one for target in panel["targets"] for one in _answers(target, ask, values, span)]
    if not series:
        return None
    look = panel["fieldConfig"]["defaults"]
    made: Shown = {
        "kind": panel["type"], "title": panel["title"], "grid": dict(panel["gridPos"]), "unit": look["unit"],
        "min": look.get("min"), "max": look.get("max"), "steps": look["thresholds"]["steps"],
    }  # fmt: skip
    if panel["type"] == "table":
        made["columns"], made["rows"] = table(panel, series)
    else:
        drawn = buckets(series) if panel["type"] == "heatmap" else series
        made["series"] = [{"name": one.name, "values": one.values} for one in drawn]
    return made


def _answers(target: Mapping[str, Any], ask: Ask, values: Mapping[str, str], span: Span) -> Iterator[Series]:
    query = put_in(target["expr"], values)
    if target["range"]:
        limits = {"start": f"{span.start}", "end": f"{span.end}", "step": f"{span.step}"}
        answer, key = ask("query_range", query=query, **limits)["result"], "values"
    else:
        answer, key = ask("query", query=query, time=f"{span.end}")["result"], "value"
    for one in answer:
        pairs = one[key] if target["range"] else [one[key]]
        there = {round((at - span.start) / span.step): _number(text) for at, text in pairs}
        numbers = [there.get(place) for place in range(len(span.times))] if target["range"] else list(there.values())
        if any(number is not None for number in numbers):
            yield Series(target["refId"], legend(target["legendFormat"], one["metric"]), one["metric"], numbers)


def _number(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def legend(form: str, labels: Mapping[str, str]) -> str:
    """The name of a series: the form with its labels put in, or without a form the series as Prometheus writes it."""
    if form:
        return _LABEL.sub(lambda match: labels.get(match[1], ""), form)
    inside = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != "__name__")
    return f"{labels.get('__name__', '')}{{{inside}}}"


def buckets(series: Sequence[Series]) -> list[Series]:
    """How many lie in each bucket, from buckets that count all below their limit too. Outer ones that stay empty are
    left out.
    """
    below: Sequence[float | None] = ()
    made = []
    for one in sorted(series, key=lambda one: float(one.labels["le"])):
        counts = [
            None if upper is None else upper - (lower or 0.0)
            for upper, lower in itertools.zip_longest(one.values, below[: len(one.values)])
        ]
        made.append(one._replace(values=counts))
        below = one.values
    while made and not any(made[-1].values):
        made.pop()
    while made and not any(made[0].values):
        made.pop(0)
    return made


def table(panel: Mapping[str, Any], series: Sequence[Series]) -> tuple[list[str], list[list[str | float | None]]]:
    """Columns and rows: a row for each combination of labels, a column for each query, named and hidden as it says."""
    several = len(panel["targets"]) > 1
    organized = (each["options"] for each in panel.get("transformations", ()) if each["id"] == "organize")
    changes: dict[str, Any] = next(organized, {})
    rows: dict[tuple[tuple[str, str], ...], dict[str, str | float | None]] = {}
    for one in series:
        labels = {name: value for name, value in one.labels.items() if name != "__name__"}
        row = rows.setdefault(tuple(sorted(labels.items())), dict(labels))
        row[f"Value #{one.target}" if several else "Value"] = one.values[-1]
    names = sorted({name for row in rows.values() for name in row}, key=lambda name: (name.startswith("Value"), name))
    kept = [name for name in names if not changes.get("excludeByName", {}).get(name)]
    called = changes.get("renameByName", {})
    return [called.get(name, name) for name in kept], [[rows[key].get(name) for name in kept] for key in sorted(rows)]


def placed(shown: Sequence[Shown]) -> list[Shown]:
    """The panels where they stand on the board; where one is left out the others of its row share its place, and a
    row without any is closed up.
    """
    made, top = [], 0
    by_row = sorted(shown, key=lambda panel: (panel["grid"]["y"], panel["grid"]["x"]))
    for _, group in itertools.groupby(by_row, key=lambda panel: panel["grid"]["y"]):
        row = list(group)
        whole, left = sum(panel["grid"]["w"] for panel in row), 0.0
        for panel in row:
            width = panel["grid"]["w"] * WIDTH / whole
            made.append({**panel, "grid": {**panel["grid"], "x": left, "y": top, "w": width}})
            left += width
        top += max(panel["grid"]["h"] for panel in row)
    return made
