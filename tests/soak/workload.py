"""What senders send, decided by a seed: the same seed and start give the same records, whoever asks and how often.

A sender that was killed begins again behind its last acknowledged record, so the records in between come twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from agents.transport.embedded.log import Outgoing
from agents.transport.murmur2 import partition_for
from schemas.event import TOPIC_OF
from schemas.instants import DAY, HOUR, MINUTE, format_rfc3339

PARTITIONS: Final = 4
EMPLOYEES: Final = tuple(f"E{number:03d}" for number in range(1, 25))
NEWCOMERS: Final = EMPLOYEES[-6:]  # nobody says their role before a retroactive assignment does
UNITS: Final = ("L01", "L02", "L03")
ROLES: Final = ("operator", "operator", "operator", "trainee", "seller")
STEP: Final = 15  # ms of event time from one record of a sender to its next
REMEMBERED: Final = 400  # own events that may be repeated, contradicted or corrected

Fields = dict[str, Any]


@dataclass
class Sender:
    """An endless stream of records of one sender; `start` is the instant (ms) around which its events happen."""

    seed: str
    start: int
    stamped: bool = False  # an import: log time is the event's own
    number: int = 0
    sent: list[Fields] = field(default_factory=list)

    def records(self) -> Iterator[Outgoing]:
        """From the first on."""
        self.dice = Random(f"{self.seed}/sender")
        kinds, weights = zip(*KINDS, strict=True)
        while True:
            self.number += 1
            yield self.dice.choices(kinds, weights)[0](self)

    @property
    def now(self) -> int:
        """The moment of the record being made, ms."""
        return self.start + self.number * STEP

    def event(self, kind: str, at: int, **more: Any) -> Fields:
        """A new event with an id of its own."""
        return {
            "event_id": f"{self.seed}-{self.number}".replace("/", "."),
            "type": kind,
            "employee_id": self.dice.choice(EMPLOYEES),
            "occurred_at": at,
            "source": self.dice.choice(("aoi", "manual", "erp")),
            "measures": {},
            **more,
        }

    def outgoing(self, fields: Fields, *, keep: bool = True) -> Outgoing:
        """The record of an event; most of them are remembered."""
        if keep:
            self.sent.append(fields)
            del self.sent[:-REMEMBERED]
        key = fields["employee_id"].encode()
        topic = TOPIC_OF[fields["type"].partition(".")[0]]
        timestamp = fields["occurred_at"] if self.stamped else self.now
        return Outgoing(topic, partition_for(key, PARTITIONS), timestamp, key, self.written(fields))

    def written(self, fields: Fields) -> bytes:
        """One event, one of the ways to write its time."""
        at = fields["occurred_at"]
        text = at if self.dice.random() < 0.5 else format_rfc3339(at)
        return json.dumps({**fields, "occurred_at": text}).encode()


def _when(sender: Sender) -> int:
    """In order, or anywhere within the last hour."""
    late = sender.dice.randrange(HOUR) if sender.dice.random() < 0.3 else sender.dice.randrange(2_000)
    return sender.now - late


def _inspection(sender: Sender, at: int | None = None) -> Fields:
    dice = sender.dice
    inspected = dice.randint(1, 40)
    accepted = dice.randint(inspected * 3 // 4, inspected)
    measures = {"inspected": inspected, "accepted": accepted, "reworked": dice.randint(0, accepted)}
    dims = {"stage": dice.choice(("semi", "final")), "product": f"P{dice.randint(1, 5)}"}
    if dice.random() < 0.8:
        dims["line"] = dice.choice(UNITS)
    return sender.event("qc.inspection", _when(sender) if at is None else at, measures=measures, dims=dims)


def _sale(sender: Sender, at: int | None = None) -> Fields:
    amount = sender.dice.choice((0.1, 19.99, 0.000001, -3.5, 1_000_000, sender.dice.randrange(10**9) / 1000))
    measures = {"amount": amount, "calls": sender.dice.randint(0, 9)}
    return sender.event("business.sale", _when(sender) if at is None else at, measures=measures)


def inspect(sender: Sender) -> Outgoing:
    return sender.outgoing(_inspection(sender))


def sell(sender: Sender) -> Outgoing:
    return sender.outgoing(_sale(sender))


def old(sender: Sender) -> Outgoing:
    """Up to a week late, which counts."""
    return sender.outgoing(_inspection(sender, sender.now - sender.dice.randrange(7 * DAY - 10 * MINUTE)))


def late(sender: Sender) -> Outgoing:
    """From a minute to 27 days later than what is waited for."""
    at = sender.now - 7 * DAY - MINUTE - sender.dice.randrange(27 * DAY)
    return sender.outgoing(_inspection(sender, at))


def ancient(sender: Sender) -> Outgoing:
    """From an archive: no version is in force then, so it waits, and has waited for too long at the next tick."""
    if not sender.stamped:
        return inspect(sender)
    at = sender.now - 401 * DAY - sender.dice.randrange(20 * DAY)
    return sender.outgoing(_inspection(sender, at) | {"source": "archive"}, keep=False)


def repeat(sender: Sender) -> Outgoing:
    """The same event again."""
    return sender.outgoing(dict(sender.dice.choice(sender.sent)), keep=False) if sender.sent else inspect(sender)


def contradict(sender: Sender) -> Outgoing:
    """The same identity with other content."""
    if not sender.sent:
        return inspect(sender)
    known = sender.dice.choice(sender.sent)
    return sender.outgoing({**known, "source": known["source"] + "2"}, keep=False)


def correct(sender: Sender) -> Outgoing:
    """Differences to an earlier event of work, at its own instant."""
    known = [fields for fields in sender.sent if fields["measures"] and "corrects" not in fields]
    if not known:
        return inspect(sender)
    fields = sender.dice.choice(known)
    difference = sender.dice.choice((-1, 1, 0.25, -0.000001))
    measures = {sender.dice.choice(list(fields["measures"])): difference}
    changes = {"event_id": sender.event("", 0)["event_id"], "corrects": fields["event_id"], "measures": measures}
    return sender.outgoing(fields | changes)


def assign(sender: Sender) -> Outgoing:
    """A role and a unit, from now or from an instant in the last three days."""
    at = sender.now - (sender.dice.randrange(3 * DAY) if sender.dice.random() < 0.6 else 0)
    dims = {"role": sender.dice.choice(ROLES)}
    if sender.dice.random() < 0.5:
        dims["unit"] = sender.dice.choice(UNITS)
    return sender.outgoing(sender.event("people.assignment", at, dims=dims))


def aim(sender: Sender) -> Outgoing:
    """A personal target."""
    at = sender.now - sender.dice.randrange(DAY)
    return sender.outgoing(sender.event("people.target", at, measures={"quota": sender.dice.randint(1, 50)}))


def note(sender: Sender) -> Outgoing:
    """What no indicator counts."""
    return sender.outgoing(sender.event(sender.dice.choice(("qc.note", "business.call", "people.note")), sender.now))


def bad(sender: Sender) -> Outgoing:
    """A record that is no valid event."""
    record = sender.outgoing(_inspection(sender), keep=False)
    return sender.dice.choice(DAMAGES)(record, sender)


def _with(**changes: Any) -> Callable[[Outgoing, Sender], Outgoing]:
    return lambda record, _: record._replace(value=json.dumps(json.loads(record.value or b"") | changes).encode())


DAMAGES: Final[tuple[Callable[[Outgoing, Sender], Outgoing], ...]] = (
    lambda record, _: record._replace(value=(record.value or b"")[:-1]),
    lambda record, _: record._replace(value=b"\xff" + (record.value or b"")),
    lambda record, _: record._replace(value=None),
    lambda record, _: record._replace(value=(record.value or b"")[:-1] + b', "pad": "' + b"x" * 66_000 + b'"}'),
    lambda record, _: record._replace(key=None),
    lambda record, _: record._replace(partition=(record.partition + 1) % PARTITIONS),
    lambda record, _: record._replace(topic=TOPIC_OF["business"]),
    lambda record, sender: record._replace(timestamp=record.timestamp - HOUR - sender.dice.randrange(HOUR)),
    _with(event_id="a b"),
    _with(occurred_at="2026-03-02"),
    _with(measures={"inspected": 1, "accepted": 2}),
    _with(measures={"inspected": 1e300, "accepted": 0}),
    _with(type="training.course"),
    _with(source=""),
)

KINDS: Final[tuple[tuple[Callable[[Sender], Outgoing], float], ...]] = (
    (inspect, 62), (sell, 14), (old, 4), (late, 2), (repeat, 5), (contradict, 1.5), (correct, 4), (assign, 1.2),
    (aim, 1), (note, 1.5), (bad, 1.5), (ancient, 1),
)  # fmt: skip


def first_assignments(start: int) -> list[Outgoing]:
    """Who is known from the beginning; the newcomers are not."""
    dice, records = Random(0), []
    for name in EMPLOYEES:
        if name not in NEWCOMERS:
            dims = {"role": dice.choice(ROLES), "unit": dice.choice(UNITS)}
            fields = {
                "event_id": f"first-{name}", "type": "people.assignment", "employee_id": name, "source": "hr",
                "occurred_at": start - 30 * DAY, "measures": {}, "dims": dims,
            }  # fmt: skip
            key = name.encode()
            place = partition_for(key, PARTITIONS)
            records.append(Outgoing("people-events", place, start - 30 * DAY, key, json.dumps(fields).encode()))
    return records
