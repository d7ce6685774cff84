"""An appeal is handed in and withdrawn by the person scored alone, and answered once, by somebody else, for good.

The table MOVES is the whole life of an appeal; everything else about it follows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, func, insert, select

from agents.records.appeal_tables import OPEN, REJECTED, UPHELD, WITHDRAWN, appeals
from schemas.instants import DAY

LONGEST: Final = 2_000  # characters of a text
MOST_OPEN: Final = 50  # of one person
SHOWN: Final = 200  # of a list

Action = Literal["uphold", "reject", "withdraw"]


class AppealError(Exception):
    """What cannot be done to an appeal; the text names the field, its value and what would be right."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class Who(NamedTuple):
    """A named person: the account they act under, and the employee that they are, if they are one."""

    account: str
    employee: str | None = None


class Move(NamedTuple):
    """What an action makes of an open appeal; `own`: the person scored does it, and nobody else. Else never they."""

    state: str
    own: bool


MOVES: Final[dict[Action, Move]] = {
    "withdraw": Move(WITHDRAWN, own=True),
    "uphold": Move(UPHELD, own=False),
    "reject": Move(REJECTED, own=False),
}


class Place(NamedTuple):
    """An event in the log."""

    topic: str
    partition: int
    offset: int
    event_id: str


class Contested(NamedTuple):
    """A score as it was: `value` and `n` of a window as of an instant (ms); `event` where one event is meant."""

    template: str
    version: int
    indicator: str
    window: str
    window_start: int
    as_of: int
    value: float | None
    n: float | None
    event: Place | None = None


class Appeal(NamedTuple):
    """A record. Times in ms since 1970 UTC."""

    number: int
    employee: str
    score: Contested
    text: str
    made_at: int
    due_at: int
    state: str
    answered_by: str | None
    answered_at: int | None
    answer: str | None

    def overdue(self, now: int) -> bool:
        """Whether its time is up and nobody has answered."""
        return self.state == OPEN and now > self.due_at


def hand_in(score: Contested, text: str, employee: str, by: Who, now: int, days: int) -> Callable[[Connection], Appeal]:
    """Work for `Records.write`: a new appeal, due `days` after `now` (ms). AppealError when it cannot be."""
    said = _said("text", text)
    if by.employee != employee:
        raise AppealError("employee", f"employee {employee!r}: only they themselves contest a score of theirs")

    def work(connection: Connection) -> Appeal:
        own = (appeals.c.employee == employee) & (appeals.c.state == OPEN)
        count = int(connection.execute(select(func.count()).where(own)).scalar_one())
        if count >= MOST_OPEN:
            raise AppealError("text", f"{count} appeals of {employee!r} are open; withdraw one, or wait for an answer")
        same = connection.execute(select(appeals.c.number).where(own & _same(score))).scalars().first()
        if same is not None:
            raise AppealError("text", f"appeal {same} about the same is open; withdraw it first")
        values = _values(score) | {"employee": employee, "text": said, "made_at": now, "due_at": now + days * DAY}
        made = connection.execute(insert(appeals).values(**values, state=OPEN).returning(appeals.c.number))
        return _found(connection, int(made.scalar_one()))

    return work


def settle(number: int, action: Action, text: str, by: Who, now: int) -> Callable[[Connection], Appeal]:
    """Work for `Records.write`: the appeal answered or withdrawn. AppealError when there is none, or it may not be."""
    move = MOVES[action]
    said = None if move.own else _said("answer", text)
    if not by.account.strip():
        raise AppealError("by", "by: an answer has a name; say who answers")

    def work(connection: Connection) -> Appeal:
        appeal = _found(connection, number)
        if appeal.state != OPEN:
            raise AppealError("appeal", f"appeal {number} is {appeal.state} already, and that is final")
        theirs = appeal.employee in (by.account, by.employee)
        if move.own and by.employee != appeal.employee:
            raise AppealError("by", f"appeal {number}: only {appeal.employee!r} can withdraw it, who handed it in")
        if not move.own and theirs:
            raise AppealError("by", f"appeal {number}: {by.account!r} is the one scored; somebody else has to answer")
        values: dict[str, Any] = {"state": move.state, "answered_at": now}
        if not move.own:
            values |= {"answered_by": by.account, "answer": said}
        connection.execute(appeals.update().where(appeals.c.number == number).values(**values))
        return _found(connection, number)

    return work


def appeals_of(connection: Connection, employee: str) -> list[Appeal]:
    """Everything that a person ever handed in, newest first."""
    chosen = select(appeals).where(appeals.c.employee == employee).order_by(appeals.c.number.desc())
    return [_appeal(row) for row in connection.execute(chosen).mappings()]


def listed(connection: Connection, now: int, *, closed: bool = False, limit: int = SHOWN) -> list[Appeal]:
    """Open appeals, overdue ones first, then by deadline; with `closed` the others after them, newest first."""
    is_open = appeals.c.state == OPEN
    late = case((and_(is_open, appeals.c.due_at < now), 0), (is_open, 1), else_=2)
    when = case((is_open, appeals.c.due_at), else_=-appeals.c.number)
    chosen = select(appeals).order_by(late, when, appeals.c.number).limit(limit)
    return [_appeal(row) for row in connection.execute(chosen if closed else chosen.where(is_open)).mappings()]


def appeal_of(connection: Connection, number: int) -> Appeal:
    """The appeal of that number. AppealError when there is none."""
    return _found(connection, number)


def _found(connection: Connection, number: int) -> Appeal:
    row = connection.execute(select(appeals).where(appeals.c.number == number)).mappings().first()
    if row is None:
        raise AppealError("appeal", f"there is no appeal {number}; `scorestream appeals list --all` has the numbers")
    return _appeal(row)


def _same(score: Contested) -> ColumnElement[bool]:
    event = score.event
    fields = ("template", "version", "indicator", "window")
    about = and_(*(appeals.c[name] == getattr(score, name) for name in fields))
    if event is None:
        return and_(about, appeals.c.window_start == score.window_start, appeals.c.event_id.is_(None))
    return and_(about, appeals.c.event_topic == event.topic, appeals.c.event_offset == event.offset)


def _values(score: Contested) -> dict[str, Any]:
    values = score._asdict()
    event = values.pop("event")
    return values if event is None else values | _event_values(event)


def _event_values(event: Place) -> dict[str, Any]:
    return {
        "event_topic": event.topic,
        "event_partition": event.partition,
        "event_offset": event.offset,
        "event_id": event.event_id,
    }


def _appeal(row: Any) -> Appeal:
    event = None
    if row["event_id"] is not None:
        event = Place(row["event_topic"], row["event_partition"], row["event_offset"], row["event_id"])
    score = Contested._make([*(row[name] for name in Contested._fields[:-1]), event])
    return Appeal._make(score if name == "score" else row[name] for name in Appeal._fields)


def _said(field: str, text: str) -> str:
    said = text.replace("\r\n", "\n").strip()
    if not 1 <= len(said) <= LONGEST or "\0" in said:
        raise AppealError(field, f"{field}: {len(said)} characters; write 1 to {LONGEST:,}")
    return said
