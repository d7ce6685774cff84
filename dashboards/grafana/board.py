"""What all boards have in common: nobody edits them in Grafana, each chooses its data source, jobs and instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

from dashboards.grafana.expressions import SCOPE, UP, wire_name
from dashboards.grafana.panels import SOURCE, Panel
from stream.metric_names import Name

Variable = Builder[models.VariableModel]
TAG: Final = "scorestream"
SOURCE_UID: Final = "prometheus"  # deploy/grafana/provisioning/datasources
JOBS: Final = "scorestream-.+"  # deploy/prometheus/prometheus.yml
_WIDTH: Final = 24  # Grafana's grid
_SCHEMA: Final = 39  # read by Grafana from 10.4 on, which brings it up to its own


class Row(NamedTuple):
    """Panels side by side, equally wide; at most as many as divide the grid."""

    height: int
    panels: Sequence[Panel]


def board(
    uid: str, title: str, description: str, rows: Sequence[Row], variables: Sequence[Variable] = ()
) -> models.Dashboard:
    """A board of these rows; the names of its variables besides the common ones follow them."""
    made = (
        dashboard.Dashboard(f"ScoreStream: {title}").uid(f"{TAG}-{uid}").description(description).tags([TAG]).readonly()
        .time("now-3h", "now").refresh("30s").timezone("browser").tooltip(models.DashboardCursorSync.CROSSHAIR)
        .variables([_source(), *_scope(), *variables])
        .link(
            dashboard.DashboardLink("ScoreStream").type(models.DashboardLinkType.DASHBOARDS).tags([TAG])
            .as_dropdown(True).include_vars(True).keep_time(True)
        )
        .build()
    )  # fmt: skip
    made.schema_version = _SCHEMA
    made.annotations = models.AnnotationContainer([])
    made.panels = list(_placed(rows))
    return made


def _placed(rows: Sequence[Row]) -> list[models.Panel]:
    placed: list[models.Panel] = []
    top = 0
    for row in rows:
        width, rest = divmod(_WIDTH, len(row.panels))
        if rest:
            raise ValueError(f"{len(row.panels)} panels do not fill a row of {_WIDTH} columns")
        for place, builder in enumerate(row.panels):
            panel = builder.build()
            panel.id_val = len(placed) + 1
            panel.grid_pos = models.GridPos(h=row.height, w=width, x=place * width, y=top)
            placed.append(panel)
        top += row.height
    return placed


def _source() -> Variable:
    chosen = models.VariableOption(selected=True, text="Prometheus", value=SOURCE_UID)
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus").current(chosen)


def _scope() -> list[Variable]:
    up = wire_name(UP)
    return [
        _every("job", "Job", f'label_values({up}{{job=~"{JOBS}"}}, job)'),
        _every("instance", "Instance", f'label_values({up}{{job=~"$job"}}, instance)'),
    ]


def _every(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """All at first; some, or one, when somebody looks for a cause."""
    everything = models.VariableOption(selected=True, text=["All"], value=["$__all"])
    return _values(name, label, query).multi(True).include_all(True).all_value(".+").current(everything)


def choice(label_name: str, label: str, family: Name, **matchers: str) -> Variable:
    """One of the values that a label of a family has; the first, until somebody chooses."""
    if label_name not in family.labels or matchers.keys() - set(family.labels):
        raise ValueError(f"{family.name} has the labels {family.labels}")
    wanted = ", ".join([SCOPE, *(f'{name}="{value}"' for name, value in matchers.items())])
    return _values(label_name, label, f"label_values({wire_name(family)}{{{wanted}}}, {label_name})")


def _values(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name).label(label).datasource(SOURCE).query(query).definition(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(models.VariableSort.ALPHABETICAL_ASC)
    )  # fmt: skip
