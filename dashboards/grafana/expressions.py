"""PromQL from declared names: a metric, a part of it or a label that nobody declares is an error here."""

from __future__ import annotations

from typing import Final, NamedTuple

from stream.metric_names import Name

SCOPE: Final = 'job=~"$job", instance=~"$instance"'
RATE: Final = "$__rate_interval"
RANGE: Final = "$__range"
OR_ZERO: Final = " or vector(0)"
# What Prometheus says of every target, and the labels that its configuration adds.
UP: Final = Name("up", "gauge", "Whether the target answered.")
TARGET_LABELS: Final = ("job", "instance", "worker")
_PARTS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "counter": {"total": ()},
    "gauge": {"": ()},
    "histogram": {"bucket": ("le",), "sum": (), "count": ()},
    "summary": {"": (), "sum": (), "count": ()},
}


class Recorded(NamedTuple):
    """A series that deploy/prometheus/rules.yml makes. It is a sum over instances and has their labels no more."""

    name: str
    labels: tuple[str, ...] = ()


RECORDS: Final = Recorded("outcome:scorestream_records:sum", ("outcome",))
REJECTED: Final = Recorded("reason:scorestream_rejected_records:sum", ("reason",))
WAITING: Final = Recorded("scorestream:lag_records:sum")
SURELY_ABOVE: Final = Recorded("unit:scorestream_score:wilson_low", ("unit", "template", "indicator", "window"))
SURELY_BELOW: Final = Recorded("unit:scorestream_score:wilson_high", ("unit", "template", "indicator", "window"))
RECORDED: Final = (RECORDS, REJECTED, WAITING, SURELY_ABOVE, SURELY_BELOW)


def wire_name(name: Name, part: str | None = None) -> str:
    """A family's name on the wire; what has several parts wants to know which."""
    parts = _PARTS[name.kind]
    part = next(iter(parts)) if part is None and name.kind != "histogram" else part
    if part not in parts:
        raise ValueError(f"{name.name}: a {name.kind} has the parts {sorted(parts)}, not {part!r}")
    return f"{name.name}_{part}" if part else name.name


def series(name: Name, part: str | None = None, /, **matchers: str) -> str:
    """The family's series of the jobs and instances that are chosen. A value that begins with ~ is a regular
    expression, with ! what is not wanted.
    """
    known = {*name.labels, *TARGET_LABELS, *_PARTS[name.kind].get(part or "", ())}
    return f"{wire_name(name, part)}{{{', '.join([SCOPE, *_matchers(name.name, known, matchers)])}}}"


def recorded(name: Recorded, /, **matchers: str) -> str:
    """The series of a recording rule."""
    found = ", ".join(_matchers(name.name, set(name.labels), matchers))
    return f"{name.name}{{{found}}}" if found else name.name


def _matchers(name: str, known: set[str], wanted: dict[str, str]) -> list[str]:
    if strange := wanted.keys() - known:
        raise ValueError(f"{name} has no label {sorted(strange)}, only {sorted(known)}")
    signs = {"~": "=~", "!": "!="}
    return [
        f'{label}{signs[value[0]]}"{value[1:]}"' if value[0] in signs else f'{label}="{value}"'
        for label, value in wanted.items()
    ]


def total(expression: str, *by: str) -> str:
    """The sum, for each combination of these labels."""
    return f"sum{_by(by)}({expression})"


def largest(expression: str, *by: str) -> str:
    """The largest: of what two workers tell while a partition moves, one."""
    return f"max{_by(by)}({expression})"


def smallest(expression: str, *by: str) -> str:
    """The smallest."""
    return f"min{_by(by)}({expression})"


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)}) " if labels else ""


def rate(name: Name, part: str | None = None, /, **matchers: str) -> str:
    """How fast a counter grows, per second."""
    return f"rate({series(name, part, **matchers)}[{RATE}])"


def increase(name: Name, part: str | None = None, /, **matchers: str) -> str:
    """By how much a counter has grown in the time that is shown."""
    return f"increase({series(name, part, **matchers)}[{RANGE}])"


def growth(name: Name, *by: str, **matchers: str) -> str:
    """By how much a gauge's sum has grown in the time that is shown; whichever workers have told of it."""
    now = total(series(name, **matchers), *by)
    return f"clamp_min({now} - ({total(f'{series(name, **matchers)} offset {RANGE}', *by)} or {now} * 0), 0)"


def quantile(share: float, buckets: str, *by: str) -> str:
    """A quantile of a histogram's buckets."""
    return f"histogram_quantile({share:g}, {total(buckets, 'le', *by)})"


def mean(name: Name, *by: str) -> str:
    """The mean of what a histogram observed lately."""
    return f"{total(rate(name, 'sum'), *by)} / {total(rate(name, 'count'), *by)}"


def age(instant: str) -> str:
    """Seconds since an instant."""
    return f"time() - {instant}"


def or_zero(expression: str) -> str:
    """Nothing counted is zero, where nothing is what one hopes for."""
    return f"({expression}){OR_ZERO}"
