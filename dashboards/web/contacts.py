"""Whom a person can ask: who leads them and who answers their appeals, by name; looked up once a minute.

Only names and addresses are kept, which are no numbers of anybody's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

from agents.access.answering import Answerer, Answering
from agents.access.directory import DirectoryStale
from agents.records.contacts import Contact, contacts_of
from dashboards.web.desk import Desk, DeskClosed
from dashboards.web.gate import Gate

KEEP: Final = 60.0  # s
MOST: Final = 10_000  # units, and people who lead others
SHOWN: Final = 4  # of each kind


class People(NamedTuple):
    """`leads`: who is in charge; `supervisors` and `personnel`: who of them and of HR may answer an appeal."""

    leads: tuple[Contact, ...] = ()
    supervisors: tuple[Contact, ...] = ()
    personnel: tuple[Contact, ...] = ()


NOBODY: Final = People()


class Contacts:
    """`clock` in s, never back."""

    def __init__(self, gate: Gate, desk: Desk | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._gate = gate
        self._desk = desk
        self._clock = clock
        self._kept: dict[Hashable, tuple[float, People]] = {}

    async def of(self, employee: str) -> People:
        """Of a person, who is never among them."""
        now = self._clock()
        try:
            key = self._gate.alike(employee)
            kept = self._kept.get(key)
            if kept is not None and kept[0] > now:
                return kept[1]
            found = await self._looked_up(self._gate.answering(employee))
        except DirectoryStale:
            return NOBODY
        if len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (now + KEEP, found)
        return found

    async def _looked_up(self, found: Answering) -> People:
        shown = [one for role in ("supervisor", "hr") for one in _of(found, role)]
        ids = {*found.leads[:SHOWN], *(one.employee for one in shown if one.employee is not None)}
        known: dict[str, Contact] = {}
        if ids and self._desk is not None:
            try:
                known = await self._desk.read(lambda connection: contacts_of(connection, ids))
            except DeskClosed:
                known = {}  # then by their ids

        def called(account: str, employee: str | None) -> Contact:
            return known.get(employee or "") or Contact(employee or account, None)

        return People(
            tuple(called(who, who) for who in found.leads[:SHOWN]),
            tuple(called(one.account, one.employee) for one in _of(found, "supervisor")),
            tuple(called(one.account, one.employee) for one in _of(found, "hr")),
        )


def _of(found: Answering, role: str) -> list[Answerer]:
    return [one for one in found.answerers if one.role == role][:SHOWN]
