"""The few kinds of panels that boards are made of. Each says what it shows, in which unit, and what is good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from grafana_foundation_sdk.builders import bargauge, common, dashboard, heatmap, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

Panel = Builder[models.Panel]
SOURCE: Final = shapes.DataSourceRef("prometheus", "${datasource}")
# Okabe and Ito's: told apart by everybody; what they mean is written beside them.
GOOD, WATCH, ACT = "#0072B2", "#E69F00", "#D55E00"


class Unit:
    """Units as Grafana names them; base units throughout, as Prometheus has them."""

    COUNT: Final = "short"
    RATIO: Final = "percentunit"
    SECONDS: Final = "s"
    BYTES: Final = "bytes"
    PER_SECOND: Final = "cps"
    SWITCH: Final = "bool_yes_no"


class Query(NamedTuple):
    """A query, and the name of what it gives: text with labels, `{{worker}}`."""

    expression: str
    legend: str


class Limits(NamedTuple):
    """From where on a number wants to be watched, and acted upon; with `falling` it is small numbers that do."""

    watch: float
    act: float
    falling: bool = False

    def steps(self) -> dashboard.ThresholdsConfig:
        """As Grafana has them: rising, the first without a beginning."""
        colours = [GOOD, WATCH, ACT]
        numbers = [self.watch, self.act]
        if self.falling:
            colours.reverse()
            numbers.reverse()
        steps = [models.Threshold(value, colour) for value, colour in zip([None, *numbers], colours, strict=True)]
        return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


NO_LIMITS: Final = (
    dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps([models.Threshold(None, GOOD)])
)


def lines(title: str, description: str, unit: str, *queries: Query, ceiling: float | None = None) -> Panel:
    """Values over time, one line for each series."""
    legend = common.VizLegendOptions().display_mode(shapes.LegendDisplayMode.LIST)
    panel = (
        timeseries.Panel().title(title).description(description).unit(unit).datasource(SOURCE)
        .targets(_over_time(queries)).thresholds(NO_LIMITS)
        .legend(legend.placement(shapes.LegendPlacement.BOTTOM).show_legend(True))
        .tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING))
    )  # fmt: skip
    if unit != Unit.RATIO:
        panel.min(0)  # a ratio is judged by small differences; what is counted or lasts, by its size
    return panel if ceiling is None else panel.max(ceiling)


def number(title: str, description: str, unit: str, query: Query, limits: Limits | None = None) -> Panel:
    """How it stands now: one number, and its course behind it."""
    return (
        stat.Panel().title(title).description(description).unit(unit).datasource(SOURCE)
        .targets(_over_time([query])).thresholds(limits.steps() if limits else NO_LIMITS)
        .color_mode(shapes.BigValueColorMode.VALUE).graph_mode(shapes.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )  # fmt: skip


def bars(
    title: str, description: str, unit: str, query: Query, limits: Limits | None = None, *, link: str = ""
) -> Panel:
    """How several things stand now, side by side; `link` leads from one of them to its own board."""
    panel = (
        bargauge.Panel().title(title).description(description).unit(unit).datasource(SOURCE).min(0)
        .targets(_now([query])).thresholds(limits.steps() if limits else NO_LIMITS)
        .orientation(shapes.VizOrientation.HORIZONTAL).display_mode(shapes.BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    )  # fmt: skip
    if unit == Unit.RATIO:
        panel.max(1)
    return panel.data_links([dashboard.DashboardLink("Open").url(link)]) if link else panel


def rows(title: str, description: str, unit: str, *queries: Query, hidden: Sequence[str] = ()) -> Panel:
    """What there is now as a table: a row for each combination of labels, a column for each query."""
    named = {f"Value #{letter}" if len(queries) > 1 else "Value": query.legend for letter, query in _lettered(queries)}
    changes: dict[str, object] = {
        "excludeByName": dict.fromkeys(("Time", *hidden), True),
        "renameByName": named,
        "indexByName": {},
    }
    panel = (
        table.Panel().title(title).description(description).unit(unit).datasource(SOURCE)
        .targets(_now(queries, PromQueryFormat.TABLE)).thresholds(NO_LIMITS)
    )  # fmt: skip
    if len(queries) > 1:
        panel.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    return panel.with_transformation(models.DataTransformerConfig(id_val="organize", options=changes))


def distribution(title: str, description: str, unit: str, query: Query) -> Panel:
    """How many lie where, over time: a histogram's buckets as they stand."""
    return (
        heatmap.Panel().title(title).description(description).unit(unit).datasource(SOURCE)
        .targets(_over_time([query], PromQueryFormat.HEATMAP)).calculate(False).thresholds(NO_LIMITS)
        .y_axis(heatmap.YAxisConfig().unit(unit))
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues").steps(32))
    )  # fmt: skip


def _lettered(queries: Sequence[Query]) -> list[tuple[str, Query]]:
    return [(chr(ord("A") + place), query) for place, query in enumerate(queries)]


def _over_time(
    queries: Sequence[Query], form: PromQueryFormat = PromQueryFormat.TIME_SERIES
) -> list[Builder[Dataquery]]:
    return [_target(letter, query, form).range() for letter, query in _lettered(queries)]


def _now(queries: Sequence[Query], form: PromQueryFormat = PromQueryFormat.TIME_SERIES) -> list[Builder[Dataquery]]:
    return [_target(letter, query, form).instant() for letter, query in _lettered(queries)]


def _target(letter: str, query: Query, form: PromQueryFormat) -> prometheus.Dataquery:
    target = prometheus.Dataquery().datasource(SOURCE).expr(query.expression).legend_format(query.legend)
    return target.format(form).ref_id(letter)
