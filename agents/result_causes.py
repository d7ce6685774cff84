"""Why a row is restated: what has come to be known since the run before, and of which instants it speaks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from agents.rules import unknown_rules
from schemas.columns import EventColumns
from stream.closed import SHIFT, Closed
from stream.rulebook import Rulebook

FOREVER: Final = 1 << 62
SOMETHING: Final = "event"  # where nothing is known: a run that was killed has written rows, and more has come since
_PEOPLE: Final = {"people.assignment": "assignment", "people.target": "target"}


class News(NamedTuple):
    """It concerns windows that end after `since` and begin before `until` (ms)."""

    kind: str
    since: int
    until: int = FOREVER


def of_rules(known: Collection[str], rules: Rulebook) -> list[News]:
    """What is new among the rules, where the names `known` stand for those of before."""
    return [News(kind, since) for kind, since in unknown_rules(known, rules)]


def of_records(own: EventColumns, employee: str, until: int) -> Iterator[News]:
    """What somebody's records say of instants before `until` (ms)."""
    if min(own.times) < until:
        for event in own.events(employee):
            kind = _PEOPLE.get(event.type)
            if event.occurred_at >= until:
                continue
            if kind is not None:
                yield News(kind, event.occurred_at)
            else:
                at = event.occurred_at
                yield News("event" if event.corrects is None else "correction", at, at + 1)


def cause(news: Iterable[News], closed: Closed) -> str:
    """The kinds of what concerns a window, with a comma between; "" where nothing does."""
    return ",".join(sorted({one.kind for one in news if _concerns(one, closed)}))


def _concerns(one: News, closed: Closed) -> bool:
    if closed.window == SHIFT:  # one that a calendar cuts ends where that begins; what counts for it may lie around it
        return one.until != FOREVER or closed.end >= one.since
    return closed.end > one.since and closed.start < one.until
