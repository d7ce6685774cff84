"""The audit log: a chain in which a changed, missing, added or moved entry is found, and named."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError

from agents.access.audit import START, Asked, Entry, Head, append, entries, head, in_turn, page_of, parse_head, verify
from agents.access.audit_writer import AuditWriter
from agents.records.access_tables import audit
from agents.records.database import Records, open_records


def entry(number: int) -> Entry:
    """An entry that differs from others."""
    return Entry(1_000 + number, "account:anna", "read", f"employee:E{number}", "allowed", "read-scores", "team")


def write(records: Records, *numbers: int) -> Head:
    """Adds entries in one transaction."""
    with records.writing() as connection:
        in_turn(connection)
        return append(connection, [entry(number) for number in numbers])


def tamper(records: Records, *statements: str) -> None:
    """What somebody does who owns the database: the triggers are in nobody's way then."""
    with records.writing() as connection:
        if connection.dialect.name == "sqlite":
            for verb in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS audit_no_{verb}"))
        else:
            connection.execute(text("DROP TRIGGER IF EXISTS audit_append_only ON audit"))
        for statement in statements:
            connection.execute(text(statement))


def checked(records: Records, noted: Head | None = None) -> str | None:
    """What is broken."""
    with records.reading() as connection:
        return verify(connection, noted).broken


def test_a_chain_holds(records: Records) -> None:
    """Entries follow each other across transactions; the head is the last one's."""
    write(records, 1, 2)
    end = write(records, 3)
    with records.reading() as connection:
        assert (end, None) == verify(connection)
        assert end == head(connection) == parse_head(str(end))
        assert [1, 2, 3] == [row.number for row in entries(connection)]
        assert [2] == [row.number for row in entries(connection, subject="employee:E2", actor="account:anna")]
        assert [3] == [row.number for row in entries(connection, since=1_003)]


def test_entries_come_in_pages_the_newest_first(records: Records) -> None:
    """By who, whom (also among many), what and when; an id stands for whatever it is an id of."""
    many = Entry(1_004, "token:t_1", "watch", "unit:L01", "allowed", "read-scores", "", {"employees": ["E1", "E12"]})
    write(records, 1, 2, 3)
    with records.writing() as connection:
        append(connection, [many])
    with records.reading() as connection:

        def asked(before: int | None = None, limit: int = 9, **filters: Any) -> list[int]:
            return [row.number for row in page_of(connection, Asked(**filters), before, limit)]

        assert ([4, 3], [2, 1], []) == (asked(limit=2), asked(3, 2), asked(1))
        assert ([4], [3, 2, 1], [4]) == (asked(who="t_1"), asked(who="account:anna"), asked(who="token:t_1"))
        assert ([4, 1], [2], [4], []) == (
            asked(whom="E1"),
            asked(whom="employee:E2"),
            asked(whom="E12"),
            asked(whom="E"),
        )
        assert ([4], [4], [3, 2, 1]) == (asked(whom="L01"), asked(what="watch"), asked(what="read"))
        assert ([4, 3, 2, 1], [3, 2]) == (asked(what="read-scores"), asked(since=1_002, until=1_004))
        assert [] == asked(whom="%")


def test_the_hash_is_what_the_page_says(records: Records) -> None:
    """Another program can compute it: SHA-256 of the hash before and the entry as a JSON array."""
    end = write(records, 1)
    said = [1, 1001, "account:anna", "read", "employee:E1", "read-scores", "team", "allowed", "{}"]
    assert hashlib.sha256(START + json.dumps(said, separators=(",", ":")).encode()).digest() == end.hash


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        (["UPDATE audit SET subject = 'employee:E9' WHERE number = 2"], "entry 2 was changed"),
        (["UPDATE audit SET at = 5 WHERE number = 3"], "entry 3 was changed"),
        (["DELETE FROM audit WHERE number = 2"], "entry 2 is missing"),
        (["DELETE FROM audit WHERE number = 1"], "entry 1 is missing"),
        (
            [
                "UPDATE audit SET number = 99 WHERE number = 2",
                "UPDATE audit SET number = 2 WHERE number = 3",
                "UPDATE audit SET number = 3 WHERE number = 99",
            ],
            "entry 2 does not follow",
        ),
        (["DELETE FROM audit WHERE number = 2", "UPDATE audit SET number = number - 1 WHERE number > 2"], "entry 2"),
        (["UPDATE audit SET hash = previous WHERE number = 2"], "entry 2 was changed"),
    ],
)
def test_the_first_broken_entry_is_named(records: Records, statements: list[str], named: str) -> None:
    """Changed, removed, moved, removed with the others moved up."""
    write(records, 1, 2, 3, 4)
    tamper(records, *statements)
    assert named in str(checked(records))


