"""Why a rule alerts somebody, or does not: the numbers that it compares, as of now, and the comparison in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.alerts import CLEARED
from schemas.instants import MINUTE
from schemas.rows import Number, whole
from stream.calendars import NO_SHIFT
from stream.interval import wilson
from stream.person import Person
from stream.plan import Counted, counted, plan_of
from stream.rulebook import Version
from stream.score import home_shift, pooled, versions_for
from stream.silence import worked_since
from stream.state import Vector, target_values
from stream.watch_plan import Drift, Gap, Level, Rule, Stale, watch_plans
from stream.watched import Ruled

_NO_SHIFT: Final = Counted(None, None, None)


class Reason(msgspec.Struct, gc=False):
    """A rule in force for an employee. `bound`: what is compared with `threshold`; None: there is nothing to compare.

    `n` and `good` in units, None without a rate. `state` is that of its alert, `ok` without one.
    """

    employee_id: str
    template: str
    version: int
    indicator: str
    rule: str
    window: str
    state: str
    value: float | None
    n: Number | None
    good: Number | None
    bound: float | None
    threshold: float
    why: str


def reasons(person: Person, as_of: int) -> Iterator[Reason]:
    """Every rule of the versions in force for somebody at an instant at or after their newest event (ms)."""
    targets = target_values(person.state, as_of)
    for version in versions_for(person.state, person.rules, as_of):
        vectors = pooled(person.state.segments, version, as_of)
        for plan in watch_plans(version):
            for rule in plan.rules if plan is not None else ():
                yield _reason(person, version, rule, vectors, targets, as_of)


def _reason(
    person: Person, version: Version, rule: Rule, vectors: list[Vector], targets: dict[str, float], as_of: int
) -> Reason:
    ruled = person.ruled(version, rule) or Ruled()
    open_ = ruled.open if ruled.open is not None and ruled.open.state != CLEARED else None
    state = "ok" if open_ is None else open_.state
    head = (person.id, *version.key, rule.indicator.id, rule.id)
    if isinstance(rule, Level | Gap):
        lines = plan_of(version).lines
        slot = next(i.slot for i in lines if i.indicator is rule.indicator and i.window == rule.window)
        none = rule.window.kind == "shift" and home_shift(person.state, person.rules, as_of) == NO_SHIFT
        value, n, good = _NO_SHIFT if none else counted(rule.measure, vectors[slot], targets)
        bound, threshold, why = _level(rule, value, n, good, ruled)
        why = "no shift: no shift calendar is in force for the unit" if none else why
        return Reason(*head, rule.window.text, state, value, whole(n), whole(good), bound, threshold, why)
    if isinstance(rule, Drift):
        why = f"statistic {ruled.statistic:.2f} of {rule.h:g}"
        n, good = (ruled.n, ruled.good) if ruled.statistic else (None, None)  # since it left 0
        share = good / n if n and good is not None else None
        return Reason(*head, "", state, share, whole(n), whole(good), ruled.statistic, rule.h, why)
    if isinstance(rule, Stale):
        worked = worked_since(person, rule, version, as_of)
        why = "no record yet, or not on shift"
        if worked is not None:
            why = f"at work for {worked / MINUTE:.0f} minutes without a record, told after {_minutes(rule):g}"
        bound = None if worked is None else worked / 1000
        return Reason(*head, "", state, None, None, None, bound, rule.after / 1000, why)
    limit = rule.limit(ruled.spread)
    value = ruled.statistic if ruled.spread else None
    why = "no record yet" if value is None else f"average {value:.4f}, limit {limit:.4f}"
    return Reason(*head, "", state, value, None, None, value, limit, why)


def _minutes(rule: Stale) -> float:
    return (rule.after + rule.pending) / MINUTE


def _level(
    rule: Level | Gap, value: float | None, n: float | None, good: float | None, ruled: Ruled
) -> tuple[float | None, float, str]:
    """(what is compared, with what, in words)."""
    if isinstance(rule, Gap):
        return value, rule.gap, f"the unit compares every minute; told when more than {rule.gap:g} below it"
    least = rule.min_sample
    if value is None:
        return (
            None,
            rule.below,
            "no value: no event in the window, a division by zero or a missing target",
        )
    if least and (n is None or n < least):
        return None, rule.below, f"n {'unknown' if n is None else f'{n:g}'} is less than min_sample {least}"
    if ruled.open is not None:
        return value, rule.clear_above, f"value {value:.4f}, over at {rule.clear_above:g}"
    interval = wilson(good, n, rule.z) if rule.z is not None and n is not None and good is not None else None
    if rule.z is not None and interval is None:
        return None, rule.below, "no interval: n is 0, or good is not within 0 to n"
    bound, name = (value, "value") if interval is None else (interval[1], "upper bound")
    low = bound < rule.below
    held = ", not for long enough" if low and rule.pending else ""
    return bound, rule.below, f"{name} {bound:.4f} is {'' if low else 'not '}below {rule.below:g}{held}"
