"""The audit log is a chain: each entry's hash covers the entry and the hash before it, so nothing changes unseen.

Who can write to the database could still write the whole chain anew: note `head` elsewhere from time to time, and
`scorestream audit verify --head` shows whether it is still in the chain. Entries are never removed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, insert, select, text

from agents.records.access_tables import audit

START: Final = bytes(32)  # what the first entry has before it
_AT_ONCE: Final = 10_000  # entries read together
_ACTORS: Final = ("account", "token", "os")
_SUBJECTS: Final = ("employee", "unit", "account", "token", "calendar")
_TEXTS: Final = ("actor", "action", "subject", "right", "relation", "outcome", "detail")

Outcome = Literal["allowed", "refused", "done"]


class Entry(NamedTuple):
    """What is written down. `at` in ms since 1970 UTC; `detail` is anything that JSON can say."""

    at: int
    actor: str
    action: str
    subject: str
    outcome: Outcome
    right: str = ""
    relation: str = ""
    detail: Mapping[str, object] = {}


class Head(NamedTuple):
    """The end of the chain: how many entries, and the hash of the last one."""

    entries: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.hash.hex()}@{self.entries}"


class Verified(NamedTuple):
    """What a look at the whole chain gave; `broken` is None when it holds."""

    head: Head
    broken: str | None


def parse_head(noted: str) -> Head:
    """The head as `str` wrote it down; ValueError when it is none."""
    digest, _, count = noted.partition("@")
    if len(digest) != 64 or not count.isdigit() or not count.isascii():
        raise ValueError("HASH@COUNT, as `scorestream audit verify` printed it")
    return Head(int(count), bytes.fromhex(digest))


def append(connection: Connection, entries: Iterable[Entry]) -> Head:
    """Adds entries within a transaction of the caller's; on PostgreSQL it must begin with `in_turn`."""
    count, before = head(connection)
    rows = []
    for entry in entries:
        count += 1
        row = _row(count, entry)
        made = _hash(before, row)
        rows.append({**row, "previous": before, "hash": made})
        before = made
    if rows:
        connection.execute(insert(audit), rows)
    return Head(count, before)


def in_turn(connection: Connection) -> None:
    """The first statement of a transaction that appends: whoever else appends waits until it is over."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        connection.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))


def head(connection: Connection) -> Head:
    """The end of the chain."""
    last = connection.execute(select(audit.c.number, audit.c.hash).order_by(audit.c.number.desc()).limit(1)).first()
    return Head(0, START) if last is None else Head(int(last.number), bytes(last.hash))


def verify(connection: Connection, noted: Head | None = None) -> Verified:
    """Computes every hash anew; the first entry that is changed, missing, put in or out of its place is named.

    `noted`: a head of earlier, which must still be there.
    """
    expected, before = 1, START
    seen = noted is None or (noted.entries == 0 and noted.hash == START)
    for row in _rows(connection):
        if broken := _broken(row, expected, before):
            return Verified(Head(expected - 1, before), broken)
        expected, before = expected + 1, bytes(row.hash)
        seen = seen or (noted is not None and (row.number, before) == noted)
    end = Head(expected - 1, before)
    if noted is not None and not seen:
        return Verified(end, _lost(noted, end))
    return Verified(end, None)


def _lost(noted: Head, end: Head) -> str:
    if noted.entries > end.entries:
        return f"entry {noted.entries} is missing: {noted} was noted, and the chain ends with entry {end.entries}"
    return f"entry {noted.entries} is not the one that was noted ({noted}): the chain was written anew"


def _broken(row: Row[tuple[object, ...]], expected: int, before: bytes) -> str | None:
    if row.number > expected:
        return f"entry {expected} is missing: entry {row.number} follows {expected - 1}"
    if row.number < expected:
        return f"entry {row.number} stands where there is none: the chain begins with 1"
    if bytes(row.previous) != before:
        return f"entry {row.number} does not follow the one before it: one of them was put in, moved or changed"
    if bytes(row.hash) != _hash(before, dict(row._mapping)):
        return f"entry {row.number} was changed: its hash is of another content"
    return None


def entries(
    connection: Connection, actor: str | None = None, subject: str | None = None, since: int | None = None
) -> Iterator[Row[tuple[object, ...]]]:
    """Entries that the filters leave, in their order."""
    wanted = [
        column == value if name != "since" else column >= value
        for name, column, value in (
            ("actor", audit.c.actor, actor), ("subject", audit.c.subject, subject), ("since", audit.c.at, since),
        )
        if value is not None
    ]  # fmt: skip
    yield from _rows(connection, wanted)


class Asked(NamedTuple):
    """Which entries; empty or None: any. Times in ms.

    `who`: an actor, with or without what it is an id of. `whom`: a subject likewise, and people whom an entry about
    many names. `what`: an action or a right.
    """

    who: str = ""
    whom: str = ""
    what: str = ""
    since: int | None = None
    until: int | None = None


def page_of(connection: Connection, asked: Asked, before: int | None, limit: int) -> list[Row[Any]]:
    """At most `limit` entries with a number below `before`, the newest first."""
    c = audit.c
    wanted: list[ColumnElement[bool]] = []
    if asked.who:
        wanted.append(c.actor.in_([asked.who, *(f"{kind}:{asked.who}" for kind in _ACTORS)]))
    if asked.whom:
        named = c.detail.contains(json.dumps(asked.whom), autoescape=True)
        wanted.append(c.subject.in_([asked.whom, *(f"{kind}:{asked.whom}" for kind in _SUBJECTS)]) | named)
    if asked.what:
        wanted.append((c.action == asked.what) | (c.right == asked.what))
    if asked.since is not None:
        wanted.append(c.at >= asked.since)
    if asked.until is not None:
        wanted.append(c.at < asked.until)
    if before is not None:
        wanted.append(c.number < before)
    return list(connection.execute(select(audit).where(*wanted).order_by(c.number.desc()).limit(limit)))


def _rows(connection: Connection, wanted: Sequence[object] = ()) -> Iterator[Row[tuple[object, ...]]]:
    last: int | None = None
    while True:
        query = select(audit).where(*wanted).order_by(audit.c.number).limit(_AT_ONCE)  # type: ignore[arg-type]
        rows = connection.execute(query if last is None else query.where(audit.c.number > last)).all()
        yield from rows
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1].number


def _row(number: int, entry: Entry) -> dict[str, object]:
    detail = json.dumps(entry.detail, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    row = {"number": number, **entry._asdict(), "detail": detail}
    # No store takes a NUL or half a character in a text.
    texts = {name: str(row[name]).encode("utf-8", "replace").decode().replace("\0", "\ufffd") for name in _TEXTS}
    return {**row, **texts}


def _hash(before: bytes, row: Mapping[str, object]) -> bytes:
    said = [row["number"], row["at"], *(row[name] for name in _TEXTS)]
    return hashlib.sha256(before + json.dumps(said, separators=(",", ":"), ensure_ascii=True).encode()).digest()