def test_an_entry_that_was_put_in_is_found(records: Records) -> None:
    """Also when its own hash is right: what follows was made after another one."""
    write(records, 1, 2, 3)
    tamper(records, "UPDATE audit SET number = 103 WHERE number = 3")
    with records.reading() as connection:
        second = connection.execute(select(audit).where(audit.c.number == 2)).one()
    tamper(records, "DELETE FROM audit WHERE number = 103")
    write(records, 9)  # a false third, well made
    with records.writing() as connection:
        row = {**second._mapping, "number": 4}
        connection.execute(insert(audit), [row])
    assert "entry 4 does not follow" in str(checked(records))


def test_a_chain_that_was_written_anew_or_cut_is_found_by_its_head(records: Records) -> None:
    """Every hash is right then, and only a head noted before tells."""
    noted = write(records, 1, 2, 3)
    assert checked(records, noted) is None
    tamper(records, "DELETE FROM audit WHERE number = 3")
    assert checked(records) is None
    assert "entry 3 is missing" in str(checked(records, noted))
    tamper(records, "DELETE FROM audit")
    write(records, 4, 5, 6, 7)
    assert checked(records) is None
    assert "was written anew" in str(checked(records, noted))


def test_an_old_head_is_still_there_later(records: Records) -> None:
    """The chain only grows."""
    noted = write(records, 1, 2)
    write(records, 3)
    assert checked(records, noted) is None
    assert checked(records, Head(0, START)) is None


@pytest.mark.parametrize("statement", ["UPDATE audit SET at = 0", "DELETE FROM audit"])
def test_entries_are_not_changed_by_accident(records: Records, statement: str) -> None:
    """The database refuses it."""
    write(records, 1)
    with pytest.raises(DBAPIError, match="only added to"), records.writing() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("noted", ["", "abc@1", "0" * 64, "0" * 64 + "@x", "z" * 64 + "@1"])
def test_a_head_that_is_none_is_refused(noted: str) -> None:
    """Only what was printed is taken."""
    with pytest.raises(ValueError):
        parse_head(noted)


def test_texts_that_no_store_takes_are_written_all_the_same(records: Records) -> None:
    """A name with half a character or a NUL must not keep a refusal out of the log."""
    with records.writing() as connection:
        in_turn(connection)
        append(connection, [Entry(1, "nobody", "read", "employee:\ud800\0x", "refused", detail={"path": "\ud800\0"})])
    assert checked(records) is None


def test_several_writers_make_one_chain(records: Records) -> None:
    """Web processes and commands append at the same time: no gap, no fork."""
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: records.write(lambda c: _turn(c, number), tries=100), range(40)))
    with records.reading() as connection:
        found = verify(connection)
    assert (40, None) == (found.head.entries, found.broken)


def _turn(connection: Connection, number: int) -> None:
    in_turn(connection)
    append(connection, [entry(number)])


async def test_many_answers_wait_for_one_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry is on disk when `write` returns; what waits while one is written goes together."""
    records = open_records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    may, begun, write, transactions = threading.Event(), threading.Event(), records.write, []

    def slow(work: Callable[[Connection], None]) -> None:
        transactions.append(work)
        begun.set()
        assert may.wait(60)
        write(work)

    monkeypatch.setattr(records, "write", slow)
    writer = AuditWriter(records)
    first = asyncio.create_task(writer.write(entry(0)))
    await asyncio.to_thread(begun.wait, 60)
    others = [asyncio.create_task(writer.write(entry(number))) for number in range(1, 200)]
    await asyncio.sleep(0)  # each of them has asked
    assert not first.done()
    may.set()
    await asyncio.gather(first, *others)
    assert 2 == len(transactions)
    with records.reading() as connection:
        assert 200 == verify(connection).head.entries
    writer.close()
    records.close()


async def test_an_asker_that_goes_away_leaves_its_entry(tmp_path: Path) -> None:
    """A request that is cut is written down all the same, and the writer lives on."""
    records = open_records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    writer = AuditWriter(records)
    task = asyncio.create_task(writer.write(entry(1)))
    await asyncio.sleep(0)
    task.cancel()
    await writer.write(entry(2))
    writer.close()
    assert checked(records) is None
    with records.reading() as connection:
        assert 2 == head(connection).entries
    records.close()
