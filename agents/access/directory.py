"""Who is who, in memory and at most a second old: read anew when the tables' counters say that something changed.

Every web process has one. A change of a role, a unit, a token or a session is seen by all of them within five seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Final

from sqlalchemy import Connection, bindparam, select

from agents.access.identities import PSEUDONYMS, Identities, Session, read_identities, read_session
from agents.access.relations import NOBODY, Organisation, read_organisation
from agents.access.secrets import digest, pseudonym
from agents.access.viewer import Rules, Viewer
from agents.records.access_tables import sessions, tokens, versions
from agents.records.database import Records
from agents.records.tables import employees

STALE: Final = 5_000  # ms: older than this, nothing is decided by it
MINUTE: Final = 60_000
DAY: Final = 86_400_000
REMEMBERED: Final = 10_000  # sessions


class DirectoryStale(Exception):
    """The store did not answer for so long that nobody knows who may see what; time heals it."""


class Directory:
    """`clock` gives wall time in ms. All methods may be called from any thread."""

    def __init__(self, records: Records, clock: Callable[[], int]) -> None:
        self._records = records
        self._clock = clock
        self._lock = threading.Lock()
        self._versions: dict[str, int] = {}
        self._organisation: Organisation = NOBODY
        self._identities = Identities()
        self._people: dict[str, str] = {}  # what they are called, by id
        self._sessions: dict[bytes, Session] = {}
        self._seen: dict[bytes, int] = {}
        self._used: dict[str, int] = {}
        self._noted: dict[str | bytes, int] = {}  # of tokens and screens, when that was last written down
        self._checked: int | None = None

    def refresh(self) -> bool:
        """Looks whether anything changed, and reads that anew; whether it did. Raises RecordsUnavailable."""
        with self._lock:
            at = self._clock()
            with self._records.reading() as connection:
                found = {row.part: row.number for row in connection.execute(select(versions))}
                changed = found != self._versions
                if found.get("organisation") != self._versions.get("organisation") or not self._versions:
                    self._organisation = read_organisation(connection)
                if found.get("identity") != self._versions.get("identity") or not self._versions:
                    self._identities = read_identities(connection)
                    self._sessions.clear()
                if found.get("people") != self._versions.get("people") or not self._versions:
                    called = connection.execute(select(employees.c.id, employees.c.name))
                    self._people = {row.id: row.name for row in called}
            self._versions, self._checked = found, at
            return changed

    def rules(self) -> Rules:
        """What to decide by, now; DirectoryStale when it is too old for that."""
        at = self._clock()
        if self._checked is None or at - self._checked > STALE:
            raise DirectoryStale("who may see what cannot be read at the moment")
        return Rules(self._organisation, at, self._identities.policies)

    @property
    def identities(self) -> Identities:
        """Accounts and tokens as last read."""
        return self._identities

    def of_token(self, secret: str) -> Viewer | None:
        """The viewer that shows this token, None when it opens nothing."""
        at, known = self._clock(), self._identities
        name = known.token_hashes.get(digest(secret))
        viewer = known.of_token(name, at)
        if viewer is not None and name is not None:
            self._used[name] = at
        return viewer

    def of_session(self, secret: str) -> Viewer | None:
        """The viewer whose cookie this is, None when it opens nothing. Asks the store for a session not met yet."""
        at = self._clock()
        session = self.session(digest(secret), at)
        viewer = self._identities.of_session(session, at)
        if viewer is not None and session is not None:
            self._seen[session.hash] = at
        return viewer

    def of_known_session(self, secret: str) -> Viewer | None:
        """As `of_session`, from memory alone; None also where only the store can tell. Never blocks."""
        at, hashed = self._clock(), digest(secret)
        known = self._remembered(hashed)
        viewer = self._identities.of_session(known, at)
        if viewer is not None:
            self._seen[hashed] = at
        return viewer

    def _remembered(self, hashed: bytes) -> Session | None:
        known, seen = self._sessions.get(hashed), self._seen.get(hashed)
        if known is None or seen is None or seen <= known.seen_at:
            return known
        return known._replace(seen_at=seen)

    def session(self, hashed: bytes, at: int) -> Session | None:
        """The session of this hash. One that looks idle here may have been seen by another process."""
        known, seen = self._remembered(hashed), self._seen.get(hashed)
        if known is not None and known.good(at):
            return known
        with self._records.reading() as connection:
            found = read_session(connection, hashed)
        if found is None:
            return None
        if seen is not None and seen > found.seen_at:
            found = found._replace(seen_at=seen)
        if len(self._sessions) >= REMEMBERED:
            self._sessions.clear()
        self._sessions[hashed] = found
        return found

    def still(self, hashed: bytes) -> Viewer | None:
        """As `of_session`, for a stream that is open: a screen that only listens is there."""
        at = self._clock()
        session = self.session(hashed, at)
        viewer = self._identities.of_session(session, at)
        if viewer is not None:
            self._seen[hashed] = at
        return viewer

    def pseudonym(self, unit: str, employee: str) -> str:
        """What screens of the unit call somebody today."""
        return pseudonym(self._identities.keys[PSEUDONYMS], unit, self._clock() // DAY, employee)

    def name(self, employee: str) -> str | None:
        """What somebody is called; whether anybody may know it is decided elsewhere."""
        return self._people.get(employee)

    def note_use(self) -> None:
        """Writes down which sessions and tokens were in use, tokens and screens once a minute. RecordsUnavailable.

        A thousand screens are looked at every four seconds, and none of them gets idle.
        """
        seen, self._seen = self._seen, {}
        used, self._used = self._used, {}
        later = {hashed for hashed in seen if self._is_screen(hashed) and not self._is_due(hashed, seen[hashed])}
        seen_now = {hashed: at for hashed, at in seen.items() if hashed not in later}
        used_now = {name: at for name, at in used.items() if self._is_due(name, at)}
        if seen_now or used_now:
            self._records.write(lambda connection: _note(connection, seen_now, used_now))
            screens: dict[str | bytes, int] = {one: at for one, at in seen_now.items() if self._is_screen(one)}
            if len(self._noted) > REMEMBERED:
                self._noted.clear()
            self._noted.update(screens)
            self._noted.update(used_now)
        for hashed, at in seen.items():
            if (known := self._sessions.get(hashed)) is not None and known.seen_at < at:
                self._sessions[hashed] = known._replace(seen_at=at)

    def _is_screen(self, hashed: bytes) -> bool:
        known = self._sessions.get(hashed)
        return known is not None and known.token is not None

    def _is_due(self, name: str | bytes, at: int) -> bool:
        return at - self._noted.get(name, at - MINUTE) >= MINUTE


def _note(connection: Connection, seen: dict[bytes, int], used: dict[str, int]) -> None:
    if seen:
        one = sessions.update().where(sessions.c.hash == bindparam("hashed"), sessions.c.seen_at < bindparam("at"))
        rows = [{"hashed": hashed, "at": at} for hashed, at in seen.items()]
        connection.execute(one.values(seen_at=bindparam("at")), rows)
    if used:
        which = tokens.update().where(tokens.c.id == bindparam("name")).values(used_at=bindparam("at"))
        connection.execute(which, [{"name": name, "at": at // MINUTE * MINUTE} for name, at in used.items()])


def names(found: Collection[str]) -> str:
    """Names in a sentence."""
    return ", ".join(sorted(found))
