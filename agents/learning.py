"""What kinds of work usually give is learned from the log, and said there for everybody: a model per indicator.

A model goes on from the last one: its counts, which half a life makes count less, and the records since. So a lesson
costs a day's records, and each record is counted once. Corrections are not counted, nor what comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, cast
from zlib import crc32

import msgspec

from agents.decoded import memo_of
from agents.publishing import append_model
from agents.replay import chunks
from agents.rules import Learned, models, rulebook
from agents.transport.log import Log
from schemas.chunk import decode_groups
from schemas.columns import EventColumns
from schemas.instants import DAY, HOUR, MINUTE, format_rfc3339
from schemas.measures import MICRO
from schemas.unreadable import UNREADABLE
from stream.case_mix import NOTICE, kinds_of
from stream.mix_fit import Fit, Kind, Seen, fit
from stream.pipeline import Limits
from stream.rulebook import Group, Mixed, Rulebook
from stream.topics import topic_of

HALF_LIFE: Final = 30 * DAY
LEAST: Final = 1_000  # units, before anything is said
SAMPLE: Final = 2_000_000  # records that are looked at in one lesson; of more, every k-th by its event id
LATE: Final = Limits().late
COUNTED: Final = 4_000  # kinds whose counts go into a model, for the next one
_LEAST_COUNT: Final = 0.001  # units

Progress = Callable[[int], None]


class Lesson(NamedTuple):
    """What became of learning an indicator: the key of its new model, or why there is none. `n` in units."""

    template: str
    indicator: str
    key: str | None
    why: str
    n: float


class Wanted(NamedTuple):
    """An indicator to learn, and the group whose events count for it."""

    template: str
    group: Group
    mixed: Mixed


class _Known(msgspec.Struct):
    dims: list[str]
    n: float
    good: float
    people: int


class _Before(msgspec.Struct):
    """What a model says for the next one."""

    n: float
    good: float
    counts: list[_Known]
    read: list[int]
    learned_at: int


class _Subject:
    """An indicator to learn, and what was counted for it: all work, and each kind."""

    def __init__(self, wanted: Wanted, last: Learned | None, now: int) -> None:
        self.template, self.group = wanted.template, wanted.group
        self.indicator, self.good, self.of, self.by = wanted.mixed
        self.topic = cast(str, topic_of(self.group.source))
        self.last = last
        before = _before(last, self.by)
        self.read = [] if before is None else before.read
        kept = 0.0 if before is None else 0.5 ** (max(0, now - before.learned_at) / HALF_LIFE)
        self.total = Seen() if before is None else Seen(before.n * kept, before.good * kept)
        self.kinds = {
            tuple(one.dims): Seen(one.n * kept, one.good * kept, one.people)
            for one in ([] if before is None else before.counts)
        }
        self.people: dict[Kind, set[str]] = {}
        self._kinds_of: dict[int, tuple[Kind, ...] | None] = {}

    def kinds_of(self, digest: int, own: EventColumns) -> tuple[Kind, ...] | None:
        """The kinds that an event of these type and dims belongs to, None where it does not count."""
        if digest not in self._kinds_of:
            shape = own.shape(digest)
            values = shape.dims.values
            counts = self.group.matches(shape.type, values)
            self._kinds_of[digest] = tuple(kinds_of(values, self.by)) if counts else None
        return self._kinds_of[digest]

    def add(self, employee: str, kinds: Sequence[Kind], n: float, good: float) -> None:
        """Units of somebody's event."""
        self.total.n += n
        self.total.good += good
        for kind in kinds:
            seen = self.kinds.get(kind)
            if seen is None:
                seen = self.kinds[kind] = Seen()
            seen.n += n
            seen.good += good
            self.people.setdefault(kind, set()).add(employee)

    def most(self) -> list[tuple[Kind, Seen]]:
        """The kinds with the most units; a coarser one comes before its finer ones."""
        order = sorted(self.kinds.items(), key=lambda one: (-one[1].n, len(one[0]), one[0]))
        return [(kind, seen) for kind, seen in order[:COUNTED] if seen.n >= _LEAST_COUNT]

    def result(self) -> Fit:
        """What the counts say."""
        for kind, people in self.people.items():
            self.kinds[kind].people = max(self.kinds[kind].people, len(people))
        return fit(self.total, self.kinds, len(self.by))


def learn(log: Log, now: int, progress: Progress = lambda _: None) -> list[Lesson]:
    """Learn every indicator with `case_mix` of the templates in force at `now` (ms), and say it in the log."""
    rules = rulebook(log)
    subjects = _subjects(log, rules, now)
    for topic in sorted({subject.topic for subject in subjects}):
        _count(log, topic, [subject for subject in subjects if subject.topic == topic], progress)
    return [_say(log, subject, now) for subject in subjects]


