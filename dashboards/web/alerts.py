"""What a board shows of its unit's open alerts: the three that matter most, and a flag at the people they are about.

Who did what to an alert, and what they wrote, is no business of a hall.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from dashboards.web.catalogue import Catalogue
from schemas.alerts import FIRING
from schemas.instants import parse_rfc3339
from schemas.rows import Number
from stream.alert_reader import COMMON_CAUSE

MOST_SHOWN: Final = 3
SEVERITIES: Final = ("critical", "warning", "info")  # the most severe first


class Alert(msgspec.Struct, frozen=True, gc=False):
    """Of a published alert what a board needs; everything else in it is passed over unread."""

    alert_id: str
    unit: str
    indicator: str
    template: str
    version: int
    state: str
    severity: str
    raised_at: str
    window: str
    value: float | None
    n: Number | None
    low: float | None
    good: Number | None = None
    rule: str = ""
    employee_id: str | None = None
    until: str | None = None
    folded_into: str | None = None


class Flag(msgspec.Struct, frozen=True, omit_defaults=True):
    """At a person: the one of their alerts that matters most. `folded`: it is told by the unit's own, which stands."""

    severity: str
    state: str
    until: str | None
    folded: bool = False


class Shown(msgspec.Struct, frozen=True):
    """An alert in the banner, with the value that it was raised with and the value's `unit`.

    `employee` None: it is about the whole unit. `low` tells a rate from other numbers. `person`: what the employee is
    called, where the viewer may know it; `mark`: what a board writes for a pseudonym. `affected`: of a unit whose
    people drift together, how many of the `n` do; the value, their share, is none of the indicator.
    """

    id: str
    employee: str | None
    severity: str
    state: str
    since: str
    until: str | None
    indicator: str
    name: Mapping[str, str]
    window: str
    unit: str
    value: float | None
    n: Number | None
    low: float | None
    person: str | None = None
    affected: Number | None = None
    mark: str | None = None


class Banner(msgspec.Struct, frozen=True):
    """The alerts that are shown, and how many of those that the viewer may see are open.

    Of 0 there is nothing to conclude where `hidden`: there may be alerts that the viewer is not shown; or `below`:
    units belong to this one, whose alerts are on their own boards.
    """

    shown: tuple[Shown, ...] = ()
    open: int = 0
    hidden: bool = False
    below: bool = False


def decode_alert(value: bytes) -> Alert:
    """A published alert; msgspec.MsgspecError when it is none."""
    alert = _alerts.decode(value)
    if parse_rfc3339(alert.raised_at) is None:
        raise msgspec.ValidationError(f"raised_at: {alert.raised_at!r} is not RFC 3339 with zone")
    return alert


def banner(
    alerts: Iterable[Alert],
    catalogue: Catalogue,
    names: Mapping[str, str] = {},
    marks: Mapping[str, str] = {},
    *,
    hidden: bool = False,
    below: bool = False,
) -> Banner:
    """What nobody has in hand yet comes onto the board first; there the most severe and oldest stand first.

    Alerts that are folded into one of the unit are told by that one. `names`: what people are called, by their id here;
    `marks`: what is written for those ids that are pseudonyms.
    """
    own = [alert for alert in alerts if alert.folded_into is None]
    chosen = sorted(own, key=_urgency)[:MOST_SHOWN]
    shown = (_shown(alert, catalogue, names, marks) for alert in sorted(chosen, key=_weight))
    return Banner(tuple(shown), len(own), hidden, below)


def flags(alerts: Sequence[Alert]) -> dict[str, Flag]:
    """By person. What the unit's alert stands for gives way to what is theirs alone."""
    first: dict[str, Flag] = {}
    for alert in sorted(alerts, key=lambda each: (each.folded_into is not None, *_urgency(each))):
        if alert.employee_id is not None:
            flag = Flag(alert.severity, alert.state, alert.until, alert.folded_into is not None)
            first.setdefault(alert.employee_id, flag)
    return first


def _affected(alert: Alert) -> Number | None:
    if alert.rule != COMMON_CAUSE or alert.n is None or alert.good is None:
        return None
    return alert.n - alert.good


def gravity(severity: str) -> int:
    """Its place in an order from the gravest on; what is not known comes last."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _urgency(alert: Alert) -> tuple[bool, int, str, str]:
    return (alert.state != FIRING, *_weight(alert))


def _weight(alert: Alert) -> tuple[int, str, str]:
    return gravity(alert.severity), alert.raised_at, alert.alert_id


def _shown(alert: Alert, catalogue: Catalogue, names: Mapping[str, str], marks: Mapping[str, str]) -> Shown:
    facts = catalogue.facts(alert.template, alert.version, alert.indicator)
    return Shown(
        id=alert.alert_id,
        employee=alert.employee_id,
        severity=alert.severity,
        state=alert.state,
        since=alert.raised_at,
        until=alert.until,
        indicator=alert.indicator,
        name=facts.name if facts else {},
        window=alert.window,
        unit=facts.unit if facts else "",
        value=alert.value,
        n=alert.n,
        low=alert.low,
        person=names.get(alert.employee_id or ""),
        affected=_affected(alert),
        mark=marks.get(alert.employee_id or ""),
    )


_alerts: Final = msgspec.json.Decoder(Alert)
