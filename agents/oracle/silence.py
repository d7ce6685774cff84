"""Silence is decided at ticks, by what is known at each: raised and over there, and never decided again."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agents.oracle.alerts import Alert, alert_id
from agents.oracle.duty import Duties
from agents.oracle.known import Epoch, Knowledge, epochs_of
from agents.oracle.rows import Person, entered
from agents.oracle.rulebook import Version
from agents.oracle.rules import Rule, Stale
from agents.oracle.template import Indicator

_FOREVER = 1 << 63
_Key = tuple[str, int, str, str]  # template, version, indicator, rule


class _Open(NamedTuple):
    newest: int  # the largest T of the entries at the tick at which it was raised
    alert: Alert


class _Watched(NamedTuple):
    """A rule that is looked at, and how long (ms) a unit has to be at work without an entry."""

    version: Version
    indicator: Indicator
    rule: Rule
    length: int
    after: int

    @property
    def key(self) -> _Key:
        template = self.version.template
        return template.template, template.version, self.indicator.id, self.rule.id


def silences_of(person: Person, known: Knowledge) -> Iterator[Alert]:
    """The alerts of one person's rules that wait for silence: those that are over, then those that are not."""
    last = len(known.ticks.times) - 1
    if last < 0 or not any(_waiting(version) for version in known.rulebook(last).versions):
        return
    open_: dict[_Key, _Open] = {}
    for epoch in epochs_of(person, known):
        watch = _Watch(epoch, known, open_)
        for version in epoch.rulebook.versions:
            rules = list(_waiting(version))
            if rules:
                yield from watch.look(version, rules)
    yield from (opened.alert for opened in open_.values())


def _waiting(version: Version) -> Iterator[tuple[int, Rule, Stale]]:
    for position, indicator in enumerate(version.template.indicators):
        for rule in indicator.rules:
            if isinstance(rule.condition, Stale):
                yield position, rule, rule.condition


class _Watch:
    """The ticks of one epoch; what is `open` goes on from one epoch to the next."""

    def __init__(self, epoch: Epoch, known: Knowledge, open_: dict[_Key, _Open]) -> None:
        self._epoch, self._known, self._open = epoch, known, open_
        self._times = known.ticks.times
        self._duties = Duties(epoch.rulebook.calendars)
        self._edges: list[int] = []

    def look(self, version: Version, rules: list[tuple[int, Rule, Stale]]) -> Iterator[Alert]:
        """The alerts that were over at the ticks, of some rules of a version."""
        epoch = self._epoch
        ends = [end for end in (version.start, version.end) if end is not None]
        self._edges = sorted([*ends, *epoch.person.assignments.times])
        entries = entered(epoch.person, version, epoch.rulebook)
        for position, rule, condition in rules:
            indicator, events = entries[position]
            watched = _Watched(version, indicator, rule, condition.after + rule.wait, condition.after)
            arrived = sorted((max(epoch.begin, self._known.since(event)), event.at) for event in events)
            for begin, end, newest in _stretches(epoch, arrived):
                yield from self._stretch(watched, begin, end, newest)

    def _stretch(self, watched: _Watched, begin: int, end: int, newest: int | None) -> Iterator[Alert]:
        """Ticks at which no newer entry has come. Only those are looked at at which something may be otherwise."""
        tick = begin
        while tick < end:
            if watched.key not in self._open and (newest is None or self._times[end - 1] < newest + watched.length):
                return
            over, following = self._tick(watched, self._times[tick], newest)
            if over is not None:
                yield over
            tick = max(tick + 1, bisect_left(self._times, following, tick + 1, end))

    def _tick(self, watched: _Watched, at: int, newest: int | None) -> tuple[Alert | None, int]:
        """(the alert that is over at a tick, when after it something may be otherwise)."""
        person, over = self._epoch.person, None
        following = next(iter(self._edges[bisect_right(self._edges, at) :]), _FOREVER)
        if watched.version not in self._epoch.rulebook.applying(at, person.assignments.role(at)):
            return None, following
        home = person.assignments.unit(at)
        shift = self._duties.shift(home, at)
        opened = self._open.get(watched.key)
        if opened is not None:
            came = newest is not None and newest > opened.newest
            if came or shift is None or shift[0] > opened.alert.raised_at:
                over = opened.alert._replace(cleared_at=at, reason="" if came else "shift-over")
                opened = None
                del self._open[watched.key]
        following = min(following, self._duties.next_look(home, at))
        if shift is not None:
            following = min(following, shift[1])
        if opened is None and newest is not None and shift is not None:
            since = max(newest, shift[0])
            reached = self._duties.reached(home, since, watched.length, shift[1])
            if reached is not None and reached <= at:
                self._open[watched.key] = _Open(newest, _alert(person, watched, home, at, reached, shift[0]))
            elif reached is not None:
                following = min(following, reached)
        return over, following


def _stretches(epoch: Epoch, arrived: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int | None]]:
    """(first tick, end, largest T of the entries that are known at these ticks), from tick and T of each entry."""
    begin, newest = epoch.begin, None
    for tick, at in arrived:
        if newest is None or at > newest:
            if tick > begin:
                yield begin, tick, newest
            begin, newest = tick, at
    yield begin, epoch.end, newest


def _alert(person: Person, watched: _Watched, home: str, at: int, reached: int, start: int) -> Alert:
    template, indicator, rule = watched.version.template, watched.indicator, watched.rule
    head = (template.template, template.version, indicator.id, rule.id, "", person.employee, "", reached)
    return Alert(
        alert_id(*head), rule.id, person.employee, home, indicator.id, template.template, template.version,
        rule.severity, at, None, "", start, None, None, None, watched.after / 1000, "", "",
    )  # fmt: skip
