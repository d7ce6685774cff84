"""Why a row is restated: what has come to be known since the run before, and of which instants it speaks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from agents.closing import since_of
from agents.records.result_parts import together
from agents.rules import unknown_rules
from schemas.columns import EventColumns
from stream.closed import SHIFT, Closed
from stream.rulebook import Rulebook

CLOSES: Final = "closed"  # instead of a cause: the window has just closed
UNKNOWN: Final = "unknown"  # the store is one of before causes were written
_PEOPLE: Final = {"people.assignment": "assignment", "people.target": "target"}


class News(NamedTuple):
    """What came to be known. It is said of an instant (ms), or, where it `lasts`, of all time since."""

    kind: str
    at: int
    lasts: bool


def of_rules(known: Collection[str], rules: Rulebook) -> list[News]:
    """What is new among the rules, where the names `known` stand for those of before."""
    return [News(kind, since, True) for kind, since in unknown_rules(known, rules)]


def of_records(own: EventColumns, employee: str, before: int) -> Iterator[News]:
    """What somebody's records say of instants before `before` (ms)."""
    if min(own.times) >= before:
        return
    for event in own.events(employee):
        if event.occurred_at < before:
            plain = "event" if event.corrects is None else "correction"
            kind = _PEOPLE.get(event.type, plain)
            yield News(kind, event.occurred_at, event.type in _PEOPLE)


def cause(news: Iterable[News], closed: Closed, rules: Rulebook) -> str:
    """The kinds of what concerns a window, with a comma between; UNKNOWN where nothing does."""
    return together(one.kind for one in news if _concerns(one, closed, rules)) or UNKNOWN


def told(cause: str, number: int) -> str | None:
    """What a row says: None for one that is written as its window closes."""
    kinds = cause.split(",")
    if number == 0 and (CLOSES in kinds or not cause):
        return None
    return ",".join(kind for kind in kinds if kind != CLOSES) or UNKNOWN


def _concerns(one: News, closed: Closed, rules: Rulebook) -> bool:
    by_shift = closed.window == SHIFT
    if one.lasts:
        return closed.end > (since_of(rules, one.at) if by_shift else one.at)
    if not by_shift:
        return closed.start <= one.at < closed.end
    first, last = sorted((one.at, closed.as_of))
    return rules.calendars.earliest(last) <= first
