"""Windows that closed become rows of the relational store, and what is learned of them later further rows.

A run goes partition by partition, people in slices. Every transaction is right by itself: a row that is there already
is not written again, and how far a partition is leaves with the last of its rows. So a run that ends anywhere is done
again and neither loses nor doubles anything. Units come last, when everybody's parts are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection

from agents.closing import (
    BEGUN,
    EVER,
    Closing,
    Work,
    closed_until,
    common_rules,
    concerned_by,
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
from agents.records import result_parts, results
from agents.records.database import Records
from agents.records.result_parts import Part, Waiting
from agents.records.result_terms import Key, Progress, Row, Stamp
from agents.replay import chunks, replay
from agents.result_causes import CLOSES, News, cause, of_records, of_rules, told
from agents.rules import only, rulebook
from agents.transport.log import Log
from agents.unit_results import Pool
from schemas.chunk import decode_groups
from schemas.event import INPUT_TOPICS, Event
from stream.closed import SHIFT, Closed, Gathered, Outcome, exists, gather, person_outcomes
from stream.meta import Meta
from stream.person import Person
from stream.pipeline import Limits
from stream.rulebook import Rulebook
from stream.state import Expired, home_at
from stream.unit_tree import NO_TREE, read_tree, write_tree

ROWS: Final = 20_000  # in a transaction, about
_PER_WINDOW: Final = 10  # rows, about

Advance = Callable[[int], None]


@dataclass(slots=True)
class _Somebody:
    """An employee whose windows are computed, those that ended after `after`.

    `news`: what came since the last run, up to which windows were closed by `closed` (ms).
    """

    person: Person
    after: int
    closed: int
    news: Sequence[News]
    gathered: Gathered = field(default_factory=Gathered)

    def cause(self, closed: Closed) -> str:
        """Why what they have in a window is another."""
        return cause(self.news, closed, self.person.rules) if closed.end <= self.closed else CLOSES

    def row(self, key: Key, number: int, outcome: Outcome) -> Row:
        """A row of theirs; what was written by a run that did not end is restated for what came since."""
        why = cause(self.news, key.closed, self.person.rules) if number else self.cause(key.closed)
        return Row(key, number, outcome, told(why, number))

    def has(self, closed: Closed) -> bool:
        """Whether there is such a window for them."""
        return exists(self.person.rules, closed, home_at(self.person.state, closed.as_of))


class _Run:
    """One run, from what the log held when it began."""

    def __init__(self, log: Log, records: Records, limits: Limits, now: int, advance: Advance) -> None:
        self.log, self.records, self.limits, self.now, self.advance = log, records, limits, now, advance
        self.token = uuid4().hex
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
        begun = self.records.write(lambda connection: results.begin(connection, self.log.log_id, self.token))
        reached = [
            self._partition(number, meta, rules, begun.progress.get(number, BEGUN), until, names)
            for number, meta in enumerate(metas)
        ]
        self._units(rules, published, begun.tree, _known_at(metas), min(reached))
        return Closing(until, self.written, self.restated, self.people, "")

    # People

    def _partition(
        self, number: int, meta: Meta, rules: Rulebook, done: Progress, until: int, names: Sequence[str]
    ) -> int:
        """Closes a partition; up to when it is closed then."""
        new_rules = [] if done.until == EVER else of_rules(done.rules, rules)
        before = concerned_by(rules, max(until, done.until))
        changed = {} if done.until == EVER else self._changed(number, done.read, meta.applied, before)
        reach = {name: min(since_of(rules, one.at) for one in news) for name, news in changed.items()}
        work = work_of(done, rules, until, reach)
        stamp = Stamp(_known_at([meta]), self.now)
        for some in self._slices(number, work):
            people = self._gathered(number, meta, rules, work, some)
            for name, one in people.items():
                one.closed, one.news = done.until, [*new_rules, *changed.get(name, ())]
            self.people += len(people)
            for batch in _batches(people.values()):
                self._write(batch, stamp)
        reached = Progress(work.until, {name: meta.applied.get(name, 0) for name in INPUT_TOPICS}, sorted(names))
        if reached != done:
            reaching = [(one.kind, at) for one in new_rules if (at := since_of(rules, one.at)) < work.until]
            since = dict(sorted(reaching, key=lambda one: -one[1]))  # of a kind the earliest
            self.records.write(partial(self._reach, number, reached, since))
        return work.until

    def _changed(
        self, number: int, read: Mapping[str, int], applied: Mapping[str, int], before: int
    ) -> dict[str, list[News]]:
        """Who is spoken of in the records since, and what they say of instants before `before` (ms)."""
        found: dict[str, list[News]] = {}
        count = self.log.topics()[INPUT_TOPICS[0]].partitions
        for topic in INPUT_TOPICS:
            memo = memo_of(topic, number, count)
            for rows in chunks(self.log, topic, number, read.get(topic, 0), applied.get(topic, 0)):
                self.advance(len(rows))
                for employee, own in decode_groups([rows], memo)[0]:
                    if news := list(of_records(own, employee, before)):
                        found.setdefault(employee, []).extend(news)
        return found

    def _slices(self, number: int, work: Work) -> Iterator[dict[str, list[Expired]]]:
        """The people to compute, some at a time, with what became late of theirs at ticks."""
        if not work.everybody and not work.changed:
            return
        chosen = {
            name: state.expired for name, state in states_of(self.log, number) if work.everybody or name in work.changed
        }
        for some in results.pieces(chosen.items(), size_of(days_of(work, self._first(number)))):
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
        results.demand_turn(connection, self.token)
        own = {one.person.id: one for one in people}
        earliest = min(one.after for one in people)
        before = {
            key: known
            for key, known in results.latest_of(connection, own, earliest).items()
            if key.closed.end > own[key.subject].after
        }
        windows = {name: one.gathered.windows() for name, one in own.items()}
        for key in before:
            windows[key.subject].add(key.closed)
        now: dict[Key, Outcome] = {}
        for name, one in own.items():
            for closed in windows[name]:
                found = person_outcomes(one.person, closed, one.gathered.sums(closed))
                now |= {Key(name, closed, indicator): row for indicator, row in found.items()}
        rows = [own[row[0].subject].row(*row) for row in news(before, now, lambda name, closed: own[name].has(closed))]
        parts = {
            part: sums
            for part, sums in result_parts.parts_of(connection, own, earliest).items()
            if part.closed.end > own[part.employee].after
        }
        result_parts.replace_parts(connection, parts, _parts(people), lambda name, closed: own[name].cause(closed))
        results.write(connection, "employee", rows, stamp)
        return len(rows), sum(row.number > 0 for row in rows)

    def _reach(self, number: int, reached: Progress, since: Mapping[str, int], connection: Connection) -> None:
        """With it the shifts wait in which units may have others by new rules, although nobody's part is another.

        `since`: by what the rules are, after which instant the windows ended that they concern (ms).
        """
        results.demand_turn(connection, self.token)
        results.reach(connection, number, reached)
        for kind, after in since.items():
            result_parts.pend(connection, dict.fromkeys(result_parts.windows_after(connection, after, SHIFT), kind))

    # Units

    def _units(self, rules: Rulebook, published: Rulebook, tree: bytes | None, known_at: int, until: int) -> None:
        """Everything that waits, and is closed by `until` (ms); after another tree also what it changes."""
        stamp = Stamp(known_at, self.now)
        record = write_tree(published.tree.units)
        if record != tree:
            self.records.write(partial(self._new_tree, tree, published, record))
        for waiting in self.records.write(result_parts.pending):
            pool = Pool(waiting.closed, rules, published.tree, until)
            written, restated = self.records.write(partial(self._pooled, waiting, pool, stamp))
            self.written += written
            self.restated += restated

    def _new_tree(self, tree: bytes | None, published: Rulebook, record: bytes, connection: Connection) -> None:
        results.demand_turn(connection, self.token)
        since = tree_changed_since(NO_TREE if tree is None else read_tree(tree), published.tree)
        if since is not None:
            why = "" if tree is None else "tree"
            result_parts.pend(connection, dict.fromkeys(result_parts.windows_after(connection, since), why))
        results.adopt_tree(connection, record)

    def _pooled(self, waiting: Waiting, pool: Pool, stamp: Stamp, connection: Connection) -> tuple[int, int]:
        """The results of all units in a window; of a shift in all that begin with it."""
        results.demand_turn(connection, self.token)
        before = results.latest_of_units(connection, waiting.closed)
        pooled = pool(list(result_parts.parts_in(connection, waiting.closed)), {key.subject for key in before})
        before = {key: known for key, known in before.items() if (key.subject, key.closed) not in pooled.early}
        rows = [
            Row(key, number, outcome, told(_cause_of(waiting, key.closed), number))
            for key, number, outcome in news(before, pooled.found, pool.there_is)
        ]
        results.write(connection, "unit", rows, stamp)
        if not pooled.early:
            result_parts.done(connection, waiting.closed)
        return len(rows), sum(row.number > 0 for row in rows)


def close(log: Log, records: Records, limits: Limits, now: int, advance: Advance = lambda _: None) -> Closing:
    """Write the results of windows that closed, and restate those that something recorded later changes.

    `now` (ms) is what rows say they were computed at. Superseded when another run began meanwhile; RecordsError when
    the store has the results of another log.
    """
    return _Run(log, records, limits, now, advance)()


def _known_at(metas: Iterable[Meta]) -> int:
    return max(max(meta.logged, meta.now) for meta in metas)


def _cause_of(waiting: Waiting, closed: Closed) -> str:
    """What has come of the shifts that a unit's own pools, which end with it or later; else of all."""
    later = [cause for end, cause in waiting.causes.items() if end >= closed.end]
    return result_parts.together(later or waiting.causes.values())


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


def _parts(people: Iterable[_Somebody]) -> dict[Part, str]:
    """What they brought to units, as the store keeps it."""
    return {
        Part(one.person.id, closed, unit, version): result_parts.sums_text(sums)
        for one in people
        for closed, places in one.gathered.parts.items()
        for (unit, version), sums in places.items()
        if unit
    }
