"""What a unit has to say at the end of a minute: who is well below it, and when it is the line and not its people.

Values are the members' shares as of that minute; the unit agent decides once per closed minute of log time, and what it
decides becomes a record (contract, section 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from msgspec.structs import replace

from schemas.alerts import CLEARED, FIRING, AlertRow, Message, UnitVerdict
from schemas.instants import HOUR, parse_rfc3339
from schemas.updates import OpenAlert
from stream.alert_reader import COMMON_CAUSE
from stream.alert_text import local
from stream.calendars import NO_SHIFT
from stream.chosen import rfc3339
from stream.plan import Counted, Line, counted, plan_of
from stream.pool import Units
from stream.rulebook import Rulebook, Version
from stream.template import Indicator
from stream.watch_plan import Gap, Rule, drifts, gaps, watch_plans

LEAST_MEMBERS: Final = 5  # with data in the window
SHARE: Final = 1 / 3  # of them drift: more than that is the line
OVER: Final = 1 / 6  # at most that is no longer
WINDOW: Final = HOUR  # alerts raised within it drift together
UNIT: Final = "@unit"  # who folds
_GRAVITY: Final = ("info", "warning", "critical")


class Cause(NamedTuple):
    """One indicator of a unit: how many members have data, and whose alerts say that theirs drifts."""

    unit: str
    version: Version
    indicator: Indicator
    severity: str
    members: int
    recent: Sequence[OpenAlert]  # raised within the window, one per member
    drifting: int  # members with data whose alert is open, however old
    every: Sequence[tuple[str, OpenAlert]]  # all that are open, with whose they are

    @property
    def share(self) -> float:
        """Of the members with data, how many began to drift within the window."""
        return len(self.recent) / self.members if self.members else 0.0

    @property
    def over(self) -> bool:
        """Whether the line works again: hardly anybody drifts any more, since whenever."""
        return self.drifting <= OVER * self.members

    @property
    def fires(self) -> bool:
        """Whether it is the line."""
        return self.members >= LEAST_MEMBERS and self.share > SHARE


class Stood(NamedTuple):
    """How a member stands to the unit under a `below_unit` rule, by the end of a minute."""

    employee_id: str
    verdict: UnitVerdict
    pending: int  # ms that it has to be so


def standings(units: Units, rules: Rulebook, at: int) -> Iterator[Stood]:
    """How everybody stands to their unit at the end of a minute (ms), under the `below_unit` rules that assess them."""
    for unit, version in _watched(units, rules, at):
        shift = rules.calendars.begins(unit, at)
        for rule in gaps(version):
            line = _line(version, rule)
            whole = counted(line, units.vectors((unit,), version, at, shift)[line.slot], {})
            for member in (each for each in units.members(unit) if version.key not in each.left):
                own = counted(line, member.vector(version, line.slot, at, shift), {})
                yield Stood(member.employee_id, _verdict(unit, version, rule, at, own, whole), rule.pending)


def _verdict(unit: str, version: Version, rule: Gap, at: int, own: Counted, whole: Counted) -> UnitVerdict:
    least = rule.indicator.min_sample if rule.measure.of else 0
    value, of_unit = own.value, whole.value
    enough = not least or (own.n is not None and own.n >= least)
    below = value is not None and of_unit is not None and enough and value < of_unit - rule.gap
    key = (*version.key, rule.indicator.id, rule.id)
    return UnitVerdict(*key, unit, at, below, value or 0.0, own.n, own.good, of_unit or 0.0)


@lru_cache(maxsize=4096)
def looked_at(version: Version) -> frozenset[int]:
    """The slots of a version's sums that rules of units look at."""
    found = {_line(version, rule).slot for rule in gaps(version)}
    for indicator in _drifting(version):
        first = (_first(version, indicator, shift) for shift in (0, NO_SHIFT))
        found.update(line.slot for line in first if line is not None)
    return frozenset(found)


