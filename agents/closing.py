"""What is closed, and what has to be computed again: decided from what partitions and the store say, without I/O.

A window is closed once the newest tick of every partition is as long after its end as plain events are waited for:
no event of the present can enter it any more. What is recorded for the past later restates it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from agents.records.result_terms import Key, Known, Progress
from agents.rules import unknown_since
from schemas.instants import DAY
from stream.closed import SHIFT, Closed, Outcome, bounds_of, gone, kinds_of
from stream.meta import Meta
from stream.pipeline import Limits
from stream.rulebook import Rulebook
from stream.unit_tree import UnitTree

EVER: Final = -(1 << 62)
CELLS: Final = 50_000  # people times days whose sums are in memory at once
MOST: Final = 4_000  # people whose states are
BEGUN: Final = Progress(EVER, {}, [])


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done in a partition: the windows of `everybody` that ended after `after`, and of those whose past
    changed (by employee) after their own instant; all of them up to `until`."""

    until: int
    after: int
    everybody: bool
    changed: Mapping[str, int] = field(default_factory=dict)

    def after_of(self, employee: str) -> int:
        """The windows of somebody that ended later are computed."""
        own = self.changed.get(employee)
        return self.after if own is None else min(own, self.after)


class Closing(NamedTuple):
    """What became of a run: `until` (ms, None: nothing is closed yet), rows written, or why there are none."""

    until: int | None
    written: int
    restated: int
    people: int
    why: str


def closed_until(metas: Sequence[Meta], limits: Limits) -> int:
    """Windows that ended by then (ms) are closed; EVER when a partition has no tick yet."""
    now = min((meta.now for meta in metas), default=-1)
    return EVER if now < 0 else now - limits.late


def common_rules(metas: Sequence[Meta]) -> list[str] | None:
    """The versions and models that all partitions work by; None while some have not adopted what others have."""
    first = metas[0].rules if metas else []
    return None if any(set(meta.rules) != set(first) for meta in metas) else first


def work_of(done: Progress, rules: Rulebook, until: int, changed: Mapping[str, int]) -> Work:
    """What a partition has to do: windows that closed since, rules that reach into closed ones, changed people.

    `changed`: per employee after which instant windows ended that a record since then may concern (`since_of`).
    """
    until = max(until, done.until)
    known = unknown_since(done.rules, rules)
    reached = until if known is None else since_of(rules, known)
    everybody = reached < until or any_closed(rules, done.until, until)
    concerned = {name: at for name, at in changed.items() if at < until}
    return Work(until, min(reached, done.until), everybody, concerned)


def any_closed(rules: Rulebook, after: int, until: int, *, shifts: bool = True) -> bool:
    """Whether some window ended in (after, until]; `shifts`: those are asked for, too."""
    if after == EVER or until <= after:
        return until > after
    versions = (version for own in rules.versions.values() for version in own if version.begins < until)
    windows = [(version, kind) for version in versions for kind in kinds_of(version)]
    if shifts and any(kind == SHIFT for _, kind in windows) and rules.calendars.any_ended(after, until):
        return True
    bounds = (bounds_of(rules, *window, "", after) for window in windows if window[1] != SHIFT)
    return any(bound is not None and bound[1] <= until for bound in bounds)


def since_of(rules: Rulebook, at: int) -> int:
    """What is said of an instant (ms) concerns no window that ended by this.

    A shift that is over counts what happened after its end in a unit whose own shift went on, and one that a calendar
    cuts ends at that instant.
    """
    return min(at - 1, rules.calendars.earliest(at)) if rules.by_shift else at


def concerned_by(rules: Rulebook, until: int) -> int:
    """What is said of this instant (ms) or a later one concerns no window that ended by `until`."""
    return max(until, rules.calendars.latest(until - 1)) + 1 if rules.by_shift else until


def slice_size(days: float) -> int:
    """How many people are computed at once, so that memory does not grow with them or with the time they worked."""
    return max(1, min(MOST, int(CELLS / max(1.0, days))))


def days_of(work: Work, first: int) -> float:
    """How long a time the windows of some work lie in; `first`: when the log begins (ms)."""
    after = min([work.after, *work.changed.values()])
    return (work.until - max(after, first)) / DAY + 1


def news(
    before: Mapping[Key, Known], now: Mapping[Key, Outcome], there_is: Callable[[str, Closed], bool]
) -> Iterator[tuple[Key, int, Outcome]]:
    """The rows to write, with their numbers: what is new, what is not as it was, and what is gone.

    `there_is`: whether a subject has such a window.
    """
    for key, outcome in now.items():
        known = before.get(key)
        if known is None:
            yield key, 0, outcome
        elif known.outcome != outcome:
            yield key, known.number + 1, outcome
    for key, known in before.items():
        nothing = gone(known.outcome, there_is(key.subject, key.closed))
        if key not in now and known.outcome != nothing:
            yield key, known.number + 1, nothing


def tree_changed_since(old: UnitTree, new: UnitTree) -> int | None:
    """The earliest instant at which some unit belongs elsewhere, EVER when that was always so; None: all as it was."""
    units = old.units.keys() | new.units.keys()
    for at in [EVER, *sorted({*old.edges, *new.edges})]:
        if any(old.parent(unit, at) != new.parent(unit, at) for unit in units):
            return at
    return None


def without_alerts(rules: Rulebook) -> Rulebook:
    """The same rules; nobody is watched."""
    templates = (
        replace(template, indicators=tuple(replace(one, alerts=()) for one in template.indicators))
        for template in rules.templates()
    )
    models = (model for own in rules.models.values() for model in own)
    return Rulebook(templates, rules.published_at, models, rules.calendars.versions, rules.tree)
