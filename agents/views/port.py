"""The views: the latest of everything published, a function of the log. Whoever loses them loses nothing.

A projection writes them (one writer per partition of the log), web processes read them. Redis and a file beside the
embedded log are the two places; one test suite holds both to what is said here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from agents.transport.errors import RecoverableError
from schemas.unreadable import UNREADABLE

FORMAT: Final = 2  # of what is stored; views of another format are built anew


class ViewsUnavailable(RecoverableError):
    """The views cannot be read or written at the moment; the text says why. Scoring goes on."""


class ViewsTaken(ViewsUnavailable):
    """Another installation writes its views at this place and is alive; the text says which place, and the remedy."""


class ViewsMoved(RecoverableError):
    """Nothing was written: the views are not where this writer left them. `begin` says where they are."""


class Place(msgspec.Struct, frozen=True):
    """How far the views hold one partition of the log. Times in ms since 1970 UTC.

    `offsets`: per topic the next offset to read. `caught_up`: the end that the log had when these views were begun
    was reached. `now`: the newest tick; `heard`: log time of the newest tick or update.
    """

    offsets: dict[str, int] = {}
    caught_up: bool = False
    now: int | None = None
    heard: int | None = None


class UnitView(NamedTuple):
    """A unit as published, and what lists and boards need of it. `members` by id, instants RFC 3339.

    `people` are its members and those of all that belongs to it: so many are behind its numbers.
    """

    value: bytes
    as_of: str
    newest: str | None
    members: tuple[str, ...]
    people: int


class AlertView(NamedTuple):
    """An open alert as published, and where it is looked for. `employee` "" for a unit's own; `raised` in ms."""

    value: bytes
    unit: str
    employee: str
    raised: int


class Batch(NamedTuple):
    """The latest of each key between two places; a value of None takes the key away."""

    units: Mapping[str, UnitView | None]
    employees: Mapping[str, bytes | None]
    templates: Mapping[str, bytes]
    alerts: Mapping[str, AlertView | None]
    before: Mapping[int, Place]
    after: Mapping[int, Place]


class ViewsWriter(Protocol):
    """The writing side, for one projection. Any call may raise ViewsUnavailable."""

    async def begin(self, log_id: str, partitions: int, owned: Collection[int]) -> dict[int, Place]:
        """Where the views stand for the partitions `owned`. Views of another log, or none, are begun anew.

        ViewsTaken while who writes the views of another log is alive. The first part of `log_id`, up to a slash, says
        whose log it is.
        """

    async def put(self, batch: Batch) -> None:
        """The whole batch or nothing, told to whoever reads. ViewsMoved when the views do not stand at its start."""

    async def complain(self, trouble: str) -> None:
        """Tells readers that nothing can be written, if there is a way to."""

    async def doubt(self) -> str | None:
        """What somebody should see to, though it works; None when there is nothing."""

    async def close(self) -> None:
        """Lets go; what is called afterwards takes hold again."""


class Standing(NamedTuple):
    """What the views say of themselves. `epoch` None: there are none. Times as in Place, over all partitions."""

    epoch: str | None = None
    complete: bool = False
    now: int | None = None
    heard: int | None = None


class Change(NamedTuple):
    """What changed since the last one: ids. `anew`: everything may have. `trouble`: why nothing is written.

    `alerts`: units whose open alerts are others, or have changed.
    """

    standing: Standing
    units: frozenset[str] = frozenset()
    employees: frozenset[str] = frozenset()
    templates: bool = False
    alerts: frozenset[str] = frozenset()
    anew: bool = False
    trouble: str | None = None


class UnitEntry(NamedTuple):
    """A unit in the list of units."""

    unit: str
    people: int
    as_of: str
    newest: str | None


class AlertKey(NamedTuple):
    """An open alert in a list; keys sort by the time at which it was raised (ms)."""

    raised: int
    alert_id: str


class Boards(NamedTuple):
    """Units, their people and open alerts as published; an employee without published scores is not among them."""

    units: dict[str, bytes]
    employees: dict[str, bytes]
    alerts: dict[str, list[bytes]]


class PersonView(NamedTuple):
    """Somebody as published, the unit that they belong to, and their open alerts, oldest first."""

    scores: bytes | None = None
    unit: bytes | None = None
    alerts: Sequence[bytes] = ()


class ViewsReader(Protocol):
    """The reading side. Any call may raise ViewsUnavailable; all but `standing` and `changes` do while not complete.

    Where nobody has written views yet, there is nothing of everything.
    """

    async def standing(self) -> Standing:
        """How the views are."""

    async def unit_entries(self) -> list[UnitEntry]:
        """All units by id."""

    async def unit_ids(self) -> list[str]:
        """The ids of all units, in order."""

    async def units(self, ids: Collection[str]) -> dict[str, bytes]:
        """Updates of these units, as published; who is not there is left out."""

    async def board(self, unit: str) -> list[str]:
        """The people of a unit, in the order of its board."""

    async def boards(self, units: Collection[str]) -> Boards:
        """These units with their people and alerts."""

    async def employees(self, ids: Collection[str]) -> dict[str, bytes]:
        """Updates of these employees, as published; who is not there is left out."""

    async def person(self, employee: str, most: int) -> PersonView:
        """What a page about somebody needs, in as few questions as there can be; of alerts at most so many."""

    async def employee_ids(self, after: str, limit: int) -> list[str]:
        """At most `limit` ids of employees behind `after`, in order."""

    async def alert_keys(self, unit: str | None = None, employee: str | None = None) -> list[AlertKey]:
        """All open alerts, or those of a unit, of an employee, of both; oldest first."""

    async def alert_counts(self, employees: Collection[str]) -> dict[str, int]:
        """How many open alerts there are about each of these people, in one question."""

    async def alerts(self, ids: Collection[str]) -> dict[str, bytes]:
        """These alerts as published; what is not open is left out."""

    async def unit_alerts(self, units: Collection[str]) -> dict[str, list[bytes]]:
        """The open alerts of each of these units as published, oldest first."""

    async def templates(self) -> list[bytes]:
        """The texts of all template versions."""

    async def counts(self) -> tuple[int, int]:
        """How many employees and units there are."""

    def changes(self) -> AsyncGenerator[Change, None]:
        """Changes as they come, the first one `anew`; one a second at least, also when nothing changed."""

    async def close(self) -> None:
        """Lets go."""


class _Belongs(msgspec.Struct):
    unit: str = ""


def unit_in(scores: bytes | None) -> str:
    """The unit that an update says somebody belongs to; "" where it says none, or cannot be read."""
    try:
        return "" if scores is None else _belongs.decode(scores).unit
    except UNREADABLE:
        return ""


class ViewsIncomplete(ViewsUnavailable):
    """The views were lost, or are of another log now, and are being built from the log."""

    def __init__(self) -> None:
        super().__init__("the views are being built from the log; they are complete in a moment")


def standing_of(epoch: str, partitions: int, places: Collection[Place]) -> Standing:
    """The standing of views with these places."""
    return Standing(
        epoch,
        len(places) == partitions and all(place.caught_up for place in places),
        max((place.now for place in places if place.now is not None), default=None),
        max((place.heard for place in places if place.heard is not None), default=None),
    )


_belongs: Final = msgspec.json.Decoder(_Belongs)
