"""Who stands before the door: where accounts, tokens and the audit log are, or that there are none and why.

Three kinds: a store (the rule), a demo (open boards on this machine), and a closed one, which lets nobody in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple, Protocol

from agents.access.administration import Administration, ensure_keys
from agents.access.answering import Answering, alike, answering
from agents.access.audit import Entry
from agents.access.audit_writer import AuditWriter
from agents.access.directory import Directory, DirectoryStale
from agents.access.relations import NOBODY as NO_ORGANISATION
from agents.access.secrets import digest
from agents.access.viewer import DEMO, NOBODY, Rules, Viewer
from agents.records.database import Records, RecordsError, RecordsUnavailable

ANONYMOUS: Final = 10  # refusals of nobody that are written one by one, per second; more are counted
SECOND: Final = 1_000


class Credentials(NamedTuple):
    """What a request shows: a token in its Authorization header, else a cookie."""

    token: str | None = None
    session: str | None = None


class Gate(Protocol):
    """Finds viewers, gives the rules to decide by, and writes down what was decided."""

    demo: bool

    async def viewer(self, credentials: Credentials) -> Viewer | None:
        """Who shows these; None when they open nothing."""

    def still(self, credentials: Credentials) -> Viewer | None:
        """As `viewer`, for a stream that is open; may block for a moment."""

    def rules(self) -> Rules:
        """What to decide by; DirectoryStale while nobody knows."""

    async def write(self, *entries: Entry) -> None:
        """Returns when they are on disk."""

    def pseudonym(self, unit: str, employee: str) -> str:
        """What a screen of the unit calls somebody today."""

    def answering(self, employee: str) -> Answering:
        """Who leads somebody, and who may answer what they contest; DirectoryStale while nobody knows."""

    def alike(self, employee: str) -> Hashable:
        """The same for all people of whom `answering` says the same."""

    def name(self, employee: str) -> str | None:
        """What somebody is called, where that is known; who may know it is decided elsewhere (sight.py)."""

    def refresh(self) -> bool:
        """Looks whether anything changed since the last time; may block for a moment."""

    def close(self) -> None:
        """Lets go of everything."""


class Closed:
    """Lets nobody in: what an application has that was told of no accounts."""

    demo = False

    def __init__(self, clock: Callable[[], int], someone: Viewer = NOBODY) -> None:
        self._clock = clock
        self._someone = someone

    async def viewer(self, credentials: Credentials) -> Viewer | None:
        """The same for everybody."""
        return self._someone if credentials == Credentials() else None

    def still(self, credentials: Credentials) -> Viewer | None:
        """The same for everybody."""
        return self._someone

    def rules(self) -> Rules:
        """No tree, no people."""
        return Rules(NO_ORGANISATION, self._clock())

    async def write(self, *entries: Entry) -> None:
        """There is no log."""

    def pseudonym(self, unit: str, employee: str) -> str:
        """Nobody has one."""
        raise LookupError(employee)

    def answering(self, employee: str) -> Answering:
        """Nobody is known."""
        return Answering()

    def alike(self, employee: str) -> Hashable:
        """Everybody is."""
        return ""

    def name(self, employee: str) -> str | None:
        """Nobody is known."""
        return None

    def refresh(self) -> bool:
        """Nothing changes."""
        return False

    def close(self) -> None:
        """There is nothing."""


class Demo(Closed):
    """Boards that need no sign-in: everybody sees everything. For this machine only (`--demo`).

    `records`: where people's names are, and which units show them; until they can be read there are none.
    """

    demo = True

    def __init__(self, clock: Callable[[], int], records: Callable[[], Records] | None = None) -> None:
        super().__init__(clock, DEMO)
        self._open = records
        self._records: Records | None = None
        self._directory: Directory | None = None

    async def viewer(self, credentials: Credentials) -> Viewer | None:
        """Whoever it is, whatever they show."""
        return DEMO

    def rules(self) -> Rules:
        """The tree, where there is one."""
        try:
            return super().rules() if self._directory is None else self._directory.rules()
        except DirectoryStale:
            return super().rules()

    def name(self, employee: str) -> str | None:
        """As the records have it."""
        return None if self._directory is None else self._directory.name(employee)

    def refresh(self) -> bool:
        """Opens the records the first time."""
        if self._open is None:
            return False
        try:
            if self._directory is None:
                self._records = self._records or self._open()
                self._directory = Directory(self._records, self._clock)
            return self._directory.refresh()
        except (RecordsError, RecordsUnavailable):
            return False

    def close(self) -> None:
        """Lets go of the records."""
        if self._records is not None:
            self._records.close()


class Store:
    """Accounts, tokens, sessions and the audit log of a store."""

    demo = False

    def __init__(self, records: Records, clock: Callable[[], int]) -> None:
        self.records = records
        self._clock = clock
        ensure_keys(records)
        self.directory = Directory(records, clock)
        self.directory.refresh()
        self._writer = AuditWriter(records)
        self._second = 0
        self._anonymous = 0

    async def viewer(self, credentials: Credentials) -> Viewer | None:
        """Memory knows most; a session that it has not met is looked up beside the loop."""
        if credentials.token is not None:
            return self.directory.of_token(credentials.token)
        if credentials.session is not None:
            if (known := self.directory.of_known_session(credentials.session)) is not None:
                return known
            return await asyncio.to_thread(self.directory.of_session, credentials.session)
        return NOBODY

    def still(self, credentials: Credentials) -> Viewer | None:
        """A stream that is open keeps a session from idling."""
        if credentials.token is not None:
            return self.directory.of_token(credentials.token)
        return None if credentials.session is None else self.directory.still(digest(credentials.session))

    def rules(self) -> Rules:
        """As the tables were at most five seconds ago."""
        return self.directory.rules()

    async def write(self, *entries: Entry) -> None:
        """Written before the answer. What nobody is refused is written ten times a second at most, and counted."""
        kept = [entry for entry in entries if entry.actor != NOBODY.actor or self._room(entry.at)]
        if kept:
            await self._writer.write(*kept)

    def pseudonym(self, unit: str, employee: str) -> str:
        """Made with this installation's key."""
        return self.directory.pseudonym(unit, employee)

    def answering(self, employee: str) -> Answering:
        """By the rules of now."""
        return answering(self.directory.rules(), self.directory.identities, employee)

    def alike(self, employee: str) -> Hashable:
        """By the rules of now."""
        return alike(self.directory.rules(), self.directory.identities, employee)

    def name(self, employee: str) -> str | None:
        """As the records have it."""
        return self.directory.name(employee)

    def refresh(self) -> bool:
        """Notes what was in use, too."""
        changed = self.directory.refresh()
        self.directory.note_use()
        return changed

    def administration(self, actor: str) -> Administration:
        """Changes in the name of somebody, now."""
        return Administration(self.records, actor, self._clock())

    def close(self) -> None:
        """What waits to be written is."""
        self._writer.close()
        self.records.close()

    def _room(self, at: int) -> bool:
        if at // SECOND != self._second:
            self._second, self._anonymous = at // SECOND, 0
        self._anonymous += 1
        return self._anonymous <= ANONYMOUS
