"""How somebody stands with the rules that watch them: near an alert, or in one. Units and screens are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from schemas.alerts import CLEARED
from schemas.updates import OpenAlert
from stream.person import Person
from stream.rulebook import Version
from stream.watch_plan import Drift, Rule, drifts, watch_plans
from stream.watched import Open, Ruled

NEAR: Final = 0.5  # of its height: from here on a drift statistic is told


class Standing(NamedTuple):
    """A rule of somebody's that has seen something."""

    version: Version
    rule: Rule
    ruled: Ruled


def standings(person: Person) -> Iterator[Standing]:
    """Every rule with an alert that is not cleared, or a statistic."""
    for watched in person.state.watched:
        busy = [n for n, r in enumerate(watched.rules) if r.statistic or (r.open and r.open.state != CLEARED)]
        if busy:
            version = person.rules.version(watched.template, watched.version)
            plan = watch_plans(version)[watched.group] if version is not None else None
            if version is not None and plan is not None:
                yield from (Standing(version, plan.rules[n], watched.rules[n]) for n in busy)


class Alerted(NamedTuple):
    """An open alert and where it belongs."""

    version: Version
    rule: Rule
    alert: Open


def open_alerts(person: Person) -> Iterator[Alerted]:
    """Somebody's alerts, but those that are cleared."""
    for version, rule, ruled in standings(person):
        if ruled.open is not None and ruled.open.state != CLEARED:
            yield Alerted(version, rule, ruled.open)


def watched_now(person: Person) -> tuple[dict[str, float], list[OpenAlert]]:
    """(drift statistics near their height, open alerts) of somebody, for their unit."""
    drifts: dict[str, float] = {}
    alerts: list[OpenAlert] = []
    for version, rule, ruled in standings(person):
        if isinstance(rule, Drift) and ruled.statistic >= NEAR * rule.h:
            key = f"{version.key[0]}/{rule.indicator.id}"
            drifts[key] = max(drifts.get(key, 0.0), ruled.statistic / rule.h)
        if ruled.open is not None and ruled.open.state != CLEARED:
            alerts.append(_told(Alerted(version, rule, ruled.open)))
    return drifts, alerts


def told_alerts(person: Person) -> Iterator[tuple[Rule, OpenAlert]]:
    """Somebody's open alerts as units are told of them, each with its rule."""
    return ((found.rule, _told(found)) for found in open_alerts(person))


def _told(found: Alerted) -> OpenAlert:
    name, number = found.version.key
    rule, alert = found.rule, found.alert
    ids = (alert.alert_id, name, number, rule.indicator.id, rule.id)
    return OpenAlert(*ids, drifts(rule), alert.raised_at, alert.folded_into)
