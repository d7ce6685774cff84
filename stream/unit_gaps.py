"""Who is well below their unit, for how long, and whether they know: a fold over closed minutes.

A verdict is said where what somebody knows is not so any more; what was said stays known here, whenever they hear it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from schemas.alerts import UnitVerdict
from schemas.updates import OpenAlert
from stream.pool import Units
from stream.rulebook import Rulebook
from stream.unit_rules import Stood, standings

Key = tuple[str, int, str, str]  # template, version, indicator, rule


class Lag(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Somebody is below their unit under a rule, since a minute (ms); `told`: the verdict is said."""

    template: str
    version: int
    indicator: str
    rule: str
    since: int
    told: bool

    @property
    def key(self) -> Key:
        """The rule."""
        return self.template, self.version, self.indicator, self.rule


class Judged(NamedTuple):
    """What has changed for somebody by the end of a minute."""

    employee_id: str
    lags: list[Lag]
    verdicts: list[UnitVerdict]


def told_before(alerts: Sequence[OpenAlert]) -> list[Lag]:
    """What somebody knows, by their open alerts, of which no minute has been decided yet."""
    return [Lag(a.template, a.version, a.indicator, a.rule, a.raised_at, True) for a in alerts if not a.drifts]


def judge_gaps(units: Units, rules: Rulebook, at: int, known: Mapping[str, Sequence[Lag]]) -> Iterator[Judged]:
    """Everybody for whom something changes at the end of minute `at` (ms); `known`: their lags until now."""
    stood: dict[str, list[Stood]] = {}
    for one in standings(units, rules, at):
        if one.verdict.below or one.employee_id in known:
            stood.setdefault(one.employee_id, []).append(one)
    for employee_id in sorted(known.keys() | stood.keys()):
        before = {lag.key: lag for lag in known.get(employee_id, ())}
        judged = _judge(employee_id, before, stood.get(employee_id, ()), at)
        if judged.lags != list(before.values()):
            yield judged


def _judge(employee_id: str, before: Mapping[Key, Lag], stood: Sequence[Stood], at: int) -> Judged:
    """Lags keep the order in which they began; one whose rule does not look at them any more has ended."""
    now = {_key(one.verdict): one for one in stood}
    lags, verdicts = list[Lag](), list[UnitVerdict]()
    for key in dict.fromkeys([*before, *now]):
        lag, one = before.get(key), now.get(key)
        if one is not None and one.verdict.below:
            lag = lag or Lag(*key, at, False)
            if not lag.told and at - lag.since >= one.pending:
                lag = replace(lag, told=True)
                verdicts.append(one.verdict)
            lags.append(lag)
        elif lag is not None and lag.told:
            ended = UnitVerdict(*key, "", at, False, 0.0, None, None, 0.0, ended=True)
            verdicts.append(ended if one is None else one.verdict)
    return Judged(employee_id, lags, verdicts)


def _key(verdict: UnitVerdict) -> Key:
    return verdict.template, verdict.version, verdict.indicator, verdict.rule
