"""The local state of a partition in RocksDB: a cache of the changelog that is one read away.

The position in the changelog is written in the same batch as the values, so whatever survives a crash is a whole
prefix; the rest is read again from the changelog. A store that is damaged, of another log, or ahead of the
changelog is set aside and built anew. Nothing is lost with it.

RocksDB does not notice when the end of its MANIFEST is missing: it opens with the tables it still knows and the log
behind them, and what was between is gone. So batches are links of a chain: the first stays for ever, each other one
takes the place of the one before. After a gap the link before it, whose removal is lost too, is still there.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
from rocksdict import BlockBasedOptions, Cache, Options, Rdict, ReadOptions, WriteBatch, WriteBufferManager

from agents.transport.errors import RecoverableError

POSITION: Final = b"@position"
_LINK: Final = b"@link"  # + number of the batch
_LOCKED: Final = ("While lock file", "lock hold by current process")
_NO_ROOM: Final = "No space left on device"
_MEMTABLE: Final = 16 << 20
# Of all stores of a process together, however many partitions it has: what it takes does not grow with them.
CACHED: Final = 96 << 20  # bytes of blocks that were read
UNWRITTEN: Final = 96 << 20  # bytes of what is not in tables yet; about, for writers do not wait


class StoreDamaged(RecoverableError):
    """RocksDB refused to open, read or write; the store in `folder` can be built anew from the changelog."""

    def __init__(self, folder: Path, detail: object) -> None:
        self.folder = folder
        super().__init__(f"{folder}: local state is damaged ({detail})")


class StoreFull(RecoverableError):
    """The disk of the local state has no room. What RocksDB holds is whole; it has to be opened again."""


class StoreInUse(RecoverableError):
    """Somebody has the store open: it is neither damaged nor ours."""


class Position(msgspec.Struct, frozen=True):
    """Up to where the store holds the changelog: the next offset, of the log with this id."""

    log_id: str
    offset: int


class Store:
    """Keys and values of one partition. All errors of RocksDB are StoreDamaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _translated(folder):
            self._db: Any = Rdict(str(folder), _options())
        self._batches = self._count_batches()

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, None when there is none."""
        return self.values((key,))[0]

    def values(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The value of each key, None where there is none. Keys in order are found twice as fast as others."""
        with _translated(self.folder):
            return list(map(self._db.get, keys))

    def items(self, prefix: bytes, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values with a prefix, in order, from `start` on."""
        with _translated(self.folder):
            options = ReadOptions()
            options.set_iterate_upper_bound(_after(prefix))
            last = start or prefix
            for key, value in self._db.items(from_key=last, read_opt=options):
                yield key, value
                last = key
            self._demand_end(last, options)

    def _demand_end(self, last: bytes, options: ReadOptions) -> None:
        """A walk that reaches a block it cannot read just ends. One step further the iterator says why."""
        iterator = self._db.iter(options)
        try:
            iterator.seek(last)
            if iterator.valid():
                iterator.next()
            iterator.status()
        finally:
            del iterator  # an error that somebody keeps would keep RocksDB open

    def write(self, changes: Sequence[tuple[bytes, bytes | None]], position: Position) -> None:
        """All changes and the position, in one batch. A value of None deletes its key."""
        with _translated(self.folder):
            batch: Any = WriteBatch(raw_mode=True)
            for key, value in changes:
                if value is None:
                    batch.delete(key)
                else:
                    batch.put(key, value)
            batch.put(POSITION, msgspec.json.encode(position))
            batch.put(_link(self._batches), b"")
            if self._batches > 1:
                batch.delete(_link(self._batches - 1))
            self._db.write(batch)
            self._batches += 1

    def _count_batches(self) -> int:
        """How many batches are in here; closes and raises when some are missing before the last."""
        try:
            links = [key for key, _ in self.items(_LINK)]
            last = int.from_bytes(links[-1][len(_LINK) :], "big") if links else -1
            if links == sorted({_link(0), _link(last)}) if links else self.get(POSITION) is None:
                return last + 1
            raise StoreDamaged(self.folder, f"batches before number {last} are missing")
        except RecoverableError:
            with contextlib.suppress(RecoverableError):
                self.close()  # which fails too where RocksDB has met damage by itself
            raise

    def position(self) -> Position | None:
        """Up to where the changelog is in here, None in a new store."""
        raw = self.get(POSITION)
        return None if raw is None else msgspec.json.decode(raw, type=Position)

    def size(self) -> int:
        """Bytes on disk. RocksDB removes files meanwhile."""
        total = 0
        with _translated(self.folder):
            for file in self.folder.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    total += file.stat().st_size
        return total

    def close(self) -> None:
        """Flush and let go."""
        with _translated(self.folder):
            self._db.close()


def _link(number: int) -> bytes:
    return _LINK + number.to_bytes(8, "big")


def _after(prefix: bytes) -> bytes:
    """The first key behind all keys with this prefix."""
    head = prefix.rstrip(b"\xff")
    return head[:-1] + bytes((head[-1] + 1,))


def set_aside(folder: Path) -> None:
    """Moves a store that cannot be used out of the way, in place of the one moved before it."""
    forget_aside(folder)
    if folder.exists():
        folder.rename(_aside(folder))


def forget_aside(folder: Path) -> None:
    """Removes what was set aside."""
    shutil.rmtree(_aside(folder), ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(folder.name + ".aside")


@contextlib.contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except (RecoverableError, GeneratorExit):
        raise
    except Exception as error:  # RocksDB's errors have no type of their own
        text = str(error)
        if _NO_ROOM in text:
            raise StoreFull(f"{folder}: no room left on the disk for local state ({text})") from error
        if any(lock in text for lock in _LOCKED):
            raise StoreInUse(f"{folder}: another process has it open; give each worker its own --data") from error
        raise StoreDamaged(folder, text) from error


@lru_cache(maxsize=1)
def _shared() -> tuple[Cache, WriteBufferManager]:
    return Cache(CACHED), WriteBufferManager(UNWRITTEN, False)


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    cache, unwritten = _shared()
    options.set_write_buffer_size(_MEMTABLE)
    options.set_write_buffer_manager(unwritten)
    options.set_max_write_buffer_number(3)
    options.set_keep_log_file_num(2)
    options.set_max_background_jobs(2)
    options.set_max_open_files(256)
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_bloom_filter(10, False)
    options.set_block_based_table_factory(table)
    return options
