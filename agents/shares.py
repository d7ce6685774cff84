"""Once a minute, at its first tick, a partition writes what its members bring to their units: of whom that has changed.

Who is to be looked at then is in the state, as a mark: a worker that dies has forgotten nobody. Whose sums time alone
changes is found again by the `due` of their state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Final

import msgspec

from agents.due import Due
from agents.slices import Slices
from agents.store import Store
from agents.ticks import Tick
from agents.transport.log import Outgoing
from schemas.instants import MINUTE
from schemas.shares import MINUTE_KEY, MinuteClosed
from stream.keys import STIRRED, stirred_key
from stream.meta import Meta
from stream.person import Person
from stream.rulebook import Rulebook
from stream.share import Minute
from stream.topics import UNIT_SHARES

EACH: Final = 16  # employees, before others may have the loop
MANY: Final = 1_024  # marks
_encoder: Final = msgspec.json.Encoder()


class Shares:
    """Of one partition; `person` finds an employee at work, `meta` says which minute is closed."""

    def __init__(self, number: int, meta: Meta, person: Callable[[str], Person], store: Store) -> None:
        self._number = number
        self._meta = meta
        self._person = person
        self._marked = {key[1:].decode() for key, _ in store.items(STIRRED)}  # in the last commit, or the one before
        self._stirred = dict.fromkeys(sorted(self._marked))
        self._fresh: dict[str, None] = {}  # stirred since the last commit, and not marked
        self._gone: dict[str, None] = {}  # marked, and stirred no more
        self._due = Due()
        self._said: dict[str, int] = {}  # digest of the last share since the start

    def stir(self, employees: Iterable[str]) -> None:
        """Something came of them, or something was decided about them: their share may be another one."""
        stirred, marked = self._stirred, self._marked
        for name in employees:
            if name not in stirred:
                stirred[name] = None
                if name in marked:
                    self._gone.pop(name, None)
                else:
                    self._fresh[name] = None

    def wake(self, employee_id: str, due: int) -> None:
        """After a start: time alone changes somebody's sums at `due` (ms), or later."""
        self._due.schedule(employee_id, due)

    def closes(self, now: int) -> bool:
        """Whether a tick at `now` (ms) is the first of its minute."""
        return now // MINUTE * MINUTE > self._meta.shared

    def closing(self, tick: Tick, rules: Rulebook, outputs: list[Outgoing]) -> Slices:
        """Adds to `outputs` all shares that have changed, and that the minute is closed."""
        minute = tick.at // MINUTE * MINUTE
        shared = Minute(rules, minute)
        for count, name in enumerate(dict.fromkeys(chain(list(self._stirred), self._due.take(minute)))):
            person = self._person(name)
            value = _encoder.encode(shared.share(person))
            digest = hash(value)
            if self._said.get(name) != digest:
                self._said[name] = digest
                outputs.append(Outgoing(UNIT_SHARES, self._number, tick.at, name.encode(), value))
            self._due.schedule(name, shared.due(person))
            if person.state.newest > minute:  # its time comes after this minute
                self.stir((name,))
            else:
                self._settle(name)
            if count % EACH == 0:
                yield
        self._meta.shared = minute
        closed = _encoder.encode(MinuteClosed(minute, tick.knows))
        outputs.append(Outgoing(UNIT_SHARES, self._number, tick.at, MINUTE_KEY, closed))

    def _settle(self, name: str) -> None:
        if self._stirred.pop(name, name) is None:
            if name in self._fresh:
                del self._fresh[name]
            else:
                self._gone[name] = None

    def marking(self, changes: list[tuple[bytes, bytes | None]]) -> Slices:
        """Adds the marks that a commit has to set and to take away."""
        fresh, self._fresh = self._fresh, {}
        gone, self._gone = self._gone, {}
        self._marked.update(fresh)
        self._marked.difference_update(gone)
        for count, name in enumerate(chain(fresh, gone)):
            changes.append((stirred_key(name), b"" if name in fresh else None))
            if count % MANY == 0:
                yield
