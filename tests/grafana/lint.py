"""What a board of ours must keep to: the rules of Grafana's dashboard-linter that apply, and a few of our own.

Each rule takes a board as JSON and gives what is wrong with it. Rules about logs do not apply: there are none here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from dashboards.grafana.expressions import RECORDED, TARGET_LABELS, UP
from dashboards.grafana.panels import Unit
from dashboards.web import metrics as web
from stream import metric_names as names
from stream.metric_names import Name

Board = dict[str, Any]
Found = Iterator[str]
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
UNITS: Final = {value for key, value in vars(Unit).items() if key.isupper()}
_ENDINGS: Final = {
    "counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("", "_sum", "_count"),
}  # fmt: skip
_SELECTOR: Final = re.compile(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}")


def _wire(declared: tuple[Name, ...]) -> dict[str, set[str]]:
    return {
        name.name + ending: {*name.labels, *TARGET_LABELS, *(("le",) if ending == "_bucket" else ())}
        for name in declared
        for ending in _ENDINGS[name.kind]
    }


KNOWN: Final = _wire((*names.ALL, *web.ALL, UP)) | {record.name: set(record.labels) for record in RECORDED}


def _variables(board: Board, kind: str) -> list[dict[str, Any]]:
    return [variable for variable in board["templating"]["list"] if variable["type"] == kind]


def _targets(board: Board) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", panel, target


def _metrics(expression: str) -> set[str]:
    """Names of metrics in an expression: what carries our prefix, or is selected from."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)", " ", expression)
    return set(re.findall(r"[\w:]*scorestream[\w:]*", bare)) | {name for name, _ in _SELECTOR.findall(expression)}


def template_datasource(board: Board) -> Found:
    """The data source is chosen on the board."""
    sources = _variables(board, "datasource")
    if [("datasource", "prometheus")] != [(source["name"], source["query"]) for source in sources]:
        yield f"no one variable `datasource` of Prometheus: {sources}"
    yield from (f"{source['name']} has no label" for source in sources if not source.get("label"))


def template_job_and_instance(board: Board) -> Found:
    """Jobs and instances are chosen on the board, several or all of them."""
    wanted = {"multi": True, "includeAll": True, "allValue": ".+", "datasource": SOURCE}
    found = {variable["name"]: variable for variable in _variables(board, "query")}
    for name in ("job", "instance"):
        if {key: found.get(name, {}).get(key) for key in wanted} != wanted or found[name].get("label") != name.title():
            yield f"{name}: {found.get(name)}"


def template_reload(board: Board) -> Found:
    """Values of variables are those of the time that is shown."""
    yield from (variable["name"] for variable in _variables(board, "query") if variable.get("refresh") != 2)


def template_promql(board: Board) -> Found:
    """Variables ask for a label of a declared metric."""
    for variable in _variables(board, "query"):
        match = re.fullmatch(r"label_values\((\w+)\{.*\}, (\w+)\)", variable["query"])
        if match is None or match[2] not in KNOWN.get(match[1], ()):
            yield f"{variable['name']}: {variable['query']}"


def template_used(board: Board) -> Found:
    """A variable that a query needs is one of the board's, or Grafana's own."""
    own = {variable["name"] for variable in board["templating"]["list"]} | {"__rate_interval", "__range"}
    for where, _, target in _targets(board):
        if strange := set(re.findall(r"\$\{?(\w+)", target["expr"])) - own:
            yield f"{where}: {strange}"


def panel_datasource(board: Board) -> Found:
    """Panels and queries use the data source that is chosen."""
    yield from (panel["title"] for panel in board["panels"] if panel.get("datasource") != SOURCE)
    yield from (where for where, _, target in _targets(board) if target.get("datasource") != SOURCE)


def panel_title_description(board: Board) -> Found:
    """Each panel says what it shows, and what that means; no two have one title."""
    titles = [panel.get("title") for panel in board["panels"]]
    for panel in board["panels"]:
        text = panel.get("description", "")
        if not panel.get("title") or titles.count(panel["title"]) > 1 or not text.endswith("."):
            yield f"{panel.get('title')}: {text}"


def panel_units(board: Board) -> Found:
    """Each panel has a unit, one of those that are used here."""
    for panel in board["panels"]:
        if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
            yield f"{panel['title']}: {panel['fieldConfig']['defaults'].get('unit')}"


def panel_targets(board: Board) -> Found:
    """Each panel asks something, and tells its queries apart."""
    for panel in board["panels"]:
        letters = [target.get("refId") for target in panel["targets"] if target.get("expr")]
        if not letters or len(set(letters)) != len(panel["targets"]):
            yield f"{panel['title']}: {letters}"


