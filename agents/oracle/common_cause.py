"""When more than a third of a unit's people drift within an hour it is the line: its alert stands for theirs."""

from collections.abc import Iterator
from typing import NamedTuple

from agents.oracle.alerts import Alert, alert_id
from agents.oracle.commands import ACK, CLEAR, SHELVE, UNSHELVE, Command
from agents.oracle.log import DAY, MINUTE
from agents.oracle.looked_at import Line, drifting, first_window
from agents.oracle.rosters import Rosters, own_sums
from agents.oracle.rulebook import Rulebook
from agents.oracle.shares import OpenDrift

FIRING, ACKNOWLEDGED, SHELVED, CLEARED = "firing", "acknowledged", "shelved", "cleared"
RULE = "common_cause"

_LEAST = 5  # members with an event in the window
_HOUR = 60 * MINUTE
_LONGEST_SHELF = 30 * DAY
_SEVERITIES = ("info", "warning", "critical")
_BECOMES = {  # what an action makes of a state; what is not here it cannot do
    (FIRING, ACK): ACKNOWLEDGED, (SHELVED, ACK): ACKNOWLEDGED,
    (FIRING, SHELVE): SHELVED, (ACKNOWLEDGED, SHELVE): SHELVED, (SHELVED, SHELVE): SHELVED,
    (SHELVED, UNSHELVE): FIRING,
    (FIRING, CLEAR): CLEARED, (ACKNOWLEDGED, CLEAR): CLEARED, (SHELVED, CLEAR): CLEARED,
}  # fmt: skip
Key = tuple[str, str, str]  # unit, template, indicator


class Fold(NamedTuple):
    """From a minute (ms) on the unit's alert `into` stands for one of a member; "": it stands by itself."""

    minute: int
    employee: str
    alert_id: str
    into: str


class _Cause(NamedTuple):
    """An indicator of a unit: how many have data, how many of those began to drift lately, how many drift at all."""

    unit: str
    line: Line
    severity: str
    members: int
    lately: int
    drifting: int
    every: list[tuple[str, OpenDrift]]

    @property
    def key(self) -> Key:
        """Whose it is; a new version of the template goes on with it."""
        return self.unit, self.line.version.key[0], self.line.indicator.id

    @property
    def holds(self) -> bool:
        """Whether it is the line."""
        return self.members >= _LEAST and 3 * self.lately > self.members

    @property
    def is_over(self) -> bool:
        """Whether hardly anybody drifts any more."""
        return 6 * self.drifting <= self.members


class _Open(NamedTuple):
    alert: Alert
    moved_at: int  # when somebody last did something to it (ms)
    until: int  # shelved so long


class CommonCause:
    """The alerts of all units, and which alerts of members they stand for."""

    def __init__(self) -> None:
        self._open: dict[Key, _Open] = {}
        self._quiet: set[Key] = set()  # cleared by hand, and not over since
        self._folded: dict[tuple[str, str], str] = {}  # (employee, alert) -> the unit's alert

    def obey(self, command: Command, at: int) -> Iterator[Alert]:
        """What somebody does to an alert, as of a tick (ms): the alert if it is cleared; nothing if it is refused."""
        for key, (alert, _, _) in list(self._open.items()):
            becomes = _BECOMES.get((alert.state, command.action))
            if alert.alert_id != command.alert_id or becomes is None or not command.by:
                continue
            if command.action == SHELVE and not at < (command.until or 0) <= at + _LONGEST_SHELF:
                continue
            moved = alert._replace(state=becomes, cleared_at=at if becomes == CLEARED else None)
            self._open[key] = _Open(moved, at, command.until or 0)
            if becomes == CLEARED:
                del self._open[key]
                self._quiet.add(key)
                yield moved

    def decide(self, rosters: Rosters, rulebook: Rulebook, minute: int) -> Iterator[Alert | Fold]:
        """The alerts that are over at a minute (ms), and what stands for which alerts of members from then on."""
        looked = {unit for unit, _, _ in (*self._open, *self._quiet)}
        units = [unit for unit in rosters.units() if unit in looked or rosters.any_drifts(unit)]
        causes = {cause.key: cause for cause in _causes(rosters, rulebook, minute, units)}
        for key in sorted(self._open.keys() - causes.keys()):
            yield self._over(key, minute)
        self._quiet &= causes.keys()
        for key, cause in causes.items():
            if key in self._quiet:
                self._quiet -= {key} if cause.is_over else set()
            elif key not in self._open and cause.holds:
                self._open[key] = _Open(_alert(cause, minute), minute, 0)
            elif key in self._open and cause.is_over:
                yield self._over(key, minute)
        for key, (alert, moved_at, until) in self._open.items():
            if alert.state == SHELVED and until <= minute:
                self._open[key] = _Open(alert._replace(state=FIRING), moved_at, 0)
        yield from self._folds(causes, minute)

    def open(self) -> Iterator[Alert]:
        """Those that are not over."""
        return (one.alert for one in self._open.values())

    def _over(self, key: Key, minute: int) -> Alert:
        alert, moved_at, _ = self._open.pop(key)
        return alert._replace(state=CLEARED, cleared_at=max(minute, moved_at))

    def _folds(self, causes: dict[Key, _Cause], minute: int) -> Iterator[Fold]:
        into = {
            (employee, drift.alert_id): self._open[key].alert.alert_id if key in self._open else ""
            for key, cause in causes.items()
            for employee, drift in cause.every
        }
        for employee, name in sorted(self._folded.keys() - into.keys()):
            del self._folded[employee, name]
            yield Fold(minute, employee, name, "")  # it is over, or they belong elsewhere
        for (employee, name), unit_alert in into.items():
            if self._folded.get((employee, name), "") != unit_alert:
                self._folded[employee, name] = unit_alert
                yield Fold(minute, employee, name, unit_alert)


def _causes(rosters: Rosters, rulebook: Rulebook, minute: int, units: list[str]) -> Iterator[_Cause]:
    watched = [
        (version, indicator, max(severities, key=_SEVERITIES.index))
        for version in rulebook.in_force(minute)
        for indicator in version.template.indicators
        if (severities := [rule.severity for rule in drifting(indicator)])
    ]
    for unit in units:
        there_is_a_shift = rulebook.calendars.shift(unit, minute) is not None
        for version, indicator, severity in watched:
            for window in first_window(indicator, there_is_a_shift):
                yield _cause(rosters, rulebook, minute, unit, Line(version, indicator, window), severity)


def _cause(rosters: Rosters, rulebook: Rulebook, minute: int, unit: str, line: Line, severity: str) -> _Cause:
    members = lately = drift = 0
    every: list[tuple[str, OpenDrift]] = []
    wanted = (line.version.key[0], line.indicator.id)
    for employee, share in rosters.members(unit):
        own = [one for one in share.drifts if (one.template, one.indicator) == wanted]
        every.extend((employee, one) for one in own)
        if own_sums(share, unit, line, rulebook, minute).events > 0:
            members += 1
            drift += bool(own)
            lately += any(one.raised_at > minute - _HOUR for one in own)
    return _Cause(unit, line, severity, members, lately, drift, every)


def _alert(cause: _Cause, minute: int) -> Alert:
    template, version = cause.line.version.key
    indicator = cause.line.indicator.id
    return Alert(
        alert_id(cause.unit, template, version, indicator, RULE, minute), RULE, "", cause.unit, indicator, template,
        version, cause.severity, minute, None, "", minute - _HOUR, cause.lately / cause.members, cause.members,
        cause.members - cause.lately, 1 / 3, "", "", state=FIRING,
    )  # fmt: skip
