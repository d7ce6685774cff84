"""Small logs with everything that real ones have: a script says what senders and publishers do, step by step.

A script is plain values, so hypothesis can shrink it; `Senders` turns its steps into records.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeVar

from hypothesis import strategies as st

from agents.transport.embedded.log import Outgoing
from agents.transport.murmur2 import partition_for
from schemas.event import TOPIC_OF
from schemas.instants import DAY, HOUR, MINUTE, format_rfc3339, parse_rfc3339
from stream.topics import TEMPLATES
from tests.agents.templates import template

EMPLOYEES: Final = ("E1", "E2", "E5")  # in both of two partitions
SECOND: Final = 1000

BEGINNINGS: Final = (  # just before something happens to local time
    "2026-03-02T08:15:00Z",
    "2026-03-28T22:59:59.999Z",  # a 23 h day begins in Berlin
    "2026-10-24T21:59:30Z",  # a 25 h day begins in Berlin
    "2026-03-08T04:59:59Z",  # a 23 h day begins in New York
    "2026-11-01T05:30:00Z",  # the hour that comes twice in New York
    "2026-02-28T22:59:00Z",  # a month ends
    "2026-12-31T22:30:00Z",  # a year ends
)
SHORT: Final = (0, 0, 0, 0, 1, SECOND, MINUTE, MINUTE, 20 * MINUTE, HOUR)
LONG: Final = (DAY, 8 * DAY, 36 * DAY, 401 * DAY)
NEAR: Final = (0, 0, 1, SECOND, MINUTE, 59 * MINUTE, HOUR, 3 * HOUR, DAY, 2 * DAY, 7 * DAY, -MINUTE, -15 * MINUTE)
FAR: Final = (
    *(-15 * MINUTE - 1, 7 * DAY + 1, 35 * DAY, 35 * DAY + 1, 36 * DAY),
    *(400 * DAY, 400 * DAY + 1, 401 * DAY, 730 * DAY),
)
EFFECTS: Final = (0, -HOUR, -DAY, -36 * DAY, -730 * DAY, 1, MINUTE, HOUR, DAY, 10 * DAY)

INSPECTED: Final[tuple[dict[str, float], ...]] = (
    {"inspected": 1, "accepted": 1},
    {"inspected": 10, "accepted": 9, "reworked": 1, "scrapped": 1},
    {"inspected": 3.0, "accepted": 0},
    {"inspected": 1000, "accepted": 950, "weight": 0.000001},
)
SOLD: Final[tuple[dict[str, float], ...]] = (
    {"amount": 0.1},
    {"amount": 1_000_000_000, "calls": 3},
    {"amount": -12.345678},
    {},
)
DIFFERENCES: Final[tuple[dict[str, float], ...]] = (
    {"accepted": -1},
    {"inspected": 0.5, "accepted": 2},
    {"amount": -0.1, "quota": 1.5},
    {},
)
DIMS: Final[tuple[dict[str, str], ...]] = (
    {},
    {"stage": "a"},
    {"stage": "b", "line": "L1"},
    {"stage": "a", "line": "L2"},
)
POSTS: Final[tuple[dict[str, str], ...]] = (
    {"role": "operator"}, {"role": "seller"}, {"role": "operator", "unit": "L1"}, {"role": "seller", "unit": "L2"},
    {"unit": "L1"}, {},
)  # fmt: skip
QUOTAS: Final[tuple[dict[str, float], ...]] = ({"quota": 2}, {"quota": 0.5, "other": 1}, {"quota": -3}, {"quota": 0})
MIXED: Final = (("a_yield", ("line",)), ("yield", ("stage", "line")))  # indicators with `case_mix`
KINDS: Final = {1: (["L1"], ["L2"], ["a"]), 2: (["a"], ["b"], ["a", "L2"], ["b", "L1"])}
SHARES: Final = (0.95, 0.9, 0.999999, 0.7, 0.951234)
NOTICES: Final = (HOUR, HOUR, HOUR + 1, 61 * MINUTE, 3 * HOUR, HOUR - 1)
SOURCES: Final = ("aoi", "erp")

ACTS: Final = (
    *("inspect", "inspect", "inspect", "sell", "sell", "assign", "assign", "assign"),
    *("aim", "note", "correct", "correct", "repeat", "repeat", "publish", "learn", "damage"),
)


Element = TypeVar("Element")


@dataclass(frozen=True)
class Step:
    """What happens next: `pause` ms after the step before, about `lag` ms earlier; `pick` and `ref` choose details."""

    act: str
    who: int = 0
    pick: int = 0
    lag: int = 0
    pause: int = 0
    ref: int = 0
    stamped: bool = False  # log time is the event's own, as in an import


def _steps(acts: Sequence[str]) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        act=st.sampled_from(acts),
        who=st.sampled_from((0, 0, 0, 1, 2)),
        pick=st.integers(0, 4095),
        lag=st.sampled_from(NEAR * 8 + FAR),
        pause=st.sampled_from(SHORT * 10 + LONG),
        ref=st.integers(0, 7),
        stamped=st.sampled_from((False, False, True)),
    )


def few_or_many(elements: st.SearchStrategy[Element], most: int) -> st.SearchStrategy[list[Element]]:
    """Lists that are often long, and shrink to short ones all the same."""
    few, more, many = (st.lists(elements, max_size=most, min_size=least) for least in (0, most // 4, most // 2))
    return few | more | many


@st.composite
def scripts(draw: st.DrawFn) -> list[Step]:
    """Up to 42 steps. Most begin with a publication: without rules everything only waits."""
    first = draw(st.lists(_steps(("publish",)), max_size=2))
    rest = draw(few_or_many(_steps(ACTS), 40))
    return [*first, *rest]


Fields = dict[str, Any]


@dataclass
class Senders:
    """Everybody who appends to the log. `wall` is the time of day for all, ms."""

    partitions: int
    wall: int
    sent: list[tuple[Fields, int]] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)

    def take(self, step: Step) -> Outgoing:
        """The record of a step."""
        self.wall += step.pause
        if step.act == "publish":
            return self._publish(step)
        if step.act == "learn":
            return self._learn(step)
        fields, at = self._again(step) if step.act == "repeat" and self.sent else self._event(step)
        self.sent.append((fields, at))
        logged = at if step.stamped else self.wall
        key = fields["employee_id"].encode()
        partition = partition_for(key, self.partitions)
        topic = TOPIC_OF[fields["type"].partition(".")[0]]
        value = _written(fields, at, step.pick)
        if step.act == "damage":
            damage = DAMAGES[step.pick % len(DAMAGES)]
            return damage(Outgoing(topic, partition, logged, key, value), self.partitions)
        return Outgoing(topic, partition, logged, key, value)

    def _event(self, step: Step) -> tuple[Fields, int]:
        at = self.wall - step.lag
        pick, choice = divmod(step.pick, 4)
        pick, place = divmod(pick, len(POSTS))
        fields: Fields = {
            "event_id": f"{step.act}-{pick % 3}",
            "employee_id": EMPLOYEES[step.who],
            "source": SOURCES[pick // 3 % 2],
            "dims": DIMS[place % len(DIMS)],
        }
        if step.act == "sell":
            return fields | {"type": "business.sale", "measures": SOLD[choice]}, at
        if step.act == "assign":
            return fields | {"type": "people.assignment", "measures": {}, "dims": POSTS[place]}, at
        if step.act == "aim":
            return fields | {"type": "people.target", "measures": QUOTAS[choice]}, at
        if step.act == "note":
            return fields | {"type": ("people.note", "qc.note", "business.note")[choice % 3], "measures": {}}, at
        if step.act == "correct":
            return self._correction(step, fields, choice, at)
        return fields | {"type": "qc.inspection", "measures": INSPECTED[choice]}, at

    def _correction(self, step: Step, fields: Fields, choice: int, at: int) -> tuple[Fields, int]:
        fields |= {"type": "qc.inspection", "corrects": "inspect-0", "measures": DIFFERENCES[choice]}
        if step.ref and self.sent:
            corrected, at = self.sent[-step.ref % len(self.sent)]
            fields |= {name: corrected[name] for name in ("type", "employee_id", "dims")}
            fields["corrects"] = corrected["event_id"]
            if step.pick % 5 == 0:
                fields["event_id"] = corrected["event_id"]
        return fields, at

    def _again(self, step: Step) -> tuple[Fields, int]:
        """An earlier event, as it was or with other content."""
        fields, at = self.sent[-step.ref % len(self.sent)]
        turned = {"dims": dict(reversed(fields["dims"].items()))}
        other = ({}, {}, turned, {"source": "aoi"}, {"measures": {"inspected": 2, "accepted": 1}})[step.pick % 5]
        return fields | other, at

    def _publish(self, step: Step) -> Outgoing:
        pick, named = divmod(step.pick, 2)
        name = ("op", "sales")[named]
        if pick % 32 == 31:
            return Outgoing(TEMPLATES, 0, self.wall, b"x@1", (b"no template", b"\xff", None)[step.ref % 3])
        version = max(1, self.versions.get(name, 0) + (1, 1, 1, 1, 0, 2, -1, 1)[step.ref])
        self.versions[name] = max(version, self.versions.get(name, 0))
        effective = self.wall + EFFECTS[pick % len(EFFECTS)]
        if version > 1 and effective <= self.wall and pick % 3:  # mostly valid
            effective = self.wall + abs(EFFECTS[pick % len(EFFECTS)]) % DAY + 1
        text = template(name, version, effective, pick // len(EFFECTS))
        key = f"{name}@{version}".encode()
        return Outgoing(TEMPLATES, partition_for(key, self.partitions), self.wall, key, text.encode())

    def _learn(self, step: Step) -> Outgoing:
        """A model of what kinds of work usually give; mostly valid, and in effect soon or already: clocks differ."""
        dice = Random(step.pick)
        template, (indicator, by) = dice.choice([*self.versions] or ["op"]), dice.choice(MIXED)
        name = f"{template}/{indicator}"
        number = self.models.get(name, 0) + (1, 1, 1, 1, 1, 1, 0, 2)[step.ref]
        self.models[name] = max(number, self.models.get(name, 0))
        logged = self.wall - step.ref % 4 * HOUR
        if dice.random() < 0.1:
            by = ("stage",)  # another template's
        value = {
            "template": template,
            "indicator": indicator,
            "number": number,
            "effective_from": format_rfc3339(logged + dice.choice(NOTICES)),
            "by": by,
            "base": dice.choice(SHARES),
            "cells": [
                {"dims": kind[: len(by)], "expected": dice.choice(SHARES)}
                for kind in KINDS[len(by)]
                if dice.random() < 0.9
            ],
        }
        key = f"case-mix:{name}@{number}".encode()
        return Outgoing(TEMPLATES, partition_for(key, self.partitions), logged, key, json.dumps(value).encode())


def _written(fields: Fields, at: int, style: int) -> bytes:
    """One event, one of the ways to write it as JSON."""
    text: object = (at, format_rfc3339(at), format_rfc3339(at).replace("T", " ").replace("Z", "+00:00"))[style % 3]
    whole = (
        {"occurred_at": text, **fields} if style % 2 else {**fields, "occurred_at": text, "extra": {"a": [1, "}\n{"]}}
    )
    if style % 7 == 0:
        whole["measures"] = {name: float(number) for name, number in whole["measures"].items()}
    return json.dumps(whole, indent=1 if style % 11 == 0 else None).encode()


def _with(**changes: Any) -> Callable[[Outgoing, int], Outgoing]:
    def damage(record: Outgoing, _: int) -> Outgoing:
        fields = json.loads(record.value or b"{}")
        changed = {name: value for name, value in {**fields, **changes}.items() if value is not ...}
        return record._replace(value=json.dumps(changed).encode())

    return damage


def _elsewhere(record: Outgoing, partitions: int) -> Outgoing:
    return record._replace(partition=(record.partition + 1) % partitions)


DAMAGES: Final[tuple[Callable[[Outgoing, int], Outgoing], ...]] = (
    lambda record, _: record._replace(value=(record.value or b"")[:-1]),
    lambda record, _: record._replace(value=None),
    lambda record, _: record._replace(value=(record.value or b"") * 2),
    lambda record, _: record._replace(value=b"[" + (record.value or b"") + b"]"),
    lambda record, _: record._replace(value=(record.value or b"{}")[:-1] + b',"pad":"' + b"x" * 65_536 + b'"}'),
    lambda record, _: record._replace(key=None),
    lambda record, _: record._replace(key=b"E9"),
    _elsewhere,
    _with(event_id="a b"),
    _with(source=...),
    _with(source="\u0007"),
    _with(occurred_at="2026-03-02T24:00:00Z"),
    _with(occurred_at=None),
    _with(measures={"inspected": 1, "accepted": 2}, type="qc.inspection", corrects=...),
    _with(measures={"amount": 0.0000001}),
    _with(measures={"value": 1}),
    _with(type="training.course"),
    _with(type="business.sale", measures={}),
    _with(type="qc.other", measures={}),
    _with(dims={"stage": 1}),
    _with(corrects="!"),
)


def instant(text: str) -> int:
    """An instant in ms; the text is right."""
    at = parse_rfc3339(text)
    assert at is not None, text
    return at
