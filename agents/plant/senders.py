"""Senders are as unlike the ideal as real ones: late, repeating themselves, or wrong; the events are not to blame.

- The laboratory gives a finished-goods result three minutes to six hours after the piece was made, one a minute.
- The gauge of line 1 sends one event in five two or three times, byte for byte.
- A scale of line 3 adds garbage: one record for every hundred of the plant, every kind in turn by the dice.
- A branch office hands in something older than seven days, every ten minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import exp, log
from random import Random
from typing import Any, Final, NamedTuple

from agents.plant.factory import Plant
from agents.plant.work import Happening, encode, inspection, topic_of
from schemas.instants import DAY, HOUR, MINUTE

TOO_LATE: Final = 7 * DAY
LAB_DELAY: Final = (3 * MINUTE, 6 * HOUR)
REPEATING: Final = "line-1-aoi"
REPEAT_SHARE: Final = 0.2
GARBAGE_SHARE: Final = 0.01
BRANCH_EVERY: Final = 10  # minutes


class Sending(NamedTuple):
    """A record leaves its sender at `at` (ms): `kind` in the plant's words, then topic, key and value as sent."""

    at: int
    kind: str
    topic: str
    key: bytes
    value: bytes


class Spoiled(NamedTuple):
    """A kind of garbage: the reason for which it must be rejected, and what is done to a good event."""

    reason: str
    change: Callable[[dict[str, Any]], object]


GARBAGE: Final = (
    Spoiled("not_json", lambda event: None),  # cut off in the middle, see `spoiled`
    Spoiled("schema", lambda event: event.pop("measures")),
    Spoiled("schema", lambda event: event.update(source=17)),
    Spoiled("bad_id", lambda event: event.update(event_id="no 17/3")),
    Spoiled("bad_time", lambda event: event.update(occurred_at="this morning")),
    Spoiled("in_future", lambda event: event.update(occurred_at="2099-12-31T23:59:59Z")),
    Spoiled("bad_measure", lambda event: event["measures"].update(weight=1e12)),
    Spoiled(
        "inconsistent", lambda event: event.update(type="qc.inspection", measures={"inspected": 2, "accepted": -1})
    ),
    Spoiled("key_mismatch", lambda event: event.update(employee_id="E9999")),
    Spoiled("unknown_type", lambda event: event.update(type="quality.check")),
)


def sent(happening: Happening, at: int) -> Sending:
    """The event as its sender puts it into the log at `at` (ms)."""
    event = happening.event
    return Sending(at, happening.kind, topic_of(event), happening.person.encode(), encode(event))


def deliveries(dice: Random, happening: Happening) -> Iterator[Sending]:
    """A live event on its way: within a second, with its repetitions and the garbage that goes with it."""
    first = sent(happening, happening.at + dice.randint(20, 800))
    yield first
    if happening.event["source"] == REPEATING and dice.random() < REPEAT_SHARE:
        for _ in range(dice.randint(1, 2)):
            yield first._replace(at=first.at + dice.randint(100, 20_000), kind="duplicate")
    if dice.random() < GARBAGE_SHARE:
        yield spoiled(dice.choice(GARBAGE), happening, first.at + dice.randint(0, 500))


def spoiled(spoiler: Spoiled, happening: Happening, at: int) -> Sending:
    """Garbage made of a good event, as the scale of line 3 sends it at `at` (ms)."""
    event: dict[str, Any] = happening.event | {"source": "line-3-scale", "event_id": f"scale-{at}"}
    event["measures"] = dict(happening.event["measures"])
    topic = topic_of(event)
    spoiler.change(event)
    value = encode(event)
    return Sending(
        at, "garbage", topic, happening.person.encode(), value[: 40 if spoiler.reason == "not_json" else None]
    )


def laboratory(plant: Plant, minute: int, began: int) -> Sending:
    """The result that the laboratory sends in this minute (counted from 1970 UTC), for a piece made long before."""
    dice = plant.random("lab", minute)
    at = minute * MINUTE + dice.randrange(MINUTE)
    delay = exp(dice.uniform(log(LAB_DELAY[0]), log(LAB_DELAY[1])))
    made_at = at - round(delay)
    person = dice.choice([each for each in plant.on_shift(made_at) if not each.trainee])  # who finish pieces
    result = inspection(plant, person, made_at, began, "finished", "laboratory", f"lab-{minute}")
    return sent(result._replace(kind="lab"), at)


def branch(plant: Plant, minute: int, began: int) -> Iterator[Sending]:
    """What the branch office sends in this minute, if anything: an event 8 to 30 days old, too late to count."""
    if (minute - began // MINUTE) % BRANCH_EVERY != 1:
        return
    dice = plant.random("branch", minute)
    at = minute * MINUTE + dice.randrange(MINUTE)
    made_at = at - TOO_LATE - dice.randint(1, 23) * DAY
    person = dice.choice(plant.on_shift(made_at))
    event = inspection(plant, person, made_at, began, "semi_finished", "branch-office", f"branch-{minute}")
    yield sent(event._replace(kind="late"), at)