def wanted(rules: Rulebook, now: int) -> list[Wanted]:
    """All that is to be learned at an instant (ms)."""
    versions = (rules.in_force(name, now) for name in rules.versions)
    groups = ((v.template.template, group) for v in versions if v is not None for group in v.groups)
    return [Wanted(template, group, mixed) for template, group in groups for mixed in group.mixed]


def _subjects(log: Log, rules: Rulebook, now: int) -> list[_Subject]:
    last = {(one.model.template, one.model.indicator): one for one in models(log)}
    return [_Subject(one, last.get((one.template, one.mixed.indicator)), now) for one in wanted(rules, now)]


def _before(last: Learned | None, by: tuple[str, ...]) -> _Before | None:
    """Where to go on; None to begin anew: after other dims, or a model that somebody wrote by hand."""
    if last is None or last.model.by != by:
        return None
    try:
        return msgspec.json.decode(last.value, type=_Before)
    except UNREADABLE:
        return None


def _count(log: Log, topic: str, subjects: Sequence[_Subject], progress: Progress) -> None:
    partitions = log.topics()[topic].partitions
    ends = log.ends([(topic, number) for number in range(partitions)])
    new = sum(ends[topic, number] - min(_from(one, number) for one in subjects) for number in range(partitions))
    every = max(1, -(-new // SAMPLE))
    for number in range(partitions):
        seen: set[int] = set()
        memo = memo_of(topic, number, partitions)
        begin = min(_from(one, number) for one in subjects)
        for rows in chunks(log, topic, number, begin, ends[topic, number]):
            groups, _ = decode_groups([rows], memo)
            for employee, own in groups:
                _count_own(employee, own, number, subjects, seen, every)
            progress(len(rows))
    for subject in subjects:
        subject.read = [ends[topic, number] for number in range(partitions)]


def _from(subject: _Subject, partition: int) -> int:
    return subject.read[partition] if partition < len(subject.read) else 0


def _count_own(
    employee: str, own: EventColumns, partition: int, subjects: Sequence[_Subject], seen: set[int], every: int
) -> None:
    for place, (digest, event_id, at) in enumerate(zip(own.kinds, own.ids, own.times, strict=True)):
        if every > 1 and crc32(event_id.encode()) % every:
            continue
        if own.corrects(place) or own.stamp(place) - at > LATE:
            continue
        identity = hash((employee, event_id, at))
        if identity in seen:
            continue
        seen.add(identity)
        for subject in subjects:
            kinds = subject.kinds_of(digest, own)
            if kinds is not None and own.offset(place) >= _from(subject, partition):
                micro = own.measures[place].micro
                n, good = micro.get(subject.of, 0) / MICRO, micro.get(subject.good, 0) / MICRO
                if 0 <= good <= n and n > 0:
                    subject.add(employee, kinds, n, good)


def _say(log: Log, subject: _Subject, now: int) -> Lesson:
    head = (subject.template, subject.indicator)
    total = subject.total
    if total.n < LEAST:
        return Lesson(*head, None, f"{total.n:.0f} units so far; {LEAST:,} are needed before anything is said", total.n)
    found = subject.result()
    if not found.expected:
        return Lesson(*head, None, f"no kind of work by {', '.join(subject.by)} that three people did", total.n)
    effective = -(-(now + NOTICE + MINUTE) // HOUR) * HOUR
    last = subject.last.model if subject.last is not None else None
    if last is not None and last.effective_from >= effective:
        since = format_rfc3339(last.effective_from)
        return Lesson(*head, None, f"number {last.number} takes effect only at {since}", total.n)
    number = 1 if last is None else last.number + 1
    value = {
        "template": subject.template,
        "indicator": subject.indicator,
        "number": number,
        "effective_from": format_rfc3339(effective),
        "by": list(subject.by),
        "base": found.base,
        "cells": [{"dims": kind, "expected": share} for kind, share in found.expected.items()],
        "strengths": [round(strength, 3) for strength in found.strengths],
        "n": round(total.n, 3),
        "good": round(total.good, 3),
        "counts": [
            {"dims": kind, "n": round(seen.n, 3), "good": round(seen.good, 3), "people": seen.people}
            for kind, seen in subject.most()
        ],
        "read": subject.read,
        "learned_at": now,
    }
    key = append_model(log, subject.template, subject.indicator, number, msgspec.json.encode(value), now)
    if key is None:
        return Lesson(*head, None, "somebody else has learned it meanwhile", total.n)
    return Lesson(*head, key, f"in effect from {format_rfc3339(effective)}", total.n)
