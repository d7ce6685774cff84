"""A key stands for one request of one client: the same request again gets the answer of the first, and does nothing.

A key is begun before the work and holds its answer after it. Whoever dies in between leaves a key under way; after
LEASE another may take it over. Keys are kept for a day.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Connection, Update, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from agents.records.database import Records
from agents.records.tables import idempotency_keys as keys

KEPT_MS: Final = 24 * 3_600_000
LEASE_MS: Final = 120_000  # longer than any append may take


class KeyUnderWay(Exception):
    """The request that this key stands for is being worked on."""


class KeyTaken(Exception):
    """The key stands for a request of another content."""


def begin(records: Records, client: str, key: str, digest: bytes, now: int) -> bytes | None:
    """The answer that was given to this request before; None: it is the caller's to do now, and to finish or release.

    `digest` stands for the content; `now` in ms. Raises KeyUnderWay, KeyTaken, RecordsUnavailable.
    """

    def work(connection: Connection) -> bytes | None:
        found = connection.execute(
            select(keys.c.digest, keys.c.begun_at, keys.c.answer).where(_is(client, key))
        ).one_or_none()
        if found is not None and found.begun_at > now - KEPT_MS:
            if found.digest != digest:
                raise KeyTaken
            if found.answer is not None:
                return bytes(found.answer)
            if found.begun_at > now - LEASE_MS:
                raise KeyUnderWay
        connection.execute(delete(keys).where(_is(client, key)))
        connection.execute(insert(keys), [{"client": client, "key": key, "digest": digest, "begun_at": now}])
        return None

    try:
        return records.write(work)
    except IntegrityError:  # somebody else began it between the look and the entry
        return records.write(work)


def finish(records: Records, client: str, key: str, begun: int, answer: bytes) -> None:
    """The request that was begun at `begun` got this answer."""
    records.write(lambda connection: connection.execute(_mine(client, key, begun).values(answer=answer)))


def release(records: Records, client: str, key: str, begun: int) -> None:
    """The request that was begun at `begun` did nothing: it may come again."""
    mine = and_(_is(client, key), keys.c.begun_at == begun, keys.c.answer.is_(None))
    records.write(lambda connection: connection.execute(delete(keys).where(mine)))


def sweep(records: Records, now: int) -> int:
    """Forgets keys that are older than a day; how many."""
    old = delete(keys).where(keys.c.begun_at <= now - KEPT_MS)
    return records.write(lambda connection: connection.execute(old).rowcount)


def _mine(client: str, key: str, begun: int) -> Update:
    return update(keys).where(_is(client, key), keys.c.begun_at == begun)


def _is(client: str, key: str) -> ColumnElement[bool]:
    return and_(keys.c.client == client, keys.c.key == key)