def causes(units: Units, rules: Rulebook, at: int) -> Iterator[Cause]:
    """Every indicator with rules that people drift by, of every unit, at the end of a minute (ms)."""
    for unit, version in _watched(units, rules, at):
        shift = rules.calendars.begins(unit, at)
        for indicator, severity in _drifting(version).items():
            line = _first(version, indicator, shift)
            if line is None:
                continue
            members, drifting, recent, every = 0, 0, list[OpenAlert](), list[tuple[str, OpenAlert]]()
            for member in units.members(unit):
                has_data = member.vector(version, line.slot, at, shift)[0] > 0
                members += has_data
                own = [
                    a for a in member.alerts if a.drifts and (a.template, a.indicator) == (version.key[0], indicator.id)
                ]
                recent.extend([a for a in own if has_data and a.raised_at > at - WINDOW][:1])
                drifting += has_data and bool(own)
                every.extend((member.employee_id, a) for a in own)
            yield Cause(unit, version, indicator, severity, members, recent, drifting, every)


def _watched(units: Units, rules: Rulebook, at: int) -> Iterator[tuple[str, Version]]:
    versions = [v for name in rules.versions if (v := rules.in_force(name, at)) and any(watch_plans(v))]
    for unit in units.names() if versions else ():
        yield from ((unit, version) for version in versions)


def _line(version: Version, rule: Gap) -> Line:
    lines = plan_of(version).lines
    return next(line for line in lines if line.indicator is rule.indicator and line.window == rule.window)


def _first(version: Version, indicator: Indicator, shift: int) -> Line | None:
    """An indicator in its first window; without a shift there is no window of that name."""
    own = (line for line in plan_of(version).lines if line.indicator is indicator)
    return next((line for line in own if line.window.kind != "shift" or shift != NO_SHIFT), None)


def _drifting(version: Version) -> dict[Indicator, str]:
    """The indicators with rules that people drift by, and the gravest of their severities."""
    found: dict[Indicator, str] = {}
    for rule in _drifts(version):
        found[rule.indicator] = max(found.get(rule.indicator, "info"), rule.severity, key=_GRAVITY.index)
    return found


def _drifts(version: Version) -> Iterator[Rule]:
    plans = (plan for plan in watch_plans(version) if plan is not None)
    return (rule for plan in plans for rule in plan.rules if drifts(rule))


def escalation(rules: Rulebook, row: AlertRow) -> int:
    """How long (ms) a line's alert waits for an acknowledgement: as long as the first of the rules it stands for.

    0: for ever, as where all of them do.
    """
    version = rules.version(row.template, row.version)
    own = _drifts(version) if version is not None else ()
    waits = (rule.escalation for rule in own if rule.indicator.id == row.indicator)
    return min((wait for wait in waits if wait > 0), default=0)


def raised(cause: Cause, at: int) -> AlertRow:
    """The alert of a line, from the end of a minute (ms) on."""
    name, number = cause.version.key
    key = (cause.unit, name, str(number), cause.indicator.id, COMMON_CAUSE, str(at))
    moment = rfc3339(at)
    return AlertRow(
        alert_id=sha256("\n".join(key).encode()).hexdigest()[:20], rule=COMMON_CAUSE, unit=cause.unit,
        indicator=cause.indicator.id, template=name, version=number, state=FIRING, severity=cause.severity,
        raised_at=moment, changed_at=moment, cleared_at=None, window="", window_start=rfc3339(at - WINDOW),
        value=cause.share, n=cause.members, good=cause.members - len(cause.recent), low=None, high=None,
        threshold=SHARE, folded_into=None, first_event="", last_event="",
        message=_message(cause, at - WINDOW), notify=True,
    )  # fmt: skip


def over(row: AlertRow, at: int) -> AlertRow:
    """The same alert, cleared at the end of a minute (ms), or when somebody did something to it after that."""
    moment = rfc3339(max(at, parse_rfc3339(row.changed_at) or at))
    return replace(row, state=CLEARED, changed_at=moment, cleared_at=moment, by="", reason="", until=None)


def _message(cause: Cause, since: int) -> Message:
    name, few, whole, begins = cause.indicator.name, len(cause.recent), cause.members, local(cause.version, since)
    return Message(
        f"{cause.unit}：{whole}人中有{few}人的{name.zh}在一小时内（{begins}起）下降，原因多半在产线而不在个人。请先检查设备、物料和工艺。",
        f"{cause.unit}: {name.en} of {few} in {whole} people has dropped within an hour (since {begins}), which points "
        "to the line and not to its people. Check machines, material and process first.",
    )
