"""One partition's employees: chunks in, decisions by the core, what changed kept for the next commit.

Everything here happens in the worker's loop, one thing after the other: a chunk, or a snapshot for a commit, is whole
before anything else begins (agents/scoring.py), though the loop may look elsewhere between two slices of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import ClassVar, Final, cast

from msgspec.structs import replace

from agents import restating
from agents.alerting import Alerting
from agents.counting import EACH, MANY, count_chunk
from agents.decoded import DecodedChunk, decode, memo_of, originals
from agents.due import Due
from agents.gate import admits
from agents.held_events import records_again
from agents.identities import Identities
from agents.limits import fix_limits
from agents.outbox import dead_letter, late_event
from agents.owed import Owed
from agents.rules import only, rulebook, unknown_since
from agents.shares import Shares
from agents.slices import Slices, at_once, batched
from agents.store import Store
from agents.ticks import Tick, reachable, tick_of
from agents.transport.log import Log, Outgoing
from schemas.event import INPUT_TOPICS, Rejection, Row
from stream.held import expire, expiry
from stream.keys import ALERTED, EMPLOYEE, HOLDING, employee_key, instant_of
from stream.meta import KEY, Meta, decode_meta
from stream.person import Person
from stream.pipeline import Limits
from stream.rulebook import Rulebook
from stream.state import FORMAT, Held, State, decode_state, demand_format, due_of
from stream.tally import Tally
from stream.together import FEWEST
from stream.topics import COMMANDS, TICKS

TOPIC_NUMBER: Final = {name: number for number, name in enumerate(INPUT_TOPICS)}


class Partition:
    """Employees of one partition. `dirty` changed since the last snapshot; `owed`: score updates to be made."""

    fewest: ClassVar[int] = FEWEST  # people of a chunk who are counted together

    def __init__(
        self,
        number: int,
        partitions: int,
        store: Store,
        log: Log,
        rules: Rulebook,
        limits: Limits,
        demand: Callable[[int, Meta], None] | None = None,
    ) -> None:
        """`demand` raises when the state, as of its last commit, is not of this log."""
        self.number = number
        self.store = store
        self.log = log
        self.meta = Meta(format=FORMAT) if (raw := store.get(KEY)) is None else decode_meta(raw)
        demand_format(self.meta.format)
        if demand is not None:
            demand(number, self.meta)
        self.rules = only(rules, self.meta.rules)
        self.limits = limits
        fix_limits(self.meta, limits)
        self.identities = Identities(store)
        self.persons: dict[str, Person] = {}
        self.dirty: dict[str, None] = {}
        self.owed = Owed()
        self.due = Due()  # score updates that time alone changes
        self.expiring = Due()  # held records that become late
        self.alerting = Alerting(number, log, self.person, self.due, store)
        self.shares = Shares(number, self.meta, self.person, store)
        self.holding = {key[1:].decode(): instant_of(raw) for key, raw in store.items(HOLDING)}
        self.alerted = {key[1:].decode() for key, _ in store.items(ALERTED)}  # employees with an open alert
        self.units: set[str] = set()  # of everybody whose score was told since the start
        self.outputs: list[Outgoing] = []
        self.sending: list[Outgoing] = []  # outputs of the commit under way
        self.changes: list[tuple[bytes, bytes | None]] = []  # identities, for the changelog
        self.saved: Mapping[tuple[str, int], int] = {(t, number): n for t, n in self.meta.applied.items()}  # committed
        self.flushing: Mapping[bytes, bytes | None] = {}
        self.unsettled: set[str] = set()  # employees whose past has changed, to be counted anew
        self._ticks: list[tuple[int, Tick]] = []
        self._memos = {name: memo_of(name, number, partitions) for name in INPUT_TOPICS}
        for held in self.holding.items():
            self.expiring.schedule(*held)
        self._awake = False
        if rules.awaits_silence or rules.awaits_units:  # ticks decide about everybody
            self._awake = self.wake(None, None) is None
            if rules.awaits_units and self.meta.shared < 0:
                self.shares.stir(self.employees_of()())
        if self.meta.shown != self.meta.rules:  # what is stored of many does not know these rules yet
            everybody = self.employees_of()()
            self.owed.everybody(everybody)
            self.alerting.noticed(everybody)
        self.alerting.recall(self.alerted)
        self.catch_up(rules)

    def decoded(self, topic: str, records: Sequence[Row] | DecodedChunk) -> DecodedChunk:
        """A chunk of an input topic, decoded here if it was not."""
        return records if isinstance(records, DecodedChunk) else decode(records, self._memos[topic])

    def apply(self, topic: str, chunk: DecodedChunk) -> None:
        """Applies a chunk of an input topic."""
        at_once(self.applying(topic, chunk))

    def applying(self, topic: str, chunk: DecodedChunk) -> Slices:
        """The same in slices, between which nothing may be done with this partition."""
        expected = self.meta.applied.get(topic, 0)
        kept = self.log.start(topic, self.number) if chunk.first > expected else 0
        if not admits(topic, chunk, expected, kept):
            return
        tally, number = Tally(), TOPIC_NUMBER[topic]
        changed = dict.fromkeys(chunk.groups.packed.names)
        self.dirty.update(changed)  # first: nobody lets go of them in a pause
        self.owed.soon.update(changed)
        if self.rules.awaits_units:
            self.shares.stir(changed)
        yield from self._recalling(changed)
        put_away, recall, fewest = partial(self._put_away, tally), self.identities.recall, self.fewest
        reached = yield from count_chunk(
            chunk.groups, number, self.person, self.limits, recall, tally, fewest, put_away
        )
        self.meta.measured = max(self.meta.measured, reached)
        self.alerting.noticed(changed)
        yield from self._settle(topic, chunk, expected, tally)
        self.meta.applied[topic] = chunk.after  # all that a tick would have to know of it is known
        self.meta.logged = max(self.meta.logged, chunk.logged)
        self.unsettled |= tally.restate
        yield from restating.decide_held(self, tally.release - self.unsettled)
        yield from self._running_ticks()

    def _settle(self, topic: str, chunk: DecodedChunk, expected: int, tally: Tally) -> Slices:
        """Outcomes, what goes to dead letters and late events, and until when held records are waited for."""
        self._put_away(tally)
        yield
        self.count(tally)
        refused = [entry for entry in chunk.refused if entry[0].offset >= expected]
        if tally.conflicts or tally.late_events:
            by_offset = yield partial(originals, self.log, topic, self.number, chunk)
            for event in tally.conflicts:
                reason = Rejection("conflict", f"event_id: {event.event_id!r} is known with other content")
                refused.append((by_offset[event.offset], reason))
            for count, event in enumerate(tally.late_events):
                self.outputs.append(late_event(topic, self.number, by_offset[event.offset]))
                if count % EACH == 0:
                    yield
        for count, (row, reason) in enumerate(refused):
            self.meta.count(f"rejected:{reason.reason}", 1)
            self.outputs.append(dead_letter(topic, self.number, row, reason))
            if count % EACH == 0:
                yield
        for order in tally.forget:
            self.changes.extend(self.identities.forgotten((order,)))
            yield
        for employee_id in tally.waiting:
            self.expect_expiry(self.person(employee_id))
            yield

    def _put_away(self, tally: Tally) -> None:
        """Identities, and what is said of alerts: by and by, as there may be very many."""
        self.changes.extend(self.identities.put_away(tally.sealed))
        self.outputs.extend(self.alerting.told(tally.alerts))
        tally.sealed.clear()
        tally.alerts.clear()

    def count(self, tally: Tally) -> None:
        """Notes how records ended."""
        meta = self.meta
        for outcome in ("scored", "unused", "held", "duplicate", "late"):
            meta.count(outcome, getattr(tally, outcome))
        meta.last = max(meta.last, tally.last)

    def note(self, tally: Tally) -> None:
        """The same, and what alerts they raised or ended."""
        self._put_away(tally)
        self.count(tally)

    def person(self, employee_id: str) -> Person:
        """The employee at work: from memory, from a commit under way, from the store, or new."""
        return self.persons.get(employee_id) or self._recall(employee_id, self._values((employee_id,))[0])

    def _recalling(self, names: Iterable[str]) -> Slices:
        """Has many in memory. They are looked for in the store's order, in which neighbours lie in one block."""
        absent = [name for name in names if name not in self.persons]
        found: dict[str, bytes | None] = {}
        for part in batched(sorted(absent)):
            found.update(zip(part, self._values(part), strict=True))
            yield
        for part in batched(absent):
            for name in part:
                self._recall(name, found[name])
            yield

    def _values(self, names: Sequence[str]) -> list[bytes | None]:
        """What is stored of some: by a commit under way, or before."""
        keys, flushing = list(map(employee_key, names)), self.flushing
        if not flushing:
            return self.store.values(keys)
        return [flushing.get(key) or kept for key, kept in zip(keys, self.store.values(keys), strict=True)]

    def _recall(self, employee_id: str, raw: bytes | None) -> Person:
        person = Person(employee_id, State() if raw is None else decode_state(raw), self.rules)
        self.persons[employee_id] = person
        return person

    def changed(self, person: Person) -> None:
        """Their state has: the next commit writes it, and they are owed a score update."""
        self.dirty[person.id] = self.owed.soon[person.id] = None
        if self.rules.awaits_units:
            self.shares.stir((person.id,))
        self.alerting.noticed((person.id,))
        self.meta.measured = max(self.meta.measured, person.state.measured)

    # Rules and assignments that change the past

    def catch_up(self, rules: Rulebook) -> None:
        """After a start, or a pause: what was published since is taken over, whoever saw it before.

        Ticks that a worker wrote and did not live to commit come first: each is applied at its place in the log and
        under the rules that it knows, as it was.
        """
        offset = self.meta.applied.get(TICKS, 0)
        while rows := cast("list[Row]", self.log.read(TICKS, self.number, offset, 1_000)):
            offset = rows[-1][0] + 1
            for row in rows:
                tick = tick_of(row)
                if tick is not None:
                    if unknown_since(self.meta.rules, rules) is not None:
                        self.take_over(rulebook(self.log, tick.at, tick.knows))
                    self._read_up_to(tick.follows)
                    self.tick([row])
        self.take_over(rules)
        self.rules = rules

    def take_over(self, rules: Rulebook) -> None:
        """As `taking_over`, at once."""
        at_once(self.taking_over(rules))

    def taking_over(self, rules: Rulebook) -> Slices:
        """Adopts rules of which some are not known yet."""
        since = unknown_since(self.meta.rules, rules)
        if since is not None:
            yield from restating.adopt(self, rules, since)

    def _read_up_to(self, follows: Mapping[str, int]) -> None:
        for topic in INPUT_TOPICS:
            until = follows.get(topic, 0)
            while (first := self.meta.applied.get(topic, 0)) < until:
                rows = cast("list[Row]", self.log.read(topic, self.number, first, min(until - first, 10_000)))
                self.read_on(topic, [row for row in rows if row[0] < until])
                if not rows or rows[-1][0] >= until:
                    self.pass_over(topic, first, until)
                if not rows:
                    return

    def read_on(self, topic: str, rows: Sequence[Row]) -> None:
        """Applies what the log has next: between what is applied and the first of these records there is none."""
        if rows:
            self.pass_over(topic, self.meta.applied.get(topic, 0), rows[0][0])
            self.apply(topic, self.decoded(topic, rows))

    def pass_over(self, topic: str, begin: int, after: int) -> None:
        """As `passing`, at once."""
        at_once(self.passing(topic, begin, after))

    def passing(self, topic: str, begin: int, after: int) -> Slices:
        """Between these offsets there is no record: who has applied all before them has applied them too."""
        applied = self.meta.applied.get(topic, 0)
        if begin <= applied < after and not (topic == TICKS and self._ticks):
            self.meta.applied[topic] = after
            if topic != TICKS:
                yield from self._running_ticks()

    def employees_of(self) -> Callable[[], list[str]]:
        """What says, in a thread too, who has a state: it asks the store."""
        flushing = [key[1:].decode() for key in self.flushing if key[:1] == EMPLOYEE]
        known, store = [*flushing, *self.persons], self.store
        return lambda: list(dict.fromkeys([*(key[1:].decode() for key, _ in store.items(EMPLOYEE)), *known]))

    # Time

    def tick(self, rows: Sequence[Row]) -> None:
        """As `ticking`, at once."""
        at_once(self.ticking(rows))

    def ticking(self, rows: Sequence[Row]) -> Slices:
        """Takes ticks; each is applied once the inputs it follows are."""
        expected = self.meta.applied.get(TICKS, 0)
        for row in rows:
            tick = tick_of(row)
            if row[0] >= expected and tick is not None:
                self._ticks.append((row[0], reachable(tick, row[0], self.number, self.log, self.meta.applied)))
        yield from self._running_ticks()

    def _running_ticks(self) -> Slices:
        applied = self.meta.applied
        while self._ticks:
            offset, tick = self._ticks[0]
            if any(applied.get(topic, 0) < tick.follows[topic] for topic in INPUT_TOPICS):
                return
            del self._ticks[0]
            if offset >= applied.get(TICKS, 0):
                yield from restating.settle(self)
                applied[TICKS] = offset + 1
                self.meta.now = max(self.meta.now, tick.at)
                now = replace(tick, at=self.meta.now)  # time never runs back, whatever a tick says
                yield from self._expire(now)
                yield from self._alert(now)
                if self.closes(now.at):
                    yield from self.shares.closing(now, self.rules, self.outputs)

    def decides(self, now: int) -> bool:
        """Whether something may be decided at a tick at `now` (ms)."""
        return self.expiring.by(now) or self.rules.awaits_silence or self.closes(now)

    def closes(self, now: int) -> bool:
        """Whether a tick at `now` (ms) closes a minute for units."""
        return self.rules.awaits_units and self.shares.closes(now)

    def _alert(self, tick: Tick) -> Slices:
        """What people did with alerts since the last tick, and what time does with alerts and with scores."""
        applied, every = self.meta.applied, self.rules.awaits_silence
        due: dict[str, None] = {}
        for count, name in enumerate(self.due.take(self.meta.now)):
            due[name] = None
            if count % MANY == 0:
                yield
        self.owed.later.update(due)
        changed: dict[str, Person] = {}
        begin = applied.get(COMMANDS, 0)
        yield from self.alerting.ticking(tick, begin, due, self.alerted, every, self.outputs, changed)
        for count, person in enumerate(changed.values()):
            self.changed(person)
            if count % MANY == 0:
                yield
        applied[COMMANDS] = max(applied.get(COMMANDS, 0), tick.follows.get(COMMANDS, 0))

    def _expire(self, tick: Tick) -> Slices:
        """What has been held for too long is late from here on."""
        follows = [tick.follows.get(topic, 0) for topic in INPUT_TOPICS]
        tally, gone = Tally(), list[Held]()
        for employee_id in list(self.expiring.take(tick.at)):
            person = self.person(employee_id)
            gone += expire(person, tick.at, follows, self.limits.held, tally)
            self.changed(person)
            self.expect_expiry(person)
            yield
        self.note(tally)
        if gone:
            records = yield partial(records_again, self.log, self.number, gone)
            self.outputs.extend(
                late_event(INPUT_TOPICS[held.topic], self.number, records[held]) for held in gone if held in records
            )

    def expect_expiry(self, person: Person) -> None:
        """The tick that makes the oldest of what they have held late finds them."""
        at = expiry(person, self.limits.held)
        if at is not None:
            self.expiring.schedule(person.id, at)

    def wake(self, start: bytes | None, limit: int | None) -> bytes | None:
        """After a start: schedules `limit` stored employees, or all, from `start` on; the key to go on at, or None."""
        for count, (key, raw) in enumerate(() if self._awake else self.store.items(EMPLOYEE, start)):
            if count == limit:
                return key
            due = due_of(raw)
            if due == 0:
                self.owed.later[key[1:].decode()] = None
            self.due.schedule(key[1:].decode(), due)
            self.shares.wake(key[1:].decode(), due)
        return None

    def evicting(self, limit: int) -> Slices:
        """Lets go of the employees longest in memory that nothing waits for, down to `limit`."""
        excess = len(self.persons) - limit
        if excess <= 0 or self.flushing:  # a commit that fails needs them
            return
        idle = (name for name in self.persons if name not in self.dirty)
        for count, name in enumerate([name for _, name in zip(range(excess), idle, strict=False)]):
            del self.persons[name]
            if count % EACH == 0:
                yield
