"""Windows that closed become rows of the relational store, and what is learned of them later further rows.

A run goes partition by partition, people in slices. Every transaction is right by itself: a row that is there already
is not written again, and how far a partition is leaves with the last of its rows. So a run that ends anywhere is done
again and neither loses nor doubles anything. Units come last, when everybody's parts are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection

from agents.closing import (
    BEGUN,
    EVER,
    Work,
    closed_until,
    common_rules,
    days_of,
    news,
    since_of,
    tree_changed_since,
    without_alerts,
    work_of,
)
from agents.closing import slice_size as size_of
from agents.decoded import memo_of
from agents.meta import read_meta
from agents.query import states_of
from agents.records import results as store
from agents.records.database import Records
from agents.records.results import Key, Part, Progress, Row, Stamp
from agents.replay import chunks, replay
from agents.result_causes import SOMETHING, News, cause, of_records, of_rules
from agents.rules import only, rulebook
from agents.transport.log import Log
from agents.unit_results import unit_results
from schemas.chunk import decode_groups
from schemas.event import INPUT_TOPICS, Event
from stream.closed import SHIFT, Closed, Gathered, Outcome, Sums, exists, gather, person_outcomes
from stream.meta import Meta
from stream.person import Person
from stream.pipeline import Limits
from stream.rulebook import Rulebook
from stream.state import Expired, home_at
from stream.unit_tree import NO_TREE, read_tree, write_tree

ROWS: Final = 20_000  # in a transaction, about
_PER_WINDOW: Final = 10  # rows, about

Advance = Callable[[int], None]


class Closing(NamedTuple):
    """What became of a run: `until` (ms, None: nothing is closed yet), rows written, or why there are none."""

    until: int | None
    written: int
    restated: int
    people: int
    why: str


@dataclass(slots=True)
class _Somebody:
    """An employee whose windows are computed, those that ended after `after`.

    `news`: what came since the last run, in which windows were closed up to `closed` (ms).
    """

    person: Person
    after: int
    closed: int
    news: Sequence[News]
    gathered: Gathered = field(default_factory=Gathered)

    def cause(self, closed: Closed) -> str:
        """Why a row in a window is written; "" as it closes."""
        return cause(self.news, closed) or SOMETHING if closed.end <= self.closed else ""


class _Run:
    """One run, from what the log held when it began."""

    def __init__(self, log: Log, records: Records, limits: Limits, now: int, advance: Advance) -> None:
        self.log, self.records, self.limits, self.now, self.advance = log, records, limits, now, advance
        self.token = uuid4().hex
        self.calendars: list[News] = []  # new ones
        self.written = self.restated = self.people = 0

    def __call__(self) -> Closing:
        metas = read_meta(self.log)
        until, names = closed_until(metas, self.limits), common_rules(metas)
        if until == EVER:
            return Closing(None, 0, 0, 0, "no window is closed: some partition has no tick yet")
        if names is None:
            return Closing(None, 0, 0, 0, "workers are taking over new rules; try again in a minute")
        published = rulebook(self.log)
        rules = without_alerts(only(published, names))
        begun = self.records.write(lambda connection: store.begin(connection, self.log.log_id, self.token))
        for number, meta in enumerate(metas):
            self._partition(number, meta, rules, begun.progress.get(number, BEGUN), until, names)
        self._units(rules, published, begun.tree, _known_at(metas))
        return Closing(until, self.written, self.restated, self.people, "")

    # People

    def _partition(
        self, number: int, meta: Meta, rules: Rulebook, done: Progress, until: int, names: Sequence[str]
    ) -> None:
        changed = {} if done.until == EVER else self._changed(number, done.read, meta.applied, max(until, done.until))
        reach = {name: min(since_of(rules, one.since) for one in news) for name, news in changed.items()}
        work = work_of(done, rules, until, reach)
        new_rules = [] if done.until == EVER else of_rules(done.rules, rules)
        self.calendars += [one for one in new_rules if one.kind == "calendar"]
        stamp = Stamp(_known_at([meta]), self.now)
        reached = Progress(work.until, {name: meta.applied.get(name, 0) for name in INPUT_TOPICS}, sorted(names))
        for some in self._slices(number, work):
            people = self._gathered(number, meta, rules, work, some)
            for name, one in people.items():
                one.closed, one.news = done.until, [*new_rules, *changed.get(name, ())]
            self.people += len(people)
            for batch in _batches(people.values()):
                self._write(batch, stamp)
        if reached != done:
            self.records.write(partial(self._reach, number, reached))

    def _changed(
        self, number: int, read: Mapping[str, int], applied: Mapping[str, int], until: int
    ) -> dict[str, list[News]]:
        """Who is spoken of in the records since, and what they say of instants before `until` (ms)."""
        found: dict[str, list[News]] = {}
        count = self.log.topics()[INPUT_TOPICS[0]].partitions
        for topic in INPUT_TOPICS:
            memo = memo_of(topic, number, count)
            for rows in chunks(self.log, topic, number, read.get(topic, 0), applied.get(topic, 0)):
                self.advance(len(rows))
                for employee, own in decode_groups([rows], memo)[0]:
                    if news := list(of_records(own, employee, until)):
                        found.setdefault(employee, []).extend(news)
        return found

    def _slices(self, number: int, work: Work) -> Iterator[dict[str, list[Expired]]]:
        """The people to compute, some at a time, with what became late of theirs at ticks."""
        if not work.everybody and not work.changed:
            return
        chosen = {
            name: state.expired for name, state in states_of(self.log, number) if work.everybody or name in work.changed
        }
        for some in store.pieces(chosen.items(), size_of(days_of(work, self._first(number)))):
            yield dict(some)

    def _first(self, number: int) -> int:
        """About when the first events of a partition happened (ms)."""
        heads = (self.log.read(topic, number, 0, 1) for topic in INPUT_TOPICS)
        return min((head[0][1] for head in heads if head), default=0) - self.limits.late

    def _gathered(
        self, number: int, meta: Meta, rules: Rulebook, work: Work, some: Mapping[str, list[Expired]]
    ) -> dict[str, _Somebody]:
        people: dict[str, _Somebody] = {}

        def keep(person: Person, events: Sequence[Event]) -> None:
            own = people.get(person.id)
            if own is None:
                own = people[person.id] = _Somebody(person, work.after_of(person.id), EVER, ())
            gather(own.gathered, person, events, own.after, work.until)

        histories = replay(
            self.log, rules, number, self.limits, employees=some, until=meta.applied, expired=some,
            progress=self.advance, keep=keep,
        )  # fmt: skip
        for name, history in histories.items():
            people.setdefault(name, _Somebody(history.person, work.after_of(name), EVER, ()))
        return people

    def _write(self, people: Sequence[_Somebody], stamp: Stamp) -> None:
        written, restated = self.records.write(partial(self._written, people, stamp))
        self.written += written
        self.restated += restated

    def _written(self, people: Sequence[_Somebody], stamp: Stamp, connection: Connection) -> tuple[int, int]:
        store.demand_turn(connection, self.token)
        after = {one.person.id: one.after for one in people}
        earliest = min(after.values())
        before = {
            key: known
            for key, known in store.latest_of(connection, after, earliest).items()
            if key.closed.end > after[key.subject]
        }
        own = {one.person.id: one for one in people}
        windows: dict[str, set[Closed]] = {name: one.gathered.windows() for name, one in own.items()}
        for key in before:
            windows[key.subject].add(key.closed)
        now: dict[Key, Outcome] = {}
        for one in people:
            for closed in windows[one.person.id]:
                found = person_outcomes(one.person, closed, one.gathered.sums(closed))
                now |= {Key(one.person.id, closed, indicator): row for indicator, row in found.items()}

        def there_is(name: str, closed: Closed) -> bool:
            person = own[name].person
            return exists(person.rules, closed, home_at(person.state, closed.as_of))

        rows = [
            _row(key, number, row, own[key.subject].cause(key.closed))
            for key, number, row in news(before, now, there_is)
        ]
        parts = {
            part: known
            for part, known in store.parts_of(connection, after, earliest).items()
            if part[1].end > after[part[0]]
        }
        store.replace_parts(connection, parts, _parts(people), lambda name, closed: own[name].cause(closed))
        store.write(connection, "employee", rows, stamp)
        return len(rows), sum(row.number > 0 for row in rows)

    def _reach(self, number: int, reached: Progress, connection: Connection) -> None:
        store.demand_turn(connection, self.token)
        store.reach(connection, number, reached)

    # Units

    def _units(self, rules: Rulebook, published: Rulebook, tree: bytes | None, known_at: int) -> None:
        """Everything that waits; after another tree also what it changes."""
        stamp = Stamp(known_at, self.now)
        record = write_tree(published.tree.units)
        if record != tree:
            self.records.write(partial(self._new_tree, tree, published, record))
        if self.calendars:
            since = min(since_of(rules, one.since) for one in self.calendars)
            self.records.write(partial(self._new_calendars, since))
        for closed, why in self.records.write(store.pending):
            written, restated = self.records.write(partial(self._pooled, closed, why, rules, published, stamp))
            self.written += written
            self.restated += restated

    def _new_tree(self, tree: bytes | None, published: Rulebook, record: bytes, connection: Connection) -> None:
        store.demand_turn(connection, self.token)
        since = tree_changed_since(NO_TREE if tree is None else read_tree(tree), published.tree)
        if since is not None:
            why = "" if tree is None else "tree"
            store.pend(connection, dict.fromkeys(store.windows_after(connection, since), why))
        store.adopt_tree(connection, record)

    def _new_calendars(self, since: int, connection: Connection) -> None:
        """Units above others may have other shifts, although nobody's part is another."""
        store.demand_turn(connection, self.token)
        store.pend(connection, dict.fromkeys(store.windows_after(connection, since, SHIFT), "calendar"))

    def _pooled(
        self, closed: Closed, why: str, rules: Rulebook, published: Rulebook, stamp: Stamp, connection: Connection
    ) -> tuple[int, int]:
        """The results of all units in a window; of a shift in all that begin with it."""
        store.demand_turn(connection, self.token)
        before = store.latest_of_units(connection, closed)
        brought = list(store.parts_in(connection, closed))
        now = unit_results(closed, brought, {key.subject for key in before}, rules, published.tree)
        rows = [
            _row(key, number, row, why)
            for key, number, row in news(before, now, lambda unit, shift: exists(rules, shift, unit))
        ]
        store.write(connection, "unit", rows, stamp)
        store.done(connection, closed)
        return len(rows), sum(row.number > 0 for row in rows)


