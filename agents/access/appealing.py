"""What becomes of an appeal is written with its entry in the audit log, in one transaction.

Who is scored answers under no name of theirs: an account counts as the employee that the records say it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, select

from agents.access.audit import Entry, append, in_turn
from agents.access.identities import read_identities
from agents.access.matrix import Right
from agents.access.relations import read_organisation
from agents.access.viewer import Rules, Subject
from agents.records.access_tables import accounts
from agents.records.appeals import MOVES, Action, Appeal, AppealError, Contested, Who, appeal_of, hand_in, settle
from agents.records.contacts import PREFIX

ANSWER: Final[Right] = "answer-appeals"
APPEAL: Final[Right] = "appeal"


def handing_in(
    score: Contested, text: str, employee: str, by: Who, now: int, days: int
) -> Callable[[Connection], Appeal]:
    """As agents.records.appeals.hand_in, and written down."""
    work = hand_in(score, text, employee, by, now, days)

    def whole(connection: Connection) -> Appeal:
        in_turn(connection)
        made = work(connection)
        append(connection, [_entry(made, "appeal-made", by.account, APPEAL, now)])
        return made

    return whole


def settling(
    number: int, action: Action, text: str, by: Who, now: int, *, actor: str | None = None, named: bool = False
) -> Callable[[Connection], Appeal]:
    """As agents.records.appeals.settle, and written down; times in ms.

    `actor`: who acts, where it is in the name of `by`. `named`: `by` must be an account that may answer this person.
    """

    def whole(connection: Connection) -> Appeal:
        in_turn(connection)
        who = _known(connection, by)
        done = settle(number, action, text, who, now)(connection)
        if named:
            _demand(connection, who, done, now)
        right = APPEAL if MOVES[action].own else ANSWER
        append(connection, [_entry(done, f"appeal-{done.state}", actor or by.account, right, now, by.account)])
        return done

    return whole


def refused(number: int, by: Who, actor: str, now: int, why: str) -> Callable[[Connection], None]:
    """Work for `Records.write`: that an answer was tried, and by whom."""

    def work(connection: Connection) -> None:
        in_turn(connection)
        about = f"employee:{appeal_of(connection, number).employee}"
        detail = {"appeal": number, "by": by.account, "why": why}
        append(connection, [Entry(now, actor, "appeal-answer", about, "refused", ANSWER, "", detail)])

    return work


def _known(connection: Connection, by: Who) -> Who:
    """With the employee that the account is, as the records have it."""
    c = accounts.c
    found = connection.execute(select(c.employee).where(c.name == by.account.removeprefix(PREFIX))).first()
    return by if by.employee is not None or found is None else by._replace(employee=found.employee)


def _demand(connection: Connection, by: Who, appeal: Appeal, now: int) -> None:
    """AppealError unless the account may answer what this person contests."""
    known = read_identities(connection)
    viewer = known.of_account(by.account.removeprefix(PREFIX), now)
    if viewer is None:
        raise AppealError("by", f"by {by.account!r}: no account of that name may sign in; name one that may answer")
    rules = Rules(read_organisation(connection), now, known.policies)
    decision = rules.decide(viewer, ANSWER, Subject("employee", appeal.employee))
    if not decision.allowed:
        raise AppealError("by", f"by {by.account!r}: this takes the right {ANSWER!r}: {decision.why}")


def _entry(appeal: Appeal, action: str, actor: str, right: Right, now: int, by: str | None = None) -> Entry:
    """`by`: in whose name, where it was somebody else who did it."""
    score = appeal.score
    detail = {
        "appeal": appeal.number, "state": appeal.state, "indicator": score.indicator, "window": score.window,
        "window_start": score.window_start, "template": score.template, "version": score.version,
        **({} if by is None or by == actor else {"by": by}),
    }  # fmt: skip
    return Entry(
        now, actor, action, f"employee:{appeal.employee}", "done", right, "own" if right == APPEAL else "", detail
    )