def panel_places(board: Board) -> Found:
    """Panels have numbers of their own, lie within the grid, and none lies on another."""
    taken: dict[tuple[int, int], int] = {}
    for panel in board["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if x >= 24 or (x, y) in taken:
                    yield f"{panel['title']} at {x}, {y}: {taken.get((x, y))}"
                    return
                taken[x, y] = panel["id"]
    if len(set(taken.values())) != len(board["panels"]):
        yield "two panels have one id"


def target_rate_interval(board: Board) -> Found:
    """A rate is taken over $__rate_interval, growth over the time that is shown; nothing over a time of its own."""
    spans = {"rate": "$__rate_interval", "increase": "$__range"}
    for where, _, target in _targets(board):
        functions = re.findall(r"(\w+)\([\w:]+\{[^}]*\}\[([^\]]*)\]", target["expr"])
        if [span for _, span in functions] != re.findall(r"\[([^\]]*)\]", target["expr"]):
            yield f"{where}: {target['expr']}"
        yield from (f"{where}: {name}[{span}]" for name, span in functions if spans.get(name) != span)


def target_job_and_instance(board: Board) -> Found:
    """Each selector is limited to the jobs and instances that are chosen; recorded sums have none."""
    for where, _, target in _targets(board):
        for name, matchers in _SELECTOR.findall(target["expr"]):
            scoped = {'job=~"$job"', 'instance=~"$instance"'} <= set(matchers.split(", "))
            if not scoped and ":" not in name:
                yield f"{where}: {name}{{{matchers}}}"
        if bare := {name for name in _metrics(target["expr"]) if ":" not in name and f"{name}{{" not in target["expr"]}:
            yield f"{where}: {bare} without matchers"


def target_counter(board: Board) -> Found:
    """A counter is looked at as it grows, never as it stands; buckets too, but for a distribution of a moment."""
    for where, panel, target in _targets(board):
        for name, _ in _SELECTOR.findall(target["expr"]):
            grows = re.search(rf"(rate|increase)\({name}\{{", target["expr"])
            counts = name.endswith("_total") or (name.endswith("_bucket") and panel["type"] != "heatmap")
            if counts and not grows:
                yield f"{where}: {name}"


def target_metrics(board: Board) -> Found:
    """Metrics and their labels are declared."""
    for where, _, target in _targets(board):
        yield from (f"{where}: {name}" for name in _metrics(target["expr"]) - KNOWN.keys())
        for name, matchers in _SELECTOR.findall(target["expr"]):
            if strange := set(re.findall(r"(\w+)(?:=|!)", matchers)) - KNOWN.get(name, set()):
                yield f"{where}: {name} has no {strange}"
        having = set().union(*(KNOWN.get(name, set()) for name in _metrics(target["expr"])))
        grouped = {label for labels in re.findall(r"by \(([^)]*)\)", target["expr"]) for label in labels.split(", ")}
        if grouped - having:
            yield f"{where}: by {grouped - having}"


def target_legend(board: Board) -> Found:
    """A legend names labels that the query leaves."""
    for where, _, target in _targets(board):
        groups = re.findall(r"by \(([^)]*)\)", target["expr"])
        left = set(groups[0].split(", ")) if groups else set()
        recorded = [name for name in _metrics(target["expr"]) if ":" in name]
        left |= KNOWN.get(target["expr"], set()) if recorded else set()
        if strange := set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", ""))) - left:
            yield f"{where}: {strange}, only {left}"


def uneditable(board: Board) -> Found:
    """Boards are code: who changes one in Grafana loses it."""
    if board.get("editable") is not False:
        yield "it can be edited"


def identity(board: Board) -> Found:
    """A board can be linked to, is found by its tag, says what it is for, and follows time."""
    if not re.fullmatch(r"scorestream-[a-z]+", board.get("uid", "")) or board.get("tags") != ["scorestream"]:
        yield f"{board.get('uid')}, {board.get('tags')}"
    if not board.get("description") or not board.get("refresh"):
        yield "no description, or it stands still"


def nobody(board: Board) -> Found:
    """No label says who somebody is."""
    for where, _, target in _targets(board):
        if re.search(r"employee(?!s)|person|name=", target["expr"]):
            yield where


RULES: Final[dict[str, Callable[[Board], Found]]] = {
    rule.__name__: rule
    for rule in (
        template_datasource, template_job_and_instance, template_reload, template_promql, template_used,
        panel_datasource, panel_title_description, panel_units, panel_targets, panel_places, target_rate_interval,
        target_job_and_instance, target_counter, target_metrics, target_legend, uneditable, identity, nobody,
    )
}  # fmt: skip