def close(log: Log, records: Records, limits: Limits, now: int, advance: Advance = lambda _: None) -> Closing:
    """Write the results of windows that closed, and restate those that something recorded later changes.

    `now` (ms) is what rows say they were computed at. Superseded when another run began meanwhile; RecordsError when
    the store has the results of another log.
    """
    return _Run(log, records, limits, now, advance)()


def _known_at(metas: Iterable[Meta]) -> int:
    return max(max(meta.logged, meta.now) for meta in metas)


def _row(key: Key, number: int, outcome: Outcome, why: str) -> Row:
    return Row(key, number, outcome, why or (SOMETHING if number else None))


def _batches(people: Iterable[_Somebody]) -> Iterator[list[_Somebody]]:
    """People whose rows fit into a transaction."""
    batch: list[_Somebody] = []
    rows = 0
    for one in people:
        batch.append(one)
        rows += 1 + len(one.gathered.parts) * _PER_WINDOW
        if rows >= ROWS:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _parts(people: Iterable[_Somebody]) -> dict[Part, tuple[int, str]]:
    """What they brought to units, as the store keeps it."""
    return {
        (one.person.id, closed, unit): (_version(one.person.rules, closed), store.sums_text(sums))
        for one in people
        for closed, by_unit in one.gathered.parts.items()
        for unit, sums in by_unit.items()
        if unit
    }


def _version(rules: Rulebook, closed: Closed) -> int:
    version = rules.in_force(closed.template, closed.as_of)
    assert version is not None  # something counted
    return version.key[1]
