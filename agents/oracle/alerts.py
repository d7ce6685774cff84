"""An alert is an episode of a rule: raised by one record of the log, over at another, and named by the first."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from agents.oracle.findings import Entry, Finding, entries_of, of_drift, of_ewma, of_level
from agents.oracle.log import Event
from agents.oracle.rows import Person, entered
from agents.oracle.rulebook import Rulebook, Version
from agents.oracle.rules import Drift, Ewma, Level, Naive, Rule
from agents.oracle.shifts import Calendars
from agents.oracle.template import Indicator
from agents.oracle.window_sums import ShiftSums, WindowSums

BY_RECORDS = (Level, Naive, Drift, Ewma)  # what else there is, is decided at ticks

UNSAID = -1


class Alert(NamedTuple):
    """What follows from the log about an alert; instants are ms, `raised_at` and `cleared_at` log times.

    `escalated_at` is a tick's time, None where it did not, UNSAID where it does not follow from inputs alone.
    `window` is "" for a rule without one, `cleared_at` None while it is not over; `value`, `n` and `good` (in units,
    None without a rate) are those it was raised with, `first_event` and `last_event` event ids.
    """

    alert_id: str
    rule: str
    employee: str
    unit: str
    indicator: str
    template: str
    version: int
    severity: str
    raised_at: int
    cleared_at: int | None
    window: str
    window_start: int
    value: float | None
    n: float | None
    good: float | None
    threshold: float
    first_event: str
    last_event: str
    reason: str = ""  # why it was over, where time alone has ended it
    state: str = ""  # of a unit's own, whatever people did to it; "" where it is not looked at
    escalated_at: int | None = UNSAID


class Episode(NamedTuple):
    """An alert, and the records that raised it and at which it was over, None while it is not.

    `escalation`: how long it waits for an acknowledgement, in ms; 0: for ever.
    """

    alert: Alert
    raised: Event
    over: Event | None
    escalation: int


def alert_id(*named_by: object) -> str:
    """The first 20 hex digits of SHA-256 over what names an alert, a line feed between each of it and the next."""
    return sha256("\n".join(map(str, named_by)).encode()).hexdigest()[:20]


def episodes_of(
    person: Person, rulebook: Rulebook, version: Version, models: Rulebook, kinds: tuple[type, ...] = BY_RECORDS
) -> Iterator[Episode]:
    """Those of one version, by `kinds` of conditions; `models` knows the models of case mix."""
    if not any(isinstance(rule.condition, kinds) for one in version.template.indicators for rule in one.rules):
        return
    for indicator, events in entered(person, version, rulebook):
        rules = [rule for rule in indicator.rules if isinstance(rule.condition, kinds)]
        entries = entries_of(events, person.targets, models.case_mix(version, indicator)) if rules else []
        for rule in rules:
            findings = _findings(person, rulebook.calendars, version, indicator, rule, entries)
            for raised, over in _episodes(findings):
                cleared_at = None if over is None else over.logged_at
                alert = _alert(person, version, indicator, rule, raised, cleared_at)
                yield Episode(alert, raised.event, over, rule.escalation)


def _findings(
    person: Person, calendars: Calendars, version: Version, indicator: Indicator, rule: Rule, entries: list[Entry]
) -> Iterable[Finding]:
    match rule.condition:
        case Level(window=window) | Naive(window=window) as level:
            sums: WindowSums | ShiftSums = WindowSums(version, window, indicator.measures)
            if window.kind == "shift":
                sums = ShiftSums(person.assignments, calendars, indicator.measures)
            return of_level(indicator, level, rule.wait, entries, sums)
        case Drift() as drift:
            return of_drift(indicator, drift, rule.wait, entries)
        case Ewma() as ewma:
            return of_ewma(indicator, ewma, rule.wait, entries)
    return ()  # what compares with the unit or waits for silence is decided at ticks


def _episodes(findings: Iterable[Finding]) -> Iterator[tuple[Finding, Event | None]]:
    """(the finding that raised, the event at which it was over) of each episode; one finding never does both."""
    raised: Finding | None = None
    for finding in findings:
        if raised is None:
            raised = finding if finding.raises else None
        elif finding.is_over:
            yield raised, finding.event
            raised = None
    if raised is not None:
        yield raised, None


def _alert(
    person: Person, version: Version, indicator: Indicator, rule: Rule, raised: Finding, cleared_at: int | None
) -> Alert:
    event, template = raised.event, version.template
    window = rule.condition.window.text if isinstance(rule.condition, Level | Naive) else ""
    named_by = (
        template.template, template.version, indicator.id, rule.id, window, person.employee, event.event_id, event.at
    )  # fmt: skip
    return Alert(
        alert_id(*named_by), rule.id, person.employee,
        person.assignments.unit_of(event), indicator.id, template.template, template.version, rule.severity,
        event.logged_at, cleared_at, window, raised.start, raised.value, raised.n, raised.good, raised.threshold,
        raised.first.event_id, event.event_id,
    )  # fmt: skip
