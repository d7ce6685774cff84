"""Appeals: who may do what to one, when it is due, and that an answer is final; on SQLite and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import IntegrityError

from agents.records.appeal_tables import appeals
from agents.records.appeals import (
    MOVES,
    Action,
    Appeal,
    AppealError,
    Contested,
    Place,
    Who,
    appeal_of,
    appeals_of,
    hand_in,
    listed,
    settle,
)
from agents.records.database import Records
from schemas.instants import DAY

NOW = 1_772_430_000_000
SCORE = Contested("production-operator", 1, "yield", "day", NOW - DAY, NOW, 0.93, 100.0)
EVENT = Place("qc-events", 2, 41, "e-7")
OWN = Who("account-1", "E0001")
BOSS = Who("lee", "E0009")


def _hand_in(records: Records, score: Contested = SCORE, *, by: Who = OWN, now: int = NOW, days: int = 7) -> Appeal:
    return records.write(hand_in(score, " Two units were counted twice. ", by.employee or "", by, now, days))


def test_an_appeal_keeps_the_score_as_it_was(records: Records) -> None:
    """With the event, a deadline, and the words without what surrounds them."""
    made = _hand_in(records, SCORE._replace(event=EVENT))
    with records.reading() as connection:
        assert [made] == appeals_of(connection, "E0001") == listed(connection, NOW)
        assert [] == appeals_of(connection, "E0002")
    assert SCORE._replace(event=EVENT) == made.score
    assert ("Two units were counted twice.", NOW, NOW + 7 * DAY) == (made.text, made.made_at, made.due_at)
    assert ("open", None, None, None) == (made.state, made.answered_by, made.answered_at, made.answer)


def test_only_the_person_themselves_hands_in(records: Records) -> None:
    """Not a supervisor, not an account that is nobody's."""
    for by in (BOSS, Who("account-1")):
        with pytest.raises(AppealError, match="only they themselves"):
            hand_in(SCORE, "wrong", "E0001", by, NOW, 7)


@pytest.mark.parametrize("action", [*MOVES])
@pytest.mark.parametrize("by", [OWN, BOSS, Who("E0001"), Who("hr")], ids=lambda by: f"{by.account}-{by.employee}")
def test_who_may_settle_an_appeal(records: Records, action: Action, by: Who) -> None:
    """The one scored withdraws and never answers, whatever the account is called; others answer and never withdraw."""
    made = _hand_in(records)
    may = by.employee == "E0001" if MOVES[action].own else "E0001" not in by
    if not may:
        with pytest.raises(AppealError) as refused:
            records.write(settle(made.number, action, "Right.", by, NOW + 1))
        assert "by" == refused.value.field
        return
    done = records.write(settle(made.number, action, "Right.", by, NOW + 1))
    answered = (None, None) if MOVES[action].own else (by.account, "Right.")
    assert (MOVES[action].state, NOW + 1, *answered) == (done.state, done.answered_at, done.answered_by, done.answer)


@pytest.mark.parametrize("first", [*MOVES])
def test_a_settled_appeal_stays_as_it_is(records: Records, first: Action) -> None:
    """Neither another answer nor a withdrawal."""
    made = _hand_in(records)
    done = records.write(settle(made.number, first, "So.", OWN if MOVES[first].own else BOSS, NOW))
    for action, move in MOVES.items():
        with pytest.raises(AppealError, match=f"is {done.state} already"):
            records.write(settle(made.number, action, "No.", OWN if move.own else BOSS, NOW))
    with records.reading() as connection:
        assert done == appeal_of(connection, made.number)


def test_overdue_appeals_come_first(records: Records) -> None:
    """Then by deadline; closed ones only when asked for, last."""
    later = _hand_in(records, SCORE._replace(indicator="a"), now=NOW)
    late = _hand_in(records, SCORE._replace(indicator="b"), now=NOW - 9 * DAY)
    sooner = _hand_in(records, SCORE._replace(indicator="c"), now=NOW - DAY)
    closed = _hand_in(records, SCORE._replace(indicator="d"), now=NOW - 99 * DAY)
    records.write(settle(closed.number, "uphold", "Yes.", BOSS, NOW))
    with records.reading() as connection:
        found = listed(connection, NOW)
        everything = listed(connection, NOW, closed=True)
    assert [late.number, sooner.number, later.number] == [each.number for each in found]
    assert [True, False, False] == [each.overdue(NOW) for each in found]
    assert closed.number == everything[-1].number


def test_the_same_is_contested_once_at_a_time(records: Records) -> None:
    """Two clicks make one appeal; another event of the same score is something else."""
    made = _hand_in(records)
    with pytest.raises(AppealError, match=f"appeal {made.number} about the same is open"):
        _hand_in(records)
    _hand_in(records, SCORE._replace(event=EVENT))
    with pytest.raises(AppealError, match="about the same is open"):
        _hand_in(records, SCORE._replace(event=EVENT, as_of=NOW + 5))
    records.write(settle(made.number, "withdraw", "", OWN, NOW))
    assert made.number < _hand_in(records).number


def test_two_answers_at_once_are_one(records: Records) -> None:
    """Whoever comes second is told so."""
    made = _hand_in(records)

    def answer(action: Action) -> str | None:
        try:
            return records.write(settle(made.number, action, "So.", BOSS, NOW)).state
        except AppealError:
            return None

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(answer, ["uphold", "reject"]))
    assert 1 == answers.count(None)
    with records.reading() as connection:
        assert appeal_of(connection, made.number).state in answers


@pytest.mark.parametrize("text", ["", " \n", "x" * 2001, "a\0b"])
def test_a_text_has_something_to_say(records: Records, text: str) -> None:
    """1 to 2,000 characters, in appeals and in answers."""
    with pytest.raises(AppealError, match="write 1 to 2,000"):
        hand_in(SCORE, text, "E0001", OWN, NOW, 7)
    with pytest.raises(AppealError, match="write 1 to 2,000"):
        settle(1, "reject", text, BOSS, NOW)


def test_an_answer_has_a_name(records: Records) -> None:
    """And an appeal that is not there has none."""
    with pytest.raises(AppealError, match="say who answers"):
        settle(1, "uphold", "Yes.", Who(" "), NOW)
    with pytest.raises(AppealError, match="there is no appeal 4711"):
        records.write(settle(4711, "uphold", "Yes.", BOSS, NOW))


def test_somebody_with_fifty_open_appeals_waits(records: Records) -> None:
    """So that one person cannot fill the list of all."""
    for number in range(50):
        _hand_in(records, SCORE._replace(indicator=f"i{number}"))
    with pytest.raises(AppealError, match="50 appeals of 'E0001' are open"):
        _hand_in(records, SCORE._replace(indicator="one-more"))


def test_the_store_itself_refuses_an_answer_by_the_one_scored(records: Records) -> None:
    """Whoever writes past this module meets the same rule."""
    made = _hand_in(records)
    values = {"state": "upheld", "answered_by": "E0001", "answered_at": NOW}
    own = appeals.update().where(appeals.c.number == made.number).values(**values)
    with pytest.raises(IntegrityError):
        records.write(lambda connection: connection.execute(own))
