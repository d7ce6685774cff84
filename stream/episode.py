"""An alert from its first word to its last: raised once per episode, named by the record that raised it."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from msgspec import UNSET

from schemas.alerts import CLEARED, FIRING, AlertRow
from schemas.rows import whole
from stream.alert_text import message
from stream.chosen import rfc3339, window_start
from stream.interval import wilson
from stream.rulebook import Version
from stream.watch_plan import Drift, Ewma, Gap, Level, Rule, Stale, window_of
from stream.watched import NONE, Open, Ruled

_ID_DIGITS: Final = 20


def alert_id(version: Version, rule: Rule, owner: str, event_id: str, at: int) -> str:
    """The name of an episode: of the version's rule, the person and the record (event id, T in ms) that raised it."""
    parts = (version.key[0], str(version.key[1]), rule.indicator.id, rule.id, window_of(rule), owner, event_id, str(at))
    return sha256("\n".join(parts).encode()).hexdigest()[:_ID_DIGITS]


def threshold_of(rule: Rule, limit: float) -> float:
    """What the value is compared with; `limit` of an EWMA moves with the sample, that of a gap with the unit."""
    match rule:
        case Level():
            return rule.below
        case Drift():
            return rule.good
        case Ewma() | Gap() | Stale():
            return limit


def row_of(owner: str, version: Version, rule: Rule, alert: Open, cleared_at: int | None = None) -> AlertRow:
    """An alert as it leaves; with `cleared_at` (log time, ms) it is cleared."""
    n, good = alert.n, alert.good
    low, high = (wilson(good, n) or (None, None)) if n is not None and good is not None else (None, None)
    return AlertRow(
        alert_id=alert.alert_id,
        rule=rule.id,
        unit=alert.unit,
        indicator=rule.indicator.id,
        template=version.key[0],
        version=version.key[1],
        state=alert.state if cleared_at is None else CLEARED,
        severity=rule.severity,
        raised_at=rfc3339(alert.raised_at),
        changed_at=rfc3339(alert.changed_at if cleared_at is None else cleared_at),
        cleared_at=None if cleared_at is None else rfc3339(cleared_at),
        window=window_of(rule),
        window_start=rfc3339(alert.window_start),
        value=alert.value,
        n=whole(n),
        good=whole(good),
        low=low,
        high=high,
        threshold=alert.threshold,
        folded_into=alert.folded_into or None,
        first_event=alert.first,
        last_event=alert.last,
        message=message(version, rule, alert),
        employee_id=owner or UNSET,
        by=alert.by,
        reason=alert.reason,
        until=None if alert.until == NONE else rfc3339(alert.until),
        escalated_at=None if alert.escalated_at == NONE else rfc3339(alert.escalated_at),
        notify=alert.notify,
    )


def opened(
    version: Version,
    rule: Rule,
    owner: str,
    ruled: Ruled,
    found: tuple[float | None, float | None, float | None, float],
    record: tuple[str, int, int, str],
    shift: int,
) -> Open:
    """A new alert. `found`: value, n, good (units), limit; `record`: its event id, T, log time (ms) and unit.

    `shift`: when the shift at T began (ms), or started where a rule waits for silence, for a rule that looks at it.
    """
    value, n, good, limit = found
    event_id, at, stamp, unit = record
    if isinstance(rule, Gap):  # no record raised it: the unit did, at the end of a minute
        episode, first, begun = unit, "", at
    elif isinstance(rule, Stale):  # nor here: a tick did
        episode, first, begun = "", "", shift
    else:
        episode, (first, begun) = event_id, (ruled.first, ruled.begun) if ruled.first else (event_id, at)
    start = window_start(rule.window, version, at, shift) if isinstance(rule, Level | Gap) else begun
    return Open(
        alert_id(version, rule, owner, episode, at), FIRING, stamp, stamp, unit, start,
        value, n, good, threshold_of(rule, limit), first, event_id, rule.escalation > 0,
        escalates_after=rule.escalation,
    )  # fmt: skip
