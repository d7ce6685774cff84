"""A unit's people for whoever leads it: who needs attention and why first, everybody else by id. Nobody is ranked.

Attention needs a reason that can be shown: an alert, a statistic on its way to one, an interval that lies wholly below
the target, or silence. What is only a low number among others is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from dashboards.web.alerts import gravity
from dashboards.web.board import flagship
from dashboards.web.catalogue import Catalogue
from dashboards.web.reading import Reading, Trend, reading, trend
from dashboards.web.times import instant
from dashboards.web.updates import Key, KnownEmployee, is_empty, key
from schemas.alerts import FIRING, AlertRow

NEAR: Final = 0.8  # of the height at which a drift rule alerts
Why = Literal["alert", "handled", "near", "below", "silent"]
_ORDER: Final[tuple[Why, ...]] = ("alert", "handled", "near", "below", "silent")


_NO_ALERT: Final = (False, False, 0, "", "")


class Reason(msgspec.Struct, frozen=True):
    """Why somebody needs attention. `share`: how far a drift statistic is on its way to an alert, 0 to 1.

    `reading`: what lies below its target; `since`: the newest event of somebody who is silent, RFC 3339.
    """

    why: Why
    alert: AlertRow | None = None
    share: float | None = None
    reading: Reading | None = None
    since: str | None = None


class Member(msgspec.Struct, frozen=True):
    """One person: the unit's own reading for them, and why they need attention, the gravest reason first."""

    id: str
    newest: str | None
    reading: Reading | None
    trend: Trend
    reasons: tuple[Reason, ...]


class Team(msgspec.Struct, frozen=True):
    """Alerts of the unit itself, those who need attention, the gravest first, and everybody else by id."""

    own: tuple[AlertRow, ...]
    attention: tuple[Member, ...]
    others: tuple[Member, ...]


def team(
    people: Mapping[str, KnownEmployee],
    alerts: Sequence[AlertRow],
    catalogue: Catalogue,
    main: Key | None,
    now: int,
    silent_ms: int,
) -> Team:
    """The unit's people as of `now` (ms); `main`: the reading that its board shows large.

    Silent is who has data, but none since `silent_ms` ago, while somebody else in the unit has some.
    """
    newest = max((one.newest for one in people.values() if one.newest is not None), default=None)
    awake = newest is not None and now - newest <= silent_ms
    by_person: dict[str, list[AlertRow]] = {}
    for alert in sorted(alerts, key=_gravity):
        if isinstance(alert.employee_id, str):
            by_person.setdefault(alert.employee_id, []).append(alert)
    quiet_before = now - silent_ms if awake else None
    members = [
        member(who, known, by_person.get(who, []), catalogue, main, quiet_before)
        for who, known in sorted(people.items())
    ]
    return Team(
        tuple(alert for alert in sorted(alerts, key=_gravity) if not isinstance(alert.employee_id, str)),
        tuple(sorted((one for one in members if one.reasons), key=_attention)),
        tuple(one for one in members if not one.reasons),
    )


def member(
    who: str,
    known: KnownEmployee,
    alerts: Sequence[AlertRow],
    catalogue: Catalogue,
    main: Key | None,
    quiet_before: int | None,
) -> Member:
    """One person; `alerts` are theirs, the gravest first. `quiet_before` (ms): silent is who has nothing since then."""
    update = known.update()
    row = next((row for row in update.rows if key(row) == main), None) or flagship(update.rows, catalogue)
    readings = [reading(row, catalogue) for row in update.rows if not row.indicator.startswith("@")]
    said = {(alert.template, alert.indicator) for alert in alerts}
    found = [Reason("alert" if alert.state == FIRING else "handled", alert=alert) for alert in alerts]
    found += [
        Reason("near", share=min(share, 1.0), reading=_of(readings, name))
        for name, share in sorted(update.drifts.items(), key=lambda one: -one[1])
        if share >= NEAR and tuple(name.split("/", 1)) not in said
    ]
    found += [Reason("below", reading=one) for one in _below(readings) if (one.template, one.indicator) not in said]
    empty = is_empty(update.rows)
    if quiet_before is not None and known.newest is not None and known.newest < quiet_before and not empty:
        found.append(Reason("silent", since=instant(known.newest)))
    return Member(
        who,
        None if empty else instant(known.newest),
        None if row is None else reading(row, catalogue),
        Trend() if row is None else trend(update.trends, key(row)),
        tuple(sorted(found, key=lambda reason: _ORDER.index(reason.why))),
    )


def _below(readings: Sequence[Reading]) -> list[Reading]:
    """Of each indicator the first window in which it lies below its target, as far as its interval allows to say."""
    found: dict[tuple[str, str], Reading] = {}
    for one in readings:
        if one.mark == "below" and one.low is not None:
            found.setdefault((one.template, one.indicator), one)
    return list(found.values())


def _of(readings: Sequence[Reading], name: str) -> Reading | None:
    template, _, indicator = name.partition("/")
    return next((one for one in readings if (one.template, one.indicator) == (template, indicator)), None)


def _attention(one: Member) -> tuple[int, tuple[bool, bool, int, str, str], str]:
    first = one.reasons[0]
    return (_ORDER.index(first.why), _NO_ALERT if first.alert is None else _gravity(first.alert), one.id)


def _gravity(alert: AlertRow) -> tuple[bool, bool, int, str, str]:
    """What fires before what somebody has in hand, what escalated before what did not, the most severe, the oldest."""
    return (alert.state != FIRING, alert.escalated_at is None, gravity(alert.severity), alert.raised_at, alert.alert_id)
